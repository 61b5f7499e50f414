"""Recipes and tricks: all of them, or one in detail."""

from __future__ import annotations

import json

from ganvas.cli.parser import Parser
from ganvas.config import Config
from ganvas.terminal import show, show_text


def recipes(argv: list[str]) -> int:
    """All recipes, or one with its layers."""
    from ganvas.config.recipes import RECIPES

    parser = Parser(prog="ganvas recipes", description="List the training recipes, or show one with its layers.")
    parser.add_argument("name", nargs="?")
    args = parser.parse_args(argv)
    if args.name is None:
        for name, recipe in RECIPES.items():
            show_text(f"{name:20} {recipe.title}\n{'':20} {recipe.source}, {recipe.year}; reported: {recipe.reported}")
        return 0
    from ganvas.training.recipe_text import recipe_text

    show_text(recipe_text(args.name))
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
