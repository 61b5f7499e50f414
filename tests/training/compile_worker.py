"""A process of its own, without checks of shapes: how far compiled updates lie from the readable ones.

Arguments: settings by dotted name (JSON), what is compiled (networks or step), and the backend of torch.compile.
"""

from __future__ import annotations

import json
import sys

import torch
import torch._dynamo

from ganvas import api, models
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import fresh_state
from ganvas.training.setup import configure, settle_labels
from ganvas.training.trainer import Trainer

UPDATES = 3


def outcomes(settings: dict[str, object]) -> list[dict[str, torch.Tensor]]:
    """Logits, losses and gradients of each update."""
    config = configure("cifar-dcgan", (), settings)
    images = api.load_data(config.data)
    config, engine = settle_labels(config, images), Engine(config.engine)
    state = fresh_state(config, images.images.shape[1:], engine, models.num_classes(config, images.class_names))
    trainer, found = Trainer(config, images, engine), []
    for update in range(UPDATES):
        trainer(state, update / UPDATES)
        assert trainer.last is not None
        parts = trainer.last.batch._asdict()
        for name in ("d_grads", "g_grads"):  # as one: that of a bias before batch norm is 0, and rounding
            parts[name] = torch.cat([gradient.flatten() for gradient in parts[name]])
        found.append({name: value.detach().clone() for name, value in parts.items()})
    return found


def apart(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """The largest distance of two tensors of one name, as a share of the length of the second."""
    assert one.keys() == other.keys()
    return max(((one[k] - other[k]).norm() / other[k].norm().clamp(min=1e-6)).item() for k in one)


def main() -> None:
    settings, what, backend = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    torch.set_num_threads(1)
    readable = outcomes(settings)
    compile_ = torch.compile
    torch.compile = lambda f: compile_(f, backend=backend)
    compiled = outcomes({**settings, "engine.compile": what})
    counters = torch._dynamo.utils.counters
    found = {
        "apart": [apart(one, other) for one, other in zip(compiled, readable, strict=True)],
        "graphs": counters["stats"]["unique_graphs"],
        "breaks": sum(counters["graph_break"].values()),
        "calls": counters["stats"]["calls_captured"],
    }
    print("found", json.dumps(found))


if __name__ == "__main__":
    main()
