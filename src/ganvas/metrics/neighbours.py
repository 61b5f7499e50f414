"""Does it copy? The nearest real images of each fake, a test against held-out real images, and a picture to look at."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64, Integer, UInt8
from PIL import Image

from ganvas import media
from ganvas.errors import GanvasError, UsageError, option
from ganvas.metrics.classes import Classes
from ganvas.metrics.registry import Fakes, Metric, MetricInputs, Pooled, Values, register_metric

BLOCK = 2048
PAIR_FLOATS = 2**22  # exact distances are taken over at most this many float64 at a time
QUANTILE = 0.01
LEAST = 10  # distances on either side below which the normal approximation is not trusted
GAP = 4  # white pixels between a fake and its neighbours


@dataclass(frozen=True)
class CopyingTest:
    """Fakes' distances to the training set beside those of held-out real images."""

    n: int
    """Fakes compared: those whose cell has held-out images."""
    n_heldout: int
    nearer: float
    """P(a fake is nearer to the training set than a held-out image of its cell), ties as half: 0.5 without copying,
    1 where every fake is nearer, 0 where every fake is farther."""
    z: float
    """Standard normal without copying; far below 0 where fakes are systematically nearer."""
    p_value: float
    """One-sided: a z this low by chance."""
    near_copies: int
    """Fakes strictly nearer than the nearest `quantile` of held-out images (of their cell)."""
    near_copies_expected: float
    """The same count for a generator whose distances are spread like the held-out images'."""
    near_copies_p_value: float
    """One-sided and exact: this many near copies or more by chance."""


def copying_test(
    fake_distances: Float[np.ndarray, "n"],
    heldout_distances: Float[np.ndarray, "m"],
    fake_cells: Integer[np.ndarray, "_"] | None = None,
    heldout_cells: Integer[np.ndarray, "_"] | None = None,
    quantile: float = QUANTILE,
) -> CopyingTest:
    """Are fakes nearer to their nearest training image than held-out real images are to theirs?

    The three-sample test of Meehan, Chaudhuri and Dasgupta (2020, arXiv 2004.05675): Mann and Whitney's U
    between the two sets of distances, tie-corrected, in units of its standard deviation. Fakes far from the data give
    a z far above 0 and a p-value near 1: bad, but no copies. Cells [n], [m] (say, the class of the nearest training
    image) compare like with like, as their C_T does: without them, a generator that draws nothing but plain images,
    which have near neighbours, looks like a copier. Cells are pooled with van Elteren's weights (1960).

    U needs a systematic shift; a few copies among many originals show in `near_copies`. Its p-value is exact: given
    exchangeable distances, the fakes before the k-th held-out one are negative hypergeometric.

    Two conditions. The extractor has not been trained on these training images: it would put them where its confident
    answers lie, fakes too, and held-out images elsewhere. And the distance is no raw pixels where fakes are
    blurred, since blur alone brings an image nearer to everything.

    Raises UsageError for fewer than 10 comparable distances on either side or cells of another length, GanvasError
    for NaN or infinity.
    """
    if (fake_cells is None) != (heldout_cells is None):
        raise UsageError("copying test: cells are needed for both the fakes and the held-out images, or for neither")
    if not 0 < quantile < 1:
        raise UsageError(f"copying test: the quantile lies between 0 and 1, such as {QUANTILE}; found {quantile}")
    fake_cells = _cells("fakes", fake_distances, fake_cells)
    heldout_cells = _cells("held-out images", heldout_distances, heldout_cells)

    n = n_heldout = near = 0
    shift = variance = nearer = expected = 0.0
    by_chance = np.ones(1)
    for cell in np.intersect1d(fake_cells, heldout_cells):
        fake, heldout = fake_distances[fake_cells == cell], heldout_distances[heldout_cells == cell]
        size, size_heldout = len(fake), len(heldout)
        u, u_variance = _mann_whitney(fake, heldout)
        weight = 1 / (size + size_heldout + 1)
        shift += weight * (u - size * size_heldout / 2)
        variance += weight**2 * u_variance
        nearer += size - u / size_heldout
        k = math.ceil(quantile * size_heldout)
        near += int((fake < np.partition(heldout, k - 1)[k - 1]).sum())
        expected += size * k / (size_heldout + 1)
        by_chance = np.convolve(by_chance, _before(size, size_heldout, k))
        n, n_heldout = n + size, n_heldout + size_heldout
    if min(n, n_heldout) < LEAST:
        raise UsageError(
            f"copying test: {n} fakes and {n_heldout} held-out images in common cells; at least {LEAST} each"
        )
    z = shift / math.sqrt(variance) if variance else 0.0
    chance = min(1.0, float(by_chance[near:].sum()))
    return CopyingTest(n, n_heldout, nearer / n, z, math.erfc(-z / math.sqrt(2)) / 2, near, expected, chance)


