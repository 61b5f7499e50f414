"""The runs below a folder: what they are, how far they are, how much room they take."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError
from ganvas.run import Run


def rows(root: Path) -> list[dict[str, Any]]:
    """One row a run: run, recipe, data, seed, nimg, total, state, bytes. A broken one is named as such."""
    found = sorted(path.parent for path in root.glob("*/config.json"))
    return [_row(path) for path in found]


def _row(path: Path) -> dict[str, Any]:
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    try:
        run = Run.open(path)
        config, total = run.config, run.total_nimg
        nimg = max([at for at, _ in run.checkpoints()] + [row.get("nimg", 0) for row in run.rows("metrics")[-1:]], default=0)
        events = run.rows("events")
        last = events[-1]["event"] if events else "none"
        state = {"finish": "finished", "stop": "stopped", "nan": "NaN"}.get(last, "writing" if run.is_locked() else "broken off")
        return {
            "run": str(path), "recipe": config.recipe, "data": config.data.name, "seed": config.seed,
            "nimg": nimg, "total": total, "state": state, "bytes": size,
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
    """Of finished runs keep the last checkpoint only, drop what an interrupted write left; returns the bytes freed.

    A run that is being written is left alone.
    """
    freed = 0
    for row in rows(root):
        if row["state"] != "finished":
            continue
        run = Run.open(row["run"])
        left = [path for _, path in run.checkpoints()[:-1]]
        left += [path for folder in ("checkpoints", "samples", "snapshots") for path in (run.path / folder).glob("*.part")]
        for path in left:
            freed += sum(f.stat().st_size for f in path.rglob("*") if f.is_file()) if path.is_dir() else path.stat().st_size
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    return freed
