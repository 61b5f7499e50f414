"""The networks of a run or of a model that ships, loaded once and kept while they are used."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ganvas.errors import GanvasError, UsageError
from ganvas.generator import WEIGHTS, Generator, find, load, shipped
from ganvas.runs.run import Run
from ganvas.sampling.discriminator import Discriminator, discriminator_of, of_checkpoint
from ganvas.ui.rooms.play.directions import Directions

Weights = Literal["ema", "raw"]
KEPT = 4
"""Models that stay in memory."""


class MovedOnError(GanvasError):
    """The run has newer weights than those that were asked for."""


@dataclass(frozen=True)
class Model:
    """A generator for use, and what else its run holds of the same training."""

    name: str
    generator: Generator
    """The newest of the run: the moving average of G's weights, where there is one."""
    raw: Generator | None
    """G itself, of the newest whole checkpoint; None where there is no checkpoint, or no average to tell it from."""
    discriminator: Discriminator | None
    missing: tuple[str, str]
    """Why there is no D: the end of a key of `ui.play.no_d`, and what else is known; ("", "") where there is one."""
    run: Run | None
    token: str
    """Tells these weights from older and newer ones of the same run."""
    lock: threading.RLock = field(default_factory=threading.RLock)
    """Held by whoever uses the networks."""
    directions: dict[tuple[str, str], Directions] = field(default_factory=dict)
    """(method, weights) -> what was found."""

    @property
    def averaged(self) -> bool:
        """Whether `generator` is a moving average."""
        return self.generator.config.step.ema_kimg > 0

    @property
    def about_data(self) -> dict[str, Any]:
        """What is known of the training images."""
        return self.run.data if self.run else self.generator.data

    def of(self, weights: Weights) -> Generator:
        """The generator with these weights; UsageError where the model does not have them."""
        if weights == "ema" or not self.averaged:
            return self.generator
        if self.raw is None:
            raise UsageError(f"{self.name} holds no weights of G beside their moving average")
        return self.raw


class Shelf:
    """The last few models that were used."""

    def __init__(self, most: int = KEPT) -> None:
        self.most = most
        self._models: OrderedDict[tuple[str, str], Model] = OrderedDict()
        self._lock = threading.Lock()

    def newest(self, name: str, run: Run | None) -> Model:
        """The model as it is on disk now: of a run, or the one that ships under that name.

        Raises UsageError where there is none, GanvasError where its files are damaged.
        """
        path = _file(name, run)
        token = _token(path)
        with self._lock:
            return self._kept(name, run, token) or self._add(load_model(name, path, run, token))

    def same(self, name: str, run: Run | None, token: str) -> Model:
        """The model with the weights that `token` tells of; MovedOnError where they are no longer there."""
        with self._lock:
            kept = self._kept(name, run, token)
        if kept is not None:
            return kept
        model = self.newest(name, run)
        if model.token != token:
            raise MovedOnError(f"{name} has newer weights by now: load it again")
        return model

    def _kept(self, name: str, run: Run | None, token: str) -> Model | None:
        key = (_key(name, run), token)
        if key in self._models:
            self._models.move_to_end(key)
        return self._models.get(key)

    def _add(self, model: Model) -> Model:
        self._models[_key(model.name, model.run), model.token] = model
        while len(self._models) > self.most:
            self._models.popitem(last=False)
        return model


def load_model(name: str, path: Path, run: Run | None, token: str = "") -> Model:
    """The networks of a generator's file and, where it belongs to a run, of the run's newest whole checkpoint.

    A model that ships may have a D beside it.
    """
    generator = load(path, "cpu")
    if run is None:
        try:
            return Model(name, generator, None, discriminator_of(generator), ("", ""), None, token)
        except UsageError:
            return Model(name, generator, None, None, ("shipped", ""), None, token)
    checkpoint, problems = run.latest_checkpoint()
    if checkpoint is None:
        missing = ("broken", problems[0]) if problems else ("no_checkpoint", "")
        return Model(name, generator, None, None, missing, run, token)
    raw = discriminator = None
    missing = ("", "")
    if generator.config.step.ema_kimg > 0:
        raw = load(checkpoint.path / "generator.safetensors", "cpu")
    try:
        discriminator = of_checkpoint(generator, checkpoint)
    except GanvasError as error:
        missing = ("broken", str(error))
    return Model(name, generator, raw, discriminator, missing, run, token)


def _file(name: str, run: Run | None) -> Path:
    """The file of the newest generator; UsageError where there is none."""
    if run is not None:
        return find(run.path.absolute())
    if name not in shipped():
        raise UsageError(f"no model called {name} ships (there are: {', '.join(shipped())})")
    return WEIGHTS / f"{name}.safetensors"


def _token(path: Path) -> str:
    """Names the state of a file: how many images its generator saw, and when it was written."""
    try:
        stamp = path.stat().st_mtime_ns
    except OSError as error:
        raise MovedOnError(f"{path} is gone: load the run again") from error
    seen = path.parent.name if path.parent.name.isdecimal() else path.stem
    return f"{seen}-{stamp:x}"


def _key(name: str, run: Run | None) -> str:
    return name if run is None else os.fspath(run.path.absolute())
