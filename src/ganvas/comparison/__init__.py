"""Did the change help? From runs to a table built from what ran, and a verdict that knows its seeds.

groups.py      runs that differ in nothing but their seed      welch.py      the test, its correction, its power
scores.py      numbers that can be set side by side            verdicts.py   from numbers to words
words.py       the comparison as tables of words               page.py       the same as one HTML file
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas.comparison.groups import Group, Targets, differences, gathered
from ganvas.comparison.scores import Column, columns
from ganvas.comparison.verdicts import Verdict, verdicts
from ganvas.errors import UsageError

EQUAL_BUDGET = 0.1  # share by which budgets may differ before the comparison is headed as one of unequal budgets


@dataclass(frozen=True)
class Comparison:
    """Everything that a comparison says; the first group is what the others are held against."""

    groups: list[Group]
    columns: list[Column]
    verdicts: list[Verdict]
    changes: dict[str, list[Any]]
    """Setting -> its value in each group, for settings that are not the same in all."""
    notes: list[str]
    """What was left out, and why."""

    @property
    def unequal(self) -> bool:
        """Whether the groups' generators have seen different numbers of images, or cost different CPU time."""
        seen = [n for group in self.groups for n in group.nimg]
        cost = [c for group in self.groups for m in group.members if (c := m.cost[1]) == c]
        spent = cost if len(cost) == sum(len(group.members) for group in self.groups) else seen
        return max(spent) > (1 + EQUAL_BUDGET) * min(spent)


def compare(
    targets: Targets,
    *,
    features: Sequence[str] = (),
    metrics: Sequence[str] = (),
    n: int | None = None,
    sets: int | None = None,
    make: bool = True,
    progress: bool = True,
) -> Comparison:
    """Compare groups of runs by their seeds; the first group named is what the others are held against.

    `targets`: see groups.gathered. `features`, `n` and `sets` choose the evaluator where runs hold several; `metrics`
    what is judged (without: fd, or kd where there is none). Scores that a run lacks are made, unless `make` is
    off, and named where they cannot be.

    Raises UsageError for fewer than two groups and for runs on different data, GanvasError for what goes wrong.
    """
    groups, notes = gathered(targets)
    if len(groups) < 2:
        there = f"one group, {groups[0].name} (seeds {groups[0].seeds})" if groups else "none"
        raise UsageError("; ".join([f"a comparison needs two groups of finished runs, found {there}", *notes]))
    table, missing = columns(groups, features, metrics, n, sets, make, progress)
    if not table:
        raise UsageError("; ".join(["there is no score to compare (ganvas evaluate RUN)", *notes, *missing]))
    changed = dict.fromkeys(key for group in groups[1:] for key in differences(groups[0].config, group.config))
    changes = {key: [_setting(group, key) for group in groups] for key in changed}
    return Comparison(groups, table, verdicts(table, len(groups), metrics), changes, [*notes, *missing])


def write(found: Comparison, folder: str | os.PathLike[str], lang: str = "en") -> Path:
    """Write compare.html, compare.md, compare.csv, compare.tex and compare.webp; returns the page's path.

    Raises UsageError for an unknown language, GanvasError where the folder cannot be written.
    """
    from ganvas import i18n
    from ganvas.comparison import page
    from ganvas.comparison import tables as words
    from ganvas.files import writing_to

    say, base = i18n.load(lang), Path(folder)
    files = {
        "compare.md": words.markdown(found, say).encode(), "compare.tex": words.latex(found, say).encode(),
        "compare.csv": words.comma_separated(found).encode(), "compare.webp": page.side_by_side(found),
        "compare.html": page.render(found, say, base).encode(),
    }  # fmt: skip
    with writing_to(base):
        base.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if content is not None:
                (base / name).write_bytes(content)
    return base / "compare.html"


def _setting(group: Group, name: str) -> Any:
    value: Any = group.config
    for key in name.split("."):
        value = getattr(value, key)
    return value
