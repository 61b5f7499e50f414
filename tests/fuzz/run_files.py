"""Damaged run folders: each file cut, flipped, replaced, retyped; then a verb that reads runs."""

from __future__ import annotations

import copy
import io
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 3, 10**30, 2**63, 1e308, -0.5, float("nan"), float("inf"), "", "x", "$x_{", "\x1b[31m\n",
    "../..", "a" * 5000, [], [1, "x"], [[]], {}, {"x": {"y": 1}},
)  # fmt: skip


def case_of(good: Path, other: Path) -> Callable[[random.Random, Path], list[str]]:
    """Cases of a finished run, beside which another good one stands."""

    def case(chance: random.Random, folder: Path) -> list[str]:
        bad = Path(shutil.copytree(good, folder / "runs" / "bad"))
        shutil.copytree(other, folder / "runs" / "fine")
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            damage(chance, bad)
        verbs = {
            "report": 25, "doctor": 25, "runs": 15, "sample": 15, "compare": 12, "resume": 4, "prune": 4,
        }  # fmt: skip
        verb = chance.choices(list(verbs), list(verbs.values()))[0]
        words = {
            "runs": ["runs", "runs"],
            "prune": ["runs", "runs", "--prune"],
            "compare": ["compare", "runs/bad", "runs/fine", "--no-evaluate", "--out", "compared"],
            "sample": ["sample", "runs/bad", "--n", "4", "--out", "x.png"],
        }
        return words.get(verb, [verb, "runs/bad"])

    return case


def damage(chance: random.Random, run: Path) -> None:
    """Change one file of a run."""
    files = sorted(path for path in run.rglob("*") if path.is_file() and not path.is_symlink())
    if not files:
        return
    top = [path for path in files if path.suffix in (".json", ".jsonl")]
    path = chance.choice(top if top and chance.random() < 0.7 else files)
    content = path.read_bytes()
    kind = chance.choice(
        ("retype", "retype", "retype", "retype", "cut", "flip", "garbage", "value", "deep", "remove", "folder", "loop",
         "huge", "fifo", "picture", "rename")
    )  # fmt: skip
    if kind == "retype" and path.suffix in (".json", ".jsonl"):
        path.write_bytes(retyped(chance, content, lines=path.suffix == ".jsonl"))
    elif kind == "cut":
        path.write_bytes(content[: chance.randrange(len(content) + 1)])
    elif kind == "flip":
        path.write_bytes(flipped(chance, content))
    elif kind == "garbage":
        path.write_bytes(chance.randbytes(chance.choice((0, 1, 300))))
    elif kind == "value":
        path.write_text(json.dumps(chance.choice(VALUES)))
    elif kind == "deep":
        path.write_text(
            chance.choice(("[" * 100_000, '{"a":' * 50_000, '{"nimg": 1, "x": ' + "[" * 900 + "]" * 900 + "}"))
        )
    elif kind == "huge":
        path.write_text(json.dumps({"nimg": 5, "event": "x", "recipe": "x" * 10_000_000}))
    elif kind == "picture":
        grids = sorted((run / "samples").glob("*.png"))
        if grids:
            chance.choice(grids).write_bytes(picture(chance))
    elif kind == "rename":
        path.rename(path.with_name(chance.choice(("x", "-1.png", "999999999999.png", "a\nb", "caf\udce9", ".part"))))
    elif kind != "retype":
        path.unlink()
        if kind == "folder":
            path.mkdir()
        elif kind == "loop":
            path.symlink_to(path)
        elif kind == "fifo":
            os.mkfifo(path)


def retyped(chance: random.Random, content: bytes, lines: bool) -> bytes:
    """A JSON text with a value replaced, removed or added."""
    try:
        rows = [json.loads(line) for line in content.splitlines() if line] if lines else [json.loads(content)]
    except (ValueError, RecursionError):
        return content
    for _ in range(chance.choice((1, 1, 3))):
        if rows:
            spoil(chance, rows)
    return b"\n".join(json.dumps(row).encode() for row in rows)


def spoil(chance: random.Random, node: Any) -> None:
    """Change one value somewhere below a list or an object."""
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = chance.choice(keys)
        if isinstance(node[key], (dict, list)) and node[key] and chance.random() < 0.8:
            node = node[key]
            continue
        if chance.random() < 0.2:
            del node[key]
        elif isinstance(node, dict) and chance.random() < 0.1:
            node[chance.choice(("x", "", "a" * 300))] = value(chance)
        else:
            node[key] = value(chance)
        return


def value(chance: random.Random) -> Any:
    """Any JSON value, a copy of its own."""
    return copy.deepcopy(chance.choice(VALUES))


def flipped(chance: random.Random, content: bytes) -> bytes:
    """Some bytes changed."""
    spoiled = bytearray(content)
    for _ in range(min(len(spoiled), chance.choice((1, 5, 50)))):
        spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
    return bytes(spoiled)


def picture(chance: random.Random) -> bytes:
    """A PNG that is no sample grid."""
    sizes = ((12000, 12000), (1, 1), (17, 31), (128, 16), (16, 16), (48, 32), (48, 32))
    size, mode = chance.choice(list(zip(sizes, ("1", "L", "RGB", "P", "I;16", "RGBA", "L"), strict=True)))
    file = io.BytesIO()
    Image.new(mode, size).save(file, "PNG")
    return file.getvalue()
