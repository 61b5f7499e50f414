"""One of two processes that make the same updates together and alone, and say how far the results lie apart.

Arguments: the cases (JSON: name -> settings by dotted name, with the recipe as "recipe"), the number of updates, and
float32 or float64: with float64 what is compared is the mathematics, not how rounding grows in a GAN.
"""

from __future__ import annotations

import dataclasses
import json
import sys

import numpy as np
import torch

from ganvas import datasets, models, ranks
from ganvas.config import Config
from ganvas.ranks import ALONE, World
from ganvas.training import backend, latents
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import _parts, fresh_state
from ganvas.training.compatibility import check_ranks
from ganvas.training.initial import fit_eigenimages
from ganvas.training.loop import _row
from ganvas.training.setup import configure, settle_labels
from ganvas.training.trainer import Trainer

EVERY = 5


def widen() -> None:
    """Compute in float64 wherever training computes in float32."""
    place, images, draw_z, lerp = Engine.place, Engine.images, latents.draw_z, torch.lerp
    Engine.place = lambda self, network: place(self, network).double()
    Engine.images = lambda self, batch: images(self, batch).double()
    latents.draw_z = lambda *arguments: draw_z(*arguments).astype(np.float64)
    torch.lerp = lambda a, b, at: lerp(a, b, at.to(a.dtype))
    torch.Tensor.float = torch.Tensor.double


def results(config: Config, data: datasets.ImageSet, updates: int, world: World) -> dict[str, torch.Tensor]:
    """All tensors and rows after so many updates."""
    engine = Engine(config.engine)
    classes = models.num_classes(config, data.class_names)
    state = fresh_state(config, data.images.shape[1:], engine, classes, world)
    fit_eigenimages(state, config, data)
    trainer, rows = Trainer(config, data, engine, world), []
    for update in range(updates):
        trainer(state, update / updates)
        if state.updates >= EVERY:
            row = _row(state, trainer, update / updates, 1.0)
            rows.append([value for name, value in row.items() if "sec" not in name])
    parts = {f"{part}.{name}": value for part, values in _parts(state).items() for name, value in values.items()}
    return {"rows": torch.tensor(rows, dtype=torch.float64), **parts}


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> dict[str, float]:
    """The largest difference in each tensor, over 1 where values are larger."""
    assert one.keys() == other.keys()
    pairs = {name: (value.double(), other[name].double()) for name, value in one.items() if value.numel()}
    assert all(bool(torch.isfinite(a).all()) for a, _ in pairs.values()), "not finite"
    return {name: ((a - b).abs() / b.abs().clamp(min=1)).max().item() for name, (a, b) in pairs.items()}


def main() -> None:
    cases, updates, wide = json.loads(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "float64"
    torch.set_num_threads(1)
    backend.cores = lambda: 1
    if wide:
        widen()
    world = ranks.join()
    given, found = {}, {}
    for name, settings in cases.items():
        recipe = settings.pop("recipe", "cifar-dcgan")
        config = configure(recipe, settings.pop("tricks", ()), settings)
        data = datasets.load(config.data, progress=False)
        config = settle_labels(config, data)
        config = dataclasses.replace(config, engine=backend.resolve(config.engine))
        check_ranks(config, world.size)
        calls, size = world.calls, world.bytes
        given[name] = config, data, results(config, data, updates, world)
        found[name] = {"calls": world.calls - calls, "bytes": world.bytes - size}
    for place, (name, (config, data, together)) in enumerate(given.items()):
        if place % world.size == world.rank:  # ranks take turns
            found[name]["apart"] = apart(together, results(config, data, updates, ALONE))
        else:
            del found[name]
    print("found", json.dumps(found), flush=True)
    world.share([0.0], patiently=True)
    ranks.leave()


if __name__ == "__main__":
    main()
