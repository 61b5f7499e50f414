"""A run directory without a training: plausible curves and grids, for tests of everything that reads runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ganvas import media, models
from ganvas.config import BudgetConfig, Config, recipes
from ganvas.runs.run import Run, stem
from ganvas.training.losses import get_loss
from ganvas.training.train_metrics import columns


def pictures(n: int, shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """uint8 [n, c, h, w]: bright discs of random place, size and colour on a dark slope."""
    c, h, w = shape
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w] / h
    place, radius = rng.uniform(0.3, 0.7, (n, 2, 1, 1)), rng.uniform(0.15, 0.35, (n, 1, 1))
    inside = 1 / (1 + np.exp(40 * (np.hypot(y - place[:, 0], x - place[:, 1]) - radius)))
    colours, slope = rng.uniform(60, 255, (n, c, 1, 1)), 40 + 30 * y
    return np.asarray(slope * (1 - inside[:, None]) + colours * inside[:, None]).astype(np.uint8)


def row(nimg: int, done: float, noise: np.random.Generator, config: Config) -> dict[str, float | int]:
    """One row of metrics.jsonl when the share `done` of the run is behind it; the fake accuracy falls towards 0.5."""
    wobble = noise.normal(0, 0.02, 10)
    fake = 0.93 - 0.25 * done + wobble[0]
    balanced = get_loss(config.loss.name).threshold is None
    values = {
        "loss/d": 0.5 + 0.5 * done + wobble[1], "loss/g": 3 - 1.8 * done + 5 * wobble[2],
        "acc/real": fake if balanced else 0.9 - 0.2 * done + wobble[3], "acc/fake": fake,
        "acc/real_0.5": 0.82 - 0.2 * done + wobble[3], "acc/fake_0.5": min(fake + 0.06, 1.0),
        "acc/pair": 0.98 - 0.2 * done + wobble[3],
        "logit/real": 2.4 - 1.6 * done + 4 * wobble[4], "logit/fake": -2.6 + 1.7 * done + 4 * wobble[5],
        "grad/d": 0.8 + 0.3 * done + 3 * wobble[6], "grad/g": 1.1 + 3 * wobble[7], "penalty": 0.2 + wobble[9],
    }  # fmt: skip
    told = {"nimg": nimg, "sec": round(nimg / 700, 3)} | {name: values[name] for name in columns(config)}
    if config.data.held_out:
        told |= {"logit/held_out": 1.1 - done + 4 * wobble[6], "overfit": 0.3 + 0.4 * done + wobble[7]}
    if config.augment.p or config.augment.adapt:
        told["augment/p"] = 0.4 * done
    if config.penalty.adapt:
        told["penalty/strength"] = 0.8 * done
    return told | {"lr/d": 1e-4, "lr/g": 1e-4, "img_s": 700 + 1500 * wobble[8]}


SCORES = {
    # metric: (value at the end, half its interval, floor, ceiling, which way is better)
    "fd_classifier": (14.2, 0.31, 1.9, 212.0, "lower"),
    "kd_classifier": (0.0123, 0.0004, -0.00002, 0.61, "lower"),
    "precision_classifier": (0.71, 0.012, 0.93, 0.0, "higher"),
    "recall_classifier": (0.34, 0.02, 0.92, 0.0, "higher"),
    "confidence_classifier": (0.871, 0.003, 0.962, 0.43, "real"),
    "entropy_classifier": (0.34, 0.007, 0.11, 1.52, "real"),
    "class_distance_classifier": (0.061, 0.004, 0.011, 0.85, "lower"),
    "classes_classifier": (10.0, 0.0, 10.0, 4.0, "higher"),
    "gan_test_accuracy": (0.834, 0.007, 0.941, 0.1, "higher"),
    "diversity_classifier": (0.82, 0.011, 1.004, 0.07, "real"),
}
WATCHED = (
    "fd_classifier",
    "confidence_classifier",
    "entropy_classifier",
    "class_distance_classifier",
    "classes_classifier",
)


def score(metric: str, nimg: int, **changes: Any) -> dict[str, Any]:
    """One row of evals.jsonl: five sets of 2,000 images through a made-up classifier."""
    value, half, floor, ceiling, better = SCORES.get(metric, (0.5, 0.1, 0.9, 0.1, "higher"))
    return {
        "metric": metric, "value": value, "low": value - half, "high": value + half, "n": 2000, "sets": 5,
        "reference": "cifar10", "split": "test", "n_ref": 10_000, "seed": 0, "extractor": "classifier",
        "weights_hash": "9f3a51c07be2" + "d" * 52, "resize": "as they are", "better": better, "real_baseline": floor,
        "real_baseline_n": 2000, "real_baseline_from": "cifar10:train", "noise_baseline": ceiling, "nimg": nimg,
        "snapshot": f"snapshots/{stem(nimg)}.safetensors", "ema": False,
        "source": "cifar-dcgan", "sec": 4.1, **changes,
    }  # fmt: skip


def of_classes(total: int, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """What an evaluation of a generator that is told classes adds: three scores that can be told class by class."""
    shares = np.linspace(0.4, 0.98, len(names)).round(5).tolist()
    parts = {
        "class_distance_classifier": [round(1 / len(names), 5)] * len(names), "gan_test_accuracy": shares,
        "class_recall_classifier": shares[::-1],
    }  # fmt: skip
    return [score(metric, total, by_class=dict(zip(names, part, strict=True))) for metric, part in parts.items()]


def watched(nimg: int, done: float) -> list[dict[str, Any]]:
    """What the hook writes when the share `done` of the run is behind it: scores near the floor, then drift away."""
    away = (1 - done) ** 2 + 0.2 * max(0.0, done - 0.7)
    changes: dict[str, Any] = {"sets": 1, "low": None, "high": None, "during": True}
    rows = []
    for metric in WATCHED:
        value, _, _, ceiling, _ = SCORES[metric]
        value += 0.0 if metric == "classes_classifier" else away * (ceiling - value)
        rows.append(score(metric, nimg, value=value, **changes))
    return rows


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
    evals: Literal["none", "during", "all"] = "all",
    classes: tuple[str, ...] = ("disc",),
) -> Run:
    """A run of `epochs` passes over `n` images, ended by the event `end` (None: still open).

    `evals`: scored never, while training (eight times, the best one selected), or afterwards as well. Of several
    `classes` the generator is told which.
    """
    plan = recipes.get(recipe).config
    config = config or dataclasses.replace(plan, budget=BudgetConfig(epochs=epochs))
    labels: Literal["use", "ignore"] = "use" if len(classes) > 1 else "ignore"
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, labels=labels))
    total, noise = round(epochs * n), np.random.default_rng(config.seed)
    data = {
        "name": config.data.name, "sha256": "0" * 64, "n": n, "shape": list(shape),
        "class_names": list(classes), "class_counts": [n // len(classes)] * len(classes),
        "source": "made up for a test",
    }  # fmt: skip
    run = Run.create(path, config, plan, data, models.summary(config, shape, models.num_classes(config, classes)))
    run.write_config(config, plan, total)
    run.append("env", {"nimg": 0, "torch": "2.13.0", "device": "cpu", "cpu": "a test's processor", "threads": 2,
                       "dtype": "float32", "layout": "channels_last", "conv": "winograd",
                       "argv": ["ganvas", "train", recipe]})  # fmt: skip
    run.event("start", 0, total=total, probe={"float32 direct": 0.31, "float32 winograd": 0.24})
    run.event("untrained", 0, logit=-0.0021, n=64)
    for nimg in np.linspace(0, total, rows + 1).astype(int)[1:]:
        run.append("metrics", row(int(nimg), nimg / total, noise, config))
    real = pictures(tiles, shape, seed=1)
    run.write_bytes("samples/real.png", media.encode(media.grid(real)))
    final, rng = pictures(tiles, shape, seed=2).astype(float), np.random.default_rng(3)
    for nimg in np.linspace(0, total, grids).astype(int):
        share = (nimg / total) ** 0.5
        mixed = final * share + (1 - share) * rng.normal(127, 8, final.shape)
        run.write_bytes(f"samples/{stem(int(nimg))}.png", media.encode(media.grid(mixed.clip(0, 255).astype(np.uint8))))
    if evals != "none":
        moments = [int(nimg) for nimg in np.linspace(0, total, 9)[1:]]
        rows = [row for nimg in moments for row in watched(nimg, nimg / total)]
        best = min((row for row in rows if row["metric"] == "fd_classifier"), key=lambda row: row["value"])
        run.select(best["nimg"], best["metric"], best["value"])
        again = [{**row, "value": 1.03 * row["value"], "seed": 1} for row in rows if row["nimg"] == best["nimg"]]
        for made in [*rows, *({**row, "during": False, "selected": True} for row in again)]:
            run.append("evals", made)
        run.event("evaluated", total, times=len(moments), sec=33.1, share=0.0412)
    if evals == "all":
        for metric in SCORES:
            run.append("evals", score(metric, total))
        for made in of_classes(total, classes) if len(classes) > 1 else ():
            run.append("evals", made)
    if end:
        run.event(end, total, sec=round(total / 700, 1))
    return run
