"""Trackio (Hugging Face): a log in a local database, which `trackio show --project ganvas` shows.

Nothing leaves the machine, unless the user's own environment names a server or a Space for Trackio.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from typing import Any

from PIL import Image

from ganvas.config import to_dict
from ganvas.runs.run import Run

PROJECT = "ganvas"


class Tracker:
    """A run of the project "ganvas"; a run of this name that is there is continued."""

    def __init__(self, run: Run, name: str) -> None:
        import trackio

        self.trackio: Any = trackio
        with contextlib.redirect_stdout(sys.stderr):  # it says where it writes
            self.log_of_run: Any = trackio.init(
                project=PROJECT, name=name, config=to_dict(run.config), resume="allow", embed=False,
                auto_log_gpu=False, auto_log_cpu=False,
            )  # fmt: skip

    def log(self, nimg: int, values: Mapping[str, float], picture: Image.Image | None) -> None:
        """Add numbers, or a sample grid."""
        more = {} if picture is None else {"samples": self.trackio.Image(picture.convert("RGB"))}
        self.log_of_run.log({**values, **more}, step=nimg)

    def close(self) -> None:
        """Wait until everything is written."""
        with contextlib.redirect_stdout(sys.stderr):
            self.log_of_run.finish()
