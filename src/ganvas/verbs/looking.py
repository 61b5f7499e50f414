"""What is there: recipes, runs, reports, samples of a trained generator."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ganvas.errors import UsageError
from ganvas.verbs import Parser, save_picture


def recipes(words: list[str]) -> int:
    """All recipes, or one with its layers."""
    from ganvas.recipes import RECIPES, get

    parser = Parser(prog="ganvas recipes", description="List the recipes, or show one with its layers.")
    parser.add_argument("name", nargs="?")
    args = parser.parse_args(words)
    if args.name is None:
        for name, recipe in RECIPES.items():
            print(f"{name:20} {recipe.title}\n{'':20} {recipe.source}, {recipe.year}; reported: {recipe.reported}")
        return 0
    from ganvas import data, models

    recipe = get(args.name)
    shape = next(row.shape for row in data.describe() if row.name == recipe.config.data.name)
    print(f"{args.name}: {recipe.title}\nsource: {recipe.source}, {recipe.year}\nreported: {recipe.reported}")
    g, d, step = recipe.config.g_optim, recipe.config.d_optim, recipe.config.step
    print(f"update: {step.update}, batch {step.batch}; Adam: G {g.lr:g}, D {d.lr:g}, beta1 {g.beta1:g}, {d.beta1:g}")
    for network, layers in models.summary(recipe.config, shape).items():
        print(f"\n{network} for {' x '.join(map(str, shape))}")
        for layer in layers:
            print(f"  {layer.kind:18} {' x '.join(map(str, layer.output)):16} {layer.params:>10,}")
        print(
            f"  {'total':35} {sum(layer.params for layer in layers):>10,}  (as Keras counts: with running statistics)"
        )
    return 0


def runs(words: list[str]) -> int:
    """A table of the runs below a folder."""
    from ganvas import listing

    parser = Parser(prog="ganvas runs", description="List the runs below a folder.")
    parser.add_argument("root", nargs="?", default="runs", metavar="DIR")
    parser.add_argument(
        "--prune", action="store_true", help="of finished runs keep only the last checkpoint; say what was freed"
    )
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    args = parser.parse_args(words)
    if args.prune:
        print(f"freed {listing.prune(Path(args.root)) / 1e6:.1f} MB", file=sys.stderr)
    rows = listing.rows(Path(args.root))
    if args.json:
        for row in rows:
            print(json.dumps(row))
    else:
        print(listing.table(rows) if rows else f"no runs below {args.root}: ganvas train cifar-dcgan-recap --minutes 5")
    return 0


def report(words: list[str]) -> int:
    """Write report.html, progress.gif, progress.webp and curves.png."""
    from ganvas import report as room
    from ganvas.run import Run

    parser = Parser(
        prog="ganvas report", description="Write a run's report.html, progress.gif, progress.webp, curves.png."
    )
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the report")
    args = parser.parse_args(words)
    print(f"report: {room.write(Run.open(args.run), args.lang)}")
    return 0


def sample(words: list[str]) -> int:
    """Draw images from a trained generator."""
    parser = Parser(
        prog="ganvas sample",
        description="Draw images from a run or a snapshot: a grid (x.png), a folder of PNGs, or an array (x.npz).",
    )
    parser.add_argument("run", metavar="RUN_OR_SNAPSHOT")
    parser.add_argument("--n", type=int, default=64, help="how many (64)")
    parser.add_argument("--seed", type=int, default=0, help="image i is a function of (seed, i) (0)")
    parser.add_argument("--out", required=True, metavar="x.png | x.npz | FOLDER")
    parser.add_argument("--columns", type=int, default=8, help="of the grid (8)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    args = parser.parse_args(words)
    if args.columns < 1 or args.seed < 0:
        raise UsageError("--columns must be 1 or more, --seed 0 or more")
    out = Path(args.out)
    if out.suffix.lower() not in (".png", ".npz", "") and not out.is_dir():
        raise UsageError(f"--out {out}: name a .png, a .npz or a folder")

    from ganvas import media
    from ganvas.disk import writing_to
    from ganvas.sampler import load

    sampler = load(args.run, args.device)
    images = sampler.sample(args.n, args.seed)
    with writing_to(out):
        if out.suffix.lower() == ".png" and not out.is_dir():
            save_picture(media.grid(images, args.columns), out)
        elif out.suffix.lower() == ".npz":
            import numpy as np

            out.parent.mkdir(parents=True, exist_ok=True)
            np.savez_compressed(out, images=images.transpose(0, 2, 3, 1))
        else:
            out.mkdir(parents=True, exist_ok=True)
            for i, image in enumerate(images):
                (out / f"{i:06d}.png").write_bytes(media.still(media.grid(image[None])))
    print(f"{out}: {len(images)} images from {sampler.path} ({sampler.nimg:,} images seen), seed {args.seed}")
    return 0
