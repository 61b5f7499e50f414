"""What was asked for and what came: scores of generators that are told a class, whole and class by class."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from conftest import trained
from ganvas.cli import main as cli
from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.errors import UsageError
from ganvas.evaluation import Score, evaluate, sources, table
from ganvas.generator import load as load_sampler
from ganvas.metrics import prdc
from ganvas.metrics.classes import Classes, classes_in_turn
from ganvas.metrics.extractors import classifier, custom
from ganvas.metrics.extractors.base import Extractor
from ganvas.runs.run import Run
from pixel_features import look

PAIR = ("circle", "star")


def pair(split: str = "train", n: int = 300, names: tuple[str, ...] = PAIR) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [n, 3, 16, 16] of two of the ten shapes, and which of the two each is."""
    every = load(DataConfig("shapes", split, 16, limit=5 * n), progress=False)
    numbers = [every.class_names.index(name) for name in names]
    chosen = np.isin(every.labels, numbers)
    return every.images[chosen], np.searchsorted(numbers, every.labels[chosen])  # type: ignore[index]


def npz(path: Path, images: np.ndarray, labels: np.ndarray, names: tuple[str, ...] = PAIR) -> Path:
    np.savez(path, images=images.transpose(0, 2, 3, 1), labels=labels, class_names=names)
    return path


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small training that is told circles from stars."""
    folder = tmp_path_factory.mktemp("conditional")
    data = {"data.name": str(npz(folder / "pair.npz", *pair())), "data.size": None, "data.limit": None}
    return trained(folder / "run", {**data, "data.labels": "auto"})


@pytest.fixture(autouse=True)
def small_classifier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is darker than middle grey is a star, the rest a circle."""
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))

    def find(data_name: str, shape: tuple[int, int, int]) -> Extractor:
        plain = custom.from_function("pixel_features:brightness")
        return replace(plain, name="classifier", class_names=("star", "circle"))

    monkeypatch.setattr(classifier, "load", find)
    monkeypatch.setattr(classifier, "shipped", lambda: ("shapes",))


def scores_of(target: object, **wishes: object) -> dict[str, Score]:
    wishes = {"features": ["classifier"], "reference": None, "progress": False, **wishes}
    return {score.metric: score for score in evaluate(target, **wishes)}  # type: ignore[arg-type]


def test_a_generator_means_its_images_to_be_what_it_was_asked_for(conditional: Run) -> None:
    source, sampler = sources.find(conditional.path, seed=3), load_sampler(conditional.path)
    intended = source.intended(5, 20)
    assert intended is not None and intended.names == PAIR and intended.present == PAIR
    np.testing.assert_array_equal(intended.numbers, sampler.labels(20, seed=3, start=5))
    drawn, asked = (
        np.concatenate(list(source.draw(5, 20))),
        sampler.sample(20, seed=3, start=5, labels=intended.numbers.tolist()),
    )
    np.testing.assert_array_equal(drawn, asked)


def test_gan_test_accuracy_is_the_share_recognised_whole_and_by_class(conditional: Run) -> None:
    found = scores_of(conditional.path, n=60, sets=2, seed=4)
    sampler = load_sampler(conditional.path)
    images, labels = sampler.sample(120, seed=4), sampler.labels(120, seed=4)
    assert labels is not None
    seen = np.where(images.mean(axis=(1, 2, 3)) / 255 > 0.5, "circle", "star")
    asked = np.array(PAIR)[labels]
    score = found["gan_test_accuracy"]
    assert score.value == pytest.approx((seen == asked).mean()) and score.by_class is not None
    for name in PAIR:
        sets = [(seen == asked)[part][asked[part] == name].mean() for part in (slice(60), slice(60, 120))]
        assert score.by_class[name] == pytest.approx(np.mean(sets), abs=1e-5)
    shares = found["class_distance_classifier"].by_class
    assert shares is not None and list(shares) == ["star", "circle"]
    assert shares["star"] == pytest.approx((seen == "star").mean(), abs=1e-5)
    assert found["fd_classifier"].by_class is None


def test_an_intended_class_that_is_always_met_scores_one(tmp: Path) -> None:
    """The order of the names differs between the file and the classifier, and nobody mixes them up."""
    images = np.concatenate([np.full((40, 3, 16, 16), 20, np.uint8), np.full((40, 3, 16, 16), 230, np.uint8)])
    images[::2, :, 3] += 5
    path = npz(tmp / "f.npz", images, np.repeat([1, 0], 40))
    score = scores_of(path, reference=str(path), sets=1, metrics=["recognition"])["gan_test_accuracy"]
    assert score.value == 1 and score.by_class == {"circle": 1.0, "star": 1.0}
    assert score.real_baseline == 1 and score.noise_baseline == pytest.approx(0.5, abs=0.15)


