"""Classes with very few images, and classes of very different sizes, if the recipe uses the labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import DataSet

MIN_IMAGES, MIN_SHARE = 50, 0.1
"""Images of a class, and share of an equal class, below which it is too small; in the built-in sets all are equal."""
UNEVEN = 5.0
"""The largest class relative to the smallest that is not too small; 1 in the built-in sets."""
NAMED = 5
"""Classes that a sentence names."""


def examine(dataset: DataSet) -> Iterator[Result]:
    """Count the images of each class."""
    if not dataset.conditional:
        return
    names = dataset.loaded.class_names
    counts = np.bincount(np.asarray(dataset.loaded.labels), minlength=len(names))
    small = counts < np.maximum(MIN_IMAGES, MIN_SHARE * counts.mean())
    if small.any():
        listed = ", ".join(f"{names[k]} ({counts[k]})" for k in np.flatnonzero(small)[:NAMED])
        more = ", ..." if small.sum() > NAMED else ""
        yield Result("thin", "advice", {"n": int(small.sum()), "names": listed + more})
    most, least = int(counts.argmax()), int(np.where(small, counts.max(), counts).argmin())
    n_most, n_least = f"{counts[most]:,}", f"{counts[least]:,}"
    if counts[most] > UNEVEN * counts[least]:
        blanks = {"most": names[most], "n_most": n_most, "least": names[least], "n_least": n_least}
        yield Result("uneven", "advice", blanks)
    elif not small.any():
        yield Result("classes", "good", {"n_most": n_most, "n_least": n_least})


SENTENCES = {
    "en": {
        "classes.good": "The classes have {n_least} to {n_most} images each.",
        "thin.advice": "Classes with very few images: {n}, such as {names}. G cannot learn them: add images, choose "
        "other classes with `--classes`, or train without classes (`--data.labels ignore`).",
        "uneven.advice": "The classes are uneven: {most} has {n_most} images, {least} has {n_least}. G sees the rare "
        "ones less often and learns them worse; choose classes with `--classes`, or balance them.",
    },
    "ko": {
        "classes.good": "클래스마다 이미지가 {n_least} ~ {n_most}장 있습니다.",
        "thin.advice": "이미지가 너무 적은 클래스가 {n}개 있습니다: {names}. 생성자가 이런 클래스는 배우기 "
        "어렵습니다. 이미지를 더하거나, `--classes`로 다른 클래스를 고르거나, `--data.labels ignore`로 클래스 없이 "
        "학습해 주세요.",
        "uneven.advice": "클래스 크기가 고르지 않습니다: {most} {n_most}장, {least} {n_least}장. 드문 클래스는 덜 "
        "학습되어 결과도 나빠집니다. `--classes`로 클래스를 고르거나 이미지 수를 비슷하게 맞춰 주세요.",
    },
}

register_check(Check("classes", "data", 40, examine, SENTENCES))
