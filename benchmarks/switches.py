"""What each switch of the engine costs or saves here, as a share of the CPU time of the plain step.

    python benchmarks/switches.py [--rounds 7] [--steps 3] [--compile]

Settings take turns, step by step, in one process with one thread; CPU seconds are compared, so a busy machine may be
used. `--compile` adds torch.compile, which takes minutes to begin. The number of kernels of an update is exact.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
import torch

from ganvas import models
from ganvas.datasets import as_images
from ganvas.training import backend
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.engine.graph import Tape
from ganvas.training.engine.reads import no_reads
from ganvas.training.setup import configure, settle_labels
from ganvas.training.trainer import Trainer

ENGINE = {"engine.device": "cpu", "engine.dtype": "float32", "engine.layout": "channels_last", "engine.conv": "direct"}
SWITCHES: dict[str, dict[str, Any]] = {
    "off": {},
    "data device": {"engine.data": "device"},
    "reads row": {"engine.reads": "row"},
    "optimiser foreach": {"engine.optimiser": "foreach"},
    "graph (the check)": {"engine.graph": True},
}
COMPILED: dict[str, dict[str, Any]] = {
    "compile networks": {"engine.compile": "networks"},
    "compile step": {"engine.compile": "step"},
}


def made(recipe: str, settings: dict[str, Any]) -> tuple[Trainer, TrainState]:
    """A trainer of the recipe on random images of CIFAR-10's shape, and its state."""
    rng = np.random.default_rng(0)
    images = as_images(rng.integers(0, 256, (2048, 32, 32, 3), np.uint8), np.arange(2048) % 10, progress=False)
    config = settle_labels(configure(recipe, overrides={**ENGINE, "step.batch": 32, **settings}), images)
    engine = backend.Engine(backend.resolve(config.engine))
    state = fresh_state(config, (3, 32, 32), engine, models.num_classes(config, images.class_names))
    return Trainer(config, images, engine), state


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--recipes", nargs="+", default=["cifar-dcgan", "quick"])
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{backend.cpu_name()}, torch {torch.__version__}, batch 32, one thread")
    print("| recipe | switch | CPU time, off = 1 | lowest to highest | kernels an update |\n|---|---|---|---|---|")
    for recipe in args.recipes:
        given = {
            name: made(recipe, settings)
            for name, settings in {**SWITCHES, **(COMPILED if args.compile else {})}.items()
        }
        kernels = {}
        for name, (trainer, state) in given.items():
            trainer(state, 0.0)
            if name not in COMPILED and "graph" not in name:
                kernels[name] = counted(trainer, state)
        seconds: dict[str, list[float]] = {name: [] for name in given}
        for _ in range(args.rounds):
            for name, (trainer, state) in given.items():
                start = time.process_time()
                for _ in range(args.steps):
                    trainer(state, 0.5)
                    if trainer.engine.reads_updates:
                        state.sums.tolist()
                seconds[name].append(time.process_time() - start)
        for name, times in seconds.items():
            ratios = [mine / off for mine, off in zip(times, seconds["off"], strict=True)]
            span = f"{min(ratios):.2f} to {max(ratios):.2f}"
            print(
                f"| {recipe} | {name} | {statistics.median(ratios):.2f} | {span} | {kernels.get(name, '')} |",
                flush=True,
            )


def counted(trainer: Trainer, state: TrainState) -> int:
    """Kernels of an update, its batch included."""
    tape = Tape()
    with no_reads(tape):
        trainer(state, 0.0)
    return len(tape.kernels)


if __name__ == "__main__":
    main()
