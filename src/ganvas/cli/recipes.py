"""Recipes and tricks: all of them, or one in detail."""

from __future__ import annotations

import json
from typing import Any

from ganvas import process
from ganvas.cli.parser import Parser
from ganvas.config import Config
from ganvas.errors import UsageError
from ganvas.terminal import show, show_text


def recipes(argv: list[str]) -> int:
    """All recipes, or one with its layers or its cost."""
    from ganvas.config.recipes import RECIPES

    parser = Parser(
        prog="ganvas recipes",
        description="List the training recipes, show one with its layers, or (--cost) count what trainings cost.",
        epilog="With NAME --cost, the budget, --data, --with and any setting are given as in ganvas train.",
    )
    parser.add_argument("name", nargs="?")
    parser.add_argument("--cost", action="store_true", help="arithmetic, memory and time, before anything is trained")
    parser.add_argument("--tflops", type=float, metavar="X", help="--cost: the time at X TFLOP/s, by arithmetic")
    parser.add_argument("--measure", action="store_true", help="--cost: the time here, from a few real updates")
    parser.add_argument("--json", action="store_true", help="--cost: rows as JSON")
    args, rest = parser.parse_known_args(argv)
    if args.cost:
        return _cost(args, rest)
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if args.tflops is not None or args.measure or args.json:
        raise UsageError("--tflops, --measure and --json belong to --cost: ganvas recipes NAME --cost")
    if args.name is None:
        for name, recipe in RECIPES.items():
            show_text(f"{name:20} {recipe.title}\n{'':20} {recipe.source}, {recipe.year}; reported: {recipe.reported}")
        return 0
    from ganvas.training.recipe_text import recipe_text

    show_text(recipe_text(args.name))
    return 0


def _cost(args: Any, rest: list[str]) -> int:
    """What one recipe costs, with the settings that `ganvas train` takes; without a name, all of them."""
    if args.tflops is not None and not args.tflops > 0:
        raise UsageError(f"--tflops {args.tflops:g}: it must be above 0")
    if args.name is None:
        if rest or args.measure or args.tflops is not None:
            raise UsageError("name a recipe for settings, --tflops and --measure: ganvas recipes NAME --cost")
        process.prepare()
        from ganvas.cost.table import overview, overview_lines

        found = overview()
        lines = [json.dumps(row) for row in found] if args.json else overview_lines(found)
        show_text("\n".join(lines))
        return 0
    from ganvas.cli.train import configured

    config = configured([args.name, *rest])
    from ganvas.cost.table import of_config, text

    subject, found = of_config(config, args.tflops, args.measure)
    if args.json:
        show_text("\n".join(json.dumps({"recipe": args.name, "data": subject.name, **row}) for row in found))
    else:
        show_text(text(args.name, subject, found))
    return 0


def tricks(argv: list[str]) -> int:
    """List the tricks, or show one."""
    from ganvas.config.recipes import get as recipe
    from ganvas.config.tricks import TRICKS
    from ganvas.config.tricks.text import list_text, trick_row, trick_text

    parser = Parser(
        prog="ganvas tricks", description="List optional training tricks for `ganvas train RECIPE --with NAME`."
    )
    parser.add_argument("name", nargs="?")
    parser.add_argument("--recipe", metavar="NAME", help="mark the tricks that this recipe already has on")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    args = parser.parse_args(argv)
    config = recipe(args.recipe).config if args.recipe else None
    if args.json:
        for name in [args.name] if args.name else TRICKS:
            show(json.dumps(trick_row(name, config or Config())))
    elif args.name:
        show_text(trick_text(args.name, config))
    else:
        show_text(list_text(config))
    return 0
