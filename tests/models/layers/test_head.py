"""Where classes enter, and D's last layer, against plain loops."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganvas.config import DiscriminatorConfig
from ganvas.models import FAMILIES
from ganvas.models.layers.head import (
    LabelledLatent,
    MinibatchDiscrimination,
    MinibatchStd,
    Projection,
    apply_head,
    minibatch_layer,
)

LEAN = DiscriminatorConfig("lean", widths=(8, 8), norms=(), kernel=4)


def test_a_class_lies_beside_z_at_the_same_scale() -> None:
    torch.manual_seed(0)
    layer = LabelledLatent(3, 10)
    nn.init.normal_(layer.embedding.weight, 0, 7)
    z, labels = torch.randn(5, 10), torch.tensor([0, 2, 0, 1, 2])
    both = layer(z, labels)
    assert torch.equal(both[:, :10], z)
    assert torch.allclose(both[:, 10:].square().mean(1), torch.ones(5))
    assert torch.equal(both[0, 10:], both[2, 10:]) and not torch.allclose(both[0, 10:], both[1, 10:])


def test_logits_are_dense_plus_projection() -> None:
    torch.manual_seed(0)
    dense, projection = nn.Linear(6, 1), Projection(3, 6)
    f, labels = torch.randn(4, 6), torch.tensor([0, 2, 1, 2])
    rows, w = projection.embedding.weight.detach().numpy(), dense.weight.detach().numpy()[0]
    expected = [float(w @ x + dense.bias.item() + rows[k] @ x) for x, k in zip(f.numpy(), labels.tolist(), strict=True)]
    assert torch.allclose(apply_head(f, labels, dense, projection, None).logits, torch.tensor(expected), atol=1e-5)
    assert torch.allclose(apply_head(f, labels, dense, None, None).logits, dense(f)[:, 0])


def test_a_layer_of_its_own_names_classes() -> None:
    torch.manual_seed(0)
    dense, classifier, f = nn.Linear(7, 1), nn.Linear(6, 3), torch.randn(4, 6)
    critique = apply_head(f, None, dense, None, MinibatchStd(), classifier)
    assert torch.equal(critique.classes, classifier(f)) and critique.features.shape == (4, 7)
    assert apply_head(f, None, nn.Linear(6, 1), None, None).classes is None
    pair = critique.split([1, 3])
    assert [len(c.logits) for c in pair] == [1, 3] and torch.equal(pair[1].classes, classifier(f)[1:])


def test_the_projection_names_classes_where_it_is_asked_to() -> None:
    torch.manual_seed(0)
    dense, f, labels = nn.Linear(6, 1), torch.randn(4, 6), torch.tensor([0, 2, 1, 2])
    projection = Projection(3, 6, classifies=True)
    critique = apply_head(f, labels, dense, projection, None)
    torch.testing.assert_close(critique.classes, f @ projection.embedding.weight.T)
    assert apply_head(f, labels, dense, Projection(3, 6), None).classes is None


def test_of_which_layer_the_names_are_is_in_the_config() -> None:
    own, shared, none = (
        FAMILIES["lean"].discriminator(replace(LEAN, classify=weight, classify_by=by), (3, 16, 16), 5)  # type: ignore[arg-type]
        for weight, by in ((1.0, "layer"), (1.0, "projection"), (0.0, "projection"))
    )
    x, labels = torch.zeros(2, 3, 16, 16), torch.tensor([0, 4])
    assert own.state_dict().keys() > shared.state_dict().keys() == none.state_dict().keys()
    assert shared(x, labels).classes.shape == (2, 5) and none(x, labels).classes is None


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_every_d_names_classes_where_it_is_told_any(family: str) -> None:
    config = DiscriminatorConfig(family, widths=(8, 8), norms=(False, False), classify=1.0, kernel=4, group=8)  # type: ignore[arg-type]
    if family == "dcgan":
        config = replace(config, kernel=5)
    D, x = FAMILIES[family].discriminator(config, (3, 16, 16), 5), torch.zeros(2, 3, 16, 16)
    assert D(x, torch.tensor([0, 4])).classes.shape == (2, 5)
    assert FAMILIES[family].discriminator(config, (3, 16, 16), 0)(x, None).classes is None


def test_logits_are_float32_under_autocast() -> None:
    torch.manual_seed(0)
    dense, projection = nn.Linear(64, 1), Projection(3, 64)
    f, labels = torch.randn(4, 64).bfloat16(), torch.tensor([0, 2, 1, 2])
    expected = apply_head(f.float(), labels, dense, projection, None).logits
    with torch.autocast("cpu", torch.bfloat16):
        critique = apply_head(f, labels, dense, projection, None)
        with_batch = apply_head(f, labels, nn.Linear(65, 1), None, MinibatchStd())
    assert critique.logits.dtype == torch.float32 and torch.equal(critique.logits, expected)
    assert with_batch.logits.dtype == torch.float32 and with_batch.features.shape == (4, 65)


@pytest.mark.parametrize("features", [128, 4096])
def test_projection_starts_at_the_scale_of_the_dense_layer(features: int) -> None:
    torch.manual_seed(0)
    projection, f, labels = Projection(10, features), torch.rand(2000, features) + 0.5, torch.arange(2000) % 10
    dense = torch.stack([nn.init.xavier_uniform_(torch.empty(1, features))[0] for _ in range(200)])
    ratio = projection(f)[torch.arange(2000), labels].square().mean() / (f @ dense.T).square().mean()
    assert 0.15 < ratio < 1.5


def loop_deviation(f: np.ndarray, group: int) -> np.ndarray:
    rows = []
    for start in range(0, len(f), group):
        part = f[start : start + group]
        value = np.sqrt(((part - part.mean(0)) ** 2).mean(0) + 1e-8).mean()
        rows += [[*row, value] for row in part]
    return np.array(rows)


@pytest.mark.parametrize(("n", "group"), [(1, 1), (2, 2), (3, 3), (4, 4), (6, 6), (7, 7), (8, 4), (10, 5), (12, 4)])
def test_batch_deviation_is_that_of_each_group(n: int, group: int) -> None:
    torch.manual_seed(0)
    f = torch.randn(n, 5)
    np.testing.assert_allclose(MinibatchStd()(f).numpy(), loop_deviation(f.numpy(), group), atol=1e-6)


def test_batch_deviation_has_gradients_where_all_are_alike() -> None:
    f = torch.ones(4, 3, requires_grad=True)
    (gradient,) = torch.autograd.grad(MinibatchStd()(f)[:, 3].sum(), f)
    assert torch.isfinite(gradient).all()


def test_batch_distances_are_the_mean_closeness_to_the_others() -> None:
    torch.manual_seed(0)
    layer, f = MinibatchDiscrimination(6), torch.randn(5, 6)
    nn.init.normal_(layer.kernels.weight, std=0.1)
    m = (f / f.square().mean().sqrt() @ layer.kernels.weight.T).detach().numpy().reshape(5, 16, 8)
    expected = np.zeros((5, 16))
    for i in range(5):
        for b in range(16):
            expected[i, b] = np.mean([np.exp(-np.abs(m[i, b] - m[j, b]).sum()) for j in range(5) if j != i])
    assert expected.min() > 0.01
    y = layer(f).detach()
    assert torch.equal(y[:, :6], f)
    np.testing.assert_allclose(y[:, 6:].numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e3])
def test_batch_distances_start_where_they_have_gradients(scale: float) -> None:
    torch.manual_seed(0)
    near = MinibatchDiscrimination(200)(scale * torch.randn(32, 200))[:, 200:]
    assert 0.05 < near.mean() < 0.5


def test_an_image_alone_has_no_neighbours() -> None:
    assert MinibatchDiscrimination(6)(torch.randn(1, 6))[:, 6:].abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["std", "features"])
def test_both_kinds_have_two_derivatives(kind: str) -> None:
    torch.manual_seed(0)
    layer = minibatch_layer(DiscriminatorConfig(minibatch=kind), 3)  # type: ignore[arg-type]
    assert layer is not None
    f = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    assert layer.double()(f).shape == (4, 3 + layer.extra)
    assert torch.autograd.gradcheck(layer, f, fast_mode=True)
    assert torch.autograd.gradgradcheck(layer, f, fast_mode=True)


def test_a_collapsed_batch_looks_different() -> None:
    torch.manual_seed(0)
    varied, collapsed = torch.randn(8, 6), torch.randn(1, 6).expand(8, 6) + 1e-3 * torch.randn(8, 6)
    distances = MinibatchDiscrimination(6)
    assert MinibatchStd()(varied)[0, 6] > 10 * MinibatchStd()(collapsed)[0, 6]
    assert distances(collapsed)[:, 6:].mean() > distances(varied)[:, 6:].mean() + 0.1


def test_no_minibatch_is_nothing() -> None:
    assert minibatch_layer(DiscriminatorConfig(), 6) is None


@pytest.mark.parametrize("classify_by", ["layer", "projection"])
@pytest.mark.parametrize("family", ["lean", "resnet", "dcgan", "mlp"])
def test_the_gain_of_a_d_is_on_all_that_gives_logits_and_on_nothing_else(family: str, classify_by: Any) -> None:
    config = DiscriminatorConfig(
        family, widths=(8, 8), norms=(False, False), spectral=True, dropout=0.0, classify=1.0, classify_by=classify_by
    )
    plain, gained = (
        FAMILIES[family].discriminator(replace(config, spectral_gain=gain), (3, 16, 16), 4).eval()
        for gain in (1.0, 3.0)
    )
    gained.load_state_dict(plain.state_dict())
    for d in (plain, gained):
        nn.init.zeros_(d.dense.layer.bias)
        if d.naming is not None:
            nn.init.zeros_(d.naming.layer.bias)
    images, labels = torch.randn(5, 3, 16, 16), torch.tensor([0, 1, 2, 3, 0])
    one, three = plain(images, labels), gained(images, labels)
    assert torch.equal(three.features, one.features)
    assert torch.allclose(three.logits, 3 * one.logits, rtol=1e-5, atol=1e-6)
    assert torch.allclose(three.classes, 3 * one.classes, rtol=1e-5, atol=1e-6)
