"""The metric values of evals.jsonl: which rows count, the curves of a training, and the text of a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas.i18n import Translator, figure
from ganvas.stats.finite import is_number

Row = dict[str, Any]
IDENTITY = ("extractor", "weights_hash", "reference", "split", "sampling")
"""Two values of one metric can be compared only if they share these."""
DIGITS = 12  # of a hash


# -- which rows --------------------------------------------------------------------------------------------------


def latest(rows: Sequence[Row]) -> list[Row]:
    """For each metric and identity, the row with the largest nimg (the later row if two are equal), in the rows' order.

    Rows scored after training are preferred to those scored during it. The selected checkpoint's are left out: they
    belong to another generator than the last one.
    """
    best: dict[tuple[str, ...], Row] = {}
    for row in rows:
        if row.get("selected") or not isinstance(row.get("metric"), str):
            continue
        key = fields(row, ("metric", *IDENTITY))
        if key not in best or _rank(row) >= _rank(best[key]):
            best.pop(key, None)
            best[key] = row
    return list(best.values())


def _rank(row: Row) -> tuple[bool, float]:
    return not row.get("during"), row["nimg"] if is_number(row.get("nimg")) else -1


def fields(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    """The values of some keys as text, to group rows by."""
    return tuple("" if row.get(name) is None else str(row[name]) for name in names)


@dataclass(frozen=True)
class Curve:
    """One metric over the run, as scored during training: rows with the last row's identity, in order of nimg."""

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
    def real_baseline(self) -> float | None:
        """The value for real images."""
        return finite(self.rows[-1].get("real_baseline"))


def curves(rows: Sequence[Row]) -> list[Curve]:
    """The curves of the rows scored during training. A constant one, such as 10 classes of 10, is left out."""
    found: dict[str, dict[int, Row]] = {}
    for row in rows:
        metric, nimg = row.get("metric"), row.get("nimg")
        if row.get("during") and isinstance(metric, str) and is_number(nimg) and is_number(row.get("value")):
            found.setdefault(metric, {})[int(nimg)] = row
    drawn = []
    for metric, points in found.items():
        ordered = [points[nimg] for nimg in sorted(points)]
        alike = [row for row in ordered if fields(row, IDENTITY) == fields(ordered[-1], IDENTITY)]
        if len(alike) == 1 or np.ptp([row["value"] for row in alike]) > 0:
            drawn.append(Curve(metric, alike))
    return drawn


@dataclass(frozen=True)
class Selection:
    """The checkpoint that scored best during training, and its scores on new images by metric."""

    nimg: int
    metric: str
    value: float
    fresh: dict[str, Row]


def selection(selected: Row | None, rows: Sequence[Row]) -> Selection | None:
    """The content of selected.json, with scores on new images; None if it is missing or incomplete."""
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
    """The value, and its interval in brackets if it has one."""
    span = interval(row, say)
    return (
        say("quality.value_interval", value=figure(row.get("value")), interval=span) if span else figure(row["value"])
    )


def sample(row: Row, say: Translator) -> str:
    """How many images the value was measured on, and how D guided their sampling, where it did."""
    key = "quality.sets" if is_number(row.get("sets")) and row["sets"] > 1 else "quality.one_set"
    plain = say(key, sets=count(row.get("sets")), n=count(row.get("n")))
    return f"{plain} ({row['sampling']})" if row.get("sampling") else plain


def features(row: Row) -> str:
    """Name of the extractor and the first digits of its weights' hash."""
    return " ".join(str(part) for part in (row.get("extractor"), str(row.get("weights_hash") or "")[:DIGITS]) if part)


def reference(row: Row) -> str:
    """name:split."""
    return ":".join(str(row.get(name) or "–") for name in ("reference", "split"))


def rests_on(row: Row, say: Translator) -> str:
    """How a value was measured: n, sets, seed, features with their hash, reference."""
    return say("quality.rests_on", sample=sample(row, say), seed=text(row.get("seed")), features=features(row),
               reference=reference(row))  # fmt: skip


def count(value: Any) -> str:
    """A whole number with separators; a dash if it is missing."""
    return f"{int(value):,}" if is_number(value) else "–"


def text(value: Any) -> str:
    """The value as text; a dash if it is missing."""
    return "–" if value is None else str(value)


def finite(value: Any) -> float | None:
    """The value as a float; None if it is not a finite number."""
    return float(value) if is_number(value) else None


def recognised(rows: Sequence[Row]) -> Row | None:
    """The row that says how well a classifier recognises the fakes: GAN-test accuracy, else its confidence."""
    found = {row["metric"]: row for row in latest(rows) if is_number(row.get("value")) and not row.get("sampling")}
    return found.get("gan_test_accuracy") or found.get("confidence_classifier")


def by_class(row: Row) -> dict[str, float]:
    """The value for each class alone, by the class's name; may be empty."""
    parts = row.get("by_class")
    return {str(name): value for name, value in parts.items() if is_number(value)} if isinstance(parts, dict) else {}
