"""Our classifiers: the network, the script that trains it, and the weights that ship."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar

from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.errors import UsageError
from ganvas.metrics.extractors import classifier
from ganvas.metrics.extractors.base import in_batches
from ganvas.runs.storage import load_tensors, save_tensors

ROOT = Path(__file__).resolve().parents[3]
WEIGHTS = ROOT / "src/ganvas/weights"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """tools/train_classifier.py."""
    spec = importlib.util.spec_from_file_location("train_classifier", ROOT / "tools/train_classifier.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def learnt(script: ModuleType) -> torch.nn.Module:
    """A small network with statistics that are not those of a fresh one."""
    torch.manual_seed(0)
    network = script.Trained(3, 2, (8, 12, 16), 5)
    network.whiten(torch.randn(50, 3, 32, 32))
    for norm in network.norms:
        torch.nn.init.normal_(norm.bias)
    for _ in range(5):
        network(torch.randn(16, 3, 32, 32))
    return network.eval()


def test_the_folded_network_is_the_trained_one(script: ModuleType, learnt: torch.nn.Module) -> None:
    folded = classifier.Classifier(3, 2, (8, 12, 16), 5).eval()
    folded.load_state_dict({name: tensor.float() for name, tensor in learnt.folded(2.0).items()})
    images = torch.rand(20, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        expected, found = learnt(images) / 2, folded(images)
    assert torch.allclose(found, expected, atol=5e-3)  # float16's rounding
    assert (expected.max(1).values - expected.min(1).values).min() > 0.1


def test_the_first_layer_whitens_patches(script: ModuleType) -> None:
    torch.manual_seed(1)
    images = torch.nn.functional.avg_pool2d(torch.randn(200, 1, 30, 30), 3, 1)  # neighbours alike, as in pictures
    network = script.Trained(1, 3, (8, 8, 8), 2)
    network.whiten(images)
    with torch.no_grad():
        seen = network.stem(images)[:, :9].permute(1, 0, 2, 3).flatten(1)
    covariance = seen.cov()
    assert torch.allclose(covariance.diagonal(), torch.ones(9), atol=0.15)
    assert (covariance - covariance.diag().diag()).abs().max() < 0.05


def test_orthogonalised_matrices_have_singular_values_near_one(script: ModuleType) -> None:
    torch.manual_seed(0)
    for shape in ((16, 40), (40, 16)):
        found = script.orthogonalised(torch.randn(shape), iterations=5)
        values = torch.linalg.svdvals(found)
        assert found.shape == shape and values.min() > 0.6 and values.max() < 1.3


def test_a_batch_depends_on_seed_epoch_and_image_alone(script: ModuleType) -> None:
    images = torch.rand(12, 3, 8, 8)
    one = script.augmented(images, np.array([3, 7]), 0, 2, True)
    other = script.augmented(images, np.array([7, 3]), 0, 2, True)
    assert torch.equal(one, other.flip(0))
    assert not torch.equal(one, script.augmented(images, np.array([3, 7]), 1, 2, True))


def test_an_image_is_mirrored_every_other_time(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "SHIFT", 0)
    images = torch.rand(6, 1, 8, 8)
    first, second = (script.augmented(images, np.arange(6), 0, epoch, True) for epoch in (0, 1))
    assert torch.equal(first, second.flip(3))
    mirrored = [not torch.equal(a, b) for a, b in zip(first, images, strict=True)]
    assert any(mirrored) and not all(mirrored)


def test_translation_moves_by_whole_pixels(script: ModuleType) -> None:
    images = torch.arange(64.0).reshape(1, 1, 8, 8).repeat(40, 1, 1, 1)
    moved = script.augmented(images, np.arange(40), 0, 0, False)
    offsets = {(int(image[0, 4, 4]) - 36) for image in moved}
    assert offsets <= {8 * y + x for y in range(-2, 3) for x in range(-2, 3)} and len(offsets) > 10


def test_the_temperature_is_the_best_one(script: ModuleType) -> None:
    torch.manual_seed(0)
    logits, labels = 7 * torch.randn(500, 4), torch.randint(4, (500,))
    logits[torch.arange(500), labels] += 9

    def loss(t: float) -> float:
        return float(torch.nn.functional.cross_entropy(logits.double() / t, labels))

    expected = minimize_scalar(loss, bounds=(0.05, 20), method="bounded").x
    assert script.best_temperature(logits, labels) == pytest.approx(expected, rel=1e-4)


def write(path: Path, network: torch.nn.Module) -> Path:
    about = {"shape": [3, 32, 32], "class_names": list("abcde"), "stem": 2, "widths": [8, 12, 16]}
    path.write_bytes(save_tensors(network.folded(1.0), about))
    return path


def test_features_and_probabilities_of_a_file(learnt: torch.nn.Module, tmp_path: Path) -> None:
    extractor = classifier.from_file(write(tmp_path / "c.safetensors", learnt), (3, 32, 32))
    images = np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), np.uint8)
    found = extractor.extract(in_batches(images, 7))
    assert found.vectors.shape == (30, 16) and found.probabilities is not None
    assert np.allclose(found.probabilities.sum(1), 1, atol=1e-5)
    with torch.no_grad():
        expected = learnt(torch.from_numpy(images).float() / 127.5 - 1).softmax(1).numpy()
    assert np.allclose(found.probabilities, expected, atol=5e-3)
    assert (extractor.name, extractor.resize, extractor.class_names) == ("classifier", "native 32x32", tuple("abcde"))


def test_images_that_it_was_not_made_for_are_refused(learnt: torch.nn.Module, tmp_path: Path) -> None:
    path = write(tmp_path / "c.safetensors", learnt)
    with pytest.raises(UsageError, match=r"looks at 3x32x32 images, these are 1x28x28: use features=\[.efficientnet"):
        classifier.from_file(path, (1, 28, 28))
    with pytest.raises(UsageError, match="no classifier ships for 'shapes'"):
        classifier.load("shapes", (3, 32, 32))


@pytest.mark.parametrize("name", classifier.shipped())
def test_what_ships_is_small_and_says_how_it_was_made(name: str) -> None:
    path = WEIGHTS / f"{classifier.SHIPPED[name]}.safetensors"
    tensors, about = load_tensors(path)
    assert path.stat().st_size <= 4e6 and all(tensor.dtype == torch.float16 for tensor in tensors.values())
    assert about["data"] == name and len(about["class_names"]) == 10 and about["test_accuracy"] >= 0.93
    assert about["trained"]["epochs"] and about["trained"]["seed"] is not None


@pytest.mark.slow
@pytest.mark.parametrize("name", classifier.shipped())
def test_the_accuracy_is_what_the_file_says(name: str) -> None:
    test = load(DataConfig(name, split="test"), progress=False)
    extractor = classifier.load(name, test.images.shape[1:])
    found = extractor.extract(in_batches(test.images)).probabilities
    assert found is not None and test.labels is not None
    _, about = load_tensors(WEIGHTS / f"{classifier.SHIPPED[name]}.safetensors")
    assert (found.argmax(1) == test.labels).mean() == pytest.approx(about["test_accuracy"], abs=5e-4)
