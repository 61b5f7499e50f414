"""What changes over a run: learning rates, the average's half-life, adaptive strengths, when things are due."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ganvas.config import OptimConfig

Number = float | Tensor
"""A number of the host, or one of the device (a tensor without dimensions), which nothing needs to read."""


def learning_rate_factor(progress: Number, config: OptimConfig) -> Number:
    """The factor on every learning rate at `progress` in [0, 1] of the run.

    It rises from 0 to 1 over `warmup`, times a decay from 1 at `decay_from` to 0 at the end.
    """
    risen = _within(progress / config.warmup) if config.warmup else 1.0
    past = _within(progress - config.decay_from) / (1 - config.decay_from)
    match config.decay:
        case "constant":
            return risen
        case "linear":
            return risen * (1 - past)
        case "cosine":
            cosine = torch.cos(math.pi * past) if isinstance(past, Tensor) else math.cos(math.pi * past)
            return risen * 0.5 * (1 + cosine)


def _within(x: Number) -> Number:
    """The nearest number in [0, 1]."""
    return x.clamp(0.0, 1.0) if isinstance(x, Tensor) else min(max(x, 0.0), 1.0)


def ema_half_life(nimg: int, kimg: float, warmup: float) -> float:
    """The half-life of G's moving average after `nimg` real images, in images: 1000 kimg, at most warmup * nimg.

    The second term, a ramp (Karras et al. 2020, arXiv 2006.06676), drops G's first steps; warmup 0 is without it.
    """
    return min(1000 * kimg, warmup * nimg) if warmup > 0 else 1000 * kimg


def ema_weight(batch: int, half_life: float) -> float:
    """How far the moving average goes towards the model in an update of `batch` images: 1 where half_life is 0."""
    return 1 - 0.5 ** (batch / half_life) if half_life else 1.0


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
