"""Scores as a person reads them: one block for each extractor, with what the numbers rest on above them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ganvas.evaluation import Score
from ganvas.metrics.extractors.registry import kind
from ganvas.terminal import printable

HEAD = ("metric", "value", "95 % interval", "real", "noise", "better")
WORDS = {"lower": "lower", "higher": "higher", "real": "like real"}
OF_A_CLASS = {"class_distance": "seen as it", "gan_test_accuracy": "recognised", "class_recall": "recall within it"}


def text(scores: Sequence[Score]) -> str:
    """The table, 80 to 100 columns wide."""
    return "\n\n".join(map(_block, _grouped(scores)))


def blocks(scores: Sequence[Score]) -> list[tuple[list[str], list[tuple[str, ...]]]]:
    """(what the numbers rest on, the rows below HEAD) of each extractor."""
    return [(_preface(group), [_row(score) for score in group]) for group in _grouped(scores)]


def _grouped(scores: Sequence[Score]) -> list[list[Score]]:
    return [list(group) for _, group in groupby(scores, key=lambda s: (s.extractor, s.reference, s.split))]


def _preface(scores: list[Score]) -> list[str]:
    first = scores[0]
    seen = f", after {first.nimg:,} images" if first.nimg is not None else ""
    sets = f"{first.sets} sets of {first.n:,}" if first.sets > 1 else f"{first.n:,} images"
    return [
        f"{first.source}{seen}: {sets}, seed {first.seed}, against {first.reference}:{first.split} ({first.n_ref:,})",
        f"features {first.extractor}, {first.resize}, weights {first.weights_hash[:12]}",
        f"baselines: real images, {_sources(scores)} per set; noise, uniform",
    ]


def _block(scores: list[Score]) -> str:
    lines = _preface(scores)
    rows = [HEAD, *(_row(score) for score in scores)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        name, *figures, better = row
        cells = [f"{name:<{widths[0]}}", *(f"{f:>{w}}" for f, w in zip(figures, widths[1:-1], strict=True)), better]
        lines.append("  " + "  ".join(cells).rstrip())
    return "\n".join(map(printable, [*lines, *_classes(scores)]))


def _classes(scores: list[Score]) -> list[str]:
    """A line for each class, with the numbers that exist per class."""
    columns = {OF_A_CLASS[kind(score.metric)]: score.by_class for score in scores if score.by_class}
    columns = {head: {printable(k): v for k, v in column.items()} for head, column in columns.items()}
    names = dict.fromkeys(name for column in columns.values() for name in column)
    width = max(map(len, ("class", *names)))
    lines = ["  ".join([f"  {'class':<{width}}", *columns])] if columns else []
    for name in names:
        cells = [f"{column[name]:.1%}" if name in column else "" for column in columns.values()]
        figures = (f"{cell:>{len(head)}}" for cell, head in zip(cells, columns, strict=True))
        lines.append("  ".join([f"  {name:<{width}}", *figures]).rstrip())
    return lines


def _sources(scores: list[Score]) -> str:
    """Where the real baselines come from."""
    found = (f"{s.real_baseline_from}, {s.real_baseline_n:,}" for s in scores if s.real_baseline_from)
    return " and ".join(dict.fromkeys(found)) or "none"


def _row(score: Score) -> tuple[str, ...]:
    interval = "" if score.low is None or score.high is None else f"{number(score.low)} to {number(score.high)}"
    real = "" if score.real_baseline is None else number(score.real_baseline)
    noise = "" if score.noise_baseline is None else number(score.noise_baseline)
    return score.metric, number(score.value), interval, real, noise, WORDS[score.better]


def number(value: float) -> str:
    """Four significant digits, without exponents where they can be had."""
    if value == 0 or 1e-4 <= abs(value) < 1e5:
        digits = f"{value:.4g}"
        return f"{value:.0f}" if "e" in digits else digits
    return f"{value:.2e}"
