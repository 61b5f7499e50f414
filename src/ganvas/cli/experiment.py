"""Experiment: recipes x tricks x settings x seeds at an equal budget, then the comparison."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from ganvas.cli.parser import Parser, names
from ganvas.errors import UsageError, did_you_mean


def experiment(words: list[str]) -> int:
    """Run an experiment, or go on with it."""
    parser = Parser(
        prog="ganvas experiment",
        description="Train every cell of an experiment with every seed at an equal budget, score and compare them. The "
        "same command goes on where it was stopped. NAME: course, ladder, ablate RECIPE, a TOML file, or a recipe "
        "with --vary.",
    )
    parser.add_argument("name", nargs="?", metavar="NAME_OR_FILE", help="without it: those that ship")
    parser.add_argument("recipe", nargs="?", help="after ablate: whose parts are left out one at a time")
    parser.add_argument("--vary", action="append", metavar="SETTING=A,B,...", help="a cell for each value; repeatable")
    parser.add_argument("--seeds", type=int, help="runs of each cell, seeds 0, 1, ... (3)")
    parser.add_argument("--jobs", type=int, help="trainings at a time, each on its share of the cores (one a core)")
    parser.add_argument("--minutes", type=float, metavar="M", help="training of each run (10)")
    parser.add_argument("--kimg", type=float, metavar="K", help="in place of minutes: thousand images of each run")
    parser.add_argument("--data", metavar="NAME_OR_PATH", help="data set, in place of the experiment's own")
    parser.add_argument("--with", dest="tricks", action="append", metavar="TRICK", help="in every cell; repeatable")
    parser.add_argument("--features", metavar="F,...", help="extractors to score by (as ganvas evaluate)")
    parser.add_argument("--metrics", metavar="M,...", help="what is judged (fd); all are measured")
    parser.add_argument("--n", type=int, help="images that each final generator is scored by (10,000)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder of its runs (experiments/NAME)")
    parser.add_argument("--dry-run", action="store_true", help="show what would run, then stop")
    parser.add_argument("--retry", action="store_true", help="take up again what failed")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the page and the reports")
    args = parser.parse_args(words)
    if args.jobs is not None and args.jobs < 1:
        raise UsageError("--jobs must be 1 or more")

    from ganvas.experiments import plan as plans

    if args.name is None:
        for name, path in plans.builtin().items():
            print(f"{name:16} {plans.read(path)['title']}")
        print("ablate RECIPE    a recipe, one part left out at a time")
        return 0
    name, values = _values(args, plans)
    more = [trick for word in args.tricks or () for trick in names(word)]
    changes = {
        "seeds": args.seeds, "minutes": args.minutes, "kimg": args.kimg, "data": args.data, "n": args.n,
        "features": list(names(args.features)) or None, "metrics": list(names(args.metrics)) or None,
        "tricks": [*values.get("tricks", []), *more] or None,
    }  # fmt: skip
    plan = plans.make(name, values, changes)
    out = args.out or Path("experiments") / name
    if args.dry_run:
        print(described(plan, out, args.jobs))
        return 0

    from ganvas import experiments as room
    from ganvas import i18n
    from ganvas.comparison import formats

    result = room.run(plan, out, args.jobs, args.retry, args.lang)
    if not result.finished:
        print(
            f"stopped and saved; the same command goes on: {sum(t.state == 'done' for t in result.tasks)} runs are done"
        )
        return 130
    for task in result.tasks:
        if task.state == "failed":
            print(f"{task.name} failed: {task.reason} (log: {task.log}; again with --retry)")
    if result.comparison is None:
        print(f"fewer than two cells have a finished run: nothing to compare ({out})")
        return 1
    print(formats.text(result.comparison, i18n.load(args.lang)))
    print(f"comparison: {result.page}")
    return 0 if all(task.state == "done" for task in result.tasks) else 1


def _values(args: Any, plans: Any) -> tuple[str, dict[str, Any]]:
    """Name and values of the plan that is meant."""
    from ganvas.config.recipes import RECIPES
    from ganvas.experiments.ablate import ablation

    if args.name == "ablate":
        if not args.recipe:
            raise UsageError("name the recipe as well: ganvas experiment ablate RECIPE")
        return f"ablate-{args.recipe}", ablation(args.recipe)
    if args.recipe:
        raise UsageError(f"unknown argument {args.recipe} (ganvas experiment --help)")
    path = Path(args.name)
    if path.suffix == ".toml":
        values: dict[str, Any] = plans.read(path)
        name = path.stem
    elif args.name in plans.builtin():
        name, values = args.name, plans.read(plans.builtin()[args.name])
    elif args.name in RECIPES:
        if not args.vary:
            raise UsageError(f"say what to try of {args.name}, such as --vary g_optim.lr=1e-4,5e-4")
        settings = [word.partition("=")[0] for word in args.vary]
        name, values = "-".join([args.name, *settings]), {"recipe": args.name}
    else:
        known = [*plans.builtin(), "ablate", *RECIPES]
        raise UsageError(
            f"unknown experiment {args.name!r}{did_you_mean(args.name, known)} (ganvas experiment lists them)"
        )
    if args.vary:
        values = {**values, "vary": dict(_varied(word) for word in args.vary)}
    return name, values


def _varied(word: str) -> tuple[str, list[Any]]:
    """g_optim.lr=1e-4,5e-4 -> ("g_optim.lr", [1e-4, 5e-4]); words need no quotes."""
    key, sign, text = word.partition("=")
    if not sign or not text:
        raise UsageError(f"--vary {word}: write SETTING=A,B,... such as g_optim.lr=1e-4,5e-4")
    try:
        values = tomllib.loads(f"v = [{text}]")["v"]
    except tomllib.TOMLDecodeError:
        values = [_value(part.strip()) for part in text.split(",")]
    return key.removeprefix("--").replace("-", "_"), values


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        return text


def described(plan: Any, out: Path, jobs: int | None) -> str:
    """What would run: every cell with what sets it apart from the first, and how long that takes at least."""
    from ganvas.config import diff
    from ganvas.experiments.workers import share

    runs = len(plan.cells) * plan.seeds
    jobs, threads = share(jobs, runs)
    each = f"{plan.budget.minutes:g} minutes" if plan.budget.minutes else f"{plan.budget.kimg:g} thousand images"
    lines = [
        f"{plan.title}",
        f"{len(plan.cells)} cells x {plan.seeds} seeds = {runs} runs of {each}, {jobs} at a time, {threads} "
        f"thread{'s' if threads > 1 else ''} each, in {out}",
    ]
    if plan.budget.minutes:
        lines.append(
            f"training: {-(-runs // jobs) * plan.budget.minutes / 60:.1f} hours at least; scoring comes on top"
        )
    first = plan.cells[0].config
    for cell in plan.cells:
        changed = diff(first, cell.config)
        told = ", ".join(f"{key} {new}" for key, (_, new) in list(changed.items())[:6])
        more = f", and {len(changed) - 6} more" if len(changed) > 6 else ""
        lines.append(f"  {cell.name}: {cell.config.recipe}{f' ({told}{more})' if told else ''}")
    return "\n".join(lines)
