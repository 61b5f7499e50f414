"""What a person sees while an experiment runs: a live table on a terminal, a line for each change elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ganvas.experiments.plan import Plan
from ganvas.experiments.tasks import Task
from ganvas.experiments.workers import Tell
from ganvas.training.progress import clock

SECONDS = 2.0  # between two looks at the disk


def say(line: str) -> None:
    """A line on stderr."""
    print(line, file=sys.stderr, flush=True)


@contextmanager
def shown(plan: Plan, todo: Sequence[Task]) -> Iterator[Tell]:
    """A function that shows how far the tasks are."""
    yield from (_table(plan, todo) if sys.stderr.isatty() else _lines(plan, todo))


def _lines(plan: Plan, todo: Sequence[Task]) -> Iterator[Tell]:
    before = {task.name: task.state for task in todo}
    left = sum(state not in ("done", "failed") for state in before.values())
    say(f"{plan.title}: {len(plan.cells)} cells x {plan.seeds} seeds, {left} runs left")

    def tell(active: set[str]) -> None:
        for task in todo:
            if task.name in active or before[task.name] in ("training", "scoring"):
                now = task.state
                if now != before[task.name]:
                    before[task.name] = now
                    say(f"{task.name}: {now}{f' ({task.reason})' if now == 'failed' else ''}")

    yield tell
    tell({task.name for task in todo})


def _table(plan: Plan, todo: Sequence[Task]) -> Iterator[Tell]:
    from rich.console import Console
    from rich.live import Live

    began = time.monotonic()
    last = 0.0
    with Live(console=Console(stderr=True), auto_refresh=False) as screen:

        def tell(active: set[str]) -> None:
            nonlocal last
            if time.monotonic() - last >= SECONDS:
                last = time.monotonic()
                screen.update(table(plan, todo, active, last - began), refresh=True)

        yield tell


def table(plan: Plan, tasks: Sequence[Task], active: set[str], seconds: float) -> Any:
    """A row for each cell, a column for each seed, and what is left."""
    from rich.table import Table

    states = {task.name: task.state for task in tasks}
    done, left, rate = 0.0, 0.0, 0.0
    minutes = plan.budget.minutes
    cells: dict[tuple[str, int], str] = {}
    for task in tasks:
        state = states[task.name]
        if state == "training" and task.name in active:
            seen, total, speed = task.progress
            share = seen / total if total else 0.0
            cells[task.cell.name, task.seed] = f"{share:.0%} {speed:,.0f} img/s"
            left += (1 - share) * (60 * minutes if minutes else (total or 0) / speed if speed else 0.0)
            rate += 1
        else:
            cells[task.cell.name, task.seed] = task.reason[:40] if state == "failed" else state
            done += state in ("done", "failed")
            left += 60 * (minutes or 0) if state == "waiting" else 0.0
    title = f"{plan.title}   {done:.0f} of {len(tasks)} done, {clock(seconds)}"
    if minutes and rate:
        title += f", some {clock(left / rate)} of training left"
    found = Table(title=title)
    for head in ("cell", *(f"seed {seed}" for seed in range(plan.seeds))):
        found.add_column(head)
    for cell in plan.cells:
        found.add_row(cell.name, *(cells.get((cell.name, seed), "") for seed in range(plan.seeds)))
    return found
