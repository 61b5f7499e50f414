"""The pictures of docs/why-gans-fail.md: for each rule a run of the suite that shows its fault, and a healthy one.

    python tools/doctor_pictures.py FOLDER docs/faults      FOLDER: of `doctor_suite.py train`

From left to right: real images, the run's last samples, and two curves that the rule reads, shaded from when the fault
began; in grey the unchanged recipe `lean` on the same images.
"""

from __future__ import annotations

import argparse
import textwrap
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import numpy as np
from doctor_suite import KINDS, first_reports, runs, until
from matplotlib import pyplot as plt
from PIL import Image

from ganvas import media
from ganvas.diagnostics import Finding, RunHistory, diagnose, read_history
from ganvas.diagnostics.series import column
from ganvas.i18n import load
from ganvas.runs.run import Run

PREFERRED = ("cifar10", "shapes", "fashion-mnist")
TILES = (4, 4)
FAULTY, HEALTHY = "#b3361b", "#9a9a9a"


@dataclass(frozen=True)
class Example:
    """A run with a finding, as it was at that moment, and the folder of a healthy run on the same images."""

    history: RunHistory
    finding: Finding
    healthy: Path


def examples(base: Path) -> dict[str, Example]:
    """Rule -> the run that shows its fault best: made for it, and at its end if the finding still holds there."""
    found: dict[str, tuple[tuple[object, ...], Example]] = {}
    for name, images, seed, path in runs(base):
        if not KINDS[name].expected or not (path / "done").is_file():
            continue
        whole = read_history(Run.open(path))
        for wanted, (reported, _) in first_reports(whole).items():
            if wanted not in KINDS[name].expected:
                continue
            measured = [row["nimg"] for row in whole.monitor]
            for history in (whole, until(whole, bisect_right(measured, reported))):
                finding = next((f for f in diagnose(history).findings if f.rule == wanted), None)
                if finding is not None:
                    order = (not name.startswith(wanted), history is not whole, PREFERRED.index(images), seed)
                    entry = (order, Example(history, finding, base / f"lean-{images}-s{seed}"))
                    found[wanted] = min(found.get(wanted, entry), entry, key=lambda e: e[0])
                    break
    return {name: entry for name, (_, entry) in found.items()}


def picture(path: Path, shape: tuple[int, int, int]) -> Image.Image:
    """The first tiles of a sample grid, enlarged without smoothing."""
    with Image.open(path) as whole:
        images = media.tiles(whole, shape)
    first = media.grid(images[: TILES[0] * TILES[1]], TILES[1])
    return first.resize((240, 240), Image.Resampling.NEAREST)


def curve(history: RunHistory, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(thousand images, values) of a curve: at the measurements, or of all rows if there are none."""
    nimg, values = (history.nimg, history.curve(name)) if len(history.nimg) else column(history.rows, name)
    return nimg / 1000, values


def draw(example: Example, out: Path) -> None:
    """The picture of one rule."""
    history, finding, say = example.history, example.finding, load("en")
    other = read_history(Run.open(example.healthy))
    shape, run = tuple(history.data["shape"]), Run.open(history.path)
    figure, panels = plt.subplots(1, 4, figsize=(11, 2.7), width_ratios=(1, 1, 1.5, 1.5), layout="constrained")
    last = [path for at, path in run.sample_grids() if at <= history.seen][-1]
    for panel, path, title in ((panels[0], run.path / "samples/real.png", "real"), (panels[1], last, "samples")):
        panel.imshow(picture(path, shape), cmap="gray", vmin=0, vmax=255)
        panel.set_title(title, fontsize=9)
        panel.axis("off")
    names = [e.curve for e in finding.evidence][:2]
    for panel, name in zip(panels[2:], names, strict=False):
        for of, colour, width in ((other, HEALTHY, 1.2), (history, FAULTY, 1.8)):
            panel.plot(*curve(of, name), color=colour, linewidth=width)
        panel.axvspan(finding.since / 1000, max(history.seen, finding.since + 1) / 1000, color=FAULTY, alpha=0.08, lw=0)
        panel.set_title(textwrap.fill(say(f"doctor.curve.{name}"), 44), fontsize=8)
        panel.set_xlabel("thousand images", fontsize=8)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[2 + len(names) :]:
        panel.axis("off")
    out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=100, metadata={"Software": None})
    plt.close(figure)
    with Image.open(out) as drawn:
        drawn.convert("RGB").quantize(128).save(out, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    for name, example in examples(args.folder).items():
        draw(example, args.out / f"{name}.png")
        print(f"{name}: {example.history.path.name}, since {example.finding.since}, as of {example.history.seen}")


if __name__ == "__main__":
    main()
