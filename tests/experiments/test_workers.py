"""However an experiment ends, no training outlives it, and what each has done is saved."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import TINY
from ganvas.errors import GanvasError, UsageError
from ganvas.experiments import runner, workers
from ganvas.experiments.plan import Plan, make_plan
from ganvas.experiments.trials import list_trials
from ganvas.runs.run import Run

SETTINGS = {key: list(v) if isinstance(v, tuple) else v for key, v in TINY.items() if not key.startswith("budget")}


def long(kimg: float = 100_000) -> Plan:
    cells = [{"name": "plain"}, {"name": "faster", "settings": {"g_optim.lr": 5e-4}}]
    values = {"title": "long", "recipe": "cifar-dcgan", "settings": SETTINGS, "kimg": kimg, "n": 100, "seeds": 1}
    return make_plan("long", {**values, "cells": cells})


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of the processes that workers start."""
    ids: list[int] = []
    start = workers._start_process

    def counted(*words: object) -> object:
        process = start(*words)  # type: ignore[arg-type]
        ids.append(process.pid)
        return process

    monkeypatch.setattr(workers, "_start_process", counted)
    return ids


def alive(pid: int) -> bool:
    """Whether a process exists, a dead one that nobody waited for included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def raise_once(ready: Callable[[], bool], error: BaseException) -> workers.OnUpdate:
    deadline = time.monotonic() + 120

    def on_update(active: set[str]) -> None:
        assert time.monotonic() < deadline
        if ready():
            raise error

    return on_update


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("broken"),
        pytest.param(KeyboardInterrupt(), marks=pytest.mark.slow),
        pytest.param(BrokenPipeError(), marks=pytest.mark.slow),
    ],
)
def test_a_loop_that_raises_stops_saves_and_reaps_its_trainings(
    error: BaseException, started: list[int], tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.05)
    trials = list_trials(long(), tmp, threads=1)
    ready = lambda: all((trial.path / "metrics.jsonl").is_file() for trial in trials)  # noqa: E731
    with pytest.raises(type(error)):
        workers.run_trials(trials, 2, 1, raise_once(ready, error))
    assert len(started) == 2 and not any(map(alive, started))
    for trial in trials:
        run = Run.open(trial.path)
        checkpoint, problems = run.latest_checkpoint()
        assert run.rows("events")[-1]["event"] == "stop" and not problems and not run.is_locked()
        assert checkpoint is not None and checkpoint.nimg == run.rows("events")[-1]["nimg"]


def test_a_training_that_does_not_save_in_time_is_killed(
    started: list[int], tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(workers, "SAVE_SECONDS", 0.3)
    deaf = "import signal, time, pathlib; signal.signal(15, signal.SIG_IGN); pathlib.Path({!r}).touch(); time.sleep(99)"

    def popen(argv: list[str], **options: object) -> object:
        return real([argv[0], "-c", deaf.format(str(tmp / "deaf"))], **options)  # type: ignore[call-overload]

    real = workers.subprocess.Popen
    monkeypatch.setattr(workers.subprocess, "Popen", popen)
    with pytest.raises(RuntimeError):
        workers.run_trials(list_trials(long(), tmp, 1)[:1], 1, 1, raise_once((tmp / "deaf").exists, RuntimeError("x")))
    assert len(started) == 1 and not alive(started[0])


@pytest.mark.parametrize(("jobs", "threads"), [(4, 1), (2, 2), (1, 3)])
def test_each_training_has_cores_of_its_own(
    jobs: int, threads: int, tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the cores that this process may use, whatever their numbers."""
    allowed, pinned, lasting = {2, 3, 5, 7, 11}, {}, {}

    class Process:
        """Ends at the second look."""

        def __init__(self, argv: list[str], **options: Any) -> None:
            self.pid, self.args, self.returncode, self.looks = len(lasting), argv, 1, 0
            lasting[self.pid] = options["env"]["OMP_NUM_THREADS"]

        def poll(self) -> int | None:
            self.looks += 1
            return None if self.looks < 2 else 1

    monkeypatch.setattr(workers, "POLL_SECONDS", 0.0)
    monkeypatch.setattr(workers.subprocess, "Popen", Process)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: allowed, raising=False)
    monkeypatch.setattr(os, "sched_setaffinity", lambda pid, cores: pinned.update({pid: cores}), raising=False)
    trials = list_trials(long(), tmp, threads) * 2
    for trial in trials:
        monkeypatch.setattr(type(trial), "state", "training")
        monkeypatch.setattr(type(trial), "mark_failed", lambda self, why: None)
    workers.run_trials(trials, jobs, threads, lambda active: None)
    together = [pinned[pid] for pid in range(jobs)]
    assert all(len(cores) == threads and cores <= allowed for cores in together)
    assert len(frozenset().union(*together)) == jobs * threads
    assert set(lasting.values()) == {str(threads)} and len(lasting) == 4


# -- experiment.json ---------------------------------------------------------------------------------------------


def test_the_plan_is_written_whole_or_not_at_all(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner._save_plan(long(), tmp / "e")
    before = (tmp / "e" / "experiment.json").read_bytes()

    def cut(path: Path, content: bytes, flush: bool = True) -> None:
        path.write_bytes(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ganvas.files.write_file", cut)
    with pytest.raises(GanvasError, match="free some space"):
        runner._save_plan(long(), tmp / "e")
    assert (tmp / "e" / "experiment.json").read_bytes() == before
    assert [path.name for path in (tmp / "e").iterdir()] == ["experiment.json"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b'{"cells": 3}',
        b'{"cells": [3]}', b'{"cells": [{"name": "plain", "config": []}]}', b'{"cells": [], "seeds": "many"}',
        b'{"cells": [], "seeds": 1e999}', b'{"cells": [{"name": "plain", "config": {"seed": -1}}]}',
    ],
)  # fmt: skip
def test_a_damaged_plan_is_one_line(content: bytes, tmp: Path) -> None:
    (tmp / "experiment.json").write_bytes(content)
    with pytest.raises(GanvasError, match=r"experiment\.json") as caught:
        runner._save_plan(long(), tmp)
    assert "\n" not in str(caught.value) and not isinstance(caught.value, UsageError)
    assert (tmp / "experiment.json").read_bytes() == content
