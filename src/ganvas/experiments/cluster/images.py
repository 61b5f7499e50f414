"""The images of cells on their way to workers: a known set is fetched there, the user's own files are sent."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ganvas import datasets
from ganvas.datasets import cache
from ganvas.errors import GanvasError
from ganvas.experiments.cluster import packing

MOST_BYTES = 4_000_000_000


@dataclass(frozen=True)
class Parcel:
    """Files to send: a tar, its SHA-256, and which entry of it holds the images; empty: it is a data cache."""

    file: Path
    sha256: str
    entry: str


class Parcels:
    """The parcels of an experiment, each made once, when the first worker needs it."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._made: dict[str, Parcel] = {}
        self.not_fetched: set[str] = set()
        """Known sets that a worker could not fetch."""

    def of(self, name: str) -> Parcel | None:
        """What a worker must have before it trains on these images; None where it fetches them itself."""
        if name in datasets.SOURCES and name not in self.not_fetched:
            return None
        if name not in self._made:
            self._folder = self._folder or Path(tempfile.mkdtemp(prefix="ganvas-"))
            self._made[name] = _make(name, self._folder / f"{len(self._made)}.tar")
        return self._made[name]

    def remove(self) -> None:
        """Delete them."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def _make(name: str, target: Path) -> Parcel:
    source = datasets.find_source(name)
    if source is not None:
        assert source.files is not None
        datasets.fetch(name, progress=False)
        folder, entry = cache.root(), ""
        names = [f"{source.files.name}/{each}" for each in (*source.files.sha256, "source.txt")]
        names = [each for each in names if (folder / each).is_file()]
    else:
        path = Path(name).expanduser().resolve()
        folder, entry = path.parent, path.name
        names = [f"{entry}/{each}" for each in packing.file_names(path)] if path.is_dir() else [entry]
    size = sum((folder / each).stat().st_size for each in names)
    if size > MOST_BYTES:
        raise GanvasError(
            f"{name} has {size / 1e9:.1f} GB; at most {MOST_BYTES / 1e9:.0f} GB are sent to workers: make a "
            "smaller set of it, such as an .npz of the size that is trained on"
        )
    with open(target, "w+b") as file:
        packing.pack(folder, names, file)
        file.seek(0)
        return Parcel(target, hashlib.file_digest(file, "sha256").hexdigest(), entry)
