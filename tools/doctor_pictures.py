"""The pictures of docs/why-gans-fail.md: for each finding a run of the suite that shows it, beside a healthy one.

    python tools/doctor_pictures.py FOLDER docs/faults      FOLDER: what `doctor_suite.py train` made

From left to right: real images, the run's samples at its end, and the two curves that the finding goes by, from where
it set in shaded; in grey `lean` on the same images, nothing changed.
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
from doctor_suite import KINDS, announced, runs, until
from matplotlib import pyplot as plt
from PIL import Image

from ganvas import diagnostics as doctor
from ganvas import media
from ganvas.diagnostics.case import Case, column, of_run
from ganvas.diagnostics.finding import Finding
from ganvas.i18n import load
from ganvas.runs.run import Run

PREFERRED = ("cifar10", "shapes", "fashion-mnist")
TILES = (4, 4)
INK, REST = "#b3361b", "#9a9a9a"


@dataclass(frozen=True)
class Shown:
    """A run that shows a finding, as it stood then, and the folder of a healthy one on the same images."""

    case: Case
    finding: Finding
    healthy: Path


def shown(base: Path) -> dict[str, Shown]:
    """Finding -> the run that shows it best: made for it, at its end if it is still told there."""
    found: dict[str, tuple[tuple[object, ...], Shown]] = {}
    for name, images, seed, path in runs(base):
        if not KINDS[name].expected or not (path / "done").is_file():
            continue
        whole = of_run(Run.open(path))
        for wanted, (told, _) in announced(whole).items():
            if wanted not in KINDS[name].expected:
                continue
            looks = [row["nimg"] for row in whole.vitals]
            for case in (whole, until(whole, bisect_right(looks, told))):
                finding = next((f for f in doctor.diagnose(case).findings if f.name == wanted), None)
                if finding is not None:
                    order = (not name.startswith(wanted), case is not whole, PREFERRED.index(images), seed)
                    entry = (order, Shown(case, finding, base / f"lean-{images}-s{seed}"))
                    found[wanted] = min(found.get(wanted, entry), entry, key=lambda e: e[0])
                    break
    return {name: entry for name, (_, entry) in found.items()}


def picture(path: Path, shape: tuple[int, int, int]) -> Image.Image:
    """The first tiles of a sample grid, enlarged without smoothing."""
    with Image.open(path) as whole:
        images = media.tiles(whole, shape)
    few = media.grid(images[: TILES[0] * TILES[1]], TILES[1])
    return few.resize((240, 240), Image.Resampling.NEAREST)


def curve(case: Case, name: str) -> tuple[np.ndarray, np.ndarray]:
    """(thousand images, values) of a curve: at the looks, or where there are none by the rows."""
    nimg, values = (case.nimg, case.look(name)) if len(case.nimg) else column(case.rows, name)
    return nimg / 1000, values


def draw(it: Shown, out: Path) -> None:
    """One finding's picture."""
    case, finding, other, say = it.case, it.finding, of_run(Run.open(it.healthy)), load("en")
    shape, run = tuple(case.data["shape"]), Run.open(case.path)
    figure, panels = plt.subplots(1, 4, figsize=(11, 2.7), width_ratios=(1, 1, 1.5, 1.5), layout="constrained")
    last = [path for at, path in run.samples() if at <= case.seen][-1]
    for panel, path, title in ((panels[0], run.path / "samples/real.png", "real"), (panels[1], last, "samples")):
        panel.imshow(picture(path, shape), cmap="gray", vmin=0, vmax=255)
        panel.set_title(title, fontsize=9)
        panel.axis("off")
    names = [e.series for e in finding.evidence][:2]
    for panel, name in zip(panels[2:], names, strict=False):
        for of, colour, width in ((other, REST, 1.2), (case, INK, 1.8)):
            panel.plot(*curve(of, name), color=colour, linewidth=width)
        panel.axvspan(finding.since / 1000, max(case.seen, finding.since + 1) / 1000, color=INK, alpha=0.08, lw=0)
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
    for name, it in shown(args.folder).items():
        draw(it, args.out / f"{name}.png")
        print(f"{name}: {it.case.path.name}, since {it.finding.since}, as of {it.case.seen}")


if __name__ == "__main__":
    main()
