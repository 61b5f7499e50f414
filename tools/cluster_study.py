"""Studies of experiments on a cluster: records/*-cluster.md says what came out.

simulate   thousands of cells on hundreds of simulated workers: the dispatcher is the real one, the time is not
kill       tiny cells on real workers over TCP, one of which is killed every few seconds: does every cell end once?
overhead   a cell with and without a cluster, one after the other
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ganvas
from ganvas.experiments import progress
from ganvas.experiments.cluster import attempts, cell, dispatch, status
from ganvas.experiments.cluster.link import Facts, LostError

CHECKPOINT_SECONDS = 60.0
"""Between two checkpoints of a simulated training."""


# -- a cluster that is none --------------------------------------------------------------------------------------


class AtOnce(Executor):
    """Answers every question before it returns."""

    def submit(self, ask: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(ask(*arguments, **named))
        except Exception as error:
            done.set_exception(error)
        return done


@dataclass
class Trial:
    """What the dispatcher needs of a trial. `seconds`: how long it takes; `reached`: what came back of that."""

    name: str
    seconds: float
    folder: Path
    state: str = "training"
    reached: float = 0.0
    elsewhere: Any = None
    moves: int = 0
    reason: str = ""
    ended: int = 0
    features: tuple[str, ...] = ()
    n: int = 10
    device: str = "cpu"

    @property
    def path(self) -> Path:
        return self.folder / self.name

    @property
    def log(self) -> Path:
        return self.folder / "logs" / f"{self.name}.log"

    @property
    def config(self) -> Any:
        return SimpleNamespace(data=SimpleNamespace(name="shapes"), engine=SimpleNamespace(device=self.device))

    def mark_failed(self, reason: str) -> None:
        self.state, self.reason = "failed", reason


@dataclass
class Task:
    """A cell on a simulated worker. `begun`: when, and `at`: how far it was then."""

    link: Simulated
    worker: str
    trial: Trial
    begun: float
    at: float
    outcome: str = "done"

    @property
    def now(self) -> float:
        """Seconds of training done."""
        return min(self.at + self.link.time - self.begun, self.trial.seconds)

    @property
    def saved(self) -> float:
        """Where its newest checkpoint is."""
        return max(self.at, math.floor(self.now / CHECKPOINT_SECONDS) * CHECKPOINT_SECONDS)

    def done(self) -> bool:
        return self.worker in self.link.there and (self.outcome != "done" or self.now >= self.trial.seconds)


@dataclass
class Simulated:
    """Stands for a Link. Workers are named by numbers and new ones come in the place of dead ones."""

    trials: list[Trial]
    there: dict[str, Facts] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    """Worker -> what it answers to `about`, or the error that this raises, where it is not the usual."""
    outcomes: dict[str, str] = field(default_factory=dict)
    """Worker -> outcome of every cell on it, where it is not "done"."""
    lost: bool = False
    """Whether the scheduler is gone."""
    address: str = "tcp://simulated:1"
    time: float = 0.0
    tasks: list[Task] = field(default_factory=list)
    newest: dict[str, Task] = field(default_factory=dict)
    """Trial -> its last task."""
    asked: int = 0
    on_tick: Callable[[Simulated], None] = lambda link: None

    def workers(self) -> dict[str, Facts]:
        if self.lost:
            raise LostError("the scheduler is gone")
        return dict(self.there)

    def reconnect(self) -> None:
        self.workers()

    def ask(self, worker: str, function: Any, *arguments: Any) -> Any:
        self.asked += 1
        if worker not in self.there or self.lost:
            raise OSError("no answer")
        if function is cell.about:
            usual = {"host": f"host of {worker}", "version": ganvas.__version__, "code": cell.code_digest()}
            found = self.about.get(worker, usual)
            if isinstance(found, Exception):
                raise found
            return found
        if function is cell.leave:
            return {}
        task = self.newest.get(arguments[0])
        if task is None or task.worker != worker or task.done():
            return {} if function is cell.look else b""
        if function is cell.look:
            return {"step": "resume", "progress": [int(task.now), int(task.trial.seconds), 1.0],
                    "checkpoint": int(task.saved)}  # fmt: skip
        if function is cell.stop:
            task.outcome = "stopped"
            return None
        return str(task.saved).encode()

    def send(self, worker: str, name: str, file: Any) -> None:
        if worker not in self.there:
            raise OSError("no answer")

    def start(self, worker: str, job: dict[str, Any], resources: dict[str, float]) -> Task:
        trial = next(t for t in self.trials if t.name == job["name"])
        task = Task(self, worker, trial, self.time, trial.reached, self.outcomes.get(worker, "done"))
        self.tasks.append(task)
        self.newest[trial.name] = task
        return task

    def result(self, task: Task) -> dict[str, Any]:
        if task.outcome == "done":
            task.trial.ended += 1
            return {"outcome": "done", "reason": "", "log": "", "run": str(task.trial.seconds).encode()}
        return {"outcome": task.outcome, "reason": "as the test says", "log": "", "run": str(task.saved).encode()}

    def cancel(self, task: Task) -> None:
        if task in self.tasks:
            self.tasks.remove(task)

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.on_tick(self)


@contextmanager
def simulated(trials: list[Trial]) -> Iterator[None]:
    """Within it the dispatcher takes seconds of training for runs."""
    by_path = {trial.path: trial for trial in trials}

    def install(path: Path, content: bytes, sender: str) -> bool:
        trial = by_path[path]
        trial.reached = max(trial.reached, float(content))
        if trial.reached >= trial.seconds:
            trial.state = "done"
        return True

    packing = SimpleNamespace(
        install_run=install, newest_nimg=lambda path: by_path[path].reached, pack_run=lambda path: path.name.encode(),
        digest=lambda content: content.decode(), RefusedError=dispatch.packing.RefusedError,
    )  # fmt: skip
    before = dispatch.packing, attempts.packing, dispatch.create, status.write
    dispatch.packing = attempts.packing = packing  # type: ignore[assignment]
    dispatch.create = lambda trial, images: None
    status.write = lambda *_: None  # type: ignore[assignment]
    try:
        yield
    finally:
        dispatch.packing, attempts.packing, dispatch.create, status.write = before


class Keyed(dispatch.Dispatch):
    """A dispatcher whose keys are the names of trials, by which a simulated worker finds them."""

    def _begin(self, trial: Any, place: Any) -> None:
        super()._begin(trial, place)
        self.attempts[-1].key = trial.name


def run(link: Simulated, threads: int = 1, fetch_seconds: float = 180.0, until: float = math.inf) -> Keyed:
    """Run the trials of a simulated cluster to their end."""
    with simulated(link.trials):
        found = Keyed(link.trials, link, threads, AtOnce(), fetch_seconds)  # type: ignore[arg-type]
        while found.is_left and link.time < until:
            found.tick()
            link.wait(dispatch.TICK_SECONDS)
    return found


def read_durations(path: Path) -> list[float]:
    """Seconds of recorded runs: a list of {"run", "record", "seconds"}, or of numbers alone."""
    rows = json.loads(path.read_text("utf-8"))
    found = [float(row["seconds"] if isinstance(row, dict) else row) for row in rows]
    if not found or not all(0 < seconds < math.inf for seconds in found):
        raise SystemExit(f"{path}: seconds above 0 are needed, at least one")
    return found


def simulate(cells: int, workers: int, durations: list[float], hours_to_death: float, seed: int) -> dict[str, Any]:
    """Cells on workers that live for exponential times; the makespan beside the least one, and its cost here.

    Each cell takes one of `durations` (seconds), drawn with replacement.
    """
    chance = random.Random(seed)
    folder = Path(tempfile.gettempdir())
    trials = [Trial(f"c{i}", chance.choice(durations), folder) for i in range(cells)]
    link = Simulated(trials, {f"w{i}": Facts(1, {}) for i in range(workers)})
    deaths = 0
    number = workers

    def on_tick(link: Simulated) -> None:
        nonlocal deaths, number
        if hours_to_death and chance.random() < workers * dispatch.TICK_SECONDS / (3600 * hours_to_death):
            del link.there[chance.choice(list(link.there))]
            link.there[f"w{number}"] = Facts(1, {})
            deaths, number = deaths + 1, number + 1

    link.on_tick = on_tick
    begun = time.process_time()
    progress.print_line, say = lambda line: None, progress.print_line
    try:
        run(link)
    finally:
        progress.print_line = say
    cpu = time.process_time() - begun
    total = sum(trial.seconds for trial in trials)
    least = max(total / workers, max(trial.seconds for trial in trials))
    return {
        "cells": cells, "workers": workers, "deaths": deaths, "failed": sum(t.state == "failed" for t in trials),
        "ended_more_than_once": sum(t.ended > 1 for t in trials), "makespan_h": round(link.time / 3600, 3),
        "least_h": round(least / 3600, 3), "over_least": round(link.time / least - 1, 4), "questions": link.asked,
        "questions_per_s": round(link.asked / link.time, 2), "client_cpu_s": round(cpu, 1),
        "client_cpu_share": round(cpu / link.time, 5),
    }  # fmt: skip


# -- a cluster that is one ---------------------------------------------------------------------------------------

TINY = """
title = 'study'
recipe = 'cifar-dcgan'
kimg = {kimg}
n = 50
seeds = {seeds}
features = ['pixel_features:look']
vary = {{ 'g_optim.lr' = [{rates}] }}
[settings]
'data.name' = 'shapes'
'data.size' = 16
'data.limit' = 96
'step.batch' = 16
'generator.latent_dim' = 8
'generator.base' = 16
'generator.widths' = [16, 8]
'discriminator.widths' = [8, 16]
'discriminator.norms' = [false, true]
'log.every' = 5
'log.samples' = 6
'log.checkpoint_kimg' = {checkpoint}
'engine.device' = 'cpu'
'engine.dtype' = 'float32'
'engine.layout' = 'channels_last'
'engine.conv' = 'direct'
"""
ROOT = Path(__file__).parent.parent


def rate(number: int) -> float:
    """What tells a cell from the others: G's learning rate."""
    return round(1e-4 * (1 + number / 1000), 7)


