"""From numbers a seed to words: better, worse, no evidence, or too few seeds to say."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ganvas.comparison.scores import Column
from ganvas.stats.intervals import LEVEL
from ganvas.stats.welch import LEAST_SEEDS, Difference, detectable, holm, seeds_needed, welch

ALPHA = 1 - LEVEL
TESTED = ("fd", "kd")
"""What is judged unless one says what: the first that there is. With three seeds a side five tests see only differences
twice as large as one test does (docs/compare.md), so one distance stands for quality and variety."""

Word = Literal["better", "worse", "none", "few", "still"]
"""`still`: the seeds did not differ at all, so there is no spread to judge by."""


@dataclass(frozen=True)
class Verdict:
    """What one metric says of one group beside the first."""

    metric: str
    group: int
    word: Word
    difference: Difference | None
    """Of the group's mean and the first's; None where a side has fewer than two seeds."""
    p: float
    """After Holm's correction for all tests of the comparison; NaN where none was made."""
    detectable: float
    """The smallest true difference that this design would call four times in five; NaN likewise."""
    seeds_needed: int | None
    """Seeds a side with which a true difference as large as this one would be called four times in five."""


class Decision(NamedTuple):
    """What the rule says of one metric of one group beside the first."""

    column: Column
    group: int
    word: Word
    difference: Difference | None
    p: float
    """After Holm's correction; NaN where no test was made."""
    alpha: float
    """What the smallest of all p values is held against."""


def decisions(columns: Sequence[Column], groups: int, tested: Sequence[str] = ()) -> list[Decision]:
    """The rule: every tested metric of every group that both have, held against the first group by Welch's test.

    `tested` names metrics with or without their extractor (fd, fd_classifier); none: the first of TESTED. Fewer than
    LEAST_SEEDS seeds on a side give no verdict; p values are corrected for all tests that were made (Holm), and called
    below ALPHA.
    """
    there = {column.kind for column in columns}
    tested = tested or [kind for kind in TESTED if kind in there][:1]
    chosen = [column for column in columns if column.kind in tested or column.metric in tested]
    every = ((column, group) for group in range(1, groups) for column in chosen)
    pairs = [(column, group) for column, group in every if column.of(0) and column.of(group)]
    found = [_difference(column, group) for column, group in pairs]
    enough = [min(len(column.of(0)), len(column.of(group))) >= LEAST_SEEDS for column, group in pairs]
    ps = holm([d.p if d is not None and e else math.nan for d, e in zip(found, enough, strict=True)])
    alpha = ALPHA / max(sum(not math.isnan(p) for p in ps), 1)
    return [
        Decision(column, group, _word(column, difference, p) if e else "few", difference, p, alpha)
        for (column, group), difference, e, p in zip(pairs, found, enough, ps, strict=True)
    ]


def verdicts(columns: Sequence[Column], groups: int, tested: Sequence[str] = ()) -> list[Verdict]:
    """The decisions, with what the design could have seen and what it would take to see more."""
    return [_explained(decision) for decision in decisions(columns, groups, tested)]


def _difference(column: Column, group: int) -> Difference | None:
    before, after = column.judged(0), column.judged(group)
    return welch(before, after) if min(len(before), len(after)) >= 2 else None


def _word(column: Column, difference: Difference | None, p: float) -> Word:
    if difference is None or math.isnan(p):
        return "still"
    if p >= ALPHA:
        return "none"
    return "better" if (difference.value < 0) != (column.better == "higher") else "worse"


def _explained(found: Decision) -> Verdict:
    column, group, word, difference, p, alpha = found
    if difference is None or math.isnan(p):
        return Verdict(column.metric, group, word, difference, p, math.nan, None)
    low, high = (float(np.std(column.judged(g), ddof=1)) for g in (0, group))
    seen = detectable(difference.error, difference.dof, alpha)
    needed = seeds_needed(difference.value, (low, high), alpha) if word == "none" else None
    return Verdict(column.metric, group, word, difference, p, seen, needed)
