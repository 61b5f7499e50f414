"""What is there: recipes, runs, reports, samples of a trained generator."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import UsageError
from ganvas.verbs import Parser, save_picture

if TYPE_CHECKING:
    from ganvas.config import Config, DiscriminatorConfig


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
    known = next(row for row in data.describe() if row.name == recipe.config.data.name)
    config = recipe.config
    if config.data.labels == "auto":
        config = replace(config, data=replace(config.data, labels="use"))
    classes = models.classes(config, known.class_names)
    print(f"{args.name}: {recipe.title}\nsource: {recipe.source}, {recipe.year}")
    for what in ("reported", "measured"):
        if getattr(recipe, what) not in ("", "-"):
            print(f"{what}: {getattr(recipe, what)}")
    print("\n".join(_training(config)))
    told = f", told the class ({classes})" if classes else ""
    for network, layers in models.summary(config, known.shape, classes).items():
        width = max(18, *(len(layer.kind) for layer in layers))
        print(f"\n{network} for {' x '.join(map(str, known.shape))}{told}")
        for layer in layers:
            print(f"  {layer.kind:{width}} {' x '.join(map(str, layer.output)):16} {layer.params:>10,}")
        total = sum(layer.params for layer in layers)
        print(f"  {'total':{width + 17}} {total:>10,}  (as Keras counts: with running statistics)")
    return 0


def _training(config: Config) -> list[str]:
    """How it learns, in two lines: what is always of interest, and every other setting that is not as by default."""
    step, loss = config.step, config.loss
    g, d = (f"{o.name} {o.lr:g}{_others(o, 'name', 'lr')}" for o in (config.g_optim, config.d_optim))
    parts = [
        f"update: {step.update}, batch {step.batch}{_others(step, 'update', 'batch')}",
        f"loss: {loss.name}{_others(loss, 'name')}",
        *_naming(config.discriminator),
        *(f"{part}: {others[2:]}" for part in ("penalty", "augment") if (others := _others(getattr(config, part)))),
    ]
    return ["; ".join(parts), f"optimisers: {f'G and D {g}' if g == d else f'G {g}; D {d}'}"]


def _naming(d: DiscriminatorConfig) -> Iterator[str]:
    if d.classify:
        margin = f", margin {d.classify_margin:g}" if d.classify_margin else ""
        varied = f", while fakes vary {d.classify_variety:g} as much as real images" if d.classify_variety else ""
        yield f"D names classes: {d.classify:g}, by its {d.classify_by}{margin}{varied}"


def _others(part: Any, *told: str) -> str:
    """Each setting of this part that is not as by default and not told already, with a comma before it."""
    default, words = type(part)(), []
    for key, value in vars(part).items():
        if key not in told and value != getattr(default, key):
            number = f"{value:g}" if isinstance(value, float) else value
            words.append(key if value is True else f"no {key}" if value is False else f"{key} {number}")
    return "".join(f", {word}" for word in words)


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
        print(listing.table(rows) if rows else f"no runs below {args.root}: ganvas train quick --minutes 5")
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
        description="Draw images from a run, a snapshot or a model that ships: a grid (x.png), an array (x.npz) or a "
        "folder of PNGs. A grid shows one class a row; arrays and folders hold classes as often as they were learnt.",
    )
    parser.add_argument("model", metavar="MODEL_OR_RUN_OR_SNAPSHOT")
    parser.add_argument("--n", type=int, help="how many (64; in a grid of several classes, one row of each)")
    parser.add_argument("--seed", type=int, default=0, help="image i is a function of (seed, i, class) (0)")
    parser.add_argument("--class", dest="label", metavar="NAME", help="only this class")
    parser.add_argument("--out", metavar="x.png | x.npz | FOLDER", help="NAME.png here by default")
    parser.add_argument("--columns", type=int, default=8, help="of the grid (8)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    args = parser.parse_args(words)
    if args.columns < 1 or args.seed < 0:
        raise UsageError("--columns must be 1 or more, --seed 0 or more")
    out = Path(args.out or f"{Path(args.model).absolute().name.removesuffix('.safetensors')}.png")
    suffix = "" if out.is_dir() else out.suffix.lower()
    if suffix not in (".png", ".npz", ""):
        raise UsageError(f"--out {out}: name a .png, a .npz or a folder")

    from ganvas.disk import writing_to
    from ganvas.sampler import load

    sampler = load(args.model, args.device)
    rows = sampler.class_names if args.label is None and suffix == ".png" else ()
    n = args.n if args.n is not None else len(rows) * args.columns or 64
    if suffix == ".png":
        save_picture(sampler.grid(n, args.seed, args.columns, args.label), out)
    else:
        images = sampler.sample(n, args.seed, labels=args.label)
        labels = sampler.labels(n, args.seed, labels=args.label)
        with writing_to(out):
            (_save_array if suffix else _save_folder)(out, images, labels, sampler.class_names)
    order = f"; one class a row: {', '.join(rows[: -(-n // args.columns)])}" if rows else ""
    print(f"{out}: {n} images from {sampler.path} ({sampler.nimg:,} images seen), seed {args.seed}{order}")
    return 0


def _save_array(out: Path, images: Any, labels: Any, class_names: tuple[str, ...]) -> None:
    import numpy as np

    out.parent.mkdir(parents=True, exist_ok=True)
    meant = {} if labels is None else {"labels": labels, "class_names": np.array(class_names)}
    np.savez_compressed(out, images=images.transpose(0, 2, 3, 1), **meant)


def _save_folder(out: Path, images: Any, labels: Any, class_names: tuple[str, ...]) -> None:
    """One PNG an image, in a folder for each class where there are classes."""
    from ganvas import media

    for i, image in enumerate(images):
        folder = out if labels is None else out / class_names[labels[i]].replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:06d}.png").write_bytes(media.still(media.grid(image[None])))
