"""A comparison as one self-contained HTML file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ganvas import media
from ganvas.comparison import curves
from ganvas.comparison.comparison import Comparison
from ganvas.comparison.groups import Group, Member
from ganvas.comparison.pictures import grids_over_training, members_to_show
from ganvas.comparison.tables import method, preface, signed, tables, verdict_sentences
from ganvas.comparison.verdicts import Verdict
from ganvas.i18n import Translator
from ganvas.reports import html

TEMPLATES = Path(__file__).parent / "templates"


class IntervalBar(NamedTuple):
    """The interval of a difference, in per cent of a width; no difference is in the middle."""

    low: float
    value: float
    high: float
    outcome: str
    alt: str


def render(found: Comparison, say: Translator, base: Path, reports: Mapping[Path, str] | None = None) -> str:
    """The page; links to reports of runs are relative to `base`, the folder that it will be written to.

    `reports`: path of a run -> link to its report, in place of those that lie in the runs.
    """
    return html.page("compare.html", values(found, say, base, reports), ("report.css", "compare.css"), (TEMPLATES,))


def values(found: Comparison, say: Translator, base: Path, reports: Mapping[Path, str] | None = None) -> dict[str, Any]:
    """What the templates of the page need; see `render`."""
    members, same_latents = members_to_show(found.groups)
    animations = [
        {
            "name": group.name,
            "frames": [html.as_uri(media.encode_small(grid), "webp") for grid in grids],
            "size": grids[-1].size,
        }
        for group, grids in zip(found.groups, grids_over_training(members), strict=True)
        if grids
    ]
    caption = "compare.pictures.lead" if same_latents else "compare.pictures.other"
    return {
        "say": say,
        "sentences": verdict_sentences(found, say),
        "preface": preface(found, say),
        "method": method(found, say),
        "notes": found.notes,
        "tables": tables(found, say),
        "bars": bars(found, say),
        "animations": animations,
        "caption": say(caption, seed=members[0].seed),
        "overlays": curves.draw(found.groups, say),
        "runs": [_run_row(group, member, base, reports) for group in found.groups for member in group.members],
    }


def bars(found: Comparison, say: Translator) -> list[IntervalBar | None]:
    """The interval of each verdict."""
    return [_bar(verdict, found, say) for verdict in found.verdicts]


def _bar(verdict: Verdict, found: Comparison, say: Translator) -> IntervalBar | None:
    """The interval, scaled so that the widest one of this metric just fits; None without an interval."""
    d = verdict.difference
    if d is None or not np.isfinite(d.low):
        return None
    differences = [v.difference for v in found.verdicts if v.metric == verdict.metric and v.difference is not None]
    reach = max(abs(end) for o in differences for end in (o.low, o.high) if np.isfinite(end))
    low, value, high = (50 + 48 * end / reach for end in (d.low, d.value, d.high))
    numbers = {name: signed(x) for name, x in (("value", d.value), ("low", d.low), ("high", d.high))}
    group = found.groups[verdict.group].name
    alt = say("compare.forest.alt", metric=verdict.metric, group=group, **numbers)
    return IntervalBar(low, value, high, verdict.outcome, alt)


def _run_row(group: Group, member: Member, base: Path, reports: Mapping[Path, str] | None) -> dict[str, Any]:
    """A row of the list of runs, with a link to the run's report if there is one."""
    report = member.run.path.resolve() / "report.html"
    if reports is not None:
        link = reports.get(member.run.path, "")
    else:
        link = Path(os.path.relpath(report, base.resolve())).as_posix() if report.is_file() else ""
    return {"group": group.name, "seed": member.seed, "path": str(member.run.path), "link": link}
