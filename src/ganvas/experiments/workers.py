"""Who trains what on which cores: each task in processes of its own, so many at a time."""

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
from ganvas.experiments.tasks import Task, images_of, last_words

if TYPE_CHECKING:
    from ganvas.data import ImageSet

TICK = 0.5  # seconds between two looks at the processes
Tell = Callable[[set[str]], None]
"""Told the names of the tasks under way, as often as one likes."""


def share(jobs: int | None, most: int) -> tuple[int, int]:
    """(trainings at a time, threads of each): all cores are used, none twice."""
    from ganvas.training.backend import cores

    there = cores()
    jobs = min(jobs or there, there, most)
    return jobs, there // jobs


@dataclass
class Worker:
    """A place for one task at a time, on cores of its own."""

    cores: frozenset[int]
    task: Task | None = None
    process: subprocess.Popen[bytes] | None = None
    told: int = 0
    """Signals passed on to the process: the first lets it save, a second one ends it."""


def work(todo: Sequence[Task], jobs: int, threads: int, tell: Tell) -> bool:
    """Train and score every task that is not done; True where a signal ended it early (everything is saved then)."""
    there = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else list(range(jobs * threads))
    places = [Worker(frozenset(there[i * threads : (i + 1) * threads])) for i in range(jobs)]
    queue = [task for task in todo if task.state not in ("done", "failed")]
    kept: dict[str, ImageSet] = {}
    with _signals() as received:
        while (queue and not received) or any(place.task for place in places):
            for place in places:
                if place.process is not None and place.process.poll() is not None:
                    _ended(place, bool(received))
                if place.task is None and queue and not received:
                    place.task = queue.pop(0)
                if place.task is not None and place.process is None:
                    if received:
                        place.task = None
                    else:
                        _next_step(place, kept, threads)
                if place.process is not None and len(received) > place.told:
                    place.told = len(received)
                    place.process.send_signal(signal.SIGTERM)
            tell({place.task.name for place in places if place.task})
            time.sleep(TICK)
    return bool(received)


def _next_step(place: Worker, kept: dict[str, ImageSet], threads: int) -> None:
    """Start the process that a worker's task needs next, or let go of the task."""
    task = place.task
    assert task is not None
    try:
        if task.state == "waiting":
            task.begin(images_of(kept, task))
        if task.state == "training":
            place.process = _process(task, place.cores, threads, "resume", str(task.path))
        elif task.state == "scoring":
            features = ["--features", ",".join(task.features)] if task.features else []
            place.process = _process(
                task, place.cores, threads, "evaluate", str(task.path), "--n", str(task.n), "--sets", "1", *features
            )
        else:
            place.task = None
    except GanvasError as error:
        task.fail(str(error))
        place.task = None


def _ended(place: Worker, stopping: bool) -> None:
    """Look at how a process ended: the same step must not be begun for ever."""
    task, process = place.task, place.process
    assert task is not None and process is not None
    place.process = None
    if stopping:
        place.task = None
    elif process.returncode != 0:
        task.fail(last_words(task.log))
        place.task = None
    elif task.state == "scoring" and "evaluate" in process.args and not task.scored:  # type: ignore[operator]
        task.fail("its scores are not there though they were made")
        place.task = None


def _process(task: Task, cores: frozenset[int], threads: int, *words: str) -> subprocess.Popen[bytes]:
    """`ganvas` with these words, on these cores, in a session of its own: signals reach it through us alone."""
    task.log.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    with open(task.log, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ganvas", *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env=environment, start_new_session=True,
        )  # fmt: skip
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):  # already gone, or not allowed: then the system shares the cores out
            os.sched_setaffinity(process.pid, cores)
    return process


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect Ctrl-C and SIGTERM; the processes are told to save."""
    received: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda got, _: received.append(got))
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
