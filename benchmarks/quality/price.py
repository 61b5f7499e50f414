"""What an update of each cell of an experiment costs, as a ratio to the first cell's.

python benchmarks/quality/price.py benchmarks/quality/screen.toml [--rounds 20] [--threads 1]

The cells take turns in one process, three updates each, and a round's CPU seconds are divided by the first cell's of
the same round: a machine that slows down slows all of them. Real networks, untrained, on the cells' own data.
"""
# ruff: noqa: E402  (the process is prepared before torch is imported, as in a training)

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace

from ganvas import process

process.prepare()

import torch

from ganvas import datasets, models
from ganvas.config import Config
from ganvas.datasets import ImageSet
from ganvas.experiments.named import find_plan
from ganvas.experiments.plan import make_plan
from ganvas.training import backend
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import fresh_state
from ganvas.training.setup import settle_labels
from ganvas.training.trainer import Trainer

UPDATES = 3


def step(config: Config, images: ImageSet, threads: int) -> tuple[Callable[[], object], int]:
    """One update of a fresh state, and the real images that it takes."""
    config = settle_labels(config, images)
    config = replace(config, engine=backend.resolve(replace(config.engine, device="cpu", threads=threads)))
    form = {"dtype": "bfloat16", "layout": "channels_last", "conv": "patches"}  # one form for all: no probe between
    engine = Engine(replace(config.engine, **{k: v for k, v in form.items() if getattr(config.engine, k) == "auto"}))
    classes = models.num_classes(config, images.class_names)
    state, trainer = fresh_state(config, images.images.shape[1:], engine, classes), Trainer(config, images, engine)
    return lambda: trainer(state, 0.5), config.step.batch * config.step.d_steps


def prices(steps: dict[str, tuple[Callable[[], object], int]], rounds: int) -> dict[str, tuple[float, list[float]]]:
    """For each cell: median CPU milliseconds an image, and its ratio to the first cell's in each round."""
    took: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, (update, images) in steps.items():
            start = time.process_time()
            for _ in range(UPDATES):
                update()
            if turn:  # the first only warms up
                took[name].append(1000 * (time.process_time() - start) / (UPDATES * images))
    first = next(iter(took.values()))
    return {
        name: (statistics.median(times), [one / other for one, other in zip(times, first, strict=True)])
        for name, times in took.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("plan", help="a TOML file, or the name of an experiment that ships")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    plan = make_plan(*find_plan(args.plan))
    steps = {}
    for cell in plan.cells:
        images = datasets.load(cell.config.data, progress=False)
        steps[cell.name] = step(cell.config, images, args.threads)
    print(backend.cpu_name())
    for name, (milliseconds, ratios) in prices(steps, args.rounds).items():
        low, price, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
        print(f"{name:24} {milliseconds:7.2f} ms an image   price {price:.2f} (quartiles {low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
