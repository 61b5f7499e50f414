"""The loop: exact resumes, exact budgets, schedules, events, signals, and what stops it."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from itertools import accumulate, chain, islice, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from conftest import flags, python, start, tiny, trained
from ganvas import api, models
from ganvas.config import BudgetConfig, EngineConfig, override, recipes
from ganvas.errors import GanvasError
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors
from ganvas.training import budget, samples, schedules
from ganvas.training import loop as training
from ganvas.training.backend import Engine, to_uint8
from ganvas.training.checkpoint import fresh_state
from ganvas.training.loop import Event
from ganvas.training.losses import LOSSES
from ganvas.training.setup import settle_labels
from ganvas.training.train_metrics import columns
from ganvas.training.trainer import Trainer

EVERYTHING = {
    "discriminator.dropout": 0.3, "step.ema_kimg": 0.1, "g_optim.decay": "linear", "d_optim.decay": "cosine",
    "data.flip": True, "d_optim.clip": 0.5, "log.snapshot_kimg": 0.048,
}  # fmt: skip
WIDE = {"generator.widths": (32, 16), "discriminator.widths": (16, 16, 32), "discriminator.norms": (False, True, False)}
FORMS: dict[str, dict[str, Any]] = {
    "float32": {},
    "winograd": {"engine.conv": "winograd", **WIDE},
    "bfloat16": {"engine.dtype": "bfloat16"},
    "patches": {"engine.dtype": "bfloat16", "engine.conv": "patches"},
    "drafts": {
        "generator.family": "resnet", "generator.widths": (16, 8), "generator.eigenimages": 4, "loss.rebuild": 3.0,
        "step.update": "alternating",
    },
    "alternating": {"step.update": "alternating", "engine.layout": "contiguous"},
}  # fmt: skip


@pytest.fixture
def many_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """A grid every 48 images, so that a small run draws several."""
    monkeypatch.setattr(schedules, "sample_points", lambda: iter(range(0, 10**6, 48)))


def contents(run: Run) -> dict[str, Any]:
    """All that two equal runs share: every tensor of the last checkpoint, samples, snapshots, rows without times."""
    checkpoint, problems = run.latest_checkpoint()
    assert checkpoint is not None and problems == []
    found: dict[str, Any] = {"nimg": checkpoint.nimg, "total": run.total_nimg}
    for file in sorted(checkpoint.path.glob("*.safetensors")):
        found |= {f"{file.stem}.{name}": tensor for name, tensor in load_tensors(file)[0].items()}
    found |= {path.name: path.read_bytes() for _, path in [*run.sample_grids(), *run.snapshots()]}
    found["real.png"] = (run.path / "samples" / "real.png").read_bytes()
    found["monitor"] = run.rows("monitor")
    found["rows"] = [
        {k: v for k, v in row.items() if k not in ("sec", "cpu_sec", "img_s")} for row in run.rows("metrics")
    ]
    return found


def assert_same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, value in one.items():
        same = torch.equal(value, other[name]) if isinstance(value, torch.Tensor) else value == other[name]
        assert same, name


class Crash(BaseException):
    """As kill -9: nothing is saved."""


def at(nimg: int, kind: str, act: Callable[[], Any]) -> training.Hook:
    """A hook that acts once, at the first event of `kind` from `nimg` images on."""
    left = [act]

    def hook(event: Event) -> None:
        if event.kind == kind and event.nimg >= nimg and left:
            left.pop()()

    return hook


def crash() -> None:
    raise Crash


def interrupt() -> None:
    signal.raise_signal(signal.SIGTERM)


# -- resume ----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("many_samples")
@pytest.mark.parametrize("form", [*list(FORMS)[:-1], pytest.param("alternating", marks=pytest.mark.slow)])
def test_a_resumed_run_equals_the_unbroken_one_bit_for_bit(tmp: Path, form: str) -> None:
    changes = {**EVERYTHING, **FORMS[form]}
    whole = contents(trained(tmp / "whole", changes))
    assert whole["nimg"] == 192 and len(whole["rows"]) == 3
    assert "000000096.png" in whole and "000000096.safetensors" in whole

    run, images = start(tmp / "broken", changes)
    with pytest.raises(Crash):  # before the first step
        api.run_training(run, images, [at(0, "untrained", crash)])
    assert not api.run_training(
        run, images, [at(64, "checkpoint", interrupt)]
    )  # 4 updates are summed up, no row is due
    with pytest.raises(Crash):  # 32 images past the checkpoint: a row and a sample that must be dropped
        api.run_training(run, images, [at(160, "row", crash)])
    assert [row["nimg"] for row in run.rows("metrics")] == [80, 160]
    assert api.run_training(run, images)
    assert_same(contents(run), whole)
    assert [e["nimg"] for e in run.rows("events") if e["event"] == "resume"] == [64, 128]


def test_another_seed_is_another_run(tmp: Path) -> None:
    one, other = (contents(trained(tmp / str(seed), {"seed": seed})) for seed in (0, 1))
    assert one["rows"] != other["rows"]
    assert one["real.png"] != other["real.png"]
    assert not torch.equal(one["generator.dense.weight"], other["generator.dense.weight"])


@pytest.mark.usefixtures("many_samples")
def test_a_damaged_newest_checkpoint_costs_time_and_nothing_else(tmp: Path) -> None:
    whole = contents(trained(tmp / "whole", EVERYTHING))
    run, images = start(tmp / "run", EVERYTHING)
    assert not api.run_training(run, images, [at(128, "checkpoint", interrupt)])
    (run.path / "checkpoints" / "000000128" / "ema.safetensors").write_bytes(b"half")
    assert api.run_training(run, images)
    (warning,) = [e["what"] for e in run.rows("events") if e["event"] == "warning"]
    assert warning.startswith("checkpoint passed over") and "ema.safetensors is truncated" in warning
    assert_same(contents(run), whole)


@pytest.mark.parametrize("snapshot", [True, False])
def test_a_run_killed_just_before_it_says_that_it_is_finished_is_finished_by_a_resume(
    tmp: Path, snapshot: bool
) -> None:
    """`resume` said that nothing was left, and an experiment began it again for ever."""
    run = trained(tmp / "run")
    whole = contents(run)
    events = [row for row in run.rows("events") if row["event"] != "finish"]
    (run.path / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in events), "utf-8")
    if not snapshot:
        run.snapshots()[-1][1].unlink()
    assert not api.is_finished(run)
    api.resume(run, report=False, progress=False)
    assert_same(contents(run), whole)
    assert [row["event"] for row in run.rows("events")][-2:] == ["resume", "finish"] and api.is_finished(run)


def test_without_any_whole_checkpoint_nothing_is_overwritten(tmp: Path) -> None:
    run = trained(tmp / "run")
    for _, path in run.checkpoints():
        (path / "state.json").write_text("{}")
    before = stamps(run)
    for damage in ("not written by ganvas", "checkpoints/ is empty"):
        with pytest.raises(GanvasError, match=damage):
            api.run_training(run, None, extra=BudgetConfig(kimg=1))
        assert stamps(run) == before
        for _, path in run.checkpoints():
            shutil.rmtree(path)


def stamps(run: Run) -> dict[Path, int]:
    """When each file was written, the checkpoints and the lock aside."""
    files = [path for path in run.path.rglob("*") if path.is_file() and path.name != ".lock"]
    return {path: path.stat().st_mtime_ns for path in files if "checkpoints" not in path.parts}


def test_another_runs_checkpoint_does_not_fit(tmp: Path) -> None:
    run, images = start(tmp / "run")
    assert not api.run_training(run, images, [at(0, "untrained", interrupt)])
    other, _ = start(tmp / "other", {"generator.base": 8})
    (tmp / "other" / "checkpoints").rmdir()
    (run.path / "checkpoints").rename(tmp / "other" / "checkpoints")
    with pytest.raises(GanvasError, match=r"does not fit the networks of this run's config\.json \(.*\): is it"):
        api.run_training(other, images)


def test_a_resume_elsewhere_warns_that_it_is_not_bit_for_bit(tmp: Path) -> None:
    run, images = start(tmp / "run")
    assert not api.run_training(run, images, [at(64, "checkpoint", interrupt)])
    path = run.path / "checkpoints" / "000000064" / "state.json"
    state = json.loads(path.read_bytes())
    state["environment"] |= {"torch": "1.0", "threads": 64}
    path.write_text(json.dumps(state))
    events: list[Event] = []
    assert api.run_training(run, images, [events.append])
    warnings = [event.details["what"] for event in events if event.kind == "warning"]
    assert warnings == [
        f"torch was 1.0, is {torch.__version__}: not bit for bit the same run",
        "threads was 64, is 1: not bit for bit the same run",
    ]


def test_other_images_are_refused(tmp: Path) -> None:
    run, images = start(tmp / "run")
    with pytest.raises(GanvasError, match=r"no longer what .* was trained on"):
        api.run_training(run, dataclasses.replace(images, images=255 - images.images, sha256="0" * 64))


def test_two_trainings_cannot_write_one_run(tmp: Path) -> None:
    run, images = start(tmp / "run")
    with run.writing(), pytest.raises(GanvasError, match="being written by another process"):
        api.run_training(run, images)
    assert run.rows("events") == []


# -- budgets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "total", "end"),
    [
        ({"budget.kimg": None, "budget.epochs": 2}, 192, 192),
        ({"budget.kimg": None, "budget.epochs": 1.01}, 97, 112),
        ({"budget.kimg": 0.1}, 100, 112),
        ({"budget.kimg": 0.0001}, 1, 16),
        ({"budget.kimg": None, "budget.epochs": 1, "step.batch": 40}, 96, 120),
        ({"budget.kimg": 0.2, "step.batch": 128}, 200, 256),
        ({"budget.kimg": None, "data.limit": 2, "step.batch": 50}, 100, 100),
    ],
)  # fmt: skip
def test_a_run_ends_at_the_first_full_batch_at_or_past_its_budget(
    tmp: Path, changes: dict[str, Any], total: int, end: int
) -> None:
    run = trained(tmp / "run", changes)
    assert (run.total_nimg, run.checkpoints()[-1][0]) == (total, end)
    assert run.sample_grids()[-1][0] == run.snapshots()[-1][0] == run.rows("metrics")[-1]["nimg"] == end
    assert [e["nimg"] for e in run.rows("events") if e["event"] == "finish"] == [end]


@pytest.fixture
def even_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that moves 10 ms each time it is read: the same updates fit into a minute on any machine."""
    ticks = iter(range(10**9))
    monkeypatch.setattr(time, "perf_counter", lambda: 0.01 * next(ticks))


