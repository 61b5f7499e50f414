"""What is compared: runs that differ in nothing but their seed are one group."""

from __future__ import annotations

import dataclasses
import glob
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ganvas.config import BudgetConfig, Config, EngineConfig, EvaluateConfig, LogConfig, diff
from ganvas.config.recipes import RECIPES
from ganvas.config.tricks import TRICKS
from ganvas.errors import UsageError
from ganvas.runs.run import Run

RUNS = Path("runs")

Targets = Sequence[str | os.PathLike[str]] | Mapping[str, Sequence[str | os.PathLike[str]]]
"""What to compare, as a user names it; or the runs of each group by the group's name."""


@dataclass(frozen=True)
class Member:
    """One run of a group."""

    run: Run
    config: Config
    data: dict[str, Any]

    @property
    def seed(self) -> int:
        return self.config.seed

    @cached_property
    def snapshot(self) -> int | None:
        """Images that its newest generator has seen; None before it has any."""
        there = self.run.snapshots()
        return there[-1][0] if there else None

    @cached_property
    def finished(self) -> bool:
        events = [row.get("event") for row in self.run.rows("events")]
        return "finish" in events and self.snapshot is not None

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Of metrics.jsonl."""
        return self.run.rows("metrics")

    @cached_property
    def cost(self) -> tuple[float, float]:
        """Minutes of training, and CPU minutes of its processes where the run tells them (else NaN)."""
        none: dict[str, Any] = {}
        last = next((row for row in reversed(self.rows) if "sec" in row), none)
        return float(last.get("sec") or 0) / 60, float(last.get("cpu_sec") or float("nan")) / 60


@dataclass(frozen=True)
class Group:
    """Runs of one config, a seed each."""

    name: str
    members: tuple[Member, ...]

    @property
    def config(self) -> Config:
        """What its runs share; its seed is the first one's."""
        return self.members[0].config

    @property
    def seeds(self) -> list[int]:
        return [member.seed for member in self.members]

    @property
    def nimg(self) -> tuple[int, int]:
        """Fewest and most images that its generators have seen."""
        seen = [member.snapshot or 0 for member in self.members]
        return min(seen), max(seen)


def gathered(targets: Targets) -> tuple[list[Group], list[str]]:
    """The groups, in the order in which they were named, and a line on each run that is left out.

    A target is a run, a folder of runs, a pattern such as runs/*quick*, the name of a recipe (its runs below runs/),
    or NAME=target, which makes one group of all its runs. Others are grouped by config, seed aside.

    Raises UsageError where a target holds no run, where runs called one group differ in more than seed, budget and
    logging, and where they were trained on different data.
    """
    groups: dict[str, list[Member]] = {}
    shared: dict[str, str] = {}  # fingerprint of a config -> name of its group
    seen: set[Path] = set()
    notes: list[str] = []
    for name, path in _named(targets):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        run = Run.open(path)
        member = Member(run, run.config, run.data)
        if not member.finished:
            notes.append(f"{path} is left out: it is not finished")
            continue
        group = name or shared.setdefault(str(_fingerprint(member.config)), _free_name(member, groups))
        members = groups.setdefault(group, [])
        if differ := sorted(differences(members[0].config, member.config)) if members else []:
            raise UsageError(f"{path} is no run of the group {group}: it differs in {', '.join(differ)}")
        if twin := next((m for m in members if m.seed == member.seed), None):
            notes.append(f"{path} is left out: {twin.run.path} has the same seed, {member.seed}")
            continue
        members.append(member)
    found = [Group(name, tuple(members)) for name, members in groups.items() if members]
    _same_data(found)
    return found, notes


def _named(targets: Targets) -> Iterator[tuple[str, Path]]:
    """Every run that is meant, with the name of its group where it was given one."""
    if isinstance(targets, Mapping):
        yield from ((name, Path(path)) for name, paths in targets.items() for path in paths)
        return
    for target in (os.fspath(each) for each in targets):
        name, _, rest = target.partition("=")
        own = rest != "" and not Path(target).exists()
        yield from ((name if own else "", path) for path in _runs(rest if own else target))


def differences(one: Config, other: Config) -> dict[str, tuple[Any, Any]]:
    """Settings that differ, but for seed, budget, logging, and where the arithmetic was done."""
    return diff(_bare(one), _bare(other))


def _bare(config: Config) -> Config:
    """Without what may differ within a group."""
    return dataclasses.replace(
        config, seed=0, tricks=(), budget=BudgetConfig(), log=LogConfig(), evaluate=EvaluateConfig(),
        engine=EngineConfig(),
    )  # fmt: skip


def _fingerprint(config: Config) -> tuple[Config, BudgetConfig]:
    return _bare(config), config.budget


def _free_name(member: Member, taken: dict[str, list[Member]]) -> str:
    """The recipe and what was changed of it, such as `quick + flip`; a number where that is taken."""
    config = member.config
    parts = [name for name in config.tricks if name in TRICKS]
    told = {key for name in parts for key in TRICKS[name].settings(config)} | {"data.name"}
    for key, (old, value) in differences(member.run.recipe, config).items():
        if key not in told and (old, value) != ("auto", "use"):
            parts.append(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}")
    name = wanted = " + ".join([config.recipe, *parts])
    number = 2
    while name in taken:
        name, number = f"{wanted} ({number})", number + 1
    return name


def _runs(target: str) -> list[Path]:
    """The run directories that a target stands for, sorted; UsageError where there are none."""
    path = Path(target).expanduser()
    if (path / "config.json").is_file():
        return [path]
    if glob.has_magic(target):
        found = [Path(name) for name in sorted(glob.glob(os.path.expanduser(target), recursive=True))]
        found = [each for each in found if (each / "config.json").is_file()]
        wanted = "no run matches"
    elif path.is_dir():
        found = sorted(each.parent for each in path.glob("*/config.json"))
        wanted = "no run lies in"
    elif target in RECIPES:
        every = sorted(each.parent for each in RUNS.glob("*/config.json"))
        found = [each for each in every if Run.open(each).config.recipe == target]
        wanted = f"no run below {RUNS}/ was trained by"
    else:
        raise UsageError(f"{target} is no run, no folder, no pattern and no recipe (ganvas runs lists runs)")
    if not found:
        raise UsageError(f"{wanted} {target} (ganvas runs lists runs)")
    return found


def _same_data(groups: Sequence[Group]) -> None:
    """UsageError where not all were trained on the same images."""
    every = [member for group in groups for member in group.members]
    for member in every[1:]:
        ours, theirs = every[0].data, member.data
        for key, what in (("sha256", "images"), ("shape", "sizes"), ("n", "numbers of images")):
            if ours.get(key) != theirs.get(key):
                raise UsageError(
                    f"{every[0].run.path} and {member.run.path} were trained on different {what} ({ours.get('name')} "
                    f"and {theirs.get('name')}, {ours.get(key)!s:.16} and {theirs.get(key)!s:.16}): their scores "
                    "cannot be compared"
                )
