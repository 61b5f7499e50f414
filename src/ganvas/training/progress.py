"""Progress of a training on stderr: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from ganvas.terminal import printable, show

if TYPE_CHECKING:
    from ganvas.training.loop import Event, Hook

PLAIN_SECONDS = 15.0


def show_progress(n: int) -> Hook:
    """A hook that shows progress on stderr; `n` images make an epoch."""
    return Bar(n) if sys.stderr.isatty() else Lines(n)


def clock(seconds: float) -> str:
    """1:02:03 or 2:03."""
    minutes, rest = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def losses(row: dict[str, Any], n: int) -> str:
    """The main figures of a metrics row; with a loss that only compares, `pairs`: how often D(real) > D(fake)."""
    accuracy = f"real {row['acc/real']:.0%}  fake {row['acc/fake']:.0%}"
    if "acc/pair" in row:
        accuracy = f"pairs {row['acc/pair']:.0%}  real = fake {row['acc/fake']:.0%}"
    losses = f"D {row['loss/d']:.3f}  G {row['loss/g']:.3f}"
    return f"epoch {row['nimg'] / n:.2f}  {losses}  {accuracy}  {row['img_s']:.0f} img/s"


def event_line(event: Event) -> str | None:
    """The line for an event that happens once; None for others."""
    details = event.details
    match event.kind:
        case "start" | "resume":
            engine = details["engine"]
            form = f"{engine['device']}, {engine['dtype']}, {engine['layout']}, {engine['conv']} convolutions"
            probe = ", ".join(f"{name} {1000 * sec:.0f} ms" for name, sec in details["probe"].items())
            at = f"resuming at image {event.nimg:,}; " if event.kind == "resume" else ""
            if probe:
                again = "remembered; --engine.probe again measures again"
                probe = f" ({again})" if details.get("remembered") else f" (probed: {probe})"
            return f"{at}{form}, {engine['threads']} threads{probe}"
        case "untrained":
            return f"untrained: D's mean logit on {details['n']} untrained samples is {details['logit']:+.4f}"
        case "budget":
            return f"{details['img_s']:.0f} img/s: the budget is {details['total']:,} images"
        case "warning" | "doctor":
            return f"{event.kind}: {details['what']}"
        case "finish":
            return f"trained {event.nimg:,} images in {clock(event.sec)}"
        case "stop":
            return f"{details['signal']}: stopped and saved at image {event.nimg:,}"
        case _:
            return None


class Lines:
    """One line every PLAIN_SECONDS."""

    def __init__(self, n: int) -> None:
        self.n, self.last = n, time.monotonic()

    def __call__(self, event: Event) -> None:
        if text := event_line(event):
            show(text, file=sys.stderr, flush=True)
        elif event.kind == "row" and time.monotonic() - self.last >= PLAIN_SECONDS:
            self.last = time.monotonic()
            share = f"{min(event.nimg / event.total, 1):4.0%}  " if event.total else ""
            show(f"{share}{clock(event.sec)}  {losses(event.details['row'], self.n)}", file=sys.stderr, flush=True)


class Bar:
    """A live bar with the time left and the losses."""

    def __init__(self, n: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.n, self.first = n, (0, 0.0)
        self.bar = Progress(
            TextColumn("{task.percentage:3.0f}%"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            TextColumn("{task.description}"),
            console=Console(stderr=True),
        )
        self.task = self.bar.add_task("", total=None, left="")

    def __call__(self, event: Event) -> None:
        if text := event_line(event):
            self.bar.console.print(printable(text), highlight=False, markup=False)
        if event.kind in ("start", "resume"):
            self.first = (event.nimg, event.sec)
            self.bar.start()
        elif event.kind == "row":
            done, sec = event.nimg - self.first[0], event.sec - self.first[1]
            left = f"{clock((max(event.total - event.nimg, 0)) * sec / done)} left" if event.total and done else ""
            self.bar.update(
                self.task, total=event.total, completed=event.nimg, left=left,
                description=losses(event.details["row"], self.n),
            )  # fmt: skip
        elif event.kind in ("finish", "stop"):
            self.close()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self.bar.stop()
