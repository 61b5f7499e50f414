"""Which images a visitor asks for: checked values of a query."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from ganvas.errors import UsageError, shown
from ganvas.ui.rooms.play.directions import METHODS, MOST
from ganvas.ui.rooms.play.model import Model, Weights

LARGEST_SEED = 2**32 - 1
MOST_IMAGES = 100
FARTHEST = 10.0
"""Standard deviations that a slider moves at most."""
WIDEST = 2.0
"""Largest truncation."""
MOVE = re.compile(r"([a-z]{1,12})\.(\d{1,3})\.(-?\d{1,3}(?:\.\d{1,6})?)", re.ASCII)


@dataclass(frozen=True)
class Asked:
    """Images number start to start + n - 1 of a seed, as `Generator.sample` counts them, and what is done to z."""

    seed: int = 0
    start: int = 0
    n: int = 1
    columns: int = 1
    label: int | None = None
    """Their class; None: a class a row, where G has classes."""
    psi: float = 1.0
    """Truncation: factor of z."""
    moves: tuple[tuple[str, int, float], ...] = ()
    """(method, number of the direction, standard deviations)."""
    weights: Weights = "ema"


def read(query: Mapping[str, str], model: Model) -> Asked:
    """What a query asks of a model; UsageError for anything that the model does not have or that is out of bounds."""
    n = whole(query, "n", 1, 1, MOST_IMAGES)
    weights = query.get("weights", "ema")
    if weights not in ("ema", "raw"):
        raise UsageError(f"weights = {shown(weights)}: choose ema or raw")
    return Asked(
        seed=whole(query, "seed", 0, 0, LARGEST_SEED),
        start=whole(query, "start", 0, 0, LARGEST_SEED),
        n=n,
        columns=whole(query, "columns", n, 1, MOST_IMAGES),
        label=label_of(query, "class", model),
        psi=number(query, "psi", 1.0, 0.0, WIDEST),
        moves=_moves(query.get("moves", "")),
        weights="raw" if weights == "raw" else "ema",
    )


def label_of(query: Mapping[str, str], name: str, model: Model) -> int | None:
    """The number of a class; None where none is named."""
    classes = len(model.generator.class_names)
    if not query.get(name):
        return None
    if not classes:
        raise UsageError(f"{model.name} was trained without classes: leave {name} out")
    return whole(query, name, 0, 0, classes - 1)


def whole(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    """A whole number of a query, within its bounds; UsageError otherwise."""
    text = query.get(name, "") or str(default)
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or not least <= int(text) <= most:
        raise UsageError(f"{name} = {shown(text)}: expected a whole number from {least} to {most}")
    return int(text)


def number(query: Mapping[str, str], name: str, default: float, least: float, most: float) -> float:
    """A number of a query, within its bounds; UsageError otherwise."""
    text = query.get(name, "") or str(default)
    try:
        value = float(text) if len(text) < 30 else math.nan
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise UsageError(f"{name} = {shown(text)}: expected a number from {least:g} to {most:g}")
    return value


def _moves(text: str) -> tuple[tuple[str, int, float], ...]:
    """Sliders away from 0, as METHOD.NUMBER.AMOUNT, separated by commas."""
    found = []
    for part in text.split(",") if text else ():
        move = MOVE.fullmatch(part)
        if move is None or move[1] not in METHODS or int(move[2]) >= MOST or abs(float(move[3])) > FARTHEST:
            known = " or ".join(METHODS)
            raise UsageError(f"moves = {shown(part)}: expected {known}, a direction below {MOST} and an amount")
        if float(move[3]):
            found.append((move[1], int(move[2]), float(move[3])))
    if len(found) > len(METHODS) * MOST:
        raise UsageError("moves: each direction once")
    return tuple(found)
