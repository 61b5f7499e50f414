"""Our side of the throughput benchmark: trains `cifar-dcgan-recap` on command, train metrics included.

It speaks `benchmarks/keras_step.py`'s protocol: one JSON line that says what it is, then "run N" -> seconds, images.
"conv DTYPE" -> {"gflops": the best convolution rate of a few shapes}: the peak that the step is compared with.
"""
# ruff: noqa: E402  (the process is prepared before torch is imported, as in a training)

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time

from ganvas import process

process.prepare()

import numpy as np
import torch
import torch.nn.functional as F

from ganvas.config import EngineConfig, recipes
from ganvas.datasets import ImageSet
from ganvas.training import backend as engine
from ganvas.training import probe
from ganvas.training.checkpoint import fresh_state
from ganvas.training.trainer import Trainer, probe_step

RECIPE = "cifar-dcgan-recap"
PEAK_SHAPES = ((256, 256, 8), (128, 128, 16), (64, 64, 32))  # in, out channels, side: 3x3, stride 1


def random_images(n: int = 2048) -> ImageSet:
    """Images of CIFAR-10's shape whose content does not matter."""
    pixels = np.random.default_rng(0).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)
    return ImageSet("random", pixels, None, (), "", "random")


def conv_peak(dtype: torch.dtype, batch: int = 64) -> float:
    """GFLOP/s of the quickest forward convolution among PEAK_SHAPES, best of three."""
    best = 0.0
    for c_in, c_out, side in PEAK_SHAPES:
        x = torch.randn(batch, c_in, side, side, dtype=dtype).to(memory_format=torch.channels_last)
        w = torch.randn(c_out, c_in, 3, 3, dtype=dtype).to(memory_format=torch.channels_last)
        flops = 2 * 9 * batch * c_in * c_out * side * side
        with torch.no_grad():
            F.conv2d(x, w, padding=1)
            for _ in range(3):
                start = time.perf_counter()
                F.conv2d(x, w, padding=1)
                best = max(best, flops / (time.perf_counter() - start) / 1e9)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("dtype", "layout", "conv"):
        parser.add_argument(f"--{name}", default="auto")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--warmup", type=int, default=2)
    args = parser.parse_args()
    config = recipes.get(RECIPE).config
    config = dataclasses.replace(config, step=dataclasses.replace(config.step, batch=args.batch))
    images = random_images()
    wanted = engine.resolve(EngineConfig("cpu", args.dtype, args.layout, args.conv, args.threads))
    torch.set_num_threads(wanted.threads)
    times = probe.measure(probe.candidates(wanted), lambda e: probe_step(config, images, e))
    chosen = min(times, key=times.__getitem__)
    seconds = {probe.name_of(option): round(sec, 4) for option, sec in times.items()}
    settled = engine.Engine(chosen)
    state, trainer = fresh_state(config, (3, 32, 32), settled), Trainer(config, images, settled)

    def step() -> None:
        trainer(state, 0.0)

    for _ in range(args.warmup):
        step()
    about = {"recipe": RECIPE, "engine": dataclasses.asdict(chosen), "probe": seconds, "torch": torch.__version__}
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        match line.split():
            case ["run", count]:
                start = time.perf_counter()
                for _ in range(int(count)):
                    step()
                print(
                    json.dumps({"seconds": time.perf_counter() - start, "images": int(count) * args.batch}), flush=True
                )
            case ["conv", dtype]:
                print(json.dumps({"gflops": conv_peak(getattr(torch, dtype))}), flush=True)
            case _:
                sys.exit(f"unknown command: {line.strip()}")


if __name__ == "__main__":
    main()
