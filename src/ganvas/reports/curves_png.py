"""curves.png for reports and slides: losses, accuracies and scores per epoch. Only this file needs matplotlib."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ganvas import fonts
from ganvas.reports import scores
from ganvas.reports.charts import reduce, smoothed
from ganvas.reports.facts import Facts

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.font_manager import FontProperties

COLOURS = {"d": "#5b6070", "g": "#2f48c8"}
LONGEST = 120
"""Characters of a title."""
LOSSES = ("loss", (("loss/d", "d", "D"), ("loss/g", "g", "G")))
REAL_FAKE = (("acc/real", "d", "real"), ("acc/fake", "g", "fake"))
PAIRS = (("acc/fake", "d", "balanced threshold, real = fake"), ("acc/pair", "g", "pairs with D(real) > D(fake)"))


def draw(facts: Facts) -> bytes:
    """The panels as the bytes of a PNG, 550 pixels high; empty axes if there are no rows yet.

    1500 pixels wide, or 2250 with a third panel: the score by which a checkpoint was selected while training.
    """
    from matplotlib.figure import Figure

    scored, trend, threshold = scores.curves(facts.evals), facts.trend, facts.loss.threshold
    accuracies = (
        ("accuracy (D only compares)", PAIRS) if threshold is None else (f"accuracy (logit {threshold:g})", REAL_FAKE)
    )
    drawn = (LOSSES, accuracies)
    panels = len(drawn) + bool(scored)
    figure = Figure((5 * panels, 3.67), dpi=150, layout="constrained")
    for place, (title, columns) in enumerate(drawn):
        axes = figure.add_subplot(1, panels, place + 1)
        for name, colour, label in columns:
            x, y = reduce(*facts.column(name))
            if len(x):
                axes.plot(x / facts.n, y, ".", color=COLOURS[colour], alpha=0.2, markersize=3, markeredgewidth=0)
                axes.plot(x / facts.n, smoothed(y), color=COLOURS[colour], linewidth=1.8, label=label)
        if title.startswith("acc"):
            axes.axhline(0.5, color="#888", linewidth=0.8, linestyle=(0, (4, 4)))
            axes.set_ylim(-0.02, 1.02)
            if trend is not None:
                ends = [trend.start, trend.end]
                low, mean, high = ([trend.at(x, s) for x in ends] for s in (trend.low, trend.slope, trend.high))
                axes.fill_between(ends, low, high, color=COLOURS["g"], alpha=0.15, linewidth=0)
                axes.plot(ends, mean, "--", color="black", linewidth=1, label=f"trend {trend.slope:+.5f} / epoch")
        _finish(axes, title)
    if scored:
        _scored(figure.add_subplot(1, panels, panels), facts, scored)
    title, font = _title((facts.config.recipe, str(facts.data.get("name", "")), f"seed {facts.config.seed}"))
    figure.suptitle(title, fontproperties=font, x=0.01, ha="left", parse_math=False)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a sign that the font lacks becomes a box
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _title(parts: Sequence[str]) -> tuple[str, FontProperties]:
    """The parts that a font here can draw, and that font."""
    from matplotlib.font_manager import FontProperties

    shown = [_shown(part) for part in parts]
    title = " · ".join(part for part in shown if fonts.find([part]) is not None)
    path = fonts.find([title])
    return title, FontProperties(fname=path, size=10) if path else FontProperties(size=10)


def _scored(axes: Axes, facts: Facts, curves: list[scores.Curve]) -> None:
    """The metric that selected a checkpoint, else the first one; real images and the selected checkpoint are marked."""
    chosen = scores.selection(facts.selected, facts.evals)
    curve = next((curve for curve in curves if chosen and curve.metric == chosen.metric), curves[0])
    axes.plot(curve.nimg / facts.n, curve.values, ".-", color=COLOURS["g"], linewidth=1.5, label="generated")
    if curve.real_baseline is not None:
        axes.axhline(curve.real_baseline, color="#888", linewidth=0.8, linestyle=(0, (4, 4)), label="real images")
    if chosen and chosen.metric == curve.metric:
        axes.axvline(chosen.nimg / facts.n, color=COLOURS["g"], linewidth=0.8, linestyle=":", label="selected")
        if again := chosen.fresh.get(curve.metric):
            axes.plot(chosen.nimg / facts.n, again["value"], "o", color=COLOURS["g"], mfc="white",
                      label="selected, new images")  # fmt: skip
    _finish(axes, curve.metric)


def _shown(name: str) -> str:
    """A name as one short line of what a font can hold."""
    text = "".join(sign if sign.isprintable() else "?" for sign in name)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _finish(axes: Axes, title: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_title(_shown(title), loc="left", fontsize=10, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)
