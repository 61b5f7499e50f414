"""What a Dask worker does: it runs one cell in processes of its own, and answers how far that is.

`run_cell` is the task, in a thread of the worker. The other functions are called beside it. Every argument and result
is text, numbers, bytes, and lists and dicts of them.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import ganvas
from ganvas import datasets
from ganvas.errors import GanvasError, first_line
from ganvas.experiments.cluster import packing
from ganvas.experiments.plan import Cell
from ganvas.experiments.trials import Trial
from ganvas.plugins import VARIABLE
from ganvas.runs.run import Run

POLL_SECONDS = 0.1
KILL_SECONDS = 60.0
"""How long a process may take to save."""
LOG_BYTES = 200_000
"""Of the end of a log that goes back."""
SET_BY_DASK = ("MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_TRIM_THRESHOLD_")
"""Variables that a Dask worker sets for itself; they would slow a training."""
SPARE_BYTES = 16_000_000
"""A disk with less is full."""

RUNNING: dict[str, Running] = {}
"""Key of a cell -> what runs here."""


@dataclass
class Running:
    """A cell on this worker."""

    trial: Trial
    experiment: str
    asked: float = field(default_factory=time.monotonic)
    """When its experiment last asked for it."""
    step: str = ""
    """The command that it is at: resume, then evaluate."""
    stopped: bool = False


# -- the task --------------------------------------------------------------------------------------------------


def run_cell(job: dict[str, Any]) -> dict[str, Any]:
    """Train and score what is left of a cell. `outcome` is done, failed, stopped, data (they are missing), or worker.

    The last means that this machine cannot run it, such as with a full disk: another may. `run` is the run as a tar.
    """
    room = _room()
    folder = None
    answer: dict[str, Any] = {"outcome": "worker", "reason": "", "run": b"", "log": ""}
    try:
        if missing := _missing_data(job, room):
            return {**answer, "outcome": "data", "reason": missing}
        folder = Path(tempfile.mkdtemp(prefix="cell-", dir=room))
        trial = _unpack_trial(job, room, folder)
        cell = RUNNING[job["key"]] = Running(trial, job["experiment"])
        outcome = _run_steps(cell, job, folder)
        here = f"{folder}{os.sep}"  # means nothing elsewhere
        reason, log = (text.replace(here, "") for text in (trial.failure_reason, _log_end(trial)))
        answer |= {"outcome": outcome, "reason": reason, "log": log}
        answer["run"] = packing.pack_run(trial.path, whole=True)
        if outcome == "failed" and _disk_is_full(folder, trial.failure_reason):
            answer["outcome"] = "worker"
    except OSError as error:
        answer["reason"] = f"{error.filename or room}: {error.strerror or error}"
    except GanvasError as error:
        answer["reason"] = first_line(error)
    finally:
        RUNNING.pop(job["key"], None)
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)
    return answer


def _unpack_trial(job: dict[str, Any], room: Path, folder: Path) -> Trial:
    """The run as it was sent, as a trial whose images are where they are here."""
    path = folder / job["name"]
    with open(room / job["run"], "rb") as file:
        packing.unpack_run(file, path, "the experiment")
    (room / job["run"]).unlink(missing_ok=True)
    config = Run.open(path).config
    data = job["data"]
    if data["file"]:
        config = replace(config, data=replace(config.data, name=str(_data_folder(room, data["sha256"]) / data["file"])))
    for name, text in job["plugins"].items():
        (folder / "plugins").mkdir(exist_ok=True)
        (folder / "plugins" / name).write_text(text, "utf-8")
    cell = Cell(job["name"], config)
    return Trial(cell, config.seed, config, path, tuple(job["features"]), job["n"])


def _run_steps(cell: Running, job: dict[str, Any], folder: Path) -> str:
    """Run what the trial needs, one process at a time; the outcome."""
    trial = cell.trial
    while (argv := trial.next_step()) is not None and not cell.stopped:
        cell.step = argv[0]
        process = _start(trial, argv, job, folder)
        assert process.stdin is not None
        told = 0.0
        with process.stdin:
            while process.poll() is None:
                now = time.monotonic()
                if now - cell.asked > job["patience"]:
                    cell.stopped = True  # whoever wanted it is gone
                if cell.stopped and not told:
                    process.send_signal(signal.SIGTERM)
                    told = now
                if told and now - told > KILL_SECONDS:
                    process.kill()
                time.sleep(POLL_SECONDS)
        if cell.stopped:
            break
        if process.returncode < 0:  # by a signal that is not ours, such as of the system where memory is short
            trial.mark_failed(f"its process was ended by {signal.Signals(-process.returncode).name}")
            return "worker"
        if not trial.finish_step(argv, process.returncode):
            return "failed"
    state = trial.state
    return state if state in ("done", "failed") else "stopped"


def _start(trial: Trial, argv: list[str], job: dict[str, Any], folder: Path) -> subprocess.Popen[bytes]:
    """Start `ganvas` in a process that ends with this one."""
    environment = {name: value for name, value in os.environ.items() if name not in SET_BY_DASK}
    environment["OMP_NUM_THREADS"] = str(job["threads"])
    if job["plugins"]:
        environment[VARIABLE] = os.pathsep.join(str(folder / "plugins" / name) for name in job["plugins"])
    data = job["data"]
    if data["sha256"] and not data["file"]:
        environment["GANVAS_DATA"] = str(_data_folder(folder.parent, data["sha256"]))
    trial.log.parent.mkdir(exist_ok=True)
    with open(trial.log, "ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "ganvas.experiments.cluster.guarded", *argv], stdin=subprocess.PIPE, stdout=log,
            stderr=log, env=environment, start_new_session=True,
        )  # fmt: skip


def _log_end(trial: Trial) -> str:
    with suppress(OSError):
        return trial.log.read_bytes()[-LOG_BYTES:].decode("utf-8", "replace")
    return ""


def _disk_is_full(folder: Path, reason: str) -> bool:
    return os.strerror(errno.ENOSPC) in reason or shutil.disk_usage(folder).free < SPARE_BYTES


# -- images ----------------------------------------------------------------------------------------------------


def _missing_data(job: dict[str, Any], room: Path) -> str:
    """Why the images of a cell are not here; empty where they are. A known set is fetched. `resume` compares hashes."""
    data = job["data"]
    if data["sha256"]:
        folder = _data_folder(room, data["sha256"])
        sent = room / data["sha256"]
        if sent.is_file() and not folder.is_dir():
            aside = Path(tempfile.mkdtemp(dir=room)) / folder.name
            with open(sent, "rb") as file:
                packing.unpack(file, aside, "the experiment")
            folder.parent.mkdir(exist_ok=True)
            with suppress(OSError):  # another cell of this worker was first
                os.rename(aside, folder)
            shutil.rmtree(aside.parent)
            sent.unlink(missing_ok=True)
        return "" if folder.is_dir() else "they were not sent yet"
    try:
        datasets.fetch(data["name"], progress=False)
    except GanvasError as error:
        return first_line(error)
    return ""


def _data_folder(room: Path, sha256: str) -> Path:
    return room / "data" / sha256


# -- beside the task -------------------------------------------------------------------------------------------


@cache
def code_digest() -> str:
    """SHA-256 over the package's source files."""
    package = Path(ganvas.__file__).parent
    found = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        found.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return found.hexdigest()


