"""Every recipe in ONNX, with and without classes, and every family at the largest size."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from ganvas import models
from ganvas.config import EngineConfig
from ganvas.config.recipes import RECIPES
from ganvas.exporting import onnx_file
from ganvas.exporting.model import Model
from ganvas.generator import Generator
from ganvas.training.backend import Engine, resolve
from ganvas.training.setup import configure

pytestmark = pytest.mark.usefixtures("unchecked")


def untrained(recipe: str, size: int, channels: int, classes: int, **changes: object) -> Model:
    """A narrow G of a recipe, with batch statistics as after training."""
    labels = "use" if classes else "ignore"
    width = {"generator.width": 0.125} if size > 16 else {"generator.width": 0.25}
    config = configure(recipe, overrides={"data.name": "shapes", "data.labels": labels, **width, **changes})
    shape = (channels, size, size)
    config = models.networks.for_size(config, size)
    network = models.build_generator(config, shape, classes)
    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
        if isinstance(module, nn.Embedding):
            module.weight.data.normal_(0, 0.3)
    engine = Engine(resolve(EngineConfig("cpu", "float32", "channels_last", "direct")))
    names = tuple(f"class {i}" for i in range(classes))
    generator = Generator(engine.place(network), config, shape, 1, Path("x"), engine, names, (1,) * classes)
    return Model(generator, b"", None)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_at_16_pixels(recipe: str, classes: int) -> None:
    changes = {"generator.strides": (1, 2, 2, 2)} if recipe == "mafda-dcgan" else {}  # four halvings leave nothing
    content, facts = onnx_file.contents(untrained(recipe, 16, 3, classes, **changes), "x.onnx")
    assert len(content["x.onnx"]) > 10_000 and ("label" in facts) == bool(classes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "size", "channels", "classes"),
    [
        ("cifar-dcgan", 128, 3, 2),
        ("quick", 128, 3, 2),
        ("r3-small", 128, 1, 2),
        ("lean", 128, 3, 2),
        ("quick", 28, 1, 3),
    ],
)
def test_every_family_at_128_pixels_and_odd_maps(recipe: str, size: int, channels: int, classes: int) -> None:
    _, facts = onnx_file.contents(untrained(recipe, size, channels, classes), "x.onnx")
    assert f"image uint8 [n, {size}, {size}, {channels}]" in facts


@pytest.mark.slow
def test_virtual_batch_norm() -> None:
    _, facts = onnx_file.contents(untrained("cifar-dcgan", 16, 3, 3, **{"generator.norm": "virtual"}), "x.onnx")
    assert "label" in facts
