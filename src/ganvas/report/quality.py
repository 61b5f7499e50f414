"""How good are the images? From the rows of evals.jsonl to tables, bars and curves; pure functions, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas.i18n import Translator, figure
from ganvas.metrics.extractors.registry import kind
from ganvas.report import charts
from ganvas.report.charts import Chart, Chosen, Series, Tick
from ganvas.report.facts import Facts
from ganvas.runs.run import is_number

Row = dict[str, Any]
IDENTITY = ("extractor", "weights_hash", "reference", "split")
"""What two values of one metric must share to be set side by side."""
BASIS = (
    *IDENTITY, "resize", "n_ref", "seed", "n", "sets", "nimg", "snapshot", "ema", "during", "floor_from", "floor_n",
)  # fmt: skip
"""What a table's caption says once for all of its rows."""
DIGITS = 12  # of a hash


# -- which rows --------------------------------------------------------------------------------------------------


def latest(rows: Sequence[Row]) -> list[Row]:
    """For each metric under each identity the row of the largest nimg, the later of two at one; in the rows' order.

    Rows made while training give way to any made afterwards. The selected checkpoint's are never among them: they
    speak of another generator than the last.
    """
    best: dict[tuple[str, ...], Row] = {}
    for row in rows:
        if row.get("selected") or not isinstance(row.get("metric"), str):
            continue
        key = _key(row, ("metric", *IDENTITY))
        if key not in best or _rank(row) >= _rank(best[key]):
            best.pop(key, None)
            best[key] = row
    return list(best.values())


def _rank(row: Row) -> tuple[bool, float]:
    return not row.get("during"), row["nimg"] if is_number(row.get("nimg")) else -1


def _key(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row.get(name)) for name in names)


@dataclass(frozen=True)
class Curve:
    """One metric over the run, as it was scored while training: of the last row's identity, in order of nimg."""

    metric: str
    rows: list[Row]

    @property
    def nimg(self) -> np.ndarray:
        """Images seen at each point, [k] int64."""
        return np.array([row["nimg"] for row in self.rows], np.int64)

    @property
    def values(self) -> np.ndarray:
        """The value at each point, [k] float64."""
        return np.array([row["value"] for row in self.rows], np.float64)

    @property
    def floor(self) -> float | None:
        """What real images got."""
        return _finite(self.rows[-1].get("floor"))


def curves(rows: Sequence[Row]) -> list[Curve]:
    """The curves of the rows made while training. One that never moved, such as 10 classes of 10, is left out."""
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        metric, nimg = row.get("metric"), row.get("nimg")
        if row.get("during") and isinstance(metric, str) and is_number(nimg) and is_number(row.get("value")):
            found.setdefault(metric, {})[int(nimg)] = row
    drawn = []
    for metric, points in found.items():
        ordered = [points[nimg] for nimg in sorted(points)]
        alike = [row for row in ordered if _key(row, IDENTITY) == _key(ordered[-1], IDENTITY)]
        if len(alike) == 1 or np.ptp([row["value"] for row in alike]) > 0:
            drawn.append(Curve(metric, alike))
    return drawn


@dataclass(frozen=True)
class Selection:
    """The checkpoint that scored best while training, and its scores on fresh images by metric."""

    nimg: int
    metric: str
    value: float
    fresh: dict[str, Row]


def selection(selected: Row | None, rows: Sequence[Row]) -> Selection | None:
    """What selected.json says, with its fresh scores; None where there is none, or it is not whole."""
    nimg, metric, value = ((selected or {}).get(key) for key in ("nimg", "metric", "value"))
    if not (is_number(nimg) and isinstance(metric, str) and is_number(value)):
        return None
    again = [row for row in rows if row.get("selected") and row.get("nimg") == nimg and is_number(row.get("value"))]
    return Selection(int(nimg), metric, float(value), {str(row.get("metric")): row for row in again})


# -- words and figures -------------------------------------------------------------------------------------------


def interval(row: Row, say: Translator) -> str:
    """low to high, or nothing."""
    low, high = row.get("low"), row.get("high")
    return say("quality.interval", low=figure(low), high=figure(high)) if is_number(low) and is_number(high) else ""


def with_interval(row: Row, say: Translator) -> str:
    """The value, and its interval in brackets where it has one."""
    span = interval(row, say)
    return (
        say("quality.value_interval", value=figure(row.get("value")), interval=span) if span else figure(row["value"])
    )


def sample(row: Row, say: Translator) -> str:
    """How many images a value rests on."""
    key = "quality.sets" if is_number(row.get("sets")) and row["sets"] > 1 else "quality.one_set"
    return say(key, sets=_count(row.get("sets")), n=_count(row.get("n")))


