"""Both convolutions against a loop over the taps, each other's adjoint, and Winograd against torch."""

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor, nn

from ganvas.models.ops import conv, direct
from ganvas.models.ops.conv import SameConv2d, SameConvTranspose2d, set_algorithm
from ganvas.models.ops.direct import same_padding

GEOMETRIES = [(size, kernel, stride) for size in (4, 5, 7, 8, 14, 16, 32) for kernel in (3, 5) for stride in (1, 2)]
LARGE_ENOUGH = [(size, kernel, stride) for size, kernel, stride in GEOMETRIES if -(-size // stride) >= 4]


def loop_conv(x: np.ndarray, weight: np.ndarray, stride: int) -> np.ndarray:
    """y[i] += w[a, b] x[stride i + (a, b) - before], one tap at a time, for square maps."""
    size, kernel = x.shape[2], weight.shape[2]
    out = int(np.ceil(size / stride))
    before = max((out - 1) * stride + kernel - size, 0) // 2
    room = np.zeros((*x.shape[:2], size + 2 * kernel + stride, size + 2 * kernel + stride))
    room[:, :, before : before + size, before : before + size] = x
    y = np.zeros((x.shape[0], weight.shape[0], out, out))
    for a in range(kernel):
        for b in range(kernel):
            seen = room[:, :, a : a + stride * out : stride, b : b + stride * out : stride]
            y += np.einsum("ncij,dc->ndij", seen, weight[:, :, a, b])
    return y


def relative(a: Tensor, b: Tensor) -> float:
    return ((a - b).abs().max() / b.abs().max()).item()


def test_same_padding_is_tensorflows() -> None:
    assert same_padding(28, 5, 1) == (2, 2)
    assert same_padding(28, 5, 2) == (1, 2)
    assert same_padding(7, 5, 2) == (2, 2)
    assert same_padding(8, 1, 2) == (0, 0)
    assert same_padding(8, 4, 2) == (1, 1)


@pytest.mark.parametrize("algorithm", ["direct", "winograd", "patches"])
@pytest.mark.parametrize(("size", "kernel", "stride"), GEOMETRIES)
def test_convolution_equals_a_loop_over_the_taps(size: int, kernel: int, stride: int, algorithm: str) -> None:
    torch.manual_seed(0)
    layer = SameConv2d(16, 17, kernel, stride).double()
    nn.init.normal_(layer.bias)
    set_algorithm(layer, algorithm)
    x = torch.randn(2, 16, size, size, dtype=torch.float64)
    expected = loop_conv(x.numpy(), layer.weight.detach().numpy(), stride) + layer.bias.detach().numpy()[:, None, None]
    assert relative(layer(x), torch.from_numpy(expected)) < 1e-10


@pytest.mark.parametrize("algorithm", ["direct", "winograd", "patches"])
@pytest.mark.parametrize(("size", "kernel", "stride"), [*GEOMETRIES, (8, 1, 2), (7, 1, 2), (8, 4, 2)])
def test_transpose_is_the_adjoint(size: int, kernel: int, stride: int, algorithm: str) -> None:
    torch.manual_seed(0)
    forward = SameConv2d(18, 16, kernel, stride, bias=False).double()
    backward = SameConvTranspose2d(16, 18, kernel, stride).double()
    backward.weight = forward.weight
    set_algorithm(backward, algorithm)
    x = torch.randn(2, 18, size, size, dtype=torch.float64)
    conv_x = forward(x)
    y = torch.randn_like(conv_x)
    assert torch.allclose((conv_x * y).sum(), (x * backward(y, size)).sum(), rtol=1e-10)


def outputs(layer: nn.Module, x: Tensor, *size: int) -> tuple[Tensor, ...]:
    """Value, gradients, and the gradients of a gradient penalty."""
    x = x.clone().requires_grad_()
    y = layer(x, *size)
    torch.manual_seed(1)
    along = torch.randn_like(y, memory_format=torch.contiguous_format)
    loss = (y * along).sum() + y.square().sum()
    first = torch.autograd.grad(loss, [x, layer.weight], create_graph=True)
    second = torch.autograd.grad(first[0].square().sum(), [x, layer.weight])
    return y, *first, *second


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-4), (torch.float64, 1e-10)])
@pytest.mark.parametrize(("size", "kernel", "stride"), LARGE_ENOUGH)
@pytest.mark.parametrize("transposed", [False, True])
def test_winograd_equals_direct_with_two_derivatives(
    transposed: bool, size: int, kernel: int, stride: int, dtype: torch.dtype, tolerance: float
) -> None:
    torch.manual_seed(0)
    layer = (SameConvTranspose2d if transposed else SameConv2d)(24, 16, kernel, stride, bias=False).to(dtype)
    small = -(-size // stride)
    x = torch.randn(3, 24, small if transposed else size, small if transposed else size, dtype=dtype)
    extra = (size,) if transposed else ()
    expected = outputs(layer, x, *extra)
    set_algorithm(layer, "winograd")
    for ours, theirs in zip(outputs(layer, x.to(memory_format=torch.channels_last), *extra), expected, strict=True):
        assert ours.shape == theirs.shape
        assert relative(ours, theirs) < tolerance


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize(("size", "kernel", "stride"), [(4, 3, 1), (8, 4, 2), (7, 5, 2), (4, 5, 1), (13, 3, 2)])
@pytest.mark.parametrize("transposed", [False, True])
def test_patches_equal_direct_with_two_derivatives(
    transposed: bool, size: int, kernel: int, stride: int, dtype: torch.dtype
) -> None:
    torch.manual_seed(0)
    layer = (SameConvTranspose2d if transposed else SameConv2d)(24, 16, kernel, stride, bias=True)
    small = -(-size // stride)
    x = torch.randn(3, 24, small if transposed else size, small if transposed else size)
    extra = (size,) if transposed else ()
    found = []
    for algorithm in ("direct", "patches"):
        set_algorithm(layer, algorithm)  # type: ignore[arg-type]
        with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
            found.append((*outputs(layer, x, *extra), *bias_gradient(layer, x, *extra)))
    for theirs, ours in zip(*found, strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        assert relative(ours, theirs) < (1e-4 if dtype == torch.float32 else 0.03)


def bias_gradient(layer: nn.Module, x: Tensor, *size: int) -> tuple[Tensor, ...]:
    return torch.autograd.grad(layer(x, *size).float().square().sum(), [layer.bias])


@pytest.mark.parametrize(("size", "patches"), [(4, 1), (8, 0)])
def test_patches_only_for_small_maps(size: int, patches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    made = direct.patches
    monkeypatch.setattr(direct, "patches", lambda *given: calls.append(1) or made(*given))
    layer = SameConv2d(8, 8, 3, 1)
    set_algorithm(layer, "patches")
    layer(torch.randn(2, 8, size, size)).sum().backward()
    assert len(calls) == patches


@pytest.mark.parametrize(("size", "kernel", "stride"), [(4, 3, 1), (4, 5, 1), (5, 5, 2), (4, 3, 2)])
def test_winograd_passes_gradcheck(size: int, kernel: int, stride: int) -> None:
    torch.manual_seed(0)
    small = -(-size // stride)
    weight = torch.randn(1, 2, kernel, kernel, dtype=torch.float64, requires_grad=True)
    x = torch.randn(1, 2, size, size, dtype=torch.float64, requires_grad=True)
    y = torch.randn(1, 1, small, small, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, w: conv.winograd_conv(x, w, stride), (x, weight), fast_mode=True)
    assert torch.autograd.gradcheck(
        lambda y, w: conv.winograd_conv_transpose(y, w, stride, size), (y, weight), fast_mode=True
    )
    assert torch.autograd.gradgradcheck(lambda x, w: conv.winograd_conv(x, w, stride), (x, weight), fast_mode=True)


@pytest.mark.parametrize("algorithm", ["winograd", "patches"])
@pytest.mark.parametrize("size", [(9, 14), (4, 7)])
def test_maps_need_not_be_square(size: tuple[int, int], algorithm: str) -> None:
    layer = SameConv2d(16, 16, 5, 2).double()
    x = torch.randn(2, 16, *size, dtype=torch.float64)
    expected = outputs(layer, x)
    set_algorithm(layer, algorithm)  # type: ignore[arg-type]
    for ours, theirs in zip(outputs(layer, x), expected, strict=True):
        assert relative(ours, theirs) < 1e-10


@pytest.mark.parametrize(("channels", "size", "winograd"), [(16, 8, True), (3, 8, False), (16, 3, False)])
def test_winograd_only_where_it_pays(channels: int, size: int, winograd: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(conv, "winograd_conv", lambda x, w, s: calls.append(1) or conv.direct_conv(x, w, s))
    layer = SameConv2d(channels, 16, 3, 1)
    x = torch.randn(1, channels, size, size)
    layer(x)
    assert not calls
    set_algorithm(layer, "winograd")
    layer(x)
    assert bool(calls) == winograd
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16
    assert len(calls) == winograd


def test_algorithm_is_no_part_of_the_state() -> None:
    net = nn.Sequential(SameConv2d(16, 32, 5, 2), SameConvTranspose2d(32, 16, 5, 2))
    before = {name: tensor.shape for name, tensor in net.state_dict().items()}
    set_algorithm(net, "winograd")
    assert {name: tensor.shape for name, tensor in net.state_dict().items()} == before
    assert before == {"0.weight": (32, 16, 5, 5), "0.bias": (32,), "1.weight": (32, 16, 5, 5)}
    with pytest.raises((ValueError, TypeCheckError), match="fft"):  # the checker of the tests may be first
        set_algorithm(net, "fft")  # type: ignore[arg-type]


def test_weights_start_glorot_uniform() -> None:
    torch.manual_seed(0)
    weight = SameConv2d(64, 128, 5, 2).weight
    bound = (6 / (25 * 192)) ** 0.5
    assert 0.99 * bound < float(weight.detach().abs().max()) <= bound


def test_transpose_refuses_a_size_that_it_cannot_come_from() -> None:
    with pytest.raises(ValueError, match="out_size 9"):
        SameConvTranspose2d(4, 4, 5, 2)(torch.zeros(1, 4, 4, 4), 9)
