"""R3GAN's networks: the block, its start, the resampling filter, the published size."""

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.errors import UsageError
from ganvas.models.families import r3
from ganvas.models.layers.description import describe
from second_derivatives import check_gradient_penalty

SMALL_G = GeneratorConfig("r3", latent_dim=6, base=16, widths=(16, 8, 8), slope=0.2, tanh=False, group=8)
SMALL_D = DiscriminatorConfig("r3", widths=(8, 8, 16, 16), slope=0.2, group=8)
LABELS = torch.tensor([0, 1, 2, 0])


def generator(size: int = 16, classes: int = 0, **changes: Any) -> r3.Generator:
    torch.manual_seed(0)
    return r3.Generator(dataclasses.replace(SMALL_G, **changes), (3, size, size), classes)


def discriminator(size: int = 16, classes: int = 0, **changes: Any) -> r3.Discriminator:
    torch.manual_seed(0)
    return r3.Discriminator(dataclasses.replace(SMALL_D, **changes), (3, size, size), classes)


def awake(net: nn.Module) -> nn.Module:
    """The network with blocks that add something; those under spectral norm do from the start."""
    for module in net.modules():
        if isinstance(module, r3.Block) and isinstance(module.project, nn.Conv2d):
            nn.init.normal_(module.project.weight, std=0.1)
    return net


def test_at_32_px_the_networks_have_r3gans_size() -> None:
    """8 blocks of 768 channels, 96 groups inside: 20.7 M parameters with the ends."""
    block = 2 * 768 * 1536 + 1536 * 16 * 9 + 2 * 1536
    G = r3.Generator(GeneratorConfig("r3", latent_dim=64, base=768, widths=(768,) * 3, slope=0.2), (3, 32, 32), 10)
    D = r3.Discriminator(DiscriminatorConfig("r3", widths=(768,) * 4, slope=0.2), (3, 32, 32), 10)
    ends = {"G": 10 * 64 + 128 * 768 + 768 * 16 + 768 * 3, "D": 3 * 768 + 768 * 16 + 768 + 1 + 10 * 768}
    assert sum(p.numel() for p in G.parameters()) == 8 * block + ends["G"]
    assert sum(p.numel() for p in D.parameters()) == 8 * block + ends["D"]
    assert next(m for m in G.modules() if isinstance(m, r3.Block)).mix.groups == 96


def test_a_block_is_three_convolutions_added_to_its_input() -> None:
    torch.manual_seed(0)
    block = r3.Block(8, 4, 0.2, 1, nonzero=True)
    for layer in (block.expand, block.mix):
        nn.init.normal_(layer.bias)
    x = torch.randn(2, 8, 5, 5)
    kept = x.clone()
    inner = F.leaky_relu(torch.einsum("dc,nchw->ndhw", block.expand.weight[:, :, 0, 0], x) + bias(block.expand), 0.2)
    parts = [
        F.conv2d(inner[:, 4 * g : 4 * g + 4], block.mix.weight[4 * g : 4 * g + 4], padding=1) for g in range(4)
    ]  # 16 channels in groups of 4
    inner = F.leaky_relu(torch.cat(parts, 1) + bias(block.mix), 0.2)
    expected = x + torch.einsum("dc,nchw->ndhw", block.project.weight[:, :, 0, 0], inner)
    assert torch.allclose(block(x), expected, atol=1e-5) and torch.equal(x, kept)


def bias(layer: nn.Module) -> Tensor:
    return layer.bias[:, None, None]


