"""What a doctor rule reports about a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Confidence = Literal["high", "medium"]


@dataclass(frozen=True)
class Evidence:
    """A curve between two measurements. `nimg` counts the real images that D has consumed."""

    curve: str
    """Column of metrics.jsonl or monitor.jsonl."""
    start_nimg: int
    start_value: float
    end_nimg: int
    end_value: float


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong (or worth knowing) with a run."""

    rule: str
    """Id of the rule."""
    since: int
    """Images seen when it began."""
    confidence: Confidence
    evidence: tuple[Evidence, ...]
    suggestions: tuple[str, ...]
    """Flags of `ganvas train` that may fix it, or whole commands that begin with "ganvas"; the most likely first."""
    blanks: Mapping[str, object] = field(default_factory=dict)
    """Values for the blanks of the rule's sentences."""
