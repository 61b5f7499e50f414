"""A run directory without a training: plausible curves and grids, for tests of everything that reads runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from ganvas import media, models, recipes
from ganvas.config import BudgetConfig, Config
from ganvas.run import Run, stem


def pictures(n: int, shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """uint8 [n, c, h, w]: bright discs of random place, size and colour on a dark slope."""
    c, h, w = shape
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w] / h
    place, radius = rng.uniform(0.3, 0.7, (n, 2, 1, 1)), rng.uniform(0.15, 0.35, (n, 1, 1))
    inside = 1 / (1 + np.exp(40 * (np.hypot(y - place[:, 0], x - place[:, 1]) - radius)))
    colours, slope = rng.uniform(60, 255, (n, c, 1, 1)), 40 + 30 * y
    return np.asarray(slope * (1 - inside[:, None]) + colours * inside[:, None]).astype(np.uint8)


def row(nimg: int, done: float, noise: np.random.Generator, every: int = 2560) -> dict[str, float | int]:
    """One row of metrics.jsonl when the share `done` of the run is behind it; the fake accuracy falls towards 0.5."""
    wobble = noise.normal(0, 0.02, 10)
    fake = 0.93 - 0.25 * done + wobble[0]
    return {
        "nimg": nimg, "sec": round(nimg / 700, 3),
        "loss/d": 0.5 + 0.5 * done + wobble[1], "loss/g": 3 - 1.8 * done + 5 * wobble[2],
        "acc/real": 0.9 - 0.2 * done + wobble[3], "acc/fake": fake,
        "acc/real_0.5": 0.82 - 0.2 * done + wobble[3], "acc/fake_0.5": min(fake + 0.06, 1.0),
        "logit/real": 2.4 - 1.6 * done + 4 * wobble[4], "logit/fake": -2.6 + 1.7 * done + 4 * wobble[5],
        "grad/d": 0.8 + 0.3 * done + 3 * wobble[6], "grad/g": 1.1 + 3 * wobble[7],
        "lr/g": 1e-4, "lr/d": 1e-4, "img_s": 700 + 1500 * wobble[8],
    }  # fmt: skip


def make_run(
    path: Path,
    *,
    recipe: str = "cifar-dcgan-recap",
    config: Config | None = None,
    shape: tuple[int, int, int] = (3, 32, 32),
    epochs: float = 60,
    rows: int = 600,
    grids: int = 20,
    end: str | None = "finish",
    n: int = 5000,
    tiles: int = 64,
) -> Run:
    """A run of `epochs` passes over `n` images, ended by the event `end` (None: still open)."""
    plan = recipes.get(recipe).config
    config = config or dataclasses.replace(plan, budget=BudgetConfig(epochs=epochs))
    total, noise = round(epochs * n), np.random.default_rng(config.seed)
    data = {
        "name": config.data.name, "sha256": "0" * 64, "n": n, "shape": list(shape),
        "class_names": ["disc"], "class_counts": [n], "source": "made up for a test",
    }  # fmt: skip
    run = Run.create(path, config, plan, data, models.summary(config, shape))
    run.write_config(config, plan, total)
    run.append("env", {"nimg": 0, "torch": "2.13.0", "device": "cpu", "cpu": "a test's processor", "threads": 2,
                       "dtype": "float32", "layout": "channels_last", "conv": "winograd",
                       "argv": ["ganvas", "train", recipe]})  # fmt: skip
    run.event("start", 0, total=total, probe={"float32 direct": 0.31, "float32 winograd": 0.24})
    run.event("untrained", 0, logit=-0.0021, n=64)
    for nimg in np.linspace(0, total, rows + 1).astype(int)[1:]:
        run.append("metrics", row(int(nimg), nimg / total, noise))
    real = pictures(tiles, shape, seed=1)
    run.write_bytes("samples/real.png", media.still(media.grid(real)))
    final, rng = pictures(tiles, shape, seed=2).astype(float), np.random.default_rng(3)
    for nimg in np.linspace(0, total, grids).astype(int):
        share = (nimg / total) ** 0.5
        mixed = final * share + (1 - share) * rng.normal(127, 8, final.shape)
        run.write_bytes(f"samples/{stem(int(nimg))}.png", media.still(media.grid(mixed.clip(0, 255).astype(np.uint8))))
    if end:
        run.event(end, total, sec=round(total / 700, 1))
    return run
