"""Interactive SVG charts of the page. (curves_png.py draws curves.png with matplotlib.)

A curve is a path in a square of 1000 x 1000 that the page stretches; labels are placed in per cent around it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from ganvas.diagnostics import text
from ganvas.i18n import Translator
from ganvas.reports.facts import Facts
from ganvas.stats.trend import Trend

SIDE = 1000
POINTS = 400
TINY = 1e-300
"""No axis is shorter: its ticks would have no float."""
SMOOTH = 8.0  # points: standard deviation of the Gaussian that smooths a curve of POINTS points


STYLES = ("b", "a", "c")
"""CSS classes of the first, second and third curve."""


class Spec(NamedTuple):
    """What one chart shows."""

    key: str
    title: str
    text: str
    columns: tuple[str, ...]
    """Of metrics.jsonl: real or D first, fake or G second."""
    limits: tuple[float, float] | None = None
    """Range of y; None: that of the values."""
    guide: float | None = None
    """Where a horizontal line is drawn."""
    trend: Trend | None = None
    if_constant: bool = True
    """Whether it is drawn although its values never change."""


class Tick(NamedTuple):
    """A label at a place in per cent of the chart."""

    at: float
    label: str
    second: str = ""


@dataclass(frozen=True)
class Series:
    """One curve: its dots (means of neighbouring rows) and the smoothed line through them."""

    name: str
    nimg: np.ndarray
    values: np.ndarray
    smooth: np.ndarray
    dots: str
    line: str
    style: str
    """Classes of its paths: b for real or D, a for fake or G, c for a third."""


class Chosen(NamedTuple):
    """A selected checkpoint: its place (per cent), its dot, and the ring of its score on new images."""

    at: float
    dot: str
    fresh: str


@dataclass(frozen=True)
class Chart:
    """Everything that the page needs to draw one chart."""

    key: str
    title: str
    text: str
    series: list[Series]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    guide: Tick | None
    marks: list[Tick]
    rows_per_dot: int
    described: str
    trend_line: str = ""
    trend_wedge: str = ""
    chosen: Chosen | None = None
    hover: list[dict[str, Any]] = field(default_factory=list)


def draw(facts: Facts, specs: Sequence[Spec], say: Translator) -> list[Chart]:
    """A chart for each spec that the run has rows for."""
    drawn = []
    for spec in specs:
        columns = {name: facts.column(name) for name in spec.columns}
        columns = {name: pair for name, pair in columns.items() if len(pair[0])}
        constant = all(np.ptp(y) == 0 for _, y in columns.values())
        if columns and (spec.if_constant or not constant):
            drawn.append(_chart(facts, spec, columns, say))
    return drawn


def _chart(facts: Facts, spec: Spec, columns: dict[str, Any], say: Translator) -> Chart:
    right = max(facts.nimg, 1)
    reduced = {name: reduce(x, y) for name, (x, y) in columns.items()}
    low, high = spec.limits or _limits([y for _, y in reduced.values()], spec.guide)

    def place(x: Any, y: Any) -> list[tuple[float, float]]:
        return placed(x, y, right, low, high)

    series: list[Series] = []
    for style, (name, (x, y)) in zip(STYLES, reduced.items(), strict=False):
        smooth = smoothed(y)
        series.append(
            Series(say(series_key(facts, name)), x, y, smooth, dots(place(x, y)), path(place(x, smooth)), style)
        )
    line = wedge = ""
    if (trend := spec.trend) is not None:
        ends = np.array([trend.start, trend.end])
        line = path(place(ends * facts.n, [trend.at(x) for x in ends]))
        corners = [(ends[0], trend.low), (ends[1], trend.low), (ends[1], trend.high), (ends[0], trend.high)]
        wedge = path(place([x * facts.n for x, _ in corners], [trend.at(x, s) for x, s in corners])) + "Z"
    guide = None
    if spec.guide is not None:
        guide = Tick(100 * (high - spec.guide) / (high - low), "")
    return Chart(
        key=spec.key,
        title=spec.title,
        text=spec.text,
        series=series,
        x_ticks=x_ticks(facts),
        y_ticks=[Tick(100 * (high - v) / (high - low), label) for v, label in ticks(low, high)],
        guide=guide,
        marks=[
            Tick(100 * (event.get("nimg") or 0) / right, say(f"event.{kind}"))
            for kind in ("resume", "nan")
            for event in facts.happened(kind)
        ]
        + [
            Tick(100 * finding.since / right, text.title(finding, say))
            for finding in (facts.diagnosis.faults if facts.diagnosis else ())
        ],
        rows_per_dot=max(-(-len(x) // POINTS) for x, _ in columns.values()),
        described="; ".join(
            say("chart.described", name=s.name, first=short(s.smooth[0]), last=short(s.smooth[-1]),
                low=short(s.values.min()), high=short(s.values.max()))
            for s in series
        ),
        trend_line=line,
        trend_wedge=wedge,
        hover=[
            {"name": s.name, "x": s.nimg.tolist(), "y": [float(short(v)) for v in s.values]} for s in series
        ],
    )  # fmt: skip


def series_key(facts: Facts, column: str) -> str:
    """Key of a curve's name. If D only compares, real and fake accuracy are equal and share a curve."""
    return "series.balanced" if facts.judged == "pair" and column == "acc/fake" else f"series.{column}"


