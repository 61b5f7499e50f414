"""Pictures of phones: read where pillow-heif is there, else one line says what to install."""

import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from ganvas.datasets.pictures import decode

HEAD = b"\0\0\0\x18ftypheic"


@pytest.fixture(autouse=True)
def forgotten():
    """No test meets what another one registered."""
    decode._formats.cache_clear()
    yield
    decode._formats.cache_clear()
    Image.OPEN.pop("HEIF", None)
    if "HEIF" in Image.ID:
        Image.ID.remove("HEIF")


def test_without_pillow_heif(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    images, file = decode.decode(HEAD + b"\0" * 100, decode.Form(16))
    assert not images and file.problem == "a HEIC picture: pip install pillow-heif"
    assert decode.decode(b"\0\0\0\x18ftypmp42" + b"\0" * 100, decode.Form(16))[1].problem == "not a picture"


def test_with_pillow_heif(monkeypatch):
    """A stand-in that registers itself as pillow-heif does; its pictures are PNGs behind a HEIC head."""
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(content, "PNG")

    def opened(file, _):
        return PngImagePlugin.PngImageFile(io.BytesIO(file.read()[len(HEAD) :]))

    def register_heif_opener():
        Image.register_open("HEIF", opened, lambda prefix: prefix.startswith(HEAD))

    monkeypatch.setitem(sys.modules, "pillow_heif", SimpleNamespace(register_heif_opener=register_heif_opener))
    images, file = decode.decode(HEAD + content.getvalue(), decode.Form(16))
    assert not file.problem
    np.testing.assert_array_equal(images[0].transpose(1, 2, 0), pixels)
