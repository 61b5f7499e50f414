"""Fashion-MNIST (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747), as its four IDX files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets.arrays import idx
from ganvas.datasets.cache import FileSet, Source
from ganvas.datasets.download import (
    apt_unpack,
    copy_plain_or_gzip,
    download,
    folders_below,
    gunzip,
    named_by_user,
    other_caches,
)  # fmt: skip
from ganvas.datasets.progress import Progress
from ganvas.datasets.source import from_files, register_data

TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")
TEST = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
FILES = {"train": TRAIN, "test": TEST}
URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"
DEBIAN_PACKAGE = "dataset-fashion-mnist"
SYSTEM_FOLDER = Path("/usr/share/datasets/fashion-mnist")


def parse(contents: Mapping[str, bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """An image file and its label file as images uint8 [n, 1, 28, 28] and labels int64 [n]."""
    images, labels = (idx.parse(content) for content in contents.values())
    return images[:, None].copy(), labels.astype(np.int64)


def from_user(folder: Path, progress: Progress) -> None:
    """$GANVAS_FASHION_MNIST: a folder with the four IDX files, plain or .gz."""
    path = named_by_user("GANVAS_FASHION_MNIST")
    copy_plain_or_gzip(folders_below(path), SHA256, folder)


def from_system(folder: Path, progress: Progress) -> None:
    """From where Debian installs it."""
    copy_plain_or_gzip(folders_below(SYSTEM_FOLDER), SHA256, folder)


def from_caches(folder: Path, progress: Progress) -> None:
    """From where Keras and torchvision keep it."""
    copy_plain_or_gzip(other_caches("fashion-mnist", "FashionMNIST/raw"), SHA256, folder)


def from_author(folder: Path, progress: Progress) -> None:
    """From Zalando's address."""
    for name in SHA256:
        download(f"{URL}/{name}.gz", folder / f"{name}.gz", progress)
        gunzip(folder / f"{name}.gz", folder / name)


def from_debian(folder: Path, progress: Progress) -> None:
    """From Debian's package, unpacked without installing it."""
    unpacked = apt_unpack(DEBIAN_PACKAGE, folder, progress)
    copy_plain_or_gzip([unpacked / SYSTEM_FOLDER.relative_to("/")], SHA256, folder)


SET = from_files(
    files=FileSet(
        name="fashion-mnist",
        sha256=SHA256,
        sources=(
            Source("the folder named by $GANVAS_FASHION_MNIST", from_user),
            Source(f"the system's package, {SYSTEM_FOLDER}", from_system),
            Source("the caches of Keras and torchvision", from_caches),
            Source("the author's page, fashion-mnist.s3-website.eu-central-1.amazonaws.com", from_author),
            Source(f"Debian package {DEBIAN_PACKAGE}", from_debian),
        ),
        advice="To go on: connect to the network, or get the four *-ubyte.gz files elsewhere and set"
        " GANVAS_FASHION_MNIST to their folder, or train on the procedural set: --data shapes",
    ),
    splits={"train": (60_000, FILES["train"]), "test": (10_000, FILES["test"])},
    shape=(1, 28, 28),
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    parse=parse,
    verified="matches the SHA-256 of Fashion-MNIST's IDX files",
    licence="MIT",
)
register_data(SET)
