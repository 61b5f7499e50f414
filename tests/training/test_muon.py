"""Muon against a singular value decomposition: its direction, its matrices, its weights, its place beside Adam."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.config import OptimConfig
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d
from ganvas.training.muon import hidden_convolutions, muon_update, orthogonalised
from ganvas.training.optim import Optimiser

SHAPES = [(16, 16), (20, 7), (7, 20), (24, 150), (3, 18, 30)]


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def lifted(values: np.ndarray, iterations: int) -> np.ndarray:
    """What the iteration makes of singular values: the same polynomial, of numbers."""
    for _ in range(iterations):
        values = 3.4445 * values - 4.7750 * values**3 + 2.0315 * values**5
    return values


def direction(matrix: np.ndarray, iterations: int = 5) -> np.ndarray:
    """U f(S) V' by numpy."""
    u, s, v = np.linalg.svd(matrix, full_matrices=False)
    return (u * lifted(s / np.linalg.norm(s), iterations)) @ v


@pytest.mark.parametrize("shape", SHAPES)
def test_singular_values_come_near_one_and_directions_stay(shape: tuple[int, ...]) -> None:
    matrix = random(*shape)
    values = torch.linalg.svdvals(orthogonalised(matrix))
    assert torch.linalg.svdvals(matrix / matrix.norm()).max() < 0.67
    assert values.min() > 0.67 and values.max() < 1.21
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.mT @ orthogonalised(matrix) @ v.mT  # diagonal where the singular vectors are the same
    torch.testing.assert_close(turned, turned.diagonal(dim1=-2, dim2=-1).diag_embed(), rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("iterations", [0, 1, 3, 5])
def test_orthogonalised_is_the_polynomial_of_the_singular_values(shape: tuple[int, ...], iterations: int) -> None:
    matrix = random(*shape)
    found = orthogonalised(matrix, iterations)
    for one, given in zip(found.view(-1, *shape[-2:]), matrix.view(-1, *shape[-2:]), strict=True):
        np.testing.assert_allclose(one, direction(given.double().numpy(), iterations), atol=2e-4)


@pytest.mark.parametrize("iterations", [3, 5])
def test_five_iterations_lift_what_three_leave(iterations: int) -> None:
    """Singular values as a DCGAN's gradient has them: most of them a hundredth of the largest."""
    u, v = (torch.linalg.qr(random(n, 32, seed=n))[0] for n in (32, 200))
    matrix = u * torch.tensor([1.0] + [0.01] * 31) @ v.T
    smallest = torch.linalg.svdvals(orthogonalised(matrix, iterations)).min()
    assert (smallest > 0.67) == (iterations == 5)


def test_a_gradient_of_zero_stays_zero() -> None:
    assert not orthogonalised(torch.zeros(16, 40)).any()


# -- which weights, and as which matrices ----------------------------------------------------------------------


def network() -> nn.Module:
    """Hidden convolutions of every kind (1, 2, 3, 6, 7) among what is none; channels last."""
    torch.manual_seed(0)
    layers = [
        SameConv2d(3, 32, 3, 1, bias=False),
        SameConv2d(32, 48, 3, 2, bias=False), SameConvTranspose2d(48, 16, 5, 2), nn.Conv2d(64, 32, 3, groups=2),
        nn.BatchNorm2d(32), nn.Conv2d(32, 32, 3, groups=32, bias=False), nn.Conv2d(16, 32, 1, bias=False),
        nn.ConvTranspose2d(32, 64, 3, groups=2, bias=False), nn.Embedding(20, 20), nn.Linear(16, 16),
        nn.Conv2d(15, 32, 3, bias=False), SameConvTranspose2d(16, 3, 5, 2), nn.Conv2d(16, 15, 1, bias=False),
    ]  # fmt: skip
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


HIDDEN = {"1.weight": 1, "2.weight": 1, "3.weight": 2, "6.weight": 1, "7.weight": 2}


def test_hidden_convolutions_are_those_with_enough_channels_on_both_sides() -> None:
    names = [name for name, _ in network().named_parameters()]
    assert {names[i]: groups for i, groups in hidden_convolutions(network()).items()} == HIDDEN


@pytest.mark.parametrize(("kernel", "stride"), [(5, 2), (4, 2), (2, 2), (3, 2), (3, 1)])
@pytest.mark.parametrize(("first", "second"), [(16, 16), (24, 16), (16, 24)])
def test_the_matrix_bounds_what_the_layer_does(kernel: int, stride: int, first: int, second: int) -> None:
    """An orthogonal update's layer, as one matrix from images to images: its norm is in [1, ceil(kernel / stride)]."""
    small, large = 4, 4 * stride
    down, up = SameConv2d(second, first, kernel, stride, False), SameConvTranspose2d(first, second, kernel, stride)
    u, _, v = torch.linalg.svd(random(first, second * kernel**2), full_matrices=False)
    down.weight.data = up.weight.data = (u @ v).view(first, second, kernel, kernel)
    with torch.no_grad():
        squeezed = down(torch.eye(second * large**2).view(-1, second, large, large)).flatten(1)
        spread = up(torch.eye(first * small**2).view(-1, first, small, small), large).flatten(1)
    torch.testing.assert_close(squeezed, spread.T, rtol=0, atol=1e-6)
    norm = float(torch.linalg.matrix_norm(spread, 2))
    assert 1 - 1e-5 < norm < math.ceil(kernel / stride) + 1e-5


def test_groups_are_updated_each_on_its_own() -> None:
    gradient = random(32, 16, 3, 3)
    whole = muon_update(gradient, torch.zeros_like(gradient), 0.9, groups=2)
    for half in (slice(0, 16), slice(16, 32)):
        alone = muon_update(gradient[half], torch.zeros(16, 16, 3, 3), 0.9, groups=1)
        torch.testing.assert_close(whole[half], alone, rtol=1e-4, atol=1e-5)


# -- in the optimiser ------------------------------------------------------------------------------------------


def gradients(of: nn.Module, t: int) -> list[Tensor]:
    return [random(*p.shape, seed=100 * t + i) * 10.0 ** (t % 3 - 2) for i, p in enumerate(of.parameters())]


def trained(config: OptimConfig, steps: int = 6, factor: float = 1.0, progress: float = 0.0) -> dict[str, Tensor]:
    optimiser = Optimiser(ours := network(), config)
    for t in range(steps):
        optimiser.step([factor * g for g in gradients(ours, t)], progress)
    return {name: p.detach() for name, p in ours.named_parameters()}


@pytest.mark.parametrize("beta", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
def test_hidden_weights_follow_muon_as_numpy_computes_it(beta: float, weight_decay: float) -> None:
    config = OptimConfig("adamw", beta1=beta, muon=0.05, weight_decay=weight_decay, decay="linear")
    found = trained(config, progress=0.25)
    for i, (name, parameter) in enumerate(network().named_parameters()):
        if name not in HIDDEN:
            continue
        x = parameter.detach().double().numpy()
        momentum = np.zeros_like(x)
        for t in range(6):
            gradient = gradients(network(), t)[i].double().numpy()
            momentum = beta * momentum + gradient
            parts = np.split(gradient + beta * momentum, HIDDEN[name])
            matrices = [part.reshape(len(part), -1) for part in parts]
            rows, columns = matrices[0].shape
            update = np.concatenate([direction(matrix) for matrix in matrices]) * math.sqrt(max(1, rows / columns))
            x = (1 - 0.75 * 0.05 * weight_decay) * x - 0.75 * 0.05 * update.reshape(x.shape)
        np.testing.assert_allclose(found[name], x, atol=1e-4, err_msg=name)
        assert np.abs(x - parameter.detach().numpy()).max() > 0.01


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "sgd"])
def test_everything_else_stays_with_the_other_optimiser(name: str) -> None:
    with_muon, without = (trained(OptimConfig(name, muon=muon)) for muon in (0.05, 0.0))  # type: ignore[arg-type]
    assert {key for key, value in without.items() if not torch.equal(value, with_muon[key])} == HIDDEN.keys()


