"""Kill trainings at random moments, resume them, and compare every checkpoint with that of an unbroken training.

python tools/kill_study.py OUT [--kills 304] [--seed 0] [--only "float32 direct"]

For each form of the arithmetic, 1 and 2 threads, cores left alone and crowded by busy processes: one training runs
unbroken and notes the SHA-256 of each file of each checkpoint, one after every other update. Then trainings of the same
config are killed (SIGKILL) and resumed until they end. After each kill the newest whole checkpoint must be the one
that the unbroken training had at that image, byte for byte. The unbroken training has a process of its own, and the
heap is shuffled before each start. One line of JSON for each training is added to OUT/kills.jsonl.
"""
# ruff: noqa: E402  (the process is prepared before torch is imported, as in a training)

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ganvas import process

process.prepare()

import numpy as np
import torch

from ganvas import datasets
from ganvas.runs.run import Run
from ganvas.training import backend, schedules
from ganvas.training.loop import Event
from ganvas.training.loop import train as run_training
from ganvas.training.setup import configure, create_run

FORMS = (
    ("float32", "channels_last", "direct"),
    ("float32", "contiguous", "winograd"),
    ("bfloat16", "channels_last", "direct"),
    ("bfloat16", "channels_last", "patches"),
)
UPDATES, EVERY = 24, 64
"""Updates of 32 images, and images between checkpoints."""
SETTINGS: dict[str, Any] = {
    "data.name": "shapes", "data.limit": 500, "data.flip": True, "step.batch": 32, "step.ema_kimg": 0.2,
    "generator.base": 64, "generator.widths": (32, 16), "discriminator.widths": (16, 32), "g_optim.decay": "cosine",
    "budget.kimg": 0.032 * UPDATES, "log.checkpoint_kimg": EVERY / 1000, "log.every": 3, "evaluate.final": 0, "seed": 3,
    "engine.device": "cpu",
}  # fmt: skip
"""Large enough for every operation to be shared by two threads, small enough for many."""


def serve() -> None:
    """Fork a training of each run that is named on stdin; print its process number, then how it ended."""
    torch.set_num_threads(1)  # no thread may exist when it forks
    schedules.sample_points = lambda: iter((0, 10**12))  # grids take longer than these updates
    images = datasets.load(configure("cifar-dcgan", (), SETTINGS).data, progress=False)
    for line in sys.stdin:
        if not (child := os.fork()):
            run, shuffled = Run(line.strip()), random.Random(time.time_ns())
            kept = [np.empty(shuffled.randrange(1, 100_000), np.uint8) for _ in range(shuffled.randrange(400))]
            del kept[:: shuffled.randrange(2, 5)]
            run_training(run, images, [watch(run)])
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def watch(run: Run) -> Any:
    """A hook that notes the hashes of each checkpoint beside the run."""
    path = run.path.with_suffix(".hashes")

    def hook(event: Event) -> None:
        if event.kind in ("start", "resume", "checkpoint", "finish"):
            with open(path, "a") as file:
                file.writelines(f"{json.dumps(hashes(run))}\n" for _ in range(bool(run.checkpoints())))

    return hook


def hashes(run: Run) -> tuple[int, dict[str, str]]:
    """Image and SHA-256 of each file of the newest whole checkpoint; (0, {}) if there is none."""
    checkpoint, problems = run.latest_checkpoint()
    assert not problems, problems
    return (checkpoint.nimg, checkpoint.state["sha256"]) if checkpoint else (0, {})


class Server:
    """A process that trains, again and again."""

    def __init__(self) -> None:
        words = [sys.executable, __file__, "--serve"]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def start(self, run: Run) -> int:
        """Begin or resume a training; its process number."""
        assert self.process.stdin
        self.process.stdin.write(f"{run.path}\n")
        self.process.stdin.flush()
        return self.line()

    def line(self) -> int:
        assert self.process.stdout
        return int(self.process.stdout.readline())

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def crowd(processes: int) -> Iterator[None]:
    """Busy processes beside the training."""
    code = "import os; os.nice(3)\nwhile True: pass"
    busy = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(processes)]
    try:
        yield
    finally:
        for each in busy:
            each.kill()
            each.wait()


def make(path: Path, form: tuple[str, str, str], threads: int) -> Run:
    """A run, not yet trained."""
    engine = dict(zip(("engine.dtype", "engine.layout", "engine.conv"), form, strict=True))
    config = configure("cifar-dcgan", (), {**SETTINGS, **engine, "engine.threads": threads})
    return create_run(config, datasets.load(config.data, progress=False), path)


def unbroken(run: Run) -> dict[int, dict[str, str]]:
    """The hashes of every checkpoint of a training that nothing stops."""
    with Server() as server:
        server.start(run)
        assert server.line() == 0
    return dict(json.loads(line) for line in run.path.with_suffix(".hashes").read_text().splitlines())


def killed(server: Server, run: Run, wanted: dict[int, dict[str, str]], most: int, moments: random.Random) -> Any:
    """Kill and resume a training until it ends, `most` times at most; what was seen.

    Each time it first gets one to three checkpoints further, so that what a resume computed is killed in turn.
    """
    kills, differ, reached = [], [], -1
    while True:
        child, target = server.start(run), reached + EVERY * moments.randint(1, 3)
        until = time.monotonic() + 600
        while len(kills) < most and newest(run) < target and time.monotonic() < until:
            time.sleep(0.002)
            if not alive(child):
                break
        if len(kills) < most:
            time.sleep(moments.uniform(0.0, 0.3))
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        code = server.line()
        reached, found = hashes(run)
        if code == -signal.SIGKILL:
            kills.append(reached)
        if found and found != wanted.get(reached):
            same = wanted.get(reached, {})
            differ.append({"nimg": reached, "files": sorted(k for k in found if found[k] != same.get(k))})
        if code != -signal.SIGKILL or differ:
            return {"kills": len(kills), "at": kills, "reached": reached, "finished": code == 0, "differ": differ}


def newest(run: Run) -> int:
    """Images of the newest checkpoint; -1 if there is none."""
    return max((nimg for nimg, _ in run.checkpoints()), default=-1)


def alive(pid: int) -> bool:
    """Whether a process runs that its parent waits for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=304)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only the forms that contain these words")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    moments = random.Random(args.seed)
    forms = [form for form in FORMS if args.only in f"{form[0]} {form[2]}"]
    share, total = -(-args.kills // (4 * len(forms))), 0
    for form, threads in [(form, threads) for form in forms for threads in (1, 2)]:
        name = f"{'-'.join(form)}-{threads}"
        for folder in args.out.glob(f"{name}*"):
            shutil.rmtree(folder) if folder.is_dir() else folder.unlink()
        wanted = unbroken(make(args.out / name, form, threads))
        for crowded in (0, backend.cores()):
            done, attempt = 0, 0
            with crowd(crowded), Server() as server:
                while done < share:
                    attempt += 1
                    run = make(args.out / f"{name}-{'crowded' if crowded else 'alone'}-{attempt}", form, threads)
                    seen = killed(server, run, wanted, share - done, moments)
                    done += seen["kills"]
                    about = {"form": " ".join(form), "threads": threads, "crowded": crowded, "load": os.getloadavg()[0]}
                    with open(args.out / "kills.jsonl", "a") as file:
                        file.write(json.dumps({**about, **seen}) + "\n")
            total += done
            print(f"{name}, {crowded} busy: {done} kills, {attempt} trainings; {total} in all", flush=True)


if __name__ == "__main__":
    serve() if sys.argv[1:2] == ["--serve"] else main()
