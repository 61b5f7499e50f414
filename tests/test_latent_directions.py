"""Principal directions are those of the first layer's matrix, in every family."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import tiny
from ganvas import models
from ganvas.errors import GanvasError
from ganvas.generator import Generator, load
from ganvas.latent_directions import principal_directions
from ganvas.training.backend import Engine


def generator(family: str, **changes: object) -> Generator:
    config = tiny({"generator.family": family, **{f"generator.{k}": v for k, v in changes.items()}})
    torch.manual_seed(0)
    network = models.build_generator(config, (3, 16, 16), 3).eval()
    return Generator(network, config, (3, 16, 16), 0, Path("g"), Engine(config.engine), ("a", "b", "c"), (1, 1, 1))


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("dcgan", {}),
        ("dcgan", {"condition": "concat"}),
        ("dcgan", {"norm": "virtual", "condition": "concat"}),
        ("lean", {"norm": "none", "condition": "concat"}),
        ("resnet", {}),
        ("r3", {"norm": "none", "widths": (16, 16), "group": 8}),
    ],
)
def test_they_are_the_singular_vectors_of_the_first_layer(family: str, changes: dict[str, object]) -> None:
    G = generator(family, **changes)
    found = principal_directions(G, 5)
    weight = G.network.dense.weight.detach().double().numpy()[:, :8]  # the columns of z; the class's are behind
    values, vectors = np.linalg.eigh(weight.T @ weight)
    np.testing.assert_allclose(np.abs((found.vectors * vectors[:, ::-1].T[:5]).sum(1)), 1, atol=1e-4)
    np.testing.assert_allclose(found.shares, (values[::-1] / values.sum())[:5], atol=1e-5)
    np.testing.assert_allclose(found.vectors @ found.vectors.T, np.eye(5), atol=1e-5)
    assert not G.network._forward_hooks and not G.network.dense._forward_hooks


def test_where_g_starts_from_drafts_they_are_its_eigenimages() -> None:
    G = generator("resnet", eigenimages=4)
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 16, 16), dtype=np.uint8)
    G.network.drafted.eigenimages.fit(images, np.arange(30) % 3, np.arange(30))
    found = principal_directions(G, 4)
    assert np.abs(found.vectors[:, :4]).max() > 0.3 and np.abs(found.vectors[:, 4:]).max() < 1e-6
    assert abs(found.shares.sum() - 1) < 1e-5


def test_they_say_which_way_changes_the_images_more() -> None:
    G = load("cifar10-cpu-v1", "cpu")
    found = principal_directions(G, 128)
    assert found.vectors.shape == (128, 128) and abs(found.shares.sum() - 1) < 1e-5
    z, labels = np.random.default_rng(0).standard_normal((16, 128), np.float32), np.arange(16) % 10
    before = G.draw(z, labels).astype(int)

    def change(direction: int) -> float:
        steps = np.zeros(128, np.float32)
        steps[direction] = 1
        return float(np.abs(G.draw(found.move(z, steps), labels).astype(int) - before).mean())

    assert change(0) > 3 * change(127)


def test_a_latent_on_the_sphere_stays_on_it() -> None:
    found = principal_directions(generator("dcgan"), 3)
    z = np.random.default_rng(0).standard_normal((4, 8), np.float32)
    steps = np.array([1.0, -2.0, 0.5], np.float32)
    np.testing.assert_allclose(np.linalg.norm(found.move(z, steps, "sphere"), axis=1), np.sqrt(8), rtol=1e-5)
    np.testing.assert_allclose(found.move(z, steps) - z, np.tile(steps @ found.vectors, (4, 1)), atol=1e-6)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_have_none(value: float) -> None:
    G = generator("dcgan")
    with torch.no_grad():
        G.network.dense.weight[0, 0] = value
    with pytest.raises(GanvasError, match="not finite"):
        principal_directions(G)
