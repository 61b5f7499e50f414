"""The two updates against gradients computed independently, with torch's own functions."""

from __future__ import annotations

import copy

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from conftest import tiny
from ganvas.engine import Engine
from ganvas.losses import LOSSES, bce
from ganvas.state import State, fresh_state
from ganvas.step import UPDATES, Batch, Outcome

SHAPE = (3, 16, 16)
PLAIN = {"discriminator.dropout": 0.0}


class Recorder:
    """Stands where an optimiser stands: keeps what it is given, then lets the real one step."""

    def __init__(self, optimiser: object) -> None:
        self.optimiser, self.gradients = optimiser, []

    def step(self, gradients: tuple[Tensor, ...], progress: float) -> Tensor:
        self.gradients, self.progress = [g.clone() for g in gradients], progress
        return self.optimiser.step(gradients, progress)  # type: ignore[attr-defined,no-any-return]


def batch(n: int = 16) -> Batch:
    generator = torch.Generator().manual_seed(1)
    real = torch.rand((n, *SHAPE), generator=generator) * 2 - 1
    return Batch(real, torch.randn((n, 8), generator=generator), None, 0.25)


def updated(update: str, changes: dict[str, object], g_weight: float = 1.0) -> tuple[State, State, Outcome]:
    """The state before and after one update, its gradients recorded."""
    config = tiny({**PLAIN, "d_optim.lr": 0.01, "g_optim.lr": 0.01, **changes})
    engine = Engine(config.engine)
    old, new = (fresh_state(config, SHAPE, engine) for _ in range(2))
    players = new.players
    players.g_optim, players.d_optim = Recorder(players.g_optim), Recorder(players.d_optim)  # type: ignore[assignment]
    outcome = UPDATES[update](players, batch(), LOSSES["bce"], g_weight, engine.autocast)
    return old, new, outcome


def expected_gradients(generator: nn.Module, judge: nn.Module, learner: nn.Module, of: str) -> list[Tensor]:
    """Plain autograd, one backward pass a network: D's terms from `judge`, differentiated by `learner`."""
    given = batch()
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
    old, new, _ = updated("simultaneous", {})
    G, D = old.players.generator, old.players.discriminator
    close(new.players.d_optim.gradients, expected_gradients(copy.deepcopy(G), D, D, "d"))  # type: ignore[attr-defined]
    close(new.players.g_optim.gradients, expected_gradients(G, copy.deepcopy(D), G, "g"))  # type: ignore[attr-defined]
    assert new.players.g_optim.progress == new.players.d_optim.progress == 0.25  # type: ignore[attr-defined]


def test_alternating_lets_g_meet_the_updated_d() -> None:
    old, new, _ = updated("alternating", {})
    G, D = old.players.generator, old.players.discriminator
    close(new.players.d_optim.gradients, expected_gradients(copy.deepcopy(G), D, D, "d"))  # type: ignore[attr-defined]
    found = new.players.g_optim.gradients  # type: ignore[attr-defined]
    at_old_d = expected_gradients(other := copy.deepcopy(G), copy.deepcopy(D), other, "g")
    close(found, expected_gradients(G, copy.deepcopy(new.players.discriminator), G, "g"))
    assert any((a - b).abs().max() > 1e-4 for a, b in zip(found, at_old_d, strict=True))


@pytest.mark.parametrize("update", UPDATES)
def test_each_optimiser_moves_its_own_network_and_nothing_else_remains(update: str) -> None:
    old, new, outcome = updated(update, {})
    for name in ("generator", "discriminator"):
        before, after = getattr(old.players, name), getattr(new.players, name)
        assert all(not torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))
        assert all(p.grad is None for p in after.parameters())
    norms = [torch.linalg.vector_norm(torch.stack([g.norm() for g in o.gradients])) for o in
             (new.players.d_optim, new.players.g_optim)]  # type: ignore[attr-defined]  # fmt: skip
    torch.testing.assert_close(torch.stack([outcome.d_norm, outcome.g_norm]), torch.stack(norms))


@pytest.mark.parametrize("update", UPDATES)
def test_the_weight_of_gs_loss_scales_its_gradient_alone(update: str) -> None:
    _, one, _ = updated(update, {})
    _, three, outcome = updated(update, {}, g_weight=3.0)
    close(three.players.g_optim.gradients, [3 * g for g in one.players.g_optim.gradients])  # type: ignore[attr-defined]
    close(three.players.d_optim.gradients, one.players.d_optim.gradients)  # type: ignore[attr-defined]
    if update == "simultaneous":
        torch.testing.assert_close(outcome.g_loss, bce(outcome.real, outcome.fake)[1])  # the loss logged is unweighted


@pytest.mark.parametrize(("update", "calls"), [("simultaneous", "rf"), ("alternating", "rff")])
def test_batch_norm_sees_the_real_batch_first_and_each_call_once(update: str, calls: str) -> None:
    old, new, _ = updated(update, {"d_optim.lr": 1e-9, "g_optim.lr": 1e-9})
    G, D, given = old.players.generator, old.players.discriminator, batch()
    with torch.no_grad():
        fake = G(given.z, None)
        for call in calls:
            D(given.real if call == "r" else fake, None)
    for network, expected in ((new.players.discriminator, D), (new.players.generator, G)):
        buffers = dict(expected.named_buffers())
        assert buffers
        for name, value in network.named_buffers():
            torch.testing.assert_close(value, buffers[name], rtol=1e-4, atol=1e-6)


def test_shapes_are_checked_while_testing() -> None:
    real = batch().real
    with pytest.raises(TypeCheckError):
        Batch(real, torch.zeros(8), None, 0.0)
    with pytest.raises(TypeCheckError):
        Batch(real, torch.zeros(len(real) + 1, 8), None, 0.0)
