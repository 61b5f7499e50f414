"""cluster.json in an experiment's folder: how far the cells are that run elsewhere, for `--status` in any terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.experiments.trials import Elsewhere, Progress, Trial
from ganvas.files import read_object, replace_file

FILE = "cluster.json"


def write(base: Path, trials: Sequence[Trial], on: str, workers: int) -> None:
    """Write what `read` reads."""
    running = {
        trial.name: {
            "worker": trial.elsewhere.worker, "progress": list(trial.elsewhere.progress),
            "scoring": trial.elsewhere.scoring,
        }
        for trial in trials if trial.elsewhere is not None
    }  # fmt: skip
    moves = {trial.name: trial.moves for trial in trials if trial.moves}
    values = {"on": on, "workers": workers, "running": running, "moves": moves}
    with suppress(OSError):
        replace_file(base / FILE, json.dumps(values).encode(), flush=False)


def remove(base: Path) -> None:
    """Nothing runs elsewhere any more."""
    with suppress(OSError):
        (base / FILE).unlink()


def read(base: Path, trials: Sequence[Trial]) -> str:
    """Let trials say what the process that runs them wrote last; where they run, in a few words, or nothing."""
    try:
        found = read_object(base / FILE)
        for trial in trials:
            trial.moves = int(found["moves"].get(trial.name, 0))
            if trial.name in found["running"]:
                about = found["running"][trial.name]
                trial.elsewhere = Elsewhere(about["worker"], Progress(*about["progress"]), bool(about["scoring"]))
        return f"{found['workers']} workers of {found['on']}"
    except (GanvasError, KeyError, TypeError, ValueError, AttributeError):
        return ""
