"""A comparison as sentences and tables of text, in the reader's language."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas.comparison.comparison import EQUAL_BUDGET, Comparison
from ganvas.comparison.metric_names import p_values
from ganvas.comparison.scores import EvaluationProtocol, MetricScores
from ganvas.comparison.verdicts import ALPHA, Verdict
from ganvas.i18n import Translator, figure
from ganvas.stats.power import MOST_SEEDS, POWER
from ganvas.stats.welch import LEAST_SEEDS


@dataclass(frozen=True)
class Table:
    """A title, column names, and rows of cells."""

    key: str
    title: str
    head: list[str]
    rows: list[list[str]]


# -- sentences -------------------------------------------------------------------------------------------------


def verdict_sentences(found: Comparison, say: Translator) -> list[str]:
    """The verdicts, one sentence for each group."""
    lines = []
    for i, group in enumerate(found.groups[1:], 1):
        outcomes = [f"{v.metric} {say('compare.word.' + v.outcome)}" for v in found.verdicts if v.group == i]
        if outcomes:
            first = found.groups[0].name
            lines.append(say("compare.sentence", group=group.name, first=first, outcomes=", ".join(outcomes)))
    return lines


def preface(found: Comparison, say: Translator) -> list[str]:
    """What a reader must know before the tables: warnings, and how the scores were measured."""
    lines = [describe(protocol, say) for protocol in dict.fromkeys(scores.protocol for scores in found.scores)]
    if found.unequal_budgets:
        lines.insert(0, say("compare.unequal", share=f"{EQUAL_BUDGET:.0%}"))
    if any(v.outcome == "few" for v in found.verdicts):
        lines.insert(0, say("compare.few", least=LEAST_SEEDS))
    return lines


def describe(protocol: EvaluationProtocol, say: Translator) -> str:
    """An evaluation protocol in one sentence."""
    return say(
        "compare.evaluator", extractor=protocol.extractor, weights=protocol.weights_hash[:12], n=f"{protocol.n:,}",
        sets=protocol.sets, reference=f"{protocol.reference}:{protocol.split}", n_ref=f"{protocol.n_ref:,}",
        resize=protocol.resize,
    )  # fmt: skip


def method(found: Comparison, say: Translator) -> list[str]:
    """How to read the tables."""
    tests = sum(not math.isnan(v.p) for v in found.verdicts)
    lines = [say("compare.method.spread")]
    if tests:
        level = f"{1 - ALPHA / tests:.2%}".replace(".00", "")
        lines.append(say("compare.method.test", tests=tests, level=level, alpha=f"{ALPHA:.0%}", power=f"{POWER:.0%}"))
    return lines


# -- tables ----------------------------------------------------------------------------------------------------


def tables(found: Comparison, say: Translator) -> list[Table]:
    """The groups with the tested metrics, the verdicts, the changed settings, and all other metrics."""
    tested = {v.metric for v in found.verdicts}
    first = [scores for scores in found.scores if scores.metric in tested]
    others = [scores for scores in found.scores if scores.metric not in tested]
    every = [_groups(found, first, say), _verdicts(found, say), _changes(found, say), _others(found, others, say)]
    return [table for table in every if table.rows]


def _groups(found: Comparison, tested: list[MetricScores], say: Translator) -> Table:
    head = [say(f"compare.{key}") for key in ("group", "seeds", "images", "minutes", "cpu")]
    rows = []
    for i, group in enumerate(found.groups):
        minutes = [member.minutes for member in group.members]
        cpu_minutes = [member.cpu_minutes for member in group.members]
        fewest, most = group.nimg_range
        images = f"{fewest:,}" if fewest == most else f"{fewest:,} – {most:,}"
        cells = [group.name, ", ".join(map(str, group.seeds)), images, _median(minutes), _median(cpu_minutes)]
        rows.append([*cells, *(mean_and_spread(scores.of_group(i)) for scores in tested)])
    metrics = [f"{scores.metric} {say('compare.' + scores.better)}" for scores in tested]
    return Table("groups", say("compare.groups"), [*head, *metrics], rows)


def _verdicts(found: Comparison, say: Translator) -> Table:
    keys = ("group", "metric", "difference", "interval", "p", "verdict", "detectable", "needed")
    rows = []
    for v in found.verdicts:
        d = v.difference
        interval = "–" if d is None or math.isnan(d.low) else f"{signed(d.low)} … {signed(d.high)}"
        rows.append([
            found.groups[v.group].name, v.metric, "–" if d is None else signed(d.value), interval,
            "–" if math.isnan(v.p) else f"{v.p:.3f}" if v.p >= 0.001 else "< 0.001", say(f"compare.word.{v.outcome}"),
            "–" if math.isnan(v.detectable) else figure(v.detectable), _seeds_needed(v),
        ])  # fmt: skip
    title = say("compare.verdicts", first=found.groups[0].name)
    return Table("verdicts", title, [say(f"compare.{key}") for key in keys], rows)


def _seeds_needed(v: Verdict) -> str:
    if v.outcome != "none":
        return "–"
    return f"> {MOST_SEEDS}" if v.seeds_needed is None else str(v.seeds_needed)


def _changes(found: Comparison, say: Translator) -> Table:
    head = [say("compare.setting"), *(group.name for group in found.groups)]
    rows = [[name, *map(_plain, values)] for name, values in found.changes.items()]
    return Table("changes", say("compare.changes"), head, rows)


def _others(found: Comparison, others: list[MetricScores], say: Translator) -> Table:
    head = [say("compare.metric"), *(group.name for group in found.groups)]
    groups = range(len(found.groups))
    rows = [[scores.metric, *(_untested(scores, i) for i in groups)] for scores in others]
    return Table("others", say("compare.others"), head, rows)


# -- cells -----------------------------------------------------------------------------------------------------


def mean_and_spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation between seeds (n); without a deviation for a single value."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{figure(values[0])} (1)"
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    digits = 0 if deviation == 0 else max(0, 1 - math.floor(math.log10(deviation)))
    digits = min(digits, 6)
    cells = (f"{mean:.{digits}f}", f"{deviation:.{digits}f}") if deviation else (figure(mean), "0")
    return f"{cells[0]} ± {cells[1]} ({len(values)})"


def _untested(scores: MetricScores, group: int) -> str:
    """Mean and spread; of p values, which have no meaningful mean, the lowest and the highest."""
    values = scores.of_group(group)
    if scores.kind not in p_values() or len(values) < 2:
        return mean_and_spread(values)
    return f"{figure(min(values))} … {figure(max(values))} ({len(values)})"


def signed(value: float) -> str:
    """A number with its sign; the minus is a true minus, as wide as the plus."""
    return f"{'−' if value < 0 else '+'}{figure(abs(value))}"


def _median(values: Sequence[float]) -> str:
    known = [value for value in values if not math.isnan(value)]
    return f"{np.median(known):.1f}" if known else "–"


def _plain(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(_plain, value)) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)
