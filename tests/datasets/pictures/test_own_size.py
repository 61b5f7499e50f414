"""Which size the user's own pictures get where none is set: their own where all are equal squares of 16 to 64 px."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets.inspect import check
from ganvas.datasets.pictures import gather
from ganvas.runs.images import load_again

RNG = np.random.default_rng(0)


def noise(width: int, height: int | None = None) -> Image.Image:
    return Image.fromarray(RNG.integers(0, 256, (height or width, width, 3), dtype=np.uint8))


def png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def save(where: Path, pictures: Sequence[Image.Image]) -> np.ndarray:
    """Pictures in a folder; what they hold, [n, c, h, w], where all are of one size."""
    where.mkdir(parents=True)
    for i, picture in enumerate(pictures):
        picture.save(where / f"{i:04d}.png")
    equal = len({picture.size for picture in pictures}) == 1
    return np.stack([np.asarray(p).transpose(2, 0, 1) for p in pictures]) if equal else np.empty(0)


def load(where: Path, **settings: object) -> datasets.ImageSet:
    return datasets.load(DataConfig(str(where), **settings), progress=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("side", [16, 28, 32, 64])
def test_equal_squares_keep_their_size_to_the_byte(tmp_path: Path, side: int) -> None:
    pixels = save(tmp_path / "set", [noise(side) for _ in range(3)])
    found = load(tmp_path / "set")
    np.testing.assert_array_equal(found.images, pixels)
    assert f"3 images, {side} x {side} RGB, no classes" in found.summary()


@pytest.mark.parametrize("side", [15, 65, 100])
def test_smaller_and_larger_squares_become_32_px(tmp_path: Path, side: int) -> None:
    save(tmp_path / "set", [noise(side) for _ in range(3)])
    assert f"32 x 32 RGB (from {side} x {side})" in load(tmp_path / "set").summary()


@pytest.mark.parametrize("other", [(48, 48), (28, 24)])
@pytest.mark.parametrize("at", [0, 20, 39])
def test_one_picture_of_another_size_makes_all_32_px(tmp_path: Path, other: tuple[int, int], at: int) -> None:
    pictures = [noise(28) for _ in range(40)]
    pictures[at] = noise(*other)
    save(tmp_path / "set", pictures)
    assert load(tmp_path / "set").images.shape == (40, 3, 32, 32)
    assert load(tmp_path / "set", size=28).images.shape == (40, 3, 28, 28)


def test_by_processes_too_and_where_the_first_file_is_no_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gather, "MANY", 4)
    pixels = save(tmp_path / "set", [noise(20) for _ in range(6)])
    (tmp_path / "set" / "0.png").write_bytes(b"no picture")
    np.testing.assert_array_equal(load(tmp_path / "set").images, pixels)
    noise(24).save(tmp_path / "set" / "9.png")
    assert load(tmp_path / "set").images.shape == (7, 3, 32, 32)


def test_archives_and_tables_alike(tmp_path: Path) -> None:
    pictures = [png(noise(28)) for _ in range(3)]
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for i, content in enumerate(pictures):
            archive.writestr(f"{i}.png", content)
    assert load(tmp_path / "set.zip").images.shape == (3, 3, 28, 28)
    parquet.write_table(pa.table({"image": pictures}), tmp_path / "set.parquet")
    assert load(tmp_path / "set.parquet").images.shape == (3, 3, 28, 28)


def test_pages_of_several_sizes_are_unequal(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    noise(28).save(tmp_path / "set" / "a.tif", save_all=True, append_images=[noise(28), noise(40)])
    assert load(tmp_path / "set").images.shape == (3, 3, 32, 32)


def test_the_other_split_is_checked_at_the_size_of_the_first(tmp_path: Path) -> None:
    save(tmp_path / "set" / "train", [noise(28) for _ in range(3)])
    save(tmp_path / "set" / "test", [noise(40) for _ in range(3)])
    assert [report.shape for report in check(str(tmp_path / "set"), progress=False)] == [(3, 28, 28)] * 2


def test_pictures_given_in_python_are_equal_or_become_32_px() -> None:
    equal = [noise(20) for _ in range(3)]
    assert datasets.as_images(iter(equal), progress=False).images.shape == (3, 3, 20, 20)
    mixed = datasets.as_images(iter([*equal, noise(24)]), progress=False).images
    again = datasets.as_images(iter([noise(24), *equal]), progress=False).images
    assert mixed.shape == again.shape == (4, 3, 32, 32)
    np.testing.assert_array_equal(mixed[:3], again[1:])


def test_a_run_of_before_has_its_images_at_32_px(tmp_path: Path) -> None:
    save(tmp_path / "set", [noise(28) for _ in range(3)])
    then = load(tmp_path / "set", size=32)
    about = {"n": 3, "shape": [3, 32, 32], "sha256": then.sha256, "class_names": []}
    config = DataConfig(str(tmp_path / "set"))
    assert load_again(config, about, progress=False)[1].sha256 == then.sha256
