"""How images look, beside real ones: variety, layout and colours, saturation, fine structure. Numpy alone.

Cheap enough to be read while training, coarse enough to need few images: for telling that something is wrong, and
never for telling which of two generators is better (ganvas.metrics).
"""

from __future__ import annotations

import math
from itertools import product

import numpy as np
from jaxtyping import Float, Float64, UInt8

THUMBNAIL = 8
"""Side to which images are averaged before their layout and colours are compared."""
ENDS = 1
"""Levels from 0 and from 255 within which a value counts as saturated."""


class Pictures:
    """Images uint8 [n, c, h, w] and what is measured of them; distances are taken between `at_a_time` of them."""

    def __init__(
        self, images: UInt8[np.ndarray, "n c h w"], labels: np.ndarray | None = None, at_a_time: int = 1024
    ) -> None:
        self.images, self.labels = images, labels
        self.thumbnails = thumbnails(images)
        self.mean, self.deviation = self.thumbnails.mean(0), self.thumbnails.std(0)
        self.saturated = float(((images <= ENDS) | (images >= 255 - ENDS)).mean())
        self.brightness, self.contrast = float(images.mean()), float(images.std())
        power = spectrum(images)
        self.grid, self.fine = grid(power), _upper(power)
        self.depth = _ratio(depth(power), self.contrast)
        between = distances(self.thumbnails, self.thumbnails)
        apart = ~np.eye(len(images), dtype=bool)
        same = apart & (labels[:, None] == labels) if labels is not None else ~apart
        self.spread = float(between[apart].mean()) if apart.any() else math.nan
        self.within = float(between[apart & same].mean()) if (apart & same).any() else math.nan
        groups = [between[at : at + at_a_time, at : at + at_a_time] for at in range(0, len(images), at_a_time)]
        whole = [g for g in groups if len(g) == len(groups[0]) > 1]
        self.nearest = float(
            np.mean([(g + np.diag(np.full(len(g), np.inf))).min(1).mean() for g in whole] or [math.nan])
        )


def thumbnails(images: UInt8[np.ndarray, "n c h w"]) -> Float64[np.ndarray, "n p"]:
    """Each image averaged to THUMBNAIL x THUMBNAIL, flattened, in levels."""
    rows, columns = (_averaging(side) for side in images.shape[2:])
    return (rows @ images.astype(np.float64) @ columns.T).reshape(len(images), -1)  # type: ignore[no-any-return]


def _averaging(side: int) -> Float64[np.ndarray, "t s"]:
    """The matrix that averages `side` values to THUMBNAIL."""
    cuts = np.linspace(0, side, THUMBNAIL + 1)
    covered = np.minimum(cuts[1:, None], np.arange(1, side + 1)) - np.maximum(cuts[:-1, None], np.arange(side))
    covered = np.maximum(covered, 0)
    return covered / covered.sum(1, keepdims=True)  # type: ignore[no-any-return]


def distances(x: Float[np.ndarray, "n p"], among: Float[np.ndarray, "m p"]) -> Float[np.ndarray, "n m"]:
    """Root mean square difference of each thumbnail to each of others, in levels."""
    squares = (x**2).sum(1)[:, None] + (among**2).sum(1) - 2 * x @ among.T
    return np.sqrt(np.maximum(squares, 0) / x.shape[1])  # type: ignore[no-any-return]


def beside(fake: Pictures, real: Pictures) -> dict[str, float]:
    """Pictures against real ones: what is a ratio is 1 where they are alike, `distance` is 0.

    spread, nearest, within: mean distance of two thumbnails, of each to its nearest, of two of one class.
    distance: see `away`. texture: power in the upper half of the frequencies. grid/fake, grid/real: see `grid`;
    grid/depth: see `depth`, over the fakes' own standard deviation.
    """
    found = {
        "saturated/fake": fake.saturated, "saturated/real": real.saturated,
        "brightness/fake": fake.brightness, "brightness/real": real.brightness,
        "contrast/fake": fake.contrast, "contrast/real": real.contrast,
        "grid/fake": fake.grid, "grid/real": real.grid, "grid/depth": fake.depth,
        "texture": _ratio(fake.fine, real.fine),
        "spread": _ratio(fake.spread, real.spread),
        "nearest": _ratio(fake.nearest, real.nearest),
        "within": _ratio(fake.within, real.within),
        "distance": away(fake.thumbnails, real),
    }  # fmt: skip
    return {key: value for key, value in found.items() if math.isfinite(value)}


def away(x: Float[np.ndarray, "n p"], real: Pictures) -> float:
    """Distance of thumbnails' means and standard deviations from those of real images, squared, over their variance."""
    apart = ((x.mean(0) - real.mean) ** 2 + (x.std(0) - real.deviation) ** 2).mean()
    return _ratio(float(apart), float((real.deviation**2).mean()))


def spectrum(images: UInt8[np.ndarray, "n c h w"]) -> Float64[np.ndarray, "h w"]:
    """Mean power of the images' grey values at each spatial frequency; the zero frequency first, as numpy has it."""
    grey = images.mean(1)
    grey = grey - grey.mean((1, 2), keepdims=True)
    return (np.abs(np.fft.fft2(grey)) ** 2).mean(0) / grey[0].size  # type: ignore[no-any-return]


def grid(power: Float64[np.ndarray, "h w"]) -> float:
    """How far the power at periods of two and four pixels stands out from the frequencies around it: 1 = not at all.

    Strided layers leave their pattern there (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts"; Durall et
    al. 2020, arXiv 2003.01826). The largest of up to fifteen peaks, each over the median of its neighbours.
    """
    return max((_ratio(peak, around) for peak, around in _peaks(power)), default=1.0)


def depth(power: Float64[np.ndarray, "h w"]) -> float:
    """Root mean square, in levels, of what stands out there: how deep the grid is cut into the images."""
    return math.sqrt(sum(max(peak - around, 0.0) for peak, around in _peaks(power)) / power.size)


def _peaks(power: Float64[np.ndarray, "h w"]) -> list[tuple[float, float]]:
    """The power at each frequency with periods of two or four pixels, and the median of those around it."""
    h, w = power.shape
    rows, columns = ({i * side // k for k in (2, 4) if side % k == 0 for i in range(k)} or {0} for side in (h, w))
    marks, found = set(product(rows, columns)), []
    for r, c in marks - {(0, 0)}:
        around = [((r + i) % h, (c + j) % w) for i, j in product((-1, 0, 1), repeat=2)]
        if r == 0 or c == 0:  # on an axis, where every image has more power, only the axis compares
            around = [(r, (c + j) % w) if r == 0 else ((r + j) % h, c) for j in (-2, -1, 1, 2)]
        near = [power[at] for at in around if at not in marks]
        found.append((float(power[r, c]), float(np.median(near))))
    return found


def _upper(power: Float64[np.ndarray, "h w"]) -> float:
    h, w = power.shape
    radius = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.fftfreq(w))
    return float(power[radius >= 0.25].sum())


def _ratio(a: float, b: float) -> float:
    return a / max(b, 1e-9)
