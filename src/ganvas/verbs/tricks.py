"""The tips of the field: all of them, or one with its source and what it changes."""

from __future__ import annotations

import json
from typing import Any

from ganvas.config import Config
from ganvas.verbs import Parser


def tricks(words: list[str]) -> int:
    """List the tricks, or show one."""
    from ganvas.recipes import get as recipe
    from ganvas.tricks import TRICKS, on

    parser = Parser(prog="ganvas tricks", description="List the tricks for `ganvas train RECIPE --with NAME`.")
    parser.add_argument("name", nargs="?")
    parser.add_argument("--recipe", metavar="NAME", help="mark those that this recipe has on already")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    args = parser.parse_args(words)
    config = recipe(args.recipe).config if args.recipe else Config()
    there = on(config) if args.recipe else []
    if args.json:
        for name in [args.name] if args.name else TRICKS:
            print(json.dumps(_row(name, config)))
    elif args.name:
        row = _row(args.name, config)
        print(f"{args.name}: {row['title']}\nsource:    {row['source']}\nchanges:")
        for key, value in row["changes"].items():
            print(f"  {key} = {value}")
        print(f"helps:     {row['helps']}\nhurts:     {row['hurts']}")
        if row["conflicts"]:
            print(f"not with:  {', '.join(row['conflicts'])}")
        print(f"try it:    ganvas train {args.recipe or 'quick'} --with {args.name}")
    else:
        for name, trick in TRICKS.items():
            print(f"{'*' if name in there else ' '} {name:24} {trick.title}\n  {'':24} {trick.source}")
        if args.recipe:
            print(f"* is on in {args.recipe}")
    return 0


def _row(name: str, config: Config) -> dict[str, Any]:
    from ganvas.tricks import conflicts, get

    trick = get(name)
    return {
        "name": name, "title": trick.title, "source": trick.source, "changes": trick.settings(config),
        "helps": trick.helps, "hurts": trick.hurts, "conflicts": conflicts(name, config),
    }  # fmt: skip
