"""Charts with the training curves of all groups: the mean over the seeds and the range of all seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ganvas.comparison.groups import Group
from ganvas.i18n import Translator
from ganvas.reports import charts, losses
from ganvas.stats.finite import is_number

POINTS = 200
STYLES = 8  # colours of compare.css
METRICS = ("loss/d", "loss/g", "grad/d", "grad/g")


class Curve(NamedTuple):
    """A curve over the seeds of one group; all arrays have one value for each point."""

    nimg: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Band(NamedTuple):
    """One group in a chart, as SVG paths: the mean over its seeds, and the range of all seeds."""

    name: str
    line: str
    area: str
    style: str


@dataclass(frozen=True)
class Overlay:
    """One chart with a band for each group."""

    title: str
    bands: list[Band]
    x_ticks: list[charts.Tick]
    y_ticks: list[charts.Tick]
    guide: float | None
    """Height of a horizontal line, in per cent from the top."""


def draw(groups: Sequence[Group], say: Translator) -> list[Overlay]:
    """Charts of accuracy, losses and gradient norms; a chart without data is left out."""
    accuracies = ["acc/pair" if _only_compares(group) else "acc/fake" for group in groups]
    overlays = [_overlay(say("compare.curve.acc"), groups, accuracies, 0.5)]
    for name in METRICS:
        overlays.append(_overlay(say(f"compare.curve.{name}"), groups, [name] * len(groups)))
    return [overlay for overlay in overlays if overlay is not None]


def _only_compares(group: Group) -> bool:
    """Whether the loss of the group has no threshold, so that pair accuracy is logged."""
    member = group.members[0]
    loss = losses.of_run(group.config.loss.name, member.run.rows("events"), member.metric_rows)
    return loss.threshold is None


def _overlay(title: str, groups: Sequence[Group], metrics: Sequence[str], guide: float | None = None) -> Overlay | None:
    """A chart of one metric for each group."""
    curves = [_curve(group, metric) for group, metric in zip(groups, metrics, strict=True)]
    drawn = [curve for curve in curves if curve is not None]
    if not drawn:
        return None
    values = np.concatenate([part for curve in drawn for part in (curve.mean, curve.low, curve.high)])
    bottom, top = charts.aired(*map(float, np.percentile(values, [0.5, 99.5])))
    right = max(float(curve.nimg[-1]) for curve in drawn)
    bands = []
    for i, (group, curve) in enumerate(zip(groups, curves, strict=True)):
        if curve is not None:
            line, lower, upper = (
                charts.placed(curve.nimg, y, right, bottom, top) for y in (curve.mean, curve.low, curve.high)
            )
            area = charts.path([*lower, *reversed(upper)]) + "Z"
            bands.append(Band(group.name, charts.path(line), area, f"s{i % STYLES}"))
    x_ticks = [charts.Tick(100 * v / right, charts.compact(v)) for v, _ in charts.ticks(0, right, 6)]
    y_ticks = [charts.Tick(100 * (top - v) / (top - bottom), label) for v, label in charts.ticks(bottom, top)]
    at = 100 * (top - guide) / (top - bottom) if guide is not None and bottom <= guide <= top else None
    return Overlay(title, bands, x_ticks, y_ticks, at)


def _curve(group: Group, metric: str) -> Curve | None:
    """The smoothed curves of a group's runs on common points; None without data."""
    curves = []
    for member in group.members:
        rows = [row for row in member.metric_rows if is_number(row.get(metric)) and is_number(row.get("nimg"))]
        if len(rows) >= 2:
            x, y = (np.array([row[key] for row in rows], float) for key in ("nimg", metric))
            x, y = charts.reduce(x, y)
            curves.append((x, charts.smoothed(y)))
    if not curves:
        return None
    start, end = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    nimg = np.linspace(start, end, POINTS)
    values = np.stack([np.interp(nimg, x, y) for x, y in curves])
    return Curve(nimg, values.mean(0), values.min(0), values.max(0))
