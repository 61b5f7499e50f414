"""Weights & Biases, offline: files in wandb/ of the working folder, which `wandb sync` sends when the user wants.

Where the user's environment has WANDB_MODE, that is followed.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from PIL import Image

from ganvas.config import to_dict
from ganvas.runs.run import Run

PROJECT = "ganvas"


class Tracker:
    """A run of the project "ganvas"; one of this id is continued. Images seen are the axis of every chart."""

    def __init__(self, run: Run, name: str) -> None:
        import wandb

        self.wandb: Any = wandb
        self.log_of_run: Any = wandb.init(
            project=PROJECT, id=name, name=name, config=to_dict(run.config), resume="allow",
            mode=os.environ.get("WANDB_MODE", "offline"), settings=wandb.Settings(silent=True, console="off"),
        )  # fmt: skip
        self.log_of_run.define_metric("nimg")
        self.log_of_run.define_metric("*", step_metric="nimg")

    def log(self, nimg: int, values: Mapping[str, float], picture: Image.Image | None) -> None:
        """Add numbers, or a sample grid."""
        more = {} if picture is None else {"samples": self.wandb.Image(picture)}
        self.log_of_run.log({"nimg": nimg, **values, **more})

    def close(self) -> None:
        """Wait until everything is written."""
        self.log_of_run.finish()
