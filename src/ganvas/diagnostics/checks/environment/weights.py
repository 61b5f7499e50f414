"""The weights files that ship with ganvas."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import ganvas
from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import Installation, last_line

WEIGHTS = Path(ganvas.__file__).parent / "weights"
CLASSIFIED = ("cifar10", "fashion-mnist")
"""Known sets with a classifier: `metrics.extractors.classifier.SHIPPED`, which needs torch to be imported."""


def examine(installation: Installation) -> Iterator[Result]:
    """Whether the files exist and are as long as their headers say."""
    from safetensors import SafetensorError, safe_open

    files = sorted(WEIGHTS.glob("*.safetensors"))
    absent = [name for name in CLASSIFIED if not any(path.name.startswith(f"{name}-classifier-") for path in files)]
    if absent:
        yield Result("weights-absent", "bad", {"folder": str(WEIGHTS), "sets": ", ".join(absent)})
        return
    for path in files:
        try:
            with safe_open(path, "np") as file:
                file.keys()
        except (SafetensorError, OSError) as error:
            yield Result("weights", "bad", {"file": str(path), "why": last_line(error)})
            return
    yield Result("weights", "good", {"n": len(files)})


SENTENCES = {
    "en": {
        "weights.good": "The weights files that ship with ganvas are complete ({n} files).",
        "weights.bad": "The weights file {file} is cut off or damaged: {why}. Install ganvas again.",
        "weights-absent.bad": "{folder} has no classifier for: {sets}. Samples of these data sets cannot be evaluated "
        "by class. Install ganvas again.",
    },
    "ko": {
        "weights.good": "ganvas에 포함된 가중치 파일 {n}개가 온전합니다.",
        "weights.bad": "가중치 파일 {file}이(가) 잘렸거나 손상되었습니다: {why}. ganvas를 다시 설치해 주세요.",
        "weights-absent.bad": "{folder}에 분류기가 없는 데이터: {sets}. 생성된 이미지를 클래스별로 평가할 수 없으니 "
        "ganvas를 다시 설치해 주세요.",
    },
}

register_check(Check("weights", "env", 110, examine, SENTENCES))
