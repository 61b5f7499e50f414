"""Which numbers can be set side by side: scores of final generators under one evaluator, missing ones made."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ganvas.comparison.groups import Group, Member
from ganvas.data.progress import Progress
from ganvas.errors import GanvasError
from ganvas.metrics.extractors.registry import kind

N = 10_000


class Evaluator(NamedTuple):
    """What two values of one metric must share to be set side by side."""

    extractor: str
    weights_hash: str
    resize: str
    reference: str
    split: str
    n_ref: int
    n: int
    sets: int

    @classmethod
    def of(cls, row: dict[str, Any]) -> Evaluator | None:
        values: list[Any] = [row.get(name) for name in cls._fields]
        return None if None in values else cls(*values)


@dataclass(frozen=True)
class Column:
    """One metric under one evaluator: a value for every run that has it, in the groups' order."""

    metric: str
    better: str
    """lower, higher, or real: the nearer to the real baseline, the better."""
    real_baseline: float | None
    evaluator: Evaluator
    values: tuple[tuple[float | None, ...], ...]

    @property
    def kind(self) -> str:
        """The metric without its extractor's name."""
        return kind(self.metric)

    def of(self, group: int) -> list[float]:
        """The values there are of one group."""
        return [value for value in self.values[group] if value is not None]

    def judged(self, group: int) -> list[float]:
        """Values that are better when lower, or higher; of `real` metrics, distances from the real baseline."""
        found = self.of(group)
        return (
            [abs(v - self.real_baseline) for v in found]
            if self.better == "real" and self.real_baseline is not None
            else found
        )


def columns(
    groups: Sequence[Group],
    features: Sequence[str] = (),
    metrics: Sequence[str] = (),
    n: int | None = None,
    sets: int | None = None,
    make: bool = True,
    progress: bool = True,
) -> tuple[list[Column], list[str]]:
    """Every metric of the final generators under the evaluators that most runs share, and a line on what is missing.

    Scores that a run lacks under such an evaluator are made, unless `make` is off, and added to its evals.jsonl.
    """
    members = [member for group in groups for member in group.members]
    held = {id(member): _final(member) for member in members}
    evaluators = _shared(list(held.values()), features, n, sets)
    notes: list[str] = []
    if not evaluators and make:
        notes += _make(members[0], list(features), None, metrics, n or N, sets or 1, progress)
        held[id(members[0])] = _final(members[0])
        evaluators = _shared(list(held.values()), features, n, sets)
    for evaluator in evaluators if make else ():
        for member in members:
            if not any(Evaluator.of(row) == evaluator for row in held[id(member)]):
                notes += _make(member, [evaluator.extractor], evaluator, metrics, evaluator.n, evaluator.sets, progress)
                held[id(member)] = _final(member)
    found = [column for evaluator in evaluators for column in _columns(groups, held, evaluator)]
    for i, group in enumerate(groups):
        for j, member in enumerate(group.members):
            if lacking := [column.metric for column in found if column.values[i][j] is None]:
                notes.append(f"{member.run.path} has no {', '.join(lacking)}")
    return found, notes


def _final(member: Member) -> list[dict[str, Any]]:
    """Rows of evals.jsonl that speak of the newest generator, the later of two of a kind."""
    best: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in member.run.rows("evals"):
        evaluator = Evaluator.of(row)
        told = row.get("nimg") == member.snapshot and not row.get("during") and not row.get("selected")
        if told and evaluator is not None and _finite(row.get("value")):
            best[row.get("metric"), evaluator] = row
    return list(best.values())


def _shared(
    every: Sequence[list[dict[str, Any]]], features: Sequence[str], n: int | None, sets: int | None
) -> list[Evaluator]:
    """For each extractor the evaluator that most runs hold; of two, the one with more images."""
    counts = Counter(e for rows in every for e in {Evaluator.of(row) for row in rows} if e is not None)
    best: dict[str, Evaluator] = {}
    for evaluator, count in counts.items():
        asked = (not features or evaluator.extractor in features) and n in (None, evaluator.n)
        if not asked or sets not in (None, evaluator.sets):
            continue
        other = best.get(evaluator.extractor)
        rank = count, evaluator.n * evaluator.sets
        if other is None or rank > (counts[other], other.n * other.sets):
            best[evaluator.extractor] = evaluator
    return list(best.values())


def _make(
    member: Member, features: list[str], like: Evaluator | None, metrics: Sequence[str], n: int, sets: int, bar: bool
) -> list[str]:
    """Evaluate a run; a line that names it where that cannot be done."""
    from ganvas.evaluation import evaluate

    Progress(bar).say(f"{member.run.path} is evaluated: {n:,} images, {sets} set{'s' if sets > 1 else ''}")
    reference = None if like is None else f"{like.reference}:{like.split}"
    try:
        evaluate(
            member.run.path, reference=reference, features=features, metrics=_groups(metrics), n=n, sets=sets,
            progress=bar,
        )  # fmt: skip
    except GanvasError as error:
        return [f"{member.run.path} could not be evaluated: {error}"]
    return []


def _groups(metrics: Sequence[str]) -> list[str]:
    """The measures that give these metrics."""
    from ganvas import metrics as metric_files
    from ganvas import plugins
    from ganvas.metrics.registry import METRICS

    plugins.discover(metric_files)

    return [name for name, metric in METRICS.items() if name in metrics or any(m in metric.better for m in metrics)]


def _columns(groups: Sequence[Group], held: dict[int, list[dict[str, Any]]], evaluator: Evaluator) -> list[Column]:
    rows = {
        (id(member), row["metric"]): row
        for group in groups
        for member in group.members
        for row in held[id(member)]
        if Evaluator.of(row) == evaluator
    }
    names = dict.fromkeys(metric for _, metric in rows)
    found = []
    for name in names:
        first = next(row for (_, metric), row in rows.items() if metric == name)
        values = tuple(
            tuple(row["value"] if (row := rows.get((id(m), name))) else None for m in group.members) for group in groups
        )
        floor = first.get("real_baseline")
        found.append(Column(name, str(first.get("better")), floor if _finite(floor) else None, evaluator, values))
    return found


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and math.isfinite(value)
