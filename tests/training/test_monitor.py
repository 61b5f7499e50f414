"""The vital signs: exact where they can be, seen to move where they should, and no part of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from conftest import start, tiny, trained
from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors
from ganvas.training.monitor import Monitor, auc

# -- D -------------------------------------------------------------------------------------------------------


def test_auc_is_the_area_under_the_roc_curve() -> None:
    a, b = torch.tensor([1.0, 2.0, 2.0]), torch.tensor([0.0, 2.0])
    assert auc(a, b) == pytest.approx((1 + 0 + 1 + 0.5 + 1 + 0.5) / 6)


# -- what training writes --------------------------------------------------------------------------------------


def test_a_run_has_a_row_for_every_sample_grid(finished: Run) -> None:
    rows = finished.rows("monitor")
    assert [row["nimg"] for row in rows] == [at for at, _ in finished.sample_grids()]
    assert not any(key.startswith(("update_ratio/", "grad/", "sample_change")) for key in rows[0])  # nothing moved yet
    assert {"update_ratio/g", "update_ratio/d", "sample_change", "distance/raw", "auc/fake", "auc/held_out"} <= rows[
        -1
    ].keys()
    assert 0 <= rows[-1]["auc/fake"] <= 1


def test_the_blocks_gradients_make_up_the_whole(tmp: Path) -> None:
    run = trained(tmp / "run", {"log.every": 1})
    row, whole = run.rows("monitor")[-1], run.rows("metrics")[-1]
    assert row["nimg"] == whole["nimg"]
    for name in "gd":
        blocks = [value for key, value in row.items() if key.startswith(f"grad/{name}/")]
        assert len(blocks) >= 3 and np.sqrt(np.sum(np.square(blocks))) == pytest.approx(whole[f"grad/{name}"], rel=1e-4)


@pytest.mark.parametrize("update", ["simultaneous", "alternating", "one-stage"])
def test_the_update_ratio_is_the_length_of_the_step_over_that_of_the_weights(tmp: Path, update: str) -> None:
    sgd = {f"{side}_optim.{key}": value for side in "gd" for key, value in (("name", "sgd"), ("beta1", 0.0))}
    own = {"step.update": update, "step.joint": update == "one-stage", "discriminator.norms": (False, False)}
    run = trained(
        tmp / "run", {**sgd, **own, "budget.kimg": 0.016, "log.every": 1, "g_optim.lr": 0.5, "d_optim.lr": 0.25}
    )
    row, metrics = run.rows("monitor")[-1], run.rows("metrics")[-1]
    first = tiny({**sgd, **own})
    from ganvas import models

    networks = models.build_generator(first, (3, 16, 16)), models.build_discriminator(first, (3, 16, 16))
    for name, rate, network in zip("gd", (0.5, 0.25), networks, strict=True):
        length = torch.nn.utils.get_total_norm([p.detach() for p in network.parameters()]).item()
        assert row[f"update_ratio/{name}"] == pytest.approx(rate * metrics[f"grad/{name}"] / length, rel=1e-3)


def test_monitoring_changes_nothing(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"step.ema_kimg": 0.1, "discriminator.dropout": 0.3, "discriminator.norms": (True, True)}

    def weights(run: Run) -> dict[str, Any]:
        folder = run.checkpoints()[-1][1]
        return {f"{p.stem}.{k}": v for p in folder.glob("*.safetensors") for k, v in load_tensors(p)[0].items()}

    one = weights(trained(tmp / "read", changes))
    monkeypatch.setattr(Monitor, "write", lambda *_: {})
    other = weights(trained(tmp / "not", changes))
    assert one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_conditional_runs_test_d_on_the_classes(tmp: Path) -> None:
    conditional = {"data.labels": "use", "discriminator.classify": 1.0, "data.limit": 200}
    row = trained(tmp / "conditional", conditional).rows("monitor")[-1]
    assert 0 <= row["label/auc"] <= 1 and 0 <= row["label/accuracy"] <= 1 and row["within"] > 0
    assert row["label/n"] == 128 > row["n_rated"]
    assert not any(key.startswith("label/") for key in trained(tmp / "not").rows("monitor")[-1])


# -- images that training never sees ---------------------------------------------------------------------------


def test_the_other_split_is_unseen() -> None:
    found = datasets.unseen(DataConfig(name="shapes", size=16, limit=90), 40)
    test = datasets.load(DataConfig(name="shapes", size=16, split="test", limit=40), progress=False)
    assert found is not None and (found.images == test.images).all() and len(found.images) == 40


def test_held_out_images_are_unseen_first_of_all(tmp: Path) -> None:
    run, images = start(tmp / "run", {"data.held_out": 0.25})
    from ganvas.training.backend import Engine
    from ganvas.training.trainer import Trainer

    engine = Engine(run.config.engine)
    step = Trainer(run.config, images, engine)
    monitor = Monitor(run, images, step.train_indices, step.held_out, engine)
    assert monitor.held_out is not None and (monitor.held_out.images == images.images[step.held_out]).all()


def test_a_folder_of_ones_own_has_none_unless_some_are_held_out(tmp: Path) -> None:
    np.save(tmp / "mine.npy", np.random.default_rng(0).integers(0, 255, (60, 16, 16, 3), np.uint8))
    assert datasets.unseen(DataConfig(name=str(tmp / "mine.npy")), 40) is None
    own = {"data.name": str(tmp / "mine.npy"), "data.limit": None}
    assert "auc/held_out" not in trained(tmp / "none", own).rows("monitor")[-1]
    assert "auc/held_out" in trained(tmp / "some", {**own, "data.held_out": 0.3}).rows("monitor")[-1]


def test_without_another_split_here_nothing_is_fetched(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "empty"))
    monkeypatch.setattr("ganvas.datasets.cache.fetch", lambda *_: pytest.fail("fetched"))
    assert datasets.unseen(DataConfig(name="cifar10"), 40) is None


def test_copies_are_counted_where_there_are_few_training_images(tmp: Path) -> None:
    row = trained(tmp / "few").rows("monitor")[-1]  # 96 images, and as many held-out ones
    assert 0 <= row["nearest_train"] <= 1
    assert "nearest_train" not in trained(tmp / "many", {"data.limit": 1100}).rows("monitor")[-1]
