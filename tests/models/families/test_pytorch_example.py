"""The PyTorch example's networks: the printed layers at 64 px, and their start."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganvas import models
from ganvas.config.recipes import get
from ganvas.models import build_discriminator, build_generator

CONFIG = get("pytorch-dcgan").config
AT_64 = replace(
    CONFIG,
    generator=replace(CONFIG.generator, base=512, widths=(256, 128, 64)),
    discriminator=replace(CONFIG.discriminator, widths=(64, 128, 256, 512), norms=(False, True, True, True)),
)
"""The tutorial's own size, with ngf = ndf = 64."""


def weights(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def test_at_64_px_the_networks_have_the_printed_layers() -> None:
    """Of what `print(netG)` and `print(netD)` show: kernels of 4 x 4 without bias, two numbers for each channel."""
    g = [(100, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    d = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    of_g = sum(16 * i * o for i, o in g) + 2 * (512 + 256 + 128 + 64)
    of_d = sum(16 * i * o for i, o in d) + 2 * (128 + 256 + 512)
    assert (of_g, of_d) == (3_576_704, 2_765_568)
    assert weights(build_generator(AT_64, (3, 64, 64))) == of_g
    assert weights(build_discriminator(AT_64, (3, 64, 64))) == of_d


def test_at_32_px_one_layer_is_left_out() -> None:
    """As Arjovsky et al.'s DCGAN for any size does: the widest map of 4 x 4 has 256 channels."""
    assert weights(build_generator(CONFIG, (3, 32, 32))) == 16 * (100 * 256 + 256 * 128 + 128 * 64 + 64 * 3) + 2 * 448
    assert weights(build_discriminator(CONFIG, (3, 32, 32))) == 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256) + 2 * 384


def test_it_computes_what_torchs_own_layers_do() -> None:
    """The same weights in nn.ConvTranspose2d and nn.Conv2d with padding 1, z as a map of one pixel."""
    G = build_generator(AT_64, (3, 64, 64)).eval()
    z, x = torch.randn(2, 100), torch.rand(2, 3, 64, 64) * 2 - 1
    first = G.dense.weight.view(4, 4, 512, 100).permute(3, 2, 0, 1)
    y = torch.conv_transpose2d(z[:, :, None, None], first)
    for norm, up in zip(G.norms, [*G.ups, G.image], strict=True):
        y = torch.conv_transpose2d(norm(y).relu(), up.weight, stride=2, padding=1)
    torch.testing.assert_close(G(z, None), y.tanh(), atol=1e-5, rtol=1e-4)

    D = build_discriminator(AT_64, (3, 64, 64)).eval()
    head = D.dense.weight.view(1, 4, 4, 512).permute(0, 3, 1, 2)
    y = x
    for block in D.blocks:
        y = torch.conv2d(y, block["conv"].weight, stride=2, padding=1)
        y = nn.functional.leaky_relu(block["norm"](y) if "norm" in block else y, 0.2)
    torch.testing.assert_close(D(x, None).logits, torch.conv2d(y, head).flatten(), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("build", [build_generator, build_discriminator])
def test_all_weights_start_as_the_papers(build) -> None:  # type: ignore[no-untyped-def]
    network = build(CONFIG, (3, 32, 32))
    for name, parameter in network.named_parameters():
        if "norm" in name and name.endswith("bias"):
            assert not parameter.any()
        elif parameter.numel() > 100:
            assert parameter.std().item() == pytest.approx(0.02, rel=0.2), name
            assert parameter.mean().item() == pytest.approx(1.0 if "norm" in name else 0.0, abs=0.01), name
        else:
            assert parameter.ndim == 1, name
    assert models.family_of(CONFIG.discriminator).d_batch_norm
