"""Which runs are compared: those that differ only in their seed are one group."""

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
from ganvas.errors import GanvasError, UsageError, command
from ganvas.runs.run import Run

RUNS = Path("runs")

Targets = Sequence[str | os.PathLike[str]] | Mapping[str, Sequence[str | os.PathLike[str]]]
"""What to compare, as a user names it; or group name -> paths of its runs."""


@dataclass(frozen=True)
class Member:
    """One run of a group, with what its files say."""

    run: Run
    config: Config
    data: dict[str, Any]

    @property
    def seed(self) -> int:
        return self.config.seed

    @cached_property
    def nimg(self) -> int | None:
        """Real images that D had consumed at the newest snapshot; None without a snapshot."""
        snapshots = self.run.snapshots()
        return snapshots[-1][0] if snapshots else None

    @cached_property
    def finished(self) -> bool:
        events = [row.get("event") for row in self.run.rows("events")]
        return "finish" in events and self.nimg is not None

    @cached_property
    def metric_rows(self) -> list[dict[str, Any]]:
        """The rows of metrics.jsonl."""
        return self.run.rows("metrics")

    @property
    def minutes(self) -> float:
        """Minutes of training."""
        return float(self._last_timed_row.get("sec") or 0) / 60

    @property
    def cpu_minutes(self) -> float:
        """CPU minutes of its processes; NaN if the run did not record them."""
        return float(self._last_timed_row.get("cpu_sec") or float("nan")) / 60

    @cached_property
    def _last_timed_row(self) -> dict[str, Any]:
        nothing: dict[str, Any] = {}
        return next((row for row in reversed(self.metric_rows) if "sec" in row), nothing)


@dataclass(frozen=True)
class Group:
    """Runs with one config and different seeds."""

    name: str
    members: tuple[Member, ...]

    @property
    def config(self) -> Config:
        """The config of its first run; the others differ only in what `differences` ignores."""
        return self.members[0].config

    @property
    def seeds(self) -> list[int]:
        return [member.seed for member in self.members]

    @property
    def nimg_range(self) -> tuple[int, int]:
        """Fewest and most images of its runs' newest snapshots."""
        nimg = [member.nimg or 0 for member in self.members]
        return min(nimg), max(nimg)


def find_groups(targets: Targets, unfinished: bool = False) -> tuple[list[Group], list[str]]:
    """The groups, in the order in which they were named, and one line for each run that is left out.

    A target is a run, a folder of runs, a pattern such as runs/*quick*, the name of a recipe (its runs below runs/),
    or NAME=target, which puts all its runs into one group. Other runs are grouped by their config without the seed.
    Runs that are not finished are left out, unless `unfinished`.

    Raises UsageError if a target holds no run, if runs of a named group differ in more than seed, budget and logging,
    and if runs were trained on different data.
    """
    groups: dict[str, list[Member]] = {}
    names: dict[str, str] = {}  # fingerprint of a config -> name of its group
    seen: set[Path] = set()
    notes: list[str] = []
    for name, path in _list_runs(targets):
        if path.resolve() in seen:
            continue
        seen.add(path.resolve())
        try:
            run = Run.open(path)
            member = Member(run, run.config, run.data)
            run.recipe  # noqa: B018 (read later)
        except GanvasError as error:
            notes.append(f"{path} is left out: {error}")
            continue
        if not member.finished and not unfinished:
            notes.append(f"{path} is left out: it is not finished")
            continue
        group = name or names.setdefault(_fingerprint(member.config), _name_group(member, groups))
        members = groups.setdefault(group, [])
        if changed := sorted(differences(members[0].config, member.config)) if members else []:
            raise UsageError(f"{path} does not belong to the group {group}: it differs in {', '.join(changed)}")
        if twin := next((m for m in members if m.seed == member.seed), None):
            notes.append(f"{path} is left out: {twin.run.path} has the same seed, {member.seed}")
            continue
        members.append(member)
    found = [Group(name, tuple(members)) for name, members in groups.items() if members]
    _check_same_data(found)
    return found, notes


def differences(one: Config, other: Config) -> dict[str, tuple[Any, Any]]:
    """Settings that differ, without seed, budget, logging and engine."""
    return diff(_comparable(one), _comparable(other))


def _comparable(config: Config) -> Config:
    """The config with everything reset that may differ within a group."""
    return dataclasses.replace(
        config, seed=0, tricks=(), budget=BudgetConfig(), log=LogConfig(), evaluate=EvaluateConfig(),
        engine=EngineConfig(),
    )  # fmt: skip


def _fingerprint(config: Config) -> str:
    return str((_comparable(config), config.budget))


def _name_group(member: Member, taken: Mapping[str, Any]) -> str:
    """The recipe and its changes, such as `quick + flip`; with a number if that name is taken."""
    config = member.config
    parts = [name for name in config.tricks if name in TRICKS]
    named = {key for name in parts for key in TRICKS[name].settings(config)} | {"data.name"}
    for key, (old, value) in differences(member.run.recipe, config).items():
        if key not in named and (old, value) != ("auto", "use"):
            parts.append(f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}")
    name = wanted = " + ".join([config.recipe, *parts])
    number = 2
    while name in taken:
        name, number = f"{wanted} ({number})", number + 1
    return name


def _list_runs(targets: Targets) -> Iterator[tuple[str, Path]]:
    """(group name or "", path) of every run that the targets name."""
    if isinstance(targets, Mapping):
        yield from ((name, Path(path)) for name, paths in targets.items() for path in paths)
        return
    for target in (os.fspath(each) for each in targets):
        name, _, rest = target.partition("=")
        named = rest != "" and not Path(target).exists()
        yield from ((name if named else "", path) for path in _find_runs(rest if named else target))


def _find_runs(target: str) -> list[Path]:
    """The run directories of one target, sorted; UsageError if there is none."""
    path = Path(target).expanduser()
    if (path / "config.json").is_file():
        return [path]
    if glob.has_magic(target):
        found = [Path(name) for name in sorted(glob.glob(os.path.expanduser(target), recursive=True))]
        found = [each for each in found if (each / "config.json").is_file()]
        problem = f"no run matches {target}"
    elif path.is_dir():
        found = sorted(each.parent for each in path.glob("*/config.json"))
        problem = f"there is no run in {target}"
    elif target in RECIPES:
        every = sorted(each.parent for each in RUNS.glob("*/config.json"))
        found = [each for each in every if _recipe(each) in (target, None)]
        problem = f"there is no run of the recipe {target} below {RUNS}/"
    else:
        raise UsageError(f"{target} is not a run, folder, pattern or recipe ({command('runs')} lists runs)")
    if not found:
        raise UsageError(f"{problem} ({command('runs')} lists runs)")
    return found


def _recipe(path: Path) -> str | None:
    """The recipe of a run; None where it is unreadable, which is told when it is opened."""
    try:
        return Run.open(path).config.recipe
    except GanvasError:
        return None


def _check_same_data(groups: Sequence[Group]) -> None:
    """Raises UsageError if not all runs were trained on the same images."""
    every = [member for group in groups for member in group.members]
    for member in every[1:]:
        ours, theirs = every[0].data, member.data
        for key, what in (("sha256", "images"), ("shape", "image sizes"), ("n", "numbers of images")):
            if ours.get(key) != theirs.get(key):
                raise UsageError(
                    f"{every[0].run.path} and {member.run.path} were trained on different {what} ({ours.get('name')} "
                    f"and {theirs.get('name')}, {ours.get(key)!s:.16} and {theirs.get(key)!s:.16}): their scores "
                    "cannot be compared"
                )
