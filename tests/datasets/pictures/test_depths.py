"""Pictures of more than 8 bits, and masks: one scale for the whole set, whatever each picture uses of it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import DTypeLike
from PIL import Image

from ganvas.config import DataConfig
from ganvas.datasets.pictures import reader as pictures
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw
from ganvas.errors import GanvasError

SIDE = 16


def read(folder: Path, size: int = SIDE) -> Raw:
    return pictures.read(folder, DataConfig(str(folder), size=size), Progress(show=False))


def save(folder: Path, values: list[float], dtype: DTypeLike, kind: str = "TIFF") -> Raw:
    """One picture for each of the values, of this value alone, and what is read of them."""
    for k, value in enumerate(values):
        Image.fromarray(np.full((SIDE, SIDE), value, dtype)).save(folder / f"{k}.{kind.lower()}", kind)
    return read(folder)


def levels(raw: Raw) -> list[int]:
    """The grey level of each image, which must have no other."""
    flat = raw.images.reshape(len(raw.images), -1)
    assert (flat == flat[:, :1]).all()
    return flat[:, 0].tolist()


@pytest.mark.parametrize(
    ("values", "dtype", "kind", "expected", "note"),
    [
        ([0, 0x8080, 65535], np.uint16, "PNG", [0, 128, 255], ""),
        ([0, 0x8080, 65535], np.uint16, "TIFF", [0, 128, 255], ""),
        ([0, 2048, 4095], np.uint16, "PNG", [0, 128, 255], "uint16 values from 0 to 4095: read as 12-bit"),
        ([0, 100, 1023], np.uint16, "TIFF", [0, 25, 255], "read as 10-bit, 1023 is white"),
        ([3, 90, 255], np.uint16, "PNG", [3, 90, 255], "read as 8-bit"),
        ([3, 90, 255], np.int32, "TIFF", [3, 90, 255], ""),
        ([0, 257, 65535], np.int32, "TIFF", [0, 1, 255], "read as 16-bit"),
        ([0.0, 0.5, 1.0], np.float32, "TIFF", [0, 128, 255], ""),
        ([0.25, 0.5], np.float32, "TIFF", [64, 128], ""),
        ([-1.0, 0.0, 1.0], np.float32, "TIFF", [0, 128, 255], "-1 is black"),
        ([0.0, 7.0, 255.0], np.float32, "TIFF", [0, 7, 255], "read as 8-bit"),
        ([0, 1], np.uint16, "PNG", [0, 255], "1 is white"),
        ([0, 1], np.int32, "TIFF", [0, 255], "1 is white"),
        ([0, 1], np.uint8, "PNG", [0, 255], "1 is white"),
        ([0, 1], np.uint8, "TIFF", [0, 255], "1 is white"),
        ([0, 2], np.uint8, "PNG", [0, 2], ""),
    ],
)
def test_one_scale_for_the_set(
    tmp_path: Path, values: list[float], dtype: DTypeLike, kind: str, expected: list[int], note: str
) -> None:
    raw = save(tmp_path, values, dtype, kind)
    assert levels(raw) == expected
    assert len(raw.notes) == bool(note) and note in "".join(raw.notes)


@pytest.mark.parametrize("top", [255, 1023, 4095, 65535])
def test_a_pgm_is_scaled_by_its_header(tmp_path: Path, top: int) -> None:
    kind = ">u2" if top > 255 else "u1"
    for k, value in enumerate((0, top // 5, top)):
        pixels = np.full((SIDE, SIDE), value, kind).tobytes()
        (tmp_path / f"{k}.pgm").write_bytes(b"P5 %d %d %d\n" % (SIDE, SIDE, top) + pixels)
    raw = read(tmp_path)
    assert levels(raw) == [0, round(top // 5 / top * 255), 255] and raw.notes == ()


def test_a_dark_picture_stays_dark_beside_a_bright_one(tmp_path: Path) -> None:
    """Each alone would be stretched: 0 to 300 looks like 10 bits."""
    assert levels(save(tmp_path, [300, 65535], np.uint16, "PNG")) == [1, 255]


def test_deep_and_ordinary_pictures_stand_side_by_side(tmp_path: Path) -> None:
    Image.fromarray(np.full((SIDE, SIDE), 30000, np.uint16)).save(tmp_path / "a.png")
    Image.new("L", (SIDE, SIDE), 77).save(tmp_path / "b.png")
    Image.fromarray(np.full((SIDE, SIDE), 0.5, np.float32)).save(tmp_path / "c.tif")
    assert levels(read(tmp_path)) == [round(30000 / 65535 * 255), 77, 128]


def test_a_mask_is_enlarged_as_black_and_white(tmp_path: Path) -> None:
    mask = np.zeros((8, 8), np.uint8)
    mask[:, 4:] = 1
    for white in (1, 255):
        (tmp_path / str(white)).mkdir()
        for k in range(3):
            Image.fromarray(np.roll(mask, k, 1) * np.uint8(white)).save(tmp_path / str(white) / f"{k}.png")
    np.testing.assert_array_equal(read(tmp_path / "1").images, read(tmp_path / "255").images)


def test_values_without_a_scale_are_skipped_with_the_reason(tmp_path: Path) -> None:
    raw = save(tmp_path, [0.0, -5.0, 0.5, float("nan")], np.float32)
    assert levels(raw) == [0, 128]
    assert "1.tiff: its float32 values run from -5 to -5" in raw.skipped[0]
    assert raw.skipped[1].startswith("3.tiff: ") and "NaN" in raw.skipped[1]


def test_a_set_without_a_scale_is_refused_with_the_reason(tmp_path: Path) -> None:
    heights = np.linspace(-5, 40, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)
    for k in range(3):
        Image.fromarray(heights).save(tmp_path / f"{k}.tif")
    with pytest.raises(GanvasError, match="run from -5 to 40"):
        read(tmp_path)


def test_a_deep_picture_is_turned_upright(tmp_path: Path) -> None:
    values = np.zeros((SIDE, SIDE), np.uint16)
    values[: SIDE // 2] = 65535
    for name, orientation in (("a", 1), ("b", 6)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        file = io.BytesIO()
        Image.fromarray(values).save(file, "PNG", exif=exif.tobytes())
        (tmp_path / f"{name}.png").write_bytes(file.getvalue())
    plain, turned = read(tmp_path).images
    np.testing.assert_array_equal(turned, np.rot90(plain, -1, (1, 2)))
