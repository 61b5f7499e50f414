"""StyleGAN2's networks against the paper's equations, written with weights for each image and grouped kernels."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from conftest import tiny
from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.config.recipes import get
from ganvas.datasets import ImageSet
from ganvas.errors import UsageError
from ganvas.models import build_discriminator, set_dropout_generator
from ganvas.models.families import stylegan2
from ganvas.models.layers.equalised import EqualDense
from ganvas.models.layers.noise import MapNoise
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import fresh_state
from ganvas.training.trainer import Trainer
from second_derivatives import check_gradient_penalty

SMALL_G = GeneratorConfig("stylegan2", latent_dim=6, base=8, widths=(6, 4), norm="none", slope=0.2, tanh=False)
SMALL_D = DiscriminatorConfig("stylegan2", widths=(4, 6, 8), norms=(), slope=0.2, dropout=0.0, minibatch="std")
LABELS = torch.tensor([0, 2, 1, 2])


def generator(size: int = 16, classes: int = 0, **changes: Any) -> stylegan2.Generator:
    torch.manual_seed(0)
    network = stylegan2.Generator(replace(SMALL_G, **changes), (3, size, size), classes).double()
    for name, parameter in network.named_parameters():
        if name.endswith(("bias", "strength")):  # what starts as 0 or 1 would hide mistakes
            nn.init.normal_(parameter, 0.5, 0.5)
    return network.eval()


def discriminator(size: int = 16, classes: int = 0, **changes: Any) -> stylegan2.Discriminator:
    torch.manual_seed(0)
    network = stylegan2.Discriminator(replace(SMALL_D, **changes), (3, size, size), classes).double()
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(parameter, 0.0, 0.5)
    return network


# -- the published formula -------------------------------------------------------------------------------------------


def fir(x: Tensor, before: int, after: int, gain: float = 1.0) -> Tensor:
    """[1, 3, 3, 1] x [1, 3, 3, 1], sum `gain`, over x with so many zeros around: a depthwise convolution."""
    taps = torch.tensor([1.0, 3, 3, 1], dtype=x.dtype)
    kernel = (gain * taps[:, None] * taps / 64).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(F.pad(x, (before, after, before, after)), kernel, groups=x.shape[1])


def per_image(x: Tensor, weight: Tensor, styles: Tensor, demodulate: bool, up: bool) -> Tensor:
    """Eq. 1 and 3: w' = s_i w, w'' = w' / sqrt(sum w'^2 + eps), for each image; then a convolution of groups."""
    n, channels, h, _ = x.shape
    kernels = weight[None] / weight[0].numel() ** 0.5 * styles[:, None, :, None, None]
    if demodulate:
        kernels = kernels / (kernels.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    x = x.reshape(1, n * channels, h, h)
    if up:
        each = kernels.transpose(1, 2).flatten(0, 1)  # [n * in, out, k, k]
        y = F.conv_transpose2d(x, each, stride=2, groups=n)
        return fir(y.view(n, -1, *y.shape[2:]), 1, 1, gain=4.0)
    y = F.conv2d(x, kernels.flatten(0, 1), padding=weight.shape[-1] // 2, groups=n)
    return y.view(n, -1, h, h)


def lrelu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2) * 2**0.5


def dense(x: Tensor, layer: EqualDense) -> Tensor:
    return x @ (layer.weight * layer.rate / layer.weight.shape[1] ** 0.5).t() + layer.bias * layer.rate


def published_images(G: stylegan2.Generator, z: Tensor, labels: Tensor | None) -> Tensor:
    w = z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()
    if G.labelled is not None:
        assert labels is not None
        y = G.labelled.embedding.weight[labels]
        w = torch.cat([w, y / (y.square().mean(1, keepdim=True) + 1e-8).sqrt()], 1)
    for layer in G.mapping:
        w = lrelu(dense(w, layer))
    x = G.constant.map.permute(2, 0, 1).expand(len(z), -1, -1, -1)
    image = torch.zeros(len(z), 3, 2, 2, dtype=z.dtype)
    for stage, end in zip(G.layers, G.images, strict=True):
        for layer in stage:
            y = per_image(x, layer.conv.weight, dense(w, layer.style), True, layer.conv.up)
            side = layer.noise.fixed.shape[0]
            y = y[:, :, :side, :side] + layer.noise.strength * layer.noise.fixed
            x = lrelu(y + layer.conv.bias[:, None, None])
        own = per_image(x, end.conv.weight, dense(w, end.style), False, False) + end.conv.bias[:, None, None]
        stuffed = torch.zeros(*image.shape[:2], 2 * image.shape[2], 2 * image.shape[2], dtype=z.dtype)
        stuffed[:, :, ::2, ::2] = image
        image = own + fir(stuffed, 2, 1, gain=4.0)[:, :, : x.shape[2], : x.shape[2]]
    return image


def published_features(D: stylegan2.Discriminator, x: Tensor) -> Tensor:
    def conv(x: Tensor, layer: Any, **how: Any) -> Tensor:
        return lrelu(F.conv2d(x, layer.weight / layer.weight[0].numel() ** 0.5, layer.bias, **how))

    x = conv(x, D.image)
    for stage in D.stages:
        x = conv(x, stage[0], padding=1)
        x = conv(fir(x, 2, 2 + x.shape[2] % 2), stage[2], stride=2)
    n, _, h, _ = x.shape
    spread = (x.var(0, correction=0) + 1e-8).sqrt().mean()  # four images are one group
    x = conv(torch.cat([x, spread.expand(n, 1, h, h)], 1), D.last, padding=1)
    return lrelu(dense(x.flatten(1), D.features))


# -- tests -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("up", [False, True])
@pytest.mark.parametrize("demodulate", [False, True])
def test_modulation_is_that_of_weights_for_each_image(up: bool, demodulate: bool) -> None:
    torch.manual_seed(0)
    layer = stylegan2.ModulatedConv2d(5, 7, 3, 12 if up else 6, up, demodulate).double()
    x, styles = torch.randn(4, 5, 6, 6, dtype=torch.float64), torch.randn(4, 5, dtype=torch.float64) + 1
    expected = per_image(x, layer.weight, styles, demodulate, up)
    torch.testing.assert_close(layer(x, styles), expected, rtol=1e-12, atol=1e-12)
    if demodulate and not up:  # eq. 3's purpose: standard deviation 1 for inputs of standard deviation 1
        wide = torch.randn(64, 5, 6, 6, dtype=torch.float64)
        assert layer(wide, 100 * styles.repeat(16, 1)).std().item() == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("size", [16, 28])
@pytest.mark.parametrize("classes", [0, 3])
def test_images_are_those_of_the_published_network(size: int, classes: int) -> None:
    G, z, labels = generator(size, classes), torch.randn(4, 6, dtype=torch.float64), LABELS if classes else None
    found = []
    G.tanh.register_forward_hook(lambda _, given, __: found.append(given[0]))  # before it becomes float32
    assert G(z, labels).shape == (4, 3, size, size)
    torch.testing.assert_close(found[0], published_images(G, z, labels), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [16, 28])
def test_features_are_those_of_the_published_network(size: int) -> None:
    D, x = discriminator(size, 3), torch.randn(4, 3, size, size, dtype=torch.float64)
    critique, expected = D(x, LABELS), published_features(D, x)
    torch.testing.assert_close(critique.features, expected, rtol=1e-12, atol=1e-12)
    of_class = (expected * D.projection.embedding.weight[LABELS]).sum(1) / 8**0.5
    torch.testing.assert_close(critique.logits, dense(expected, D.dense)[:, 0] + of_class, rtol=1e-12, atol=1e-12)


def size_of_g(width: int, classes: int) -> int:
    """Weights at 32 px with so many channels and numbers of z everywhere."""
    style, conv = width * width + width, width * width * 9 + width
    mapping = classes * width + 2 * width * width + width + style
    return mapping + 16 * width + 7 * (style + conv + 1) + 4 * (style + 3 * width + 3)


def size_of_d(width: int, classes: int) -> int:
    convs = 3 * width + width + 6 * (width * width * 9 + width) + (width + 1) * width * 9 + width
    return convs + 16 * width * width + width + width + 1 + classes * width


def test_the_networks_have_the_published_size() -> None:
    """With 512 channels at each of 4, 8, 16 and 32 px and ten classes G has 20.2 M weights."""
    config = replace(SMALL_G, latent_dim=16, base=16, widths=(16,) * 3)
    G = stylegan2.Generator(config, (3, 32, 32), 10)
    D = stylegan2.Discriminator(replace(SMALL_D, widths=(16,) * 4), (3, 32, 32), 10)
    assert sum(p.numel() for p in G.parameters()) == size_of_g(16, 10)
    assert sum(p.numel() for p in D.parameters()) == size_of_d(16, 10)
    assert size_of_g(512, 10) == 20_214_803


def test_noise_is_of_each_image_in_training_and_the_same_for_all_in_use() -> None:
    torch.manual_seed(0)
    layer = MapNoise(4)
    nn.init.ones_(layer.strength)
    x, draws = torch.zeros(4, 2, 4, 4), []
    for own in (slice(0, 4), slice(0, 4), slice(2, 4)):
        layer.generator = torch.Generator().manual_seed(3)
        layer.world = SimpleNamespace(size=4 // (own.stop - own.start), own=own)  # type: ignore[assignment]
        draws.append(layer(x[own]))
    assert torch.equal(draws[0], draws[1]) and torch.equal(draws[0][2:], draws[2])
    assert not torch.equal(draws[0][0], draws[0][1]) and torch.equal(draws[0][:, 0], draws[0][:, 1])
    assert draws[0].std().item() == pytest.approx(1, abs=0.25)
    used = layer.eval()(x)
    assert torch.equal(used, used[:1].expand_as(used)) and torch.equal(used[0, 0], layer.fixed)
    network = generator().train()
    set_dropout_generator(network, source := torch.Generator())
    assert all(m.generator is source for m in network.modules() if isinstance(m, MapNoise))


def test_noise_in_training_depends_on_seed_and_image_alone() -> None:
    config = tiny({
        "generator.family": "stylegan2", "discriminator.family": "stylegan2", "generator.norm": "none",
        "discriminator.norms": (), "discriminator.widths": (8, 8, 8), "step.batch": 4,
    })  # fmt: skip
    pixels = np.random.default_rng(0).integers(0, 256, (8, 3, 16, 16), dtype=np.uint8)
    images, engine, found = ImageSet("noise", pixels, None, (), "0", "drawn"), Engine(config.engine), []
    for other in range(2):
        torch.manual_seed(other)
        state = fresh_state(config, (3, 16, 16), engine)
        for noise in state.networks.generator.modules():
            if isinstance(noise, MapNoise):
                nn.init.ones_(noise.strength)
        trainer = Trainer(config, images, engine)
        for _ in range(2):
            trainer(state, 0.0)
        found.append(torch.cat([p.detach().flatten() for p in state.networks.generator.parameters()]))
    assert torch.equal(*found)


def test_a_layers_rate_slows_its_learning_and_not_its_output() -> None:
    torch.manual_seed(0)
    plain, slow = EqualDense(64, 32), EqualDense(64, 32, rate=0.01)
    with torch.no_grad():
        slow.weight.copy_(plain.weight * 100)
    x = torch.randn(512, 64)
    torch.testing.assert_close(plain(x), slow(x))
    assert plain(x).std().item() == pytest.approx(1, abs=0.1)
    for layer in (plain, slow):
        torch.autograd.grad(layer(x).sum(), layer.weight)
        with torch.no_grad():
            layer.weight += 0.1  # a step of Adam, whatever the gradient's scale
    moved = plain(x) - F.linear(x, plain.weight - 0.1) / 8
    torch.testing.assert_close(slow(x) - F.linear(x, slow.weight - 0.1) * 0.01 / 8, 0.01 * moved, atol=1e-4, rtol=1e-3)


def test_a_gradient_penalty_can_be_differentiated() -> None:
    D = discriminator(8, 3, widths=(4, 4))
    x = torch.randn(4, 3, 8, 8, dtype=torch.float64)
    check_gradient_penalty(D, x, LABELS, D.stages[0][2].weight)


def test_what_scaled_weights_rule_out_is_refused() -> None:
    config = get("stylegan2-small").config
    with pytest.raises(UsageError, match=r"discriminator\.spectral = True: it must be False: weights of stylegan2"):
        build_discriminator(replace(config, discriminator=replace(config.discriminator, spectral=True)), (3, 16, 16))
