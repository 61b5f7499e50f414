"""One short row for each run of a folder, from the ends of its logs; what did not change is not read again."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError
from ganvas.files import MOST_BYTES, parse_json, read_file
from ganvas.runs import checked
from ganvas.runs.migrate import migrate_config
from ganvas.runs.run import TURNS, Run

FILES = ("config.json", "metrics.jsonl", "events.jsonl")
"""What a row is made of. It is made again when one of them changes."""
TAIL = 8192
"""Bytes of a log that are read, from its end."""
STATES = {"finish": "finished", "stop": "stopped", "nan": "nan"}

Stamp = tuple[tuple[int, int], ...]


class Summaries:
    """The rows of a folder. They are kept, with the stamp of the files that they were made of."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._kept: dict[str, tuple[Stamp, dict[str, Any]]] = {}

    def rows(self) -> list[dict[str, Any]]:
        """Every run, the last one that was written to first.

        A row: name, state (live, finished, stopped, nan, broken off, new, unreadable), changed (s since the epoch),
        recipe, data, seed, nimg, total, img_s, sec; of an unreadable one name, state, changed and error. A run that
        vanishes meanwhile has no row.
        """
        found = {}
        try:
            entries = [entry.name for entry in os.scandir(self.root)]
        except OSError:
            entries = []
        for name in entries:
            if (row := self.row(name)) is not None:
                found[name] = row
        self._kept = {name: kept for name, kept in self._kept.items() if name in found}
        return sorted(found.values(), key=lambda row: (-row["changed"], row["name"]))

    def row(self, name: str) -> dict[str, Any] | None:
        """The row of one folder; None where it is no run."""
        path = self.root / name
        stamp = tuple(_stamp(path / file) for file in FILES)
        if stamp[0] == (0, 0):
            return None
        kept = self._kept.get(name)
        if kept is None or kept[0] != stamp:
            kept = stamp, _read(path, stamp)
            self._kept[name] = kept
        row = dict(kept[1])
        if row["state"] != "unreadable" and Run(path).is_locked():
            row["state"] = "live"
        return row


def _stamp(path: Path) -> tuple[int, int]:
    """When a file was written, in ns, and its size; zeros where there is none."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return 0, 0
    return (found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else (0, 0)


def _read(path: Path, stamp: Stamp) -> dict[str, Any]:
    row: dict[str, Any] = {"name": path.name, "changed": max(ns for ns, _ in stamp) / 1e9}
    try:
        if path.is_symlink():
            raise ValueError("it is a link")
        if stamp[0][1] > MOST_BYTES:
            raise ValueError("config.json is too large")
        values = parse_json(read_file(path / "config.json"))
        config = migrate_config(values["config"])
        last = tail(path, "metrics")
        told = {
            "recipe": config["recipe"], "data": config["data"]["name"], "seed": config["seed"],
            "total": values.get("total_nimg"),
        }  # fmt: skip
        if not (isinstance(told["recipe"], str) and isinstance(told["data"], str) and checked.is_whole(told["seed"])):
            raise ValueError("config.json was not written by ganvas")
        if not checked.is_whole(told["total"]):
            told["total"] = None
        told["data"] = re.split(r"[/\\]", told["data"].rstrip("/\\"))[-1]
        told["tricks"] = [str(name) for name in config.get("tricks") or () if isinstance(name, str)]
    except (OSError, ValueError, KeyError, TypeError, GanvasError) as error:
        reason = f"{error} is missing in config.json" if isinstance(error, KeyError) else str(error)
        return row | {"state": "unreadable", "error": reason[:300]}
    newest = last[-1] if last else {}
    events = tail(path, "events")
    turn = next((e for r in reversed(events) if (e := str(r.get("event"))) in TURNS), "")
    counts: list[Any] = [one.get("nimg") for one in (*last[-1:], *events[-1:])]
    seen = max((n for n in counts if checked.is_whole(n)), default=0)
    state = STATES.get(turn, "broken off" if last else "new")
    return row | told | {"state": state, "nimg": seen} | {k: newest.get(k) for k in ("img_s", "sec")}


def tail(path: Path, log: str) -> list[dict[str, Any]]:
    """The last whole rows of a log, oldest first; none where it is missing."""
    found: list[dict[str, Any]] = []
    with suppress(OSError):
        handle = os.open(path / f"{log}.jsonl", os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as file:
            size = os.fstat(handle).st_size
            file.seek(max(0, size - TAIL))
            content = file.read(TAIL)
        for line in content.split(b"\n")[1 if size > TAIL else 0 :]:
            with suppress(ValueError):
                row = checked.row_of(log, parse_json(line))
                if row is not None:
                    found.append(row)
    return found