@pytest.mark.usefixtures("even_time")
def test_minutes_become_images_once_and_stay(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "SETTLE_SECONDS", 0.05)
    run, images = start(tmp / "run", {"budget.kimg": None, "budget.minutes": 0.02, "log.checkpoint_kimg": 1000.0})
    events: list[Event] = []
    assert not api.run_training(run, images, [at(0, "budget", interrupt), events.append])
    total, kinds = run.total_nimg, [event.kind for event in events if event.kind != "row"]
    assert total is not None and total > 96 and events[0].total is None and events[-1].total == total
    assert kinds == ["start", "untrained", "budget", "checkpoint", "stop"]  # no resume repeats what knew no end
    monkeypatch.setattr(time, "perf_counter", lambda: 0.0)  # whatever the time: the number is kept
    assert api.run_training(run, images)
    assert run.total_nimg == total and total <= run.checkpoints()[-1][0] < total + 16
    (settled,) = [e for e in run.rows("events") if e["event"] == "budget"]
    assert settled["total"] == total and settled["img_s"] > 0


@pytest.mark.parametrize("later", [pytest.param(0.0025, marks=pytest.mark.slow), 0.04])
def test_minutes_stay_minutes_where_the_machine_changes_its_speed(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, later: float
) -> None:
    """A clock that moves 10 ms each time it is read, and another step after the first 60 readings."""
    monkeypatch.setattr(budget, "SETTLE_SECONDS", 0.2)
    ticks = accumulate(chain(repeat(0.01, 60), repeat(later)))
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    run = trained(tmp / "run", {"budget.kimg": None, "budget.minutes": 0.1, "log.checkpoint_kimg": 1000.0})
    last, looks = run.rows("metrics")[-1], [e for e in run.rows("events") if e["event"] == "budget"]
    assert 5.5 < last["sec"] < 6.5  # six seconds were asked for
    assert 1 < len(looks) < 8 and looks[-1]["total"] == run.total_nimg
    assert (looks[-1]["total"] > looks[0]["total"]) == (later < 0.01)


