"""From a run, a snapshot or images to scores: what the numbers rest on, and what is refused."""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import trained
from ganvas import evaluation
from ganvas.cli import main as cli
from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.errors import GanvasError, UsageError
from ganvas.evaluation import Score, evaluate, evaluator, sources, table
from ganvas.metrics import frechet, neighbours
from ganvas.metrics.extractors import registry as extractors
from ganvas.metrics.registry import ByClass, Pooled, number_over
from ganvas.runs.run import Run
from ganvas.stats.intervals import Estimate

FEATURES = "pixel_features:look"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test meets what another one kept."""
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def scores_of(target: object, **wishes: object) -> dict[str, Score]:
    wishes = {"features": [FEATURES], "reference": "shapes:test", "progress": False, **wishes}
    return {score.metric: score for score in evaluate(target, **wishes)}  # type: ignore[arg-type]


def shapes(split: str, n: int, size: int = 32) -> np.ndarray:
    return load(DataConfig("shapes", split, size, limit=n), progress=False).images


def npz(path: Path, images: np.ndarray) -> Path:
    np.savez(path, images=images.transpose(0, 2, 3, 1))
    return path


def test_real_images_score_like_the_floor_and_noise_like_the_ceiling(tmp: Path) -> None:
    real = scores_of(npz(tmp / "real.npz", shapes("train", 3000)))
    uniform = np.random.default_rng(5).integers(0, 256, (3000, 3, 32, 32), np.uint8)
    noise = scores_of(npz(tmp / "noise.npz", uniform))
    for metric in ("fd_custom", "kd_custom"):
        score = real[metric]
        assert abs(score.value - score.real_baseline) < 0.02 * (score.noise_baseline - score.real_baseline)
        assert abs(noise[metric].value - score.noise_baseline) < 0.02 * (score.noise_baseline - score.real_baseline)
        assert score.low < score.value < score.high and (score.n, score.sets) == (600, 5)
    assert real["recall_custom"].value > 0.9 > 0.1 > noise["recall_custom"].value
    assert 0.9 < real["diversity_custom"].value < 1.1


def test_a_value_is_what_its_formula_gives_by_hand(tmp: Path) -> None:
    import torch

    from pixel_features import look

    fakes, real = shapes("train", 300), load(DataConfig("shapes", "test"), progress=False).images
    score = scores_of(npz(tmp / "f.npz", fakes), sets=1, metrics=["fd"])["fd_custom"]
    a, b = (frechet.moments(look(torch.from_numpy(x)).numpy()) for x in (fakes, real))
    assert score.value == pytest.approx(frechet.frechet_distance(a, b), rel=1e-6)
    assert (score.low, score.high, score.n, score.n_ref) == (None, None, 300, len(real))


def test_a_p_value_is_that_of_the_fakes_of_all_sets_together(tmp: Path) -> None:
    """Four sets of copies and one of other images: the mean of their p values, 0.1 and more, would clear a copier."""
    import torch

    from pixel_features import look

    train, held_out = shapes("train", 10_000), load(DataConfig("shapes", "test"), progress=False).images
    fakes = np.concatenate([train[:240], held_out[:60]])
    found = scores_of(npz(tmp / "f.npz", fakes), metrics=["copying"], sets=5)
    distances = [
        neighbours.nearest(*(look(torch.from_numpy(x)).numpy() for x in (images, train)))[1]
        for images in (fakes, held_out)
    ]
    test = neighbours.copying_test(*distances)
    assert found["copying_p_custom"].value == pytest.approx(test.p_value, rel=1e-6)
    assert found["near_copies_p_custom"].value == pytest.approx(test.near_copies_p_value, rel=1e-6)
    assert found["nearer_than_heldout_custom"].value == pytest.approx(test.nearer)
    assert found["near_copies_custom"].value == pytest.approx(test.near_copies / 5)
    for name in ("copying_p_custom", "near_copies_p_custom"):
        assert (found[name].low, found[name].high) == (None, None)
    assert found["copying_p_custom"].value < 1e-6
    assert {found[name].computation for name in found} == {"2.1"}


def test_numbers_over_sets_are_means_unless_pooled() -> None:
    sets = [Pooled(np.array([1.0, 2.0]), lambda every: float(np.median(every))), Pooled(np.array([9.0]), lambda _: 0.0)]
    assert number_over(sets) == 2.0 and number_over(sets[1:]) == 0.0
    assert number_over([1.0, Estimate(3.0, 0.0, 9.0), ByClass(5.0, {})]) == 3.0


def test_few_images_a_set_leave_the_copying_test_out(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = scores_of(npz(tmp / "f.npz", shapes("train", 45)), progress=True)
    assert "kd_custom" in found and "copying_p_custom" not in found
    assert "copying under pixel_features:look is left out: 9 images per set" in capsys.readouterr().err


def test_a_run_is_scored_in_fresh_sets_and_remembers(finished: Run, tmp: Path) -> None:
    run = Run.open(shutil.copytree(finished.path, tmp / "run"))
    first = scores_of(run.path, reference=None, n=60)
    rows = run.rows("evals")
    assert [row["metric"] for row in rows] == list(first) and rows[0]["nimg"] == 192
    assert rows[0]["computation"] == "1.1"
    assert rows[0]["snapshot"] == "snapshots/000000192.safetensors" and rows[0]["ema"] is True
    assert (rows[0]["reference"], rows[0]["split"], rows[0]["seed"]) == ("shapes", "test", 0)
    again = scores_of(run.path, reference=None, n=60)
    assert all(again[name].value == pytest.approx(first[name].value, rel=1e-6) for name in first)
    other = scores_of(run.path, reference=None, n=60, seed=1)
    assert other["fd_custom"].value != first["fd_custom"].value
    snapshot = scores_of(run.path / "snapshots/000000096.safetensors", reference=None, n=60)
    assert snapshot["fd_custom"].nimg == 96


def test_sets_of_a_generator_never_share_an_image(finished: Run) -> None:
    source = sources.find(finished.path, seed=3)
    every = np.concatenate(list(source.draw(0, 40)))
    parts = [np.concatenate(list(source.draw(start, 10))) for start in (0, 10, 20, 30)]
    assert np.array_equal(every, np.concatenate(parts))
    assert len({image.tobytes() for image in every}) == 40


def test_images_sorted_by_class_are_divided_evenly(tmp: Path) -> None:
    source = sources.from_images(load(DataConfig("shapes", limit=500), progress=False))
    drawn = np.concatenate(list(source.draw(0, 100)))
    intended = source.intended(0, 100)
    assert intended is not None and len(intended.present) == 10
    assert not np.array_equal(drawn, load(DataConfig("shapes", limit=500), progress=False).images[:100])


def test_what_real_images_give_is_kept_and_a_broken_file_is_made_anew(
    tmp: Path, own_cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fakes = npz(tmp / "f.npz", shapes("train", 300))
    before = values_of(fakes)
    kept = sorted((own_cache / "features").glob("*.safetensors"))
    assert len(kept) == 4  # features of both splits; kernel sums and radii of the reference
    times = [path.stat().st_mtime_ns for path in kept]
    assert values_of(fakes) == before
    assert [path.stat().st_mtime_ns for path in kept] == times
    for path in kept:
        path.write_bytes(path.read_bytes()[:100])
    for path in (own_cache / "features").glob("*.json"):
        path.unlink()  # the other split is looked at for real baselines alone
    assert values_of(fakes) == before
    assert capsys.readouterr().err.count("broken: computed again") == 4


def values_of(fakes: Path, **wishes: object) -> dict[str, tuple[float, float | None]]:
    return {name: (score.value, score.real_baseline) for name, score in scores_of(fakes, sets=1, **wishes).items()}


def test_what_is_kept_of_a_reference_is_that_reference_s(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without another split the real baseline is half against half: nothing kept of the whole is used for a half."""
    fakes, own = npz(tmp / "f.npz", shapes("train", 300)), npz(tmp / "own.npz", shapes("test", 200))
    kept = values_of(fakes, reference=str(own))
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "another cache"))
    monkeypatch.setattr(evaluator, "shelf", lambda name, vectors, compute: compute())
    assert values_of(fakes, reference=str(own)) == kept


