"""What a wait looks like: a bar on a terminal, plain lines on stderr elsewhere, nothing when asked for."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ganvas.terminal import printable, show

Advance = Callable[[int], None]


def warn(line: str) -> None:
    """One line on stderr that no setting hides: the user must know."""
    show(f"warning: {line}", file=sys.stderr, flush=True)


class Progress:
    """`say` for a line, `bar` for a long piece of work; `show=False` keeps both silent."""

    def __init__(self, show: bool = True):
        self.show = show

    def say(self, line: str) -> None:
        if self.show:
            show(line, file=sys.stderr, flush=True)

    @contextmanager
    def bar(self, label: str, total: int | None = None, unit: str = "MB") -> Iterator[Advance]:
        """Yields `advance(n)`: n bytes more where the unit is MB, else n more of that unit."""
        if not self.show:
            yield lambda _: None
        elif sys.stderr.isatty():
            with _terminal_bar(label, total, unit) as advance:
                yield advance
        else:
            with _plain_lines(label, total, unit) as advance:
                yield advance


@contextmanager
def _terminal_bar(label: str, total: int | None, unit: str) -> Iterator[Advance]:
    from rich import progress
    from rich.console import Console

    count = progress.DownloadColumn() if unit == "MB" else progress.MofNCompleteColumn()
    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(),
        count,
        progress.TimeElapsedColumn(),
    )
    with progress.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(printable(label), total=total)
        yield lambda n: bar.update(task, advance=n)


@contextmanager
def _plain_lines(label: str, total: int | None, unit: str) -> Iterator[Advance]:
    done, shown, start = 0, 0, time.monotonic()

    def amount(n: int) -> str:
        return f"{n / 1e6:.1f} MB" if unit == "MB" else f"{n} {unit}"

    def advance(n: int) -> None:
        nonlocal done, shown
        done += n
        if total and done < total and (quarter := 4 * done // total) > shown:
            shown = quarter
            show(f"{label}: {25 * quarter} %", file=sys.stderr, flush=True)

    show(f"{label}{f' ({amount(total)})' if total else ''} ...", file=sys.stderr, flush=True)
    yield advance
    show(f"{label}: {amount(done)} in {time.monotonic() - start:.1f} s", file=sys.stderr, flush=True)
