"""What an experiment is to run: cells (a recipe, tricks, settings), seeds, and a budget that is equal for all."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from ganvas.config import BudgetConfig, Config, diff, override
from ganvas.errors import GanvasError, UsageError, did_you_mean

FOLDER = Path(__file__).parent / "builtin"
SEEDS, MINUTES = 3, 10.0
KEYS = (
    "title", "data", "minutes", "kimg", "seeds", "recipe", "tricks", "settings", "cells", "vary", "features", "metrics",
    "n",
)  # fmt: skip
CELL_KEYS = ("name", "about", "recipe", "tricks", "settings")


@dataclass(frozen=True)
class Cell:
    """One thing that is tried; its config has no seed and no budget of its own."""

    name: str
    config: Config
    about: str = ""

    @property
    def slug(self) -> str:
        """Its name as a folder's."""
        return re.sub(r"[^a-z0-9.]+", "-", self.name.lower()).strip("-.") or "cell"


@dataclass(frozen=True)
class Plan:
    """An experiment, whole."""

    name: str
    title: str
    cells: tuple[Cell, ...]
    seeds: int
    budget: BudgetConfig
    features: tuple[str, ...] = ()
    """Extractors that its runs are scored by; empty: the classifier that ships for the data, else ImageNet's."""
    metrics: tuple[str, ...] = ()
    """What is judged; empty: fd, or kd where there is none. All are measured."""
    n: int = 10_000
    """Images drawn from each final generator."""

    def config(self, cell: Cell, seed: int, threads: int) -> Config:
        """What one run is to be. Minutes on the CPU are those of its cores' work, whatever else the machine does."""
        from ganvas.training.backend import resolve

        engine, budget = replace(cell.config.engine, threads=threads), self.budget
        if budget.minutes is not None and resolve(engine).device == "cpu":
            budget = BudgetConfig(cpu_minutes=threads * budget.minutes)
        return replace(cell.config, seed=seed, budget=budget, engine=engine)


def builtin() -> dict[str, Path]:
    """The experiments that ship, by name; beside them `ablate RECIPE`."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.toml"))}


def read(path: Path) -> dict[str, Any]:
    """The tables of a TOML file; GanvasError where it cannot be read or is none."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise GanvasError(f"{path} is no readable TOML file: {error}") from error


def make(name: str, values: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Plan:
    """The plan that a file's values describe, `changes` (not None) put over them; UsageError for what cannot be meant.

    At the top: title, data, minutes or kimg, seeds, features, metrics, n; recipe, tricks and settings that every cell
    begins with; `cells`, each with name, about, recipe, tricks, settings; or `vary`, which makes a cell of every
    combination of the values given for its settings.
    """
    given = {**values, **{k: v for k, v in (changes or {}).items() if v is not None}}
    _known(given, KEYS, name)
    if changes and {"minutes", "kimg"} & {k for k, v in changes.items() if v is not None}:
        given = {k: v for k, v in given.items() if k not in ("minutes", "kimg") or changes.get(k) is not None}
    cells = _of(given.get("cells", []), list, f"{name}: cells")
    rows = [*cells, *_varied(_of(given.get("vary", {}), dict, f"{name}: vary"), bool(cells), name)]
    if not rows:
        raise UsageError(f"{name} names nothing to run: give cells, or settings to vary")
    made = [_cell(row, given, name) for row in rows]
    for i, cell in enumerate(made):
        for other in made[:i]:
            if other.slug == cell.slug or diff(other.config, cell.config) == {}:
                raise UsageError(f"{name}: the cells {other.name!r} and {cell.name!r} are the same")
    seeds, n = (
        _of(given.get(key, default), int, f"{name}: {key}") for key, default in (("seeds", SEEDS), ("n", 10_000))
    )
    if seeds < 1 or n < 2:
        raise UsageError(f"{name}: seeds must be 1 or more and n 2 or more")
    budget = {key: float(given[key]) for key in ("minutes", "kimg") if _amount(given.get(key), key, name)}
    title = str(given.get("title", name))
    checked = override(
        made[0].config, {f"budget.{key}": value for key, value in (budget or {"minutes": MINUTES}).items()}
    )
    features, metrics = (tuple(_of(given.get(key, []), list, f"{name}: {key}")) for key in ("features", "metrics"))
    return Plan(name, title, tuple(made), seeds, checked.budget, features, metrics, n)


def _cell(row: Any, given: Mapping[str, Any], where: str) -> Cell:
    from ganvas.training.setup import configure

    _known(_of(row, dict, f"{where}: a cell"), CELL_KEYS, f"{where}: cells")
    name = str(row.get("name", ""))
    if not name:
        raise UsageError(f"{where}: every cell needs a name")
    recipe = row.get("recipe", given.get("recipe", "quick"))
    settings = {**given.get("settings", {}), **row.get("settings", {})}
    if "data" in given:
        settings = {"data.name": str(given["data"]), **settings}
    try:
        overrides = {key: _tupled(value) for key, value in settings.items()}
        config = configure(recipe, [*given.get("tricks", []), *row.get("tricks", [])], overrides)
    except UsageError as error:
        raise UsageError(f"{where}, cell {name!r}: {error}") from error
    return Cell(name, replace(config, seed=0, budget=BudgetConfig()), str(row.get("about", "")))


def _varied(vary: Mapping[str, Any], beside: bool, where: str) -> list[dict[str, Any]]:
    """A cell for every combination of values; a single setting's cells are named by its values."""
    if vary and beside:
        raise UsageError(f"{where}: cells and vary do not go together")
    for key, values in vary.items():
        if not isinstance(values, list) or len(values) < 2:
            raise UsageError(f"{where}: {key} needs two values or more to vary over, found {values!r}")
    rows = []
    for values in product(*vary.values()) if vary else ():
        settings = dict(zip(vary, values, strict=True))
        rows.append(
            {"name": ", ".join(f"{key} {_word(value)}" for key, value in settings.items()), "settings": settings}
        )
    return rows


def _known(values: Mapping[str, Any], known: Sequence[str], where: str) -> None:
    for key in values:
        if key not in known:
            raise UsageError(f"{where}: no entry is called {key!r}{did_you_mean(key, known)}")


def _of(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise UsageError(f"{what} = {value!r}: expected {kind.__name__}")
    return value


def _amount(value: Any, key: str, where: str) -> bool:
    """Whether a budget is given; UsageError for one that is no amount."""
    if value is None:
        return False
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < float("inf"):
        raise UsageError(f"{where}: {key} = {value!r}: it must be more than 0")
    return True


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _word(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
