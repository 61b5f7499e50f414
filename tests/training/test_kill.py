"""kill -9 at random moments, ten times over, on one run: always readable, always resumable, and the same in the end."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest
from PIL import Image
from test_loop import assert_same, contents

from conftest import flags, python, start
from ganvas import api, generator
from ganvas.runs import listing
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors

BUSY = {
    "log.checkpoint_kimg": 0.016, "log.snapshot_kimg": 0.032, "log.every": 3,
    "step.ema_kimg": 0.1, "g_optim.decay": "cosine", "data.flip": True,
}  # fmt: skip
"""A checkpoint after each update, a snapshot after every other."""

TRAINER = """
import os, sys
import torch
from ganvas import api, datasets
from ganvas.training import backend, schedules, trainer
from ganvas.runs.run import Run

torch.set_num_threads(1)
schedules.sample_points = lambda: iter(range(0, 10**6, 48))
run = Run(sys.argv[1])
images = datasets.load(run.config.data, progress=False)
trainer.probe_step(run.config, images, backend.Engine(run.config.engine))()
for _ in sys.stdin:
    child = os.fork()  # the import and the first step, which take longest, are paid once
    if not child:
        api.run_training(run, images)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


def assert_readable(run: Run) -> int:
    """Everything that reads runs gets along with this one; returns the images of its newest whole checkpoint."""
    checkpoint, problems = run.latest_checkpoint()
    assert problems == []
    nimg = [row["nimg"] for row in run.rows("metrics")]
    assert nimg == sorted(set(nimg)) and all("event" in event for event in run.rows("events"))
    for _, path in run.sample_grids():
        with Image.open(path) as picture:
            picture.load()
    for _, path in run.snapshots():
        load_tensors(path)
    (row,) = listing.rows(run.path.parent)
    assert row["state"] in ("broken off", "finished") and not run.is_locked()
    if checkpoint is None:
        assert nimg == [] and run.checkpoints() == []
        return 0
    assert generator.load(run.path).sample(2).shape == (2, 3, 16, 16)
    return checkpoint.nimg


@pytest.mark.parametrize("kills", [4, pytest.param(10, marks=pytest.mark.slow)])
def test_kills_change_nothing(tmp: Path, monkeypatch: pytest.MonkeyPatch, kills: int) -> None:
    monkeypatch.setattr("ganvas.training.schedules.sample_points", lambda: iter(range(0, 10**6, 48)))
    changes = {**BUSY, "budget.kimg": 0.08 * kills}
    whole, images = start(tmp / "a" / "whole", changes)
    assert api.run_training(whole, images)

    run, _ = start(tmp / "b" / "killed", changes)
    trainer = python("-c", TRAINER, str(run.path), stdin=subprocess.PIPE, stderr=None)
    moments, reached, killed = random.Random(0), [0], 0
    try:
        for _ in range(kills):
            child, target = order(trainer), reached[-1] + moments.randrange(0, 129, 16)
            until = time.monotonic() + 240
            while newest(run) < min(target, 80 * kills - 32) and time.monotonic() < until:
                time.sleep(0.001)
            time.sleep(moments.uniform(0.0, 0.02))  # somewhere in the update that follows
            kill(child)
            killed += line(trainer.stdout) == -signal.SIGKILL
            reached.append(assert_readable(run))
        order(trainer)
        assert line(trainer.stdout) == 0
    finally:
        trainer.kill()
        trainer.communicate()
    assert killed > kills / 3 and reached == sorted(reached), (killed, reached)
    assert assert_readable(run) == 80 * kills
    assert_same(contents(run), contents(whole))


def newest(run: Run) -> int:
    """Images of the newest checkpoint, whole or not."""
    return max((nimg for nimg, _ in run.checkpoints()), default=0)


def line(stream: IO[str] | None) -> int:
    assert stream is not None
    return int(stream.readline())


def order(trainer: subprocess.Popen[str]) -> int:
    """Let the trainer fork a training; its process number."""
    assert trainer.stdin is not None
    trainer.stdin.write("go\n")
    trainer.stdin.flush()
    return line(trainer.stdout)


def kill(child: int) -> None:
    """kill -9, unless it has finished by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


@pytest.mark.slow
def test_ten_kills_of_the_command_line_change_nothing(tmp: Path) -> None:
    """The same through `ganvas train` and `ganvas resume`, with a report after it all."""
    words = flags({**BUSY, "budget.kimg": 9.6, "log.checkpoint_kimg": 0.064})
    for kills, name in ((0, "whole"), (10, "killed")):
        path, moments = tmp / name / "run", random.Random(1)
        command = ["train", "cifar-dcgan", "--out", str(path), *words]
        for left in reversed(range(kills + 1)):
            process = subprocess_of(command)
            if left:
                until = time.monotonic() + 60
                while not (path / "config.json").exists() and time.monotonic() < until:
                    time.sleep(0.02)
                time.sleep(moments.uniform(1.0, 6.0))
                process.kill()
            process.communicate(timeout=300)
            assert_readable(Run.open(path))
            command = ["resume", str(path)]
    assert_same(contents(Run(tmp / "killed" / "run")), contents(Run(tmp / "whole" / "run")))


def subprocess_of(command: list[str]) -> subprocess.Popen[str]:
    return python("-m", "ganvas", *command, stderr=sys.stderr)
