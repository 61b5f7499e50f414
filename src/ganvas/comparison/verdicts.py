"""From scores to a verdict for each group: better, worse, no evidence, or too few seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from ganvas.comparison.scores import DEFAULT_METRICS, MetricScores
from ganvas.stats.intervals import LEVEL
from ganvas.stats.power import detectable, seeds_needed
from ganvas.stats.welch import LEAST_SEEDS, Difference, holm, holm_levels, welch

ALPHA = 1 - LEVEL
Outcome = Literal["better", "worse", "none", "few", "still"]
"""none: no evidence of a difference. few: fewer than LEAST_SEEDS seeds. still: no spread between seeds to judge by."""


@dataclass(frozen=True)
class Verdict:
    """The comparison of one group with the first one, by one metric."""

    metric: str
    group: int
    outcome: Outcome
    difference: Difference | None
    """Mean of the group minus mean of the first group. Its interval leaves out 0 exactly where the outcome is better or
    worse, and is NaN without a test. None with fewer than two seeds in a group."""
    level: float
    """Confidence level of that interval, adjusted for all tests of the comparison (stats.welch.holm_levels)."""
    p: float
    """After Holm's correction for all tests of the comparison; NaN without a test."""
    detectable: float
    """Minimum detectable difference: the smallest true one that this design detects with a power of 80 %; or NaN."""
    seeds_needed: int | None
    """Seeds per group that detect a true difference of this size with a power of 80 %."""


class Decision(NamedTuple):
    """The outcome for one metric of one group, without power analysis."""

    scores: MetricScores
    group: int
    outcome: Outcome
    difference: Difference | None
    level: float
    p: float
    """After Holm's correction; NaN without a test."""
    alpha: float
    """The threshold of the smallest p value before Holm's correction."""


def judge(scores: Sequence[MetricScores], groups: int, metrics: Sequence[str] = ()) -> list[Verdict]:
    """Test results with their power analysis: the minimum detectable difference and the seeds needed."""
    return [_with_power(result) for result in run_tests(scores, groups, metrics)]


def run_tests(scores: Sequence[MetricScores], groups: int, metrics: Sequence[str] = ()) -> list[Decision]:
    """Welch's test of each group against the first one, for each tested metric that both have.

    `metrics` names what is tested, with or without extractor (fd, fd_classifier); default: the first of
    DEFAULT_METRICS. Fewer than LEAST_SEEDS seeds in a group: no test. All p values are corrected together (Holm);
    below ALPHA the outcome is better or worse. Intervals are adjusted with them.
    """
    metrics = metrics or _default(scores, groups)
    tested = [each for each in scores if each.kind in metrics or each.metric in metrics]
    every = ((each, group) for group in range(1, groups) for each in tested)
    pairs = [(each, group) for each, group in every if each.of_group(0) and each.of_group(group)]
    differences = [_difference(each, group) for each, group in pairs]
    enough = [min(len(each.of_group(0)), len(each.of_group(group))) >= LEAST_SEEDS for each, group in pairs]
    made = [d.p if d is not None and e else math.nan for d, e in zip(differences, enough, strict=True)]
    ps, levels = holm(made), holm_levels(made, ALPHA)
    alpha = ALPHA / max(sum(not math.isnan(p) for p in ps), 1)
    return [
        Decision(each, group, _outcome(each, d, p) if e else "few", d and _with_interval(d, level), level, p, alpha)
        for (each, group), d, e, level, p in zip(pairs, differences, enough, levels, ps, strict=True)
    ]


def _default(scores: Sequence[MetricScores], groups: int) -> list[str]:
    """The first default metric that every group has; else the first that any has."""
    whole = {each.kind for each in scores if all(each.of_group(group) for group in range(groups))}
    kinds = [kind for kind in DEFAULT_METRICS if kind in (whole or {each.kind for each in scores})]
    return kinds[:1]


def _difference(scores: MetricScores, group: int) -> Difference | None:
    before, after = scores.to_test(0), scores.to_test(group)
    return welch(before, after) if min(len(before), len(after)) >= 2 else None


def _with_interval(difference: Difference, level: float) -> Difference:
    """The difference with the interval that belongs to its verdict; without a verdict no interval."""
    return difference._replace(low=math.nan, high=math.nan) if math.isnan(level) else difference.at(level)


def _outcome(scores: MetricScores, difference: Difference | None, p: float) -> Outcome:
    if difference is None or math.isnan(p):
        return "still"
    if p >= ALPHA:
        return "none"
    return "better" if (difference.value < 0) != (scores.better == "higher") else "worse"


def _with_power(result: Decision) -> Verdict:
    scores, group, outcome, difference, level, p, alpha = result
    if difference is None or math.isnan(p):
        return Verdict(scores.metric, group, outcome, difference, level, p, math.nan, None)
    sides = [scores.to_test(g) for g in (0, group)]
    before, after = (float(np.std(side, ddof=1)) for side in sides)
    smallest = detectable((before, after), (len(sides[0]), len(sides[1])), alpha)
    seeds = seeds_needed(difference.value, (before, after), alpha) if outcome == "none" else None
    return Verdict(scores.metric, group, outcome, difference, level, p, smallest, seeds)
