"""The history of a run on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganvas import media
from ganvas.diagnostics.history import RunHistory
from ganvas.runs.images import locate
from ganvas.runs.run import Run

if TYPE_CHECKING:
    from ganvas.metrics.image_statistics import Pictures


def read_history(run: Run) -> RunHistory:
    """The history of a run on disk, finished or still being written. Raises GanvasError if it cannot be read.

    Old runs have no monitor.jsonl, or one with fewer columns: what concerns the images is then measured on the saved
    sample grids.
    """
    monitor = run.rows("monitor")
    if not monitor or "grid/depth" not in monitor[-1]:
        measured = {row["nimg"]: row for row in _measure_grids(run)}
        monitor = [{**measured.get(row["nimg"], {}), **row} for row in monitor or measured.values()]
    config = run.config
    if not Path(config.data.name).expanduser().exists():  # typed in another folder: commands must work here
        config = replace(config, data=locate(config.data, run.data, run.path) or config.data)
    return RunHistory(
        config, run.data, run.total_nimg, run.rows("metrics"), monitor, run.rows("events"), run.recipe, run.path
    )


def _measure_grids(run: Run) -> Iterator[dict[str, Any]]:
    from ganvas.metrics.image_statistics import beside

    real, before = _images_of_grid(run, run.path / "samples" / "real.png"), None
    for nimg, path in run.sample_grids():
        fake = _images_of_grid(run, path)
        if real is None or fake is None:
            continue
        row = {"nimg": nimg, **beside(fake, real)}
        if before is not None and before.shape == fake.images.shape:
            row["sample_change"] = float(
                np.abs(fake.images.astype(np.float32) - before).mean() / max(real.contrast, 1e-6)
            )
        before = fake.images
        yield row


def _images_of_grid(run: Run, path: Path) -> Pictures | None:
    """The images of a grid; None if it is missing, cut off, or does not fit this run's images."""
    from ganvas.metrics.image_statistics import Pictures

    c, h, w = run.data["shape"]
    picture = run.picture(path)
    if picture is None or picture.mode != ("L" if c == 1 else "RGB"):
        return None
    return Pictures(media.tiles(picture, (c, h, w))[: run.config.log.samples])
