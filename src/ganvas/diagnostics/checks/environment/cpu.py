"""Which processor instructions torch computes with."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from types import ModuleType

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment import system
from ganvas.diagnostics.checks.environment.system import Installation, read_text

BETTER = {"DEFAULT": {"avx2"}, "NO AVX": {"avx2"}, "AVX2": {"avx512_f", "avx512f"}}
"""What torch uses -> instructions that would be faster."""


def examine(installation: Installation) -> Iterator[Result]:
    """Limited by an environment variable, slow, or good. On ARM "DEFAULT" is right."""
    if installation.torch is None:
        return
    from ganvas.training.backend import cpu_name

    name, used = cpu_name(), installation.torch.backends.cpu.get_cpu_capability()
    limit = os.environ.get("ATEN_CPU_CAPABILITY")
    if limit and BETTER.get(used, set()) & instructions(installation.torch):
        yield Result("cpu-held", "advice", {"cpu": name, "used": used, "variable": f"ATEN_CPU_CAPABILITY={limit}"})
    elif used in ("DEFAULT", "NO AVX") and platform.machine().lower() in ("x86_64", "amd64"):
        yield Result("cpu", "advice", {"cpu": name})
    else:
        yield Result("cpu", "good", {"cpu": name, "used": used})


def instructions(torch: ModuleType) -> set[str]:
    """Names of the processor's instruction sets, as torch and as Linux spell them."""
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    line = re.search(r"^(?:flags|Features)\s*:(.*)$", read_text(system.PROC / "cpuinfo"), re.MULTILINE)
    return {name for name, there in known.items() if there is True} | set(line[1].split() if line else ())


SENTENCES = {
    "en": {
        "cpu.good": "Processor: {cpu}; torch computes with its {used} instructions.",
        "cpu.advice": "torch finds no AVX2 instructions on this processor ({cpu}), so training is much slower than it "
        "could be. In a virtual machine, pass the host’s processor type through; otherwise use small images and few "
        "of them.",
        "cpu-held.advice": "torch computes with {used} instructions although this processor ({cpu}) has better ones, "
        "because `{variable}` is set. Unset that variable.",
    },
    "ko": {
        "cpu.good": "프로세서: {cpu}. torch는 {used} 명령어로 계산합니다.",
        "cpu.advice": "torch가 이 프로세서({cpu})에서 AVX2 명령어를 찾지 못해 학습이 훨씬 느려집니다. 가상 머신이라면 "
        "호스트의 프로세서 종류를 그대로 쓰도록 설정하고, 아니라면 이미지 크기와 학습량을 작게 잡아 주세요.",
        "cpu-held.advice": "이 프로세서({cpu})에는 더 나은 명령어가 있지만 `{variable}` 설정 때문에 torch가 {used} "
        "명령어로 계산합니다. 이 환경 변수를 해제해 주세요.",
    },
}

register_check(Check("cpu", "env", 30, examine, SENTENCES))