def features(row: Row) -> str:
    """Name of the extractor and the first digits of its weights' hash."""
    return " ".join(str(part) for part in (row.get("extractor"), str(row.get("weights_hash") or "")[:DIGITS]) if part)


def reference(row: Row) -> str:
    """name:split."""
    return ":".join(str(row.get(name) or "–") for name in ("reference", "split"))


def rests_on(row: Row, say: Translator) -> str:
    """Everything but the value: n, sets, seed, features with their hash, reference."""
    return say("quality.rests_on", sample=sample(row, say), seed=_plain(row.get("seed")), features=features(row),
               reference=reference(row))  # fmt: skip


def _count(value: Any) -> str:
    return f"{int(value):,}" if is_number(value) else "–"


def _plain(value: Any) -> str:
    return "–" if value is None else str(value)


def _finite(value: Any) -> float | None:
    return float(value) if is_number(value) else None


# -- tables ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    """Places in per cent on a line from what is worse (left) to what real images get (right)."""

    ceiling: float
    floor: float
    value: float
    low: float
    high: float


def bar(row: Row) -> Bar | None:
    """Where the value lies between noise and real images; None without both of them.

    Nothing is clipped: a value beyond either mark stretches the line.
    """
    value, floor, ceiling = (_finite(row.get(name)) for name in ("value", "floor", "ceiling"))
    if value is None or floor is None or ceiling is None or floor == ceiling:
        return None
    ends = [value if end is None else end for end in (_finite(row.get("low")), _finite(row.get("high")))]
    low, high = sorted((end - ceiling) / (floor - ceiling) for end in ends)
    places = {"ceiling": 0.0, "floor": 1.0, "value": (value - ceiling) / (floor - ceiling), "low": low, "high": high}
    first, last = min(places.values()), max(places.values())
    return Bar(**{name: 100 * (place - first) / (last - first) for name, place in places.items()})


@dataclass(frozen=True)
class Line:
    """One score as the table shows it."""

    metric: str
    value: str
    interval: str
    bar: Bar | None
    floor: str
    ceiling: str
    better: str


@dataclass(frozen=True)
class Classes:
    """What can be told class by class: a column for each number that has such parts, a row for each class."""

    heads: list[str]
    rows: list[tuple[str, list[str]]]
    caption: list[str]


@dataclass(frozen=True)
class Table:
    """Scores that rest on the same images, features and reference, and the caption that says on which."""

    title: str
    lines: list[Line]
    caption: list[str]
    classes: Classes | None


def tables(rows: Sequence[Row], say: Translator) -> list[Table]:
    """The latest scores, a table for each basis."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in latest(rows):
        groups.setdefault(_key(row, BASIS), []).append(row)
    return [
        Table(
            say("quality.through", extractor=_plain(group[0].get("extractor"))),
            [_line(row, say) for row in group],
            _caption(group[0], say),
            _classes(group, say),
        )
        for group in groups.values()
    ]


def _line(row: Row, say: Translator) -> Line:
    way = f"better.{row.get('better')}"
    return Line(
        metric=row["metric"], value=figure(row.get("value")), interval=interval(row, say), bar=bar(row),
        floor=figure(row.get("floor")), ceiling=figure(row.get("ceiling")),
        better=say(way) if way in say else _plain(row.get("better")),
    )  # fmt: skip


def by_class(row: Row) -> dict[str, float]:
    """The number of each class alone, by the class's name; empty where it has none."""
    parts = row.get("by_class")
    return {str(name): value for name, value in parts.items() if is_number(value)} if isinstance(parts, dict) else {}


def _classes(group: list[Row], say: Translator) -> Classes | None:
    columns = {kind(row["metric"]): parts for row in group if (parts := by_class(row))}
    names = dict.fromkeys(name for parts in columns.values() for name in parts)
    known = {what: f"quality.of_class.{what}" for what in columns if f"quality.of_class.{what}" in say}
    heads = [say(known[what]) if what in known else what for what in columns]
    rows = [(name, [f"{parts[name]:.3f}" if name in parts else "–" for parts in columns.values()]) for name in names]
    return Classes(heads, rows, [say(f"{key}.text") for key in known.values()]) if rows else None


def _caption(row: Row, say: Translator) -> list[str]:
    """What the table's numbers rest on, a sentence each."""
    when = "quality.during" if row.get("during") else "quality.after"
    sentences = [say(when, images=_count(row.get("nimg")), snapshot=_plain(row.get("snapshot")))]
    if row.get("ema"):
        sentences.append(say("quality.ema"))
    sentences.append(say("quality.sample", sample=sample(row, say), seed=_plain(row.get("seed"))))
    sentences.append(say("quality.features", features=features(row), resize=_plain(row.get("resize"))))
    sentences.append(say("quality.reference", reference=reference(row), n=_count(row.get("n_ref"))))
    sentences.append(say("quality.marks", source=_plain(row.get("floor_from")), n=_count(row.get("floor_n"))))
    return sentences


