"""CIFAR-10 and CIFAR-100 as their author gives them: python and binary version, unpacked or as tar archive.

The batches of the python version are opened by `pickled`, which runs nothing. Whether the files are the published ones
is said with their source: MD5 sums are those that the author and torchvision publish.
"""

from __future__ import annotations

import hashlib
import re
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganvas.config import DataConfig
from ganvas.datasets.arrays import pickled
from ganvas.datasets.arrays.labels import ignoring, names_of
from ganvas.datasets.progress import Progress
from ganvas.datasets.raw import Found, Raw
from ganvas.datasets.reader import Reader, register_reader
from ganvas.errors import GanvasError, UsageError

PIXELS = 3 * 32 * 32
LARGEST = 1 << 29  # bytes in a file
COARSE = "coarse"
"""`data.label_from` for the 20 superclasses of CIFAR-100."""


@dataclass(frozen=True)
class Form:
    """One of the four forms: which files it has, and their published MD5 (empty where none is published)."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    names: Mapping[str, str]
    """Kind of label -> the file with its class names."""
    labels: tuple[str, ...]
    """Kinds of label, in the order of the label bytes of the binary version."""
    md5: Mapping[str, str]

    @property
    def binary(self) -> bool:
        """Records of label bytes and pixels, not pickles."""
        return self.train[0].endswith(".bin")


FORMS = (
    Form(
        tuple(f"data_batch_{k}" for k in range(1, 6)), ("test_batch",), {"label": "batches.meta"}, ("label",),
        {
            "data_batch_1": "c99cafc152244af753f735de768cd75f",
            "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
            "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
            "data_batch_4": "634d18415352ddfa80567beed471001a",
            "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
            "test_batch": "40351d587109b95175f43aff81a1287e",
        },
    ),
    Form(
        ("train",), ("test",), {"fine": "meta", COARSE: "meta"}, (COARSE, "fine"),
        {"train": "16019d7e3df5f24257cddd939b257f8d", "test": "f0ef6b0ae62326f3e7ffdfab6717acfc"},
    ),
    Form(
        tuple(f"data_batch_{k}.bin" for k in range(1, 6)), ("test_batch.bin",), {"label": "batches.meta.txt"},
        ("label",), {},
    ),
    Form(
        ("train.bin",), ("test.bin",), {"fine": "fine_label_names.txt", COARSE: "coarse_label_names.txt"},
        (COARSE, "fine"), {},
    ),
)  # fmt: skip
ARCHIVE = re.compile(r"cifar-?100?[-_.].*\.(tar|tgz|tar\.gz)$|cifar-?100?\.(tar|tgz|tar\.gz)$", re.IGNORECASE)


def read(where: Path, split: str, kind: str | None = None) -> Raw:
    """The images [n, 3, 32, 32] of a split, and their labels: `kind` "fine" (the usual one) or "coarse".

    Raises UsageError for a kind that is not there, GanvasError for files that are not CIFAR's or damaged.
    """
    try:
        contents = _archived(where) if where.is_file() else _unpacked(_home(where) or where)
        form = _form_of(set(contents))
        if form is None:
            raise ValueError("it holds none of the batches of CIFAR-10 or CIFAR-100")
        kind = kind or form.labels[-1]
        if kind not in form.labels:
            raise UsageError(f"{where} has no labels '{kind}' (it has: {', '.join(form.labels)})")
        batches = {name: contents[name] for name in getattr(form, split) if name in contents}
        if not batches:
            raise UsageError(f"{where} has no split '{split}' ({', '.join(getattr(form, split))} is not there)")
        splits = tuple(name for name in ("train", "test") if any(batch in contents for batch in getattr(form, name)))
        parts = [(_records if form.binary else _batch)(content, form, kind) for content in batches.values()]
        class_names = _class_names(contents.get(form.names[kind]), form, kind)
        images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
        if labels.max() >= len(class_names):
            raise ValueError(f"its labels run to {labels.max()} for {len(class_names)} class names; {ignoring()}")
    except (ValueError, OSError, EOFError, MemoryError, tarfile.TarError, zlib.error) as error:
        raise GanvasError(f"{where} cannot be used: {error}") from error
    said, found = _published(batches, form), Found(split, splits) if len(splits) > 1 else Found()
    return Raw(images, labels, class_names, f"{where}, {len(batches)} batches{said}", found=found)


def read_batch(content: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [n, 3, 32, 32] and labels [n] of a batch of CIFAR-10's python version. ValueError for any other file."""
    return _batch(content, FORMS[0], "label")


