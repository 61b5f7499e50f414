"""Trackers: every recorded step arrives once, also over kills and resumes, and none of them can stop a training."""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ganvas
from conftest import TINY, flags, start
from ganvas import api, trackers
from ganvas.cli import main as cli
from ganvas.config import BudgetConfig
from ganvas.errors import UsageError
from ganvas.runs.run import Run
from ganvas.trackers import recorded
from ganvas.trackers import wandb as wandb_tracker
from ganvas.trackers.hook import TrackerHook
from ganvas.training.loop import Event


class Fake:
    """A tracker that remembers what it was given, by the name of the log."""

    logs: dict[str, list[tuple[int, dict[str, float], bool]]] = {}  # noqa: RUF012
    fails_at = 10**9

    def __init__(self, run: Run, name: str) -> None:
        self.log_of_run, self.closed = Fake.logs.setdefault(name, []), False

    def log(self, nimg: int, values: Mapping[str, float], picture: Image.Image | None) -> None:
        if nimg >= Fake.fails_at:
            raise ConnectionError("the server is\ngone")
        self.log_of_run.append((nimg, dict(values), picture is not None))

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    monkeypatch.setitem(sys.modules, "ganvas.trackers.fake", SimpleNamespace(Tracker=Fake))  # type: ignore[arg-type]
    monkeypatch.setitem(trackers.PACKAGES, "fake", None)
    monkeypatch.setattr(Fake, "logs", {})
    monkeypatch.setattr(Fake, "fails_at", 10**9)
    return Fake


def expected(run: Run) -> tuple[dict[int, dict[str, float]], list[int]]:
    """The numbers of every row by step, but for the speed, and the steps with a grid."""
    aside = (*recorded.ASIDE, "img_s")
    rows = {row["nimg"]: {k: v for k, v in row.items() if k not in aside} for row in run.rows("metrics")}
    return rows, [nimg for nimg, _ in run.sample_grids()]


def arrived(log: list[tuple[int, dict[str, float], bool]]) -> tuple[dict[int, dict[str, float]], list[int]]:
    rows = [(nimg, {k: v for k, v in values.items() if k != "img_s"}) for nimg, values, _ in log if "loss/d" in values]
    assert len(rows) == len(dict(rows))
    return dict(rows), sorted(nimg for nimg, _, picture in log if picture)


def train(run: Run, images: Any, log_to: str, hooks: Any = (), extra: BudgetConfig | None = None) -> None:
    with trackers.logging(run, log_to, hooks) as listening:
        api.run_training(run, images, listening, extra)


class Killed(BaseException):
    """As sudden as a kill, seen from the hooks behind."""


def test_everything_arrives_once_over_a_kill_a_stop_and_an_extension(fake: type[Fake], tmp: Path) -> None:
    run, images = start(tmp / "run")

    def kill(event: Event) -> None:
        if event.kind == "row" and event.nimg >= 150:  # the last checkpoint is at 128
            raise Killed

    # the hook of the tracker before the one that kills, and no close: the process is gone
    hooks = [TrackerHook(run, "fake", ())]
    with pytest.raises(Killed):
        api.run_training(run, images, [*hooks, kill])
    assert max(nimg for nimg, _, _ in next(iter(fake.logs.values()))) == 160
    assert json.loads((run.path / "log_to.json").read_text())["fake"]["nimg"] is None
    train(run, images, "fake")  # steps 128 to 160 again
    assert json.loads((run.path / "log_to.json").read_text())["fake"]["nimg"] == 192
    train(run, images, "fake", extra=BudgetConfig(kimg=0.1, epochs=None))
    assert [*fake.logs] == [json.loads((run.path / "log_to.json").read_text())["fake"]["name"]]
    (log,) = fake.logs.values()
    assert arrived(log) == expected(run) and len(expected(run)[0]) >= 4
    monitored = [nimg for nimg, values, _ in log if "monitor/spread" in values]
    assert sorted(monitored) == [row["nimg"] for row in run.rows("monitor")] and len(set(monitored)) == len(monitored)


