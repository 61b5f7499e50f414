"""A plan: the cells of an experiment (recipe, tricks, settings), its seeds, and one budget for all."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from ganvas.comparison.metric_names import check_metric_names
from ganvas.config import BudgetConfig, Config, diff, override
from ganvas.errors import GanvasError, UsageError, did_you_mean, shown

FOLDER = Path(__file__).parent / "builtin"
SEEDS, MINUTES = 3, 10.0
MOST_SEEDS, MOST_IMAGES = 10_000, 1_000_000
KEYS = (
    "title", "data", "minutes", "kimg", "seeds", "recipe", "tricks", "settings", "cells", "vary", "features", "metrics",
    "n",
)  # fmt: skip
KINDS: dict[str, type] = {"recipe": str, "tricks": list, "settings": dict, "features": list, "metrics": list}
"""Entry -> what it holds; lists hold names."""
CELL_KEYS = ("name", "about", "recipe", "tricks", "settings")


@dataclass(frozen=True)
class Cell:
    """One variant of an experiment; its config has no seed and no budget."""

    name: str
    config: Config
    about: str = ""

    @property
    def slug(self) -> str:
        """Its name as part of a folder's name."""
        return re.sub(r"[^a-z0-9.]+", "-", self.name.lower()).strip("-.") or "cell"


@dataclass(frozen=True)
class Plan:
    """Everything that an experiment runs. Each cell is trained with the seeds 0, 1, ..."""

    name: str
    title: str
    cells: tuple[Cell, ...]
    seeds: int
    budget: BudgetConfig
    features: tuple[str, ...] = ()
    """Extractors that score the runs; empty: the shipped classifier for the data, else the ImageNet one."""
    metrics: tuple[str, ...] = ()
    """Metrics that are tested; empty: fd, or kd if there is no fd. All others are measured too."""
    n: int = 10_000
    """Images of each final generator that are scored."""

    def trial_config(self, cell: Cell, seed: int, threads: int, elsewhere: bool = False) -> Config:
        """The config of one training. On the CPU, minutes become CPU minutes: other work then costs it no training.

        `elsewhere`: it is for another machine. `auto` is the CPU then, and no device need be here.
        """
        from ganvas.training.backend import resolve

        engine, budget = replace(cell.config.engine, threads=threads), self.budget
        if elsewhere and engine.device == "auto":
            engine = replace(engine, device="cpu")
        if budget.minutes is not None and (engine if elsewhere else resolve(engine)).device == "cpu":
            budget = BudgetConfig(cpu_minutes=threads * budget.minutes)
        return replace(cell.config, seed=seed, budget=budget, engine=engine)


def builtin() -> dict[str, Path]:
    """Name -> TOML file of the experiments that ship (`ablate RECIPE` is not a file)."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def read_toml(path: Path) -> dict[str, Any]:
    """The values of a TOML file; GanvasError if it cannot be read or is not TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GanvasError(f"{path} is not a readable TOML file: {error}") from error


def make_plan(name: str, values: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Plan:
    """The plan that the values of a file describe; `changes` that are not None replace some of them.

    Top level: title, data, minutes or kimg, seeds, features, metrics, n; recipe, tricks and settings of all cells;
    and `cells`, each with name, about, recipe, tricks, settings; or instead `vary`, which makes one cell for each
    combination of the listed values of its settings. Raises UsageError for values that are wrong.
    """
    changes = {key: value for key, value in (changes or {}).items() if value is not None}
    if {"minutes", "kimg"} & changes.keys():  # one budget replaces the other
        values = {key: value for key, value in values.items() if key not in ("minutes", "kimg")}
    values = {**values, **changes}
    _check_keys(values, KEYS, name)
    rows = _typed(values.get("cells", []), list, f"{name}: cells")
    vary = _typed(values.get("vary", {}), dict, f"{name}: vary")
    if rows and vary:
        raise UsageError(f"{name}: cells and vary cannot be combined")
    rows = rows or _vary_cells(vary, name)
    if not rows:
        raise UsageError(f"{name} has nothing to run: give cells, or settings to vary")
    cells = [_make_cell(row, values, name) for row in rows]
    _check_distinct(cells, name)
    seeds = _typed(values.get("seeds", SEEDS), int, f"{name}: seeds")
    n = _typed(values.get("n", 10_000), int, f"{name}: n")
    if not (1 <= seeds <= MOST_SEEDS and 2 <= n <= MOST_IMAGES):
        raise UsageError(f"{name}: seeds must be 1 to {MOST_SEEDS:,} and n 2 to {MOST_IMAGES:,}")
    title = str(values.get("title", name))
    features, metrics = (tuple(_typed(values.get(key, []), list, f"{name}: {key}")) for key in ("features", "metrics"))
    check_metric_names(metrics)
    return Plan(name, title, tuple(cells), seeds, _budget(values, name, cells[0].config), features, metrics, n)


def _budget(values: Mapping[str, Any], where: str, config: Config) -> BudgetConfig:
    amounts = {}
    for key in ("minutes", "kimg"):
        value = values.get(key)
        if value is not None:
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not number or not 0 < value < float("inf"):
                raise UsageError(f"{where}: {key} = {value!r}: it must be more than 0")
            amounts[f"budget.{key}"] = float(value)
    return override(config, amounts or {"budget.minutes": MINUTES}).budget


def _make_cell(row: Any, values: Mapping[str, Any], where: str) -> Cell:
    from ganvas.training.setup import configure

    _check_keys(_typed(row, dict, f"{where}: a cell"), CELL_KEYS, f"{where}: cells")
    name = str(row.get("name", ""))
    if not name:
        raise UsageError(f"{where}: every cell needs a name")
    recipe = row.get("recipe", values.get("recipe", "quick"))
    settings = {**values.get("settings", {}), **row.get("settings", {})}
    if "data" in values:
        settings = {"data.name": str(values["data"]), **settings}
    try:
        overrides = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
        config = configure(recipe, [*values.get("tricks", []), *row.get("tricks", [])], overrides)
    except UsageError as error:
        raise UsageError(f"{where}, cell {name!r}: {error}") from error
    return Cell(name, replace(config, seed=0, budget=BudgetConfig()), str(row.get("about", "")))


def _vary_cells(vary: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    """One cell for each combination of values, named after them."""
    for key, values in vary.items():
        if not isinstance(values, list) or len(values) < 2:
            raise UsageError(f"{where}: {key} needs two or more values to vary, found {values!r}")
    rows = []
    for combination in product(*vary.values()) if vary else ():
        settings = dict(zip(vary, combination, strict=True))
        parts = (
            f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}" for key, value in settings.items()
        )
        rows.append({"name": ", ".join(parts), "settings": settings})
    return rows


def _check_distinct(cells: Sequence[Cell], where: str) -> None:
    """Raises UsageError for two cells with the same folder name or the same config."""
    for i, cell in enumerate(cells):
        for other in cells[:i]:
            if other.slug == cell.slug or diff(other.config, cell.config) == {}:
                raise UsageError(f"{where}: the cells {other.name!r} and {cell.name!r} are the same")


def _check_keys(values: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in values:
        if key not in known:
            raise UsageError(f"{where}: unknown entry {shown(key)}{did_you_mean(key, known)}")
        if key in KINDS:
            _typed(values[key], KINDS[key], f"{where}: {key}")
        if KINDS.get(key) is list:
            for item in values[key]:
                _typed(item, str, f"{where}: one of {key}")


def _typed(value: Any, kind: type, what: str) -> Any:
    """The value; UsageError if it has another type."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UsageError(f"{what} = {shown(value)}: expected {kind.__name__}")
    return value
