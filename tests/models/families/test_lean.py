"""The networks behind `lean`: shapes at every size, signal kept by the first weights, classes, blocks."""

from __future__ import annotations

import pytest
import torch

from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.config.recipes import RECIPES
from ganvas.models.families.lean import Discriminator, Generator
from ganvas.models.ops.conv import set_algorithm

LEAN = RECIPES["lean"].config
Z = LEAN.generator.latent_dim


def made(shape: tuple[int, int, int], classes: int = 0, **changes: object) -> tuple[Generator, Discriminator]:
    torch.manual_seed(0)
    g = GeneratorConfig(**{**vars(LEAN.generator), **changes.get("g", {})})  # type: ignore[dict-item]
    d = DiscriminatorConfig(**{**vars(LEAN.discriminator), **changes.get("d", {})})  # type: ignore[dict-item]
    return Generator(g, shape, classes), Discriminator(d, shape, classes)


@pytest.mark.parametrize("classes", [0, 5])
@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 16, 16), (1, 64, 64), (3, 48, 48)])
def test_every_size_fits(shape: tuple[int, int, int], classes: int) -> None:
    G, D = made(shape, classes)
    labels = torch.arange(6) % classes if classes else None
    images = G(torch.randn(6, Z), labels)
    assert images.shape == (6, *shape) and images.abs().max() <= 1
    assert D(images, labels).logits.shape == (6,)


def test_the_first_weights_keep_the_signals_size() -> None:
    G, D = made((3, 32, 32), 10)
    labels = torch.arange(64) % 10
    images = G(torch.randn(64, Z), labels)
    assert 0.1 < images.std() < 0.9
    features = D(torch.randn(64, 3, 32, 32), labels).features
    assert 0.3 < features.square().mean().sqrt() < 3


def test_the_dial_scales_every_width_and_a_quarter_of_the_weights_are_left_at_half() -> None:
    whole, half = made((3, 32, 32)), made((3, 32, 32), g={"width": 0.5}, d={"width": 0.5})
    for a, b in zip(whole, half, strict=True):
        large, small = ((m.ups if isinstance(m, Generator) else m.downs)[1].weight.numel() for m in (a, b))
        assert small == large / 4


def test_blocks_begin_as_the_identity() -> None:
    plain, deep = made((3, 32, 32)), made((3, 32, 32), g={"blocks": (1, 2)}, d={"blocks": (0, 1, 2)})
    assert [len(b) for b in deep[0].blocks] == [1, 2, 2] and [len(b) for b in deep[1].blocks] == [0, 1, 2]
    for a, b in zip(plain, deep, strict=True):
        b.load_state_dict(a.state_dict(), strict=False)
    z, x = torch.randn(4, Z), torch.randn(4, 3, 32, 32)
    torch.testing.assert_close(plain[0](z, None), deep[0](z, None))
    torch.testing.assert_close(plain[1](x, None).logits, deep[1](x, None).logits)


@pytest.mark.parametrize("spectral", [False, True])
def test_winograd_gives_the_same(spectral: bool) -> None:
    G, D = made((3, 32, 32), g={"blocks": (1,)}, d={"blocks": (1,), "spectral": spectral})
    G.eval(), D.eval()
    images = G(torch.randn(4, Z, generator=torch.Generator().manual_seed(1)), None)
    logits = D(images, None).logits
    assert logits.isfinite().all()
    for network in (G, D):
        set_algorithm(network, "winograd")
    again = G(torch.randn(4, Z, generator=torch.Generator().manual_seed(1)), None)
    torch.testing.assert_close(again, images, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(D(images, None).logits, logits, atol=1e-4, rtol=1e-4)


def test_a_pooled_d_adds_up_its_last_map() -> None:
    _, D = made((3, 32, 32), 3, d={"pool": True, "minibatch": "none"})
    last: list[torch.Tensor] = []
    D.act.register_forward_hook(lambda module, inputs, output: last.append(output))
    labels = torch.arange(4) % 3
    critique = D(torch.randn(4, 3, 32, 32), labels)
    torch.testing.assert_close(critique.features, last[-1].sum(dim=(2, 3)))
    assert critique.features.shape == (4, LEAN.discriminator.widths[-1]) and critique.logits.std() > 1e-3
