"""Spectral normalisation against the SVD and algorithm 1 in plain numpy; its gradient; that it repeats itself."""

import copy
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.models.layers.spectral import SpectralNorm, add_spectral_norm
from ganvas.models.ops import conv
from ganvas.models.ops.conv import SameConv2d, set_algorithm

LAYERS: dict[str, tuple[Callable[[], nn.Module], Callable[[], Tensor]]] = {
    "conv": (lambda: SameConv2d(16, 20, 3, 1), lambda: torch.randn(2, 16, 6, 6)),
    "dense": (lambda: nn.Linear(12, 7), lambda: torch.randn(5, 12)),
    "embedding": (lambda: nn.Embedding(6, 9), lambda: torch.tensor([0, 5, 3, 3])),
}


def build(name: str) -> tuple[SpectralNorm, Tensor]:
    torch.manual_seed(0)
    make, draw = LAYERS[name]
    return SpectralNorm(make()), draw()


def matrix(layer: SpectralNorm) -> Tensor:
    return layer.layer.weight.detach().flatten(1)


def applied(layer: SpectralNorm, x: Tensor, factor: Tensor | float) -> Tensor:
    """The plain layer with its weight times a factor."""
    plain = copy.deepcopy(layer.layer)
    plain.weight.data.mul_(factor)
    return plain(x)


@pytest.mark.parametrize("name", LAYERS)
def test_sigma_tends_to_the_largest_singular_value(name: str) -> None:
    layer, x = build(name)
    for _ in range(300):
        y = layer(x)
    largest = torch.linalg.svdvals(matrix(layer))[0]
    assert torch.allclose(y, applied(layer, x, 1 / largest), atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_a_gain_is_a_factor_on_the_normalised_weight(name: str) -> None:
    layer, x = build(name)
    layer.gain = 3.0
    sigma = layer.u @ layer._matrix() @ layer.v
    assert torch.allclose(layer.eval()(x), applied(layer, x, 3 / sigma), atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_the_first_use_is_already_close(name: str) -> None:
    layer, x = build(name)
    largest = torch.linalg.svdvals(matrix(layer))[0]
    assert torch.allclose(layer.eval()(x), applied(layer, x, 1 / largest), rtol=0.1, atol=0.02)


@pytest.mark.parametrize("name", LAYERS)
def test_a_training_pass_is_one_iteration_of_algorithm_1(name: str) -> None:
    layer, x = build(name)
    nn.init.normal_(layer.layer.weight)  # away from where the iteration had come to
    w, u = matrix(layer).double().numpy(), layer.u.double().numpy()
    v = w.T @ u / np.linalg.norm(w.T @ u)
    after = w @ v / np.linalg.norm(w @ v)
    y = layer(x)
    np.testing.assert_allclose(layer.u.numpy(), after, atol=1e-5)
    assert torch.allclose(y, applied(layer, x, float(1 / (after @ w @ v))), atol=1e-5)


@pytest.mark.parametrize("name", LAYERS)
def test_nothing_moves_in_eval_mode(name: str) -> None:
    layer, x = build(name)
    trained = layer(x)
    before = copy.deepcopy(layer.state_dict())
    assert torch.allclose(layer.eval()(x), trained, atol=1e-6)
    assert all(torch.equal(before[key], value) for key, value in layer.state_dict().items())


def test_gradient_holds_u_and_v_constant() -> None:
    """dL/dW = (H - <H, W / sigma> u v^T) / sigma, H = dL/d(W / sigma)."""
    layer, x = build("dense")
    aim = torch.randn(5, 7)
    (gradient,) = torch.autograd.grad((layer(x) * aim).sum(), layer.layer.weight)
    w, u, v = matrix(layer), layer.u, layer.v
    sigma, h = u @ w @ v, aim.T @ x
    expected = (h - (h * w / sigma).sum() * torch.outer(u, v)) / sigma
    assert torch.allclose(gradient, expected, atol=1e-5)


def test_two_derivatives_by_finite_differences() -> None:
    layer, x = build("dense")
    layer, x = layer.double().eval(), x.double().requires_grad_()
    weight = layer.layer.weight.detach().clone().requires_grad_()

    def through(x: Tensor, weight: Tensor) -> Tensor:
        y = torch.func.functional_call(layer, {"layer.weight": weight}, (x,))
        return torch.tanh(y)

    assert torch.autograd.gradcheck(through, (x, weight), fast_mode=True)
    assert torch.autograd.gradgradcheck(through, (x, weight), fast_mode=True)


@pytest.mark.parametrize("name", LAYERS)
def test_two_passes_before_one_backward_are_two_passes(name: str) -> None:
    layer, x = build(name)
    other = copy.deepcopy(layer)
    weights = list(layer.parameters())
    together = torch.autograd.grad(layer(x).square().sum() + layer(x).pow(3).sum(), weights)
    first = torch.autograd.grad(other(x).square().sum(), list(other.parameters()))
    second = torch.autograd.grad(other(x).pow(3).sum(), list(other.parameters()))
    for both, a, b in zip(together, first, second, strict=True):
        assert torch.allclose(both, a + b, rtol=1e-4, atol=1e-4)
    x = x if name == "embedding" else x.requires_grad_()
    evaluated, trained = layer.eval()(x), layer.train()(x)
    (evaluated + trained).sum().backward()  # an eval pass before a training pass neither


def test_winograd_convolutions_stay_winograd(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = build("conv")
    direct = layer.eval()(x)
    calls: list[int] = []
    plain = conv.winograd_conv
    monkeypatch.setattr(conv, "winograd_conv", lambda x, w, s: calls.append(1) or plain(x, w, s))
    set_algorithm(layer, "winograd")
    assert torch.allclose(layer(x), direct, atol=1e-5) and calls == [1]


def test_memory_format_changes_nothing() -> None:
    layer, x = build("conv")
    other = copy.deepcopy(layer).to(memory_format=torch.channels_last)
    for _ in range(3):
        expected, y = layer(x), other(x.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(y, expected, atol=1e-6)
    assert torch.allclose(other.v, layer.v, atol=1e-6)


def test_autocast_does_not_reach_sigma() -> None:
    layer, x = build("conv")
    other = copy.deepcopy(layer)
    layer(x)
    with torch.autocast("cpu", torch.bfloat16):
        assert other(x).dtype == torch.bfloat16
    assert torch.equal(other.u, layer.u) and torch.equal(other.v, layer.v)


def test_a_restored_layer_goes_on_bit_for_bit() -> None:
    layer, x = build("conv")
    layer(x)
    other, _ = build("conv")
    other.load_state_dict(layer.state_dict())
    assert all(torch.equal(layer(x), other(x)) for _ in range(3))
    assert set(layer.state_dict()) == {"u", "v", "layer.weight", "layer.bias"}


def test_normalise_finds_every_layer_with_a_matrix() -> None:
    torch.manual_seed(0)
    inner = nn.ModuleDict({"conv": SameConv2d(3, 8, 3, 2), "act": nn.ReLU(), "grouped": nn.Conv2d(8, 8, 3, groups=4)})
    net = nn.Sequential(nn.ModuleList([inner]), nn.Linear(4, 2), nn.BatchNorm1d(2), nn.Embedding(3, 2))
    add_spectral_norm(net)
    kinds = [type(m.layer) for m in net.modules() if isinstance(m, SpectralNorm)]
    assert sorted(kind.__name__ for kind in kinds) == ["Conv2d", "Embedding", "Linear", "SameConv2d"]
    assert not any(isinstance(m.layer, SpectralNorm) for m in net.modules() if isinstance(m, SpectralNorm))