def test_minutes_of_the_cpu_do_not_hear_of_a_busy_machine(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = iter(range(10**6))
    monkeypatch.setattr(time, "process_time", lambda: 0.02 * next(ticks))
    monkeypatch.setattr(time, "perf_counter", lambda: 1e6 * next(ticks))  # the wall clock is of no account
    run = trained(tmp / "run", {"budget.kimg": None, "budget.cpu_minutes": 0.1})
    last = run.rows("metrics")[-1]
    assert last["nimg"] >= 112 and 4 < last["cpu_sec"] < 9  # six seconds were asked for


@pytest.mark.usefixtures("even_time")
def test_a_run_stopped_before_its_speed_is_known_still_has_its_minutes(
    tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, images = start(tmp / "run", {"budget.kimg": None, "budget.minutes": 60})
    assert not api.run_training(run, images, [at(64, "checkpoint", interrupt)])
    assert run.total_nimg is None and run.config.budget.minutes == 60
    monkeypatch.setattr(budget, "SETTLE_SECONDS", 0.02)
    assert not api.run_training(run, images, [at(0, "budget", interrupt)])
    assert (run.total_nimg or 0) > 10_000


def test_no_time_at_all_is_still_an_update(tmp: Path) -> None:
    run = trained(tmp / "run", {"budget.kimg": None, "budget.minutes": 1e-6})
    assert 16 <= run.checkpoints()[-1][0] <= 48 and run.total_nimg == run.checkpoints()[-1][0]


@pytest.mark.parametrize("extra", [BudgetConfig(kimg=0.1), BudgetConfig(epochs=100 / 96)])
def test_an_extension_adds_to_the_budget(tmp: Path, extra: BudgetConfig) -> None:
    run, images = start(tmp / "run")
    assert not api.run_training(run, images, [at(64, "checkpoint", interrupt)])
    assert not api.run_training(run, images, [at(100, "row", interrupt)], extra)
    assert run.total_nimg == 292  # kept when it is stopped again
    assert api.run_training(run, images)
    assert run.checkpoints()[-1][0] == 304
    assert api.run_training(run, images, extra=extra)
    assert run.total_nimg == 392 and run.checkpoints()[-1][0] == 400
    nimg = [row["nimg"] for row in run.rows("metrics")]
    assert nimg == sorted(set(nimg))


@pytest.mark.usefixtures("even_time")
@pytest.mark.parametrize("done", [64, 192])
def test_an_extension_in_minutes_comes_on_top_of_what_is_left(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    monkeypatch.setattr(budget, "SETTLE_SECONDS", 0.05)
    run, images = start(tmp / "run", {"budget.kimg": 100.0 if done == 64 else 0.192})
    finished = api.run_training(run, images, [at(64, "checkpoint", interrupt)] if done == 64 else [])
    assert finished == (done == 192)
    before = run.total_nimg
    assert not api.run_training(run, images, [at(0, "resume", interrupt)], BudgetConfig(minutes=9.0))
    assert run.total_nimg == before  # too early to say: the old budget stands
    assert not api.run_training(run, images, [at(0, "budget", interrupt)], BudgetConfig(minutes=1.0))
    assert before is not None and run.total_nimg is not None and run.total_nimg > before + 500


def test_a_finished_run_stays_as_it_is(tmp: Path) -> None:
    run = trained(tmp / "run")
    before = contents(run)
    assert api.run_training(run)
    assert_same(contents(run), before)


# -- rows, samples, events -------------------------------------------------------------------------------------


def test_hooks_hear_what_happens_in_order(tmp: Path) -> None:
    run, images = start(tmp / "run")
    events: list[Event] = []
    assert api.run_training(run, images, [events.append])
    heard = [(event.kind, event.nimg) for event in events]
    assert heard == [
        ("start", 0), ("untrained", 0), ("checkpoint", 64), ("row", 80), ("checkpoint", 128), ("row", 160),
        ("row", 192), ("sample", 192), ("checkpoint", 192), ("finish", 192),
    ]  # fmt: skip
    assert all(event.total == 192 for event in events)
    assert [e["event"] for e in run.rows("events")] == ["start", "untrained", "finish"]
    untrained = run.rows("events")[1]
    assert untrained["n"] == 6 and abs(untrained["logit"]) < 0.5
    row = run.rows("metrics")[0]
    assert row == json.loads(json.dumps(events[3].details["row"]))
    assert set(row) == {"nimg", "sec", "cpu_sec", *columns(run.config), "lr/d", "lr/g", "img_s"}
    assert all(0 <= row[name] <= 1 for name in row if name.startswith("acc"))
    env = run.rows("env")[0]
    assert env["torch"] == torch.__version__ and env["threads"] == 1 and env["dtype"] == "float32" and env["cpu"]


def test_a_row_is_the_mean_of_its_updates(tmp: Path) -> None:
    every = trained(tmp / "every", {"log.every": 1}).rows("metrics")
    fifth = trained(tmp / "fifth", {"log.every": 5}).rows("metrics")
    assert len(every) == 12
    for name in columns(tiny()):
        assert fifth[0][name] == pytest.approx(np.mean([row[name] for row in every[:5]]), rel=1e-5, abs=1e-6)


def test_learning_rates_fall_with_the_progress(tmp: Path) -> None:
    rows = trained(tmp / "run", {"log.every": 1, "g_optim.decay": "linear", "g_optim.lr": 1e-3}).rows("metrics")
    assert [row["lr/g"] for row in rows] == pytest.approx([1e-3 * (1 - k / 12) for k in range(12)])
    assert {row["lr/d"] for row in rows} == {1e-4}


def test_samples_are_dense_early_and_sparser_later() -> None:
    points = list(islice(schedules.sample_points(), 120))
    steps = np.diff(points)
    assert points[:3] == [0, 2000, 4000] and set(steps[:12]) == {2000}
    assert (np.diff(steps) >= 0).all() and steps[-1] / points[-2] == pytest.approx(0.08, rel=1e-3)
    assert sum(point <= 50 * 50_000 for point in points) < 100  # a course run's grids make one animation
    due = [nimg for nimg in range(256, 30_000, 256) if schedules.sample_is_due(nimg - 256, nimg)]
    assert due[:2] == [2048, 4096] and len(due) == sum(0 < point < 30_000 for point in points)


def test_a_grid_shows_what_the_generator_makes_of_the_fixed_latents(tmp: Path) -> None:
    from PIL import Image

    from ganvas import generator, media

    run = trained(tmp / "run", {"step.ema_kimg": 0.1})
    loaded = generator.load(run.path)
    drawn = training.draw(loaded.network, *samples.fixed_latents(run.config, ()), loaded.engine).numpy()
    with Image.open(run.sample_grids()[-1][1]) as picture:
        np.testing.assert_array_equal(media.tiles(picture, (3, 16, 16)), drawn)
    assert (
        run.sample_grids()[0][0] == 0
        and run.sample_grids()[0][1].read_bytes() != run.sample_grids()[-1][1].read_bytes()
    )


def test_batches_are_a_function_of_seed_and_position() -> None:
    config = tiny({"data.flip": True})
    images = api.load_data(config.data)
    engine = Engine(config.engine)
    step = Trainer(config, images, engine)
    twice = Trainer(dataclasses.replace(config, step=dataclasses.replace(config.step, batch=32)), images, engine)
    other = Trainer(dataclasses.replace(config, seed=1), images, engine)
    step.batch(160, 0.0, 0.0)
    first, second, both = step.batch(80, 0.0, 0.0), step.batch(96, 0.5, 0.0), twice.batch(80, 0.0, 0.0)
    torch.testing.assert_close(torch.cat([first.real, second.real]), both.real, rtol=0, atol=0)
    torch.testing.assert_close(torch.cat([first.z, second.z]), both.z, rtol=0, atol=0)
    strange = other.batch(80, 0.0, 0.0)
    assert not torch.equal(strange.z, first.z) and not torch.equal(strange.real, first.real)
    assert second.progress == 0.5
    np.testing.assert_array_equal(to_uint8(engine.images(torch.from_numpy(images.images))).numpy(), images.images)


def test_dropout_is_a_function_of_seed_and_position() -> None:
    config = tiny({"discriminator.dropout": 0.5})
    images = api.load_data(config.data)
    states = [fresh_state(config, images.images.shape[1:], Engine(config.engine)) for _ in range(2)]
    torch.rand(7)  # torch's own generator plays no part
    for state in states:
        Trainer(config, images, Engine(config.engine))(state, 0.0)
    assert torch.equal(states[0].sums, states[1].sums)
    moved = fresh_state(config, images.images.shape[1:], Engine(config.engine))
    step = Trainer(config, images, Engine(config.engine))
    step.batch = lambda nimg, *rest: Trainer.batch(step, 0, *rest)  # type: ignore[method-assign]
    moved.nimg = 16
    step(moved, 0.0)
    assert not torch.equal(moved.sums, states[0].sums)


# -- every recipe, every size ----------------------------------------------------------------------------------


def finite_steps(config: Any, shape: tuple[int, int, int], steps: int = 2) -> None:
    rng = np.random.default_rng(0)
    count = 4 * config.step.batch
    pixels = rng.integers(0, 256, (count, *shape), dtype=np.uint8)
    names = ("one", "two", "three")
    images = dataclasses.replace(
        api.load_data(tiny({"data.limit": 8}).data), images=pixels, labels=np.arange(count) % 3, class_names=names
    )
    config = settle_labels(config, images)
    classes = models.num_classes(config, names)
    state = fresh_state(config, shape, engine := Engine(config.engine), classes)
    step = Trainer(config, images, engine)
    for _ in range(steps):
        step(state, 0.0)
    assert state.sums.isfinite().all() and state.nimg == steps * config.step.batch * config.step.d_steps
    for network in (state.networks.generator, state.networks.discriminator):
        assert all(value.isfinite().all() for value in network.state_dict().values())
    drawn = training.draw(state.sampling_network, *samples.fixed_latents(config, names), engine)
    assert drawn.shape == (config.log.samples, *shape)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)], ids=["28x28x1", "32x32x3"])
