"""Where a training is logged beside its run directory: TensorBoard, Trackio, Weights & Biases. Only if asked to.

A tracker is a class in a module of its name here: Tracker(run, name) opens the log of that name or goes on with it,
`log` adds to it, `close` ends it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ganvas.errors import UsageError, did_you_mean, shown
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.training.loop import Hook

PACKAGES = {"tensorboard": None, "trackio": "trackio", "wandb": "wandb"}
"""Tracker -> the package it needs. Event files of TensorBoard are written by ganvas itself."""


def checked(log_to: str | Sequence[str]) -> tuple[str, ...]:
    """The trackers that are asked for, each once; UsageError for an unknown one and for a missing package."""
    names = (log_to,) if isinstance(log_to, str) else tuple(log_to)
    for name in names:
        if name not in PACKAGES:
            near = did_you_mean(name, PACKAGES) if isinstance(name, str) else ""
            raise UsageError(f"log_to = {shown(name)}: choose {', '.join(PACKAGES)}{near}")
        package = PACKAGES[name]
        if package and find_spec(package) is None:
            raise UsageError(f"--log-to {name} needs the package {package}: pip install 'ganvas[{name}]'")
    return tuple(dict.fromkeys(names))


@contextmanager
def logging(run: Run, log_to: str | Sequence[str], hooks: Sequence[Hook]) -> Iterator[list[Hook]]:
    """The hooks of a training with those of its trackers, which are closed afterwards. Raises as `checked`."""
    from ganvas.trackers.hook import TrackerHook

    trackers = [TrackerHook(run, name, hooks) for name in checked(log_to)]
    try:
        yield [*hooks, *trackers]
    finally:
        for tracker in trackers:
            tracker.close()
