"""Dense layers alone: images of any size, points as images of one pixel, classes, normalisation."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from conftest import tiny
from ganvas import models

MLP = {"generator.family": "mlp", "discriminator.family": "mlp", "discriminator.norms": (), "generator.norm": "none"}


@pytest.mark.parametrize("shape", [(2, 1, 1), (1, 5, 7), (3, 16, 16)])
def test_an_image_is_a_list_of_numbers(shape: tuple[int, int, int]) -> None:
    config = tiny({**MLP, "generator.base": 6, "generator.widths": (5,), "discriminator.widths": (4,)})
    G, D = models.build_generator(config, shape), models.build_discriminator(config, shape)
    z = torch.randn(3, config.generator.latent_dim)
    first, second = G.layers
    hidden = G.act(second(G.act(first(z))))
    torch.testing.assert_close(G(z, None), torch.tanh(G.image(hidden)).view(3, *shape))
    x = torch.randn(3, *shape)
    critique = D(x, None)
    torch.testing.assert_close(critique.features, D.act(D.layers[0](x.flatten(1))))
    torch.testing.assert_close(critique.logits, D.dense(critique.features)[:, 0])


def test_classes_norms_and_spectral_normalisation() -> None:
    config = tiny({**MLP, "generator.norm": "batch", "discriminator.spectral": True, "generator.tanh": False})
    for condition, norm in (("concat", "batch"), ("norm", "batch")):
        config = replace(config, generator=replace(config.generator, condition=condition, norm=norm))
        G, D = models.build_generator(config, (2, 1, 1), 3), models.build_discriminator(config, (2, 1, 1), 3)
        z, labels = torch.randn(6, config.generator.latent_dim), torch.arange(6) % 3
        assert any(isinstance(m, nn.BatchNorm1d) for m in G.modules())
        assert not torch.equal(D(G(z, labels), labels).logits, D(G(z, labels), labels.flip(0)).logits)
