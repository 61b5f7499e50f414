"""Whether the processor computes in bfloat16 or only emulates it."""

from __future__ import annotations

from collections.abc import Iterator

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.cpu import instructions
from ganvas.diagnostics.checks.environment.system import Installation


def examine(installation: Installation) -> Iterator[Result]:
    """No result if the processor's instructions cannot be read."""
    known = instructions(installation.torch) if installation.torch else set()
    if known:
        native = any(name.endswith("bf16") for name in known) or "avx_ne_convert" in known
        yield Result("bfloat16", "good") if native else Result("float32", "good")


SENTENCES = {
    "en": {
        "bfloat16.good": "This processor computes in bfloat16. `--engine.dtype auto` measures whether that or float32 "
        "is faster, and uses it.",
        "float32.good": "This processor has no bfloat16 instructions and would emulate them, which is slower. "
        "Training uses float32 here; `--engine.dtype auto` chooses it.",
    },
    "ko": {
        "bfloat16.good": "이 프로세서는 bfloat16을 직접 계산합니다. `--engine.dtype auto`는 bfloat16과 float32 중 "
        "빠른 쪽을 재어 보고 고릅니다.",
        "float32.good": "이 프로세서에는 bfloat16 명령어가 없어 흉내만 낼 수 있고 오히려 느립니다. 여기서는 float32로 "
        "학습하며, `--engine.dtype auto`가 알아서 그렇게 고릅니다.",
    },
}

register_check(Check("bfloat16", "env", 40, examine, SENTENCES))
