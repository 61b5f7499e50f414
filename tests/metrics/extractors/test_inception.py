"""The plumbing around NVIDIA's Inception, with a tiny TorchScript file of the same interface in its place."""

import hashlib
import io
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas.datasets import cache
from ganvas.datasets.cache import FileSet, Source, SourceError
from ganvas.errors import GanvasError
from ganvas.metrics.extractors import inception


class Tiny(nn.Module):
    """Means of the four quarters of each channel as features; three classes from them."""

    def __init__(self, bias: float = 7.0, scale: float = 1.0):
        super().__init__()
        self.output = nn.Linear(12, 3)
        self.scale = scale
        with torch.no_grad():
            self.output.weight.copy_(torch.arange(36.0).reshape(3, 12).sin())
            self.output.bias.copy_(torch.tensor([bias, 0.0, 0.0]))

    def forward(self, images: Tensor, return_features: bool = False, no_output_bias: bool = False) -> Tensor:
        assert images.dtype == torch.uint8 and images.shape[1] == 3
        features = F.adaptive_avg_pool2d(images.float() / 255, [2, 2]).flatten(1)
        if return_features:
            return features
        logits = features @ self.output.weight.T * self.scale
        return (logits if no_output_bias else logits + self.output.bias).softmax(1)


def saved(network: nn.Module) -> bytes:
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(network), file)
    return file.getvalue()


@pytest.fixture(scope="module")
def content() -> bytes:
    return saved(Tiny())


@pytest.fixture
def files(content, tmp, monkeypatch) -> FileSet:
    """The real file set but for the hash; NVIDIA's address gives the tiny file, and counts how often."""
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "cache"))
    monkeypatch.delenv(inception.VARIABLE, raising=False)
    return FileSet(
        "inception", {inception.FILE: hashlib.sha256(content).hexdigest()}, inception.FILES.sources, "Do this."
    )


@pytest.fixture
def downloads(content, monkeypatch) -> list[str]:
    asked: list[str] = []

    def download(url, target, progress):
        asked.append(url)
        target.write_bytes(content)

    monkeypatch.setattr(inception, "download", download)
    return asked


IMAGES = np.random.RandomState(0).randint(0, 256, (5, 3, 8, 8), dtype=np.uint8)


def expected(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and probabilities without the output's bias, in numpy."""
    features = images.reshape(len(images), 3, 2, 4, 2, 4).mean((3, 5)).reshape(len(images), 12) / 255
    powers = np.exp(features @ np.sin(np.arange(36.0)).reshape(3, 12).T)
    return features, powers / powers.sum(1, keepdims=True)


def test_features_and_probabilities_without_the_bias(files, downloads):
    extractor = inception.load(files=files, progress=False)
    assert (extractor.name, extractor.resize) == ("inception", "bilinear to 299x299 inside")
    assert extractor.weights_hash == files.sha256[inception.FILE]
    found = extractor.extract([IMAGES[:3], IMAGES[3:]])
    vectors, probabilities = expected(IMAGES)
    np.testing.assert_allclose(found.vectors, vectors, atol=1e-6)
    np.testing.assert_allclose(found.probabilities, probabilities, atol=1e-6)


def test_grey_images_count_as_rgb(files, downloads):
    grey = IMAGES[:, :1]
    found = inception.load(files=files, progress=False).extract([grey])
    np.testing.assert_allclose(found.vectors, expected(grey.repeat(3, 1))[0], atol=1e-6)


def test_probabilities_are_the_networks_own_where_its_last_layer_is_not_all(tmp):
    content = saved(Tiny(scale=2.0))
    (tmp / "other.pt").write_bytes(content)
    files = FileSet("inception", {inception.FILE: hashlib.sha256(content).hexdigest()}, ())
    found = inception.load(tmp / "other.pt", files).extract([IMAGES])
    powers = expected(IMAGES)[1] ** 2
    np.testing.assert_allclose(found.probabilities, powers / powers.sum(1, keepdims=True), atol=1e-6)


def test_fetched_once_from_nvidia_then_found_in_the_cache(files, downloads, tmp):
    inception.load(files=files, progress=False)
    inception.load(files=files, progress=False)
    assert downloads == [inception.URL] and inception.URL.startswith("https://")
    assert (tmp / "cache" / "inception" / inception.FILE).is_file()
    assert "NVIDIA" in cache.origin(files)


@pytest.mark.parametrize("named", ["file", "folder"])
def test_the_users_own_file_comes_first(files, downloads, content, tmp, monkeypatch, named):
    (tmp / "mine").mkdir()
    (tmp / "mine" / inception.FILE).write_bytes(content)
    monkeypatch.setenv(inception.VARIABLE, str(tmp / "mine" / (inception.FILE if named == "file" else "")))
    inception.load(files=files, progress=False)
    assert downloads == [] and inception.VARIABLE in cache.origin(files)


def test_a_wrong_file_is_never_loaded(files, tmp, monkeypatch):
    (tmp / "wrong.pt").write_bytes(saved(Tiny(bias=8.0)))
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("loaded before it was verified"))
    with pytest.raises(GanvasError, match=r"wrong\.pt is another file \(its SHA-256 is"):
        inception.load(tmp / "wrong.pt", files)
    with pytest.raises(GanvasError, match=r"absent\.pt cannot be read"):
        inception.load(tmp / "absent.pt", files)


def test_where_it_cannot_be_had_all_that_was_tried_is_listed(files, tmp, monkeypatch):
    def unreachable(url, target, progress):
        raise SourceError("nvlabs-fi-cdn.nvidia.com cannot be reached (no network)")

    monkeypatch.setattr(inception, "download", unreachable)
    (tmp / "mine").mkdir()
    monkeypatch.setenv(inception.VARIABLE, str(tmp / "mine"))
    real = FileSet("inception", files.sha256, files.sources, inception.FILES.advice)
    with pytest.raises(GanvasError) as error:
        inception.load(files=real, progress=False)
    message = str(error.value)
    for part in ("the cache: not in", f"mine holds no {inception.FILE}", "no network", "--features efficientnet-lite0"):
        assert part in message


def test_the_real_file_is_the_one_that_published_scores_use():
    assert inception.FILES.sha256 == {
        "inception-2015-12-05.pt": "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"
    }
    assert all(isinstance(source, Source) for source in inception.FILES.sources)