def about() -> dict[str, str]:
    """Who this worker is, and which ganvas it has."""
    return {"host": socket.gethostname(), "version": ganvas.__version__, "code": code_digest()}


def put(name: str, at: int, content: bytes, last: bool, dask_worker: Any) -> str:
    """Write a piece of what is sent under its SHA-256; an empty text, or after the last piece why it is refused."""
    room = _room(dask_worker)
    part = room / f"{name}.part"
    try:
        with open(part, "r+b" if at else "wb") as file:
            file.seek(at)
            file.write(content)
        if not last:
            return ""
        with open(part, "rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != name:
            part.unlink()
            return f"what arrived has another SHA-256 ({found[:12]}..., not {name[:12]}...)"
        os.replace(part, room / name)
    except OSError as error:
        part.unlink(missing_ok=True)
        return f"{room}: {error.strerror or error}"
    return ""


def look(key: str) -> dict[str, Any]:
    """How far a cell is; empty where it is not running here. Its worker knows that it is still wanted."""
    cell = RUNNING.get(key)
    if cell is None:
        return {}
    cell.asked = time.monotonic()
    try:
        checkpoints = Run.open(cell.trial.path).checkpoints()
        progress = list(cell.trial.progress)
    except (GanvasError, OSError):  # a file that is being replaced
        return {}
    return {"step": cell.step, "progress": progress, "checkpoint": checkpoints[-1][0] if checkpoints else -1}


async def packed(key: str) -> bytes:
    """A cell's run as a tar, with its newest whole checkpoint; empty where it is not running here."""
    cell = RUNNING.get(key)
    if cell is None:
        return b""
    with suppress(GanvasError, OSError):
        return await asyncio.to_thread(packing.pack_run, cell.trial.path)
    return b""


def stop(key: str) -> None:
    """Let a cell save and end."""
    if (cell := RUNNING.get(key)) is not None:
        cell.stopped = True


async def leave(experiment: str) -> dict[str, bytes]:
    """Stop every cell of an experiment here whose client is gone; their runs by name, as tars."""
    found = {}
    for key, cell in list(RUNNING.items()):
        if cell.experiment == experiment:
            found[cell.trial.name] = await packed(key)
            cell.stopped = True
    return found


def _room(worker: Any = None) -> Path:
    """This worker's folder for cells. Dask deletes it when the worker ends, else when the next one there begins."""
    if worker is None:
        from distributed import get_worker

        worker = get_worker()
    room = Path(worker.local_directory) / "ganvas"
    room.mkdir(parents=True, exist_ok=True)
    return room
