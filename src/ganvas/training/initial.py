"""The trained generator that a training starts from: loaded once, from its settings to its first update."""

from __future__ import annotations

import os
from functools import lru_cache

from ganvas import generator
from ganvas.generator import Generator


def trained_generator(init_from: str | os.PathLike[str]) -> Generator:
    """The generator of a model, run or snapshot, on the CPU; kept until `forget`. Raises as `generator.load`."""
    path = generator.find(init_from)
    return _load(os.fspath(path), path.stat().st_mtime_ns)


def forget() -> None:
    """Free it: training has its weights."""
    _load.cache_clear()


@lru_cache(maxsize=1)
def _load(path: str, changed_ns: int) -> Generator:
    return generator.load(path, "cpu")
