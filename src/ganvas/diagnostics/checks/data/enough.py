"""Whether there are enough images for the recipe."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from ganvas.datasets import IN_MEMORY
from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import DataSet

SMALL_DATA = "small-data"
"""The recipe for few images."""
MIN_IMAGES = 500
"""Images from which `small-data` is meant to work, by its title."""
FEW_IMAGES = 5_000
"""A tenth of CIFAR-10, where Zhao et al. 2020 (arXiv 2006.10738) find plain GANs far worse than on all of it."""


def examine(dataset: DataSet) -> Iterator[Result]:
    """Too few for any recipe, or for this one."""
    n, recipe = len(dataset.images), dataset.config.recipe
    how = f"ganvas train {SMALL_DATA} --data {shlex.quote(dataset.name)}"
    if dataset.name == IN_MEMORY:
        how = f"ganvas.train({SMALL_DATA!r}, data=...)"
    if n < MIN_IMAGES:
        yield Result("few", "bad", {"n": n, "least": MIN_IMAGES})
    elif n < FEW_IMAGES and recipe != SMALL_DATA:
        yield Result("few", "advice", {"n": f"{n:,}", "recipe": recipe, "few": f"{FEW_IMAGES:,}", "how": how})


SENTENCES = {
    "en": {
        "few.advice": "{n} images are few for `{recipe}`, which needs {few} or more: D would soon memorise them. "
        "Train with `{how}`, which augments them.",
        "few.bad": "{n} images are too few for any recipe: even `small-data` needs {least} or more. Collect more, or "
        "expect copies of the training images.",
    },
    "ko": {
        "few.advice": "이미지 {n}장은 `{recipe}`에 부족합니다. {few}장 이상이 아니면 판별자가 이미지를 금방 외워 "
        "버립니다. 데이터를 증강하는 `{how}`로 학습해 보세요.",
        "few.bad": "이미지 {n}장은 어떤 레시피로도 부족합니다. `small-data`도 {least}장 이상이 필요합니다. 이미지를 "
        "더 모으지 않으면 학습 이미지를 베낀 결과만 나오기 쉽습니다.",
    },
}

register_check(Check("enough", "data", 20, examine, SENTENCES))
