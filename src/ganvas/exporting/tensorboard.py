"""A run's record as an event file of TensorBoard: the rows, grids and scores that `--log-to tensorboard` logs."""

from __future__ import annotations

import calendar
import os
import time
from collections.abc import Mapping

from ganvas.errors import UsageError
from ganvas.runs.run import Run
from ganvas.trackers import events, recorded

FILES = ("events.out.tfevents.0.ganvas",)


def contents(target: str | os.PathLike[str]) -> tuple[Mapping[str, bytes], str]:
    """{name: the event file} and a line on it. UsageError where nothing was recorded yet."""
    run = Run.open(target)
    points = [*recorded.points(run)]
    if not points:
        raise UsageError(f"{run.path} has recorded nothing yet: train it first")
    began, sec = _began(run), {point.nimg: point.sec for point in points if point.sec is not None}
    made, seconds, counts = [events.head(began)], began, {"numbers": 0, "pictures": 0}
    for point in sorted(points, key=lambda point: point.nimg):
        seconds = began + sec.get(point.nimg, seconds - began)
        counts["numbers"] += len(point.values)
        if point.values:
            made.append(events.numbers(point.nimg, point.values, seconds))
        if point.picture is not None:
            counts["pictures"] += 1
            made.append(events.picture(point.nimg, "samples", point.picture, seconds))
    facts = f"{counts['numbers']:,} numbers, {counts['pictures']:,} grids"
    return {FILES[0]: b"".join(made)}, f"{facts}; look at them with: tensorboard --logdir FOLDER"


def _began(run: Run) -> float:
    """When the training began, in seconds since 1970; 0 where the run does not say."""
    text = next((str(row.get("time")) for row in run.rows("events")), "")
    try:
        parsed = time.strptime(text, "%Y-%m-%dT%H:%M:%S%z")
    except ValueError:
        return 0.0
    return float(calendar.timegm(parsed) - (parsed.tm_gmtoff or 0))
