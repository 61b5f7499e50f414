"""Emoji: the package's layout, on a tiny stand-in."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from ganvas.datasets.builtin import emoji
from ganvas.datasets.cache import NotOfferedError, SourceError
from ganvas.datasets.progress import Progress

QUIET = Progress(show=False)
TRAIN, TEST = "1F600", "1F31B"
"""Codes of the train and of the test split."""


def png(value: int) -> bytes:
    """A palette picture, its left half transparent, as those of the package are."""
    pixels = np.full((emoji.SIDE, emoji.SIDE), 1, np.uint8)
    pixels[:, : emoji.SIDE // 2] = 0
    picture = Image.fromarray(pixels, "P")
    picture.putpalette([0, 0, 0, value, 2, 3])
    picture.save(file := io.BytesIO(), "PNG", transparency=0)
    return file.getvalue()


def kind(unified: str, category: str, *tones: str) -> dict:
    variations = {tone: {"image": f"{unified}-{tone}.png".lower()} for tone in tones}
    entry = {"unified": unified, "category": category, "image": f"{unified}.png".lower()}
    return {**entry, "skin_variations": variations} if tones else entry


def package(path, leave_out: str = "") -> None:
    kinds = [kind(TEST, "Animals & Nature"), kind("1F3FB", "Component"), kind(TRAIN, "People & Body", "1F3FB", "1F3FF")]
    files = {"package/emoji.json": json.dumps(kinds).encode(), "package/img/google/sheets/64.png": b"a sheet"}
    names = [f"{TEST}.png", "1F3FB.png", f"{TRAIN}.png", f"{TRAIN}-1F3FB.png", f"{TRAIN}-1F3FF.png"]
    files |= {emoji.PICTURES + name.lower(): png(10 * i) for i, name in enumerate(names)}
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            if name.rsplit("/", 1)[-1] != leave_out:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


def test_pictures_come_with_their_class_on_white_and_tones_stay_with_their_emoji(tmp_path):
    package(tmp_path / "x.tgz")
    emoji.rebuild(tmp_path / "x.tgz", tmp_path)
    images, labels = emoji.parse({"": (tmp_path / "emoji-train.tar").read_bytes()})
    assert labels.tolist() == [emoji.CLASSES.index("people")] * 3
    assert images.shape == (3, 3, 64, 64) and images.dtype == np.uint8
    assert (images[..., :32] == 255).all()
    assert images[:, :, 0, -1].tolist() == [[30, 2, 3], [40, 2, 3], [20, 2, 3]]  # "-" sorts before "."
    images, labels = emoji.parse({"": (tmp_path / "emoji-test.tar").read_bytes()})
    assert [emoji.CLASSES[label] for label in labels] == ["animals"] and images[0, 0, 0, -1] == 0


def test_the_files_depend_on_the_pictures_alone(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        package(tmp_path / name / "x.tgz")
        (tmp_path / name / "x.tgz").touch()
        emoji.rebuild(tmp_path / name / "x.tgz", tmp_path / name)
    for file in emoji.SHA256:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.parametrize("missing", ["emoji.json", "1f600-1f3ff.png"])
def test_an_incomplete_package_is_a_reason(tmp_path, missing):
    package(tmp_path / "x.tgz", leave_out=missing)
    with pytest.raises(SourceError, match="not the package as it was published"):
        emoji.rebuild(tmp_path / "x.tgz", tmp_path)


@pytest.mark.parametrize("how", ["file", "folder"])
def test_from_the_user(tmp_path, monkeypatch, how):
    (target := tmp_path / "target").mkdir()
    with pytest.raises(NotOfferedError):
        emoji.from_user(target, QUIET)
    monkeypatch.setenv("GANVAS_EMOJI", str(tmp_path))
    with pytest.raises(SourceError, match=r"holds no \.tgz"):
        emoji.from_user(target, QUIET)
    package(tmp_path / "x.tgz")
    monkeypatch.setenv("GANVAS_EMOJI", str(tmp_path / "x.tgz" if how == "file" else tmp_path))
    emoji.from_user(target, QUIET)
    assert {path.name for path in target.iterdir()} == set(emoji.SHA256)


def test_a_tenth_is_for_test():
    share = np.mean([emoji._is_test(f"{code:X}") for code in range(0x1F300, 0x1F700)])
    assert 0.07 < share < 0.13
    assert emoji._is_test(TEST) and not emoji._is_test(TRAIN)


def test_hashes_are_complete():
    assert all(len(bytes.fromhex(value)) == 32 for value in emoji.SHA256.values())
    assert emoji.SET.splits == {"train": 3337, "test": 444}
