"""Normalisations against plain formulas, and who depends on whom."""

import numpy as np
import pytest
import torch
from torch import nn

from ganvas.config import GeneratorConfig
from ganvas.models.layers.norm import ConditionalNorm, FeatureNorm, ReferenceBatch, VirtualNorm, apply_norm, build_norm

ROWS = ReferenceBatch.ROWS


def test_feature_norm_keeps_biased_variances() -> None:
    torch.manual_seed(0)
    ours, theirs = FeatureNorm(3, 1e-3, 0.01), nn.BatchNorm1d(3, 1e-3, 0.01)
    x = 2 * torch.randn(5, 3) + 1
    assert torch.allclose(ours(x), theirs(x))
    assert torch.allclose(ours.running_mean, theirs.running_mean)
    assert torch.allclose(ours.running_var, 0.99 + 0.01 * x.var(0, correction=0))
    expected = (x - ours.running_mean) / (ours.running_var + 1e-3).sqrt()
    assert torch.allclose(ours.eval()(x), expected, atol=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_conditional_norm_starts_as_the_plain_one(training: bool) -> None:
    torch.manual_seed(0)
    layer, plain = ConditionalNorm(nn.BatchNorm2d(4, affine=False), 3), nn.BatchNorm2d(4)
    x, labels = torch.randn(6, 4, 5, 5), torch.tensor([0, 1, 2, 0, 1, 2])
    assert torch.equal(layer.train(training)(x, labels), plain.train(training)(x))


@pytest.mark.parametrize("shape", [(6, 4, 5, 5), (6, 4)])
def test_conditional_norm_scales_and_shifts_by_class(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    norm = (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(4, 1e-5, affine=False)
    layer = ConditionalNorm(norm, 3)
    nn.init.normal_(layer.scale.weight)
    nn.init.normal_(layer.shift.weight)
    x, labels = torch.randn(shape), [2, 0, 2, 1, 0, 0]
    axes = tuple(i for i in range(len(shape)) if i != 1)
    a = x.numpy()
    normal = (a - a.mean(axes, keepdims=True)) / np.sqrt(a.var(axes, keepdims=True) + 1e-5)
    ones = (4,) + (1,) * (len(shape) - 2)
    g, b = layer.scale.weight.detach().numpy(), layer.shift.weight.detach().numpy()
    expected = [(1 + g[k].reshape(ones)) * row + b[k].reshape(ones) for k, row in zip(labels, normal, strict=True)]
    np.testing.assert_allclose(layer(x, torch.tensor(labels)).detach().numpy(), np.stack(expected), atol=1e-5)


def test_a_class_that_is_not_there_gets_no_gradient() -> None:
    layer = ConditionalNorm(nn.BatchNorm2d(4, affine=False), 3)
    layer(torch.randn(6, 4, 2, 2), torch.tensor([0, 0, 0, 2, 2, 2])).pow(3).sum().backward()
    assert (layer.scale.weight.grad != 0).any(1).tolist() == [True, False, True]


@pytest.mark.parametrize("shape", [(3, 4, 5), (3,)])
def test_virtual_norm_pools_the_reference_and_one_example(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    layer = VirtualNorm(3, 1e-3).double()
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    x = torch.randn(ROWS + 4, *shape, dtype=torch.float64)
    x[ROWS:] = 3 * x[ROWS:] + 5
    y, a = layer(x).detach().numpy(), x.numpy()
    axes, ones = (0, *range(2, x.ndim)), (3,) + (1,) * (len(shape) - 1)
    weight, bias = (p.detach().numpy().reshape(ones) for p in (layer.weight, layer.bias))

    def normalised(rows: np.ndarray, pool: np.ndarray) -> np.ndarray:
        mean, var = pool.mean(axes, keepdims=True)[0], pool.var(axes, keepdims=True)[0]
        return weight * (rows - mean) / np.sqrt(var + 1e-3) + bias

    np.testing.assert_allclose(y[:ROWS], normalised(a[:ROWS], a[:ROWS]), atol=1e-5)  # statistics are float32
    for i in range(ROWS, ROWS + 4):
        pool = np.concatenate([a[:ROWS], a[i : i + 1]])
        np.testing.assert_allclose(y[i], normalised(a[i], pool), atol=1e-5)


def test_virtual_norm_does_not_look_at_neighbours() -> None:
    torch.manual_seed(0)
    layer, x = VirtualNorm(3, 1e-3), torch.randn(ROWS + 4, 3, 5, 5)
    y = layer(x)
    assert torch.equal(layer(x[: ROWS + 2]), y[: ROWS + 2])
    moved = x.clone()
    moved[0] += 10
    assert not torch.allclose(layer(moved)[ROWS:], y[ROWS:], atol=1e-2)


def test_virtual_norm_differentiates_through_the_reference() -> None:
    torch.manual_seed(0)
    layer, x = VirtualNorm(2, 1e-3), torch.randn(ROWS + 2, 2, 3, 3, requires_grad=True)
    step, along = 1e-2, torch.randn(ROWS + 2, 2, 3, 3)
    aim = torch.randn(2, 2, 3, 3)
    (gradient,) = torch.autograd.grad((layer(x)[ROWS:] * aim).sum(), x)
    with torch.no_grad():
        ahead, behind = ((layer(x + s * along)[ROWS:] * aim).sum() for s in (step, -step))
    assert gradient[:ROWS].abs().max() > 1e-4
    assert (gradient * along).sum().item() == pytest.approx((ahead - behind).item() / (2 * step), rel=1e-2)


def test_the_reference_lies_where_latents_lie_and_holds_every_class() -> None:
    torch.manual_seed(0)
    reference = ReferenceBatch(GeneratorConfig(latent_dim=9, latent="sphere"), 3)
    z, labels = reference.prepend(torch.zeros(2, 9), torch.tensor([2, 2]))
    assert torch.allclose(z[:ROWS].norm(dim=1), torch.tensor(3.0)) and not z[ROWS:].any()
    assert labels is not None and labels.tolist() == [i % 3 for i in range(ROWS)] + [2, 2]
    assert list(reference.state_dict()) == ["z"]
    plain = ReferenceBatch(GeneratorConfig(latent_dim=9), 0)
    assert plain.prepend(torch.zeros(2, 9), None)[1] is None
    assert 0.9 < plain.z.std() < 1.1


@pytest.mark.parametrize(
    ("norm", "condition", "classes", "kind"),
    [
        ("batch", "concat", 0, nn.BatchNorm2d),
        ("batch", "concat", 3, nn.BatchNorm2d),
        ("batch", "norm", 0, nn.BatchNorm2d),
        ("batch", "norm", 3, ConditionalNorm),
        ("virtual", "concat", 3, VirtualNorm),
        ("none", "concat", 3, type(None)),
    ],
)
def test_the_config_says_which_norm(norm: str, condition: str, classes: int, kind: type) -> None:
    config = GeneratorConfig(norm=norm, condition=condition)  # type: ignore[arg-type]
    assert type(build_norm(config, 4, classes, 1e-3, 0.01)) is kind


def test_what_has_no_norm_passes_through() -> None:
    x = torch.randn(2, 3, 4, 4)
    assert apply_norm(None, x, None) is x
