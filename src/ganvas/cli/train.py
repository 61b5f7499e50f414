"""Train and resume: from flags to settings by dotted name, then to a trained run with its report."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from typing import Any

from ganvas import process
from ganvas.cli.parser import Parser, names, refuse_repeats
from ganvas.config import BudgetConfig, Config, diff
from ganvas.errors import UsageError, did_you_mean
from ganvas.terminal import show, show_text

SIGNALS = {"SIGINT": 130, "SIGTERM": 143}
STOPPED = 143
"""Exit code of the other ranks of a training that a signal stopped."""


def train(argv: list[str]) -> int:
    """Train a recipe and write its report."""
    parser = _parser()
    if not argv or argv[0].startswith("-"):
        if "--help" in argv or "-h" in argv:
            parser.print_help()
            show_text(_config_help())
            return 0
        raise UsageError("name a recipe first: ganvas train RECIPE (ganvas recipes lists them)")
    if "--help" in argv or "-h" in argv:
        from ganvas.config.recipes import get

        recipe = get(argv[0]).config
        parser.print_help()
        show_text(_config_help(recipe))
        return 0
    config, args = _parse(argv, parser)
    log_to = _trackers(args)
    from ganvas import api, ranks

    leads = ranks.current().leads
    if args.dry_run:
        return _dry_run(config) if leads else 0
    images = _load(config, leads)
    run = api.create_run(config, images, args.out)
    if leads:
        show(f"run: {run.path}", file=sys.stderr, flush=True)
    return _train(run, images, args.lang, log_to)


def configured(argv: list[str]) -> Config:
    """The config that `ganvas train` makes of its arguments. Raises UsageError as it does."""
    return _parse(argv, _parser())[0]


def _parser() -> Parser:
    parser = Parser(
        prog="ganvas train RECIPE",
        description="Train a recipe, then write its report.",
        epilog="Any setting of the recipe is a flag too, such as --g-optim.lr 1e-4 (listed below).",
    )
    parser.add_argument("--data", metavar="NAME_OR_PATH", help="a known data set, or your own images")
    _budget_flags(parser)
    parser.add_argument("--seed", type=int, help="0 by default")
    parser.add_argument(
        "--out", metavar="DIR", help="the run directory itself (default: the next free one below runs/)"
    )
    parser.add_argument("--device", help="auto (default), cpu, cuda, cuda:1 or mps")
    parser.add_argument("--checkpoint-kimg", type=float, metavar="K", help="thousand images between checkpoints")
    parser.add_argument("--classes", help="only these classes, separated by commas ('\"a, b\",c')")
    parser.add_argument("--limit", type=int, help="use only so many images")
    parser.add_argument("--size", type=int, help="side of the images in pixels")
    parser.add_argument(
        "--with",
        dest="tricks",
        action="append",
        metavar="TRICK",
        help="switch a trick on (ganvas tricks lists them); may be repeated",
    )
    parser.add_argument("--from", dest="init_from", metavar="MODEL", help="start from the generator of a model or run")
    _log_flag(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would run, and stop")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the report")
    _processes_flag(parser)
    return parser


def _parse(argv: list[str], parser: Parser) -> tuple[Config, Any]:
    """The config, and the flags that are no settings."""
    from ganvas.config.recipes import get

    recipe = get(argv[0]).config
    args, rest = parser.parse_known_args(argv[1:])

    process.prepare()  # before torch is imported
    from ganvas.training.setup import configure

    tricks = [name for word in args.tricks or () for name in names(word)]
    own = {
        "data.name": args.data, "data.classes": names(args.classes) or None, "data.limit": args.limit,
        "data.size": args.size, "seed": args.seed, "engine.device": args.device,
        "log.checkpoint_kimg": args.checkpoint_kimg, "budget.epochs": args.epochs, "budget.kimg": args.kimg,
        "budget.minutes": args.minutes,
    }  # fmt: skip
    settings = _settings(rest, configure(recipe.recipe, tricks, init_from=args.init_from), parser) if rest else {}
    if both := [name for name, value in own.items() if value is not None and name in settings]:
        raise UsageError(f"--{both[0].replace('_', '-')} is given twice, once by its short name: give it once")
    settings |= {name: value for name, value in own.items() if value is not None}
    config = configure(recipe.recipe, tricks, settings, args.init_from)
    return config, args


def _dry_run(config: Config) -> int:
    """Say what would run, and on what: a look at the data, without reading or fetching all of it."""
    from ganvas import datasets
    from ganvas.config.recipes import get
    from ganvas.training.setup import settle_labels

    images, line = datasets.glance(config.data)
    if images is not None:
        settle_labels(config, images)
    changes = diff(get(config.recipe).config, config)
    show(f"{config.recipe} on {config.data.name}, seed {config.seed}; changes to the recipe:")
    for name, (old, new) in changes.items():
        show(f"  {name}: {old} -> {new}")
    if not changes:
        show("  none")
    show(line)
    return 0


def resume(argv: list[str]) -> int:
    """Continue a run, or extend its budget."""
    from ganvas.runs.run import Run

    parser = Parser(prog="ganvas resume", description="Continue a run to the end of its budget, or extend the budget.")
    parser.add_argument("run", metavar="RUN")
    _budget_flags(parser)
    parser.add_argument("--data", metavar="PATH", help="where its images are now, if they moved")
    parser.add_argument("--device", help="another device than the run started on")
    _log_flag(parser)
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the report")
    _processes_flag(parser)
    args = parser.parse_args(argv)
    log_to = _trackers(args)
    process.prepare()  # before torch is imported
    from ganvas import api, ranks

    world = ranks.current()
    run = api.of_rank_0(lambda: Run.open(args.run))
    extra = api.extra_budget(args.minutes, args.epochs, args.kimg)
    if extra is None and world.first(lambda: api.is_finished(run)):
        if world.leads:
            checkpoint, _ = run.latest_checkpoint()
            assert checkpoint is not None
            show(f"{run.path} is finished: {checkpoint.nimg:,} images; extend it with --minutes, --epochs or --kimg")
        return 0
    images = api.images_of(run, args.data, world.leads)
    if world.leads:
        show(images.summary(), file=sys.stderr, flush=True)
    return _train(run, images, args.lang, log_to, extra, args.device)


def _train(
    run: Any,
    images: Any,
    lang: str,
    log_to: Sequence[str],
    extra: BudgetConfig | None = None,
    device: str | None = None,
) -> int:
    from ganvas import api, ranks, reports, trackers
    from ganvas.training import progress

    if not ranks.current().leads:
        return 0 if api.run_training(run, images, [], extra, device) else STOPPED
    bar = progress.show_progress(len(images.images))
    try:
        with trackers.logging(run, log_to, [bar]) as hooks:
            finished = api.run_training(run, images, hooks, extra, device)
            score = api.finish(run) if finished else ""
    finally:
        if isinstance(bar, progress.Bar):
            bar.close()
    path = reports.write(run, lang)
    if not finished:
        show(f"continue with: ganvas resume {run.path}", file=sys.stderr)
    if score:
        show(score)
    show(f"report: {path}")
    return 0 if finished else SIGNALS[run.rows("events")[-1]["signal"]]


def _load(config: Config, say: bool) -> Any:
    from ganvas import datasets

    images = datasets.load(config.data, say)
    if say:
        show(images.summary(), file=sys.stderr, flush=True)
    return images


def _budget_flags(parser: Parser) -> None:
    parser.add_argument("--minutes", type=float, metavar="M", help="minutes of training")
    parser.add_argument("--epochs", type=float, metavar="E", help="passes over the data (50 by default)")
    parser.add_argument("--kimg", type=float, metavar="K", help="thousand images")


def _log_flag(parser: Parser) -> None:
    parser.add_argument(
        "--log-to",
        action="append",
        metavar="TRACKER",
        help="log to tensorboard, trackio or wandb as well, on this machine; may be repeated",
    )


def _trackers(args: Any) -> tuple[str, ...]:
    """The trackers that the flags name; UsageError where one cannot be had."""
    from ganvas import trackers

    return trackers.checked([name for word in args.log_to or () for name in names(word)])


def _processes_flag(parser: Parser) -> None:
    """Read by cli.main before; here for the help."""
    parser.add_argument("--processes", type=int, metavar="N", help="train in N processes on this machine together")


def _settings(argv: list[str], default: Config, parser: Parser) -> dict[str, Any]:
    """The settings that flags such as --g-optim.lr 1e-4 change, by dotted name; UsageError in one line."""
    import tyro

    from ganvas.config import setting_names

    refuse_repeats([word.split("=")[0].replace("_", "-") for word in argv if word.startswith("--")])
    shown = io.StringIO()
    try:
        with contextlib.redirect_stderr(shown), contextlib.redirect_stdout(shown):
            changed = tyro.cli(Config, args=argv, default=default, prog=parser.prog)
    except SystemExit:
        text = _first_paragraph(shown.getvalue())
        known = [f"--{name}".replace("_", "-") for name in setting_names(default)] + list(parser._option_string_actions)
        for word in argv:
            flag = word.split("=")[0]
            if flag.startswith("--") and flag.replace("_", "-") not in known and not flag.startswith("--data.no-"):
                text = f"unknown flag {flag}{did_you_mean(flag, known)}"
                break
        raise UsageError(f"{text} (ganvas train {default.recipe} --help)") from None
    return {name: new for name, (_, new) in diff(default, changed).items()}


def _first_paragraph(box: str) -> str:
    """The message inside the box, drawn or plain, that the flag parser prints."""
    lines = [line.strip("│╭╮╰╯ ") for line in box.splitlines()[1:]]
    is_rule = [set(line) <= {"─", "-"} for line in lines]
    first = next((i for i, rule in enumerate(is_rule) if not rule), 0)
    last = next((i for i, rule in enumerate(is_rule) if rule and i > first), len(lines))
    return " ".join(lines[first:last])


def _config_help(config: Config | None = None) -> str:
    import tyro

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
        tyro.cli(Config, args=["--help"], default=config or Config(), prog="ganvas train RECIPE")
    return shown.getvalue().split("\n\n", 2)[-1]
