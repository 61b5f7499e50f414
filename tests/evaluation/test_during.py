"""Evaluation while training: when it happens, what it costs, what it keeps, what it must not change."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from conftest import start, tiny, trained
from ganvas import api
from ganvas.errors import UsageError
from ganvas.evaluation import during
from ganvas.metrics.extractors import classifier, custom
from ganvas.metrics.extractors.base import Extractor
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors
from ganvas.training.loop import Event

EVERY = {"evaluate.every": 48, "evaluate.n": 40, "evaluate.share": 1.0, "log.checkpoint_kimg": 1000.0}


@pytest.fixture(autouse=True)
def small_classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`shapes` gets a classifier of two classes, dark and light, whose one feature is the brightness."""
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))

    def load(data_name: str, shape: tuple[int, int, int]) -> Extractor:
        if shape[1] != 16:
            raise UsageError("the classifier looks at 16x16 images: use other features")
        return replace(custom.from_function("pixel_features:brightness"), name="classifier")

    monkeypatch.setattr(classifier, "load", load)
    monkeypatch.setattr(classifier, "shipped", lambda: ("shapes",))


def during_rows(run: Run) -> list[int]:
    return sorted({row["nimg"] for row in run.rows("evals") if row.get("during")})


def test_checkpoints_are_scored_every_so_many_images_and_the_best_is_kept(tmp: Path) -> None:
    run = trained(tmp / "run", EVERY)
    assert during_rows(run) == [48, 96, 144, 192]
    values = {row["nimg"]: row["value"] for row in run.rows("evals") if row.get("during") and row["metric"][:2] == "fd"}
    best = min(values, key=lambda nimg: values[nimg])
    assert run.selected == {"nimg": best, "metric": "fd_classifier", "value": values[best]}
    assert {nimg for nimg, _ in run.checkpoints()} == {best, 144, 192}
    shares, *_ = (row["by_class"] for row in run.rows("evals") if row["nimg"] == 48 and row["by_class"])
    assert set(shares) == {"0", "1"} and sum(shares.values()) == pytest.approx(1)
    (event,) = [event for event in run.rows("events") if event["event"] == "evaluated"]
    assert event["times"] == 4 and 0 < event["share"] < 1


def test_a_selected_checkpoint_is_scored_again_by_fresh_images(tmp: Path) -> None:
    run = trained(tmp / "run", EVERY)
    (again,) = [row for row in run.rows("evals") if row.get("selected") and row["metric"] == "fd_classifier"]
    assert again["nimg"] == run.selected["nimg"] and again["seed"] == during.FRESH != 0
    assert again["value"] != run.selected["value"]


def test_training_is_the_same_with_and_without(tmp: Path) -> None:
    plain = trained(tmp / "plain", {"log.checkpoint_kimg": 0.048})
    watched = trained(tmp / "watched", EVERY)
    for name in ("generator", "discriminator", "d_optim"):
        one, other = (load_tensors(run.checkpoints()[-1][1] / f"{name}.safetensors")[0] for run in (plain, watched))
        assert all(torch.equal(one[key], other[key]) for key in one)


def test_time_spent_looking_is_not_training(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look, ticks, looks = during.EvaluationHook.evaluate, iter(range(10**9)), []
    monkeypatch.setattr(time, "perf_counter", lambda: 0.001 * next(ticks) + 1000 * len(looks))

    def slow_look(self: during.EvaluationHook, nimg: int) -> None:
        look(self, nimg)
        looks.append(nimg)  # a thousand seconds went by

    monkeypatch.setattr(during.EvaluationHook, "evaluate", slow_look)
    run = trained(tmp / "run", {**EVERY, "evaluate.share": 1.0})
    assert len(looks) > 1 and run.rows("metrics")[-1]["sec"] < 1000


def test_an_evaluation_that_would_exceed_its_share_is_put_off(tmp: Path) -> None:
    run, _ = start(tmp / "run", {**EVERY, "evaluate.share": 0.05})
    watch, looked = during.EvaluationHook(run), []
    watch.evaluate = lambda nimg: (looked.append(nimg), watch.costs.append(10.0), setattr(watch, "last", nimg))  # type: ignore
    for nimg, sec in ((48, 1.0), (96, 100.0), (144, 379.0), (192, 381.0), (240, 569.0), (288, 571.0)):
        watch(Event("checkpoint", nimg, 300, sec))
    assert looked == [48, 192, 288]  # the n-th costs 10 s of at least 200 s each


def test_resuming_goes_on_with_the_scores_and_forgets_what_is_undone(tmp: Path) -> None:
    whole = trained(tmp / "whole", EVERY)
    run, images = start(tmp / "run", EVERY)
    api.run_training(run, images)
    run.drop_after(96)
    assert during_rows(run) == [48, 96]
    assert run.selected is None or run.selected["nimg"] <= 96
    assert during_rows(whole) == [48, 96, 144, 192]


@pytest.mark.parametrize("changes", [{"data.size": 20}, {"data.size": 32}])
def test_images_that_no_classifier_knows_are_refused_before_a_folder_is_made(tmp: Path, changes: dict) -> None:
    with pytest.raises(UsageError, match=r"evaluate.every: the classifier looks at 16x16 images"):
        start(tmp / "run", {**EVERY, **changes})
    assert not (tmp / "run").exists()


@pytest.mark.parametrize(("name", "value"), [("every", -1), ("n", 1), ("share", 0.0), ("share", 1.5)])
def test_settings_out_of_range_are_refused(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"evaluate.{name}"):
        tiny({f"evaluate.{name}": value})
