"""How long each answer of the Playground takes, warm, without the browser.

    python benchmarks/ui_play.py --threads 2                      # models that ship
    python benchmarks/ui_play.py --threads 2 --runs runs          # the runs of a folder as well, D included

One JSON line an answer: median and largest wall milliseconds and median CPU milliseconds of --repeats, after one that
warms up. Wall times mean something only where the cores are free. Nothing is downloaded: without the data set the
nearest images are left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from ganvas.errors import GanvasError
from ganvas.generator import shipped
from ganvas.runs.run import Run
from ganvas.ui.rooms.play import images, judge, near, routes, walk
from ganvas.ui.rooms.play.asked import Asked
from ganvas.ui.rooms.play.model import Model, Shelf


def answers(model: Model) -> dict[str, Callable[[], Any]]:
    """What a visitor waits for."""
    classes = len(model.generator.class_names)
    n, columns = (4 * min(classes, 12), 4) if classes > 1 else (24, 6)
    grid = Asked(n=n, columns=columns, moves=(("sefa", 0, 1.0), ("ganspace", 1, -1.0)))
    one, other = Asked(label=0 if classes else None), Asked(seed=1, label=classes - 1 if classes else None)
    found: dict[str, Callable[[], Any]] = {
        f"grid of {n}": lambda: routes.sheet(images.draw(model, grid), columns),
        "walk of 24": lambda: routes.sheet(walk.walk(model, one, other, 24), 8),
        "webp of 46 frames": lambda: walk.animation(walk.walk(model, one, other, 24), "webp"),
        "gif of 46 frames": lambda: walk.animation(walk.walk(model, one, other, 24), "gif"),
    }
    if model.discriminator is not None:
        sample = images.draw(model, one)[0]
        found["logits of a picture"] = lambda: judge.by_class(model, sample)
    try:
        training = near.read(model)
    except GanvasError:
        return found
    few = images.draw(model, Asked(n=8, columns=1))
    for i, sample in enumerate(few):
        found[f"nearest of sample {i}"] = lambda sample=sample: near.by_pixels(sample, training)  # type: ignore[misc]
    return found


def measure(work: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Milliseconds of an answer."""
    work()
    wall, cpu = [], []
    for _ in range(repeats):
        start, spent = time.perf_counter(), time.process_time()
        work()
        wall.append(1000 * (time.perf_counter() - start))
        cpu.append(1000 * (time.process_time() - spent))
    return {
        "wall_ms": round(statistics.median(wall), 1),
        "most_ms": round(max(wall), 1),
        "cpu_ms": round(statistics.median(cpu), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--runs", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    shelf = Shelf(most=1)
    models = [(name, None) for name in shipped()]
    names = routes.runs_with_models(options.runs) if options.runs else []
    for name, run in [*models, *((name, Run.open(options.runs / name)) for name in names)]:
        model = shelf.newest(name, run)
        for answer, work in answers(model).items():
            row = {"model": name, "answer": answer, "threads": options.threads, **measure(work, options.repeats)}
            print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
