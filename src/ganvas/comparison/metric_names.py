"""The metrics that a user may name for a verdict, and what is said of all others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ganvas.errors import UsageError, did_you_mean
from ganvas.metrics.extractors.registry import NAMES, kind, name_under
from ganvas.metrics.registry import METRICS

if TYPE_CHECKING:
    from ganvas.comparison.scores import MetricScores


def check_metric_names(names: Sequence[str], recorded: Iterable[str] = ()) -> None:
    """Raise UsageError for what is no metric that can get a verdict.

    Known are the numbers of all registered metrics and those `recorded` in the runs, with or without extractor (fd,
    fd_classifier, fid).
    """
    own = dict.fromkeys([*(number for metric in METRICS.values() for number in metric.better), *map(kind, recorded)])
    full = {name_under(number, extractor) for extractor in (*NAMES, "custom") for number in own}
    for name in names:
        if name in METRICS and name not in own:
            each = ", ".join(number for number in METRICS[name].better if number not in p_values())
            raise UsageError(f"{name} stands for several metrics: name those to test, of {each}")
        if name not in own and name not in full:
            known = ", ".join(number for number in own if number not in p_values())
            raise UsageError(f"no metric is called '{name}': choose {known}{did_you_mean(name, [*own, *full])}")
        if kind(name) in p_values():
            raise UsageError(f"{name} is a p value, which cannot be compared between runs: test nearer_than_heldout")


def check_measured(names: Sequence[str], scores: Sequence[MetricScores], missing: Sequence[str] = ()) -> None:
    """Raise UsageError where not all runs have a named metric, or where nothing says which way it is better.

    `missing`: which scores the runs lack, and why.
    """
    for name in names:
        tested = [each for each in scores if name in (each.kind, each.metric)]
        if not tested:
            there = ", ".join(dict.fromkeys(each.metric for each in scores))
            raise UsageError("; ".join([f"no run has a score of {name}, they have {there}", *missing]))
        for each in tested:
            if any(value is None for group in each.values for value in group):
                raise UsageError("; ".join([f"only some runs have a score of {each.metric}", *missing]))
            if each.better == "real" and each.real_baseline is None:
                raise UsageError(f"{each.metric} has no real baseline to be judged by: test another metric")


def p_values() -> frozenset[str]:
    """Numbers that are p values."""
    return frozenset(number for metric in METRICS.values() for number in metric.p_values)
