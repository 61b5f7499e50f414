"""Runs: the table of them, their reports, samples of a trained generator."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganvas.cli.parser import Parser, add_force, add_guidance, save_picture
from ganvas.errors import UsageError
from ganvas.files import MARK, check_replaceable, replace_file, writing_to
from ganvas.terminal import show, show_text


def runs(argv: list[str]) -> int:
    """A table of the runs below a folder."""
    from ganvas.runs import listing

    parser = Parser(prog="ganvas runs", description="List the runs below a folder.")
    parser.add_argument("root", nargs="?", default="runs", metavar="DIR")
    parser.add_argument("--prune", action="store_true", help="delete all but the last checkpoint of finished runs")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    args = parser.parse_args(argv)
    if args.prune:
        pruned = listing.prune(Path(args.root))
        for line in (*pruned.notes, f"freed {pruned.freed / 1e6:.1f} MB"):
            show(line, file=sys.stderr)
    rows = listing.rows(Path(args.root))
    if args.json:
        for row in rows:
            show(json.dumps(row))
    else:
        show_text(listing.table(rows) if rows else f"no runs below {args.root}: ganvas train quick --minutes 5")
    return 0


def report(argv: list[str]) -> int:
    """Write report.html, progress.gif, progress.webp and curves.png."""
    from ganvas.reports import write
    from ganvas.runs.run import Run

    parser = Parser(
        prog="ganvas report", description="Write a run's report.html, progress.gif, progress.webp, curves.png."
    )
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the report")
    args = parser.parse_args(argv)
    show(f"report: {write(Run.open(args.run), args.lang)}")
    return 0


def sample(argv: list[str]) -> int:
    """Draw images from a trained generator."""
    parser = Parser(
        prog="ganvas sample",
        description="Draw images from a run, a snapshot or a shipped model: a grid (x.png), an array (x.npz) or a "
        "folder of PNGs. A grid shows one class per row; arrays and folders hold classes as often as the data. "
        "The discriminator can guide it, where it is kept with the generator; files then say so.",
    )
    parser.add_argument("model", metavar="MODEL_OR_RUN_OR_SNAPSHOT")
    parser.add_argument("--n", type=int, help="number of images (64; in a grid of several classes, one row of each)")
    parser.add_argument("--seed", type=int, default=0, help="image i depends only on (seed, i, class) (0)")
    parser.add_argument("--class", dest="label", metavar="NAME", help="only this class")
    parser.add_argument("--out", metavar="x.png | x.npz | FOLDER", help="NAME.png in this folder by default")
    add_force(parser)
    parser.add_argument("--columns", type=int, default=8, help="of the grid (8)")
    add_guidance(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    args = parser.parse_args(argv)
    if args.columns < 1 or args.seed < 0:
        raise UsageError("--columns must be 1 or more, --seed 0 or more")
    out = Path(args.out or f"{Path(args.model).absolute().name.removesuffix('.safetensors')}.png")
    suffix = "" if out.is_dir() else out.suffix.lower()
    if suffix not in (".png", ".npz", ""):
        raise UsageError(f"--out {out}: name a .png, a .npz or a folder")

    from ganvas.generator import load
    from ganvas.sampling import Guidance

    guidance = Guidance(args.best_of, args.refine, args.rejection)
    if suffix:
        check_replaceable(out, args.force)
    generator = load(args.model, args.device)
    rows = generator.class_names if args.label is None and suffix == ".png" else ()
    n = args.n if args.n is not None else len(rows) * args.columns or 64
    if suffix == ".png":
        picture = generator.grid(n, args.seed, args.columns, args.label, **vars(guidance))
        save_picture(picture, out, args.force, guidance.text)
    else:
        images = generator.sample(n, args.seed, labels=args.label, **vars(guidance))
        labels = generator.labels(n, args.seed, labels=args.label)
        pack = _array if suffix else _folder
        files = list(pack(out, images, labels, generator.class_names, guidance.text))
        for path, _ in files:
            check_replaceable(path, args.force)
        with writing_to(out):
            for path, content in files:
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, content, flush=len(files) == 1)
    order = f"; one class per row: {', '.join(rows[: -(-n // args.columns)])}" if rows else ""
    how = f", {guidance.text} after {generator.discriminator.nimg:,} images" if guidance else ""
    show(f"{out}: {n} images from {generator.path} ({generator.nimg:,} images seen), seed {args.seed}{how}{order}")
    return 0


def _array(
    out: Path, images: Any, labels: Any, class_names: tuple[str, ...], sampling: str
) -> Iterator[tuple[Path, bytes]]:
    """One npz file, marked in its zip comment; `sampling` says how D guided it, where it did."""
    import numpy as np

    about = {} if labels is None else {"labels": labels, "class_names": np.array(class_names)}
    about |= {"sampling": np.array(sampling)} if sampling else {}
    file = io.BytesIO()
    np.savez_compressed(file, images=images.transpose(0, 2, 3, 1), **about)
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = MARK.encode()
    yield out, file.getvalue()


def _folder(
    out: Path, images: Any, labels: Any, class_names: tuple[str, ...], sampling: str
) -> Iterator[tuple[Path, bytes]]:
    """One PNG per image, in a folder per class for conditional models."""
    from ganvas import media

    folders = _folder_names(class_names)
    for i, image in enumerate(images):
        folder = out if labels is None else out / folders[labels[i]]
        yield folder / f"{i:06d}.png", media.marked_png(media.grid(image[None]), sampling)


def _folder_names(class_names: tuple[str, ...]) -> list[str]:
    """A folder for each class: where two would share one, on any system, the later has its number added."""
    found: list[str] = []
    for label, name in enumerate(class_names):
        folder = _folder_name(name, label)
        while folder.casefold() in map(str.casefold, found):
            folder = f"{folder}-{label}"
        found.append(folder)
    return found


def _folder_name(class_name: str, label: int) -> str:
    """A class's name as that of a folder below another: what would lead elsewhere is replaced."""
    name = re.sub(r"[/\\:\x00-\x1f]", "-", class_name).strip(". ")
    return name or f"class-{label}"
