"""Small operations on series of measurements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ganvas.stats.finite import is_number


def column(rows: Sequence[dict[str, Any]], name: str) -> tuple[np.ndarray, np.ndarray]:
    """(nimg [k] int64, values [k] float64) of the rows in which `name` is a finite number."""
    pairs = [(row["nimg"], row[name]) for row in rows if is_number(row.get("nimg")) and is_number(row.get(name))]
    return np.array([p[0] for p in pairs], np.int64), np.array([p[1] for p in pairs], np.float64)


def rolling(values: np.ndarray, k: int, statistic: Callable[..., np.ndarray] = np.median) -> np.ndarray:
    """The median (or another statistic) of the last k values at each place; NaN for the first k - 1 places."""
    if len(values) < k:
        return np.full(len(values), np.nan)
    return np.concatenate([np.full(k - 1, np.nan), statistic(sliding_window_view(values, k), axis=1)])


def expanding(values: np.ndarray, k: int, statistic: Callable[..., np.floating]) -> np.ndarray:
    """A statistic of all values up to each place; NaN for the first k - 1 places."""
    return np.array([statistic(values[:end]) if end >= k else np.nan for end in range(1, len(values) + 1)])


def last(values: np.ndarray) -> float:
    """The last value; NaN if there is none."""
    return float(values[-1]) if len(values) else float("nan")
