"""Grey images that are stored in colour: all of them, or many."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float64, UInt8

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import DataSet, Images, deviations, in_parts, percent

MAX_TINT, MAX_RELATIVE_TINT = 3.0, 0.1
"""Mean difference between channels, in levels and relative to the image's deviation, up to which an image is grey."""
ALL_GREY, SOME_GREY = 0.99, 0.25
"""Shares of grey images for one channel, and for a mixture: CIFAR-10 1.6 %, shapes 12.5 % (1 of 8 colours is white)."""


def examine(dataset: DataSet) -> Iterator[Result]:
    """The difference between the channels of each image."""
    if dataset.images.shape[1] != 3:
        return
    tint = np.concatenate([_tint(part) for part in in_parts(dataset.images)])
    share = float((tint <= np.minimum(MAX_TINT, MAX_RELATIVE_TINT * deviations(dataset.images))).mean())
    if share >= ALL_GREY:
        yield Result("grey", "advice", {"percent": percent(share)})
    elif share >= SOME_GREY:
        yield Result("mixed", "advice", {"percent": percent(share)})


def _tint(images: Images) -> Float64[np.ndarray, "n"]:
    """The mean difference between the highest and the lowest channel of each image, in levels."""
    apart: UInt8[np.ndarray, "n h w"] = images.max(axis=1) - images.min(axis=1)
    return apart.mean(axis=(1, 2), dtype=np.float64)  # type: ignore[no-any-return]


SENTENCES = {
    "en": {
        "grey.advice": "{percent} % of the images are grey though stored in colour. `--data.channels 1` makes every "
        "step cheaper and loses almost nothing.",
        "mixed.advice": "{percent} % of the images are grey, the others in colour, and G will produce such a mixture. "
        "Keep one kind, or convert all to grey with `--data.channels 1`.",
    },
    "ko": {
        "grey.advice": "이미지의 {percent}%가 컬러로 저장되어 있지만 실제로는 흑백입니다. `--data.channels 1`을 쓰면 "
        "거의 잃는 것 없이 학습이 가벼워집니다.",
        "mixed.advice": "이미지의 {percent}%는 흑백이고 나머지는 컬러여서 생성 결과도 섞입니다. 한 종류만 남기거나 "
        "`--data.channels 1`로 모두 흑백으로 바꿔 주세요.",
    },
}

register_check(Check("colour", "data", 70, examine, SENTENCES))
