"""The pictures of docs/curves.md: samples, losses and accuracies of runs, in the colours of the report.

    python tools/curve_pictures.py OUT NAME=RUN [NAME=RUN@6000,RUN ...]

A name with several runs becomes one picture with a row for each; RUN@6000 ends at 6,000 images. The runs of the page
are kinds of tools/doctor_suite.py on CIFAR-10 at 16 x 16, seed 0; the page says which, and for how many images.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from PIL import Image

from ganvas import media
from ganvas.diagnostics.series import column
from ganvas.runs.run import Run

COLOURS = {"d": "#5b6070", "g": "#2f48c8"}
"""Of D and real images, of G and fakes: those of reports."""
PANELS = (
    ("loss", (("loss/d", "d", "D"), ("loss/g", "g", "G"))),
    ("accuracy of D", (("acc/real", "d", "real"), ("acc/fake", "g", "fake"))),
)
MOMENTS = 3
"""Sample grids of each run: early, middle, last."""


def grid(path: Path, shape: tuple[int, int, int]) -> Image.Image:
    """The first nine tiles of a sample grid, enlarged without smoothing."""
    with Image.open(path) as whole:
        images = media.tiles(whole, shape)
    return media.grid(images[:9], 3).resize((240, 240), Image.Resampling.NEAREST)


def moments(run: Run, end: float) -> list[tuple[int, Path]]:
    """Early, middle and last sample grid; fewer where there are fewer."""
    grids = [shown for shown in run.sample_grids() if shown[0] <= end]
    places = {round(i * (len(grids) - 1) / (MOMENTS - 1)) for i in range(MOMENTS)}
    return [grids[place] for place in sorted(places)]


def draw_run(panels: Any, run: Run, end: float) -> None:
    """One row: sample grids, losses, accuracies, up to a number of images."""
    shape = tuple(run.data["shape"])
    for panel, shown in zip(panels[:MOMENTS], moments(run, end), strict=False):
        panel.imshow(grid(shown[1], shape))
        panel.set_title(f"{shown[0]:,}" if shown[0] else "untrained", fontsize=9)
    for panel in panels[:MOMENTS]:
        panel.axis("off")
    rows = [row for row in run.rows("metrics") if row["nimg"] <= end]
    for panel, (title, curves) in zip(panels[MOMENTS:], PANELS, strict=True):
        for name, colour, label in curves:
            nimg, values = column(rows, name)
            panel.plot(nimg / 1000, values, color=COLOURS[colour], linewidth=1.6, label=label)
        if title.startswith("acc"):
            panel.set_ylim(-0.03, 1.03)
            panel.axhline(0.5, color="#888", linewidth=0.8, linestyle=(0, (4, 4)))
        panel.set_title(title, fontsize=9)
        panel.set_xlabel("thousand images", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(fontsize=8, frameon=False)


def draw(runs: list[tuple[Run, float]], out: Path) -> None:
    """The picture of some runs, each up to a number of images, as a PNG of 128 colours."""
    shape = {"nrows": len(runs), "ncols": MOMENTS + len(PANELS), "width_ratios": (1,) * MOMENTS + (1.6,) * len(PANELS)}
    figure, panels = plt.subplots(**shape, figsize=(11, 2.2 * len(runs)), layout="constrained", squeeze=False)
    for row, (run, end) in zip(panels, runs, strict=True):
        draw_run(row, run, end)
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=100, metadata={"Software": None})
    plt.close(figure)
    with Image.open(out) as drawn:
        drawn.convert("RGB").quantize(128).save(out, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("pictures", nargs="+", metavar="NAME=RUN,RUN")
    args = parser.parse_args()
    for picture in args.pictures:
        name, _, paths = picture.partition("=")
        parts = [path.partition("@") for path in paths.split(",")]
        draw([(Run.open(path), float(end or "inf")) for path, _, end in parts], args.out / f"{name}.png")


if __name__ == "__main__":
    main()
