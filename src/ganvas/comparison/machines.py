"""Whether compared runs were trained on machines of one kind."""

from __future__ import annotations

from collections.abc import Sequence

from ganvas.comparison.groups import Group
from ganvas.runs.run import Run

SHOWN_RUNS = 4
"""Names of runs per kind of machine in the note."""
FACTS = ("cpu", "cpu_capability", "threads", "torch", "accelerator")
"""What makes a kind of machine: a processor with its instructions, how much of it was used, and with what."""


def kinds_note(groups: Sequence[Group]) -> list[str]:
    """One line if the runs were trained on machines of several kinds, with the runs of each; else nothing.

    A run that went from one kind to another counts for both. Runs that do not say where they were trained are left out.
    """
    runs_of: dict[str, list[str]] = {}
    for group in groups:
        for member in group.members:
            for kind in _kinds(member.run):
                runs_of.setdefault(kind, []).append(member.run.path.name)
    if len(runs_of) < 2:
        return []
    parts = []
    for kind, names in runs_of.items():
        more = f" and {len(names) - SHOWN_RUNS} more" if len(names) > SHOWN_RUNS else ""
        parts.append(f"{kind} ({', '.join(names[:SHOWN_RUNS])}{more})")
    return [
        f"trained on machines of {len(parts)} kinds: {'; '.join(parts)}. Equal minutes are not equal work on them, and "
        "a seed does not give the same run bit for bit"
    ]


def _kinds(run: Run) -> list[str]:
    found = []
    for row in run.rows("env"):
        facts = [row.get(name) for name in FACTS]
        if isinstance(threads := row.get("threads"), int):
            facts[FACTS.index("threads")] = f"{threads} thread{'s' * (threads != 1)}"
        if row.get("torch"):
            facts[FACTS.index("torch")] = f"torch {row['torch']}"
        if any(facts):
            found.append(", ".join(str(fact) for fact in facts if fact))
    return list(dict.fromkeys(found))
