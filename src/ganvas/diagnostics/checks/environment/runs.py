"""Space for runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import Installation, free_space, gigabytes, state_of

TWO_RUNS, TEN_RUNS = 0.2e9, 1e9
"""Bytes below which not two, and not ten runs fit (large ones take 94 MB)."""


def examine(installation: Installation) -> Iterator[Result]:
    """Whether the default folder can be written to, and how much fits."""
    folder = Path.cwd() / "runs"
    free = free_space(folder)
    if free is None:
        yield Result("runs-unwritable", "bad", {"folder": str(folder)})
    else:
        yield Result("runs", state_of(free, TWO_RUNS, TEN_RUNS), {"folder": str(folder), "free": gigabytes(free)})


SENTENCES = {
    "en": {
        "runs.good": "Runs are written to {folder}: {free} free.",
        "runs.advice": "Runs are written to {folder}, where only {free} is free; a few long runs fill that. Free some "
        "space, or choose another folder with `--out`.",
        "runs.bad": "Runs are written to {folder}, where only {free} is free: a training may stop because the disk is "
        "full. Free some space, or choose another folder with `--out`.",
        "runs-unwritable.bad": "Runs are written to {folder} by default, but that folder is not writable. Change to a "
        "folder of your own, or choose one with `--out`.",
    },
    "ko": {
        "runs.good": "실행 기록은 {folder}에 저장됩니다. 남은 공간 {free}.",
        "runs.advice": "실행 기록이 저장되는 {folder}에 {free}만 남아 있어 긴 실행 몇 번이면 가득 찹니다. 공간을 "
        "비우거나 `--out`으로 다른 폴더를 지정해 주세요.",
        "runs.bad": "실행 기록이 저장되는 {folder}에 {free}만 남아 있어 공간 부족으로 학습이 멈출 수 있습니다. 공간을 "
        "비우거나 `--out`으로 다른 폴더를 지정해 주세요.",
        "runs-unwritable.bad": "실행 기록이 저장되는 {folder}에 쓸 수 없습니다. 쓸 수 있는 폴더로 이동하거나 "
        "`--out`으로 폴더를 지정해 주세요.",
    },
}

register_check(Check("runs", "env", 90, examine, SENTENCES))