def test_an_unwritable_cache_costs_a_line_and_no_result(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp / "file").write_text("")
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "file"))
    assert scores_of(npz(tmp / "f.npz", shapes("train", 300)), sets=1)["fd_custom"].value >= 0
    assert "not kept for the next time" in capsys.readouterr().err


def test_too_few_images_for_a_covariance_leave_the_rest(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fakes = npz(tmp / "f.npz", shapes("train", 50))
    found = scores_of(fakes, progress=True)  # 10 a set, 12 dimensions
    assert "fd_custom" not in found and "kd_custom" in found
    assert "fd under pixel_features:look is left out: 10 images per set for 12-d features" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"fd under .*10 images per set for 12-d features, at least 13 are needed"):
        scores_of(fakes, metrics=["fd"])


def test_folder_names_are_the_classes_that_were_meant(tmp: Path) -> None:
    for name, value in (("dark", 10), ("light", 245)):
        (tmp / "fakes" / name).mkdir(parents=True)
        for i in range(30):
            image = np.full((16, 16), value + i % 5 if i else 255 - value, np.uint8)  # the first of each is a miss
            Image.fromarray(image).save(tmp / "fakes" / name / f"{i}.png")
    source = sources.find(tmp / "fakes")
    intended, drawn = source.intended(7, 40), np.concatenate(list(source.draw(7, 40)))
    assert intended is not None and intended.names == ("dark", "light") and len(intended.numbers) == 40
    misses = (drawn.mean(axis=(1, 2, 3)) > 127) != (intended.numbers == 1)
    assert misses.sum() <= 2


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"reference": "cifar11"}, "cifar11"),
        ({"features": ["clasifier"]}, "did you mean classifier"),
        ({"metrics": ["fid"]}, "no metric is called 'fid'"),
        ({"n": 500}, "too few for 5 disjoint sets of 500 .n=60, or sets=1"),
        ({"n": 1}, "at least 2 images"),
        ({"sets": 0}, "at least 1 set"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(tmp: Path, wishes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        scores_of(npz(tmp / "f.npz", shapes("train", 300)), **wishes)
    assert "\n" not in str(error.value)


def test_numbers_that_are_none_stop_the_evaluation(tmp: Path) -> None:
    with pytest.raises(GanvasError, match="hold NaN or infinity"):
        scores_of(npz(tmp / "f.npz", shapes("train", 300)), features=["pixel_features:broken"])


def test_without_a_reference_images_cannot_be_judged(tmp: Path) -> None:
    with pytest.raises(UsageError, match="name real ones with reference="):
        evaluate(npz(tmp / "f.npz", shapes("train", 300)), features=[FEATURES], progress=False)


def test_the_command_prints_a_table_and_json(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fakes = str(npz(tmp / "f.npz", shapes("train", 300)))
    words = ["evaluate", fakes, "--reference", "shapes:test", "--features", FEATURES, "--metrics", "fd,kd"]
    assert cli.main(words) == 0
    shown = capsys.readouterr().out
    assert "5 sets of 60, seed 0, against shapes:test" in shown and "fd_custom" in shown
    assert "baselines: real images, shapes:train, 60 per set; noise, uniform" in shown
    assert cli.main([*words, "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["metric"] for row in rows] == ["fd_custom", "kd_custom"]
    assert all(row["real_baseline"] < row["noise_baseline"] for row in rows)
    assert cli.main(["evaluate", str(tmp / "nothing")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_numbers_are_shown_with_four_digits() -> None:
    assert [table.number(v) for v in (0, 12.3456, 0.00012, 123456.7, -3.2e-7)] == [
        "0", "12.35", "0.00012", "1.23e+05", "-3.20e-07"
    ]  # fmt: skip


def test_the_public_function_is_the_one_of_the_package() -> None:
    import ganvas

    assert inspect.unwrap(ganvas.evaluate) is inspect.unwrap(evaluation.evaluate)


def test_one_split_only_gives_a_floor_of_halves(tmp: Path) -> None:
    real = npz(tmp / "real.npz", shapes("train", 400))
    score = scores_of(npz(tmp / "f.npz", shapes("test", 300)), reference=str(real), sets=1)["fd_custom"]
    assert (
        score.split == "train" and score.real_baseline_n == 200 and score.real_baseline_from == "half of real.npz:train"
    )


def test_a_run_of_own_images_is_held_against_them(tmp: Path) -> None:
    data = npz(tmp / "mine.npz", shapes("train", 120, 16))
    run = trained(tmp / "run", {"data.name": str(data), "data.size": None, "data.limit": None})
    score = scores_of(run.path, reference=None, n=40, sets=1, metrics=["kd"])["kd_custom"]
    assert score.split == "train" and score.n_ref == 120


def test_the_picture_shows_each_image_beside_its_nearest_training_images(tmp: Path) -> None:
    real = load(DataConfig("shapes", limit=300), progress=False).images
    fakes = npz(tmp / "f.npz", real[40:52])
    words = ["--reference", "shapes", "--features", FEATURES, "--neighbours", str(tmp / "n.png")]
    assert cli.main(["evaluate", str(fakes), *words]) == 0
    picture = np.asarray(Image.open(tmp / "n.png"))
    for row in range(10):  # every one of these is in the training set, so it is its own nearest neighbour
        line = picture[row * 64 : (row + 1) * 64]
        assert np.array_equal(line[:, :64], line[:, 72:136]) and not np.array_equal(line[:, :64], line[:, 136:200])


def test_all_features_are_those_that_can_be_had(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extractors, "USUAL", ("inception", FEATURES))

    def missing(*_: object) -> None:
        raise GanvasError("inception is not here:\n  - tried a lot")

    monkeypatch.setattr("ganvas.metrics.extractors.inception.load", missing)
    found = scores_of(npz(tmp / "f.npz", shapes("train", 300)), features=["all"], progress=True)
    assert "fd_custom" in found and "features inception cannot be had: inception is not here" in capsys.readouterr().err


def test_of_all_features_those_that_cannot_measure_it_are_left_out(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extractors, "USUAL", (FEATURES, "pixel_features:brightness"))
    fakes = npz(tmp / "f.npz", shapes("train", 300))
    found = scores_of(fakes, features=["all"], metrics=["is"], progress=True)
    assert set(found) == {"is_custom"} and f"features {FEATURES} are left out: is under" in capsys.readouterr().err
    monkeypatch.setattr(extractors, "USUAL", (FEATURES,))
    with pytest.raises(GanvasError, match="could not be evaluated"):
        scores_of(fakes, features=["all"], metrics=["is"])


def test_modes_that_are_gone_are_missed(tmp: Path) -> None:
    left = shapes("train", 4000)[np.arange(4000) % 80 < 60]  # two of the eight colours are gone
    score = scores_of(npz(tmp / "l.npz", left), metrics=["modes"], sets=1)["modes_custom"]
    assert score.value <= 65 < 78 <= score.real_baseline <= 80


def test_a_limit_on_training_images_leaves_the_test_split_whole(finished: Run, tmp: Path) -> None:
    score = scores_of(shutil.copytree(finished.path, tmp / "run"), reference=None, n=40, sets=1, metrics=["kd"])[
        "kd_custom"
    ]
    assert finished.config.data.limit == 96 and (score.split, score.n_ref) == ("test", 2000)


def test_a_run_is_found_by_a_relative_path(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished.path.parent)
    source = sources.find(finished.path.name)
    assert source.about is not None and source.about["snapshot"] == "snapshots/000000192.safetensors"
    assert source.run is not None and source.run.path == finished.path.resolve()


def test_a_floor_that_is_remembered_is_not_looked_for_again(tmp: Path, own_cache: Path) -> None:
    fakes = npz(tmp / "f.npz", shapes("train", 300))
    before = scores_of(fakes, metrics=["fd"])["fd_custom"]
    kept = sorted((own_cache / "features").glob("*.safetensors"))
    assert len(kept) == 2  # the reference's, and some of the other split's
    for path in kept:
        path.unlink()
    assert scores_of(fakes, metrics=["fd"])["fd_custom"].real_baseline == before.real_baseline
    assert len(list((own_cache / "features").glob("*.safetensors"))) == 1
