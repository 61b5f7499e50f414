"""What the doctor says: findings in a run, and checks of an installation or a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Sure = Literal["high", "medium"]


@dataclass(frozen=True)
class Evidence:
    """A curve between two places; `nimg` counts real images that D has consumed."""

    series: str
    """Column of metrics.jsonl or monitor.jsonl."""
    begin: int
    first: float
    end: int
    last: float


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (or worth knowing) with a run."""

    name: str
    """Key of its sentences, doctor.NAME.* in the locale, and of its section in docs/why-gans-fail.md."""
    since: int
    """Images seen when it set in."""
    sure: Sure
    evidence: tuple[Evidence, ...]
    tries: tuple[str, ...]
    """Flags of `ganvas train` that may cure it, the likeliest first."""
    blanks: Mapping[str, object] = field(default_factory=dict)
    """What its sentences leave open."""


@dataclass(frozen=True)
class Check:
    """One line on an installation or a data set."""

    name: str
    """Key of its sentences: doctor.NAME.STATE in the locale."""
    state: Literal["good", "advice", "bad"]
    blanks: Mapping[str, object] = field(default_factory=dict)
