"""SNGAN's networks: the published sizes, and every block against a plain composition."""

import dataclasses
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.models.families import resnet
from ganvas.models.layers.norm import ConditionalNorm, VirtualNorm
from ganvas.models.layers.spectral import SpectralNorm
from ganvas.models.ops.conv import set_algorithm
from second_derivatives import check_gradient_penalty

SMALL_G = GeneratorConfig("resnet", latent_dim=6, base=16, widths=(16, 8, 8), slope=0.0)
SMALL_D = DiscriminatorConfig("resnet", widths=(8, 16), slope=0.0)
LABELS = torch.tensor([0, 1, 2, 0])


def generator(size: int = 16, classes: int = 0, **changes: Any) -> resnet.Generator:
    torch.manual_seed(0)
    return resnet.Generator(dataclasses.replace(SMALL_G, **changes), (3, size, size), classes)


def discriminator(size: int = 16, classes: int = 0, **changes: Any) -> resnet.Discriminator:
    torch.manual_seed(0)
    return resnet.Discriminator(dataclasses.replace(SMALL_D, **changes), (3, size, size), classes)


def parameters(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def conv(x: Tensor, layer: nn.Module) -> Tensor:
    return F.conv2d(x, layer.weight, layer.bias, padding=layer.weight.shape[-1] // 2)


def test_at_32_px_the_networks_have_sngans_size() -> None:
    """4.3 M and 1.05 M parameters, counted layer by layer."""
    shape = (3, 32, 32)
    G = resnet.Generator(GeneratorConfig("resnet", latent_dim=128, base=256, widths=(256,) * 3, slope=0.0), shape, 0)
    D = resnet.Discriminator(DiscriminatorConfig("resnet", widths=(128, 128), slope=0.0, spectral=True), shape, 0)
    up = 2 * (256 * 256 * 9 + 256) + (256 * 256 + 256) + 2 * 512
    assert parameters(G) == 129 * 256 * 16 + 3 * up + 512 + (256 * 27 + 3) == 4_276_739
    keep = 2 * (128 * 128 * 9 + 128)
    first = (3 * 128 * 9 + 128) + (128 * 128 * 9 + 128) + (3 * 128 + 128)
    assert parameters(D) == first + (keep + 128 * 128 + 128) + 2 * keep + 129 == 1_053_825
    explicit = DiscriminatorConfig("resnet", widths=(128, 128), blocks=(0, 2), slope=0.0)
    assert parameters(resnet.Discriminator(explicit, shape, 0)) == 1_053_825


@pytest.mark.parametrize(("size", "widths"), [(16, 2), (28, 3), (32, 3), (48, 3), (64, 4)])
def test_images_of_any_size(size: int, widths: int) -> None:
    G, D = generator(size), discriminator(size)
    images = G(torch.randn(4, 6), None)
    assert images.shape == (4, 3, size, size) and images.abs().max() <= 1
    assert len(G.blocks) == widths
    critique = D(images, None)
    assert critique.logits.shape == (4,) and critique.features.shape == (4, 16)
    assert sum(block.down for block in D.blocks) == widths - 1  # to 7, 8 or 12 px
    assert [block.down for block in D.blocks][-2:] == [False, False]


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize(("h", "side"), [(4, 8), (4, 7), (5, 5)])
def test_an_up_block_is_two_convolutions_and_a_shortcut(h: int, side: int, norm: str) -> None:
    torch.manual_seed(0)
    config = dataclasses.replace(SMALL_G, norm=norm, slope=0.1)  # type: ignore[arg-type]
    block = resnet.UpBlock(8, 12, side, side != h, config, 0)
    for layer in (block.conv1, block.conv2, block.shortcut):
        nn.init.normal_(layer.bias)
    x = torch.randn(3, 8, h, h)
    kept = x.clone()

    def normal(x: Tensor) -> Tensor:
        return F.batch_norm(x, None, None, training=True) if norm == "batch" else x

    def up(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)[:, :, :side, :side] if side != h else x

    long = conv(up(F.leaky_relu(normal(x), 0.1)), block.conv1)
    long = conv(F.leaky_relu(normal(long), 0.1), block.conv2)
    assert torch.allclose(block(x, None), long + conv(up(x), block.shortcut), atol=1e-5)
    assert torch.equal(x, kept)


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("h", [8, 7])
def test_a_down_block_is_two_convolutions_a_mean_and_a_shortcut(h: int, first: bool) -> None:
    torch.manual_seed(0)
    block = resnet.DownBlock(8, 12, True, 0.0, first)
    for layer in (block.conv1, block.conv2, block.shortcut):
        nn.init.normal_(layer.bias)
    x = torch.randn(3, 8, h, h)
    kept = x.clone()

    def mean(x: Tensor) -> Tensor:
        wide = F.pad(x, (0, h % 2, 0, h % 2), mode="replicate")  # at the edge the mean of what there is
        return (wide[:, :, ::2, ::2] + wide[:, :, 1::2, ::2] + wide[:, :, ::2, 1::2] + wide[:, :, 1::2, 1::2]) / 4

    long = mean(conv(F.relu(conv(x if first else F.relu(x), block.conv1)), block.conv2))
    assert torch.allclose(block(x), long + mean(conv(x, block.shortcut)), atol=1e-5)
    assert torch.equal(x, kept)


def test_a_block_that_changes_nothing_has_a_bare_shortcut() -> None:
    assert resnet.DownBlock(8, 8, False, 0.0).shortcut is None
    assert resnet.UpBlock(8, 8, 4, False, SMALL_G, 0).shortcut is None


def test_blocks_are_counted_at_each_map() -> None:
    G, D = generator(32, blocks=(1, 0, 2)), discriminator(32, blocks=(1, 0))
    assert [(block.size, block.up) for block in G.blocks] == [
        (4, False),
        (8, True),
        (16, True),
        (16, False),
        (16, False),
        (32, True),
        (32, False),
        (32, False),
    ]
    assert [block.down for block in D.blocks] == [True, False, True]


@pytest.mark.parametrize("changes", [{}, {"norm": "none"}, {"norm": "virtual"}, {"condition": "norm"}])
def test_the_class_changes_the_image(changes: dict[str, Any]) -> None:
    G = generator(classes=3, **changes).eval()
    conditional = [m for m in G.modules() if isinstance(m, ConditionalNorm)]
    assert len(conditional) == (5 if "condition" in changes else 0)
    for module in conditional:
        nn.init.normal_(module.scale.weight)
    same = torch.randn(1, 6).expand(3, -1)
    a, b, c = G(same, torch.tensor([0, 1, 1]))
    assert torch.allclose(b, c, atol=1e-6) and not torch.allclose(a, b, atol=1e-4)


def test_the_class_changes_the_logit_through_the_features() -> None:
    D, plain = discriminator(classes=3), discriminator()
    images = torch.randn(4, 3, 16, 16)
    critique, features = D(images, LABELS), plain(images, None).features
    expected = plain(images, None).logits + (D.projection.embedding.weight[LABELS] * features).sum(1)
    assert torch.allclose(critique.logits, expected, atol=1e-4)


def test_the_features_are_sums_over_the_last_map() -> None:
    D = discriminator()
    seen: list[Tensor] = []
    D.blocks[-1].register_forward_hook(lambda module, inputs, output: seen.append(output.detach().clone()))
    critique = D(torch.randn(4, 3, 16, 16), None)
    assert torch.allclose(critique.features, seen[0].clamp(min=0).sum((2, 3)), atol=1e-5)
    assert torch.allclose(critique.logits, D.dense(critique.features)[:, 0])


def test_without_classes_nothing_is_there_for_them() -> None:
    assert not [n for n, _ in (*generator().named_parameters(), *discriminator().named_parameters()) if "embed" in n]
    D, images = discriminator(), torch.randn(4, 3, 16, 16)
    assert torch.equal(D(images, LABELS).logits, D(images, None).logits)


def test_with_virtual_norm_an_image_does_not_depend_on_the_batch() -> None:
    G, z = generator(norm="virtual"), torch.randn(4, 6)
    assert sum(isinstance(m, VirtualNorm) for m in G.modules()) == 5
    assert torch.allclose(G(z, None)[:2], G(z[:2], None), atol=1e-5)


def test_the_dial_the_activation_and_the_first_weights() -> None:
    G, D = generator(width=2.0, slope=0.2, tanh=False), discriminator(width=2.0, init="normal", spectral=True)
    assert [block.conv2.weight.shape[0] for block in G.blocks] == [32, 16]
    assert isinstance(G.act, nn.LeakyReLU) and G(50 * torch.randn(4, 6), None).abs().max() > 1
    assert all(isinstance(block.conv1, SpectralNorm) for block in D.blocks)
    assert D.blocks[-1].conv1.layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
    assert generator().blocks[0].conv1.weight.std().item() == pytest.approx((2 * 2 / (9 * 32)) ** 0.5, rel=0.1)


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
@pytest.mark.parametrize("changes", [{}, {"spectral": True}, {"minibatch": "std"}, {"minibatch": "features"}])
def test_the_discriminator_has_a_gradient_penalty(changes: dict[str, Any], algorithm: str) -> None:
    D = discriminator(classes=3, slope=0.2, **changes).double().eval()
    set_algorithm(D, algorithm)
    images = torch.randn(4, 3, 16, 16, dtype=torch.float64)
    check_gradient_penalty(
        D, images, LABELS, D.blocks[1].conv2.layer.weight if "spectral" in changes else D.blocks[1].conv2.weight
    )


def test_bfloat16_ends_in_float32() -> None:
    G, D = generator(classes=3, condition="norm"), discriminator(classes=3, spectral=True)
    with torch.autocast("cpu", torch.bfloat16):
        images = G(torch.randn(4, 6), LABELS)
        critique = D(images, LABELS)
    assert images.dtype == critique.logits.dtype == torch.float32
