"""A recipe as text: where it comes from, its training in two lines, both networks layer by layer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ganvas import datasets, models
from ganvas.config import Config, DiscriminatorConfig
from ganvas.config.recipes import get
from ganvas.terminal import printable


def recipe_text(name: str) -> str:
    """What `ganvas recipes NAME` prints. Raises UsageError for an unknown recipe."""
    recipe = get(name)
    known = next(row for row in datasets.describe() if row.name == recipe.config.data.name)
    config = recipe.config
    if config.data.labels == "auto":
        config = replace(config, data=replace(config.data, labels="use"))
    classes = models.num_classes(config, known.class_names)
    lines = [f"{name}: {recipe.title}", f"source: {recipe.source}, {recipe.year}"]
    for what in ("reported", "measured"):
        if getattr(recipe, what) not in ("", "-"):
            lines.append(f"{what}: {getattr(recipe, what)}")
    lines += _training(config)
    conditional = f", class-conditional ({classes} classes)" if classes else ""
    for network, layers in models.summary(config, known.shape, classes).items():
        width = max(18, *(len(layer.kind) for layer in layers))
        lines += ["", f"{network} for {' x '.join(map(str, known.shape))}{conditional}"]
        for layer in layers:
            lines.append(f"  {layer.kind:{width}} {' x '.join(map(str, layer.output)):16} {layer.params:>10,}")
        total = sum(layer.params for layer in layers)
        lines.append(f"  {'total':{width + 17}} {total:>10,}  (as Keras counts: with running statistics)")
    return "\n".join(map(printable, lines))


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
