"""Choosing images: by class, and a first N that is balanced over the classes."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets.pictures.names import readable
from ganvas.errors import UsageError, did_you_mean, option


def matching_classes(wanted: Sequence[str], class_names: Sequence[str], where: str) -> list[int]:
    """The wanted classes as positions in `class_names`, in the order of the set. Raises UsageError."""
    if wanted and not class_names:
        raise UsageError(f"{where} has no classes: put its images in one folder a class, or drop {option('--classes')}")
    places = {readable(name): k for k, name in enumerate(class_names)}
    for name in wanted:
        if readable(name) not in places:
            known = ", ".join(class_names[:20]) + (", ..." if len(class_names) > 20 else "")
            near = did_you_mean(name, class_names)
            raise UsageError(f"{where} has no class '{name}' (it has: {known}){near}")
    return sorted({places[readable(name)] for name in wanted})


def balanced(labels: NDArray[np.int64] | Sequence[int]) -> NDArray[np.intp]:
    """Indices [n] that take the classes in turn: the first image of each class, then the second of each, ...

    So any first N holds as many of one class as of another, and a smaller N is the beginning of a larger one.
    """
    own = np.asarray(labels, np.int64)
    by_class = np.argsort(own, kind="stable")
    starts = np.searchsorted(own[by_class], own[by_class], side="left")
    turn = np.empty(len(own), np.int64)
    turn[by_class] = np.arange(len(own)) - starts
    return np.lexsort((own, turn))


def natural(name: str) -> list[tuple[bool, int, str]]:
    """A key that sorts 2 before 10, numbers before words."""
    parts = re.findall(r"^-\d+|\d+|\D+", name)
    return [(not part[-1].isdecimal(), int(part) if part[-1].isdecimal() else 0, part) for part in parts]
