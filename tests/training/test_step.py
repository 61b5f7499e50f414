"""The updates against gradients computed independently, with torch's own functions."""

from __future__ import annotations

import copy
import dataclasses
from itertools import product
from typing import Any

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from conftest import tiny
from ganvas.config import Config
from ganvas.models.critique import Critique
from ganvas.training.augment import Augment
from ganvas.training.backend import Engine
from ganvas.training.batch import Batch
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.losses import LEAK, LOSSES, within_class_variety
from ganvas.training.objective import DOutput, Objective
from ganvas.training.penalties import add_noise, squared_gradient
from ganvas.training.step import UPDATES, UpdateResult

SHAPE = (3, 16, 16)
PLAIN = {"discriminator.dropout": 0.0}


class Recorder:
    """In place of an optimiser: records its gradients, then calls the real one."""

    def __init__(self, optimiser: object) -> None:
        self.optimiser, self.gradients = optimiser, []

    def step(self, gradients: tuple[Tensor, ...], progress: float) -> Tensor:
        self.gradients, self.progress = [g.clone() for g in gradients], progress
        return self.optimiser.step(gradients, progress)  # type: ignore[attr-defined,no-any-return]


def batch(config: Config, seed: int = 1, n: int = 16, classes: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    real = torch.rand((n, *SHAPE), generator=generator) * 2 - 1
    labels = torch.arange(n) % classes if classes else None
    draws = Augment(config.augment, SHAPE).draw(n, config.augment.p, 0.0, generator)
    z = torch.randn((n, 8), generator=generator)
    due, rng = float(config.penalty.every), torch.Generator().manual_seed(2)
    return Batch(real, z, labels, None, (draws, draws), due, config.discriminator.classify, 0.25, rng)


def updated(changes: dict[str, object], classes: int = 0) -> tuple[TrainState, TrainState, UpdateResult]:
    """The state before and after one update, its gradients recorded."""
    config = tiny({**PLAIN, "d_optim.lr": 0.01, "g_optim.lr": 0.01, **changes})
    engine = Engine(config.engine)
    old, new = (fresh_state(config, SHAPE, engine, classes) for _ in range(2))
    networks = new.networks
    networks.g_optim, networks.d_optim = Recorder(networks.g_optim), Recorder(networks.d_optim)  # type: ignore[assignment]
    batches = [batch(config, 1 + i, classes=classes) for i in range(config.step.d_steps)]
    objective = Objective(config, Augment(config.augment, SHAPE), engine.autocast)
    result = UPDATES[config.step.update](networks, batches, objective)
    return old, new, result


def expected_gradients(generator: nn.Module, judge: nn.Module, learner: nn.Module, of: str) -> list[Tensor]:
    """Plain autograd, one backward pass a network: D's terms from `judge`, differentiated by `learner`."""
    given = batch(tiny())
    ones, zeros = torch.ones(16), torch.zeros(16)
    if of == "d":
        with torch.no_grad():
            fake = generator(given.z, None)
        loss = cross_entropy(judge(given.real, None).logits, ones) + cross_entropy(judge(fake, None).logits, zeros)
    else:
        loss = cross_entropy(judge(generator(given.z, None), None).logits, ones)
    loss.backward()
    return [p.grad for p in learner.parameters() if p.grad is not None]


def close(found: list[Tensor], expected: list[Tensor]) -> None:
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_simultaneous_takes_both_gradients_at_the_old_weights() -> None:
    old, new, _ = updated({})
    G, D = old.networks.generator, old.networks.discriminator
    close(new.networks.d_optim.gradients, expected_gradients(copy.deepcopy(G), D, D, "d"))  # type: ignore[attr-defined]
    close(new.networks.g_optim.gradients, expected_gradients(G, copy.deepcopy(D), G, "g"))  # type: ignore[attr-defined]
    assert new.networks.g_optim.progress == new.networks.d_optim.progress == 0.25  # type: ignore[attr-defined]


def test_alternating_lets_g_meet_the_updated_d() -> None:
    old, new, _ = updated({"step.update": "alternating"})
    G, D = old.networks.generator, old.networks.discriminator
    close(new.networks.d_optim.gradients, expected_gradients(copy.deepcopy(G), D, D, "d"))  # type: ignore[attr-defined]
    found = new.networks.g_optim.gradients  # type: ignore[attr-defined]
    at_old_d = expected_gradients(other := copy.deepcopy(G), copy.deepcopy(D), other, "g")
    close(found, expected_gradients(G, copy.deepcopy(new.networks.discriminator), G, "g"))
    assert any((a - b).abs().max() > 1e-4 for a, b in zip(found, at_old_d, strict=True))


@pytest.mark.parametrize("update", ["alternating", "separate"])
def test_g_may_learn_from_latents_of_its_own(update: str) -> None:
    """The gradient is that of its own latents, against the updated D."""
    config = tiny({**PLAIN, "d_optim.lr": 0.01, "step.update": update, "step.fresh": True})
    old, new = (fresh_state(config, SHAPE, Engine(config.engine)) for _ in range(2))
    new.networks.g_optim = Recorder(new.networks.g_optim)  # type: ignore[assignment]
    given, own = batch(config), batch(config, seed=7).z
    given = dataclasses.replace(given, g_z=own)
    objective = Objective(config, Augment(config.augment, SHAPE), Engine(config.engine).autocast)
    UPDATES[update](new.networks, [given], objective)
    generator, judge = old.networks.generator, new.networks.discriminator
    cross_entropy(judge(generator(own, None), None).logits, torch.ones(16)).backward()
    close(grads_of(new.networks.g_optim), [p.grad for p in generator.parameters()])
    assert not torch.equal(own, given.z)


def grads_of(recorder: Any) -> list[Tensor]:
    return list(recorder.gradients)


def test_separate_steps_d_on_real_images_and_then_on_fakes_of_running_statistics() -> None:
    """Two steps of D, each on its own term of the loss; the fakes come from G in eval mode, and leave it alone."""
    old, new, result = updated({"step.update": "separate", "d_optim.name": "sgd", "d_optim.beta1": 0.0})
    config = tiny({**PLAIN, "d_optim.lr": 0.01, "d_optim.name": "sgd", "d_optim.beta1": 0.0})
    given, generator, learner = batch(config), old.networks.generator.eval(), old.networks.discriminator
    with torch.no_grad():
        fake = generator(given.z, None)
    logits, losses = [], []
    for images, target in ((given.real, 1.0), (fake, 0.0)):
        logits.append(learner(images, None).logits)
        losses.append(cross_entropy(logits[-1], torch.full((16,), target)))
        learner.zero_grad()
        losses[-1].backward()
        with torch.no_grad():
            for p in learner.parameters():
                p -= 0.01 * p.grad
    close(list(new.networks.discriminator.parameters()), list(learner.parameters()))
    torch.testing.assert_close(result.batch.d_loss.mean(), sum(losses))
    torch.testing.assert_close([result.batch.real, result.batch.fake], logits)
    statistics = [b for name, b in new.networks.generator.named_buffers() if name.endswith("num_batches_tracked")]
    assert all(int(b) <= 1 for b in statistics) and new.networks.generator.training


@pytest.mark.parametrize("update", UPDATES)
def test_each_optimiser_moves_its_own_network_and_nothing_else_remains(update: str) -> None:
    old, new, result = updated({"step.update": update, "discriminator.norms": (False, False)})
    for name in ("generator", "discriminator"):
        before, after = getattr(old.networks, name), getattr(new.networks, name)
        assert all(not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
        assert all(p.grad is None for p in after.parameters())
    norms = [torch.linalg.vector_norm(torch.stack([g.norm() for g in o.gradients])) for o in
             (new.networks.d_optim, new.networks.g_optim)]  # type: ignore[attr-defined]  # fmt: skip
    torch.testing.assert_close(torch.stack([result.d_norm, result.g_norm]), torch.stack(norms))


@pytest.mark.parametrize("update", UPDATES)
def test_the_weight_of_gs_loss_scales_its_gradient_alone(update: str) -> None:
    alone = {"step.update": update, "discriminator.norms": (False, False)}
    _, one, _ = updated(alone)
    _, three, result = updated({**alone, "loss.g_weight": 3.0})
    close(grads(three, "g"), [3 * g for g in grads(one, "g")])
    close(grads(three, "d"), grads(one, "d"))
    if update not in ("alternating", "separate"):  # the loss logged is unweighted
        torch.testing.assert_close(result.batch.g_loss, LOSSES["bce"].g(result.batch.real, result.batch.fake))


@pytest.mark.parametrize(("update", "calls"), [("simultaneous", "rf"), ("alternating", "rff")])
def test_batch_norm_sees_the_real_batch_first_and_each_call_once(update: str, calls: str) -> None:
    old, new, _ = updated({"step.update": update, "d_optim.lr": 1e-9, "g_optim.lr": 1e-9})
    G, D, given = old.networks.generator, old.networks.discriminator, batch(tiny())
    with torch.no_grad():
        fake = G(given.z, None)
        for call in calls:
            D(given.real if call == "r" else fake, None)
    for network, expected in ((new.networks.discriminator, D), (new.networks.generator, G)):
        buffers = dict(expected.named_buffers())
        assert buffers
        for name, value in network.named_buffers():
            torch.testing.assert_close(value, buffers[name], rtol=1e-4, atol=1e-6)


# -- one stage, joint calls, parts, several steps of D

ALONE = {"discriminator.norms": (False, False), "generator.norm": "none"}


@pytest.mark.parametrize("loss", ["bce", "relativistic", "wasserstein", "least-squares"])
@pytest.mark.parametrize("extra", [{}, {"penalty.r1": 0.1, "penalty.r2": 0.2, "penalty.form": "finite"},
                                   {"penalty.r1": 0.1, "penalty.r2": 0.2},
                                   {"augment.p": 1.0, "augment.translate": 0.2, "augment.colour": 1.0}])  # fmt: skip
@pytest.mark.parametrize("classes", [0, 3])
def test_one_stage_finds_the_gradients_of_the_simultaneous_step(loss: str, extra: dict[str, Any], classes: int) -> None:
    labels = {"data.labels": "use"} if classes else {}
    settings = {**ALONE, **extra, **labels, "loss.name": loss, "step.joint": True}
    _, two, expected = updated({**settings, "step.update": "simultaneous"}, classes)
    _, one, found = updated({**settings, "step.update": "one-stage"}, classes)
    close(grads(one, "g"), grads(two, "g"))
    close(grads(one, "d"), grads(two, "d"))
    torch.testing.assert_close(found.batch.g_loss, expected.batch.g_loss)


@pytest.mark.parametrize(
    ("changes", "one_pass"),
    [
        ({}, True),
        ({"loss.name": "hinge"}, True),
        ({"loss.smooth": 0.1}, True),
        ({"discriminator.classify": 1.0}, True),
        ({"loss.name": "least-squares"}, False),
        ({"loss.soft": 0.3}, False),
        ({"loss.flip": 0.1}, False),
        ({"penalty.centring": 0.1}, False),
        ({"loss.feature_matching": 1.0}, False),
        ({"discriminator.classify": 1.0, "loss.g_classify": 1.0}, False),
        ({"discriminator.minibatch": "std"}, False),
        ({"discriminator.norms": (False, True)}, False),
    ],
)
def test_one_stage_is_the_simultaneous_step_where_ds_backward_pass_does_not_tell_gs_gradient(
    changes: dict[str, Any], one_pass: bool
) -> None:
    settings = {**ALONE, "data.labels": "use", **changes}
    _, one, found = updated({**settings, "step.update": "one-stage"}, 3)
    config = tiny({**PLAIN, **settings, "step.update": "one-stage"})
    assert Objective(config, Augment(config.augment, SHAPE), Engine(config.engine).autocast).one_pass == one_pass
    if changes.get("loss.name") == "hinge":  # which has a small slope there in one pass alone
        return
    _, two, expected = updated({**settings, "step.update": "simultaneous"}, 3)
    close(grads(one, "g"), grads(two, "g"))
    close(grads(one, "d"), grads(two, "d"))
    torch.testing.assert_close(found.batch.g_loss, expected.batch.g_loss)


def test_the_hinge_of_one_stage_leaves_no_fake_without_a_slope() -> None:
    real, fake = torch.tensor([-3.0, 0.0, 0.9, 1.1, 3.0]), torch.tensor([-5.0, -1.5, -0.9, 0.0, 2.0]).requires_grad_()
    hinge = LOSSES["hinge"]
    assert hinge.one_stage_d is not None
    slopes = [torch.autograd.grad(d(real, fake, None).sum(), fake)[0] for d in (hinge.d, hinge.one_stage_d)]
    assert slopes[0].tolist() == [0.0, 0.0, 1.0, 1.0, 1.0]
    torch.testing.assert_close(slopes[1], torch.tensor([LEAK, LEAK, 1.0, 1.0, 1.0]))
    below = LEAK * torch.tensor([-4.0, -0.5, 0.0, 0.0, 0.0])
    torch.testing.assert_close(hinge.one_stage_d(real, fake, None), hinge.d(real, fake, None) + below)
    assert LOSSES["least-squares"].one_stage_d is None and LOSSES["bce"].one_stage_d is LOSSES["bce"].d


def test_gs_gradient_of_the_hinge_is_that_of_the_simultaneous_step() -> None:
    settings = {**ALONE, "loss.name": "hinge", "step.joint": True}
    _, two, expected = updated({**settings, "step.update": "simultaneous"})
    _, one, found = updated({**settings, "step.update": "one-stage"})
    close(grads(one, "g"), grads(two, "g"))
    torch.testing.assert_close(found.batch.g_loss, expected.batch.g_loss)


def test_one_stage_still_teaches_g_where_d_has_won() -> None:
    sure = {**ALONE, "step.update": "one-stage"}
    config = tiny({**PLAIN, **sure})
    objective = Objective(config, Augment(config.augment, SHAPE), Engine(config.engine).autocast)
    seen = torch.tensor([-20.0, -8.0, 0.0, 8.0])
    view = DOutput(Critique(seen + 9, seen[:, None]), Critique(seen, seen[:, None]), seen, seen[0])
    _, ratio = objective.g_slope_over_d_slope(view, None)
    slope_d = torch.sigmoid(seen)
    torch.testing.assert_close(ratio * slope_d, -torch.sigmoid(-seen))


@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
def test_a_joint_call_changes_nothing_where_d_looks_at_each_image_alone(update: str) -> None:
    settings = {**ALONE, "step.update": update, "penalty.r1": 0.1, "penalty.r2": 0.1, "penalty.form": "finite",
                "discriminator.classify": 1.0}  # fmt: skip
    _, apart, _ = updated({**settings, "step.joint": False})
    _, joint, _ = updated({**settings, "step.joint": True})
    close(grads(joint, "d"), grads(apart, "d"))
    close(grads(joint, "g"), grads(apart, "g"))


@pytest.mark.parametrize(
    ("loss", "update"), [("bce", "separate"), *product(["bce", "relativistic"], sorted({*UPDATES} - {"separate"}))]
)
def test_parts_of_a_batch_give_the_gradient_of_the_whole(update: str, loss: str) -> None:
    settings = {**ALONE, "step.update": update, "loss.name": loss}
    _, whole, expected = updated(settings)
    _, parts, found = updated({**settings, "step.accumulate": 4})
    close(grads(parts, "d"), grads(whole, "d"))
    close(grads(parts, "g"), grads(whole, "g"))
    torch.testing.assert_close(found.batch.real, expected.batch.real)
    torch.testing.assert_close(found.batch.g_loss, expected.batch.g_loss, rtol=1e-4, atol=1e-6)


def test_d_takes_all_its_steps_before_g_meets_it() -> None:
    settings = {"step.update": "alternating", "step.d_steps": 3}
    config = tiny({**PLAIN, "d_optim.lr": 0.01, "g_optim.lr": 0.01, **settings})
    old, new, _ = updated(settings)
    engine = Engine(config.engine)
    objective = Objective(config, Augment(config.augment, SHAPE), engine.autocast)
    by_hand, networks = old, old.networks
    for i in range(3):  # D alone, thrice
        given, fake = batch(config, 1 + i), None
        with torch.no_grad():
            fake = networks.generator(given.z, None)
        view = objective.for_d(networks.discriminator, given, fake)
        networks.d_optim.step(torch.autograd.grad(view.d_loss.mean(), tuple(networks.discriminator.parameters())), 0.25)
    close(list(new.networks.discriminator.parameters()), list(by_hand.networks.discriminator.parameters()))


# -- the terms beside the loss


def test_the_exact_penalties_are_added_at_their_weights() -> None:
    plain, with_r1 = updated({**ALONE})[2].batch, updated({**ALONE, "penalty.r1": 3.0})[2].batch
    old, _, _ = updated(ALONE)
    expected = squared_gradient(old.networks.discriminator, batch(tiny()).real, None).mean() * 3 / 2
    assert plain.penalty == 0
    torch.testing.assert_close(with_r1.penalty, expected.detach())
    torch.testing.assert_close(with_r1.d_loss, plain.d_loss)  # logged apart


def test_a_share_of_the_batch_is_penalised_and_laziness_is_made_up_for() -> None:
    old, _, _ = updated(ALONE)
    found = updated({**ALONE, "penalty.r1": 2.0, "penalty.share": 0.25, "penalty.every": 4})[2].batch
    expected = squared_gradient(old.networks.discriminator, batch(tiny()).real[:4], None).mean() * 4
    torch.testing.assert_close(found.penalty, expected.detach())


def test_the_finite_penalty_treats_a_moved_image_as_the_image_itself() -> None:
    settings = {**ALONE, "augment.p": 1.0, "augment.translate": 0.25, "augment.colour": 1.0, "augment.cutout": 0.5,
                "penalty.r1": 1.0, "penalty.form": "finite", "penalty.sigma": 0.001}  # fmt: skip
    config = tiny({**PLAIN, **settings})
    old, _, _ = updated(settings)
    found = updated(settings)[2].batch.penalty
    given, augment, D = batch(config), Augment(config.augment, SHAPE), old.networks.discriminator
    moved = add_noise(given.real, 0.001, torch.Generator().manual_seed(2))
    logits = [D(augment(x, given.draws[0]), None).logits for x in (given.real, moved)]
    expected = ((logits[1] - logits[0]) / 0.001).square().mean() / 2
    torch.testing.assert_close(found, expected.detach(), rtol=1e-2, atol=1e-4)


def test_gs_loss_may_match_features_too() -> None:
    settings = {**ALONE, "loss.feature_matching": 5.0}
    old, new, _ = updated(settings)
    G, D, given = old.networks.generator, old.networks.discriminator, batch(tiny())
    real, fake = D(given.real, None), D(G(given.z, None), None)
    matching = (real.features.mean(0) - fake.features.mean(0)).square().sum()
    loss = cross_entropy(fake.logits, torch.ones(16)) + 5 * matching
    close(grads(new, "g"), list(torch.autograd.grad(loss, tuple(G.parameters()))))


def test_d_classifies_real_images_and_g_is_trained_to_be_classified() -> None:
    settings = {**ALONE, "discriminator.classify": 3.0, "loss.g_classify": 0.5}
    old, new, result = updated(settings, classes=3)
    G, D, given = old.networks.generator, old.networks.discriminator, batch(tiny(), classes=3)
    real, fake = D(given.real, given.labels), D(G(given.z, given.labels), given.labels)
    assert real.classes is not None and fake.classes is not None
    rows = torch.arange(16)
    of_real, of_fake = (-c.classes.log_softmax(1)[rows, given.labels] for c in (real, fake))
    d_loss = (
        cross_entropy(real.logits, torch.ones(16)) + cross_entropy(fake.logits, torch.zeros(16)) + 3 * of_real.mean()
    )
    g_loss = cross_entropy(fake.logits, torch.ones(16)) + 0.5 * of_fake.mean()
    torch.testing.assert_close((result.batch.d_loss.mean(), result.batch.g_loss.mean()), (d_loss, g_loss))
    for of, loss, network in (("d", d_loss, D), ("g", g_loss, G)):
        close(grads(new, of), list(torch.autograd.grad(loss, tuple(network.parameters()), retain_graph=True)))


def test_d_classifies_real_images_by_its_projection_and_a_margin() -> None:
    classify = {"discriminator.classify": 3.0, "discriminator.classify_by": "projection"}
    old, new, result = updated({**ALONE, **classify, "discriminator.classify_margin": 0.05}, classes=3)
    G, D, given = old.networks.generator, old.networks.discriminator, batch(tiny(), classes=3)
    fake = D(G(given.z, given.labels), given.labels)
    every = torch.stack([D(given.real, torch.full((16,), k)).logits for k in range(3)], 1)  # what differs is the class
    rows = torch.arange(16)
    real = every[rows, given.labels]
    ahead = torch.stack([torch.where(given.labels == k, torch.inf, real - every[:, k]) for k in range(3)]).amin(0)
    named = -every.log_softmax(1)[rows, given.labels] * (ahead < 0.05)
    assert 0 < (ahead < 0.05).sum() < 16
    d_loss = cross_entropy(real, torch.ones(16)) + cross_entropy(fake.logits, torch.zeros(16))
    d_loss = d_loss + 3 * named.mean()
    torch.testing.assert_close(result.batch.d_loss.mean(), d_loss)
    close(grads(new, "d"), list(torch.autograd.grad(d_loss, tuple(D.parameters()), retain_graph=True)))
    g_loss = cross_entropy(fake.logits, torch.ones(16))
    close(grads(new, "g"), list(torch.autograd.grad(g_loss, tuple(G.parameters()))))


def test_d_classifies_only_while_fakes_vary_within_their_classes() -> None:
    classify = {**ALONE, "discriminator.classify": 3.0, "discriminator.classify_by": "projection"}
    G, given = updated(classify, classes=3)[0].networks.generator, batch(tiny(), classes=3)
    share = within_class_variety(given.real, G(given.z, given.labels), given.labels).item()
    assert 0.01 < share < 0.99
    always, varied, alike, never = (
        updated({**classify, **more}, classes=3)[1]
        for more in (
            {},
            {"discriminator.classify_variety": share - 0.01},
            {"discriminator.classify_variety": share + 0.01},
            {"discriminator.classify": 0.0},
        )
    )
    close(grads(varied, "d"), grads(always, "d"))
    close(grads(alike, "d"), grads(never, "d"))


def test_without_labels_nothing_is_classified() -> None:
    classify, plain = updated({**ALONE, "discriminator.classify": 3.0, "loss.g_classify": 0.5}), updated(ALONE)
    for of in ("d", "g"):
        close(grads(classify[1], of), grads(plain[1], of))


def test_centring_pulls_the_sum_of_a_pairs_logits_to_zero() -> None:
    settings = {**ALONE, "loss.name": "relativistic", "penalty.centring": 0.5}
    _, _, result = updated(settings)
    found = result.batch
    expected = torch.nn.functional.softplus(found.fake - found.real) + 0.5 * (found.real + found.fake) ** 2
    torch.testing.assert_close(found.d_loss, expected)


def grads(state: TrainState, of: str) -> list[Tensor]:
    """The gradients that a recorder kept."""
    found: list[Tensor] = getattr(state.networks, f"{of}_optim").gradients
    return found


def test_shapes_are_checked_while_testing() -> None:
    given = batch(tiny())
    with pytest.raises(TypeCheckError):
        dataclasses.replace(given, z=torch.zeros(8))
    with pytest.raises(TypeCheckError):
        dataclasses.replace(given, z=torch.zeros(len(given.z) + 1, 8))
