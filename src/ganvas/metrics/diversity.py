"""How different the images are from each other, overall and within a class, next to real ones."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Integer

from ganvas.errors import UsageError
from ganvas.metrics.neighbours import expect_vectors
from ganvas.metrics.registry import Fakes, Metric, MetricInputs, Values, register_metric
from ganvas.stats.intervals import LEVEL, MINIMUM, Estimate, t_critical, t_interval

BLOCK = 4096
UNKNOWN = Estimate(math.nan, math.nan, math.nan)


@dataclass(frozen=True)
class Diversity:
    """Mean squared pairwise distances of fakes as a share of the reference set's: 1 as diverse, 0 all alike."""

    overall: Estimate
    within: Estimate
    """The mean of `classes` over those that could be measured; NaN without labels."""
    classes: tuple[Estimate, ...]
    """By class; NaN where either set has fewer than five images of it. Empty without labels."""


def pairwise(features: Float[np.ndarray, "n d"]) -> Estimate:
    """The mean of |x - y|^2 over all pairs of different images, with its interval; n >= 5.

    Squared, because that makes it exact, unbiased and linear in n: the mean over pairs is twice the trace of the
    covariance (divisor n - 1). Distances themselves would need all n^2 of them, or sampled pairs and their noise. It is
    a U-statistic (Hoeffding 1948) and at once the mean over images of 2 n / (n - 1) |x - mean|^2, whose
    scatter gives the interval.

    Raises UsageError for fewer than five vectors, GanvasError for NaN.
    """
    expect_vectors("diversity", features, MINIMUM)
    return t_interval(_shares(features))


def diversity(
    features: Float[np.ndarray, "n d"],
    reference: Float[np.ndarray, "m _"],
    labels: Integer[np.ndarray, "_"] | None = None,
    reference_labels: Integer[np.ndarray, "_"] | None = None,
) -> Diversity:
    """How much of the reference's pairwise distance the fakes keep, overall and, with labels, within each class.

    The ratio is one of squares: half the spread reads 0.25. A collapse to one image reads near 0 overall; a collapse to
    one image per class keeps most of `overall` and shows only in `classes`. Fakes that cover the classes but also
    hold rubbish can exceed 1: read it beside precision. Labels are intended or predicted classes, 0 to k - 1.
    Intervals are 95 %, first order (delta method), both sets taken as samples.

    Raises UsageError for sizes that do not go together, fewer than five images, or a reference without any diversity,
    GanvasError for NaN.
    """
    expect_vectors("fakes", features, MINIMUM)
    expect_vectors("reference", reference, MINIMUM)
    if features.shape[1] != reference.shape[1]:
        raise UsageError(
            f"diversity: {features.shape[1]} features against {reference.shape[1]}; use one extractor for both"
        )
    overall = _ratio(_shares(features), _shares(reference))
    if math.isnan(overall.value):
        raise UsageError(
            "diversity: all images of the reference have the same features; use a reference of real images"
        )
    if labels is None and reference_labels is None:
        return Diversity(overall, UNKNOWN, ())
    if labels is None or reference_labels is None:
        raise UsageError("diversity: labels are needed for both the fakes and the reference, or for neither")
    for name, given, n in (("fakes", labels, len(features)), ("reference images", reference_labels, len(reference))):
        if len(given) != n:
            raise UsageError(f"diversity: {n} {name}, but {len(given)} labels")
    classes = []
    for label in range(1 + int(max(labels.max(), reference_labels.max()))):
        fakes, reals = features[labels == label], reference[reference_labels == label]
        enough = min(len(fakes), len(reals)) >= MINIMUM
        classes.append(_ratio(_shares(fakes), _shares(reals)) if enough else UNKNOWN)
    return Diversity(overall, _mean([found for found in classes if not math.isnan(found.value)]), tuple(classes))


def _shares(features: Float[np.ndarray, "n d"]) -> Float64[np.ndarray, "n"]:
    """What each image adds: 2 n / (n - 1) |x - mean|^2; their mean is the mean of |x - y|^2 over pairs."""
    n = len(features)
    centre = features.mean(axis=0, dtype=np.float64)
    squared = np.empty(n)
    for start in range(0, n, BLOCK):
        here = slice(start, start + BLOCK)
        squared[here] = ((features[here] - centre) ** 2).sum(axis=1)
    return squared * (2 * n / (n - 1))


def _ratio(fakes: Float64[np.ndarray, "n"], reals: Float64[np.ndarray, "m"]) -> Estimate:
    if not reals.any():
        return UNKNOWN
    ratio = float(fakes.mean() / reals.mean())
    of_fakes, of_reals = (values.var(ddof=1) / len(values) / reals.mean() ** 2 for values in (fakes, reals))
    half = t_critical(LEVEL, min(len(fakes), len(reals)) - 1) * math.sqrt(of_fakes + ratio**2 * of_reals)
    return Estimate(ratio, max(0.0, ratio - half), ratio + half)


def _mean(found: list[Estimate]) -> Estimate:
    """Of independent estimates: half-widths add up in squares."""
    if not found:
        return UNKNOWN
    mean = sum(estimate.value for estimate in found) / len(found)
    half = math.sqrt(sum((estimate.high - estimate.value) ** 2 for estimate in found)) / len(found)
    return Estimate(mean, max(0.0, mean - half), mean + half)


# -- the metric ------------------------------------------------------------------------------------------------------


def _diversity(fakes: Fakes, inputs: MetricInputs) -> Values:
    return {"diversity": diversity(fakes.features.vectors, inputs.reference.vectors).overall}


register_metric(
    Metric(
        name="diversity",
        measure=_diversity,
        better={"diversity": "real"},
        order=80,
        sentences={
            "en": {
                "diversity": (
                    "How much pairs of fakes differ, beside pairs of real images: near 0 where all look "
                    "alike, 1 as varied."
                ),
            },
            "ko": {
                "diversity": "진짜 이미지 쌍에 비해 가짜 쌍이 얼마나 서로 다른지 잽니다. 모두 비슷하면 0에 가깝고, 진짜만큼 다양하면 1입니다.",
            },
        },
    )
)
