"""Which sample grids the report shows, and what it calls them."""

from __future__ import annotations

from PIL import Image

from ganvas import media
from ganvas.i18n import Translator
from ganvas.reports.facts import Facts

FRAMES = 60


def frames(facts: Facts) -> list[tuple[int, Image.Image]]:
    """(images seen, grid), at most FRAMES of those that have the last grid's size and mode."""
    last = facts.grids[-1][1] if facts.grids else None
    alike = [(at, grid) for at, grid in facts.grids if last and (grid.size, grid.mode) == (last.size, last.mode)]
    return media.evenly_spaced(alike, FRAMES)


def label(facts: Facts, at: int, say: Translator) -> str:
    """The epoch and the number of images seen."""
    if at == 0:
        return say("frame.untrained")
    return say("frame.label", images=f"{at:,}", epochs=f"{at / facts.n:.1f}")
