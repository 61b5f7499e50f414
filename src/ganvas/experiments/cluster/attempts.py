"""A cell on its way to a worker and on it: what is sent, and what its answers mean."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ganvas import generator, plugins
from ganvas.errors import GanvasError
from ganvas.experiments.cluster import packing
from ganvas.experiments.cluster.images import Parcel
from ganvas.experiments.cluster.link import Link
from ganvas.experiments.cluster.places import Place
from ganvas.experiments.trials import Elsewhere, Progress, Trial, load_images

PATIENCE_SECONDS = 600.0
"""A worker stops a cell that nobody has asked for so long."""


@dataclass
class Attempt:
    """A cell on a worker. One question to the worker is on its way at a time."""

    trial: Trial
    place: Place
    key: str
    asking: Future[Any]
    on_answer: Callable[[Attempt, Any], None]
    checkpoint: int
    """Images at the newest checkpoint here."""
    fetched: float
    task: Any = None
    newest: int = -1
    """Images at the newest checkpoint on the worker, as it said last."""
    looked: float = -math.inf
    unanswered: int = 0
    stopping: bool = False


def started(attempt: Attempt, task: Any) -> None:
    """The cell is on its worker."""
    attempt.task = task


def looked(attempt: Attempt, answer: dict[str, Any]) -> None:
    """How far it is there."""
    if not answer:  # it has not begun, or is over
        return
    scoring = answer["step"] == "evaluate"
    if scoring and not (attempt.trial.elsewhere and attempt.trial.elsewhere.scoring):
        attempt.fetched = -math.inf  # trained: that much is safe from now on
    attempt.newest = answer["checkpoint"]
    attempt.trial.elsewhere = Elsewhere(attempt.place.host, Progress(*answer["progress"]), scoring)


def ignore(attempt: Attempt, answer: Any) -> None:
    """The answer says nothing."""


def _plugin_texts() -> dict[str, str]:
    """The user's plugins, which workers do not have: name -> code."""
    paths = [Path(path) for path in os.environ.get(plugins.VARIABLE, "").split(os.pathsep) if path]
    return {path.name: path.read_text("utf-8") for path in paths}


@dataclass
class Sender:
    """What sends the cells of an experiment."""

    link: Link
    experiment: str
    threads: int
    plugins: dict[str, str] = field(default_factory=_plugin_texts)

    def send(self, trial: Trial, place: Place, key: str, parcel: Parcel | None) -> Any:
        """Send images and run to a worker, and start the task; in a thread of its own."""
        data = {"name": trial.config.data.name, "sha256": "", "file": ""}
        if parcel is not None:
            data |= {"sha256": parcel.sha256, "file": parcel.entry}
            with place.sending:
                if parcel.sha256 not in place.has:
                    with open(parcel.file, "rb") as file:
                        self.link.send(place.address, parcel.sha256, file)
                    place.has.add(parcel.sha256)
        content = packing.pack_run(trial.path)
        name = packing.digest(content)
        self.link.send(place.address, name, io.BytesIO(content))
        job = {
            "key": key, "experiment": self.experiment, "name": trial.name, "run": name, "data": data,
            "features": list(trial.features), "n": trial.n, "threads": self.threads, "plugins": self.plugins,
            "patience": PATIENCE_SECONDS,
        }  # fmt: skip
        wanted = {"cpu": float(self.threads)} if "cpu" in place.facts.resources else {}
        return self.link.start(place.address, job, wanted | ({"gpu": 1.0} if needs_gpu(trial) else {}))


def create(trial: Trial, images: dict[str, Any]) -> None:
    """Make the run directory of a trial that has none. Its device need not be here."""
    if trial.state != "waiting":
        return
    config = trial.config
    if config.init_from and not (generator.WEIGHTS / f"{config.init_from}.safetensors").is_file():
        raise GanvasError(f"it starts from {config.init_from}, which workers do not have: run it without --on")
    loaded = load_images(images, trial)
    if not needs_gpu(trial):
        trial.create_run(loaded)
        return
    replace(trial, config=replace(config, engine=replace(config.engine, device="cpu"))).create_run(loaded)
    trial.run.write_config(replace(trial.run.config, engine=config.engine), trial.run.recipe)


def needs_gpu(trial: Trial) -> bool:
    """Whether its device is no CPU."""
    return trial.config.engine.device.partition(":")[0] != "cpu"
