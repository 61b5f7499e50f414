"""Ways to break the toy on purpose, each as controls. What the texts claim of each is a test, over three seeds."""

from __future__ import annotations

from typing import Any

BREAKS: dict[str, dict[str, Any]] = {
    "no-penalty": {"r1": 0.0, "seed": 1},
    "wasserstein": {"loss": "wasserstein", "r1": 0.0, "seed": 2},
    "high-rate": {"g_lr": 0.02},
    "d-ahead": {"g_lr": 1e-4, "d_lr": 0.01, "d_steps": 5, "update": "alternating", "r1": 0.0},
    "g-ahead": {"g_lr": 5e-3, "d_lr": 1e-6},
    "collapse": {"g_lr": 0.01, "d_lr": 1e-3, "r1": 0.0},
    "tiny-batch": {"batch": 4, "batch_norm": True},
}
"""Name -> what differs from the defaults. The seed is one that shows what the text claims of three."""
