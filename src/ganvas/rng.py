"""Randomness as a pure function of (seed, stream, index).

Nothing here has state: the draw that belongs to sample 1,234,567 is the same whether it is asked for alone,
in a batch, by another rank or after a resume. `bits` hashes a counter with the finaliser of SplitMix64
(Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators"), twice, under a 128-bit key of
seed and stream.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

GAMMA = np.uint64(0x9E3779B97F4A7C15)  # 2**64 / golden ratio: SplitMix64's step


def bits(seed: int, stream: str, index: ArrayLike) -> NDArray[np.uint64]:
    """64 random bits for each index: uint64, of the shape of `index`; exactly the same on every platform.

    Streams ("flip", "z", ...) are independent of each other, as seeds are. Indices are taken mod 2**64.
    """
    first, second = _key(seed, stream)
    counter = np.asarray(index).astype(np.uint64)
    words = _mix(_mix(counter.reshape(-1) * GAMMA + first) ^ second)
    return words.reshape(counter.shape)


def uniform(seed: int, stream: str, index: ArrayLike) -> NDArray[np.float64]:
    """Uniform in [0, 1) with 53 random bits for each index: float64, of the shape of `index`."""
    return _unit(bits(seed, stream, index))


def normal(seed: int, stream: str, index: ArrayLike, dim: int) -> NDArray[np.float32]:
    """Standard normal float32 [n, dim], one row for each index [n]; row and column alone decide a value.

    Box and Muller (1958), computed in float64. Widening `dim` keeps the columns that were there. Platforms
    may differ in the last bit of float32, because their libraries round logarithm and cosine differently.
    """
    row = bits(seed, stream, np.asarray(index).reshape(-1))[:, None]
    pairs = np.arange(1, (dim + 1) // 2 + 1, dtype=np.uint64)
    radius = np.sqrt(-2.0 * np.log1p(-_unit(_mix(row + GAMMA * (2 * pairs)))))
    angle = 2.0 * np.pi * _unit(_mix(row + GAMMA * (2 * pairs + np.uint64(1))))
    both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return both.reshape(len(row), 2 * len(pairs))[:, :dim].astype(np.float32)


def stream_seed(seed: int, stream: str, index: int = 0) -> int:
    """A seed in [0, 2**63) for a generator with state (torch's), a pure function of (seed, stream, index)."""
    return int(bits(seed, stream, [index])[0] >> np.uint64(1))


def _key(seed: int, stream: str) -> tuple[np.uint64, np.uint64]:
    digest = hashlib.blake2b(f"{seed}/{stream}".encode(), digest_size=16).digest()
    return np.uint64(int.from_bytes(digest[:8], "little")), np.uint64(int.from_bytes(digest[8:], "little"))


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """SplitMix64's finaliser: a bijection of 64-bit words in which every input bit moves every output bit."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def _unit(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
