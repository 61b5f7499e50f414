"""The score that a training ends with: where it is made, what it says, when it is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conftest import flags, trained
from ganvas import api
from ganvas.cli.main import main
from ganvas.errors import UsageError
from ganvas.evaluation import final
from ganvas.metrics.extractors import classifier, custom
from ganvas.metrics.extractors.base import Extractor
from ganvas.runs.run import Run


@pytest.fixture(autouse=True)
def small_classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`shapes` at 16 px gets a classifier of two classes, dark and light."""
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))

    def load(data_name: str, shape: tuple[int, int, int]) -> Extractor:
        if data_name != "shapes" or shape[1] != 16:
            raise UsageError("no classifier ships for it")
        return replace(custom.from_function("pixel_features:brightness"), name="classifier")

    monkeypatch.setattr(classifier, "load", load)
    monkeypatch.setattr(classifier, "fits", lambda name, shape: name == "shapes" and shape == (3, 16, 16))


def test_a_finished_training_says_its_score_beside_real_images(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "cifar-dcgan", "--out", str(tmp / "run"), *flags({"evaluate.final": 100})]
    assert main(words) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if "from 100 samples" in line]
    rows = {row["metric"]: row for row in Run.open(tmp / "run").rows("evals")}
    fd = rows["fd_classifier"]
    assert len(said) == 1 and f"{fd['value']:.0f}, from 100 samples" in said[0] and "(real images: " in said[0]
    assert fd["n"] == 100 and fd["nimg"] == 192 and fd["split"] == "test"


def test_classes_that_were_asked_for_are_looked_for(tmp: Path) -> None:
    run = trained(tmp / "run", {"data.labels": "use", "evaluate.final": 100, "generator.latent_dim": 8})
    scores = final.score_final(run)
    assert "gan_test_accuracy" not in {score.metric for score in scores}  # this classifier knows other classes
    seen = replace(scores[0], metric="gan_test_accuracy", value=0.714, real_baseline=0.93, n=2000)
    assert final.headline([seen, *scores]) == (
        "our classifier sees the class that was asked for in 71% of 2,000 samples (real images: 93%)"
    )


@pytest.mark.parametrize("changes", [{"evaluate.final": 0}, {"data.size": 20}, {"data.classes": ("circle", "ring")}])
def test_it_is_left_out(tmp: Path, changes: dict[str, object]) -> None:
    run = trained(tmp / "run", changes)
    assert api.finish(run) == "" and run.rows("evals") == []


def test_a_score_that_cannot_be_made_says_why_and_keeps_the_run(
    tmp: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise UsageError("the test images are gone")

    monkeypatch.setattr(final, "evaluate", broken)
    assert main(["train", "cifar-dcgan", "--out", str(tmp / "run"), *flags()]) == 0
    assert "not scored: the test images are gone" in capsys.readouterr().out
    assert (tmp / "run" / "report.html").is_file()
