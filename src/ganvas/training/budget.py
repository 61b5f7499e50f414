"""How long a training lasts: its clock, its budget in images or in time, the signals that end it early."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ganvas.config import BudgetConfig
from ganvas.ranks import ALONE, World
from ganvas.training.checkpoint import TrainState

SETTLE_SECONDS = 20.0  # of training before a budget in minutes becomes a number of images
OFF = 0.02  # of that number: what a later look must differ by


class Clock:
    """Keeps a state's seconds of training: by the wall, of rank 0, and CPU time, of the processes of all ranks."""

    def __init__(self, state: TrainState, world: World = ALONE) -> None:
        self.state, self.world = state, world
        self.start()

    def start(self) -> None:
        """Continue from what the state has; time that passed before does not count."""
        before = self.state.cpu_sec if self.world.leads else 0.0
        self.wall, self.cpu = time.perf_counter() - self.state.sec, time.process_time() - before

    def read(self) -> None:
        """Bring the state up to now; every rank has to call it, and gets the same."""
        times = self.world.share([time.perf_counter() - self.wall, time.process_time() - self.cpu])
        self.state.sec, self.state.cpu_sec = times[0][0], sum(cpu for _, cpu in times[1:]) + times[0][1]

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Do not count what happens within."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall, self.cpu = self.wall + time.perf_counter() - wall, self.cpu + time.process_time() - cpu


class Ending:
    """The end of a budget in time, as a number of images: an estimate from the speed, looked at again while training.

    The speed of a machine changes, by its heat and by other work. So after SETTLE_SECONDS there is a first number, and
    a new look each time half of what was left has passed, of the time or of the images, at the speed since the look
    before.
    """

    def __init__(self, seconds: float | None, again: bool = True) -> None:
        self.seconds, self.again = seconds, again
        self.since: tuple[int, float] | None = None
        self.next: tuple[float, float] = (math.inf, 0.0)

    def look(self, nimg: int, spent: float) -> tuple[int, float] | None:
        """(images in all when the time is over, images a second), where it is time to look; else None."""
        if self.seconds is None:
            return None
        left = self.seconds - spent
        if self.since is None:  # the first update only warms up
            self.since, self.next = (nimg, spent), (math.inf, spent + min(SETTLE_SECONDS, left / 3))
            return None
        if (nimg < self.next[0] and spent < self.next[1]) or nimg == self.since[0] or spent <= self.since[1]:
            return None
        speed = (nimg - self.since[0]) / (spent - self.since[1])
        more = max(speed * left, 0.0)
        self.since, self.next = (nimg, spent), (nimg + more / 2, spent + left / 2)
        if not self.again or left < SETTLE_SECONDS:
            self.seconds = None
        return round(nimg + more), speed


def budget_end(budget: BudgetConfig, n: int, nimg: int, sec: float) -> tuple[int | None, float | None]:
    """(total images, None), or (None, seconds of training) for a budget in minutes."""
    if minutes := budget.minutes or budget.cpu_minutes:
        return None, sec + 60 * minutes
    images = 1000 * budget.kimg if budget.kimg is not None else (budget.epochs or 50) * n
    return nimg + max(round(images), 1), None


@contextmanager
def stop_signals() -> Iterator[list[str]]:
    """Collect Ctrl-C and SIGTERM in a list; a second one meets the handlers that were there before."""
    received: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in (signal.SIGINT, signal.SIGTERM)}

    def receive(number: int, frame: Any) -> None:
        received.append(signal.Signals(number).name)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, receive)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
