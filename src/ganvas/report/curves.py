"""curves.png: losses, accuracies and scores per epoch, for hand-in and slides. The one place that needs matplotlib."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ganvas.report import quality
from ganvas.report.charts import reduce, smoothed
from ganvas.report.facts import Facts
from ganvas.stats.trend import Trend

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"d": "#5b6070", "g": "#2f48c8"}
LOSSES = ("loss", (("loss/d", "d", "D"), ("loss/g", "g", "G")))
REAL_FAKE = (("acc/real", "d", "real"), ("acc/fake", "g", "fake"))
ACCURACIES = {
    "zero": ("accuracy (logit 0)", REAL_FAKE),
    "half": ("accuracy (logit 0.5)", REAL_FAKE),
    "balanced": (
        "accuracy (D only compares)",
        (("acc/fake", "d", "balanced threshold, real = fake"), ("acc/pair", "g", "pairs with D(real) > D(fake)")),
    ),
}


def png(facts: Facts, slope: Trend | None) -> bytes:
    """The panels as the bytes of a PNG, 550 pixels high; empty axes where there are no rows yet.

    1500 pixels wide, or 2250 with a third panel: the score by which a checkpoint was selected while training.
    """
    from matplotlib.figure import Figure

    scored, drawn = quality.curves(facts.evals), (LOSSES, ACCURACIES[facts.rule])
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
            if slope is not None:
                ends = [slope.start, slope.end]
                low, mean, high = ([slope.at(x, s) for x in ends] for s in (slope.low, slope.slope, slope.high))
                axes.fill_between(ends, low, high, color=COLOURS["g"], alpha=0.15, linewidth=0)
                axes.plot(ends, mean, "--", color="black", linewidth=1, label=f"trend {slope.slope:+.5f} / epoch")
        _finish(axes, title)
    if scored:
        _scored(figure.add_subplot(1, panels, panels), facts, scored)
    title = f"{facts.config.recipe} · {facts.data.get('name', '')} · seed {facts.config.seed}"
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _scored(axes: Axes, facts: Facts, curves: list[quality.Curve]) -> None:
    """The curve that a checkpoint was selected by, or the first one, with real images and the selected marked."""
    chosen = quality.selection(facts.selected, facts.evals)
    curve = next((curve for curve in curves if chosen and curve.metric == chosen.metric), curves[0])
    axes.plot(curve.nimg / facts.n, curve.values, ".-", color=COLOURS["g"], linewidth=1.5, label="generated")
    if curve.floor is not None:
        axes.axhline(curve.floor, color="#888", linewidth=0.8, linestyle=(0, (4, 4)), label="real images")
    if chosen and chosen.metric == curve.metric:
        axes.axvline(chosen.nimg / facts.n, color=COLOURS["g"], linewidth=0.8, linestyle=":", label="selected")
        if again := chosen.fresh.get(curve.metric):
            axes.plot(chosen.nimg / facts.n, again["value"], "o", color=COLOURS["g"], mfc="white",
                      label="selected, fresh images")  # fmt: skip
    _finish(axes, curve.metric.replace("$", r"\$"))


def _finish(axes: Axes, title: str) -> None:
    axes.set_xlabel("epoch")
    axes.set_title(title, loc="left", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False, fontsize=9)
