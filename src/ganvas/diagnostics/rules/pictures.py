"""Rules on what the pictures look like: saturated, in the wrong range, under a grid."""

from __future__ import annotations

import shlex

import numpy as np

from ganvas.diagnostics.case import Case, recent
from ganvas.diagnostics.finding import Finding

SATURATED = 0.2
"""Share of values at the ends of tanh, beyond that of the real images, that is no style any more."""
BETWEEN = 0.5
"""Share of values between the ends over that of the real images, where these have many at the ends themselves."""
DARK = 20.0
"""Standard deviation of the real images' values, in levels of 255, below which they use a corner of the range."""
GRID = 5.0
"""Power at the frequencies of the strides over that around them (1,024 real images: 1.0 to 1.3, 64: up to 2.4)."""
DEEP = 0.06
"""Depth of that grid over the samples' standard deviation from which on it is seen without being looked for."""
LASTING = 4
"""Looks over whose median it is judged: young pictures have one and lose it."""


def saturation(case: Case) -> Finding | None:
    """Much of each picture is pure black, white or full colour, though the real images are not."""
    fake, real = case.look("saturated/fake"), case.look("saturated/real")
    good = (fake > real + SATURATED) | (1 - fake < BETWEEN * (1 - real))
    tries = [case.rates(g=0.2), case.rates(d=4), "--with ema"]
    return case.finding("saturation", good, ("saturated/fake", "saturated/real", "contrast/fake"), tries)


def wrong_range(case: Case) -> Finding | None:
    """The real images themselves use a small part of 0 to 255: scaled twice, or stored as 0 to 1."""
    contrast = case.look("contrast/real")
    return case.finding(
        "range", contrast < DARK, ("contrast/real", "brightness/real"), (), least=1, sure="high",
        brightness=f"{_last(case.look('brightness/real')):.0f}", contrast=f"{_last(contrast):.0f}",
    )  # fmt: skip


def checkerboard(case: Case) -> Finding | None:
    """A pattern with the period of the strides lies over every picture, and stays."""
    plain = recent(case.look("grid/fake") / case.look("grid/real"), LASTING) > GRID
    good = plain & (recent(case.look("grid/depth"), LASTING) > DEEP)
    other = [f"ganvas train quick --data {shlex.quote(case.config.data.name)}"] if case.config.recipe != "quick" else []
    shown = ("grid/depth", "grid/fake", "grid/real")
    return case.finding("checkerboard", good, shown, [*other, "--with r1-r2"], among=case.grown)


def _last(values: np.ndarray) -> float:
    return float(values[-1]) if len(values) else float("nan")
