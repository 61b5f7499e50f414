"""One toy, watched: `python watched.py SETTINGS UPDATES` prints what was seen as JSON.

It is a process of its own, as the checks of shapes and types in that of the tests take more time than the training.
"""

from __future__ import annotations

import json
import statistics
import sys
from typing import Any

import numpy as np
import torch

from ganvas.ui.rooms.learn.picture import picture
from ganvas.ui.rooms.learn.settings import read
from ganvas.ui.rooms.learn.toy import MEASURED, Toy


def watch(values: dict[str, Any], updates: int) -> dict[str, Any]:
    """The findings at every measurement; at the end accuracies (100 updates), mean arrow, facts of the picture."""
    toy, found = Toy(read(values)), set[str]()
    for _ in range(updates // MEASURED):
        toy.step(MEASURED)
        found |= {finding.rule for finding in toy.diagnose().findings}
    seen = picture(toy)
    assert seen is not None
    last = toy.rows[-10:]
    return {
        "found": sorted(found),
        "accuracy": min(statistics.mean(row[f"acc/{kind}"] for row in last) for kind in ("real", "fake")),
        "arrow": float(np.linalg.norm(seen["arrows"], axis=1).mean()),
        "spread": toy.monitor[-1]["spread"],
        **{name: seen[name] for name in ("covered", "share", "outside")},
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps(watch(json.loads(sys.argv[1]), int(sys.argv[2]))))
