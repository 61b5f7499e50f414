"""Several pictures in one file: pages, animations, and files that hold one picture in several sizes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets.pictures import reader as pictures
from ganvas.datasets.pictures.decode import Frames
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Raw


def read(folder: Path, frames: Frames = "first", limit: int | None = None) -> Raw:
    config = DataConfig(str(folder), size=16, frames=frames, limit=limit)
    return pictures.read(folder, config, Progress(show=False))


def plain(level: int) -> Image.Image:
    return Image.new("L", (16, 16), level).convert("RGB")


def save(path: Path, levels: list[int], **options: object) -> None:
    """A file of several pictures, each of one grey level."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, *rest = map(plain, levels)
    first.save(path, save_all=True, append_images=rest, **options)


def levels(raw: Raw) -> list[int]:
    return raw.images[:, 0, 8, 8].tolist()


def test_every_page_of_a_tiff_is_a_picture_of_its_class(tmp_path: Path) -> None:
    save(tmp_path / "a" / "scan.tif", [10, 20, 30])
    save(tmp_path / "b" / "scan.tiff", [40, 50], compression="tiff_lzw")
    plain(60).save(tmp_path / "b" / "z.png")
    raw = read(tmp_path)
    assert levels(raw) == [10, 20, 30, 40, 50, 60]
    assert raw.labels is not None and raw.labels.tolist() == [0, 0, 0, 1, 1, 1]
    assert raw.notes == ("2 files of several pages: each of their 5 pages is a picture",)


def test_a_limit_takes_pages_in_turn(tmp_path: Path) -> None:
    save(tmp_path / "a" / "scan.tif", [10, 20, 30])
    save(tmp_path / "b" / "scan.tif", [40, 50, 60])
    found = datasets.load(DataConfig(str(tmp_path), limit=4, size=16), progress=False)
    assert found.images[:, 0, 0, 0].tolist() == [10, 40, 20, 50]
    assert found.labels is not None and found.labels.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame_or_all(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"a.{suffix}", [10, 90, 200], duration=50, **({"lossless": True} if suffix == "webp" else {}))
    plain(60).save(tmp_path / "b.png")
    first, every = read(tmp_path), read(tmp_path, "all")
    assert levels(first) == [10, 60] and levels(every) == [10, 90, 200, 60]
    assert first.notes == ("of 1 animations the first frame is read: data.frames = all reads the other 2 frames too",)
    assert every.notes == ("1 animations: each of their 3 frames is a picture",)


def test_pages_of_16_bits_have_one_scale_with_all_others(tmp_path: Path) -> None:
    pages = [Image.fromarray(np.full((16, 16), value, np.uint16)) for value in (0, 2048)]
    pages[0].save(tmp_path / "a.tif", save_all=True, append_images=pages[1:])
    Image.fromarray(np.full((16, 16), 4095, np.uint16)).save(tmp_path / "b.png")
    assert levels(read(tmp_path)) == [0, 128, 255]


def test_a_smaller_copy_is_no_page(tmp_path: Path) -> None:
    """As in a pyramid TIFF: the same picture again, half as large, marked by tag 254."""
    page, copy = plain(10), plain(10).resize((8, 8))
    copy.encoderinfo = {"tiffinfo": {254: 1}}
    page.save(tmp_path / "a.tif", save_all=True, append_images=[copy])
    plain(60).save(tmp_path / "b.png")
    assert levels(read(tmp_path)) == [10, 60]


def test_an_icon_gives_its_largest_picture_and_mpo_its_first(tmp_path: Path) -> None:
    plain(10).resize((64, 64)).save(tmp_path / "a.ico", sizes=[(16, 16), (64, 64)])
    save(tmp_path / "b.mpo", [100, 200])
    raw = read(tmp_path, "all")
    assert levels(raw) == pytest.approx([10, 100], abs=2) and raw.own_sizes == ((16, 16), (64, 64))
    assert raw.notes == ()


def test_pages_before_a_damaged_one_are_kept(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    plain(10).save(tmp_path / "a.tif", save_all=True, append_images=[Image.fromarray(noise)], compression="tiff_lzw")
    with Image.open(tmp_path / "a.tif") as picture:
        picture.seek(1)
        start, length = picture.tag_v2[273][0], picture.tag_v2[279][0]
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[start : start + length] = b"\xff" * length
    (tmp_path / "a.tif").write_bytes(content)
    plain(60).save(tmp_path / "b.png")
    raw = read(tmp_path)
    assert levels(raw) == [10, 60]
    assert raw.skipped[0].startswith("a.tif: picture 2: ")
