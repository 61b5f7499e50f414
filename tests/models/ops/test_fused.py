"""A convolution and a change of the side in one, against the two steps as they are written."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.models.layers.description import describe
from ganvas.models.layers.spectral import SpectralNorm
from ganvas.models.ops.conv import set_algorithm
from ganvas.models.ops.fused import DownsampleConv2d, UpsampleConv2d

ALGORITHMS = ("direct", "winograd", "patches")


def gradients(y: Tensor, layer: nn.Module, x: Tensor) -> list[Tensor]:
    return [y, *torch.autograd.grad(y.sin().sum(), [x, *layer.parameters()])]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("side", [8, 7])
def test_doubling_then_convolving(side: int, algorithm: str) -> None:
    torch.manual_seed(0)
    layer, x = UpsampleConv2d(16, 24, side), torch.randn(3, 16, 4, 4, requires_grad=True)
    nn.init.normal_(layer.bias)
    set_algorithm(layer, algorithm)  # type: ignore[arg-type]
    large = x.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :side, :side]
    expected = F.conv2d(large, layer.weight, layer.bias, padding=1)
    assert expected.shape == (3, 24, side, side)
    for ours, theirs in zip(gradients(layer(x), layer, x), gradients(expected, layer, x), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("side", [8, 7])
def test_convolving_then_halving(side: int, algorithm: str) -> None:
    torch.manual_seed(0)
    layer, x = DownsampleConv2d(16, 24), torch.randn(3, 16, side, side, requires_grad=True)
    nn.init.normal_(layer.bias)
    set_algorithm(layer, algorithm)  # type: ignore[arg-type]
    expected = F.avg_pool2d(F.conv2d(x, layer.weight, layer.bias, padding=1), 2, ceil_mode=True)
    assert expected.shape == (3, 24, 4, 4)
    for ours, theirs in zip(gradients(layer(x), layer, x), gradients(expected, layer, x), strict=True):
        torch.testing.assert_close(ours, theirs, atol=2e-4, rtol=2e-4)


def test_spectral_normalisation_is_of_the_3_x_3_weight() -> None:
    torch.manual_seed(0)
    layer = DownsampleConv2d(8, 8)
    wrapped, x = SpectralNorm(layer).eval(), torch.randn(2, 8, 6, 6)
    sigma = torch.linalg.matrix_norm(layer.weight.movedim(1, -1).flatten(1), 2)
    bias = layer.bias[:, None, None]
    torch.testing.assert_close(wrapped(x) - bias, (layer(x) - bias) / sigma, rtol=0.02, atol=1e-4)


def test_it_can_be_differentiated_twice() -> None:
    torch.manual_seed(0)
    for layer in (UpsampleConv2d(2, 3, 8).double(), DownsampleConv2d(2, 3).double()):
        x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradgradcheck(layer, (x,))


def test_a_summary_says_what_they_do_to_the_side() -> None:
    assert describe(UpsampleConv2d(2, 3, 8)) == "Twice the side, Conv 3x3"
    assert describe(DownsampleConv2d(2, 3)) == "Conv 3x3, half the side"
