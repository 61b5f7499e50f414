"""Figures that are kept: by metric, by version, and those that ship, of which a part is computed again here."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.datasets.progress import Progress
from ganvas.evaluation import evaluator, figures
from ganvas.evaluation.baselines import noise_baselines, real_baselines
from ganvas.evaluation.references import Reference
from ganvas.evaluation.sources import noise
from ganvas.metrics.classes import classes_of
from ganvas.metrics.extractors import classifier
from ganvas.metrics.registry import METRICS, Fakes, MetricInputs

CIFAR10_TEST = "2c33b053d1cd726af8d86e174a96dd89d7000ba1412add026d68142375b89d51"
SHAPE = (3, 32, 32)


def test_only_what_is_not_known_is_computed(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp))
    asked: list[list[str]] = []

    def make(names: list[str]) -> dict[str, dict[str, float]]:
        asked.append(names)
        return {name: {f"{name}-1": 0.1 + len(asked)} for name in names}

    metrics = {name: METRICS[name] for name in ("fd", "kd", "prdc")}
    first = figures.by_metric({"of": "x"}, {"fd": metrics["fd"], "kd": metrics["kd"]}, make)
    assert first == {"fd-1": 1.1, "kd-1": 1.1}
    assert figures.by_metric({"of": "x"}, metrics, make) == {**first, "prdc-1": 2.1}
    newer = {"fd": replace(metrics["fd"], version=2)}
    assert figures.by_metric({"of": "x"}, newer, make) == {"fd-1": 3.1}
    assert asked == [["fd", "kd"], ["prdc"], ["fd"]]


def test_what_ships_is_small_and_finite() -> None:
    assert figures.SHIPPED.stat().st_size < 500_000
    kept = figures.shipped()
    assert len(kept) > 100
    for entry in kept.values():
        assert entry["figures"] and all(np.isfinite(list(entry["figures"].values())))


@pytest.mark.parametrize(
    ("name", "features"), product(("cifar10", "fashion-mnist"), ("classifier", "efficientnet-lite0"))
)
def test_the_default_call_finds_every_baseline(name: str, features: str) -> None:
    n = evaluator.LEAST_OF_A_SET
    there = {entry["of"] for entry in figures.shipped().values()}
    for metric in {"fd", "kd", "prdc", "class_recall", "diversity", "modes"}:
        assert f"{features}, {name}:train, {metric}, n {n} x {evaluator.SETS}, seed 0" in there
        assert f"{features}, noise, classes, {metric}, n {n} x 1, seed 0" in there


@pytest.mark.parametrize(("sets", "n"), [(1, 10_000), (2, 5000), (5, 2000), (10, 2000)])
def test_a_generator_draws_ten_thousand_images_by_default(sets: int, n: int) -> None:
    assert evaluator._size(noise(SHAPE, 0), None, sets) == n
    assert evaluator._size(noise(SHAPE, 0), 77, sets) == 77


def test_noise_scores_what_ships() -> None:
    """Of these figures confidence and entropy depend on no real image, so that they can be made again without any."""
    n, extractor = 2000, classifier.load("cifar10", SHAPE)
    drawn = noise(SHAPE, 0)
    features = extractor.extract(drawn.draw(0, n))
    inputs = MetricInputs(extractor, features)
    again = METRICS["recognition"].measure(Fakes(features, None, 0), inputs)
    key = {
        "what": "noise", "n": n, "seed": 0, "classes": [], "reference": CIFAR10_TEST, "extractor": "classifier",
        "weights": extractor.weights_hash, "resize": extractor.resize, "version": extractor.version,
        "metric": "recognition",
    }  # fmt: skip
    shipped = figures.shipped()[figures.digest(key)]["figures"]
    for name in ("confidence", "entropy"):
        value = again[name]
        assert shipped[name] == pytest.approx(getattr(value, "value", value), rel=1e-5)


@pytest.mark.slow
def test_real_images_score_what_ships(monkeypatch: pytest.MonkeyPatch, tmp: Path) -> None:
    """5 x 2,000 images of CIFAR-10 through the classifier, everything measured again from the pixels."""
    reference = Reference(DataConfig("cifar10", "test"), Progress(False))
    assert reference.images.sha256 == CIFAR10_TEST
    extractor = classifier.load("cifar10", SHAPE)
    classes = classes_of(reference.images)
    features = extractor.extract(reference.images.images[i : i + 250] for i in range(0, 10_000, 250))
    inputs = MetricInputs(extractor, features, classes, reference.modes)
    metrics = {name: METRICS[name] for name in ("fd", "kd", "prdc", "recognition", "diversity")}

    def both() -> tuple[dict[str, float], dict[str, float]]:
        real = real_baselines(reference, inputs, metrics, 2000, 5, 0, Progress(False))
        made = noise_baselines(reference, SHAPE, inputs, metrics, 2000, 0, (), Progress(False))
        return {name: float(score.real_baseline or 0.0) for name, score in real.items()}, made

    shipped = both()
    monkeypatch.setattr(figures, "shipped", dict)
    monkeypatch.setattr(figures, "_path", lambda key: tmp / f"{figures.digest(key)}.json")
    again = both()
    assert len(list(tmp.glob("*.json"))) == 10
    for kept, made in zip(shipped, again, strict=True):
        assert kept == pytest.approx(made, rel=1e-4, abs=1e-6)
