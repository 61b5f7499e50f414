"""The runs below a folder: what they are, how far they are, how much room they take."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError
from ganvas.runs.run import Run

PART = re.compile(r"\d{9,}(\.\w+)?(\.\d+)?\.part")
"""Names of files and folders that are being written."""


def rows(root: Path) -> list[dict[str, Any]]:
    """One row a run: run, recipe, data, seed, nimg, total, state, bytes. A broken one is named as such."""
    found = sorted(path.parent for path in root.glob("*/config.json"))
    return [_row(path) for path in found]


def _row(path: Path) -> dict[str, Any]:
    size = _bytes(path)
    try:
        run = Run.open(path)
        config, total = run.config, run.total_nimg
        seen = [at for at, _ in run.checkpoints()] + [row.get("nimg", 0) for row in run.rows("metrics")[-1:]]
        events = run.rows("events")
        last = events[-1]["event"] if events else "none"
        under_way = "writing" if run.is_locked() else "broken off"
        state = {"finish": "finished", "stop": "stopped", "nan": "NaN"}.get(last, under_way)
        return {
            "run": str(path), "recipe": config.recipe, "data": config.data.name, "seed": config.seed,
            "nimg": max(seen, default=0), "total": total, "state": state, "bytes": size,
        }  # fmt: skip
    except GanvasError as error:
        return {"run": str(path), "state": f"unreadable: {error}", "bytes": size}


def table(found: list[dict[str, Any]]) -> str:
    """The rows as text."""
    lines = [("run", "recipe", "data", "seed", "images", "of", "state", "MB")]
    for row in found:
        total = f"{row['total']:,}" if row.get("total") else "-"
        nimg = f"{row['nimg']:,}" if "nimg" in row else "-"
        middle = (str(row.get(key, "-")) for key in ("recipe", "data", "seed"))
        lines.append((row["run"], *middle, nimg, total, row["state"], f"{row['bytes'] / 1e6:.1f}"))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def prune(root: Path) -> int:
    """Of finished runs keep the last checkpoint and the selected one; delete what an interrupted write left.

    Returns the bytes freed. A run that is being written is left alone. Links are not followed, and nothing is deleted
    that ganvas did not write.
    """
    freed = 0
    for row in rows(root):
        run = Run(row["run"])
        if row["state"] == "finished" and not run.path.is_symlink() and not run.is_locked():
            for path in _superfluous(run):
                freed += _bytes(path)
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    return freed


def _superfluous(run: Run) -> list[Path]:
    """Old checkpoints and the remains of interrupted writes of a run, in folders and files of its own."""
    whole, _ = run.latest_checkpoint()
    keep = {whole.nimg if whole else None, (run.selected or {}).get("nimg")}
    found = [path for nimg, path in run.checkpoints() if whole is not None and nimg not in keep]
    found = [path for path in found if (path / "state.json").is_file()]
    for name in ("checkpoints", "samples", "snapshots"):
        found += [path for path in (run.path / name).glob("*.part") if PART.fullmatch(path.name)]
    return [path for path in found if not path.is_symlink() and not path.parent.is_symlink()]


def _bytes(path: Path) -> int:
    """Size of a file or folder on disk; what vanishes while it is being looked at counts nothing."""
    total = 0
    for file in [path, *(Path(folder, name) for folder, _, names in os.walk(path) for name in names)]:
        with contextlib.suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
