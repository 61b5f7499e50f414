"""The vital signs: exact where they can be, seen to move where they should, and no part of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import start, tiny, trained
from ganvas import data
from ganvas.config import DataConfig
from ganvas.disk import load_tensors
from ganvas.run import Run
from ganvas.vitals import Pictures, Signs, above, beside


def noise(n: int, side: int = 16, channels: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth random images: noise at a quarter of the side, enlarged."""
    coarse = np.random.default_rng(seed).integers(40, 200, (n, channels, side // 4, side // 4), np.uint8)
    return coarse.repeat(4, 2).repeat(4, 3)


# -- pictures --------------------------------------------------------------------------------------------------


def test_pictures_beside_themselves_are_alike() -> None:
    labels = np.arange(40) % 4
    found = beside(Pictures(noise(40), labels), Pictures(noise(40), labels))
    ratios = ("spread", "nearest", "within", "texture")
    assert {key: round(found[key], 9) for key in ratios} == dict.fromkeys(ratios, 1.0)
    assert found["distance"] == 0 and found["grid/fake"] == found["grid/real"]


def test_one_picture_over_and_over_has_no_spread() -> None:
    found = beside(Pictures(noise(1).repeat(30, 0)), Pictures(noise(30, seed=1)))
    assert found["spread"] == found["nearest"] == pytest.approx(0, abs=1e-6) and found["distance"] > 0.5


def test_one_picture_for_each_class_has_no_spread_within() -> None:
    labels = np.arange(32) % 4
    found = beside(Pictures(noise(4)[labels], labels), Pictures(noise(32, seed=1), labels))
    assert found["within"] == pytest.approx(0, abs=1e-6) and found["spread"] > 0.6


def test_the_distances_are_those_of_the_definition() -> None:
    x = noise(7, side=8)
    labels = np.array([0, 0, 1, 1, 1, 2, 0])
    thumbnails = x.reshape(7, -1).astype(np.float64)
    pairs = {
        (i, j): np.sqrt(((thumbnails[i] - thumbnails[j]) ** 2).mean()) for i in range(7) for j in range(7) if i != j
    }
    found = Pictures(x, labels, at_a_time=3)
    assert found.spread == pytest.approx(np.mean(list(pairs.values())))
    assert found.within == pytest.approx(np.mean([v for (i, j), v in pairs.items() if labels[i] == labels[j]]))
    nearest = [min(pairs[i, j] for j in group if j != i) for group in ((0, 1, 2), (3, 4, 5)) for i in group]
    assert found.nearest == pytest.approx(np.mean(nearest))  # the seventh makes no group of three


def test_saturation_counts_both_ends() -> None:
    x = np.full((2, 1, 16, 16), 100, np.uint8)
    x[0, 0, 0, :4] = 0, 1, 254, 255
    x[0, 0, 1, :2] = 2, 253
    assert Pictures(x).saturated == 4 / 512


@pytest.mark.parametrize("side", [16, 28, 30, 32, 33])
@pytest.mark.parametrize("period", [2, 4])
def test_a_grid_of_strides_is_seen_where_the_side_has_that_frequency(side: int, period: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.integers(60, 190, (64, 1, side, side)).astype(np.float64)
    pattern = np.zeros((side, side))
    pattern[::period, ::period] = 60
    plain, marked = (Pictures(np.clip(images, 0, 255).astype(np.uint8)).grid for images in (x, x + pattern))
    assert plain < 2
    if side % 4 == 0 or (side % 2 == 0 and period == 2):
        assert marked > 3


def test_smooth_and_speckled_pictures_differ_in_texture() -> None:
    speckled = np.random.default_rng(0).integers(0, 255, (30, 3, 16, 16), np.uint8)
    assert beside(Pictures(speckled), Pictures(noise(30)))["texture"] > 3


def test_one_picture_alone_says_less() -> None:
    found = beside(Pictures(noise(1)), Pictures(noise(20)))
    assert "spread" not in found and "nearest" not in found and found["brightness/fake"] > 0


def test_above_is_the_area_under_the_roc_curve() -> None:
    a, b = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([0.0, 2.0])
    assert above(a, b) == pytest.approx((1 + 0 + 1 + 0.5 + 1 + 0.5) / 6)


# -- what training writes --------------------------------------------------------------------------------------


def test_a_run_has_a_row_for_every_sample_grid(finished: Run) -> None:
    rows = finished.rows("vitals")
    assert [row["nimg"] for row in rows] == [at for at, _ in finished.samples()]
    assert not any(key.startswith(("pace/", "grad/", "moved")) for key in rows[0])  # nothing moved yet
    assert {"pace/g", "pace/d", "moved", "distance/raw", "above/made", "above/unseen"} <= rows[-1].keys()
    assert 0 <= rows[-1]["above/made"] <= 1


def test_the_blocks_gradients_make_up_the_whole(tmp: Path) -> None:
    run = trained(tmp / "run", {"log.every": 1})
    row, whole = run.rows("vitals")[-1], run.rows("metrics")[-1]
    assert row["nimg"] == whole["nimg"]
    for name in "gd":
        blocks = [value for key, value in row.items() if key.startswith(f"grad/{name}/")]
        assert len(blocks) >= 3 and np.sqrt(np.sum(np.square(blocks))) == pytest.approx(whole[f"grad/{name}"], rel=1e-4)


@pytest.mark.parametrize("update", ["simultaneous", "alternating", "one-stage"])
def test_the_pace_is_the_length_of_the_step_over_that_of_the_weights(tmp: Path, update: str) -> None:
    sgd = {f"{side}_optim.{key}": value for side in "gd" for key, value in (("name", "sgd"), ("beta1", 0.0))}
    own = {"step.update": update, "step.joint": update == "one-stage", "discriminator.norms": (False, False)}
    run = trained(
        tmp / "run", {**sgd, **own, "budget.kimg": 0.016, "log.every": 1, "g_optim.lr": 0.5, "d_optim.lr": 0.25}
    )
    row, metrics = run.rows("vitals")[-1], run.rows("metrics")[-1]
    first = tiny({**sgd, **own})
    from ganvas import models

    networks = models.build_generator(first, (3, 16, 16)), models.build_discriminator(first, (3, 16, 16))
    for name, rate, network in zip("gd", (0.5, 0.25), networks, strict=True):
        length = torch.nn.utils.get_total_norm([p.detach() for p in network.parameters()]).item()
        assert row[f"pace/{name}"] == pytest.approx(rate * metrics[f"grad/{name}"] / length, rel=1e-3)


def test_reading_the_signs_changes_nothing(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"step.ema_kimg": 0.1, "discriminator.dropout": 0.3, "discriminator.norms": (True, True)}

    def weights(run: Run) -> dict[str, Any]:
        folder = run.checkpoints()[-1][1]
        return {f"{p.stem}.{k}": v for p in folder.glob("*.safetensors") for k, v in load_tensors(p)[0].items()}

    one = weights(trained(tmp / "read", changes))
    monkeypatch.setattr(Signs, "write", lambda *_: {})
    other = weights(trained(tmp / "not", changes))
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_classes_are_asked_about_where_the_networks_are_told_them(tmp: Path) -> None:
    told = {"data.labels": "use", "discriminator.classify": 1.0, "data.limit": 200}
    row = trained(tmp / "told", told).rows("vitals")[-1]
    assert 0 <= row["label/right"] <= 1 and 0 <= row["label/named"] <= 1 and row["within"] > 0
    assert not any(key.startswith("label/") for key in trained(tmp / "not").rows("vitals")[-1])


# -- images that training never sees ---------------------------------------------------------------------------


def test_the_other_split_is_unseen() -> None:
    found = data.unseen(DataConfig(name="shapes", size=16, limit=90), 40)
    test = data.load(DataConfig(name="shapes", size=16, split="test", limit=40), progress=False)
    assert found is not None and (found.images == test.images).all() and len(found.images) == 40


def test_held_out_images_are_unseen_first_of_all(tmp: Path) -> None:
    run, images = start(tmp / "run", {"data.held_out": 0.25})
    from ganvas.engine import Engine
    from ganvas.stepper import Stepper

    engine = Engine(run.config.engine)
    step = Stepper(run.config, images, engine)
    signs = Signs(run, images, step.learnt, step.held_out, engine)
    assert signs.unseen is not None and (signs.unseen.images == images.images[step.held_out]).all()


def test_a_folder_of_ones_own_has_none_unless_some_are_held_out(tmp: Path) -> None:
    np.save(tmp / "mine.npy", np.random.default_rng(0).integers(0, 255, (60, 16, 16, 3), np.uint8))
    assert data.unseen(DataConfig(name=str(tmp / "mine.npy")), 40) is None
    own = {"data.name": str(tmp / "mine.npy"), "data.limit": None}
    assert "above/unseen" not in trained(tmp / "none", own).rows("vitals")[-1]
    assert "above/unseen" in trained(tmp / "some", {**own, "data.held_out": 0.3}).rows("vitals")[-1]


def test_without_another_split_here_nothing_is_fetched(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "empty"))
    monkeypatch.setattr("ganvas.datasets.cache.fetch", lambda *_: pytest.fail("fetched"))
    assert data.unseen(DataConfig(name="cifar10"), 40) is None
