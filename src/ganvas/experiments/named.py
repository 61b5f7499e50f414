"""The plan that a name means: one that ships, ablate RECIPE, a TOML file, or a recipe whose settings vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas.config.recipes import RECIPES
from ganvas.errors import UsageError, command, did_you_mean
from ganvas.experiments.ablate import ablation
from ganvas.experiments.plan import builtin, read_toml


def find_plan(
    name: str, recipe: str | None = None, vary: Mapping[str, Sequence[Any]] | None = None
) -> tuple[str, dict[str, Any]]:
    """(name, values) for `make_plan`. `recipe` belongs to ablate; `vary` is dotted setting -> its values.

    Raises UsageError for a name that is none of these, GanvasError for a file that cannot be read.
    """
    if name == "ablate":
        if not recipe:
            raise UsageError("name the recipe as well, after 'ablate'")
        return f"ablate-{recipe}", ablation(recipe)
    if recipe:
        raise UsageError(f"unknown argument {recipe} (ganvas experiment --help)")
    path = Path(name)
    if path.suffix == ".toml":
        name, values = path.stem, read_toml(path)
        beside = path.parent / str(values.get("data", ""))
        if "data" in values and not Path(str(values["data"])).exists() and beside.exists():
            values["data"] = str(beside)  # a plan may stand beside its images
    elif name in builtin():
        values = read_toml(builtin()[name])
    elif name in RECIPES:
        if not vary:
            raise UsageError(f"say which setting of {name} to vary, such as --vary g_optim.lr=1e-4,5e-4")
        name, values = "-".join([name, *vary]), {"recipe": name}
    else:
        known = [*builtin(), "ablate", *RECIPES]
        raise UsageError(f"unknown experiment {name!r}{did_you_mean(name, known)} ({command('experiment')} lists them)")
    if vary:
        values = {**values, "vary": {setting: list(each) for setting, each in vary.items()}}
    return name, values