def _cells(name: str, distances: np.ndarray, cells: np.ndarray | None) -> np.ndarray:
    if cells is not None and len(cells) != len(distances):
        raise UsageError(f"copying test: {len(distances)} distances of {name}, but {len(cells)} cells")
    finite = np.isfinite(distances)
    if not finite.all():
        bad = int((~finite).sum())
        raise GanvasError(f"copying test: {bad} of {len(distances)} distances of {name} are NaN or infinite")
    return np.zeros(len(distances), np.int64) if cells is None else cells


def _mann_whitney(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    """Pairs in which `first` is the larger, ties as half, and the variance of that under the null, given the ties."""
    n, m = len(first), len(second)
    _, place, counts = np.unique(np.concatenate([first, second]), return_inverse=True, return_counts=True)
    midranks = np.cumsum(counts) - (counts - 1) / 2
    u = float(midranks[place[:n]].sum()) - n * (n + 1) / 2
    t = counts.astype(np.float64)
    ties = float((t**3 - t).sum()) / ((n + m) * (n + m - 1))
    return u, max(0.0, n * m / 12 * (n + m + 1 - ties))


def _before(n: int, m: int, k: int) -> Float64[np.ndarray, "_"]:
    """P(exactly 0, 1, ..., n of n values precede the k-th smallest of m others), all exchangeable and distinct."""
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + m + 1)))])

    def log_choose(of: np.ndarray | int, out: np.ndarray | int) -> np.ndarray:
        return np.asarray(log_factorial[of] - log_factorial[out] - log_factorial[np.subtract(of, out)])

    count = np.arange(n + 1)
    chance = np.exp(log_choose(count + k - 1, count) + log_choose(n - count + m - k, n - count) - log_choose(n + m, n))
    return np.asarray(chance)


def nearest(
    queries: Float[np.ndarray, "n d"], among: Float[np.ndarray, "m _"], block: int = BLOCK
) -> tuple[Int64[np.ndarray, "n"], Float64[np.ndarray, "n"]]:
    """The row of `among` nearest to each query, and its Euclidean distance: `nearest_few` for one neighbour."""
    index, distance = nearest_few(queries, among, 1, block)
    return index[:, 0], distance[:, 0]


