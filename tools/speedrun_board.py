"""Checks the entries of records/speedrun and makes its page of them.

    python tools/speedrun_board.py

A test says when the page is not that of the entries. The rules: records/speedrun/RULES.md.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "records" / "speedrun"
CLASSES = ("cpu-avx2", "cpu-avx512", "cpu-amx", "gpu")
TRACKS: Mapping[str, tuple[str, str, bool, tuple[float, ...]]] = {
    "cifar10": ("cifar10", "fd_efficientnet", True, (300.0, 200.0, 125.0, 75.0)),
    "fashion-mnist": ("fashion-mnist", "gan_test_accuracy", False, (0.9,)),
    "cifar10-fid": ("cifar10", "fid", True, (50.0, 20.0, 10.0, 5.0)),
    "shapes": ("shapes", "fd_efficientnet", True, (300.0,)),
}
"""track -> data set, metric, whether lower is better, the goals in the order in which they are reached.
`shapes` is there to try the scripts: it is on no board."""
SEEDS = 3
"""Seeds without which an entry has a time and no place."""
FIELDS: Mapping[str, type | tuple[type, ...]] = {
    "schema": int, "track": str, "class": str, "title": str, "date": str, "seed": int, "code": dict, "command": list,
    "config": dict, "data": dict, "machine": dict, "start": dict, "evaluator": dict, "curve": list, "crossings": dict,
    "notes": str,
}  # fmt: skip
PARTS: Mapping[str, tuple[str, ...]] = {
    "code": ("commit", "changed"),
    "data": ("name", "sha256"),
    "machine": ("cpu", "cpu_capability", "accelerator", "threads", "torch", "python", "ganvas"),
    "start": ("cpu_sec", "wall_sec"),
    "evaluator": ("metric", "extractor", "weights_hash", "computation", "n", "n_ref", "split"),
}
POINT = ("nimg", "cpu_min", "wall_min", "value")


def problems(entry: Mapping[str, Any]) -> list[str]:
    """What is wrong with an entry; empty for a good one."""
    found = [f"{name} is missing" for name in FIELDS if name not in entry]
    found += [f"{name} is not known" for name in entry if name not in FIELDS]
    found += [f"{name} is no {kind}" for name, kind in FIELDS.items() if not isinstance(entry.get(name), kind)]
    if found:
        return found
    found += [f"{part}.{key} is missing" for part, keys in PARTS.items() for key in keys if key not in entry[part]]
    if found or entry["schema"] != 1 or entry["track"] not in TRACKS or entry["class"] not in CLASSES:
        return [*found, *([] if found else ["schema, track or class is not known"])]
    data, metric, _, goals = TRACKS[entry["track"]]
    if (entry["data"]["name"], entry["evaluator"]["metric"]) != (data, metric):
        found.append(f"the track {entry['track']} is of {data} and {metric}")
    if (entry["class"] == "gpu") != bool(entry["machine"]["accelerator"]):
        found.append(f"class {entry['class']} and accelerator {entry['machine']['accelerator']} do not agree")
    if not entry["curve"] or any(set(point) != set(POINT) for point in entry["curve"]):
        found.append(f"every point of the curve has {', '.join(POINT)}")
    elif entry["crossings"] != crossings(entry["track"], entry["curve"]):
        found.append("the crossings are not those of the curve")
    if set(entry["crossings"]) != {f"{goal:g}" for goal in goals}:
        found.append("the goals are not those of the track")
    return found


def crossings(track: str, curve: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Goal -> the first point of the curve that has reached it, or None."""
    _, _, lower, goals = TRACKS[track]
    ordered = sorted(curve, key=lambda point: point["nimg"])

    def reached(value: float, goal: float) -> bool:
        return value <= goal if lower else value >= goal

    return {f"{g:g}": next((dict(p) for p in ordered if reached(p["value"], g)), None) for g in goals}


def load(folder: Path = FOLDER) -> list[dict[str, Any]]:
    """All entries, by file name. Raises ValueError for one that is not good."""
    entries = []
    for path in sorted((folder / "entries").glob("*.json")):
        entry = json.loads(path.read_text("utf-8"))
        if wrong := problems(entry):
            raise ValueError(f"{path.name}: {'; '.join(wrong)}")
        entries.append(entry)
    return entries


def page(entries: Sequence[Mapping[str, Any]]) -> str:
    """The board as Markdown."""
    lines = [
        "# Speedruns", "", "Made by [speedrun_board.py](../../tools/speedrun_board.py) from [entries](entries); "
        "what counts: [RULES](RULES.md).",
    ]  # fmt: skip
    for kind in CLASSES:
        unit = "wall_min" if kind == "gpu" else "cpu_min"
        for track, (data, metric, _, goals) in TRACKS.items():
            groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
            for entry in entries:
                if (entry["class"], entry["track"]) == (kind, track):
                    groups.setdefault((entry["title"], _hardware(entry)), []).append(entry)
            if track == "shapes" or not (track == "cifar10" or (track == "cifar10-fid") == (kind == "gpu")):
                continue
            time = "minutes" if kind == "gpu" else "CPU-minutes"
            lines += ["", f"## {kind}: {data}, {metric}", ""]
            if not groups:
                lines.append("No entry yet.")
                continue
            head = ["training", *(f"{time} to {goal:g}" for goal in goals), "seeds", "last value", "machine", "code"]
            lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
            for (title, hardware), members in sorted(groups.items()):
                times = [_time([e["crossings"][f"{goal:g}"] for e in members], unit) for goal in goals]
                last = statistics.mean(max(e["curve"], key=lambda p: p["nimg"])["value"] for e in members)
                commits = ", ".join(sorted({e["code"]["commit"][:7] for e in members}))
                seeds = f"{len(members)}" + ("" if len(members) >= SEEDS else " (no place)")
                lines.append(f"| {title} | {' | '.join(times)} | {seeds} | {last:.3g} | {hardware} | {commits} |")
    return "\n".join([*lines, ""])


def _hardware(entry: Mapping[str, Any]) -> str:
    machine = entry["machine"]
    threads = machine["threads"]
    return str(machine["accelerator"] or f"{machine['cpu']}, {threads} thread{'s' * (threads != 1)}")


def _time(found: Sequence[Mapping[str, float] | None], unit: str) -> str:
    """The mean over seeds, and how many of them got there."""
    times = [point[unit] for point in found if point is not None]
    if not times:
        return "not reached"
    return f"{statistics.mean(times):.3g}" + ("" if len(times) == len(found) else f" ({len(times)} of {len(found)})")


def main() -> None:
    """Write the page."""
    (FOLDER / "README.md").write_text(page(load()), "utf-8")


if __name__ == "__main__":
    main()
