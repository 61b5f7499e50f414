"""Workers: each runs one trial at a time, in processes of its own on cores of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganvas.errors import GanvasError
from ganvas.experiments.trials import Trial, load_images

if TYPE_CHECKING:
    from ganvas.datasets import ImageSet

POLL_SECONDS = 0.5
SAVE_SECONDS = 60.0
"""How long processes may take to save once the loop has failed; then they are killed, and resume from a checkpoint."""
OnUpdate = Callable[[set[str]], None]
"""Called after each poll with the names of the trials that are running."""


def split_cores(jobs: int | None, most: int) -> tuple[int, int]:
    """(trainings at a time, threads of each): every core is used at most once. Without `jobs`: one core each."""
    from ganvas.training.backend import cores

    available = cores()
    jobs = min(jobs or available, available, most)
    return jobs, available // jobs


@dataclass
class Worker:
    """Runs one trial at a time."""

    cores: frozenset[int]
    trial: Trial | None = None
    process: subprocess.Popen[bytes] | None = None
    signals_sent: int = 0
    """Signals passed on to the process: the first lets it save, the second one ends it."""


def run_trials(trials: Sequence[Trial], jobs: int, threads: int, on_update: OnUpdate) -> bool:
    """Train and score every trial that is not done. True if a signal interrupted it; everything is saved then."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(jobs * threads))
    workers = [Worker(frozenset(cores[i * threads : (i + 1) * threads])) for i in range(jobs)]
    queue = [trial for trial in trials if trial.state not in ("done", "failed")]
    images: dict[str, ImageSet] = {}
    with collect_signals() as received, _reaped(workers):
        while (queue and not received) or any(worker.trial for worker in workers):
            for worker in workers:
                if worker.process is not None and worker.process.poll() is not None:
                    _handle_exit(worker, interrupted=bool(received))
                if worker.trial is None and queue and not received:
                    worker.trial = queue.pop(0)
                if worker.trial is not None and worker.process is None:
                    if received:
                        worker.trial = None
                    else:
                        _start_step(worker, images, threads)
                if worker.process is not None and len(received) > worker.signals_sent:
                    worker.signals_sent = len(received)
                    worker.process.send_signal(signal.SIGTERM)
            on_update({worker.trial.name for worker in workers if worker.trial})
            time.sleep(POLL_SECONDS)
    return bool(received)


@contextmanager
def _reaped(workers: Sequence[Worker]) -> Iterator[None]:
    """However the loop ends, no process outlives it: those still running are told to save and end, and waited for."""
    try:
        yield
    finally:
        running = [worker.process for worker in workers if worker.process is not None]
        for worker in workers:
            if worker.process is not None and not worker.signals_sent:  # a second one would end it unsaved
                with contextlib.suppress(OSError):
                    worker.process.send_signal(signal.SIGTERM)
        patience = time.monotonic() + SAVE_SECONDS
        for process in running:
            try:
                process.wait(max(patience - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start_step(worker: Worker, images: dict[str, ImageSet], threads: int) -> None:
    """Start the process that the worker's trial needs next. Without a next step the worker becomes free."""
    trial = worker.trial
    assert trial is not None
    try:
        if trial.state == "waiting":
            trial.create_run(load_images(images, trial))
        if (argv := trial.next_step()) is None:
            worker.trial = None
        else:
            worker.process = _start_process(trial, worker.cores, threads, *argv)
    except GanvasError as error:
        trial.mark_failed(str(error))
        worker.trial = None


def _handle_exit(worker: Worker, interrupted: bool) -> None:
    """The worker goes on with its trial, unless the process failed."""
    trial, process = worker.trial, worker.process
    assert trial is not None and process is not None
    worker.process = None
    if interrupted or not trial.finish_step(process.args, process.returncode):  # type: ignore[arg-type]
        worker.trial = None


def _start_process(trial: Trial, cores: frozenset[int], threads: int, *argv: str) -> subprocess.Popen[bytes]:
    """Start `ganvas` with these arguments on these cores. Its own session: only we send it signals."""
    trial.log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with open(trial.log, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ganvas", *argv], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env=environment, start_new_session=True,
        )  # fmt: skip
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):  # already ended, or not permitted: then the system assigns the cores
            os.sched_setaffinity(process.pid, cores)
    return process


@contextmanager
def collect_signals() -> Iterator[list[int]]:
    """Collect Ctrl-C, SIGTERM and the terminal's end instead of ending at once, so that the processes can save."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}  # as under nohup
    for number in before:
        signal.signal(number, lambda got, _: received.append(got))
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
