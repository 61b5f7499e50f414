"""The runs below a folder: what they are, how far they are, how much room they take."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any, NamedTuple

from ganvas.errors import GanvasError
from ganvas.runs import cleanup
from ganvas.runs.run import Run
from ganvas.terminal import printable


def rows(root: Path) -> list[dict[str, Any]]:
    """One row a run: run, recipe, data, seed, nimg, total, state, bytes. A broken one is named as such."""
    found = sorted(path.parent for path in root.glob("*/config.json"))
    return [_row(path) for path in found]


def _row(path: Path) -> dict[str, Any]:
    size = _bytes(path)
    try:
        run = Run.open(path)
        config, total = run.config, run.total_nimg
        seen = [at for at, _ in run.checkpoints()] + [row["nimg"] for row in run.rows("metrics")[-1:]]
        under_way = "writing" if run.is_locked() else "broken off"
        state = {"finish": "finished", "stop": "stopped", "nan": "NaN"}.get(run.last_turn(), under_way)
        return {
            "run": str(path), "recipe": config.recipe, "data": config.data.name, "seed": config.seed,
            "nimg": max(seen, default=0), "total": total, "state": state, "bytes": size,
        }  # fmt: skip
    except GanvasError as error:
        return {"run": str(path), "state": f"unreadable: {error}", "bytes": size}


def table(found: list[dict[str, Any]]) -> str:
    """The rows as text."""
    lines: list[tuple[str, ...]] = [("run", "recipe", "data", "seed", "images", "of", "state", "MB")]
    for row in found:
        total = f"{row['total']:,}" if row.get("total") else "-"
        nimg = f"{row['nimg']:,}" if "nimg" in row else "-"
        middle = (str(row.get(key, "-")) for key in ("recipe", "data", "seed"))
        line = (row["run"], *middle, nimg, total, row["state"], f"{row['bytes'] / 1e6:.1f}")
        lines.append(tuple(map(printable, line)))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)


class Pruned(NamedTuple):
    """What `prune` did."""

    freed: int
    """Bytes."""
    notes: list[str]
    """A line on each file or folder that stays, and why."""


def prune(root: Path) -> Pruned:
    """Of finished runs keep the last checkpoint and the selected one; delete what an interrupted write left.

    A run that is being written is left alone. Links are not followed, nothing is deleted that ganvas did not write,
    and what cannot be deleted does not stop the rest.
    """
    freed, notes = 0, []
    for row in rows(root):
        run = Run(row["run"])
        if row["state"] != "finished" or run.is_locked():
            continue
        try:
            superfluous, foreign = _superfluous(run)
        except (GanvasError, OSError) as error:
            notes.append(f"{run.path}: {error}")
            continue
        for path in superfluous:
            try:
                size, stay = cleanup.remove(path)
            except OSError as error:
                notes.append(f"{error.filename or path} cannot be deleted: {error.strerror or error}")
            else:
                freed += size
                foreign += stay
        notes += [f"{path} stays: {'a link' if path.is_symlink() else 'not written by ganvas'}" for path in foreign]
    return Pruned(freed, notes)


def _superfluous(run: Run) -> tuple[list[Path], list[Path]]:
    """Old checkpoints and the remains of interrupted writes of a run; and what else lies there, which stays."""
    folders = [run.path / name for name in ("checkpoints", "samples", "snapshots")]
    links = [path for path in (run.path, *folders) if path.is_symlink()]
    if run.path in links:
        return [], links
    whole, _ = run.latest_checkpoint()
    keep = {whole.nimg if whole else None, (run.selected or {}).get("nimg")}
    ours = {path: nimg for nimg, path in run.checkpoints() if cleanup.is_checkpoint(path)}
    found = [path for path, nimg in ours.items() if whole is not None and nimg not in keep]
    foreign = []
    for folder in folders:
        if folder.is_dir() and folder not in links:
            parts = {path for path in folder.iterdir() if cleanup.is_part(path) and not path.is_symlink()}
            found += sorted(parts)
            foreign += sorted({*folder.iterdir()} - parts - set(ours)) if folder.name == "checkpoints" else []
    return [path for path in found if path.parent not in links], links + foreign


def _bytes(path: Path) -> int:
    """Size of a file or folder on disk; what vanishes while it is being looked at counts nothing."""
    total = 0
    for file in [path, *(Path(folder, name) for folder, _, names in os.walk(path) for name in names)]:
        with contextlib.suppress(OSError):
            total += file.stat().st_size if file.is_file() else 0
    return total
