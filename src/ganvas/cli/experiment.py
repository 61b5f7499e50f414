"""Experiment: recipes x tricks x settings x seeds at an equal budget, then a comparison."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.cli.parser import Parser, names
from ganvas.errors import UsageError
from ganvas.terminal import printable, show, show_text

if TYPE_CHECKING:
    from ganvas.experiments.plan import Plan


def experiment(argv: list[str]) -> int:
    """Run an experiment, or resume it."""
    parser = Parser(
        prog="ganvas experiment",
        description="Train every cell of an experiment with every seed at an equal budget, score the runs and compare "
        "the cells. The same command resumes an interrupted experiment. NAME: course, ladder, ablate RECIPE, a TOML "
        "file, or a recipe with --vary.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME_OR_FILE", help="without it: list the experiments that ship")
    parser.add_argument("recipe", nargs="?", help="after ablate: the recipe, trained without each of its parts")
    parser.add_argument(
        "--vary", action="append", metavar="SETTING=A,B,...", help="one cell for each value; repeatable"
    )
    parser.add_argument("--seeds", type=int, help="runs of each cell, with seeds 0, 1, ... (default: 3)")
    parser.add_argument("--jobs", type=int, help="trainings at a time; they share the cores (default: one per core)")
    parser.add_argument(
        "--on", metavar="CLUSTER", help="train on the workers of a Dask scheduler: tcp://HOST:PORT, "
        "tls://HOST:PORT, or local:N for N workers here (needs ganvas[cluster])",
    )  # fmt: skip
    parser.add_argument("--threads", type=int, help="with --on: threads of each training (default: 1)")
    parser.add_argument(
        "--fetch-seconds", type=float, metavar="S", help="with --on: seconds between two checkpoints of a "
        "training that come back (default: 180)",
    )  # fmt: skip
    parser.add_argument("--status", action="store_true", help="show how far it is, from any terminal, then stop")
    parser.add_argument("--minutes", type=float, metavar="M", help="training time of each run (default: 10)")
    parser.add_argument("--kimg", type=float, metavar="K", help="instead of minutes: thousands of images of each run")
    parser.add_argument("--data", metavar="NAME_OR_PATH", help="data set, instead of the experiment's own")
    parser.add_argument("--with", dest="tricks", action="append", metavar="TRICK", help="in every cell; repeatable")
    parser.add_argument("--features", metavar="F,...", help="extractors for scoring (as in ganvas evaluate)")
    parser.add_argument("--metrics", metavar="M,...", help="metrics to test (default: fd); all others are measured too")
    parser.add_argument("--n", type=int, help="images of each final generator to score (default: 10,000)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for its runs (default: experiments/NAME)")
    parser.add_argument("--dry-run", action="store_true", help="show what would run, then stop")
    parser.add_argument("--retry", action="store_true", help="start failed trainings again")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the page and the reports")
    args = parser.parse_args(argv)
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be 1 or more")
    from ganvas.experiments.runner import check_where

    check_where(args.jobs, args.on, args.threads, args.fetch_seconds)

    from ganvas.experiments.named import find_plan
    from ganvas.experiments.plan import builtin, make_plan, read_toml

    if args.name is None:
        for name, path in builtin().items():
            show(f"{name:16} {read_toml(path)['title']}")
        show("ablate RECIPE    a recipe, without one part at a time")
        return 0
    if args.status:
        return _show_status(args)
    vary = dict(_parse_vary(text) for text in args.vary or ())
    name, values = find_plan(args.name, args.recipe, vary)
    extra = [trick for text in args.tricks or () for trick in names(text)]
    changes = {
        "seeds": args.seeds, "minutes": args.minutes, "kimg": args.kimg, "data": args.data, "n": args.n,
        "features": list(names(args.features)) or None, "metrics": list(names(args.metrics)) or None,
        "tricks": [*values.get("tricks", []), *extra] or None,
    }  # fmt: skip
    plan = make_plan(name, values, changes)
    out = args.out or Path("experiments") / name
    if args.dry_run:
        show_text(_describe(plan, out, args.jobs, args.on, args.threads))
        return 0

    from ganvas import experiments, i18n
    from ganvas.comparison import formats

    result = experiments.run(plan, out, args.jobs, args.retry, args.lang, args.on, args.threads, args.fetch_seconds)
    if not result.finished:
        done = sum(trial.state == "done" for trial in result.trials)
        show(f"interrupted and saved, {done} of {len(result.trials)} runs are done; the same command resumes it")
        return 130
    for trial in result.trials:
        if trial.state == "failed":
            show(f"{trial.name} failed: {trial.failure_reason} (log: {trial.log}; start again with --retry)")
    if result.comparison is None:
        show(f"nothing to compare in {out}: fewer than two cells have a finished run")
        return 1
    show_text(formats.text(result.comparison, i18n.load(args.lang)))
    show(f"comparison: {result.page}")
    return 0 if all(trial.state == "done" for trial in result.trials) else 1


def _show_status(args: Any) -> int:
    """How far an experiment is; its folder says all."""
    from ganvas.experiments.runner import status

    name = f"ablate-{args.recipe}" if args.name == "ablate" and args.recipe else args.name
    stem = Path(name).stem if name.endswith(".toml") else name
    vary = [_parse_vary(text)[0] for text in args.vary or ()]
    show_text(status(args.out or Path("experiments") / "-".join([stem, *vary])))
    return 0


def _parse_vary(text: str) -> tuple[str, list[Any]]:
    """g_optim.lr=1e-4,5e-4 -> ("g_optim.lr", [1e-4, 5e-4]); strings need no quotes."""
    key, equals, listed = text.partition("=")
    if not equals or not listed:
        raise UsageError(f"--vary {text}: write SETTING=A,B,... such as g_optim.lr=1e-4,5e-4")
    try:
        values = tomllib.loads(f"v = [{listed}]")["v"]
    except tomllib.TOMLDecodeError:
        values = [_parse_value(part.strip()) for part in listed.split(",")]
    return key.removeprefix("--").replace("-", "_"), values


def _parse_value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def _describe(plan: Plan, out: Path, jobs: int | None, on: str | None = None, threads: int | None = None) -> str:
    """What would run: the least time it takes, and how each cell differs from the first."""
    from ganvas.config import diff
    from ganvas.experiments.workers import split_cores

    runs = len(plan.cells) * plan.seeds
    jobs, threads = split_cores(jobs, runs) if on is None else (0, threads or 1)
    each = f"{plan.budget.minutes:g} minutes" if plan.budget.minutes else f"{plan.budget.kimg:g} thousand images"
    place = f"{jobs} at a time" if jobs else f"on {on}"
    lines = [
        plan.title,
        f"{len(plan.cells)} cells x {plan.seeds} seeds = {runs} runs of {each}, {place}, {threads} "
        f"thread{'s' if threads > 1 else ''} each, in {out}",
    ]
    if plan.budget.minutes and jobs:
        hours = -(-runs // jobs) * plan.budget.minutes / 60
        lines.append(f"training: at least {hours:.1f} hours; scoring takes extra time")
    first = plan.cells[0].config
    for cell in plan.cells:
        changed = diff(first, cell.config)
        settings = ", ".join(f"{key} {new}" for key, (_, new) in list(changed.items())[:6])
        more = f", and {len(changed) - 6} more" if len(changed) > 6 else ""
        lines.append(f"  {cell.name}: {cell.config.recipe}{f' ({settings}{more})' if settings else ''}")
    return "\n".join(map(printable, lines))
