"""Pictures of a run for docs/: its last grid beside real images, and a small GIF of how it got there.

python tools/show_run.py RUN NAME      writes docs/NAME.png and docs/NAME.gif, prints a line for the table
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

from ganvas import media
from ganvas.reports.facts import gather
from ganvas.runs.run import Run

DOCS = Path(__file__).resolve().parents[1] / "docs"
TILES = (4, 8)  # rows and columns of the grid that are shown
FRAMES = 40


def main() -> None:
    run, name = Run.open(sys.argv[1]), sys.argv[2]
    facts = gather(run)
    assert facts.real is not None
    _, height, width = facts.shape
    box = (0, 0, TILES[1] * width, TILES[0] * height)
    frames = [(at, grid.crop(box)) for at, grid in media.evenly_spaced(facts.grids, FRAMES)]
    last, real = frames[-1][1], facts.real.crop(box)
    both = Image.new("RGB", (2 * last.width + 8, last.height), "white")
    both.paste(last, (0, 0))
    both.paste(real, (last.width + 8, 0))
    both.resize((2 * both.width, 2 * both.height), Image.Resampling.NEAREST).save(DOCS / f"{name}.png", optimize=True)
    pictures = [grid for _, grid in frames]
    (DOCS / f"{name}.gif").write_bytes(media.gif(pictures, media.shared_palette([last, real])))
    print(f"| `{name}` | {facts.nimg:,} | {facts.epochs:.1f} | {facts.seconds / 60:.0f} |")


if __name__ == "__main__":
    main()
