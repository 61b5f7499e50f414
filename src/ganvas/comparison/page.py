"""A comparison as one self-contained HTML file, and the pictures side by side as one animation."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from ganvas import media
from ganvas.comparison import Comparison
from ganvas.comparison import tables as words
from ganvas.comparison.groups import Group, Member
from ganvas.comparison.verdicts import Verdict
from ganvas.i18n import Translator
from ganvas.report import charts, losses
from ganvas.report.html import as_uri, template
from ganvas.runs.run import is_number

FRAMES = 24
GAP = 8  # pixels between the grids of the animation
MANY = 4  # groups from which on a grid shows half of its rows
POINTS = 200
CURVES = ("loss/d", "loss/g", "grad/d", "grad/g")


class Band(NamedTuple):
    """One group in a chart: the mean over its seeds, and all of them, as SVG paths."""

    name: str
    line: str
    area: str
    style: str


@dataclass(frozen=True)
class Overlay:
    """One chart with a band for every group."""

    title: str
    bands: list[Band]
    x_ticks: list[charts.Tick]
    y_ticks: list[charts.Tick]
    guide: float | None


class Bar(NamedTuple):
    """An interval around a difference, in per cent of a width whose middle is no difference."""

    low: float
    value: float
    high: float
    word: str
    alt: str


def render(found: Comparison, say: Translator, base: Path) -> str:
    """The page; links to the runs' reports are relative to `base`, the folder it is written to."""
    shown, same = chosen(found.groups)
    stages = [
        {
            "name": group.name,
            "frames": [as_uri(media.small(picture), "webp") for picture in pictures],
            "size": pictures[-1].size,
        }
        for group, pictures in zip(found.groups, animated(shown, len(found.groups)), strict=True)
        if pictures
    ]
    seed = shown[0].seed
    values = {
        "say": say,
        "sentences": words.sentences(found, say),
        "heading": words.heading(found, say),
        "method": words.method(found, say),
        "notes": found.notes,
        "tables": words.tables(found, say),
        "bars": [_bar(v, found, say) for v in found.verdicts],
        "stages": stages,
        "lead": say("compare.pictures.lead" if same else "compare.pictures.other", seed=seed),
        "overlays": overlays(found.groups, say),
        "runs": [_linked(group, member, base) for group in found.groups for member in group.members],
    }
    return template("compare.html").render(values)


# -- pictures --------------------------------------------------------------------------------------------------


def chosen(groups: Sequence[Group]) -> tuple[list[Member], bool]:
    """A run of each group, of a seed that all have if there is one, and whether they were given the same latents."""
    common = set.intersection(*(set(group.seeds) for group in groups))
    members = [next((m for m in group.members if m.seed in common), group.members[0]) for group in groups]
    latents = {(m.seed, m.config.generator.latent_dim, m.config.generator.latent) for m in members}
    return members, len(latents) == 1


