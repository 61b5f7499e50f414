"""Histories made of curves: a healthy run, changed in what a test is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ganvas.config import Config, override, recipes
from ganvas.diagnostics import RunHistory

MEASUREMENTS = 12
NIMG = 2000 * np.arange(1, MEASUREMENTS + 1)
HEALTHY: dict[str, Any] = {
    "distance": 0.1 + 2 * np.exp(-NIMG / 2000), "distance/raw": 0.1 + 2 * np.exp(-NIMG / 2000), "spread": 0.9,
    "nearest": 0.9, "within": 0.85, "sample_change": 0.08, "saturated/fake": 0.03, "saturated/real": 0.02,
    "grid/fake": 3.0, "grid/real": 1.1, "grid/depth": 0.02,
    "texture": 0.7, "contrast/fake": 60.0, "contrast/real": 64.0, "brightness/real": 120.0, "brightness/fake": 118.0,
    "eval_logit/train": 3.0, "eval_logit/held_out": 2.8, "eval_logit/fake": -1.5, "auc/fake": 0.99,
    "auc/held_out": 0.53, "label/auc": 0.8, "label/accuracy": 0.7, "update_ratio/g": 0.005, "update_ratio/d": 0.02,
    "nearest_train": 0.5,
    "overfit": 0.05, "n_rated": 32.0,
}  # fmt: skip
ROWS: dict[str, Any] = {
    "acc/real": 0.95, "acc/fake": 0.94, "loss/d": 0.5, "loss/g": 2.0, "logit/real": 3.0, "logit/fake": -1.5,
    "grad/d": 5.0, "grad/g": 6.0, "lr/g": 5e-4, "lr/d": 2e-3,
}  # fmt: skip


def make_history(
    curves: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
    without: Sequence[str] = (),
    events: Sequence[dict[str, Any]] = ({"event": "start", "nimg": 0}, {"event": "finish", "nimg": int(NIMG[-1])}),
) -> RunHistory:
    """A run of 12 measurements, 2,000 images apart. A curve is a number or an array of 12; `without`: not recorded."""
    config: Config = override(recipes.get("quick").config, {"data.labels": "use", **(settings or {})})
    given = {**HEALTHY, **ROWS, **(curves or {})}
    values = {
        key: np.broadcast_to(np.asarray(v, float), MEASUREMENTS) for key, v in given.items() if key not in without
    }
    monitor = [
        {"nimg": int(NIMG[i]), **{k: v[i] for k, v in values.items() if k not in ROWS}} for i in range(MEASUREMENTS)
    ]
    rows = [
        {"nimg": int(NIMG[i]), "sec": 10.0 * i, **{k: v[i] for k, v in values.items() if k in ROWS}}
        for i in range(MEASUREMENTS)
    ]
    data = {"n": 5_000, "class_names": [str(k) for k in range(10)], "shape": [3, 32, 32]}
    return RunHistory(config, data, int(NIMG[-1]), rows, monitor, events, recipes.get("quick").config)


def late(before: float, after: float, at: int = 6) -> np.ndarray:
    """One value for the first `at` measurements, another from then on."""
    return np.where(np.arange(MEASUREMENTS) < at, before, after)
