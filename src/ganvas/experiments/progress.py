"""Progress of an experiment on stderr: a live table on a terminal, one line for each change elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ganvas import terminal
from ganvas.experiments.plan import Plan
from ganvas.experiments.trials import Trial
from ganvas.experiments.workers import OnUpdate
from ganvas.training.progress import clock

REFRESH_SECONDS = 2.0


def print_line(line: str) -> None:
    """A line on stderr."""
    terminal.show(line, file=sys.stderr, flush=True)


@contextmanager
def show(plan: Plan, trials: Sequence[Trial]) -> Iterator[OnUpdate]:
    """A function that shows how far the trials are each time it is called."""
    yield from (_live_table(plan, trials) if sys.stderr.isatty() else _lines(plan, trials))


def _lines(plan: Plan, trials: Sequence[Trial]) -> Iterator[OnUpdate]:
    printed = {trial.name: trial.state for trial in trials}
    left = sum(state not in ("done", "failed") for state in printed.values())
    print_line(f"{plan.title}: {len(plan.cells)} cells x {plan.seeds} seeds, {left} runs left")

    def on_update(active: set[str]) -> None:
        for trial in trials:
            if trial.name in active or printed[trial.name] in ("training", "scoring"):
                state = trial.state
                if state != printed[trial.name]:
                    printed[trial.name] = state
                    print_line(f"{trial.name}: {state}{f' ({trial.failure_reason})' if state == 'failed' else ''}")

    yield on_update
    on_update({trial.name for trial in trials})


def _live_table(plan: Plan, trials: Sequence[Trial]) -> Iterator[OnUpdate]:
    from rich.console import Console
    from rich.live import Live

    start = time.monotonic()
    last = 0.0
    with Live(console=Console(stderr=True), auto_refresh=False) as screen:

        def on_update(active: set[str]) -> None:
            nonlocal last
            if time.monotonic() - last >= REFRESH_SECONDS:
                last = time.monotonic()
                screen.update(table(plan, trials, active, last - start), refresh=True)

        yield on_update


def as_text(plan: Plan, trials: Sequence[Trial], active: set[str], below: str) -> str:
    """The table as text, with a line below it."""
    import io

    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=max(80, 24 + 24 * plan.seeds)).print(table(plan, trials, active, None))
    return f"{out.getvalue().rstrip()}\n{below}"


def table(plan: Plan, trials: Sequence[Trial], active: set[str], seconds: float | None) -> Any:
    """One row per cell, one column per seed; the title says how much training is left."""
    from rich.table import Table

    minutes = plan.budget.minutes
    finished, running, seconds_left = 0, 0, 0.0
    cells: dict[tuple[str, int], str] = {}
    for trial in trials:
        state = trial.state
        if trial.elsewhere is not None and trial.elsewhere.scoring:
            state = "scoring"
        if state == "training" and trial.name in active:
            nimg, total, img_s = trial.progress
            share = nimg / total if total else 0.0
            cells[trial.cell.name, trial.seed] = f"{share:.0%} {img_s:,.0f} img/s"
            seconds_left += (1 - share) * (60 * minutes if minutes else (total or 0) / img_s if img_s else 0.0)
            running += 1
        else:
            cells[trial.cell.name, trial.seed] = trial.failure_reason[:40] if state == "failed" else state
            finished += state in ("done", "failed")
            seconds_left += 60 * (minutes or 0) if state == "waiting" else 0.0
        if trial.moves:
            cells[trial.cell.name, trial.seed] += f" (moved {trial.moves}x)"
    title = f"{plan.title}   {finished} of {len(trials)} done{'' if seconds is None else f', {clock(seconds)}'}"
    if minutes and running:
        title += f", about {clock(seconds_left / running)} of training left"
    found = Table(title=_literal(title))
    for head in ("cell", *(f"seed {seed}" for seed in range(plan.seeds))):
        found.add_column(head)
    for cell in plan.cells:
        found.add_row(*map(_literal, (cell.name, *(cells.get((cell.name, seed), "") for seed in range(plan.seeds)))))
    return found


def _literal(text: str) -> Any:
    """A text of a table in which nothing is markup or a control character."""
    from rich.text import Text

    return Text(terminal.printable(text))