def plan_file(folder: Path, cells: int, seeds: int, kimg: float, only: Sequence[int] = ()) -> Path:
    """A plan of tiny cells, or of those of these numbers."""
    rates = ", ".join(f"{rate(i):.7f}" for i in only or range(cells))
    path = folder / "study.toml"
    path.write_text(TINY.format(kimg=kimg, seeds=seeds, rates=rates, checkpoint=max(kimg / 10, 0.064)), "utf-8")
    return path


def environment() -> dict[str, str]:
    """Of a process that finds ganvas and the tests' features."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path}


@contextmanager
def scheduler(folder: Path, *options: str, port: int = 0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A Dask scheduler in a process of its own, and its address."""
    file = folder / "scheduler.json"
    file.unlink(missing_ok=True)
    words = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard", "--scheduler-file", str(file)]
    with process(folder, "scheduler", *words, *options) as started:
        while not file.is_file() or not file.read_text().strip():
            if started.poll() is not None:
                raise RuntimeError((folder / "scheduler.log").read_text())
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"], started


@contextmanager
def worker(folder: Path, name: str, address: str, *options: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Dask worker of one thread in a process of its own. `more`: variables of its environment."""
    words = [
        "worker",
        address,
        "--name",
        name,
        "--nthreads",
        "1",
        "--no-dashboard",
        "--memory-limit",
        "0",
        "--no-nanny",
    ]
    words += ["--local-directory", str(folder / name), *options]
    with process(folder, name, *words, **more) as started:
        yield started


@contextmanager
def process(folder: Path, name: str, *words: str, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """`dask` with these words, ended with the block; what it prints goes to a log in the folder."""
    with open(folder / f"{name}.log", "ab") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "dask", *words], env={**environment(), **more}, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


def experiment(plan: Path, out: Path, *words: str, said: Any = subprocess.PIPE) -> subprocess.Popen[str]:
    """`ganvas experiment` in a process of its own. `said`: where what it prints goes."""
    return subprocess.Popen(
        [sys.executable, "-m", "ganvas", "experiment", str(plan), "--out", str(out), *words], env=environment(),
        stdout=said, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def kill(folder: Path, cells: int, workers: int, every: float, kimg: float, again: int) -> dict[str, Any]:
    """Tiny cells on workers one of which is killed every few seconds, and another started in its place.

    `again` cells, those first that went on elsewhere, are then trained by the one-machine runner and compared.
    """
    from contextlib import ExitStack

    from ganvas.runs.run import Run

    chance, kills, begun = random.Random(0), 0, time.monotonic()
    out, plan = folder / "out", plan_file(folder, cells, 1, kimg)
    with ExitStack() as stack, scheduler(folder) as (address, _):
        started = [stack.enter_context(worker(folder, f"w{i}", address)) for i in range(workers)]
        # into a file: a pipe that nobody reads is full after some thousand lines, and the client waits for ever
        with open(folder / "said.txt", "wb") as file:
            client = experiment(plan, out, "--on", address, "--fetch-seconds", "2", said=file)
        last = time.monotonic()
        while client.poll() is None:
            time.sleep(0.5)
            if time.monotonic() - last > every:
                last = time.monotonic()
                at = chance.randrange(workers)
                os.killpg(started[at].pid, signal.SIGKILL)
                kills += 1
                started[at] = stack.enter_context(worker(folder, f"w{workers + kills}", address))
        wall = round(time.monotonic() - begun)
    said = (folder / "said.txt").read_text("utf-8")
    paths = sorted(out.glob("*-s0"))
    ends = [sum(row["event"] == "finish" for row in Run(path).rows("events")) for path in paths]
    resumed = [path for path in paths if any(row["event"] == "resume" for row in Run(path).rows("events"))]
    chosen = [*resumed, *(path for path in paths if path not in resumed)][:again]
    return {
        "cells": cells, "workers": workers, "kills": kills, "exit_code": client.returncode,
        "finished_once": sum(n == 1 for n in ends), "finished_otherwise": sum(n != 1 for n in ends),
        "resumed": len(resumed), "went_on_elsewhere": said.count("it goes on"), "wall_s": wall,
        "trained_again_here": len(chosen), "different": different(folder, chosen, cells, kimg) if chosen else [],
    }  # fmt: skip


def different(folder: Path, paths: list[Path], cells: int, kimg: float) -> list[str]:
    """Which of these runs the one-machine runner does not repeat bit for bit: weights, optimisers, log, scores."""
    from ganvas.runs.run import Run

    numbers = [i for i in range(cells) if any(f"{rate(i):g}" in path.name for path in paths)]
    plan, here = plan_file(folder, cells, 1, kimg, numbers), folder / "here"
    experiment(plan, here, "--jobs", "2").communicate()

    def parts(path: Path) -> list[Any]:
        run = Run(path)
        files = [run.snapshots()[-1][1], *sorted(run.checkpoints()[-1][1].glob("*.safetensors"))]
        scores = [(row["metric"], row["value"], row["nimg"]) for row in run.rows("evals")]
        losses = [(row["nimg"], row["loss/d"], row["loss/g"]) for row in run.rows("metrics")]
        return [*((file.name, file.read_bytes()) for file in files), scores, losses]

    return [path.name for path in paths if not (here / path.name).is_dir() or parts(path) != parts(here / path.name)]


def overhead(folder: Path, kimg: float) -> dict[str, Any]:
    """Wall seconds of two cells, one after the other, on this machine, and on a worker that is there."""
    plan = plan_file(folder, 2, 1, kimg)
    seconds = {}
    with scheduler(folder) as (address, _), worker(folder, "w0", address):
        time.sleep(10)
        for name, words in {"here": ["--jobs", "1"], "there": ["--on", address]}.items():
            begun = time.monotonic()
            done = experiment(plan, folder / name, *words)
            done.communicate()
            assert done.returncode == 0, name
            seconds[name] = round(time.monotonic() - begun, 1)
    return {"kimg": kimg, **seconds, "over": round(seconds["there"] / seconds["here"] - 1, 3)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=("simulate", "kill", "overhead"))
    parser.add_argument("--cells", type=int, default=200)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--every", type=float, default=20.0, help="kill: seconds between two kills")
    parser.add_argument("--again", type=int, default=0, help="kill: cells trained again on this machine, to compare")
    parser.add_argument("--kimg", type=float, default=1.0, help="kill, overhead: thousand images of a cell")
    parser.add_argument("--durations", type=Path, help="simulate: JSON list of runs or of seconds (default: 300)")
    parser.add_argument(
        "--hours-to-death", type=float, default=0.0, help="simulate: mean life of a worker; 0 = for ever"
    )
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.study == "simulate":
        durations = read_durations(args.durations) if args.durations else [300.0]
        found = simulate(args.cells, args.workers, durations, args.hours_to_death, args.seed)
    else:
        with tempfile.TemporaryDirectory() as folder:
            if args.study == "kill":
                found = kill(Path(folder), args.cells, args.workers, args.every, args.kimg, args.again)
            else:
                found = overhead(Path(folder), args.kimg)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