def animated(members: Sequence[Member], groups: int, frames: int = FRAMES) -> list[list[Image.Image]]:
    """For each run as many of its sample grids, at the same shares of its training, cut to the same rows."""
    found = []
    for member in members:
        there = member.run.samples()
        end = there[-1][0] if there else 0
        at = (
            [min(there, key=lambda s: abs(s[0] - share * end))[1] for share in np.linspace(0, 1, frames)]
            if there
            else []
        )
        found.append([Image.open(path).convert("RGB") for path in at])
    sizes = [pictures[-1].size for pictures in found if pictures]
    if not sizes:
        return found
    side = min(member.data["shape"][2] for member in members)
    height = min(h for _, h in sizes)
    height = max(height // 2 // side, 1) * side if groups >= MANY else height
    width = min(w for w, _ in sizes)
    return [[picture.crop((0, 0, width, height)) for picture in pictures] for pictures in found]


def side_by_side(found: Comparison) -> bytes | None:
    """The grids of all groups in one animation (WebP), in the groups' order; None where there are none."""
    shown, _ = chosen(found.groups)
    stages = [pictures for pictures in animated(shown, len(found.groups)) if pictures]
    if not stages:
        return None
    width, height = stages[0][0].size
    canvases = []
    for pictures in zip(*stages, strict=True):
        canvas = Image.new("RGB", ((width + GAP) * len(stages) - GAP, height), "white")
        for i, picture in enumerate(pictures):
            canvas.paste(picture, (i * (width + GAP), 0))
        canvases.append(canvas)
    return media.webp(canvases)


# -- curves ----------------------------------------------------------------------------------------------------


def overlays(groups: Sequence[Group], say: Translator) -> list[Overlay]:
    """Accuracy, losses and gradients of all groups over the images seen, and what was scored while training."""
    accuracies = ["acc/pair" if _only_compares(g) else "acc/fake" for g in groups]
    found = [_overlay(say("compare.curve.acc"), groups, accuracies, 0.5)]
    for name in CURVES:
        found.append(_overlay(say(f"compare.curve.{name}"), groups, [name] * len(groups)))
    return [overlay for overlay in found if overlay is not None]


def _only_compares(group: Group) -> bool:
    """Whether the loss of the group has no threshold, so that pair accuracy is logged."""
    member = group.members[0]
    return losses.of_run(group.config.loss.name, member.run.rows("events"), member.rows).threshold is None


def _overlay(title: str, groups: Sequence[Group], columns: Sequence[str], guide: float | None = None) -> Overlay | None:
    curves = [_band(group, column) for group, column in zip(groups, columns, strict=True)]
    there = [curve for curve in curves if curve is not None]
    if not there:
        return None
    every = np.concatenate([part for _, *parts in there for part in parts])
    low, high = charts.aired(*map(float, np.percentile(every, [0.5, 99.5])))
    right = max(float(x[-1]) for x, *_ in there)
    bands = []
    for i, (group, curve) in enumerate(zip(groups, curves, strict=True)):
        if curve is not None:
            x, mean, least, most = curve
            lower, upper = (charts.placed(x, y, right, low, high) for y in (least, most))
            area = charts.path([*lower, *reversed(upper)]) + "Z"
            bands.append(Band(group.name, charts.path(charts.placed(x, mean, right, low, high)), area, f"s{i % 8}"))
    x_ticks = [charts.Tick(100 * v / right, charts.compact(v)) for v, _ in charts.ticks(0, right, 6)]
    y_ticks = [charts.Tick(100 * (high - v) / (high - low), label) for v, label in charts.ticks(low, high)]
    inside = guide is not None and low <= guide <= high
    return Overlay(title, bands, x_ticks, y_ticks, 100 * (high - guide) / (high - low) if inside else None)  # type: ignore[operator]


def _band(group: Group, column: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
    """Images seen, and the mean, least and greatest over the seeds of each run's smoothed curve."""
    curves = []
    for member in group.members:
        rows = [row for row in member.rows if is_number(row.get(column)) and is_number(row.get("nimg"))]
        if len(rows) >= 2:
            x, y = (np.array([row[key] for row in rows], float) for key in ("nimg", column))
            x, y = charts.reduce(x, y)
            curves.append((x, charts.smoothed(y)))
    if not curves:
        return None
    start, end = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    at = np.linspace(start, end, POINTS)
    every = np.stack([np.interp(at, x, y) for x, y in curves])
    return at, every.mean(0), every.min(0), every.max(0)


# -- the rest --------------------------------------------------------------------------------------------------


def _bar(v: Verdict, found: Comparison, say: Translator) -> Bar | None:
    """The interval, scaled so that the metric's widest one just fits."""
    d = v.difference
    if d is None or not np.isfinite(d.low):
        return None
    same = [o.difference for o in found.verdicts if o.metric == v.metric and o.difference is not None]
    reach = max(abs(end) for o in same for end in (o.low, o.high) if np.isfinite(end))
    low, value, high = (50 + 48 * end / reach for end in (d.low, d.value, d.high))
    figures = {name: words.signed(x) for name, x in (("value", d.value), ("low", d.low), ("high", d.high))}
    alt = say("compare.forest.alt", metric=v.metric, group=found.groups[v.group].name, **figures)
    return Bar(low, value, high, v.word, alt)


def _linked(group: Group, member: Member, base: Path) -> dict[str, Any]:
    report = member.run.path.resolve() / "report.html"
    link = os.path.relpath(report, base.resolve()) if report.is_file() else ""
    return {"group": group.name, "seed": member.seed, "path": str(member.run.path), "link": link}
