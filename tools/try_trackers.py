"""Log a small training to the real trackers, stop or kill it, resume it, and read back what arrived.

pip install 'ganvas[tensorboard,trackio,wandb]' in an environment of its own, then: python tools/try_trackers.py
Nothing leaves the machine. Prints a line for each tracker; exits with 1 where a step is doubled, or missing though the
training was not killed. A kill costs what the tracker had not written yet.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

SETTINGS = {
    "step.batch": 16, "data.size": 16, "data.limit": 96, "generator.width": 0.25, "discriminator.width": 0.25,
    "engine.conv": "direct", "log.every": 1, "log.checkpoint_kimg": 0.096,
    "engine.dtype": "float32", "engine.layout": "channels_last",
}  # fmt: skip
KILLED = 160
TRAIN = """
import os, signal, sys, time, ganvas
def end(event):
    if event.kind == "row" and event.nimg >= KILLED:
        if sys.argv[3] == "stop":
            signal.raise_signal(signal.SIGTERM)
        else:
            time.sleep(3)  # trackers write in the background
            os._exit(9)  # nothing is flushed or closed
ganvas.train("cifar-dcgan", data="shapes", kimg=0.256, out=sys.argv[1], settings=SETTINGS, hooks=[end],
             log_to=sys.argv[2], report=False)
"""
RESUME = """
import sys, ganvas
ganvas.resume(sys.argv[1], log_to=sys.argv[2], report=False)
"""


def run(code: str, *words: str) -> int:
    """The exit status of a Python program in a process of its own."""
    return subprocess.run([sys.executable, "-c", code, *words], stdout=subprocess.DEVNULL, check=False).returncode


def tensorboard(folder: Path, name: str) -> tuple[list[int], int]:
    """Steps of loss/d, and the number of pictures, as TensorBoard's own reader sees them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder / "tensorboard"), {"scalars": 0, "images": 0})
    found.Reload()
    return [event.step for event in found.Scalars("loss/d")], len(found.Images("samples"))


def trackio(folder: Path, name: str) -> tuple[list[int], int]:
    """The same from Trackio's database."""
    from trackio.sqlite_storage import SQLiteStorage

    rows = SQLiteStorage.get_logs("ganvas", name)
    return [row["step"] for row in rows if "loss/d" in row], sum("samples" in row for row in rows)


def wandb(folder: Path, name: str) -> tuple[list[int], int]:
    """The same from the files that wandb sync would send."""
    from wandb.proto import wandb_internal_pb2

    steps, pictures = [], 0
    for path in sorted(Path("wandb").glob(f"offline-run-*-{name}/*.wandb")):
        for data in records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            row = {item.key or item.nested_key[0]: item.value_json for item in record.history.item}
            if "loss/d" in row:
                steps.append(int(float(json.loads(row["nimg"]))))
            pictures += "samples" in row
    return steps, pictures


def records(content: bytes) -> Iterator[bytes]:
    """The records of a .wandb file: 7 bytes, then LevelDB's log format, blocks of 32 KiB with parts of records."""
    at, held = 7, b""
    while at + 7 <= len(content):
        if 32768 - at % 32768 < 7:
            at += 32768 - at % 32768
            continue
        _, length, kind = struct.unpack_from("<IHB", content, at)
        held += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield held
            held = b""


def attempt(kind: str, read: Callable[[Path, str], tuple[list[int], int]], how: str) -> bool:
    """Train, end, resume, read, print; whether all is as it should be."""
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        ended = run(f"SETTINGS, KILLED = {SETTINGS!r}, {KILLED}\n{TRAIN}", "run", kind, how)
        resumed = run(RESUME, "run", kind)
        steps, pictures = read(Path("run"), json.loads(Path("run/log_to.json").read_text())[kind]["name"])
        expected = [json.loads(line)["nimg"] for line in Path("run/metrics.jsonl").read_text().splitlines()]
        grids = len([*Path("run/samples").glob("0*.png")])
        twice = [step for step, count in Counter(steps).items() if count > 1]
        missing = sorted({*expected} - {*steps})
        fine = (ended, resumed) == ({"stop": -15, "kill": 9}[how], 0)
        whole = not missing and pictures == grids
        fine &= not twice and (whole or (how == "kill" and max(missing, default=0) <= KILLED))
        print(
            f"{kind} {version(kind)}, {how}: {len(steps)} of {len(expected)} rows, {pictures} of {grids} grids, twice "
            f"{twice}, missing {missing}; exit {ended}, then {resumed}: {'fine' if fine else 'WRONG'}",
            flush=True,
        )
        os.chdir("/")
    return fine


def main() -> None:
    """Try each tracker."""
    for name in ("WANDB_MODE", "TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL"):
        os.environ.pop(name, None)
    readers = {"tensorboard": tensorboard, "trackio": trackio, "wandb": wandb}
    with tempfile.TemporaryDirectory() as os.environ["TRACKIO_DIR"]:  # this process reads it once
        results = [attempt(kind, read, how) for how in ("stop", "kill") for kind, read in readers.items()]
    sys.exit(not all(results))


if __name__ == "__main__":
    main()