def accepts(where: Path) -> bool:
    """A folder of batches, or with nothing but one; a tar archive of CIFAR's name or with its folder first."""
    if where.is_dir():
        return _home(where) is not None
    return bool(ARCHIVE.search(where.name)) and tarfile.is_tarfile(where)


def _home(folder: Path) -> Path | None:
    """Where the batches are: here, or in the one folder below (Keras keeps them two down)."""
    inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    if _form_of({path.name for path in inside if path.is_file()}):
        return folder
    folders = [path for path in inside if path.is_dir()]
    others = [path for path in inside if path.is_file() and not ARCHIVE.search(path.name)]
    return _home(folders[0]) if len(folders) == 1 and not others and "cifar" in folders[0].name.lower() else None


def _form_of(names: set[str]) -> Form | None:
    """The form that has these files; a lone `train` may be anything, so its table of names must be there."""
    for form in FORMS:
        if names & {*form.train, *form.test} and (len(form.train) > 1 or set(form.names.values()) <= names):
            return form
    return None


def _unpacked(folder: Path) -> dict[str, bytes]:
    known = {name for form in FORMS for name in (*form.train, *form.test, *form.names.values())}
    return {name: (folder / name).read_bytes() for name in sorted(known) if (folder / name).is_file()}


def _archived(where: Path) -> dict[str, bytes]:
    known = {name for form in FORMS for name in (*form.train, *form.test, *form.names.values())}
    found: dict[str, bytes] = {}
    with tarfile.open(where) as archive:
        for member in archive:
            name = member.name.rsplit("/", 1)[-1]
            if name in known and member.isfile() and (content := archive.extractfile(member)):
                if member.size > LARGEST:
                    raise ValueError(f"{member.name} unpacks to {member.size >> 20} MiB")
                found[name] = content.read()
    return found


def _batch(content: bytes, form: Form, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    held = pickled.load(content)
    pixels, labels = held.get("data"), held.get("labels" if kind == "label" else f"{kind}_labels")
    if not isinstance(pixels, np.ndarray) or pixels.ndim != 2 or pixels.shape[1] != PIXELS:
        raise ValueError(f"a batch holds no array 'data' of [n, {PIXELS}]")
    if not isinstance(labels, list) or len(labels) != len(pixels):
        raise ValueError(f"a batch holds no labels '{kind}' for its {len(pixels)} images")
    if not all(isinstance(label, int) and 0 <= label < 100 for label in labels):
        raise ValueError("a batch holds labels that are no class numbers")
    return pixels.reshape(-1, 3, 32, 32), np.array(labels, np.int64)


def _records(content: bytes, form: Form, kind: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The binary version: a byte per kind of label, then the pixels, channels first."""
    size = len(form.labels) + PIXELS
    if len(content) % size:
        raise ValueError(f"a batch of {len(content)} bytes is not a whole number of records of {size}")
    records = np.frombuffer(content, np.uint8).reshape(-1, size)
    images = np.ascontiguousarray(records[:, len(form.labels) :]).reshape(-1, 3, 32, 32)
    return images, records[:, form.labels.index(kind)].astype(np.int64)


def _class_names(content: bytes | None, form: Form, kind: str) -> tuple[str, ...]:
    if content is None:
        return tuple(map(str, range(10)))
    if form.binary:
        return tuple(line for line in content.decode("ascii", "replace").split("\n") if line.strip())
    names = pickled.load(content).get("label_names" if kind == "label" else f"{kind}_label_names")
    if not isinstance(names, list):
        raise ValueError(f"it holds no names of the labels '{kind}'")
    return names_of(names)


def _published(batches: Mapping[str, bytes], form: Form) -> str:
    """How these files compare with the published ones."""
    if form.binary:
        from ganvas.datasets.builtin.cifar10 import SHA256

        known = {name: SHA256[name] for name in batches if name in SHA256}
        own = {name: hashlib.sha256(batches[name]).hexdigest() for name in known}
    else:
        known = {name: form.md5[name] for name in batches}
        own = {name: hashlib.md5(batches[name], usedforsecurity=False).hexdigest() for name in known}
    if not known:
        return ""
    different = [name for name in known if own[name] != known[name]]
    return f"; not the published files ({', '.join(different)})" if different else "; verified: the published files"


def _read(where: Path, config: DataConfig, progress: Progress) -> Raw:
    chosen = config.label_from
    return read(where, config.split, None if chosen in ("auto", "folders") else chosen)


register_reader(Reader("CIFAR", accepts, _read))