def placed(x: Any, y: Any, right: float, low: float, high: float) -> list[tuple[float, float]]:
    """Points in the square of a chart whose axes run from 0 to `right` and from `low` to `high`."""
    return list(zip(SIDE * np.asarray(x) / right, SIDE * (high - np.asarray(y)) / (high - low), strict=True))


def dots(points: list[tuple[float, float]]) -> str:
    """An SVG path of lines of length 0, which round caps turn into dots."""
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in points)


def path(points: list[tuple[float, float]]) -> str:
    """An SVG path through the points."""
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def reduce(x: np.ndarray, y: np.ndarray, points: int = POINTS) -> tuple[np.ndarray, np.ndarray]:
    """At most `points` points: means over runs of neighbouring rows."""
    if len(x) <= points:
        return x, y
    cuts = np.linspace(0, len(x), points + 1).round().astype(int)[:-1]
    counts = np.diff([*cuts, len(x)])
    return np.add.reduceat(x, cuts) // counts, np.add.reduceat(y, cuts) / counts


def smoothed(y: np.ndarray) -> np.ndarray:
    """y [n] smoothed by a Gaussian whose width is a fixed share of the curve; at the ends it uses the values inside."""
    sigma = SMOOTH * len(y) / POINTS
    if sigma < 0.5:
        return y
    reach = min(math.ceil(3 * sigma), len(y) - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    padded = np.pad(y, reach)
    weight = np.convolve(np.pad(np.ones_like(y), reach), kernel, "valid")
    return np.asarray(np.convolve(padded, kernel, "valid") / weight)


def ticks(low: float, high: float, most: int = 5) -> list[tuple[float, str]]:
    """Round numbers (1, 2 or 5 times a power of ten apart) from low to high, at most `most`, with labels."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(s for s in (power, 2 * power, 5 * power, 10 * power, 20 * power) if (high - low) / s < most)
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [i * step for i in range(first, last + 1)]
    if digits < 4:
        return [(v, f"{v:,.{digits}f}") for v in values]
    return [(v, f"{float(f'{v:.3g}'):g}") for v in values]


def compact(n: float) -> str:
    """1250000 -> 1.25M, 25000 -> 25k."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if n >= unit:
            return f"{n / unit:.3g}{name}"
    return f"{n:.0f}"


def short(value: float) -> str:
    """Three or four significant digits."""
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:.0f}"


def x_ticks(facts: Facts) -> list[Tick]:
    """Epochs, with the images they stand for."""
    right = max(facts.nimg, 1)
    return [Tick(100 * e * facts.n / right, label, compact(e * facts.n)) for e, label in ticks(0, right / facts.n, 6)]


def _limits(values: list[np.ndarray], guide: float | None) -> tuple[float, float]:
    """A range that holds all but the outermost half per cent at each end, with a margin."""
    every = np.concatenate(values)
    low, high = np.percentile(every, [0.5, 99.5])
    if guide is not None:
        low, high = min(low, guide), max(high, guide)
    return aired(low, high)


def aired(low: float, high: float) -> tuple[float, float]:
    """The range with a margin, extended to 0 if that is near."""
    if low >= 0 and low < 0.5 * high:
        low = 0.0
    air = next(size for size in (0.06 * (high - low), abs(high) * 0.1, 1.0) if size > TINY)
    return float(low if low == 0 else low - air), float(high + air)
