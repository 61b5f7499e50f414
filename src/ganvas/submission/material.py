"""What a hand-in is made of: the runs, those of them that are shown in full, their comparison, the author's words."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ganvas.comparison import Comparison, compare
from ganvas.comparison.groups import Group, Targets, find_groups
from ganvas.comparison.pictures import members_to_show
from ganvas.errors import GanvasError, UsageError
from ganvas.files import read_file
from ganvas.reports import facts as reports
from ganvas.reports.facts import Facts
from ganvas.runs.run import OWN_CODE, Run

MOST_CODE = 200_000
"""Bytes of networks.py that are read."""


@dataclass(frozen=True)
class Shown:
    """A run that is shown in full, with the folder of its files."""

    run: Run
    facts: Facts
    group: str
    folder: str
    code: str
    """Of the learner's own networks and losses; empty where none was kept."""


@dataclass(frozen=True)
class Material:
    """Everything that the files of a hand-in say. The last run shown is the one that is handed in."""

    name: str
    date: str
    shown: list[Shown]
    groups: list[Group]
    comparison: Comparison | None
    problem: str
    """Why there is no comparison, though there are groups; empty where there are none or it worked."""
    notes: list[str]
    """A line for each run that is left out."""

    @property
    def main(self) -> Shown:
        """The run that is handed in."""
        return self.shown[-1]

    @property
    def code(self) -> str:
        """The learner's own code, each text once."""
        return "\n\n".join(dict.fromkeys(shown.code for shown in self.shown if shown.code))

    @property
    def runs(self) -> list[Run]:
        """Every run."""
        return [member.run for group in self.groups for member in group.members]


def gather(targets: Targets, name: str, evaluate: bool, progress: bool) -> Material:
    """Read the runs and compare them; one run of each group is shown. Raises UsageError where there is none."""
    groups, notes = find_groups(targets, unfinished=True)
    if not groups:
        raise UsageError("; ".join(["there is no run to hand in", *notes]))
    members, _ = members_to_show(groups)
    folders: list[str] = []
    shown = []
    for group, member in zip(groups, members, strict=True):
        folders.append(_folder(member.run, folders))
        facts = reports.gather(member.run)
        shown.append(Shown(member.run, facts, group.name, folders[-1], _code(member.run)))
    found, problem = _compare(targets, groups, evaluate, progress)
    return Material(" ".join(name.split()), time.strftime("%Y-%m-%d"), shown, groups, found, problem, notes)


def _compare(
    targets: Targets, groups: Sequence[Group], evaluate: bool, progress: bool
) -> tuple[Comparison | None, str]:
    """The comparison of the groups; or None, and why where there is more than one group."""
    if len(groups) < 2:
        return None, ""
    try:
        return compare(targets, make=evaluate, progress=progress), ""
    except GanvasError as error:
        return None, str(error)


def _folder(run: Run, taken: Sequence[str]) -> str:
    """The name of a run's folder as one below the hand-in's, different from those that are taken."""
    name = re.sub(r'[/\\:*?"<>|\x00-\x1f]', "-", run.path.resolve().name).strip(". ") or "run"
    found, number = name, 2
    while found.casefold() in map(str.casefold, taken):
        found, number = f"{name}-{number}", number + 1
    return found


def _code(run: Run) -> str:
    path = run.path / OWN_CODE
    try:
        return read_file(Path(path))[:MOST_CODE].decode("utf-8", "replace").strip() if path.is_file() else ""
    except OSError:
        return ""
