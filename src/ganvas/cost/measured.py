"""How long an update takes on this machine: a few real ones."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace

import torch

from ganvas.config import Config, EngineConfig
from ganvas.cost.cost import stand_in
from ganvas.cost.subject import Subject
from ganvas.training import backend, probe
from ganvas.training.checkpoint import fresh_state
from ganvas.training.trainer import Trainer, probe_step

UPDATES, SECONDS = 10, 10.0


@dataclass(frozen=True)
class Measured:
    """The median over some updates after a first one."""

    seconds: float
    """Wall-clock time of an update."""
    updates: int
    engine: EngineConfig


def measure(config: Config, subject: Subject) -> Measured:
    """At most UPDATES updates, and no more once SECONDS have passed, at the arithmetic that training would choose.

    Raises UsageError where the engine is not possible here.
    """
    images = stand_in(subject, config.step.batch)
    engine = backend.resolve(config.engine)
    torch.set_num_threads(engine.threads)
    config = replace(config, engine=engine)
    engine = probe.choose(config, subject.shape, subject.classes, lambda e: probe_step(config, images, e)).engine
    settled = backend.Engine(engine)
    state, trainer = fresh_state(config, subject.shape, settled, subject.classes), Trainer(config, images, settled)
    times: list[float] = []
    while len(times) <= UPDATES and (len(times) < 3 or sum(times) < SECONDS):
        start = time.perf_counter()
        trainer(state, 0.0)
        if settled.device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return Measured(statistics.median(times[1:]), len(times) - 1, engine)