def test_a_block_starts_as_the_identity_with_weights_that_shrink_with_depth() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 64, 4, 4)
    assert torch.equal(r3.Block(64, 16, 0.2, 8)(x), x)
    for total in (1, 16):
        block, gain = r3.Block(64, 16, 0.2, total), (2 / 1.04) ** 0.5 * total**-0.25
        assert block.expand.weight.std().item() == pytest.approx(gain / 64**0.5, rel=0.05)
        assert block.mix.weight.std().item() == pytest.approx(gain / (9 * 16) ** 0.5, rel=0.05)
    G = generator(32, blocks=(1, 2, 1, 0))
    assert [len(s) for s in G.stages if isinstance(s, nn.Sequential)] == [1, 2, 1, 0]
    first = next(m for m in G.modules() if isinstance(m, r3.Block))
    assert first.expand.weight.std().item() == pytest.approx((2 / 1.04 / 16) ** 0.5 * 4**-0.25, rel=0.1)


def test_blocks_and_widths_lose_their_large_maps_at_16_px() -> None:
    G, D = generator(blocks=(1, 2, 0, 3)), discriminator(blocks=(3, 0, 2, 1), widths=(8, 16, 24, 32))
    assert [len(s) for s in G.stages if isinstance(s, nn.Sequential)] == [1, 2, 0]
    assert [len(s) for s in D.stages if isinstance(s, nn.Sequential)] == [0, 2, 1]
    assert [len(s.linear.weight) for s in D.stages if isinstance(s, r3.Resample)] == [24, 32]


def test_groups_that_do_not_fill_up_are_refused() -> None:
    with pytest.raises(UsageError, match="groups of 12"):
        generator(group=12)


@pytest.mark.parametrize("h", [8, 7])
def test_down_is_the_filter_at_every_other_pixel(h: int) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, h, h)
    room = np.pad(x.numpy(), ((0, 0), (0, 0), (1, 3), (1, 3)))
    taps, half = np.array([1, 3, 3, 1]) / 8, -(-h // 2)
    expected = np.zeros((2, 3, half, half))
    for i in range(half):
        for j in range(half):
            expected[:, :, i, j] = taps @ room[:, :, 2 * i : 2 * i + 4, 2 * j : 2 * j + 4] @ taps
    np.testing.assert_allclose(r3.Resample(3, 3, h)(x).numpy(), expected, atol=1e-6)


def test_up_is_linear_interpolation_inside() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 4, 4)
    expected = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
    y = r3.Resample(3, 3, 8, up=True)(x)
    assert torch.allclose(y[:, :, 1:-1, 1:-1], expected[:, :, 1:-1, 1:-1], atol=1e-6)
    assert torch.allclose(r3.Resample(3, 3, 7, up=True)(x), y[:, :, :7, :7], atol=1e-6)


def test_up_is_four_times_the_transpose_of_down() -> None:
    torch.manual_seed(0)
    small, large = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 8, 8)
    there, back = r3.Resample(3, 3, 8)(large), r3.Resample(3, 3, 8, up=True)(small)
    assert torch.allclose(4 * (there * small).sum(), (large * back).sum(), atol=1e-4)


def test_channels_change_at_the_smaller_side() -> None:
    torch.manual_seed(0)
    down, up = r3.Resample(3, 5, 8), r3.Resample(5, 3, 8, up=True)
    x, y = torch.randn(2, 3, 8, 8), torch.randn(2, 5, 4, 4)
    assert torch.allclose(down(x), r3.Resample(5, 5, 8)(down.linear(x)), atol=1e-5)
    assert torch.allclose(up(y), up.linear(r3.Resample(5, 5, 8, up=True)(y)), atol=1e-5)
    assert r3.Resample(3, 3, 8).linear is None and not r3.Resample(3, 3, 8).state_dict()


@pytest.mark.parametrize("size", [16, 28, 32, 48, 64])
def test_images_of_any_size(size: int) -> None:
    G, D = awake(generator(size)), awake(discriminator(size))
    images = G(torch.randn(4, 6), None)
    assert images.shape == (4, 3, size, size)
    critique = D(images, None)
    assert critique.logits.shape == (4,) and critique.features.shape == (4, 16)
    assert torch.isfinite(critique.logits).all() and critique.logits.std() > 1e-4


