"""What the data set holds, and which files were skipped."""

from __future__ import annotations

from collections.abc import Iterator

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.data.dataset import DataSet


def examine(dataset: DataSet) -> Iterator[Result]:
    """Number, shape and classes; skipped files."""
    n, *shape = dataset.images.shape
    images = dataset.loaded
    blanks = {"name": images.name, "n": f"{n:,}", "shape": " × ".join(map(str, shape))}
    if images.labels is None:
        yield Result("plain", "good", blanks)
    else:
        yield Result("images", "good", {**blanks, "classes": len(images.class_names)})
    if skipped := images.skipped:
        yield Result("skipped", "advice", {"n": f"{len(skipped):,}", "example": skipped[0]})


SENTENCES = {
    "en": {
        "plain.good": "{name}: {n} images of {shape} (channels × height × width), without classes.",
        "images.good": "{name}: {n} images of {shape} (channels × height × width) in {classes} classes.",
        "skipped.advice": "Skipped files: {n}, such as {example}. If they are meant to be images, convert them; "
        "otherwise remove them.",
    },
    "ko": {
        "plain.good": "{name}: 이미지 {n}장, 형태 {shape}(채널 × 높이 × 너비), 클래스 없음.",
        "images.good": "{name}: 이미지 {n}장, 형태 {shape}(채널 × 높이 × 너비), 클래스 {classes}개.",
        "skipped.advice": "건너뛴 파일 {n}개(예: {example}). 학습에 쓸 이미지라면 변환하고, 아니라면 지워 주세요.",
    },
}

register_check(Check("images", "data", 10, examine, SENTENCES))