@pytest.mark.parametrize("name", recipes.RECIPES)
def test_every_recipe_takes_finite_steps(name: str, shape: tuple[int, int, int]) -> None:
    engine = {"engine.device": "cpu", "engine.dtype": "float32", "engine.layout": "channels_last", "engine.threads": 1}
    small = {"engine.conv": "winograd", **engine, "step.batch": 2, "log.samples": 2}
    recipe = recipes.get(name).config
    if recipe.generator.family != "dcgan" or recipe.generator.base > 256:
        width = 0.125 if recipe.generator.base > 256 else 0.25
        small |= {"generator.width": width, "discriminator.width": width}
    finite_steps(override(recipe, small), shape)


@pytest.mark.parametrize("conv", ["direct", "winograd", "patches"])
@pytest.mark.parametrize("size", [8, 13, 17, 64])
def test_odd_small_and_large_sizes_take_finite_steps(size: int, conv: str) -> None:
    finite_steps(tiny({"engine.conv": conv, **WIDE, "generator.strides": (1, 2, 2)}), (3, size, size))


def test_networks_that_do_not_fit_leave_no_folder(tmp: Path) -> None:
    with pytest.raises(GanvasError, match=r"strides \(4, 4, 4\) shrink 16 px to 1 px: use fewer strides"):
        start(tmp / "run", {"generator.strides": (4, 4, 4)})
    assert not (tmp / "run").exists()


