"""The recipes: their configs stay what they are, their names are found."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from conftest import SHIPPED_RECIPES
from ganvas.config import Config, flat, to_dict
from ganvas.config.recipes import RECIPES, Recipe, get, register_recipe
from ganvas.errors import UsageError

DIGESTS = {
    "fashion-dcgan": "f2449f713c772572",
    "cifar-dcgan": "44136fa355b3678a",
    "cifar-dcgan-8x8": "8fd91927cca0f1e8",
    "cifar-dcgan-slow-d": "fae2ace912ba54cd",
    "cifar-dcgan-deep": "38ca2cc60a0903c8",
    "cifar-dcgan-recap": "d7c5feccefb3e030",
    "quick": "16f5cc2d050ce339",
    "small-data": "d56e1e8cf79091d8",
    "lean": "b37b2153870b20bb",
    "sngan": "67c0c536f09ce03f",
    "wgan-gp": "e18a1187e1a09e73",
    "hinge-resnet": "8d8598042eb0cec4",
    "r3-small": "12cf0611f6b370bf",
    "r3-pyramid": "4d15c4c66ee03487",
    "stylegan2-small": "0ce950451b137611",
    "mafda-dcgan": "762f535162469673",
    "pytorch-dcgan": "c0ff291559393463",
    "keras-dcgan": "e2fc9fe09303bbe8",
}
"""SHA-256 of the settings that differ from the defaults. Published results depend on them."""


def digest(config: Config) -> str:
    default = flat(to_dict(Config()))
    settings = {key: value for key, value in flat(to_dict(config)).items() if value != default[key]}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def test_no_recipe_has_changed_and_their_order_is_kept() -> None:
    assert {name: digest(RECIPES[name].config) for name in SHIPPED_RECIPES} == DIGESTS
    assert tuple(DIGESTS) == SHIPPED_RECIPES


@pytest.mark.parametrize("name", DIGESTS)
def test_a_recipe_has_a_title_a_source_and_a_result(name: str) -> None:
    recipe = RECIPES[name]
    assert recipe.title and recipe.source and 2014 < recipe.year < 2100
    assert recipe.reported != "-" or recipe.measured


def test_a_recipe_name_is_taken_once_and_found_or_suggested() -> None:
    assert all(recipe.config.recipe == name for name, recipe in RECIPES.items())
    assert get("cifar-dcgan") is RECIPES["cifar-dcgan"]
    for name in ("cifar-dcgan", "a/b"):
        with pytest.raises(ValueError, match="taken or contains a slash"):
            register_recipe(Recipe(Config(name), "", "", 2021, ""))
    with pytest.raises(UsageError, match="unknown recipe 'fashon-dcgan'; did you mean fashion-dcgan"):
        get("fashon-dcgan")


def test_recipes_and_tricks_need_no_torch() -> None:
    code = (
        "import sys, ganvas.config.recipes, ganvas.config.tricks;"
        "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'PIL')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
