"""Exact and near copies among the images."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int64

from ganvas.datasets import repeated
from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import FLAT, DataSet, Images, deviations, percent
from ganvas.metrics.image_statistics import distances, thumbnails

COPIES_ADVICE, COPIES_BAD = 0.01, 0.5
"""Shares of exact copies: CIFAR-10 and Fashion-MNIST contain none, shapes 0.4 %."""
MAX_COMPARED = 10_000
"""Images compared with each other at most: a second of one core."""
NEIGHBOURS = 500
"""Consecutive images that are compared with each other in a sample: frames of one film stand side by side."""
NEAR = 3.0
"""Levels between thumbnails, root mean square: half of CIFAR-10 is nearer to its own copies of JPEG quality 75."""
NEAR_ADVICE = 0.02
"""Share of near copies: shapes 0.9 %, Fashion-MNIST 0.02 %, CIFAR-10 (10,000 compared) none."""


def examine(dataset: DataSet) -> Iterator[Result]:
    """Exact copies among all images; near copies in a sample without exact copies and blank images."""
    copied = repeated(dataset.images)
    share, exact = float(copied.mean()), f"{copied.sum():,}"
    if share >= COPIES_BAD:
        yield Result("copies", "bad", {"copies": exact, "percent": percent(share)})
    elif share >= COPIES_ADVICE:
        yield Result("copies", "advice", {"copies": exact, "percent": percent(share)})
    compared = sample(len(dataset.images))
    compared = compared[~copied[compared]]
    compared = compared[deviations(dataset.images[compared]) >= FLAT]
    near = float(near_copies(dataset.images[compared]).mean()) if len(compared) else 0.0
    count = f"{len(compared):,}"
    if near >= NEAR_ADVICE:
        yield Result("near", "advice", {"percent": percent(near), "compared": count})
    elif share < COPIES_ADVICE:
        yield Result("copies", "good", {"copies": exact, "percent": percent(near), "compared": count})


def sample(n: int) -> Int64[np.ndarray, "_"]:
    """The indices of at most MAX_COMPARED images: groups of NEIGHBOURS, spread over all."""
    if n <= MAX_COMPARED:
        return np.arange(n)
    starts = np.linspace(0, n - NEIGHBOURS, MAX_COMPARED // NEIGHBOURS).astype(np.int64)
    return (starts[:, None] + np.arange(NEIGHBOURS)).reshape(-1)


def near_copies(images: Images, block: int = 1024) -> Bool[np.ndarray, "n"]:
    """Whether an image has another one within NEAR."""
    small = thumbnails(images).astype(np.float32)
    small -= small.mean(axis=0)  # smaller numbers, smaller rounding errors
    near = np.zeros(len(small), bool)
    for at in range(0, len(small), block):
        away = distances(small[at : at + block], small)
        away[np.arange(len(away)), at + np.arange(len(away))] = np.inf
        near[at : at + block] = away.min(axis=1) < NEAR
    return near


SENTENCES = {
    "en": {
        "copies.good": "Copies: {copies} images are equal to an earlier one; of {compared} compared, {percent} % are "
        "nearly equal to another.",
        "copies.advice": "{copies} images ({percent} %) are equal to an earlier one. They count more than the others, "
        "so G will produce them more often: keep one of each.",
        "copies.bad": "{copies} images ({percent} %) are equal to an earlier one: there are far fewer images than "
        "files. Keep one of each, then check again whether enough are left.",
        "near.advice": "{percent} % of {compared} compared images are nearly equal to another one: frames of one "
        "video, or one picture saved twice. Keep one of each; otherwise G will repeat them.",
    },
    "ko": {
        "copies.good": "중복: 앞의 이미지와 똑같은 것이 {copies}장이고, 비교한 {compared}장 가운데 {percent}%가 다른 "
        "이미지와 거의 같습니다.",
        "copies.advice": "이미지 {copies}장({percent}%)이 앞의 이미지와 똑같습니다. 중복된 이미지는 그만큼 비중이 "
        "커져 더 자주 생성되므로, 한 장씩만 남겨 주세요.",
        "copies.bad": "이미지 {copies}장({percent}%)이 앞의 이미지와 똑같습니다. 파일 수에 비해 실제 이미지는 훨씬 "
        "적습니다. 중복을 지운 뒤 이미지가 충분히 남는지 다시 확인해 주세요.",
        "near.advice": "비교한 이미지 {compared}장 가운데 {percent}%가 다른 이미지와 거의 같습니다. 같은 영상의 "
        "프레임이나 두 번 저장한 그림일 수 있습니다. 생성자가 그런 이미지만 되풀이하기 쉬우므로 하나씩만 남겨 주세요.",
    },
}

register_check(Check("copies", "data", 30, examine, SENTENCES))
