"""Families of networks by name, and a family from a user's own file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import tiny, trained
from ganvas import models, plugins
from ganvas.config import DiscriminatorConfig, GeneratorConfig
from ganvas.errors import UsageError
from ganvas.generator import load
from ganvas.models import FAMILIES, Family, family_of, register_family

OWN = """
import math

from torch import nn

import ganvas
from ganvas.models.critique import Critique


class Generator(nn.Module):
    def __init__(self, config, shape, classes):
        super().__init__()
        self.shape = shape
        self.dense = nn.Linear(config.latent_dim, math.prod(shape))

    def forward(self, z, labels):
        return self.dense(z).tanh().view(-1, *self.shape)


class Halve(nn.Module):
    description = "Half of everything"

    def forward(self, x):
        return x / 2


class Discriminator(nn.Module):
    def __init__(self, config, shape, classes):
        super().__init__()
        self.halve = Halve()
        self.dense = nn.Linear(math.prod(shape), 1)

    def forward(self, images, labels):
        features = self.halve(images).flatten(1)
        return Critique(self.dense(features).float().squeeze(1), features)


def d_rules(d):
    yield d.slope < 1, "discriminator.slope", d.slope, "less than 1"


ganvas.register_family(ganvas.Family("dense", Generator, Discriminator, g_norms=(), d_rules=d_rules))
"""


@pytest.fixture
def own(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Settings that choose the family of a user's file, which is registered for one test."""
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    (tmp / "dense_family.py").write_text(OWN, "utf-8")
    plugins.load(str(tmp / "dense_family.py"))
    yield {"generator.family": "dense", "discriminator.family": "dense"}
    FAMILIES.pop("dense", None)
    sys.modules.pop("ganvas_plugin_dense_family", None)


def test_a_users_family_is_trained_and_draws(tmp: Path, own: dict[str, str]) -> None:
    run = trained(tmp / "run", own)
    assert run.rows("metrics")[-1]["nimg"] == 192
    assert load(run.path).sample(3, seed=0).shape == (3, 3, 16, 16)
    table = models.summary(run.config, (3, 16, 16))
    assert [layer.kind for layer in table["discriminator"]] == ["Half of everything", "Dense"]


def test_the_rules_of_a_users_family_are_checked(own: dict[str, str]) -> None:
    with pytest.raises(UsageError, match=r"discriminator\.slope = 1\.5: it must be less than 1"):
        tiny({**own, "discriminator.slope": 1.5})


def test_unknown_names_are_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"generator\.family = resnt: no such family; did you mean resnet"):
        tiny({"generator.family": "resnt"})
    with pytest.raises(UsageError, match=r"discriminator\.family = qqq: no such family; .* needs --plugin FILE"):
        models.build_discriminator(replace(tiny(), discriminator=DiscriminatorConfig("qqq")), (3, 16, 16))


def ours() -> list[str]:
    """The families that ganvas has; tests of a learner's own networks leave theirs."""
    return sorted(name for name in FAMILIES if not name.startswith("own-"))


def test_names_are_taken_once() -> None:
    assert ours() == ["dcgan", "keras-example", "lean", "mlp", "pytorch-example", "r3", "resnet", "stylegan2"]
    with pytest.raises(ValueError, match="'lean' is taken"):
        register_family(replace(FAMILIES["lean"]))
    with pytest.raises(ValueError, match="slash"):
        register_family(replace(FAMILIES["lean"], name="my/lean"))


def test_building_checks_what_the_family_has() -> None:
    config = replace(tiny(), generator=GeneratorConfig("lean", norm="virtual"))
    with pytest.raises(UsageError, match=r"generator\.norm = virtual: it must be batch or none: the family lean"):
        models.build_generator(config, (3, 16, 16))


def of(name: str) -> Family:
    return family_of(DiscriminatorConfig(name))


def test_a_family_says_what_depends_on_the_batch() -> None:
    g, d = GeneratorConfig(norm="batch"), DiscriminatorConfig(norms=(True, False), dropout=0.3)
    with_norm = ["dcgan", "lean", "mlp", "pytorch-example", "resnet"]
    assert [name for name in ours() if of(name).generator_uses_batch(g)] == with_norm
    assert not of("dcgan").generator_uses_batch(replace(g, norm="none"))
    assert [name for name in ours() if of(name).discriminator_uses_batch(d)] == ["dcgan", "pytorch-example"]
    assert all(of(name).discriminator_uses_batch(replace(d, minibatch="std")) for name in ours())
    assert [name for name in ours() if of(name).has_dropout(d)] == ["dcgan", "keras-example"]
    assert not of("dcgan").has_dropout(replace(d, dropout=0.0))
