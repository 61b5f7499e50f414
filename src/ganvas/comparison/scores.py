"""Which scores can be compared: those of final generators under the same evaluation protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ganvas.comparison.groups import Group, Member
from ganvas.comparison.metric_names import check_metric_names
from ganvas.datasets.progress import Progress
from ganvas.errors import GanvasError, option
from ganvas.metrics.extractors.registry import NAMES, kind, name_under
from ganvas.stats.finite import is_number

N = 10_000
DEFAULT_METRICS = ("fd", "kd")
"""The first of these that the runs have is tested by default. One metric, because each further test reduces the power:
with three seeds per group, five tests detect only differences nearly twice as large as one test does
(docs/compare.md)."""


class EvaluationProtocol(NamedTuple):
    """What two scores of one metric must share to be comparable."""

    extractor: str
    weights_hash: str
    resize: str
    reference: str
    split: str
    n_ref: int
    n: int
    sets: int

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> EvaluationProtocol | None:
        """That of a row of evals.jsonl; None for a row that lacks a field."""
        values: list[Any] = [row.get(name) for name in cls._fields]
        return None if None in values else cls(*values)


@dataclass(frozen=True)
class MetricScores:
    """One metric under one protocol: a score for each run."""

    metric: str
    """With its extractor, such as fd_classifier."""
    better: str
    """lower, higher, or real: the closer to the real baseline, the better."""
    real_baseline: float | None
    protocol: EvaluationProtocol
    values: tuple[tuple[float | None, ...], ...]
    """[group][member]; None for a run without this score."""
    computation: str = ""
    """Version of the computation that made all of them; empty for scores from before versions were recorded."""

    @property
    def kind(self) -> str:
        """The metric without its extractor, such as fd."""
        return kind(self.metric)

    def of_group(self, group: int) -> list[float]:
        """The scores of one group, without missing ones."""
        return [value for value in self.values[group] if value is not None]

    def to_test(self, group: int) -> list[float]:
        """What the test compares: the scores, or with better = "real" their distances from the real baseline."""
        scores = self.of_group(group)
        if self.better == "real" and self.real_baseline is not None:
            return [abs(value - self.real_baseline) for value in scores]
        return scores


def collect_scores(
    groups: Sequence[Group],
    features: Sequence[str] = (),
    metrics: Sequence[str] = (),
    n: int | None = None,
    sets: int | None = None,
    make: bool = True,
    progress: bool = True,
) -> tuple[list[MetricScores], list[str]]:
    """Every metric of the final generators under the protocols that most runs share, and one line for each lack.

    Scores that a run lacks under such a protocol are computed and added to its evals.jsonl, unless `make` is False;
    with a user's own extractor, which runs code, only where `features` names it, not where a run's file does.
    """
    members = [member for group in groups for member in group.members]
    rows = {id(member): _final_rows(member) for member in members}
    check_metric_names(metrics, (str(row.get("metric")) for member in members for row in rows[id(member)]))
    protocols = _common_protocols(list(rows.values()), features, n, sets)
    notes: list[str] = []
    if not protocols and make:
        notes += _evaluate(members[0], list(features), None, metrics, n or N, sets or 1, progress)
        rows[id(members[0])] = _final_rows(members[0])
        protocols = _common_protocols(list(rows.values()), features, n, sets)
    for protocol in protocols if make else ():
        newest = _newest(protocol, rows.values())
        wanted = _wanted(protocol, newest, metrics)
        for member in members:
            mine = _newest(protocol, [rows[id(member)]])
            if mine and all(name in mine and mine[name] >= newest.get(name, ()) for name in wanted):
                continue
            if not (protocol.extractor in NAMES or protocol.extractor in features):
                notes.append(
                    f"{member.run.path} is not scored by {protocol.extractor}, which a run names and whose code would "
                    f"run: if you trust it, {option(f'--features {protocol.extractor}')}"
                )
                continue
            notes += _evaluate(member, [protocol.extractor], protocol, metrics, protocol.n, protocol.sets, progress)
            rows[id(member)] = _final_rows(member)
    scores = [each for protocol in protocols for each in _scores_under(protocol, groups, rows)]
    older: dict[str, list[str]] = {}
    for i, group in enumerate(groups):
        for j, member in enumerate(group.members):
            lacking = [each for each in scores if each.values[i][j] is None]
            left = [each.metric for each in lacking if each.metric in _newest(each.protocol, [rows[id(member)]])]
            for metric in left:
                older.setdefault(metric, []).append(str(member.run.path))
            if missing := [each.metric for each in lacking if each.metric not in left]:
                notes.append(f"{member.run.path} has no {', '.join(missing)}")
    if older:
        runs = dict.fromkeys(run for each in older.values() for run in each)
        notes.append(
            f"left out, computed by an older version than the others': {', '.join(older)} of {', '.join(runs)} "
            "(ganvas evaluate them again)"
        )
    return scores, notes


def _final_rows(member: Member) -> list[dict[str, Any]]:
    """The rows of evals.jsonl on the newest snapshot, sampled without guidance by D.

    Of two with the same metric and protocol that of the newer version of the computation, else the later one.
    """
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in member.run.rows("evals"):
        protocol = EvaluationProtocol.of_row(row)
        final = row.get("nimg") == member.nimg and not any(map(row.get, ("during", "selected", "sampling")))
        if final and protocol is not None and is_number(row.get("value")):
            key = row.get("metric"), protocol
            if key not in rows or _version(row) >= _version(rows[key]):
                rows[key] = row
    return list(rows.values())


def _version(row: dict[str, Any]) -> tuple[int, ...]:
    """The version of the computation, to compare by; the oldest where none was recorded."""
    return tuple(int(part) for part in str(row.get("computation") or "0").split(".") if part.isdecimal())


def _newest(protocol: EvaluationProtocol, rows_of_runs: Iterable[list[dict[str, Any]]]) -> dict[str, tuple[int, ...]]:
    """Metric -> newest version of its computation among the rows under a protocol."""
    found: dict[str, tuple[int, ...]] = {}
    for rows in rows_of_runs:
        for row in rows:
            if EvaluationProtocol.of_row(row) == protocol:
                found[row["metric"]] = max(_version(row), found.get(row["metric"], ()))
    return found


def _wanted(protocol: EvaluationProtocol, there: Iterable[str], metrics: Sequence[str]) -> list[str]:
    """Full names of the metrics that every run needs: the named ones, else the default ones that a run has."""
    if not metrics:
        return [name for name in there if kind(name) in DEFAULT_METRICS]
    full = {name_under(kind(name), protocol.extractor): name for name in metrics}
    return [name for name, given in full.items() if given in (name, kind(name))]


def _common_protocols(
    rows_of_runs: Sequence[list[dict[str, Any]]], features: Sequence[str], n: int | None, sets: int | None
) -> list[EvaluationProtocol]:
    """For each extractor the protocol that most runs have; of two equally common ones, that with more images."""
    counts = Counter(p for rows in rows_of_runs for p in {EvaluationProtocol.of_row(r) for r in rows} if p is not None)
    best: dict[str, EvaluationProtocol] = {}
    for protocol, count in counts.items():
        wanted = (not features or protocol.extractor in features) and n in (None, protocol.n)
        if not wanted or sets not in (None, protocol.sets):
            continue
        other = best.get(protocol.extractor)
        rank = count, protocol.n * protocol.sets
        if other is None or rank > (counts[other], other.n * other.sets):
            best[protocol.extractor] = protocol
    return list(best.values())


def _evaluate(
    member: Member,
    features: list[str],
    protocol: EvaluationProtocol | None,
    metrics: Sequence[str],
    n: int,
    sets: int,
    progress: bool,
) -> list[str]:
    """Evaluate a run; returns one line with the reason if that fails."""
    from ganvas.evaluation import evaluate

    Progress(progress).say(f"evaluating {member.run.path}: {n:,} images, {sets} set{'s' if sets > 1 else ''}")
    reference = None if protocol is None else f"{protocol.reference}:{protocol.split}"
    try:
        evaluate(
            member.run.path, reference=reference, features=features, metrics=_measures_of(metrics), n=n, sets=sets,
            progress=progress,
        )  # fmt: skip
    except GanvasError as error:
        return [f"{member.run.path} could not be evaluated: {error}"]
    return []


def _measures_of(metrics: Sequence[str]) -> list[str]:
    """The names for `ganvas evaluate --metrics` that give these metrics."""
    from ganvas.metrics.registry import METRICS

    return [name for name, metric in METRICS.items() if any(kind(each) in metric.better for each in metrics)]


def _scores_under(
    protocol: EvaluationProtocol, groups: Sequence[Group], rows: dict[int, list[dict[str, Any]]]
) -> list[MetricScores]:
    """Only scores of the newest version of each computation: others are another quantity."""
    newest = _newest(protocol, rows.values())
    found = {
        (id(member), row["metric"]): row
        for group in groups
        for member in group.members
        for row in rows[id(member)]
        if EvaluationProtocol.of_row(row) == protocol and _version(row) == newest[row["metric"]]
    }
    scores = []
    for name in dict.fromkeys(metric for _, metric in found):
        first = next(row for (_, metric), row in found.items() if metric == name)
        values = tuple(
            tuple(row["value"] if (row := found.get((id(m), name))) else None for m in group.members)
            for group in groups
        )
        baseline = first.get("real_baseline")
        baseline = baseline if is_number(baseline) else None
        computation = str(first.get("computation") or "")
        scores.append(MetricScores(name, str(first.get("better")), baseline, protocol, values, computation))
    return scores