def nearest_few(
    queries: Float[np.ndarray, "n d"], among: Float[np.ndarray, "m _"], count: int, block: int = BLOCK
) -> tuple[Int64[np.ndarray, "n {count}"], Float64[np.ndarray, "n {count}"]]:
    """The `count` rows of `among` nearest to each query, nearest first, ties to the lower row, and their distances.

    Exact: a float32 product of matrices gives lower bounds of the distances, and whatever its rounding could hide is
    measured again in float64. Beside the input it needs a few arrays of block x block and block x d.

    Raises UsageError for fewer than `count` rows, or rows of another size than the queries', GanvasError for NaN.
    """
    expect_vectors("queries", queries)
    expect_vectors("rows to search", among, least=count)
    if queries.shape[1] != among.shape[1]:
        raise UsageError(
            f"neighbours: {queries.shape[1]} features against {among.shape[1]}; use one extractor for both"
        )
    origin = among.mean(axis=0, dtype=np.float64)
    scale = 2 * max(float(max(a.max(), -a.min())) for a in (queries, among)) or 1.0
    index = np.full((len(queries), count), len(among))
    squared = np.full((len(queries), count), np.inf)
    for start in range(0, len(queries), block):
        here = slice(start, start + block)
        centred = (queries[here] - origin) / scale
        for first in range(0, len(among), block):
            other = among[first : first + block]
            lower = _lower_bounds(centred, (other - origin) / scale)
            # What looks nearest, measured exactly, sets the bar that everything else has to come under.
            bar = squared[here, -1]
            if count == 1:
                bar = np.minimum(bar, exact_squares(queries[here], other, np.arange(len(bar)), lower.argmin(axis=1)))
            elif count <= len(other):
                seeds = np.argpartition(lower, count - 1, axis=1)[:, :count]
                rows = np.repeat(np.arange(len(bar)), count)
                bar = np.minimum(
                    bar, exact_squares(queries[here], other, rows, seeds.ravel()).reshape(-1, count).max(axis=1)
                )
            reach = np.nextafter((bar / scale**2).astype(np.float32), np.float32(np.inf))
            rows, columns = np.nonzero(lower <= reach[:, None])
            found = exact_squares(queries[here], other, rows, columns)
            index[here], squared[here] = _merge(index[here], squared[here], rows, columns + first, found)
    return index, np.sqrt(squared)


def _lower_bounds(q: Float64[np.ndarray, "n d"], a: Float64[np.ndarray, "m d"]) -> Float32[np.ndarray, "n m"]:
    """No more than |q - a|^2, in one product: |q|^2 + |a|^2 - 2 q.a less all that float32 can lose on it.

    A sum of d + 3 products is off by less than about (d + 3) 2^-24 times the sum of their sizes (Higham 2002,
    section 3.1), rounding the factors adds 2^-23; `margin` is twice that.
    """
    margin = (q.shape[1] + 16) * 2.0**-23
    q2, a2 = (q * q).sum(axis=1), (a * a).sum(axis=1)
    left = np.column_stack([q, np.sqrt(q2), (1 - margin) * q2, np.ones(len(q))])
    right = np.column_stack([-2 * a, -margin * np.sqrt(a2), np.ones(len(a)), (1 - margin) * a2])
    return np.asarray(left.astype(np.float32) @ right.astype(np.float32).T)


