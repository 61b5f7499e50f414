"""Every family at every size from 16 to 128 px: shapes, one update, and the config that says what was built."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from conftest import tiny
from ganvas import models
from ganvas.config import Config, override, recipes
from ganvas.datasets import ImageSet
from ganvas.models import FAMILIES, build_discriminator, build_generator, for_size
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import fresh_state
from ganvas.training.setup import create_run
from ganvas.training.trainer import Trainer

SIZES = (16, 24, 28, 32, 48, 64, 96, 128)
SMALL = {
    "dcgan": {},
    "pytorch-example": {},
    "keras-example": {"generator.norm": "none", "discriminator.norms": ()},
    "resnet": {"generator.widths": (8, 8, 8), "discriminator.widths": (8, 8), "discriminator.norms": ()},
    "stylegan2": {"generator.norm": "none", "generator.widths": (8, 8), "discriminator.widths": (8, 8, 8),
                  "discriminator.norms": ()},
    "mlp": {"generator.widths": (8,), "discriminator.widths": (8, 8), "discriminator.norms": ()},
    "lean": {"generator.widths": (8, 8), "discriminator.widths": (8, 8, 16), "discriminator.norms": ()},
    "r3": {"generator.norm": "none", "generator.widths": (16, 16), "discriminator.widths": (16, 16, 16),
           "discriminator.norms": ()},
}  # fmt: skip


def images_of(size: int) -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 3, size, size), dtype=np.uint8)
    return ImageSet("noise", pixels, None, (), "0", "drawn")


def small(family: str, size: int) -> Config:
    families = {"generator.family": family, "discriminator.family": family}
    return for_size(tiny({**families, **SMALL[family], "step.batch": 4}), size)


EXAMPLES = ("keras-example", "pytorch-example", "stylegan2")
"""Their largest sizes are slow ones."""


@pytest.mark.parametrize(
    ("family", "size"),
    [
        pytest.param(family, size, marks=[pytest.mark.slow] if family in EXAMPLES and size > 48 else [])
        for family in sorted(SMALL)
        for size in SIZES
    ],
)
def test_updates_at_every_size(family: str, size: int) -> None:
    assert family in FAMILIES
    config, images = small(family, size), images_of(size)
    engine = Engine(config.engine)
    state = fresh_state(config, (3, size, size), engine, 0)
    networks = state.networks
    before = [p.detach().clone() for p in (*networks.generator.parameters(), *networks.discriminator.parameters())]
    trainer = Trainer(config, images, engine)
    for _ in range(2):  # blocks that start as the identity pass gradients on from the second update
        trainer(state, 0.0)
    after = [*networks.generator.parameters(), *networks.discriminator.parameters()]
    assert not any(torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert torch.isfinite(state.sums).all()
    with torch.no_grad():
        fake = networks.generator(torch.zeros(2, config.generator.latent_dim), None)
        assert fake.shape == (2, 3, size, size)
        assert networks.discriminator(fake, None).logits.shape == (2,)


@pytest.mark.parametrize("recipe", ["quick", "small-data", "lean", "r3-small", "hinge-resnet"])
def test_the_config_of_a_large_run_says_what_is_built(recipe: str) -> None:
    config = recipes.get(recipe).config
    assert for_size(config, 64) == for_size(config, 96) == config
    large = for_size(config, 128)
    assert large.generator != config.generator and for_size(large, 128) == large
    thin_g, thin_d = replace(large.generator, width=0.25), replace(large.discriminator, width=0.25)
    large = replace(large, generator=thin_g, discriminator=thin_d)
    g, d = build_generator(large, (3, 128, 128)), build_discriminator(large, (3, 128, 128))
    with torch.no_grad():
        assert d(g.eval()(torch.zeros(2, large.generator.latent_dim), None), None).logits.shape == (2,)


def test_channels_at_128_px_are_recorded(tmp_path) -> None:
    config = replace(recipes.get("quick").config, engine=tiny().engine)
    config = replace(config, data=replace(config.data, name="shapes", size=128))
    run = create_run(config, images_of(128), tmp_path / "run")
    assert (run.config.generator.base, run.config.generator.widths) == (128, (128, 128, 64, 32, 16))
    assert run.config.discriminator.widths == (32, 64, 128, 128, 128)
    assert models.build_generator(run.config, (3, 128, 128)).dense.out_features == 128 * 16


@pytest.mark.parametrize("size", [16, 32])
@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("family", sorted(SMALL))
def test_updates_with_the_algorithm_that_probes_choose(family: str, norm: str, size: int) -> None:
    """What a custom autograd Function returns may be a view, and those no activation may change in place."""
    norm = norm if "generator.norm" not in SMALL[family] else "none"
    config = override(small(family, size), {"engine.conv": "patches", "generator.norm": norm})
    engine = Engine(config.engine)
    state = fresh_state(config, (3, size, size), engine, 0)
    Trainer(config, images_of(size), engine)(state, 0.0)
    assert torch.isfinite(state.sums).all()
