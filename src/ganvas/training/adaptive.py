"""The controller of how often images are augmented (augment.adapt); penalty.adapt takes its upward steps alone."""

from __future__ import annotations


def steered(value: float, measured: float, target: float, kimg: float, images: int) -> float:
    """The value after `images` more: up by a fixed amount where more than the target was measured, down where less.

    It stays in [0, 1] and takes `kimg` thousand images from one end to the other. As ADA does it (Karras et al. 2020,
    arXiv 2006.06676), who look every four batches and steer overfitting (r_v) to 0.5, or the mean sign of D's answers
    to real images (r_t), which needs no held-out images, to 0.6, in 500 kimg.
    """
    direction = (measured > target) - (measured < target)
    return min(max(value + direction * images / (1000 * kimg), 0.0), 1.0)
