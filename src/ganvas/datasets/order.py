"""Which image stands at which place of the endless stream of samples: a function of (seed, position) alone."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ganvas import rng


def order(seed: int, start: int, count: int, n: int) -> NDArray[np.int64]:
    """Which of n images stand at the sample positions start to start + count - 1: int64 [count].

    Position p lies in pass p // n, and every pass is a permutation of its own (argsort of one hash an image):
    the answer depends on (seed, position) alone, and a batch at the end of a pass goes on with the next.
    """
    if n < 1 or start < 0 or count < 0:
        raise ValueError(f"expected n >= 1, start >= 0, count >= 0; found {n}, {start}, {count}")
    passes = range(start // n, (start + count - 1) // n + 1)
    parts = [_permutation(seed, p, n)[max(start - p * n, 0) : start + count - p * n] for p in passes]
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def flips(seed: int, start: int, count: int) -> NDArray[np.bool_]:
    """Whether to mirror the image at each sample position, with probability 0.5: bool [count]."""
    flipped: NDArray[np.bool_] = rng.bits(seed, "flip", np.arange(start, start + count)) >> np.uint64(63) == 1
    return flipped


@lru_cache(maxsize=2)
def _permutation(seed: int, turn: int, n: int) -> NDArray[np.int64]:
    permutation = np.argsort(rng.bits(seed, f"order/{turn}", np.arange(n)), kind="stable").astype(np.int64)
    permutation.flags.writeable = False
    return permutation
