"""What the monitor costs: its share of a training's CPU time, measured within it.

python benchmarks/monitor.py [--recipes quick,cifar-dcgan] [--data cifar10] [--kimg 60] [--threads 1]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganvas import api
from ganvas.training import monitor, trainer

spent = 0.0


def timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, with its CPU seconds added to `spent`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        global spent
        start = time.process_time()
        try:
            return function(*args, **kwargs)
        finally:
            spent += time.process_time() - start

    return call


def main() -> None:
    global spent
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipes", default="quick,cifar-dcgan,cifar-dcgan-recap,hinge-resnet")
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--kimg", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    for place, name in (
        (monitor.Monitor, "__init__"),
        (monitor.Monitor, "write"),
        (trainer, "update_ratio"),
        (trainer, "copy_weights"),
    ):
        setattr(place, name, timed(getattr(place, name)))
    for recipe in args.recipes.split(","):
        spent = 0.0
        with tempfile.TemporaryDirectory() as folder:
            settings = {"engine.threads": args.threads, "engine.device": "cpu"}
            run = api.train(
                recipe, data=args.data, kimg=args.kimg, out=Path(folder) / "run", report=False, settings=settings
            )
            rows, last = run.rows("monitor"), run.rows("metrics")[-1]
        whole = last["cpu_sec"] or float("nan")
        print(f"{recipe:20} {len(rows)} rows, {spent:.1f} of {whole:.0f} CPU-seconds: {spent / whole:.2%}", flush=True)


if __name__ == "__main__":
    main()
