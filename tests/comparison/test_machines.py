"""A comparison says if runs were trained on machines of several kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganvas.comparison.groups import Group, Member
from ganvas.comparison.machines import kinds_note
from ganvas.config import Config
from ganvas.runs.run import Run

HERE = {"nimg": 0, "cpu": "A", "cpu_capability": "AVX2", "threads": 1, "torch": "2.13.0", "accelerator": None}


def group(name: str, folder: Path, *rows: dict[str, Any]) -> Group:
    run = Run(folder / name)
    run.path.mkdir()
    for row in rows:
        run.append("env", row)
    return Group(name, (Member(run, Config(), {}),))


def test_one_kind_is_not_worth_a_line(tmp: Path) -> None:
    groups = [group("a", tmp, HERE, {**HERE, "nimg": 5, "pid": 3}), group("b", tmp, HERE), group("c", tmp, {"nimg": 0})]
    assert kinds_note(groups) == []


def test_kinds_are_named_with_their_runs(tmp: Path) -> None:
    other = {**HERE, "cpu": "B", "threads": 2}
    (line,) = kinds_note([group("a", tmp, HERE), group("b", tmp, other), group("moved", tmp, HERE, other)])
    assert line.startswith(
        "trained on machines of 2 kinds: A, AVX2, 1 thread, torch 2.13.0 (a, moved); "
        "B, AVX2, 2 threads, torch 2.13.0 (b, moved). Equal minutes are not equal work"
    )
    many = [group(f"c{i}", tmp, HERE) for i in range(6)]
    assert "(c0, c1, c2, c3 and 2 more)" in kinds_note([*many, group("d", tmp, other)])[0]