def test_the_gradients_scale_does_not_matter() -> None:
    one = trained(OptimConfig(muon=0.05))
    for factor in (1e-2, 1e3):
        other = trained(OptimConfig(muon=0.05), factor=factor)
        for name in HIDDEN:
            torch.testing.assert_close(other[name], one[name], rtol=0, atol=1e-4)
    assert (one["1.weight"] - dict(network().named_parameters())["1.weight"]).abs().max() > 0.01


def test_clipping_counts_hidden_weights_too() -> None:
    config = OptimConfig("sgd", lr=1.0, beta1=0.0, muon=0.05, clip=1.0)
    given = gradients(start := network(), 2)
    norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in given))
    optimiser = Optimiser(ours := network(), config)
    assert float(optimiser.step(given, 0.0)) == pytest.approx(norm, rel=1e-5)
    for (name, p), before, gradient in zip(ours.named_parameters(), start.parameters(), given, strict=True):
        if name not in HIDDEN:
            torch.testing.assert_close(before - p, gradient / norm, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("decay", ["linear", "cosine"])
def test_at_the_end_of_a_decay_nothing_moves(decay: str) -> None:
    config = OptimConfig("adamw", muon=0.05, weight_decay=0.1, decay=decay)  # type: ignore[arg-type]
    found = trained(config, progress=1.0)
    assert all(torch.equal(found[name], p) for name, p in network().named_parameters())
