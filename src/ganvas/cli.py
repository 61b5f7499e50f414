"""The command line: verbs only. Nothing here imports torch before a verb needs it."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ganvas import __version__
from ganvas.config import BudgetConfig, Config, did_you_mean, diff
from ganvas.errors import GanvasError, UsageError

Verb = Callable[[list[str]], int]
SIGNALS = {"SIGINT": 130, "SIGTERM": 143}


class Parser(argparse.ArgumentParser):
    """Errors become UsageError: one line, with the nearest flag."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        words = message.removeprefix("unrecognized arguments: ").split()
        if words != message.split():
            message = f"unknown {'flag' if words[0].startswith('-') else 'argument'} {words[0]}"
            message += did_you_mean(words[0], self._option_string_actions)
        raise UsageError(f"{message} ({self.prog} --help)")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0, 2 for usage, 1 for other errors, 130 / 143 after a signal."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        if not words or words[0] in ("-h", "--help", "help"):
            print(overview())
            return 0
        if words[0] == "--version":
            print(f"ganvas {__version__}")
            return 0
        if words[0] not in VERBS:
            raise UsageError(f"unknown command {words[0]!r}{did_you_mean(words[0], VERBS)} (ganvas --help)")
        return VERBS[words[0]][0](words[1:])
    except GanvasError as error:
        if debug:
            raise
        print(f"ganvas: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print("ganvas: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if debug:
            raise
        print(f"ganvas: {error.filename or 'input/output'}: {error.strerror or error}", file=sys.stderr)
        return 1


def overview() -> str:
    """The text of `ganvas --help`."""
    lines = [f"ganvas {__version__}: train, prove, compare and show GANs for small images", ""]
    lines += [f"  ganvas {name:<8} {text}" for name, (_, text) in VERBS.items()]
    lines += ["", "  ganvas VERB --help tells more; --debug shows the traceback of an error.", ""]
    return "\n".join([*lines, "Start with:  ganvas train cifar-dcgan-recap --minutes 5"])


# -- data ------------------------------------------------------------------------------------------------------


def data(words: list[str]) -> int:
    """list, fetch, check, show."""
    from ganvas import data as room

    parser = Parser(prog="ganvas data", description="List, fetch, check and look at data sets.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | fetch | check | show")
    listing = commands.add_parser("list", help="the sets known by name")
    listing.add_argument("--json", action="store_true", help="rows as JSON")
    commands.add_parser("fetch", help="bring a known set into the cache").add_argument("name")
    check = commands.add_parser("check", help="read a set whole and say what is in it")
    check.add_argument("name", metavar="NAME_OR_PATH")
    show = commands.add_parser("show", help="a contact sheet as PNG")
    show.add_argument("name", metavar="NAME_OR_PATH")
    show.add_argument("--out", required=True, metavar="GRID.png")
    show.add_argument("--size", type=int, help="side in pixels")
    show.add_argument("--channels", type=int, choices=(1, 3), help="1 = grey, 3 = RGB")
    show.add_argument("--classes", help="only these, separated by commas")
    args = parser.parse_args(words)
    if args.command == "list":
        rows = room.describe()
        if args.json:
            for row in rows:
                print(json.dumps({**vars(row), "n": dict(row.n)}))
            return 0
        for row in rows:
            counts = " + ".join(f"{n:,} {split}" for split, n in row.n.items())
            print(
                f"{row.name:14} {counts:28} {'x'.join(map(str, row.shape)):10} {'here' if row.cached else 'to fetch'}"
            )
            print(f"{'':14} {', '.join(row.class_names)}\n{'':14} {row.licence}")
        print("Any folder, zip, npz or IDX file of images works as well: ganvas data check PATH")
    elif args.command == "fetch":
        print(f"{args.name}: {room.fetch(args.name)}")
    elif args.command == "check":
        for report in room.check(args.name):
            print("\n".join(report.lines()))
    else:
        from ganvas.config import DataConfig

        config = DataConfig(args.name, size=args.size, channels=args.channels, classes=_names(args.classes))
        images = room.load(config)
        _save_picture(room.preview(images), Path(args.out))
        print(f"{args.out}: {len(images.images):,} images of {images.name} to choose from")
    return 0


# -- recipes ---------------------------------------------------------------------------------------------------


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


# -- train and resume ------------------------------------------------------------------------------------------


def train(words: list[str]) -> int:
    """Train a recipe and write its report."""
    parser = Parser(
        prog="ganvas train RECIPE",
        description="Train a recipe, then write its report.",
        epilog="Any setting of the recipe is a flag too, such as --g-optim.lr 1e-4 (listed below).",
    )
    parser.add_argument("--data", metavar="NAME_OR_PATH", help="a known set, or your own images")
    _budget_flags(parser)
    parser.add_argument("--seed", type=int, help="0 by default")
    parser.add_argument(
        "--out", metavar="DIR", help="the run directory itself; by default the next free one below runs/"
    )
    parser.add_argument("--device", help="auto (default), cpu, cuda, cuda:1 or mps")
    parser.add_argument("--checkpoint-kimg", type=float, metavar="K", help="thousand images between checkpoints")
    parser.add_argument("--classes", help="only these classes, separated by commas")
    parser.add_argument("--limit", type=int, help="only so many images")
    parser.add_argument("--size", type=int, help="side in pixels")
    parser.add_argument("--dry-run", action="store_true", help="show what would run, then stop")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the report")
    if not words or words[0].startswith("-"):
        if "--help" in words or "-h" in words:
            parser.print_help()
            print(_config_help())
            return 0
        raise UsageError("name a recipe first: ganvas train RECIPE (ganvas recipes lists them)")

    from ganvas.recipes import get

    recipe = get(words[0]).config
    if "--help" in words or "-h" in words:
        parser.print_help()
        print(_config_help(recipe))
        return 0
    args, rest = parser.parse_known_args(words[1:])

    from ganvas import api

    own = {
        "data.name": args.data, "data.classes": _names(args.classes) or None, "data.limit": args.limit,
        "data.size": args.size, "seed": args.seed, "engine.device": args.device,
        "log.checkpoint_kimg": args.checkpoint_kimg, "budget.epochs": args.epochs, "budget.kimg": args.kimg,
        "budget.minutes": args.minutes,
    }  # fmt: skip
    config = api.override(_with_flags(recipe, rest, parser), {k: v for k, v in own.items() if v is not None})
    if args.dry_run:
        changes = diff(recipe, config)
        print(f"{config.recipe} on {config.data.name}, seed {config.seed}; against the recipe:")
        for name, (old, new) in changes.items():
            print(f"  {name}: {old} -> {new}")
        if not changes:
            print("  nothing is changed")
        return 0

    images = _load(config)
    run = api.start(config, images, args.out)
    print(f"run: {run.path}", file=sys.stderr, flush=True)
    return _proceed(run, images, args.lang)


def resume(words: list[str]) -> int:
    """Finish a run's budget, or add to it."""
    from ganvas.run import Run

    parser = Parser(prog="ganvas resume", description="Finish a run's budget, or add to it.")
    parser.add_argument("run", metavar="RUN")
    _budget_flags(parser)
    parser.add_argument("--device", help="another device than the run was begun on")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the report")
    args = parser.parse_args(words)
    run = Run.open(args.run)
    extra = BudgetConfig(args.epochs, args.kimg, args.minutes)
    given = [value for value in (args.epochs, args.kimg, args.minutes) if value is not None]
    if len(given) > 1 or any(not 0 < value < float("inf") for value in given):
        raise UsageError("give one of --minutes, --epochs and --kimg, more than 0")
    checkpoint, _ = run.latest_checkpoint()
    if not given and checkpoint is not None and checkpoint.nimg >= (run.total_nimg or float("inf")):
        print(f"{run.path} is finished: {checkpoint.nimg:,} images; add to it with --minutes, --epochs or --kimg")
        return 0
    return _proceed(run, _load(run.config), args.lang, extra if given else None, args.device)


def _proceed(run: Any, images: Any, lang: str, extra: BudgetConfig | None = None, device: str | None = None) -> int:
    from ganvas import api, console, report

    live = console.live(len(images.images))
    try:
        finished = api.proceed(run, images, [live], extra, device)
    finally:
        if isinstance(live, console.Bar):
            live.close()
    path = report.write(run, lang)
    if not finished:
        print(f"continue with: ganvas resume {run.path}", file=sys.stderr)
    print(f"report: {path}")
    return 0 if finished else SIGNALS[run.rows("events")[-1]["signal"]]


def _load(config: Config) -> Any:
    from ganvas import data

    return data.load(config.data)


def _budget_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, metavar="M", help="minutes of training")
    parser.add_argument("--epochs", type=float, metavar="E", help="passes over the data (50 by default)")
    parser.add_argument("--kimg", type=float, metavar="K", help="thousand images")


