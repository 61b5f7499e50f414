"""What the page of one run shows, as JSON: the report's own figures, charts and findings."""

from __future__ import annotations

import dataclasses
from typing import Any

from ganvas.diagnostics import text
from ganvas.i18n import Translator
from ganvas.reports import charts, page
from ganvas.reports.charts import Chart
from ganvas.reports.facts import Facts, gather
from ganvas.reports.html import plain
from ganvas.reports.sections import curves, events, trend
from ganvas.runs.run import Run
from ganvas.training.progress import clock

PRECISE = 5
"""Significant digits of values that are read out of a chart."""


def view(run: Run, say: Translator) -> dict[str, Any]:
    """Everything that grows while a run trains. GanvasError where config.json or data.json is unreadable."""
    facts = gather(run, last=1)
    drawn = [*trend.accuracy_charts(facts, say), *charts.draw(facts, curves.specs(facts, say), say)]
    return {
        "title": say("title", recipe=facts.config.recipe, data=_short(str(facts.config.data.name))),
        "state": facts.state,
        "nimg": facts.nimg,
        "total": facts.total,
        "n": facts.n,
        "right": max(facts.nimg, 1),
        "left": left(facts),
        "figures": page.figures(facts, say),
        "charts": [_chart(chart, say) for chart in drawn],
        "grids": [at for at, _ in run.sample_grids()],
        "classes": facts.class_rows,
        "size": facts.grids[-1][1].size if facts.grids else None,
        "doctor": _doctor(facts, say),
        "changes": [[name, plain(old), plain(new)] for name, (old, new) in facts.changes.items()],
        "settled": ", ".join(f"{name} = {plain(value)}" for name, value in facts.settled.items()),
        "recipe": facts.recipe.recipe,
        "events": events.values(facts, say)["events"],
    }


def left(facts: Facts) -> str:
    """How long the rest of the budget takes at the latest speed; empty where that is not known."""
    speed = facts.column("img_s")[1]
    if not len(speed) or not facts.total or facts.nimg >= facts.total:
        return ""
    pace = float(speed[-5:].mean())
    return clock((facts.total - facts.nimg) / pace) if pace > 0 else ""


def _short(name: str) -> str:
    return name.replace("\\", "/").rstrip("/").rpartition("/")[2] or name


def _chart(chart: Chart, say: Translator) -> dict[str, Any]:
    """A chart without the arrays that the page does not draw."""
    return {
        "key": chart.key, "title": chart.title, "text": chart.text, "described": chart.described,
        "series": [{"name": s.name, "style": s.style, "dots": s.dots, "line": s.line} for s in chart.series],
        "x": [_tick(tick) for tick in chart.x_ticks], "y": [_tick(tick) for tick in chart.y_ticks],
        "guide": _tick(chart.guide) if chart.guide else None, "marks": [_tick(tick) for tick in chart.marks],
        "trend": [chart.trend_line, chart.trend_wedge] if chart.trend_line else None,
        "trend_name": say("chart.trend"),
        "hover": [{**one, "y": [float(f"{v:.{PRECISE}g}") for v in one["y"]]} for one in chart.hover],
    }  # fmt: skip


def _tick(tick: charts.Tick) -> list[Any]:
    return [round(tick.at, 2), tick.label, tick.second]


def _doctor(facts: Facts, say: Translator) -> dict[str, Any]:
    """The diagnosis in sentences, each finding with the moment it began."""
    found = facts.diagnosis
    if not found:
        return {"summary": "", "findings": []}
    told = [dataclasses.asdict(item) for item in text.finding_texts(found, say)]
    at = [finding.since for finding in found.findings]
    return {
        "summary": text.summary(found, say),
        "findings": [{**item, "at": since} for item, since in zip(told, at, strict=True)],
    }
