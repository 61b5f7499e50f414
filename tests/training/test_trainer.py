"""What an update is made from: held-out images, classes, augmentation, laziness, all functions of (seed, nimg)."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import torch

from conftest import start, tiny, trained
from ganvas import api, datasets
from ganvas.config import override
from ganvas.errors import UsageError
from ganvas.training import loop as training
from ganvas.training import setup
from ganvas.training.augment import overfitting
from ganvas.training.backend import Engine
from ganvas.training.batch import DInput
from ganvas.training.checkpoint import fresh_state
from ganvas.training.setup import settle_labels
from ganvas.training.train_metrics import columns
from ganvas.training.trainer import Trainer, probe_step, split_held_out

SHAPE = (3, 16, 16)


def trainer(changes: dict[str, Any]) -> Trainer:
    config = tiny(changes)
    images = api.load_data(config.data)
    return Trainer(settle_labels(config, images), images, Engine(config.engine))


def test_held_out_images_are_never_trained_on() -> None:
    train, held_out = split_held_out(tiny({"data.held_out": 0.25}), 96)
    assert len(held_out) == 24 and sorted([*train, *held_out]) == list(range(96))
    assert split_held_out(tiny({"data.held_out": 0.25, "seed": 1}), 96)[1].tolist() != held_out.tolist()
    step = trainer({"data.held_out": 0.25})
    secret = {step.images.images[i].tobytes() for i in held_out}
    for at in range(0, 288, 16):  # four passes
        real = ((step.batch(at, 0.0, 0.0).real + 1) * 127.5).round().to(torch.uint8).numpy()
        assert not secret & {np.ascontiguousarray(image).tobytes() for image in real}


def test_a_small_share_still_holds_out_an_image() -> None:
    train, held_out = split_held_out(tiny({"data.held_out": 0.1}), 2)
    assert len(train) == len(held_out) == 1


def test_without_a_share_every_image_is_trained_on_in_its_old_order() -> None:
    train, held_out = split_held_out(tiny(), 96)
    assert len(held_out) == 0 and train.tolist() == list(range(96))


def test_a_row_says_how_d_judges_what_it_never_saw(tmp: Any) -> None:
    settings = {"data.held_out": 0.25, "discriminator.norms": (False, False), "discriminator.dropout": 0.0}
    rows = trained(tmp / "run", settings).rows("metrics")
    assert all(np.isfinite(row["logit/held_out"]) and 0 <= row["overfit"] <= 1 for row in rows)
    assert "logit/held_out" not in trained(tmp / "other").rows("metrics")[0]


def test_looking_at_held_out_images_changes_nothing(tmp: Any) -> None:
    step = trainer({"data.held_out": 0.25, "discriminator.norms": (False, True)})
    state = fresh_state(step.config, SHAPE, step.engine)
    before = {k: v.clone() for k, v in state.networks.discriminator.state_dict().items()}
    once, again = (step.overfit(state, 1.0, -1.0, 0.0) for _ in range(2))
    assert once == again
    assert all(torch.equal(before[k], v) for k, v in state.networks.discriminator.state_dict().items())


def as_bytes(real: torch.Tensor) -> np.ndarray:
    """The images of a batch as they lie in the set."""
    return ((real + 1) * 127.5).round().to(torch.uint8).numpy()


@pytest.mark.parametrize("flip", [False, True])
def test_a_batch_is_the_images_of_its_place_mirrored_where_its_stream_says(flip: bool) -> None:
    step = trainer({"data.flip": flip, "data.held_out": 0.25, "data.labels": "use"})
    given, seed = step.batch(32, 0.0, 0.0), step.config.seed
    chosen = step.train_indices[datasets.order(seed, 32, 16, 72)]
    expected = step.images.images[chosen].copy()
    mirrored = datasets.flips(seed, 32, 16) if flip else np.zeros(16, bool)
    assert 0 < np.count_nonzero(mirrored) < 16 or not flip
    expected[mirrored] = expected[mirrored][..., ::-1]
    assert np.array_equal(as_bytes(given.real), expected)
    assert given.labels is not None and step.images.labels is not None
    assert given.labels.tolist() == step.images.labels[chosen].tolist()


def test_latents_belong_to_places_not_to_batches() -> None:
    step = trainer({})
    first, next_ = step.batch(16, 0.0, 0.0).z, step.batch(24, 0.0, 0.0).z
    assert torch.equal(first[8:], next_[:8]) and len({tuple(z) for z in [*first.tolist(), *next_.tolist()]}) == 24


@pytest.mark.parametrize("share", [0.1, 0.25])
def test_the_held_out_logit_is_ds_mean_without_training(share: float) -> None:
    """Over a batch of them, or over all where there are fewer."""
    step = trainer({"data.held_out": share, "discriminator.dropout": 0.5})
    state = fresh_state(step.config, SHAPE, step.engine)
    n = len(step.held_out)
    chosen = step.held_out[datasets.order(step.config.seed, state.nimg, min(16, n), n)]
    images = step.engine.images(torch.from_numpy(step.images.images[chosen]))
    draws = step.augment.draw(len(chosen), 0.0, 0.0, step.rng)
    D = state.networks.discriminator.eval()
    with torch.no_grad():
        (critique,) = step.objective.critiques(D, [DInput(images, draws, None)])
    D.train()
    found = step.overfit(state, 1.0, -2.0, 0.0)
    assert found["logit/held_out"] == pytest.approx(critique.logits.mean().item(), rel=1e-6)
    assert found["overfit"] == overfitting(1.0, found["logit/held_out"], -2.0)


def timeless(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in ("sec", "cpu_sec", "img_s")}


def broken_off(path: Any, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a run that was stopped at its checkpoint of 96 images and taken up again."""
    run, images = start(path, settings)

    def stop(event: training.Event) -> None:
        if event.kind == "checkpoint" and event.nimg == 96:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        api.run_training(run, images, [stop])
    assert api.run_training(run, images)
    return [timeless(row) for row in run.rows("metrics")]