def test_a_tracker_that_comes_later_gets_what_was_before(fake: type[Fake], tmp: Path) -> None:
    run, images = start(tmp / "run")
    api.run_training(run, images)
    train(run, images, "fake", extra=BudgetConfig(kimg=0.1, epochs=None))
    (log,) = fake.logs.values()
    assert arrived(log) == expected(run)


def test_scores_arrive(fake: type[Fake], tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, images = start(tmp / "run")
    row = {"metric": "fd_x", "value": 12.5, "reference": "shapes", "split": "test", "n": 9, "nimg": 192}
    monkeypatch.setattr(api, "run_training", lambda run, images, hooks: [h(Event("start", 0, 1, 0.0)) for h in hooks])
    with trackers.logging(run, ["fake"], ()) as hooks:
        api.run_training(run, images, hooks)
        run.append("evals", row)
        run.append("evals", {**row, "selected": True, "value": 1.0})
        run.append("evals", {**row, "split": "train", "value": 2.0})
    assert [*fake.logs.values()] == [[(192, {"eval/fd_x": 12.5}, False)]]


def test_a_tracker_that_fails_costs_one_warning(fake: type[Fake], tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.fails_at = 100
    run, images = start(tmp / "run")
    seen: list[str] = []

    def listen(event: Event) -> None:
        if event.kind == "warning":
            seen.append(event.details["what"])

    train(run, images, "fake", [listen])
    assert seen == ["fake stopped, the training goes on: ConnectionError: the server is"]
    assert run.rows("metrics")[-1]["nimg"] == 192
    assert [row["what"] for row in run.rows("events") if row["event"] == "warning"] == seen
    monkeypatch.setattr(Fake, "__init__", lambda *_: 1 / 0)
    run, images = start(tmp / "other")
    train(run, images, "fake", [listen])
    assert len(seen) == 2 and "ZeroDivisionError" in seen[1]


def test_results_are_the_same(finished: Run, tmp: Path, fake: type[Fake]) -> None:
    run, images = start(tmp / "run", {"log.snapshot_kimg": 0.096, "step.ema_kimg": 0.1})
    train(run, images, "fake")
    np.testing.assert_array_equal(ganvas.load(run.path).sample(4), ganvas.load(finished.path).sample(4))


# -- asking ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--log-to", "tensorbord"), "choose tensorboard, trackio, wandb; did you mean tensorboard?"),
        (("--log-to", "absent"), "--log-to absent needs the package no_such_package: pip install 'ganvas[absent]'"),
        (("--log-to", "tensorboard,absent"), "needs the package no_such_package"),
    ],
)
def test_what_cannot_be_had_is_said_before_training(
    in_tmp: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], said: str
) -> None:
    if "absent" in words[-1]:
        monkeypatch.setitem(trackers.PACKAGES, "absent", "no_such_package")
    assert cli.main(["train", "cifar-dcgan", *flags(), *words]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line and not [*in_tmp.iterdir()]


def test_python_asks_as_well(in_tmp: Path, finished: Run) -> None:
    with pytest.raises(UsageError, match="log_to = 'x': choose tensorboard"):
        ganvas.train("quick", data="shapes", kimg=0.1, log_to="x")
    with pytest.raises(UsageError, match="log_to = 7: choose tensorboard"):
        ganvas.GAN("quick").fit("shapes", kimg=0.1, log_to=[7])
    with pytest.raises(UsageError, match="log_to = 'x'"):
        ganvas.resume(finished.path, log_to=["x"])
    assert not [*in_tmp.iterdir()]


def test_from_the_command_line_to_event_files(in_tmp: Path) -> None:
    words = flags({"budget.kimg": 0.128})
    assert cli.main(["train", "cifar-dcgan", *words, "--out", "r", "--log-to", "tensorboard"]) == 0
    assert cli.main(["resume", "r", "--kimg", "0.064", "--log-to", "tensorboard"]) == 0
    run = Run.open("r")
    events = [event for path in sorted((run.path / "tensorboard").iterdir()) for event in read(path)]
    rows, grids = expected(run)
    found = {step: values for step, values, _ in events if "loss/d" in values}
    assert found.keys() == rows.keys()
    assert len([1 for _, values, _ in events if "loss/d" in values]) == len(rows)
    for step, values in rows.items():
        assert found[step].pop("img_s") > 0
        assert found[step] == {name: np.float32(value) for name, value in values.items()}
    pictures = {step: picture for step, _, picture in events if picture is not None}
    assert sorted(pictures) == grids
    for nimg, path in run.sample_grids():
        with Image.open(path) as grid:
            np.testing.assert_array_equal(np.asarray(pictures[nimg]), np.asarray(grid))


def read(path: Path) -> Iterator[tuple[int, dict[str, float], Image.Image | None]]:
    """(step, numbers by tag, picture) of the records of an event file, by the format alone."""
    import io

    content, at = path.read_bytes(), 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        event = fields(content[at + 12 : at + 12 + length])
        at += 16 + length
        values: dict[str, float] = {}
        picture = None
        for summary in event.get(5, []):
            for value in fields(summary).get(1, []):
                found = fields(value)
                tag = found[1][0].decode()
                if 2 in found:
                    values[tag] = found[2][0]
                else:
                    picture = Image.open(io.BytesIO(fields(found[4][0])[4][0]))
        if 5 in event:
            yield event.get(2, [0])[0], values, picture
        else:
            assert event[3] == [b"brain.Event:2"]


def fields(content: bytes) -> dict[int, list[Any]]:
    """The fields of a protocol buffer, by number."""
    found: dict[int, list[Any]] = {}
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = content[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(content):
        key = varint()
        match key & 7:
            case 0:
                value: Any = varint()
            case 1:
                value, at = struct.unpack_from("<d", content, at)[0], at + 8
            case 2:
                length = varint()
                value, at = content[at : at + length], at + length
            case _:
                value, at = struct.unpack_from("<f", content, at)[0], at + 4
        found.setdefault(key >> 3, []).append(value)
    return found


def test_the_checksum_is_that_of_the_standard() -> None:
    from ganvas.trackers import events

    crc = 0xE3069283  # CRC-32C of "123456789" (RFC 3720)
    assert events._checksum(b"123456789") == struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


# -- wandb, by a module that records calls (the real one: tools/try_trackers.py) ---------------------------------


def test_wandb_is_offline_unless_the_environment_says_otherwise(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, dict[str, Any]]] = []
    log = SimpleNamespace(
        define_metric=lambda *names, **how: calls.append(("axis", {"names": names, **how})),
        log=lambda values: calls.append(("log", values)),
        finish=lambda: calls.append(("finish", {})),
    )
    fake = ModuleType("wandb")
    fake.init = lambda **how: calls.append(("init", how)) or log  # type: ignore[attr-defined]
    fake.Settings = lambda **how: how  # type: ignore[attr-defined]
    fake.Image = lambda picture: ("image", picture.size)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", fake)
    for mode, said in ((None, "offline"), ("online", "online")):
        monkeypatch.delenv("WANDB_MODE", raising=False)
        if mode:
            monkeypatch.setenv("WANDB_MODE", mode)
        tracker = wandb_tracker.Tracker(finished, "name-1")
        how = calls[-3][1]
        assert how["mode"] == said and how["id"] == how["name"] == "name-1" and how["resume"] == "allow"
        assert how["config"]["step"]["batch"] == TINY["step.batch"]
    tracker.log(16, {"loss/d": 0.5}, None)
    tracker.log(16, {}, Image.new("RGB", (4, 2)))
    tracker.close()
    last = [("log", {"nimg": 16, "loss/d": 0.5}), ("log", {"nimg": 16, "samples": ("image", (4, 2))}), ("finish", {})]
    assert calls[-3:] == last
