"""Features that meet in one update, each pair against its definition: d_steps x data, R2 x augmentation, ..."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from conftest import tiny
from ganvas import api
from ganvas.models.critique import Critique
from ganvas.training import step as steps
from ganvas.training.augment import Augment
from ganvas.training.backend import Engine
from ganvas.training.batch import Batch
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.losses import LOSSES, Targets
from ganvas.training.objective import DOutput, Objective
from ganvas.training.penalties import add_noise, squared_gradient
from ganvas.training.trainer import Trainer

SHAPE = (3, 16, 16)
ALONE = {"discriminator.norms": (False, False), "generator.norm": "none", "discriminator.dropout": 0.0}
MOVED = {"augment.p": 1.0, "augment.translate": 0.25, "augment.colour": 1.0, "augment.cutout": 0.5,
         "augment.paired": False}  # fmt: skip


def trainer(changes: dict[str, Any]) -> tuple[Trainer, TrainState]:
    config = tiny({**ALONE, **changes})
    engine = Engine(config.engine)
    return Trainer(config, api.load_data(config.data), engine), fresh_state(config, SHAPE, engine)


def fakes(seed: int = 5, n: int = 16) -> Tensor:
    return torch.rand((n, *SHAPE), generator=torch.Generator().manual_seed(seed)) * 2 - 1


def prepared(changes: dict[str, Any]) -> tuple[Trainer, TrainState, Batch]:
    """A trainer, its fresh state and its first batch, whose noise is that of seed 2."""
    step, state = trainer(changes)
    batch = step.batch(0, 0.0, 1.0)
    batch.rng.manual_seed(2)
    return step, state, batch


# -- several steps of D


@pytest.mark.parametrize("d_steps", [1, 3])
def test_each_step_of_d_gets_the_next_images(d_steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    step, state = trainer({"step.update": "alternating", "step.d_steps": d_steps})
    seen: list[Batch] = []
    monkeypatch.setattr(
        step, "update", lambda networks, batches, objective: seen.extend(batches) or
        steps.alternating(networks, batches, objective),
    )  # fmt: skip
    step(state, 0.0)
    step(state, 0.0)
    assert state.nimg == 2 * d_steps * 16 and len(seen) == 2 * d_steps
    for i, batch in enumerate(seen):
        expected = step.batch(16 * i, 0.0, 0.0)
        assert torch.equal(batch.real, expected.real) and torch.equal(batch.z, expected.z)
    assert len({batch.z.numpy().tobytes() for batch in seen}) == len(seen)


@pytest.mark.parametrize("d_steps", [1, 3])
def test_the_ema_counts_the_images_of_every_step_of_d(d_steps: int) -> None:
    settings = {"step.update": "alternating", "step.d_steps": d_steps, "step.ema_kimg": 0.1, "g_optim.lr": 0.01}
    step, state = trainer({**settings, "step.ema_warmup": 0.0})
    assert state.ema is not None
    before = [p.clone() for p in state.ema.parameters()]
    step(state, 0.0)
    beta = 0.5 ** (16 * d_steps / 100)
    for old, new, kept in zip(before, state.networks.generator.parameters(), state.ema.parameters(), strict=True):
        assert not torch.equal(old, new)
        torch.testing.assert_close(kept, beta * old + (1 - beta) * new, rtol=1e-4, atol=1e-7)


# -- penalties and augmentation


@pytest.mark.parametrize("update", ["simultaneous", "one-stage", "alternating"])
@pytest.mark.parametrize(("r1", "r2"), [(0.0, 1.5), (3.0, 0.0), (3.0, 1.5)])
@pytest.mark.parametrize("joint", [False, True])
def test_finite_penalties_compare_each_image_with_its_own_moved_copy(
    update: str, r1: float, r2: float, joint: bool
) -> None:
    step, state, batch = prepared({
        **MOVED, "step.update": update, "step.joint": joint, "penalty.r1": r1, "penalty.r2": r2,
        "penalty.form": "finite", "penalty.sigma": 0.05, "penalty.share": 0.5,
    })  # fmt: skip
    D, fake, noise = state.networks.discriminator, fakes(), torch.Generator().manual_seed(2)
    found = step.objective.for_d(D, batch, fake).penalty
    expected = torch.zeros(())
    for weight, images, draws in ((r1, batch.real, batch.draws[0]), (r2, fake, batch.draws[1])):
        if weight:
            here = D(step.augment(images[:8], draws[:8]), None).logits
            there = D(step.augment(add_noise(images[:8], 0.05, noise), draws[:8]), None).logits
            expected = expected + weight / 2 * ((there - here) / 0.05).square().mean()
    assert expected > 0
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("update", ["simultaneous", "one-stage", "alternating"])
@pytest.mark.parametrize(("r1", "r2"), [(0.0, 1.5), (3.0, 0.0), (3.0, 1.5)])
def test_exact_penalties_augment_each_image_by_its_own_draws(update: str, r1: float, r2: float) -> None:
    step, state, batch = prepared({**MOVED, "step.update": update, "penalty.r1": r1, "penalty.r2": r2})
    D, fake = state.networks.discriminator, fakes()
    found = step.objective.for_d(D, batch, fake).penalty
    expected = torch.zeros(())
    for weight, images, draws in ((r1, batch.real, batch.draws[0]), (r2, fake, batch.draws[1])):
        gradient = squared_gradient(lambda x, y, draws=draws: D(step.augment(x, draws), y), images, None)
        expected = expected + weight / 2 * gradient.mean()
    assert expected > 0
    torch.testing.assert_close(found, expected)


def test_the_gradient_penalty_mixes_images_under_the_draws_of_the_real_ones() -> None:
    step, state, batch = prepared({**MOVED, "penalty.gp": 4.0})
    D, fake, rng = state.networks.discriminator, fakes(), torch.Generator().manual_seed(2)
    found = step.objective.for_d(D, batch, fake).penalty
    between = torch.lerp(fake, batch.real, torch.rand(16, 1, 1, 1, generator=rng))
    squared = squared_gradient(lambda x, y: D(step.augment(x, batch.draws[0]), y), between, None)
    torch.testing.assert_close(found, 4 * (squared.add(1e-12).sqrt() - 1).square().mean())


# -- targets


@pytest.mark.parametrize("loss", [name for name, loss in LOSSES.items() if loss.has_targets])
@pytest.mark.parametrize("targets", [{"loss.smooth": 0.2}, {"loss.soft": 0.3}, {"loss.flip": 0.5}])
@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
def test_targets_reach_ds_loss_and_its_gradient(loss: str, targets: dict[str, float], update: str) -> None:
    step, state = trainer({"loss.name": loss, "step.update": update, **targets})
    batch = step.batch(0, 0.0, 0.0)
    t = batch.targets
    assert t is not None
    G, D, kept = state.networks.generator, state.networks.discriminator, []
    with torch.no_grad():
        fake = G(batch.z, None)
    real_logits, fake_logits = D(batch.real, None).logits, D(fake, None).logits
    if loss == "bce":
        expected = cross_entropy(real_logits, t.real, reduction="none")
        expected = expected + cross_entropy(fake_logits, t.fake, reduction="none")
    else:
        expected = ((real_logits - t.real) ** 2 + (fake_logits - t.fake) ** 2) / 2
    state.networks.d_optim.step = lambda gradients, progress: kept.extend(gradients) or torch.zeros(())  # type: ignore[method-assign]
    result = steps.UPDATES[update](state.networks, [batch], step.objective)
    torch.testing.assert_close(result.batch.d_loss, expected.detach(), rtol=1e-4, atol=1e-6)
    for a, b in zip(kept, torch.autograd.grad(expected.mean(), tuple(D.parameters())), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("setting", "real", "fake"), [
    ("loss.smooth", (0.8, 0.8), (0.0, 0.0)), ("loss.soft", (0.8, 1.0), (0.0, 0.2)),
    ("loss.flip", (0.0, 1.0), (0.0, 1.0)),
])  # fmt: skip
def test_the_targets_are_drawn_as_they_are_named(
    setting: str, real: tuple[float, float], fake: tuple[float, float]
) -> None:
    step, _ = trainer({setting: 0.2, "step.batch": 96})
    t = step.batch(0, 0.0, 0.0).targets
    assert t is not None
    for values, (low, high) in ((t.real, real), (t.fake, fake)):
        assert low - 1e-6 <= values.min() and values.max() <= high + 1e-6
        assert (values.max() - values.min() > 1e-6) == (low < high)
    if setting == "loss.flip":
        assert 0.05 < (t.real == 0).float().mean() < 0.4 and 0.05 < (t.fake == 1).float().mean() < 0.4
        assert not torch.equal(t.real == 0, t.fake == 1)
    if setting == "loss.soft":
        assert (1 - t.real - t.fake).abs().max() > 0.01  # each image has a target of its own


def test_a_one_stage_update_divides_by_the_slope_that_the_targets_give() -> None:
    step, _ = trainer({"step.update": "one-stage"})
    logits = torch.tensor([-2.0, 0.5, 3.0])
    t = Targets(torch.tensor([0.9, 0.8, 1.0]), torch.tensor([0.1, 0.0, 0.02]))
    real, fake = (Critique(x, x[:, None]) for x in (logits + 1, logits))
    view = DOutput(real, fake, logits, logits[0])
    _, ratio = step.objective.g_slope_over_d_slope(view, t)
    slope = torch.sigmoid(logits) - t.fake
    torch.testing.assert_close(ratio, -torch.sigmoid(-logits) / slope.clamp(min=1e-12))


# -- G's loss


@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
@pytest.mark.parametrize("moved", [{}, MOVED])
def test_feature_matching_compares_fakes_with_real_images(update: str, moved: dict[str, Any]) -> None:
    settings = {**moved, "step.update": update, "loss.feature_matching": 5.0, "d_optim.lr": 0.01}
    step, state, batch = prepared(settings)
    old, kept = copy.deepcopy(state.networks.discriminator), []
    state.networks.g_optim.step = lambda gradients, progress: kept.extend(gradients) or torch.zeros(())  # type: ignore[method-assign]
    result = steps.UPDATES[update](state.networks, [batch], step.objective)
    D = old if update == "simultaneous" else state.networks.discriminator
    G = state.networks.generator
    real = D(step.augment(batch.real, batch.draws[0]), None)
    fake = D(step.augment(G(batch.z, None), batch.draws[1]), None)
    distance = (real.features.mean(0) - fake.features.mean(0)).square().sum()
    assert distance > 0
    loss = cross_entropy(fake.logits, torch.ones(16)) + 5 * distance
    torch.testing.assert_close(result.batch.g_loss.mean(), loss.detach(), rtol=1e-4, atol=1e-6)
    for a, b in zip(kept, torch.autograd.grad(loss, tuple(G.parameters())), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


def test_an_update_cut_into_parts_keeps_each_parts_targets_and_draws() -> None:
    settings = {**MOVED, "loss.soft": 0.3, "loss.flip": 0.3, "penalty.r1": 1.0, "penalty.r2": 2.0}
    step, state, batch = prepared(settings)
    objective = Objective(
        replace(step.config, step=replace(step.config.step, accumulate=4)),
        Augment(step.config.augment, SHAPE), step.engine.autocast,
    )  # fmt: skip
    found: list[list[Tensor]] = []
    for each in (step.objective, objective):
        networks, kept = copy.deepcopy(state.networks), []
        networks.d_optim.step = lambda gradients, progress, kept=kept: kept.extend(gradients) or torch.zeros(())  # type: ignore[method-assign]
        networks.g_optim.step = lambda gradients, progress: torch.zeros(())  # type: ignore[method-assign]
        steps.simultaneous(networks, [batch], each)
        found.append(kept)
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)