def test_the_generator_starts_as_a_smooth_mixture_of_maps() -> None:
    G = generator()
    z = torch.randn(4, 6)
    x = (G.dense(z)[:, :, None, None] * G.basis.map.permute(2, 0, 1)).detach()
    for stage in G.stages:
        x = stage(x) if isinstance(stage, r3.Resample) else x
    assert torch.allclose(G(z, None), G.image(x), atol=1e-6)
    assert torch.allclose(generator(tanh=True)(z, None), G(z, None).tanh(), atol=1e-6)


def test_maps_lie_channels_last_throughout() -> None:
    layout, seen = torch.channels_last, []
    nets = [awake(net()).to(memory_format=layout) for net in (generator, discriminator)]
    for net in nets:
        for module in net.modules():
            if isinstance(module, r3.Block | r3.Resample):
                module.register_forward_hook(lambda m, i, out: seen.append(out.is_contiguous(memory_format=layout)))
    nets[1](nets[0](torch.randn(4, 6), None), None)
    assert len(seen) == 16 and all(seen)


def test_the_class_changes_image_and_logit() -> None:
    G, D, plain = awake(generator(classes=3)), discriminator(classes=3), discriminator()
    same = torch.randn(1, 6).expand(3, -1)
    a, b, c = G(same, torch.tensor([0, 1, 1]))
    assert torch.allclose(b, c, atol=1e-6) and not torch.allclose(a, b, atol=1e-4)
    images = torch.randn(4, 3, 16, 16)
    ours, theirs = D(images, LABELS), plain(images, None)
    expected = theirs.logits + (D.projection.embedding.weight[LABELS] * theirs.features).sum(1)
    assert torch.allclose(ours.logits, expected, atol=1e-5)


def test_without_classes_nothing_is_there_for_them() -> None:
    G, D = generator(), discriminator()
    assert not [n for n, _ in (*G.named_parameters(), *D.named_parameters()) if "embed" in n]
    assert G.dense.in_features == 6
    z, images = torch.randn(4, 6), torch.randn(4, 3, 16, 16)
    assert torch.equal(G(z, LABELS), G(z, None)) and torch.equal(D(images, LABELS).logits, D(images, None).logits)


def test_the_dial_rounds_to_groups() -> None:
    G = generator(32, width=1.7, group=16)
    assert G.basis.map.shape == (4, 4, 32) and [len(s.linear.weight) for s in G.stages if changes(s)] == [16]
    assert generator(width=3.0).basis.map.shape == (4, 4, 48)


def changes(stage: nn.Module) -> bool:
    return isinstance(stage, r3.Resample) and stage.linear is not None


@pytest.mark.parametrize("options", [{}, {"spectral": True}, {"minibatch": "std"}, {"minibatch": "features"}])
def test_the_discriminator_has_a_gradient_penalty(options: dict[str, Any]) -> None:
    D = awake(discriminator(classes=3, **options)).double().eval()
    images = torch.randn(4, 3, 16, 16, dtype=torch.float64)
    names = [n for n, _ in D.named_parameters() if n.endswith(("mix.weight", "mix.layer.weight"))]
    check_gradient_penalty(D, images, LABELS, dict(D.named_parameters())[names[1]])


def test_spectral_norm_meets_no_zero_weight() -> None:
    D = discriminator(spectral=True)
    logits = D(torch.randn(4, 3, 16, 16), None).logits
    gradients = torch.autograd.grad(logits.sum(), list(D.parameters()))
    assert torch.isfinite(logits).all() and all(torch.isfinite(g).all() for g in gradients)
    assert max(g.abs().max() for g in gradients) < 1e4


def test_bfloat16_ends_in_float32() -> None:
    G, D = generator(classes=3), discriminator(classes=3)
    with torch.autocast("cpu", torch.bfloat16):
        images = G(torch.randn(4, 6), LABELS)
        critique = D(images, LABELS)
    assert images.dtype == critique.logits.dtype == torch.float32


def test_the_learned_map_has_a_name() -> None:
    assert describe(generator().basis) == "Learned map"
