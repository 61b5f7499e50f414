"""Keras' example: its printed counts at 64 px, its range of images. Parity: test_keras_parity.py."""

from __future__ import annotations

import torch

from ganvas import models
from ganvas.config.recipes import get
from ganvas.models import build_discriminator, build_generator

CONFIG = get("keras-dcgan").config


def test_at_64_px_the_networks_have_the_printed_counts() -> None:
    """The summaries on its page: 3,979,651 and 404,801; at 32 px the first map is 4 x 4, and so is D's last."""
    assert models.count_parameters(build_generator(CONFIG, (3, 64, 64))) == 3_979_651
    assert models.count_parameters(build_discriminator(CONFIG, (3, 64, 64))) == 404_801
    assert models.count_parameters(build_generator(CONFIG, (3, 32, 32))) == 3_979_651 - 6144 * 129
    assert models.count_parameters(build_discriminator(CONFIG, (3, 32, 32))) == 404_801 - 6144


def test_black_is_zero_inside() -> None:
    """Zeros around a black image are no edge to D; G's sigmoid fills [-1, 1]."""
    D, black = build_discriminator(CONFIG, (3, 32, 32)), -torch.ones(1, 3, 32, 32)
    seen = []
    D.downs[0].register_forward_hook(lambda _, given, made: seen.append((given[0], made)))
    D(black, None)
    assert not seen[0][0].any() and not seen[0][1].any()
    G = build_generator(CONFIG, (3, 32, 32))
    with torch.no_grad():
        G.image.bias.fill_(20)
        assert torch.equal(G(torch.zeros(1, 128), None), torch.ones(1, 3, 32, 32))
        G.image.bias.fill_(-200)
        assert torch.equal(G(torch.zeros(1, 128), None), -torch.ones(1, 3, 32, 32))
