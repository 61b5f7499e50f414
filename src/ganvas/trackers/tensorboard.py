"""TensorBoard: event files in the folder tensorboard/ of the run. `tensorboard --logdir RUNS_DIR` shows all runs."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PIL import Image

from ganvas.runs.run import Run
from ganvas.trackers import events

FOLDER = "tensorboard"


class Tracker:
    """One file for each time that the run is trained or resumed."""

    def __init__(self, run: Run, name: str) -> None:
        folder = run.path / FOLDER
        folder.mkdir(exist_ok=True)
        self.file = open(folder / f"events.out.tfevents.{time.time_ns() // 1000}.ganvas", "xb")  # noqa: SIM115
        events.append(self.file, events.head(time.time()))

    def log(self, nimg: int, values: Mapping[str, float], picture: Image.Image | None) -> None:
        """Add numbers, or a sample grid."""
        if picture is not None:
            events.append(self.file, events.picture(nimg, "samples", picture, time.time()))
        if values:
            events.append(self.file, events.numbers(nimg, values, time.time()))

    def close(self) -> None:
        """Close the file."""
        self.file.close()
