"""Recipes and tricks: all of them, or one in detail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ganvas.cli.parser import Parser
from ganvas.config import Config, DiscriminatorConfig
from ganvas.terminal import show, show_text


def recipes(argv: list[str]) -> int:
    """All recipes, or one with its layers."""
    from ganvas.config.recipes import RECIPES, get

    parser = Parser(prog="ganvas recipes", description="List the training recipes, or show one with its layers.")
    parser.add_argument("name", nargs="?")
    args = parser.parse_args(argv)
    if args.name is None:
        for name, recipe in RECIPES.items():
            show_text(f"{name:20} {recipe.title}\n{'':20} {recipe.source}, {recipe.year}; reported: {recipe.reported}")
        return 0
    from ganvas import datasets, models

    recipe = get(args.name)
    known = next(row for row in datasets.describe() if row.name == recipe.config.data.name)
    config = recipe.config
    if config.data.labels == "auto":
        config = replace(config, data=replace(config.data, labels="use"))
    classes = models.num_classes(config, known.class_names)
    show_text(f"{args.name}: {recipe.title}\nsource: {recipe.source}, {recipe.year}")
    for what in ("reported", "measured"):
        if getattr(recipe, what) not in ("", "-"):
            show(f"{what}: {getattr(recipe, what)}")
    show_text("\n".join(_training(config)))
    conditional = f", class-conditional ({classes} classes)" if classes else ""
    for network, layers in models.summary(config, known.shape, classes).items():
        width = max(18, *(len(layer.kind) for layer in layers))
        show_text(f"\n{network} for {' x '.join(map(str, known.shape))}{conditional}")
        for layer in layers:
            show(f"  {layer.kind:{width}} {' x '.join(map(str, layer.output)):16} {layer.params:>10,}")
        total = sum(layer.params for layer in layers)
        show(f"  {'total':{width + 17}} {total:>10,}  (as Keras counts: with running statistics)")
    return 0


def _training(config: Config) -> list[str]:
    """The training in two lines: the main settings, and every other one that differs from its default."""
    step, loss = config.step, config.loss
    g, d = (f"{o.name} {o.lr:g}{_others(o, 'name', 'lr')}" for o in (config.g_optim, config.d_optim))
    parts = [
        f"update: {step.update}, batch {step.batch}{_others(step, 'update', 'batch')}",
        f"loss: {loss.name}{_others(loss, 'name')}",
        *_classification(config.discriminator),
        *(f"{part}: {others[2:]}" for part in ("penalty", "augment") if (others := _others(getattr(config, part)))),
    ]
    return ["; ".join(parts), f"optimisers: {f'G and D {g}' if g == d else f'G {g}; D {d}'}"]


def _classification(d: DiscriminatorConfig) -> Iterator[str]:
    if d.classify:
        margin = f", margin {d.classify_margin:g}" if d.classify_margin else ""
        varied = f", while within-class variety is at least {d.classify_variety:g}" if d.classify_variety else ""
        yield f"classification loss: {d.classify:g}, by the {d.classify_by}{margin}{varied}"


def _others(part: Any, *known: str) -> str:
    """Each setting of this part that differs from its default and is not known already, after a comma."""
    default, words = type(part)(), []
    for key, value in vars(part).items():
        if key not in known and value != getattr(default, key):
            number = f"{value:g}" if isinstance(value, float) else value
            words.append(key if value is True else f"no {key}" if value is False else f"{key} {number}")
    return "".join(f", {word}" for word in words)


def tricks(argv: list[str]) -> int:
    """List the tricks, or show one."""
    from ganvas.config.recipes import get as recipe
    from ganvas.config.tricks import TRICKS, active

    parser = Parser(
        prog="ganvas tricks", description="List optional training tricks for `ganvas train RECIPE --with NAME`."
    )
    parser.add_argument("name", nargs="?")
    parser.add_argument("--recipe", metavar="NAME", help="mark the tricks that this recipe already has on")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    args = parser.parse_args(argv)
    config = recipe(args.recipe).config if args.recipe else Config()
    marked = active(config) if args.recipe else []
    if args.json:
        for name in [args.name] if args.name else TRICKS:
            show(json.dumps(_row(name, config)))
    elif args.name:
        row = _row(args.name, config)
        show_text(f"{args.name}: {row['title']}\nsource:    {row['source']}\nchanges:")
        for key, value in row["changes"].items():
            show(f"  {key} = {value}")
        show_text(f"helps:     {row['helps']}\nhurts:     {row['hurts']}")
        if row["conflicts"]:
            show(f"not with:  {', '.join(row['conflicts'])}")
        show(f"try it:    ganvas train {args.recipe or 'quick'} --with {args.name}")
    else:
        for name, trick in TRICKS.items():
            show_text(f"{'*' if name in marked else ' '} {name:24} {trick.title}\n  {'':24} {trick.source}")
        if args.recipe:
            show(f"* is already on in {args.recipe}")
    return 0


def _row(name: str, config: Config) -> dict[str, Any]:
    from ganvas.config.tricks import conflicts, get

    trick = get(name)
    return {
        "name": name, "title": trick.title, "source": trick.source, "changes": trick.settings(config),
        "helps": trick.helps, "hurts": trick.hurts, "conflicts": conflicts(name, config),
    }  # fmt: skip