def test_class_recall_is_the_recall_within_each_class(conditional: Run) -> None:
    import torch

    wishes = {"n": 200, "sets": 1, "metrics": ["class_recall"], "features": ["pixel_features:look"]}
    score = scores_of(conditional.path, **wishes)["class_recall_custom"]
    sampler = load_sampler(conditional.path)
    labels, vectors = sampler.labels(200), look(torch.from_numpy(sampler.sample(200))).numpy()
    assert labels is not None and score.by_class is not None
    images, classes = pair()
    known = look(torch.from_numpy(images)).numpy()
    recalls = [prdc.precision_recall_density_coverage(vectors[labels == k], known[classes == k]).recall for k in (0, 1)]
    assert list(score.by_class.values()) == pytest.approx(recalls, abs=1e-5)
    assert score.value == pytest.approx(np.mean(recalls)) and score.better == "higher"
    assert score.real_baseline is not None and score.real_baseline > max(0.5, score.value) and score.noise_baseline == 0


def test_a_lost_class_has_no_recall_while_the_whole_hides_it(tmp: Path) -> None:
    real, labels = pair("train", 600)
    star = real[labels == 1][0] + np.arange(600, dtype=np.uint8)[:, None, None, None] % 3
    fakes = npz(tmp / "f.npz", np.where((labels == 1)[:, None, None, None], star, real), labels)
    reference = npz(tmp / "r.npz", *pair("test", 400))
    found = scores_of(fakes, features=["pixel_features:look"], reference=str(reference), sets=1)
    recall = found["class_recall_custom"].by_class
    assert recall is not None and recall["star"] < 0.05 < 0.8 < recall["circle"]
    assert found["recall_custom"].value > 0.5


def test_too_few_of_a_class_are_left_out_with_their_reason(
    conditional: Run, finished: Run, tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wishes = {"n": 60, "sets": 1}
    with pytest.raises(UsageError, match=r"class_recall under .*: \d\d images of a class, at least 50 are needed"):
        scores_of(conditional.path, metrics=["class_recall"], **wishes)
    with pytest.raises(UsageError, match="have no intended classes"):
        scores_of(finished.path, metrics=["class_recall"], **wishes)
    with pytest.raises(UsageError, match=r"does not have all of their classes \(circle, star\)"):
        others = npz(tmp / "others.npz", *pair(names=("cross", "heart")), names=("cross", "heart"))
        scores_of(conditional.path, metrics=["class_recall"], reference=str(others), **wishes)
    capsys.readouterr()
    scores_of(conditional.path, progress=True, **wishes)
    assert "class_recall under classifier is left out" in capsys.readouterr().err


def test_the_command_shows_a_line_for_each_class(
    conditional: Run, tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run.open(shutil.copytree(conditional.path, tmp / "run"))
    words = ["evaluate", str(run.path), "--features", "classifier", "--metrics", "recognition,class_recall"]
    words += ["--n", "200", "--sets", "1"]
    assert cli.main(words) == 0
    head, *lines = capsys.readouterr().out.splitlines()[-3:]
    assert head == "  class   seen as it  recognised  recall within it"
    assert [line.split()[0] for line in lines] == ["star", "circle"] and all(line.count("%") == 3 for line in lines)
    *_, kept = (row["by_class"] for row in run.rows("evals") if row["metric"] == "gan_test_accuracy")
    assert set(kept) == set(PAIR)
    assert cli.main([*words, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert next(row for row in rows if row["metric"] == "gan_test_accuracy")["by_class"] == kept


def test_a_class_that_only_one_number_knows_leaves_a_gap() -> None:
    values = dict.fromkeys(
        ("value", "low", "high", "n", "sets", "n_ref", "seed", "real_baseline", "real_baseline_n", "noise_baseline"), 1
    )
    words = dict.fromkeys(("reference", "split", "extractor", "weights_hash", "resize", "real_baseline_from"), "x")
    shares = {"class_distance_custom": {"a": 0.25}, "gan_test_accuracy": {"a": 0.5, "bee": 1.0}}
    both = [
        Score(metric, **values, **words, better="higher", by_class=share)  # type: ignore[arg-type]
        for metric, share in shares.items()
    ]
    assert table.text(both).splitlines()[-3:] == [
        "  class  seen as it  recognised", "  a           25.0%       50.0%", "  bee                    100.0%"
    ]  # fmt: skip


def test_names_bring_numbers_together() -> None:
    some = Classes(np.array([1, 0, 1]), ("cat", "dog"))
    assert some.among(("dog", "eel", "cat")).tolist() == [0, 2, 0]  # type: ignore[union-attr]
    assert Classes(np.array([0]), ("T-shirt-top",)).among(("Bag", "T-shirt/top")).tolist() == [1]  # type: ignore[union-attr]
    assert some.among(("dog", "eel")) is None and some[1:].present == ("cat", "dog")
    turns = classes_in_turn(("a", "b", "c"), 4, 3)
    assert turns is not None and turns.numbers.tolist() == [1, 2, 0] and classes_in_turn((), 0, 3) is None