def test_adas_probability_moves_with_the_rows_and_survives_a_resume(tmp: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.training.trainer.overfitting", lambda *_: 1.0)
    settings = {"data.held_out": 0.25, "augment.adapt": 0.5, "augment.adapt_kimg": 0.32, "augment.translate": 0.2,
                "augment.mirror": True, "log.every": 1, "log.checkpoint_kimg": 0.032}  # fmt: skip
    rows = trained(tmp / "whole", settings).rows("metrics")
    assert [row["augment/p"] for row in rows] == pytest.approx([0.05 * k for k in range(12)])
    assert broken_off(tmp / "broken", settings) == [timeless(row) for row in rows]


def test_the_real_and_the_fake_of_a_pair_are_treated_alike_unless_set_otherwise() -> None:
    settings = {"augment.p": 1.0, "augment.translate": 0.25, "step.batch": 64}
    same, other = trainer(settings).batch(0, 0.0, 0.0).draws, trainer({**settings, "augment.paired": False}).batch(
        0, 0.0, 0.0).draws  # fmt: skip
    assert torch.equal(same[0].shift, same[1].shift) and not torch.equal(other[0].shift, other[1].shift)


def test_lazy_penalties_are_due_at_every_so_many_updates() -> None:
    step = trainer({"penalty.r1": 1.0, "penalty.every": 4})
    assert [step.batch(16 * k, 0.0, 0.0).penalty_scale for k in range(9)] == [4, 0, 0, 0, 4, 0, 0, 0, 4]
    adaptive = trainer({"penalty.r1": 1.0, "penalty.every": 4, "penalty.adapt": 0.5})
    assert [adaptive.batch(16 * k, 0.0, 0.0, 0.25).penalty_scale for k in range(5)] == [1, 0, 0, 0, 1]


def test_the_classification_loss_falls_as_adaptive_penalties_grow() -> None:
    adaptive = trainer({"penalty.r1": 1.0, "penalty.adapt": 0.5, "discriminator.classify": 2.0})
    assert [adaptive.batch(0, 0.0, 0.0, strength).classify_scale for strength in (0.0, 0.25, 1.0)] == [2.0, 1.5, 0.0]
    steady = trainer({"penalty.r1": 1.0, "discriminator.classify": 2.0})
    assert steady.batch(0, 0.0, 0.0).classify_scale == 2.0


@pytest.mark.parametrize("form", ["exact", "finite"])
def test_a_penalty_that_adapts_costs_nothing_at_no_strength_and_counts_in_proportion(form: str) -> None:
    settings = {"penalty.r1": 1.0, "penalty.r2": 1.0, "penalty.form": form, "penalty.adapt": 0.5,
                "discriminator.dropout": 0.0}  # fmt: skip
    step = trainer(settings)
    state = fresh_state(step.config, SHAPE, step.engine)
    D, fake = state.networks.discriminator, torch.zeros(16, *SHAPE)

    def penalty(strength: float) -> float:
        given = step.batch(0, 0.0, 0.0, strength)
        given.rng.manual_seed(0)
        return step.objective.for_d(D, given, fake).penalty.item()

    assert penalty(0.0) == 0.0 < penalty(1.0)
    assert penalty(0.25) == pytest.approx(0.25 * penalty(1.0))


def test_the_strength_of_penalties_follows_ds_lead_and_survives_a_resume(tmp: Any) -> None:
    settings = {"penalty.r1": 1.0, "penalty.adapt": 0.1, "penalty.adapt_kimg": 0.128,
                "d_optim.lr": 0.005, "log.every": 1,
                "log.checkpoint_kimg": 0.032}  # fmt: skip
    rows = trained(tmp / "whole", settings).rows("metrics")
    assert rows[0]["penalty/strength"] == 0.0
    for row, later in itertools.pairwise(rows):
        lead = row["acc/real"] + row["acc/fake"] - 1
        grown = 0.125 if lead > 0.1 else 0.0  # what has grown stays
        assert later["penalty/strength"] == pytest.approx(min(row["penalty/strength"] + grown, 1.0))
        assert (row["penalty"] > 0) == (row["penalty/strength"] > 0)
    assert len({row["penalty/strength"] for row in rows}) > 2
    assert broken_off(tmp / "broken", settings) == [timeless(row) for row in rows]


def test_the_strength_of_penalties_stays_when_ds_lead_is_gone(tmp: Any) -> None:
    """If it fell, the lead would come back."""
    step = trainer({"penalty.r1": 1.0, "penalty.adapt": 0.5, "penalty.adapt_kimg": 0.064})
    state = fresh_state(step.config, SHAPE, step.engine)

    def strength_after(accuracy: float) -> float:
        names = columns(step.config)
        state.sums = torch.tensor([accuracy if name.startswith("acc/") else 0.0 for name in names])
        state.updates = 1
        training._row(state, step, 0.0, 1.0)
        return state.penalty_strength

    assert [strength_after(accuracy) for accuracy in (1.0, 0.5, 1.0, 0.0, 0.75)] == [0.25, 0.25, 0.5, 0.5, 0.5]


@pytest.mark.parametrize("extra", [{"penalty.gp": 1.0}, {"penalty.r1": 0.1, "penalty.form": "finite",
                                                         "discriminator.dropout": 0.0}])  # fmt: skip
def test_what_is_random_in_an_update_is_a_function_of_seed_and_position(extra: dict[str, Any]) -> None:
    settings = {"augment.p": 1.0, "augment.colour": 1.0, "augment.noise": 0.1, "loss.flip": 0.2, "loss.soft": 0.2,
                **extra}  # fmt: skip
    step = trainer(settings)
    states = [fresh_state(step.config, SHAPE, step.engine) for _ in range(2)]
    step(states[0], 0.0)
    torch.rand(7)
    trainer(settings).batch(160, 0.0, 0.0)
    trainer(settings)(states[1], 0.0)
    assert torch.equal(states[0].sums, states[1].sums)


def test_labels_are_settled_by_the_data() -> None:
    config = tiny({"data.labels": "auto"})
    images = api.load_data(config.data)
    assert settle_labels(config, images).data.labels == "use"
    assert settle_labels(tiny(), images).data.labels == "ignore"
    bare = type(images)(**{**vars(images), "labels": None, "class_names": ()})
    assert settle_labels(config, bare).data.labels == "ignore"
    with pytest.raises(UsageError, match="has no classes to use"):
        settle_labels(tiny({"data.labels": "use"}), bare)


def test_g_begins_with_another_generator_and_waits_for_d(tmp: Any) -> None:
    first = trained(tmp / "first", {"data.labels": "use", "step.ema_kimg": 0.1})
    config = setup.start_from(tiny({"step.ema_kimg": 0.1, "data.labels": "auto", "log.every": 1}), first.path)
    assert config.g_optim.warmup == setup.CATCH_UP and config.data.labels == "use"
    images = api.load_data(config.data)
    run = api.create_run(config, images, tmp / "second")
    assert api.run_training(run, images)
    assert (
        run.sample_grids()[0][1].read_bytes() == first.sample_grids()[-1][1].read_bytes()
    )  # the untrained one is trained
    assert run.sample_grids()[-1][1].read_bytes() != first.sample_grids()[-1][1].read_bytes()
    assert run.rows("metrics")[0]["lr/g"] < run.rows("metrics")[-1]["lr/g"]
    with pytest.raises(UsageError, match="train without --from"):
        api.create_run(override(config, {"data.size": 32}), api.load_data(tiny({"data.size": 32}).data), tmp / "third")


@pytest.mark.parametrize(("batch", "parts", "expected"), [(16, 1, 16), (96, 1, 64), (96, 3, 66), (96, 6, 66)])
def test_the_probe_times_whole_parts_of_about_64_images(
    batch: int, parts: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(Trainer, "__call__", lambda self, state, progress: seen.append(self.config.step.batch))
    config = tiny({"step.batch": batch, "step.accumulate": parts})
    probe_step(config, api.load_data(config.data), Engine(config.engine))()
    assert seen == [expected] and expected % parts == 0


def test_the_ratio_of_updates_to_weights_is_measured_when_asked() -> None:
    step = trainer({})
    state = fresh_state(step.config, SHAPE, step.engine)
    assert step(state, 0.0) == {}
    assert {"update_ratio/g", "update_ratio/d"} <= set(step(state, 0.0, measure=True))
