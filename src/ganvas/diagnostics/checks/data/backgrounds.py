"""Grey images of which some have a black background and others a white one, as after inverting a part of them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import UInt8

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import DataSet, Images, in_parts, percent
from ganvas.diagnostics.checks.data.values import ENDS

BORDER = 0.9
"""Share of an image's border in one colour that makes it a background."""
MIXED = 0.05
"""Share of images with the rarer of the two backgrounds: 0 in Fashion-MNIST, in which a third have a black one."""


def examine(dataset: DataSet) -> Iterator[Result]:
    """The border of each image: mostly black, mostly white, or neither."""
    images = dataset.images
    if images.shape[1] != 1:
        return
    borders = [_border(part) for part in in_parts(images)]
    black = float(np.concatenate([(b <= ENDS).mean(axis=1) >= BORDER for b in borders]).mean())
    white = float(np.concatenate([(b >= 255 - ENDS).mean(axis=1) >= BORDER for b in borders]).mean())
    if min(black, white) >= MIXED:
        yield Result("inverted", "advice", {"black": percent(black), "white": percent(white)})


def _border(images: Images) -> UInt8[np.ndarray, "n m"]:
    """The outermost pixels of grey images."""
    ends = images[:, 0, [0, -1]], images[:, 0, 1:-1][:, :, [0, -1]]
    return np.concatenate([part.reshape(len(images), -1) for part in ends], axis=1)


SENTENCES = {
    "en": {
        "inverted.advice": "{black} % of the images have a black background and {white} % a white one. If some were "
        "inverted by mistake, invert them back; otherwise G has to learn two kinds.",
    },
    "ko": {
        "inverted.advice": "이미지의 {black}%는 검은 바탕, {white}%는 흰 바탕입니다. 일부가 실수로 반전되었다면 "
        "되돌려 주세요. 그대로 두면 생성자는 두 종류를 따로 배워야 합니다.",
    },
}

register_check(Check("backgrounds", "data", 60, examine, SENTENCES))
