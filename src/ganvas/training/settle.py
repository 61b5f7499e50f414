"""Device, threads and form of the arithmetic of a training: chosen once, for all of its processes."""

from __future__ import annotations

import dataclasses
from typing import Any

import torch

from ganvas import models
from ganvas.config import Config, EngineConfig
from ganvas.datasets import ImageSet
from ganvas.ranks import World
from ganvas.runs.run import Run
from ganvas.training import backend, probe
from ganvas.training.trainer import probe_step


def settle(run: Run, config: Config, wanted: EngineConfig | None, images: ImageSet, world: World) -> probe.Choice:
    """What `wanted`, or else the config, leaves open, as rank 0 chooses it; this process is set up for it.

    Where a run goes on in another number of processes, the threads of all together stay as many. Raises as
    probe.choose and World.use.
    """
    shape, classes = images.images.shape[1:], models.num_classes(config, images.class_names)

    def choose() -> dict[str, Any]:
        engine = wanted or config.engine
        before = next((row.get("ranks", 1) for row in reversed(run.rows("env"))), world.size)
        before = before if isinstance(before, int) and before > 0 else 1
        threads = max(engine.threads * before // world.size, 1) if engine.threads else 0
        engine = backend.resolve(dataclasses.replace(engine, threads=threads), world.local)
        torch.set_num_threads(engine.threads)
        step = dataclasses.replace(config.step, batch=config.step.batch // world.size)
        share = dataclasses.replace(config, engine=engine, step=step)
        return dataclasses.asdict(probe.choose(share, shape, classes, lambda e: probe_step(share, images, e)))

    found = world.first(choose)
    choice = probe.Choice(EngineConfig(**found["engine"]), found["seconds"], found["remembered"])
    if not world.leads:
        torch.set_num_threads(choice.engine.threads)
    world.use(torch.device(choice.engine.device))
    return choice
