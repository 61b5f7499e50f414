"""Free memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment import system
from ganvas.diagnostics.checks.environment.system import (
    Installation,
    control_groups,
    gigabytes,
    read_text,
    state_of,
)

TRAINING = 1.5e9
"""Bytes below which a training may not fit (`make bench` on CIFAR-10 peaks at 1.33 GB)."""
EVALUATION = 3e9
"""Bytes below which little is left for an evaluation (1.06 GB for a Fréchet distance of 50,000 images)."""


def examine(installation: Installation) -> Iterator[Result]:
    """What the machine or the container has left; no result if the system does not say."""
    free = re.search(r"^MemAvailable:\s*(\d+) kB", read_text(system.PROC / "meminfo"), re.MULTILINE)
    if free is None:
        return
    left = [int(free[1]) * 1024]
    for group in control_groups():
        limit, used = (read_text(group / f"memory.{name}").strip() for name in ("max", "current"))
        cached = re.search(r"^inactive_file (\d+)", read_text(group / "memory.stat"), re.MULTILINE)
        if limit.isdecimal() and used.isdecimal():
            left.append(int(limit) - int(used) + (int(cached[1]) if cached else 0))
    yield Result("memory", state_of(min(left), TRAINING, EVALUATION), {"free": gigabytes(min(left))})


SENTENCES = {
    "en": {
        "memory.good": "Memory: {free} free.",
        "memory.advice": "Memory: {free} free, enough for a training and little more. Close other programs before you "
        "evaluate.",
        "memory.bad": "Memory: only {free} free, which may be too little for a training on CIFAR-10. Close other "
        "programs, or use fewer images with `--limit`.",
    },
    "ko": {
        "memory.good": "메모리: {free} 사용 가능.",
        "memory.advice": "메모리: {free} 사용 가능. 학습은 할 수 있지만 여유가 적습니다. 평가하기 전에 다른 "
        "프로그램을 닫아 주세요.",
        "memory.bad": "메모리: {free}만 사용할 수 있어 CIFAR-10 학습에 부족할 수 있습니다. 다른 프로그램을 닫거나 "
        "`--limit`로 이미지 수를 줄여 주세요.",
    },
}

register_check(Check("memory", "env", 80, examine, SENTENCES))
