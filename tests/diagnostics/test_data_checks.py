"""The checks of a data set: each finds its fault in a small set, and finds nothing in sets without faults."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas import rng
from ganvas.diagnostics.checks import Result, check_data
from ganvas.diagnostics.checks.data import copies
from ganvas.errors import UsageError
from ganvas.metrics.image_statistics import thumbnails


def varied(n: int, channels: int = 3, side: int = 16, seed: int = 0) -> np.ndarray:
    """Images of 4 x 4 random blocks: uint8 [n, c, side, side], all different and of full contrast."""
    blocks = rng.bits(seed, "varied", np.arange(n * channels * 16)) >> np.uint64(56)
    whole = blocks.astype(np.uint8).reshape(n, channels, 4, 4)
    return whole.repeat(side // 4, axis=2).repeat(side // 4, axis=3)


def archive(tmp: Path, images: np.ndarray, labels: Any = None, **more: Any) -> str:
    """An npz of images, and labels where there are any."""
    np.savez(tmp / "set.npz", images=images, **({} if labels is None else {"labels": np.asarray(labels)}), **more)
    return str(tmp / "set.npz")


def folder(tmp: Path, images: list[np.ndarray]) -> str:
    """A folder of pictures [h, w] or [h, w, 3]."""
    (tmp / "pictures").mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp / "pictures" / f"{i:04}.png", compress_level=0)
    return str(tmp / "pictures")


def found(name: str, recipe: str = "small-data") -> dict[str, Result]:
    """The checks by name, each once; all of them can be written as JSON."""
    checks = check_data(name, recipe)
    assert json.dumps([dict(check.blanks) for check in checks])
    by_name = {check.name: check for check in checks}
    assert len(by_name) == len(checks)
    return by_name


def remarks(name: str, recipe: str = "small-data") -> dict[str, str]:
    """Name -> state of what is not well."""
    return off(found(name, recipe))


def off(checks: dict[str, Result]) -> dict[str, str]:
    return {name: check.state for name, check in checks.items() if check.state != "good"}


# -- sets that are well ------------------------------------------------------------------------------------------


def test_a_set_that_is_well(tmp: Path) -> None:
    checks = found(archive(tmp, varied(600), [0, 1] * 300))
    assert [(name, check.state) for name, check in checks.items()] == [
        (name, "good") for name in ("images", "copies", "classes", "values")
    ]
    assert checks["images"].blanks == {"name": "set.npz", "n": "600", "shape": "3 × 16 × 16", "classes": 2}
    assert checks["copies"].blanks == {"copies": "0", "percent": "0.0", "compared": "600"}
    assert checks["classes"].blanks == {"n_most": "300", "n_least": "300"}
    assert checks["values"].blanks == {"low": 0, "high": 255}


def test_shapes_are_well() -> None:
    assert remarks("shapes", "quick") == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cifar10", "fashion-mnist"])
def test_known_sets_are_well(name: str) -> None:
    assert {check.state for check in check_data(name)} == {"good"}


def test_what_cannot_be_asked_for(tmp: Path) -> None:
    with pytest.raises(UsageError, match="unknown recipe 'quik'; did you mean quick"):
        check_data("shapes", "quik")
    with pytest.raises(UsageError, match="does not exist"):
        check_data(str(tmp / "nowhere"))


# -- number and files --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "recipe", "expected"),
    [
        (600, "quick", {"few": "advice"}),
        (600, "cifar-dcgan", {"few": "advice"}),
        (600, "small-data", {}),
        (499, "quick", {"few": "bad"}),
        (499, "small-data", {"few": "bad"}),
        (5000, "quick", {}),
    ],
)
def test_too_few_for_the_recipe(n: int, recipe: str, expected: dict[str, str], tmp: Path) -> None:
    (tmp / "my photos").mkdir()
    name = archive(tmp / "my photos", varied(n))
    assert remarks(name, recipe) == expected
    if "advice" in expected.values():
        assert found(name, recipe)["few"].blanks["how"] == f"ganvas train small-data --data '{name}'"


def test_files_that_cannot_be_read(tmp: Path) -> None:
    name = folder(tmp, list(varied(600).transpose(0, 2, 3, 1)))
    (tmp / "pictures" / "broken.png").write_bytes(b"no picture")
    (tmp / "pictures" / "empty.png").touch()
    checks = found(name)
    assert checks["plain"].blanks["n"] == "600"
    assert checks["skipped"].blanks == {"n": "2", "example": "broken.png: not a picture"}


# -- copies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("distinct", "expected"), [(300, {"copies": "bad"}), (550, {"copies": "advice"}), (596, {})])
def test_exact_copies(distinct: int, expected: dict[str, str], tmp: Path) -> None:
    name = archive(tmp, np.resize(varied(distinct), (600, 3, 16, 16)))
    assert remarks(name) == expected
    assert found(name)["copies"].blanks["copies"] == str(600 - distinct)


def test_near_copies(tmp: Path) -> None:
    images = varied(600)
    brighter = np.where(images < 254, images + 2, images).astype(np.uint8)
    checks = found(archive(tmp, np.concatenate([images, brighter[:12]])))
    assert checks["near"].state == "advice"
    assert checks["near"].blanks == {"percent": "3.9", "compared": "612"}  # 24 of 612
    assert "copies" not in checks


def test_a_picture_saved_again_is_a_near_copy(tmp: Path) -> None:
    """At a quality of 95: what moves a thumbnail by less than NEAR."""

    def saved(image: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(image.transpose(1, 2, 0)).save(file, "jpeg", quality=95, subsampling=0)
        return np.asarray(Image.open(file)).transpose(2, 0, 1)

    images = varied(600)
    again = np.stack([saved(image) for image in images[:100]])
    assert (again != images[:100]).any(axis=(1, 2, 3)).all()
    assert remarks(archive(tmp, np.concatenate([images, again]))) == {"near": "advice"}


def test_near_copies_are_counted_beside_exact_ones_and_blank_images(tmp: Path) -> None:
    images = np.concatenate([varied(600), varied(20), *(np.full((1, 3, 16, 16), level, np.uint8) for level in (7, 9))])
    assert remarks(archive(tmp, images)) == {"copies": "advice"}


def test_only_some_are_compared(monkeypatch: pytest.MonkeyPatch, tmp: Path) -> None:
    monkeypatch.setattr(copies, "MAX_COMPARED", 200)
    monkeypatch.setattr(copies, "NEIGHBOURS", 50)
    assert found(archive(tmp, varied(600)))["copies"].blanks["compared"] == "200"
    compared = copies.sample(600)
    assert len({*compared.tolist()}) == 200 and compared.min() == 0 and compared.max() == 599
    assert (np.diff(compared) == 1).sum() == 4 * 49
    assert copies.sample(200).tolist() == list(range(200))


@pytest.mark.parametrize("block", [1, 7, 1024])
def test_near_is_what_its_words_say(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copies, "NEAR", 85.0)
    images = varied(40)
    flat = thumbnails(images)
    away = np.sqrt(((flat[:, None] - flat) ** 2).mean(axis=2)) + 1e9 * np.eye(40)
    expected = away.min(axis=1) < 85
    assert 0 < expected.sum() < 40
    np.testing.assert_array_equal(copies.near_copies(images, block), expected)


# -- classes -----------------------------------------------------------------------------------------------------


def labels(*counts: int) -> list[int]:
    return [k for k, count in enumerate(counts) for _ in range(count)]


def test_thin_classes(tmp: Path) -> None:
    names = np.array(["cat", "dog", "emu", "fox"])
    name = archive(tmp, varied(610), labels(300, 300, 0, 10), class_names=names)
    thin = found(name)["thin"]
    assert (thin.state, thin.blanks) == ("advice", {"n": 2, "names": "emu (0), fox (10)"})
    assert "classes" not in found(name) and "uneven" not in found(name)
    assert remarks(name, "sngan") == {"few": "advice"}  # an unconditional recipe


def test_many_thin_classes_are_not_all_named(tmp: Path) -> None:
    thin = found(archive(tmp, varied(600), labels(*[30] * 20)))["thin"]
    assert thin.blanks["n"] == 20
    assert str(thin.blanks["names"]).endswith("4 (30), ...")


def test_a_class_may_be_thin_beside_large_ones(tmp: Path) -> None:
    assert remarks(archive(tmp, varied(5060), labels(2500, 2500, 60))) == {"thin": "advice"}


def test_uneven_classes(tmp: Path) -> None:
    checks = found(archive(tmp, varied(700), labels(600, 100)))
    assert checks["uneven"].blanks == {"most": "0", "n_most": "600", "least": "1", "n_least": "100"}
    assert remarks(archive(tmp, varied(600), labels(500, 100))) == {}


# -- values ------------------------------------------------------------------------------------------------------


def test_values_divided_by_255_twice(tmp: Path) -> None:
    name = archive(tmp, (varied(600) / 255 / 255).astype(np.float32))
    assert remarks(name) == {"values": "bad"}
    assert found(name)["values"].blanks == {"low": 0, "high": 1}


def test_masks_saved_as_0_and_1(tmp: Path) -> None:
    masks = (varied(600, 1) > 127).astype(np.uint8)
    assert remarks(folder(tmp, list(masks[:, 0]))) == {"binary": "advice"}  # as those of 0 and 255


def test_values_that_take_a_part_of_the_range(tmp: Path) -> None:
    name = archive(tmp, (varied(600) // 4 + 100).astype(np.uint8))
    assert remarks(name) == {"values": "advice"}
    assert found(name)["values"].blanks == {"low": 100, "high": 163}


@pytest.mark.parametrize(("blank", "expected"), [(3, {}), (60, {"blank": "advice"}), (700, {"blank": "bad"})])
def test_blank_images(blank: int, expected: dict[str, str], tmp: Path) -> None:
    images = varied(600 + blank, side=32)
    images[:blank] = images[:blank, :, :1, :1] // 2 * 2
    images[:blank, :, ::2, ::2] += 1  # not quite one colour
    assert remarks(archive(tmp, images)) == expected


def test_black_and_white_alone(tmp: Path) -> None:
    assert remarks(archive(tmp, varied(600, 3) > 127)) == {"binary": "advice"}


def framed(n: int, level: int) -> np.ndarray:
    images = varied(n, 1, seed=level)
    for edge in (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1]):
        edge[:] = level
    return images


@pytest.mark.parametrize(("white", "expected"), [(0, {}), (20, {}), (60, {"inverted": "advice"}), (600, {})])
def test_some_images_inverted(white: int, expected: dict[str, str], tmp: Path) -> None:
    assert remarks(archive(tmp, np.concatenate([framed(600 - white, 0), framed(white, 255)]))) == expected


def test_backgrounds_of_colour_images_may_differ(tmp: Path) -> None:
    images = np.concatenate([framed(300, 0), framed(300, 255)]).repeat(3, axis=1)
    images[:, 2, 4:12, 4:12] //= 2
    assert remarks(archive(tmp, images)) == {}


# -- colour ------------------------------------------------------------------------------------------------------


def test_grey_but_for_a_trace(tmp: Path) -> None:
    images = varied(600, 1).repeat(3, axis=1)
    images[:, 0, ::4] ^= 1
    assert remarks(archive(tmp, images)) == {"grey": "advice"}


@pytest.mark.parametrize(("grey", "expected"), [(60, {}), (300, {"mixed": "advice"})])
def test_some_grey(grey: int, expected: dict[str, str], tmp: Path) -> None:
    images = varied(600)
    images[:grey] = images[:grey, :1]
    assert remarks(archive(tmp, images)) == expected


def test_exactly_grey_is_taken_as_grey_already(tmp: Path) -> None:
    checks = found(archive(tmp, varied(600, 1).repeat(3, axis=1)))
    assert checks["images" if "images" in checks else "plain"].blanks["shape"] == "1 × 16 × 16"
    assert {check.state for check in checks.values()} == {"good"}


# -- sizes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [
        (32, 32, {}),
        (48, 64, {}),
        (28, 28, {}),
        (32, 64, {"long": "advice"}),
        (16, 16, {}),
        (12, 12, {"enlarged": "advice"}),
        (12, 32, {"long": "advice", "enlarged": "advice"}),
    ],
)
def test_sizes_of_own_pictures(height: int, width: int, expected: dict[str, str], tmp: Path) -> None:
    pictures = varied(520, side=64).transpose(0, 2, 3, 1)
    checks = found(folder(tmp, [np.asarray(Image.fromarray(p).resize((width, height))) for p in pictures]))
    assert off(checks) == expected
    assert ("sizes" in checks) == (not expected and height != width)  # equal squares keep their size
    for check in (checks[name] for name in expected):
        assert (check.blanks["n"], check.blanks["kinds"], check.blanks["example"]) == (1, 1, f"{width}x{height}")
    if "enlarged" in expected:
        assert (checks["enlarged"].blanks["side"], checks["enlarged"].blanks["size"]) == (32, 16)


def test_a_few_odd_sizes_are_no_news(tmp: Path) -> None:
    pictures = varied(520, side=64).transpose(0, 2, 3, 1)
    sizes = [(40 + i % 20, 40 + i % 20) for i in range(519)] + [(64, 32)]
    checks = found(
        folder(tmp, [np.asarray(Image.fromarray(p).resize(s)) for p, s in zip(pictures, sizes, strict=True)])
    )
    assert off(checks) == {}
    assert checks["sizes"].blanks == {"kinds": 21, "side": 32}
