"""What cropping to a square and resizing does to the user's own pictures."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64

from ganvas.datasets.reader import OWN_SIZES
from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import DataSet

LONG = 4 / 3
"""Ratio of the sides above which much is cut off: of a 4:3 photograph a quarter."""
SMALL = 0.75
"""Side relative to that of training, below which an image is blurred by enlarging; 28 pixels shown at 32 are not."""
MIN_SHARE = 0.1
"""Share of the sizes from which on a sentence is printed; by sizes, not images, because only sizes are recorded."""


def examine(dataset: DataSet) -> Iterator[Result]:
    """Long pictures lose their ends, small ones are enlarged."""
    own, side = np.array(dataset.loaded.own_sizes), dataset.images.shape[2]
    if (own == side).all():
        return
    long = own.max(axis=1) > LONG * own.min(axis=1) + 0.5  # rounded sides of 4:3, such as 100x75
    small = own.min(axis=1) < SMALL * side
    if long.mean() >= MIN_SHARE:
        yield Result("long", "advice", {"n": int(long.sum()), "kinds": len(own), "example": _text(own[long][0])})
    if small.mean() >= MIN_SHARE:
        n, example, least = int(small.sum()), _text(own[small][0]), OWN_SIZES[0]
        blanks = {"n": n, "kinds": len(own), "example": example, "side": side, "size": least}
        yield Result("enlarged", "advice", blanks)
    if max(long.mean(), small.mean()) < MIN_SHARE:
        yield Result("sizes", "good", {"kinds": len(own), "side": side})


def _text(size: Int64[np.ndarray, "2"]) -> str:
    return f"{size[0]}x{size[1]}"


SENTENCES = {
    "en": {
        "sizes.good": "Sizes of the pictures: {kinds}. The middle square of each is resized to {side} × {side}.",
        "long.advice": "Of {kinds} picture sizes, {n} are longer than 4:3, such as {example}. Only the middle square "
        "is kept: if the subject is elsewhere, crop the pictures yourself first.",
        "enlarged.advice": "Of {kinds} picture sizes, {n} are smaller than the {side} pixels used for training, such "
        "as {example}, and become blurred. Train at `--size {size}`, or use larger originals.",
    },
    "ko": {
        "sizes.good": "원본 이미지의 크기는 {kinds}가지이며, 각각 가운데 정사각형을 {side} × {side}로 맞춥니다.",
        "long.advice": "이미지 크기 {kinds}가지 가운데 {n}가지가 4:3보다 깁니다(예: {example}). 가운데 정사각형만 "
        "남기고 잘라 내므로, 중요한 부분이 가운데에 없다면 먼저 직접 잘라 주세요.",
        "enlarged.advice": "이미지 크기 {kinds}가지 가운데 {n}가지가 학습 크기 {side}픽셀보다 작아(예: {example}) "
        "확대되면서 흐려집니다. `--size {size}`로 학습하거나 더 큰 원본을 사용해 주세요.",
    },
}

register_check(Check("sizes", "data", 80, examine, SENTENCES))
