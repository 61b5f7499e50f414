"""How much of 0 to 255 the images use: wrong scaling, blank images, only black and white."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import FLAT, DataSet, deviations, in_parts, percent

RANGE_BAD, RANGE_ADVICE = 32, 128
"""Levels between the lowest and highest thousandth of all values; 255 in the built-in sets."""
BLANK_ADVICE, BLANK_BAD = 0.01, 0.5
"""Shares of images of nearly one colour; none in the built-in sets."""
ENDS, BINARY = 8, 0.98
"""Share of values within this many levels of black or white: CIFAR-10 5 %, Fashion-MNIST 55 %, shapes 82 %."""


def examine(dataset: DataSet) -> Iterator[Result]:
    """The histogram of all values, and the contrast of each image."""
    counts = sum(np.bincount(part.reshape(-1), minlength=256) for part in in_parts(dataset.images))
    cumulative = np.cumsum(counts / dataset.images.size)
    low, high = (int(np.searchsorted(cumulative, share)) for share in (0.001, 0.999))
    blank = float((deviations(dataset.images) < FLAT).mean())
    ends = float(cumulative[ENDS] + 1 - cumulative[255 - ENDS - 1])
    if high - low < RANGE_ADVICE:
        yield Result("values", "bad" if high - low < RANGE_BAD else "advice", {"low": low, "high": high})
    elif blank >= BLANK_ADVICE:
        yield Result("blank", "bad" if blank >= BLANK_BAD else "advice", {"percent": percent(blank)})
    elif ends >= BINARY:
        yield Result("binary", "advice", {"percent": percent(ends)})
    else:
        yield Result("values", "good", {"low": low, "high": high})


SENTENCES = {
    "en": {
        "values.good": "Values run from {low} to {high} of 255.",
        "values.advice": "Nearly all values lie between {low} and {high}, a part of 0 to 255. Look at the images "
        "(`ganvas data show`): if they look flat or dim, they were scaled wrongly when they were saved.",
        "values.bad": "Nearly all values lie between {low} and {high} of 255: these images show almost nothing. They "
        "were probably scaled wrongly, such as to 0 to 1 before saving. Save them again with values from 0 to 255.",
        "blank.advice": "{percent} % of the images are of nearly one colour. Remove them, or G will learn to produce "
        "them too.",
        "blank.bad": "{percent} % of the images are of nearly one colour, so there is little to learn. Look at them "
        "(`ganvas data show`), and check how they were saved.",
        "binary.advice": "{percent} % of all values are black or white, with almost nothing between. D can recognise "
        "fakes by their grey values alone. Downscale the images from larger originals, so that their edges are smooth.",
    },
    "ko": {
        "values.good": "값의 범위: {low} ~ {high} (255까지 가능).",
        "values.advice": "거의 모든 값이 0 ~ 255 가운데 {low} ~ {high}에 몰려 있습니다. `ganvas data show`로 이미지를 "
        "확인해 보세요. 흐리거나 어두워 보인다면 저장할 때 값의 범위를 잘못 바꾼 것입니다.",
        "values.bad": "거의 모든 값이 0 ~ 255 가운데 {low} ~ {high}에 있어 이미지에 내용이 거의 없습니다. 저장하기 "
        "전에 값을 0 ~ 1로 바꾸는 등 범위를 잘못 다룬 것으로 보입니다. 0 ~ 255의 값으로 다시 저장해 주세요.",
        "blank.advice": "이미지의 {percent}%가 거의 한 가지 색으로만 되어 있습니다. 지우지 않으면 생성자가 이런 "
        "이미지도 배워서 만듭니다.",
        "blank.bad": "이미지의 {percent}%가 거의 한 가지 색으로만 되어 있어 배울 것이 별로 없습니다. `ganvas data "
        "show`로 이미지를 보고 어떻게 저장했는지 확인해 주세요.",
        "binary.advice": "전체 값의 {percent}%가 검정이나 흰색이고 중간값이 거의 없습니다. 판별자가 회색만 보고도 "
        "가짜를 알아낼 수 있습니다. 더 큰 원본을 줄여서 가장자리가 부드러운 이미지를 만들어 주세요.",
    },
}

register_check(Check("values", "data", 50, examine, SENTENCES))