def test_a_training_computes_with_its_threads(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    trained(tmp / "run", {"engine.threads": 3, "budget.kimg": 0.016})
    assert calls == [3]


# -- what stops it ---------------------------------------------------------------------------------------------


def broken_from(update: int) -> Iterator[bool]:
    yield from (False for _ in range(update))
    while True:
        yield True


@pytest.mark.parametrize(("update", "kept"), [(0, 0), (5, 64), (11, 128)])
def test_nan_stops_with_the_last_good_checkpoint_kept(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, update: int, kept: int
) -> None:
    broken, whole = broken_from(update), LOSSES["bce"]

    def d_loss(real: Any, fake: Any, targets: Any) -> Any:
        loss = whole.d(real, fake, targets)
        return loss * float("nan") if next(broken) else loss

    run, images = start(tmp / "run")
    at_nimg = 16 * (update + 1)
    with monkeypatch.context() as patched:
        patched.setitem(LOSSES, "bce", dataclasses.replace(whole, d=d_loss))
        with pytest.raises(GanvasError) as caught:
            api.run_training(run, images)
    message = str(caught.value)
    assert message.startswith(f"loss/d, grad/d became NaN or infinite within 16 images before image {at_nimg}; ")
    assert f"the last good checkpoint is {run.path}/checkpoints/{kept:09d}; " in message and "\n" not in message
    last = run.rows("metrics")[-1]
    assert last["nimg"] == at_nimg and last["loss/d"] is None and last["grad/d"] is None and 0 < last["loss/g"] < 5
    assert run.rows("events")[-1]["event"] == "nan" and run.rows("events")[-1]["what"] == ["loss/d", "grad/d"]
    checkpoint, problems = run.latest_checkpoint()
    assert checkpoint is not None and checkpoint.nimg == kept and problems == []
    assert api.run_training(run, images)  # without the fault it goes on from there
    assert all(row["loss/d"] is not None for row in run.rows("metrics"))


def test_a_huge_learning_rate_stops_or_stays_finite(tmp: Path) -> None:
    run, images = start(tmp / "run", {"g_optim.lr": 999.0, "d_optim.lr": 999.0, "loss.g_weight": 1e38})
    with pytest.raises(GanvasError, match="became NaN or infinite within 16 images before image"):
        api.run_training(run, images)
    kept = load_tensors(run.checkpoints()[-1][1] / "generator.safetensors")[0]
    assert all(value.isfinite().all() for value in kept.values())


def test_training_works_in_a_thread(tmp: Path) -> None:
    run, images = start(tmp / "run")
    results: list[bool] = []
    thread = threading.Thread(target=lambda: results.append(api.run_training(run, images)))
    thread.start()
    thread.join()
    assert results == [True]


def test_a_signal_saves_and_gives_the_handlers_back(tmp: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run, images = start(tmp / "run")
    assert not api.run_training(run, images, [at(80, "row", interrupt)])
    assert run.checkpoints()[-1][0] == 80
    assert run.rows("events")[-1]["event"] == "stop" and run.rows("events")[-1]["signal"] == "SIGTERM"
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_from_outside_exits_saved_and_resumable(tmp: Path, number: signal.Signals, code: int) -> None:
    path = tmp / "run"
    words = flags({"budget.kimg": 1000.0, "log.checkpoint_kimg": 1000.0})
    process = python("-m", "ganvas", "train", "cifar-dcgan", "--out", str(path), *words)
    try:
        until = time.monotonic() + 120
        while not (path / "metrics.jsonl").exists() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(number)
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == code, err
    assert out.splitlines()[-1] == f"report: {path}/report.html"
    assert err.splitlines()[-1] == f"continue with: ganvas resume {path}" and "Traceback" not in err
    run = Run.open(path)
    stopped = run.checkpoints()[-1][0]
    assert stopped > 0 and not run.is_locked()
    assert not api.run_training(run, None, [at(stopped + 1, "row", interrupt)])
    assert run.checkpoints()[-1][0] > stopped
    assert os.path.getsize(path / "report.html") > 1000


def test_the_device_can_be_changed_on_resume(tmp: Path) -> None:
    run, images = start(tmp / "run")
    assert not api.run_training(run, images, [at(64, "checkpoint", interrupt)])
    assert training.train(run, images, engine_config=EngineConfig("cpu", "float32", "contiguous", "direct", 1))
    assert run.config.engine.layout == "contiguous"
    (warning,) = [e["what"] for e in run.rows("events") if e["event"] == "warning"]
    assert warning.startswith("layout was channels_last, is contiguous")


def test_the_clock_counts_training_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now = {"wall": 100.0, "cpu": 7.0}
    monkeypatch.setattr(budget.time, "perf_counter", lambda: now["wall"])
    monkeypatch.setattr(budget.time, "process_time", lambda: now["cpu"])
    state = SimpleNamespace(sec=5.0, cpu_sec=3.0)
    clock = budget.Clock(state)  # type: ignore[arg-type]

    def pass_by(wall: float, cpu: float) -> None:
        now.update(wall=now["wall"] + wall, cpu=now["cpu"] + cpu)

    pass_by(2, 1)
    with clock.stopped():
        pass_by(50, 40)
    clock.read()
    assert (state.sec, state.cpu_sec) == (7.0, 4.0)
    pass_by(9, 9)
    clock.start()  # what went before counts nothing
    pass_by(1, 0.5)
    clock.read()
    assert (state.sec, state.cpu_sec) == (8.0, 4.5)


def test_cpu_time_goes_on_where_a_run_goes_on(tmp: Path) -> None:
    run, images = start(tmp / "run")
    assert api.run_training(run, images)
    spent = run.rows("metrics")[-1]["cpu_sec"]
    assert api.run_training(run, images, extra=BudgetConfig(kimg=0.032))
    assert run.rows("metrics")[-1]["cpu_sec"] > spent > 0
    assert run.rows("events")[-1]["cpu_sec"] == pytest.approx(run.rows("metrics")[-1]["cpu_sec"], abs=1.0)
    (_, newest), old = run.checkpoints()[-1], "state.json"
    values = {k: v for k, v in json.loads((newest / old).read_text()).items() if k != "cpu_sec"}
    (newest / old).write_text(json.dumps(values))  # as written before CPU time was recorded
    assert api.run_training(run, images, extra=BudgetConfig(kimg=0.032))
    assert run.rows("metrics")[-1]["cpu_sec"] is None and run.rows("events")[-1]["cpu_sec"] is None


# -- time as a budget


@pytest.mark.usefixtures("even_time")
def test_until_its_length_is_known_a_run_in_minutes_follows_the_clock(tmp: Path) -> None:
    """The learning rate of an extension by minutes begins where its share of the time is, not at the end."""
    decaying = {"g_optim.decay": "linear", "d_optim.decay": "linear", "log.every": 1}
    run, images = start(tmp / "run", decaying)
    assert api.run_training(run, images)
    assert run.rows("metrics")[-1]["lr/g"] < 1e-4 / 6
    done = len(run.rows("metrics"))
    assert api.run_training(run, images, extra=BudgetConfig(minutes=0.03))
    rates = [row["lr/g"] for row in run.rows("metrics")[done:]]
    assert rates[0] > 0.2 * 1e-4 and rates[-1] < 0.05 * 1e-4


@pytest.mark.usefixtures("even_time")
def test_a_warm_up_in_minutes_begins_at_zero(tmp: Path) -> None:
    warm = {"budget.kimg": None, "budget.minutes": 0.03, "g_optim.warmup": 0.5, "log.every": 1}
    rates = [row["lr/g"] for row in trained(tmp / "run", warm).rows("metrics")]
    assert rates[0] < 0.3 * 1e-4 and rates[-1] == 1e-4


# -- signals in a program of the user's own

PROGRAM = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
from conftest import TINY
import ganvas
def stop(event):
    if event.kind == "row":
        os.kill(os.getpid(), getattr(signal, sys.argv[3]))
try:
    ganvas.train("cifar-dcgan", out=sys.argv[2], settings={**TINY, "budget.kimg": 16.0}, hooks=[stop], progress=False)
except KeyboardInterrupt:
    print("interrupted")
print("behind")
"""


@pytest.mark.parametrize(
    ("name", "said", "code"),
    [("SIGINT", "interrupted\nbehind\n", 0), pytest.param("SIGTERM", "", -15, marks=pytest.mark.slow)],
)
def test_a_signal_is_not_swallowed(tmp: Path, name: str, said: str, code: int) -> None:
    process = python("-c", PROGRAM, str(Path(__file__).parents[1]), str(tmp / "run"), name)
    out, _ = process.communicate(timeout=300)
    assert (out, process.returncode) == (said, code)
    assert Run.open(tmp / "run").rows("events")[-1]["event"] == "stop" and Run.open(tmp / "run").checkpoints()


def test_training_from_python_shows_its_progress(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from conftest import TINY
    from ganvas import train

    train("cifar-dcgan", out=tmp / "loud", settings=TINY)
    assert "trained 192 images" in capsys.readouterr().err
    train("cifar-dcgan", out=tmp / "quiet", settings=TINY, progress=False)
    assert capsys.readouterr().err == ""
