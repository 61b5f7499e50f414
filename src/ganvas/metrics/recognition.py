"""What a classifier sees in the images: the intended classes, all classes, all modes, and how sure it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64, Integer

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics.classes import Classes
from ganvas.metrics.neighbours import BLOCK, nearest
from ganvas.metrics.registry import ByClass, Fakes, Metric, MetricInputs, Values, register_metric
from ganvas.stats.intervals import Estimate, beta_cdf, binomial_interval, t_interval


def inception_score(probabilities: Float[np.ndarray, "n k"]) -> float:
    """exp(mean over images of KL(p(y|x) || p(y))), between 1 and k (Salimans et al. 2016, arXiv 1606.03498, section 4).

    p(y) is the mean of the given rows. The score grows with n, so give every set the same; splits are the caller's.
    Under Inception's classes it is `inception_score`, under those of our classifiers `is_classifier`: the two do not
    compare. It never looks at real images: one clear image per class, repeated, scores k.

    Raises UsageError where there are no images, GanvasError where rows are no probabilities.
    """
    p = _checked(probabilities)
    divergence = _entropy(p.mean(axis=0, keepdims=True)) - _entropy(p)
    return math.exp(float(divergence.mean()))


def gan_test(probabilities: Float[np.ndarray, "n k"], intended: Integer[np.ndarray, "_"]) -> Estimate:
    """GAN-test accuracy: the share of fakes that a classifier of real images gives the class that was asked for.

    Shmelkov, Schmid and Alahari (2018, arXiv 1807.09499). To be read beside the classifier's accuracy on
    real test images, its ceiling. The interval is Clopper and Pearson's, exact for fakes drawn independently: it stays
    honest at 0 and 1, and where the labels are fixed in equal numbers it errs on the wide side. Accuracy says nothing
    of diversity: one good image per class scores 1.

    Raises UsageError for other than one class 0 to k - 1 for each image, GanvasError where rows are no probabilities.
    """
    p = _checked(probabilities)
    if len(intended) != len(p):
        raise UsageError(f"GAN-test: {len(p)} images, but {len(intended)} intended classes")
    _expect_ids("intended classes", intended, p.shape[1])
    return binomial_interval(int((p.argmax(axis=1) == intended).sum()), len(p))


def confidence(probabilities: Float[np.ndarray, "n k"]) -> Estimate:
    """The mean over images of the highest probability, between 1/k and 1; n >= 5."""
    return t_interval(_checked(probabilities).max(axis=1))


def entropy(probabilities: Float[np.ndarray, "n k"]) -> Estimate:
    """The mean over images of -sum p log p, in nats: 0 where the classifier is sure, log k where it is lost; n >= 5."""
    return t_interval(_entropy(_checked(probabilities)))


def class_histogram(probabilities: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "k"]:
    """The share of images that the classifier takes for each class."""
    p = _checked(probabilities)
    return np.asarray(np.bincount(p.argmax(axis=1), minlength=p.shape[1]) / len(p))


def total_variation(shares: Float[np.ndarray, "k"], reference: Float[np.ndarray, "_"] | None = None) -> float:
    """Half the sum of |shares - reference|: the share of images to move for equal histograms; reference None = uniform.

    Never 0 in a sample, even a perfect one: `total_variation_floor` says how much to expect.
    """
    p, q = _histograms(shares, reference)
    return float(abs(p - q).sum()) / 2


def total_variation_floor(reference: Float[np.ndarray, "k"], n: int) -> float:
    """The expected total variation distance between the reference and n draws from that very reference.

    De Moivre's mean absolute deviation of a binomial, E|X - nq| = 2 v C(n, v) q^v (1 - q)^(n - v + 1) with
    v = floor(nq) + 1, summed over classes (Diaconis and Zabell 1991, Statistical Science 6:284).
    """
    if n < 1:
        raise UsageError(f"a histogram needs at least one image, found n = {n}")
    total = 0.0
    for q in _histograms(reference, None)[0].tolist():
        v = math.floor(n * q) + 1
        if 0 < q < 1 and v <= n:
            choose = math.lgamma(n + 1) - math.lgamma(v + 1) - math.lgamma(n - v + 1)
            total += 2 * v * math.exp(choose + v * math.log(q) + (n - v + 1) * math.log1p(-q))
    return total / n / 2


def kl(shares: Float[np.ndarray, "k"], reference: Float[np.ndarray, "_"] | None = None) -> float:
    """KL(shares || reference) in nats, 0 to infinity (a class that the reference lacks); reference None = uniform."""
    p, q = _histograms(shares, reference)
    seen = p > 0
    if not q[seen].all():
        return math.inf
    return max(0.0, float((p[seen] * np.log(p[seen] / q[seen])).sum()))


@dataclass(frozen=True)
class Modes:
    """How many of the known modes the images hit."""

    hit: int
    known: int
    n: int
    expected: float
    """Hits of n perfect draws: what `hit` is to be held against."""
    missing: tuple[int, ...]


def modes_covered(
    modes: Integer[np.ndarray, "n"], known: int, shares: Float[np.ndarray, "_"] | None = None, least: int = 1
) -> Modes:
    """Count the modes 0 to known - 1 that at least `least` of n images show; None in `shares` = equally frequent modes.

    Perfect sampling hits sum P(Binomial(n, share) >= least) of them on average; with one image enough and equal modes,
    known (1 - (1 - 1/known)^n). With least = 1 the counting is that of Metz et al. (2017, arXiv 1611.02163): one
    misread image hides a lost mode, so ask for more where images are many and modes are read off with errors.

    Raises UsageError for a mode outside 0 to known - 1, no images, or shares of another length.
    """
    if min(known, least) < 1:
        raise UsageError(f"modes: at least one known mode and one image for a hit, found {known} and {least}")
    if not len(modes):
        raise UsageError("modes: there are no images to count")
    _expect_ids("modes", modes, known)
    uniform = np.full(known, 1 / known)
    frequency, _ = _histograms(uniform if shares is None else shares, uniform)
    counts = np.bincount(modes, minlength=known)
    others = len(modes) - least
    expected = sum(beta_cdf(share, least, others + 1) for share in frequency.tolist()) if others >= 0 else 0.0
    missing = np.flatnonzero(counts < least).tolist()
    return Modes(known - len(missing), known, len(modes), expected, tuple(missing))


def modes_of(
    features: Float[np.ndarray, "n d"],
    real: Float[np.ndarray, "m _"],
    real_modes: Integer[np.ndarray, "_"],
    block: int = BLOCK,
) -> Integer[np.ndarray, "n"]:
    """The mode of each image: that of its nearest real image.

    Its accuracy is that of the features: measure it on held-out real images first. Raises as `nearest` does, and
    UsageError for other than one mode for each real image.
    """
    if len(real_modes) != len(real):
        raise UsageError(f"modes: {len(real)} real images, but {len(real_modes)} modes")
    return np.asarray(real_modes[nearest(features, real, block)[0]])


def _entropy(p: Float64[np.ndarray, "n k"]) -> Float64[np.ndarray, "n"]:
    """In nats, with 0 log 0 = 0."""
    return np.asarray(-(p * np.log(p, where=p > 0, out=np.zeros_like(p))).sum(axis=1))


def _checked(probabilities: Float[np.ndarray, "n k"]) -> Float64[np.ndarray, "n k"]:
    if probabilities.ndim != 2 or not probabilities.size:
        raise UsageError(f"class probabilities: found {[*probabilities.shape]}; at least one image [n, k] is needed")
    p = probabilities.astype(np.float64)
    bad = ~((p >= 0).all(axis=1) & (abs(p.sum(axis=1) - 1) < 1e-3))  # NaN fails both
    if bad.any():
        raise GanvasError(f"class probabilities: {int(bad.sum())} of {len(p)} rows are not >= 0 with sum 1")
    return p


def _histograms(
    shares: Float[np.ndarray, "k"], reference: Float[np.ndarray, "_"] | None
) -> tuple[Float64[np.ndarray, "k"], Float64[np.ndarray, "_"]]:
    p = shares.astype(np.float64)
    q = np.full(len(p), 1 / max(1, len(p))) if reference is None else reference.astype(np.float64)
    if len(p) != len(q):
        raise UsageError(f"histograms: {len(p)} classes against {len(q)}")
    if not all(len(h) and (h >= 0).all() and abs(h.sum() - 1) < 1e-3 for h in (p, q)):
        raise GanvasError("histograms: shares have to be >= 0 with sum 1")
    return p, q


def _expect_ids(what: str, ids: Integer[np.ndarray, "n"], count: int) -> None:
    if ids.min() < 0 or ids.max() >= count:
        raise UsageError(f"{what}: 0 to {count - 1} are known, found {ids.min()} to {ids.max()}")


# -- the metric ------------------------------------------------------------------------------------------------------


LEAST_SHARE = 0.2
"""Share of its fair share of the images below which a mode counts as lost."""


def _score(fakes: Fakes, inputs: MetricInputs) -> Values:
    assert fakes.features.probabilities is not None
    return {"is": inception_score(fakes.features.probabilities)}


def _recognition(fakes: Fakes, inputs: MetricInputs) -> Values:
    seen, real = fakes.features.probabilities, inputs.reference.probabilities
    assert seen is not None and real is not None
    histogram = class_histogram(seen)
    names = inputs.extractor.class_names or tuple(map(str, range(len(histogram))))
    distance = total_variation(histogram, class_histogram(real))
    values: Values = {
        "confidence": confidence(seen),
        "entropy": entropy(seen),
        "class_distance": ByClass(distance, dict(zip(names, histogram.tolist(), strict=True))),
        "classes": float((histogram > 0).sum()),
    }
    if fakes.intended is not None and (asked := fakes.intended.among(inputs.extractor.class_names)) is not None:
        each = {names[k]: gan_test(seen[asked == k], asked[asked == k]).value for k in np.unique(asked)}
        values["gan_test_accuracy"] = ByClass(gan_test(seen, asked), each)
    return values


def _modes(fakes: Fakes, inputs: MetricInputs) -> Values:
    assert inputs.modes is not None
    known, vectors = int(inputs.modes.max()) + 1, fakes.features.vectors
    found = modes_of(vectors, inputs.reference.vectors, inputs.modes)
    least = max(1, round(len(vectors) * LEAST_SHARE / known))
    return {"modes": float(modes_covered(found, known, least=least).hit)}


def _probabilities(inputs: MetricInputs, n: int, intended: Classes | None) -> str | None:
    return None if inputs.reference.probabilities is not None else f"{inputs.extractor.name} does not classify"


def _own_classes(inputs: MetricInputs, n: int, intended: Classes | None) -> str | None:
    if inputs.extractor.name != "classifier":
        return f"the classes of {inputs.extractor.name} are not those of the data"
    return None


def _known_modes(inputs: MetricInputs, n: int, intended: Classes | None) -> str | None:
    return None if inputs.modes is not None else f"the reference of {len(inputs.reference):,} images has no classes"


register_metric(
    Metric(
        name="is",
        measure=_score,
        better={"is": "higher"},
        order=60,
        missing=_probabilities,
        compares=False,
        sentences={
            "en": {
                "is": (
                    "Inception Score: high where the classifier is sure of each image and sees many classes. "
                    "It never looks at real images."
                ),
            },
            "ko": {
                "is": "Inception Score: 분류기가 이미지마다 확신하고 여러 클래스를 볼수록 높습니다. 진짜 이미지와는 비교하지 않습니다.",
            },
        },
    )
)

register_metric(
    Metric(
        name="recognition",
        measure=_recognition,
        better={
            "confidence": "real",
            "entropy": "real",
            "class_distance": "lower",
            "classes": "higher",
            "gan_test_accuracy": "higher",
        },
        order=70,
        missing=_own_classes,
        compares=False,
        shares=(
            "confidence",
            "class_distance",
            "gan_test_accuracy",
        ),
        sentences={
            "en": {
                "confidence": (
                    "How sure the classifier is of its best guess, on average. More than it is of real "
                    "images is no merit."
                ),
                "entropy": "How much the classifier doubts, on average, in nats: 0 where it is certain.",
                "class_distance": (
                    "How far the mix of classes is from that of real images: the share of images that would "
                    "have to change class."
                ),
                "classes": "How many classes the classifier sees at least once.",
                "gan_test_accuracy": (
                    "The share of fakes in which a classifier trained on real images sees the intended "
                    "class. One good image per class would do: it says nothing of variety."
                ),
            },
            "ko": {
                "confidence": "분류기가 가장 그럴듯한 클래스에 주는 확률의 평균입니다. 진짜 이미지보다 높다고 더 좋은 것은 아닙니다.",
                "entropy": "분류기가 망설이는 정도의 평균(nat)이며, 완전히 확신하면 0입니다.",
                "class_distance": "클래스 구성이 진짜 이미지와 얼마나 다른지, 즉 구성이 같아지려면 클래스를 바꾸어야 하는 이미지의 비율입니다.",
                "classes": "분류기가 한 번이라도 본 클래스의 수입니다.",
                "gan_test_accuracy": "진짜 이미지로 학습한 분류기가 의도한 클래스로 알아보는 가짜의 비율입니다. 클래스마다 좋은 그림 한 장이면 충분하므로 다양성은 말해 주지 않습니다.",
            },
        },
    )
)

register_metric(
    Metric(
        name="modes",
        measure=_modes,
        better={"modes": "higher"},
        order=90,
        missing=_known_modes,
        sentences={
            "en": {
                "modes": (
                    "How many of the known modes (shape and colour of `shapes`, else the classes) are there: "
                    "each at least a fifth as often as it should be, read off the nearest real image."
                ),
            },
            "ko": {
                "modes": (
                    "알려진 모드(`shapes`는 모양과 색, 그 밖에는 클래스) 가운데 몇 개가 나타나는지 셉니다. 가장 가까운 진짜 이미지로 판정하며, 기대 빈도의 5분의 "
                    "1 이상 나온 모드만 셉니다."
                ),
            },
        },
    )
)
