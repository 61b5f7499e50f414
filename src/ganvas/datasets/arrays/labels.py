"""Labels that come with arrays: any kind of column or one-hot table as class numbers from 0 on, with names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganvas.datasets.select import natural
from ganvas.errors import option

Labels = tuple[NDArray[np.int64] | None, tuple[str, ...]]


def ignoring() -> str:
    """How to go on without labels."""
    return f"{option('--data.labels ignore')} uses the images without them"


def to_labels(
    values: NDArray[Any], n: int, names: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Labels of n images as int64 [n] from 0 on, and the names of the classes.

    values: [n] or [n, 1], integers, whole floats, bool or text, or one-hot [n, k], whose class is where the 1 stands.
    names: of class 0, 1, ...; else a class is named as its label. Raises ValueError where they do not fit.
    """
    if values.dtype.kind == "O":
        raise ValueError(f"its labels are objects of Python: save whole numbers or text, [n]; {ignoring()}")
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8")
    if values.ndim == 2 and values.shape[0] == n and values.shape[1] > 1 and values.dtype.kind in "buif":
        values, names = _hot(values, names)
    if values.shape not in ((n,), (n, 1)):
        raise ValueError(
            f"its labels are {list(values.shape)} for {n} images: one is needed for each image, [n]; {ignoring()}"
        )
    if values.dtype.kind not in "uifUb":
        raise ValueError(f"its labels are of type {values.dtype}, neither integers nor names; {ignoring()}")
    if values.dtype.kind == "f" and (values != np.rint(values)).any():
        raise ValueError(f"its labels are not whole numbers; {ignoring()}")
    values = values.reshape(-1) if values.dtype.kind == "U" else values.reshape(-1).astype(np.int64)
    if names is not None and values.dtype.kind == "i":
        if n and not 0 <= values.min() <= values.max() < len(names):
            raise ValueError(f"its labels run from {values.min()} to {values.max()} for {len(names)} class names")
        return values, tuple(names)
    found, labels = np.unique(values, return_inverse=True)
    order = sorted(range(len(found)), key=lambda k: natural(str(found[k])))
    place = np.argsort(order)
    return place[labels.reshape(-1)].astype(np.int64), tuple(str(found[k]) for k in order)


def fitting(make: Callable[[], Labels], ignore: bool) -> tuple[Labels, tuple[str, ...]]:
    """What `make` gives, or no labels and a note of why where they do not fit and are ignored anyway."""
    try:
        return make(), ()
    except ValueError as error:
        if not ignore:
            raise
        return (None, ()), (str(error).replace(f"; {ignoring()}", "") + "; trained without labels",)


def names_of(values: Iterable[Any]) -> tuple[str, ...]:
    """Class names as text, whether they were stored as text or bytes."""
    return tuple(name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in values)


def _hot(values: NDArray[Any], names: Sequence[str] | None) -> tuple[NDArray[Any], Sequence[str]]:
    n, k = values.shape
    if not np.isin(values, (0, 1)).all() or not (values.sum(1) == 1).all():
        several = "" if names is None else f" ({', '.join(names[:4])}{', ...' if len(names) > 4 else ''})"
        raise ValueError(
            f"its labels are [{n}, {k}]{several}, not one class an image: save one column of them as [n]; {ignoring()}"
        )
    return values.argmax(1), [str(i) for i in range(k)] if names is None else names
