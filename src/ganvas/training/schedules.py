"""What changes over a run: learning rates, the average's half-life, adaptive strengths, when things are due."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ganvas.config import OptimConfig


def learning_rate_factor(progress: float, config: OptimConfig) -> float:
    """The factor on every learning rate at `progress` in [0, 1] of the run.

    It rises from 0 to 1 over `warmup`, times a decay from 1 at `decay_from` to 0 at the end.
    """
    risen = min(progress / config.warmup, 1.0) if config.warmup else 1.0
    past = max(progress - config.decay_from, 0.0) / (1 - config.decay_from)
    match config.decay:
        case "constant":
            return risen
        case "linear":
            return risen * (1 - past)
        case "cosine":
            return risen * 0.5 * (1 + math.cos(math.pi * past))


def ema_half_life(nimg: int, kimg: float, warmup: float) -> float:
    """The half-life of G's moving average after `nimg` real images, in images: 1000 kimg, at most warmup * nimg.

    The second term, a ramp (Karras et al. 2020, arXiv 2006.06676), drops G's first steps; warmup 0 is without it.
    """
    return min(1000 * kimg, warmup * nimg) if warmup > 0 else 1000 * kimg


def adjust(value: float, measured: float, target: float, kimg: float, images: int) -> float:
    """An adaptive strength after `images` more: up by a fixed amount where `measured` is above `target`, else down.

    It stays in [0, 1] and takes `kimg` thousand images from one end to the other. As in ADA (Karras et al. 2020, arXiv
    2006.06676), which looks every four batches and steers overfitting (r_v) to 0.5, or the mean sign of D's logits of
    real images (r_t), which needs no held-out images, to 0.6, in 500 kimg.
    """
    direction = (measured > target) - (measured < target)
    return min(max(value + direction * images / (1000 * kimg), 0.0), 1.0)


def sample_points() -> Iterator[int]:
    """Images seen at which a grid is drawn: every 2,000 at first, then 8 % further each time."""
    at = 0
    while True:
        yield at
        at = max(at + 2000, round(at * 1.08))


def sample_is_due(old: int, new: int) -> bool:
    """Whether a sample point lies in (old, new], in images seen."""
    for point in sample_points():
        if point > old:
            return point <= new
    raise AssertionError("sample_points never ends")


def crosses(kimg: float, old: int, new: int) -> bool:
    """Whether a multiple of `kimg` thousand images lies in (old, new]; never for 0."""
    return kimg > 0 and old // (1000 * kimg) < new // (1000 * kimg)
