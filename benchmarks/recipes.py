"""Speed of every recipe: img/s, multiplications per image, and the share of this machine's convolution peak.

python benchmarks/recipes.py [RECIPE ...] [--seconds 20] [--threads N] [--json FILE]

FLOP are counted on one real update with direct convolutions, forward and backward, every D step included, and divided
by the real images it consumes; an algorithm that multiplies less (Winograd) shows as a higher share of the peak. The
peak is the best of a few plain convolutions in the same dtype and minutes. Images are random: speed does not depend on
them.
"""
# ruff: noqa: E402  (the process is prepared before torch is imported, as in a training)

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import time
from pathlib import Path
from typing import Any

from ganvas import process

process.prepare()

import numpy as np
import torch
from step import conv_peak

from ganvas import models
from ganvas.config import Config, EngineConfig, recipes
from ganvas.cost.counter import Counter
from ganvas.datasets import ImageSet
from ganvas.training import backend as engine
from ganvas.training import probe
from ganvas.training.checkpoint import fresh_state
from ganvas.training.setup import settle_labels
from ganvas.training.trainer import Trainer, probe_step


def gflop(config: Config, images: ImageSet) -> float:
    """GFLOP of one update for each real image it consumes."""
    plain = engine.Engine(
        engine.resolve(EngineConfig("cpu", "float32", "channels_last", "direct", config.engine.threads))
    )
    step = probe_step(config, images, plain)
    with Counter() as counter:
        step()
    batch = min(config.step.batch, 64)
    return counter.flop / batch / config.step.d_steps / 1e9


def measured(name: str, seconds: float, threads: int) -> dict[str, Any]:
    """One recipe's row."""
    config = recipes.get(name).config
    config = dataclasses.replace(config, engine=engine.resolve(EngineConfig("cpu", threads=threads)))
    torch.set_num_threads(config.engine.threads)
    images = random_images(config)
    config = settle_labels(config, images)
    times = probe.measure(probe.candidates(config.engine), lambda e: probe_step(config, images, e))
    chosen = min(times, key=times.__getitem__)
    settled = engine.Engine(chosen)
    classes = models.num_classes(config, images.class_names)
    state, step = fresh_state(config, images.images.shape[1:], settled, classes), Trainer(config, images, settled)
    step(state, 0.0)
    dtype = getattr(torch, chosen.dtype)
    rates, peaks = [], [conv_peak(dtype)]
    begun = time.perf_counter()
    while len(rates) < 5 or time.perf_counter() - begun < seconds:
        start, first = time.perf_counter(), state.nimg
        step(state, 0.0)
        rates.append((state.nimg - first) / (time.perf_counter() - start))
    peaks.append(conv_peak(dtype))
    rate, cost, peak = statistics.median(rates), gflop(config, images), max(peaks)
    return {
        "recipe": name, "batch": config.step.batch, "img_s": round(rate, 1), "gflop_per_image": round(cost, 3),
        "gflops": round(rate * cost, 1), "peak_gflops": round(peak, 1), "share": round(rate * cost / peak, 3),
        "conv": chosen.conv, "layout": chosen.layout, "dtype": chosen.dtype, "threads": chosen.threads,
        "updates": len(rates),
    }  # fmt: skip


def random_images(config: Config, n: int = 1024) -> ImageSet:
    """Images of the shape of the recipe's data, in ten classes, whose content does not matter."""
    shape = (1, 28, 28) if config.data.name == "fashion-mnist" else (3, 32, 32)
    pixels = np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)
    return ImageSet("random", pixels, np.arange(n) % 10, tuple("0123456789"), "", "random")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recipes", nargs="*", default=list(recipes.RECIPES))
    parser.add_argument("--seconds", type=float, default=20.0, help="of steps for each recipe")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows = []
    for name in args.recipes:
        rows.append(row := measured(name, args.seconds, args.threads))
        print(
            f"{name:20} batch {row['batch']:5}  {row['img_s']:7.1f} img/s  {row['gflop_per_image']:7.3f} GFLOP/img  "
            f"{row['share']:6.1%} of {row['peak_gflops']:.0f} GFLOP/s  ({row['dtype']} {row['layout']} {row['conv']})",
            flush=True,
        )
    if args.json:
        args.json.write_text(json.dumps({"torch": torch.__version__, "cpu": engine.cpu_name(), "rows": rows}, indent=1))


if __name__ == "__main__":
    main()