def _with_flags(config: Config, words: list[str], parser: argparse.ArgumentParser) -> Config:
    """The config changed by flags such as --g-optim.lr 1e-4; UsageError in one line."""
    if not words:
        return config
    import tyro

    shown = io.StringIO()
    try:
        with contextlib.redirect_stderr(shown), contextlib.redirect_stdout(shown):
            return tyro.cli(Config, args=words, default=config, prog=parser.prog)
    except SystemExit:
        text = _first_paragraph(shown.getvalue())
        known = [f"--{name}".replace("_", "-") for name in _setting_names(config)] + list(parser._option_string_actions)
        for word in words:
            flag = word.split("=")[0]
            if flag.startswith("--") and flag.replace("_", "-") not in known and not flag.startswith("--data.no-"):
                text = f"unknown flag {flag}{did_you_mean(flag, known)}"
                break
        raise UsageError(f"{text} (ganvas train {config.recipe} --help)") from None


def _first_paragraph(box: str) -> str:
    """The message inside the box, drawn or plain, that the flag parser prints."""
    lines = [line.strip("│╭╮╰╯ ") for line in box.splitlines()[1:]]
    is_rule = [set(line) <= {"─", "-"} for line in lines]
    first = next((i for i, rule in enumerate(is_rule) if not rule), 0)
    last = next((i for i, rule in enumerate(is_rule) if rule and i > first), len(lines))
    return " ".join(lines[first:last])


def _setting_names(config: Config) -> list[str]:
    from ganvas.api import setting_names

    return setting_names(config)


def _config_help(config: Config | None = None) -> str:
    import tyro

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        tyro.cli(Config, args=["--help"], default=config or Config(), prog="ganvas train RECIPE")
    return shown.getvalue().split("\n\n", 2)[-1]


# -- looking at runs -------------------------------------------------------------------------------------------


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
            _save_picture(media.grid(images, args.columns), out)
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


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def _save_picture(picture: Any, path: Path) -> None:
    from ganvas.disk import writing_to

    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, "PNG")


VERBS: dict[str, tuple[Verb, str]] = {
    "data": (data, "list, fetch, check or show data sets"),
    "recipes": (recipes, "the networks and trainings there are"),
    "train": (train, "train a recipe and write its report"),
    "resume": (resume, "finish a run's budget, or add to it"),
    "runs": (runs, "table of runs"),
    "report": (report, "report.html, GIF and curves of a run"),
    "sample": (sample, "draw images from a trained generator"),
}


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