def exact_squares(
    queries: np.ndarray, among: np.ndarray, rows: np.ndarray, columns: np.ndarray
) -> Float64[np.ndarray, "_"]:
    """|queries[rows] - among[columns]|^2 in float64."""
    squared = np.empty(len(rows))
    step = max(1, PAIR_FLOATS // queries.shape[1])
    for start in range(0, len(rows), step):
        pairs = slice(start, start + step)
        difference = queries[rows[pairs]].astype(np.float64) - among[columns[pairs]]
        squared[pairs] = np.einsum("nd,nd->n", difference, difference)
    return squared


def _merge(
    index: np.ndarray, squared: np.ndarray, rows: np.ndarray, found_index: np.ndarray, found: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The best [n, count] of those kept so far [n, count] and those found for `rows`."""
    n, count = index.shape
    rows = np.concatenate([np.repeat(np.arange(n), count), rows])
    every_index, every = np.concatenate([index.ravel(), found_index]), np.concatenate([squared.ravel(), found])
    order = np.lexsort((every_index, every, rows))
    first = np.searchsorted(rows[order], np.arange(n))
    kept = order[first[:, None] + np.arange(count)]
    return every_index[kept], every[kept]


def picture(fakes: UInt8[np.ndarray, "m c h w"], neighbours: UInt8[np.ndarray, "m2 j c2 h2 w2"]) -> Image.Image:
    """One row for each fake: the fake, a white gap, its j nearest training images, nearest first.

    Raises UsageError where the neighbours are not j images of the fakes' shape for each fake.
    """
    m, *shape = fakes.shape
    j = neighbours.shape[1]
    if not m or not j or neighbours.shape != (m, j, *shape):
        raise UsageError(
            f"neighbours' picture: images {[*fakes.shape]} do not go with neighbours {[*neighbours.shape]}"
        )
    left, right = media.grid(fakes, 1), media.grid(neighbours.reshape(m * j, *shape), j)
    both = Image.new(left.mode, (left.width + GAP + right.width, left.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (left.width + GAP, 0))
    return both


def expect_vectors(what: str, vectors: np.ndarray, least: int = 1) -> None:
    """Raises UsageError unless there are at least `least` vectors [n, d >= 1], GanvasError for NaN or infinity."""
    if vectors.ndim != 2 or len(vectors) < max(1, least) or not vectors.shape[1]:
        raise UsageError(
            f"{what}: found features {[*vectors.shape]}; needed are vectors [n, d] with n >= {max(1, least)}"
        )
    finite = np.isfinite(vectors).all(axis=1)
    if not finite.all():
        raise GanvasError(f"{what}: {int((~finite).sum())} of {len(vectors)} vectors hold NaN or infinity")


# -- the metric ------------------------------------------------------------------------------------------------------


def _held_out_distances(inputs: MetricInputs) -> Float[np.ndarray, "m"]:
    training, held_out = inputs.training, inputs.held_out
    assert training is not None and held_out is not None
    return inputs.once("held-out distances", lambda: nearest(held_out.vectors, training.vectors)[1])


def _copying(fakes: Fakes, inputs: MetricInputs) -> Values:
    assert inputs.training is not None
    _, distances = nearest(fakes.features.vectors, inputs.training.vectors)
    held_out = _held_out_distances(inputs)
    found = copying_test(distances, held_out)
    return {
        "nearer_than_heldout": found.nearer,
        "copying_p": Pooled(distances, lambda every: copying_test(every, held_out).p_value),
        "near_copies": float(found.near_copies),
        "near_copies_p": Pooled(distances, lambda every: copying_test(every, held_out).near_copies_p_value),
    }


def _both_splits(inputs: MetricInputs, n: int, intended: Classes | None) -> str | None:
    if inputs.extractor.name == "classifier":
        return f"the classifier has seen the training images itself (use {option('--features efficientnet-lite0')})"
    if inputs.training is None or inputs.held_out is None:
        return "no real images are known that were held out from training"
    if (least := min(n, len(inputs.held_out))) < LEAST:
        return f"{least} images per set or held-out images, at least {LEAST} are needed ({option('--n')}, {option('--sets 1')})"
    return None


register_metric(
    Metric(
        name="copying",
        measure=_copying,
        better={"nearer_than_heldout": "real", "copying_p": "higher", "near_copies": "real", "near_copies_p": "higher"},
        order=100,
        missing=_both_splits,
        shares=(
            "nearer_than_heldout",
            "copying_p",
            "near_copies_p",
        ),
        p_values=("copying_p", "near_copies_p"),
        version=2,  # 1 averaged the p values of the sets
        sentences={
            "en": {
                "nearer_than_heldout": (
                    "How often a fake lies nearer to the training images than a held-out real image does: "
                    "0.5 without copying, more with it."
                ),
                "copying_p": (
                    "The chance of fakes this near to the training images if nothing was copied, by one test of all "
                    "sets together. Near 0 speaks for copying."
                ),
                "near_copies": (
                    "How many fakes of a set lie nearer to a training image than 99 % of the held-out real images do."
                ),
                "near_copies_p": "The chance of that many near copies in all sets together if nothing was copied.",
            },
            "ko": {
                "nearer_than_heldout": "학습에 쓰지 않은 진짜 이미지보다 가짜가 학습 이미지에 더 가까운 비율입니다. 베끼지 않았다면 0.5이고, 베꼈다면 더 큽니다.",
                "copying_p": (
                    "베끼지 않았는데도 가짜가 학습 이미지에 이만큼 가까울 확률로, 모든 세트를 한 번에 검정한 값입니다. 0에 가까우면 베꼈다는 뜻입니다."
                ),
                "near_copies": "한 세트에서, 학습에 쓰지 않은 진짜 이미지의 99%보다 학습 이미지에 더 가까운 가짜의 수입니다.",
                "near_copies_p": "베끼지 않았는데도 모든 세트를 합쳐 그만큼 가까운 가짜가 나올 확률입니다.",
            },
        },
    )
)