def meanings(rows: Sequence[Row], say: Translator) -> list[tuple[list[str], str]]:
    """(metrics, what they measure) for all that the locale knows, each sentence once."""
    found: dict[str, list[str]] = {}
    for row in latest(rows):
        names = found.setdefault(kind(row["metric"]), [])
        names.extend({row["metric"]} - {*names})
    return [(names, say(f"metric.{name}")) for name, names in found.items() if f"metric.{name}" in say]


# -- curves ------------------------------------------------------------------------------------------------------


def drawn(facts: Facts, say: Translator) -> list[Chart]:
    """A chart for each curve, in the manner of the others: the fakes' line, real images dashed, the selected marked."""
    chosen = selection(facts.selected, facts.evals)
    return [_chart(facts, at, curve, chosen, say) for at, curve in enumerate(curves(facts.evals))]


def _chart(facts: Facts, at: int, curve: Curve, selected: Selection | None, say: Translator) -> Chart:
    nimg, values, floor = curve.nimg, curve.values, curve.floor
    if selected and not 0 <= selected.nimg <= facts.nimg:
        selected = None
    again = selected.fresh.get(curve.metric) if selected else None
    if again and _key(again, IDENTITY) != _key(curve.rows[-1], IDENTITY):
        again = None
    every = [*values, *([floor] if floor is not None else []), *([again["value"]] if again else [])]
    low, high = charts.aired(min(every), max(every))

    def place(x: Any, y: Any) -> list[tuple[float, float]]:
        return charts.placed(x, y, max(facts.nimg, 1), low, high)

    points = place(nimg, values)
    guide = chosen = None
    if floor is not None:
        guide = Tick(100 * (high - floor) / (high - low), say("chart.floor", floor=figure(floor)))
    if selected:
        there = nimg == selected.nimg
        chosen = Chosen(
            at=100 * selected.nimg / max(facts.nimg, 1),
            dot=charts.dots(place(nimg[there], values[there])),
            fresh=charts.dots(place([selected.nimg], [again["value"]])) if again else "",
        )
    meaning = f"metric.{kind(curve.metric)}"
    name = say("series.scored")
    return Chart(
        key=f"scored-{at}",
        title=curve.metric,
        text=say(meaning) if meaning in say else "",
        series=[Series(name, nimg, values, values, charts.dots(points), charts.path(points), "a scored")],
        x_ticks=charts.x_ticks(facts),
        y_ticks=[Tick(100 * (high - v) / (high - low), label) for v, label in charts.ticks(low, high)],
        guide=guide,
        marks=[],
        rows_per_dot=1,
        described=say("chart.described", name=name, first=figure(values[0]), last=figure(values[-1]),
                      low=figure(values.min()), high=figure(values.max())),
        chosen=chosen,
        hover=[{"name": name, "x": nimg.tolist(), "y": [float(charts.short(v)) for v in values]}],
    )  # fmt: skip


def bases(rows: Sequence[Row], say: Translator) -> list[str]:
    """What the points of the curves rest on; one sentence where all rest on the same."""
    last = (curve.rows[-1] for curve in curves(rows))
    return list(dict.fromkeys(
        say("quality.points", basis=rests_on(row, say), source=_plain(row.get("floor_from"))) for row in last
    ))  # fmt: skip


def selected_sentences(facts: Facts, say: Translator) -> list[str]:
    """The selected checkpoint, why its score flatters it, and its score on fresh images; empty where none is."""
    chosen = selection(facts.selected, facts.evals)
    if chosen is None:
        return []
    again = chosen.fresh.get(chosen.metric)
    fresh = "quality.selected_fresh" if again else "quality.selected_once"
    return [
        say("quality.selected", images=f"{chosen.nimg:,}", metric=chosen.metric, value=figure(chosen.value)),
        say(fresh, value=with_interval(again, say), basis=rests_on(again, say)) if again else say(fresh),
        say("quality.selected_use"),
    ]


def share_sentence(facts: Facts, say: Translator) -> str:
    """How much of the run's time the evaluations took; empty while that is not known."""
    event: Row = next(reversed(facts.happened("evaluated")), {})
    if not all(is_number(event.get(name)) for name in ("times", "sec", "share")):
        return ""
    return say("quality.share", times=_count(event["times"]), sec=figure(event["sec"]),
               share=figure(100 * event["share"]))  # fmt: skip


def recognised(rows: Sequence[Row]) -> Row | None:
    """The row that says how well a classifier recognises the fakes: GAN-test accuracy, else its confidence."""
    found = {row["metric"]: row for row in latest(rows) if is_number(row.get("value"))}
    return found.get("gan_test_accuracy") or found.get("confidence_classifier")
