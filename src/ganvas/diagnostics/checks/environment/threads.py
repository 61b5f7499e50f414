"""The threads of a training, beside what a container allows and what a variable asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import Installation, control_groups, read_text


def examine(installation: Installation) -> Iterator[Result]:
    """A training uses one thread for each core."""
    if installation.torch is None:
        return
    from ganvas.training import backend

    cores, quota, asked = backend.cores(), cpu_quota(), os.environ.get("OMP_NUM_THREADS", "")
    if quota is not None and quota < cores:
        yield Result("quota", "advice", {"cores": cores, "quota": f"{quota:g}", "threads": max(1, int(quota))})
    elif asked and asked != str(cores):
        yield Result("omp", "advice", {"asked": asked, "cores": cores})
    else:
        default = installation.torch.get_num_threads()
        yield Result("threads", "good", {"cores": cores, "all": os.cpu_count() or cores, "torch": default})


def cpu_quota() -> float | None:
    """CPUs that control groups allow this process: the smallest limit of its own group and those above it."""
    limits = []
    for group in control_groups():
        limit, _, period = read_text(group / "cpu.max").partition(" ")
        if limit.isdecimal() and period.strip().isdecimal():
            limits.append(int(limit) / int(period))
    return round(min(limits), 2) if limits else None


SENTENCES = {
    "en": {
        "threads.good": "Threads: {cores}, one for each core this process may use (cores of the machine: {all}; "
        "torch’s own default: {torch}).",
        "quota.advice": "This container may use {quota} CPUs but sees {cores} cores, and a training starts a thread "
        "on each. Pass `--engine.threads {threads}`: threads above the quota only wait.",
        "omp.advice": "`OMP_NUM_THREADS={asked}` is set, but a training uses {cores} threads, one for each core it "
        "may use. To limit them, pass `--engine.threads`.",
    },
    "ko": {
        "threads.good": "스레드: {cores}개. 이 프로세스가 쓸 수 있는 코어마다 하나씩입니다(전체 코어 {all}개, torch의 "
        "기본값은 {torch}개).",
        "quota.advice": "이 컨테이너는 CPU를 {quota}개까지만 쓸 수 있는데 코어는 {cores}개로 보여, 학습이 그만큼 "
        "스레드를 만듭니다. 한도를 넘는 스레드는 기다리기만 하므로 `--engine.threads {threads}`를 붙여 주세요.",
        "omp.advice": "`OMP_NUM_THREADS={asked}`가 설정되어 있지만, 학습은 쓸 수 있는 코어마다 하나씩 스레드 "
        "{cores}개를 씁니다. 스레드 수를 제한하려면 `--engine.threads`를 사용해 주세요.",
    },
}

register_check(Check("threads", "env", 50, examine, SENTENCES))
