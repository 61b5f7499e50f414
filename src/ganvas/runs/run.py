"""A run directory: the only thing that training leaves and the only thing that everything after it reads.

Torch-free but for `save_tensors`/`load_tensors`, so that reports and listings start at once.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import random
import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ganvas.config import SCHEMA_VERSION, Config, from_dict, to_dict
from ganvas.errors import GanvasError, UsageError, command, kind, option, shown
from ganvas.files import (
    is_locked,
    parse_json,
    read_file,
    read_object,
    replace_file,
    sync_folder,
    try_lock,
    utf8,
    write_file,
    writing_to,
)
from ganvas.runs import checked, cleanup
from ganvas.runs.migrate import LOGS, migrate_config, migrate_row

if TYPE_CHECKING:
    from PIL import Image

KEPT_CHECKPOINTS = 2
NEW_NOTES = "## Keep\n\n## Problem\n\n## Try\n"
"""notes.md of a new run."""
OWN = "own-"
"""How the recipes of networks begin that `ganvas.GAN` was given."""
OWN_CODE = "networks.py"
"""The text of a learner's own networks and losses, in runs that have any."""
TURNS = ("start", "resume", "finish", "stop", "nan")
LOCK_SECONDS = 1.0  # that a writer waits for another's lock


def stem(nimg: int) -> str:
    """File name of what belongs to `nimg` images: nine digits, so that names sort as numbers."""
    return f"{nimg:09d}"


class FolderTakenError(UsageError):
    """The folder of a new run exists and is not empty."""


class Layer(NamedTuple):
    """One line of a network's summary, counted as Keras counts: weights and running statistics."""

    name: str
    kind: str
    output: tuple[int, ...]
    """Shape without the batch."""
    params: int


@dataclass(frozen=True)
class Checkpoint:
    """A verified checkpoint on disk: `nimg` images seen, its folder, and its state.json."""

    nimg: int
    path: Path
    state: dict[str, Any]


class Run:
    """One run directory. Reading needs no lock and may happen at any moment; writing happens inside `writing()`."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    # -- making and opening ------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        config: Config,
        recipe: Config,
        data: dict[str, Any],
        networks: Mapping[str, Sequence[Layer]] | None = None,
    ) -> Self:
        """A new run in an absent or empty folder. `recipe` is the recipe's config as it is today."""
        run = cls(path)
        hint = f", or `{command('resume', run.path)}`" if (run.path / "config.json").is_file() else ""
        taken = FolderTakenError(f"{run.path} exists and is not empty: choose another {option('--out')}{hint}")
        with writing_to(run.path):
            if run.path.exists() and (not run.path.is_dir() or any(run.path.iterdir())):
                raise taken
            run.path.mkdir(parents=True, exist_ok=True)
            try:
                (run.path / "samples").mkdir()  # of two processes at the same moment, one succeeds
            except FileExistsError:
                raise taken from None
        try:
            with writing_to(run.path):
                (run.path / "snapshots").mkdir()
                (run.path / "checkpoints").mkdir()
            run.write_json("data.json", data)
            if networks:
                run.write_networks(networks)
            run.write_bytes("notes.md", NEW_NOTES.encode())
            run.write_config(config, recipe)
        except BaseException:
            shutil.rmtree(run.path, ignore_errors=True)  # half a run would be in the way of the next attempt
            raise
        return run

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Self:
        """An existing run; UsageError where there is none, GanvasError where it is unreadable or newer than this."""
        if not isinstance(path, str | os.PathLike):
            raise UsageError(f"a run is named by the path of its folder, not by {kind(path)}")
        run = cls(path)
        if not (run.path / "config.json").is_file():
            raise UsageError(f"{run.path} is no run directory (no config.json there; `{command('runs')}` lists runs)")
        version = run.read_json("config.json").get("schema_version")
        if not isinstance(version, int):
            raise UsageError(f"{run.path} is no run directory (its config.json was not written by ganvas)")
        if version > SCHEMA_VERSION:
            raise GanvasError(
                f"{run.path}/config.json has schema version {version}, this ganvas knows up to {SCHEMA_VERSION}: "
                "update ganvas"
            )
        return run

    # -- config and data ---------------------------------------------------------------------------------------

    @property
    def config(self) -> Config:
        """The resolved config of this run."""
        return self._config("config")

    @property
    def recipe(self) -> Config:
        """The recipe's config as it was on the day the run began."""
        return self._config("recipe")

    @property
    def total_nimg(self) -> int | None:
        """Images at which the run is finished; None while a budget in minutes is still being measured."""
        value: int | None = self.read_json("config.json").get("total_nimg")
        if value is not None and not checked.is_whole(value):
            what = "expected a number of images or null"
            raise GanvasError(f"{self.path}/config.json: total_nimg = {shown(value)}: {what}")
        return value

    @property
    def data(self) -> dict[str, Any]:
        """name, sha256, n, shape [c, h, w], class_names, classes (counts) and source of the images trained on."""
        values = self.read_json("data.json")
        checked.enforce(values, checked.DATA, 4, self.path / "data.json")
        return values

    @property
    def networks(self) -> dict[str, list[Layer]]:
        """The layers of "generator" and "discriminator" as they were built; empty where they were not recorded."""
        return {
            name: [Layer(row["name"], row["kind"], tuple(row["output"]), row["params"]) for row in layers]
            for name, layers in (self._optional("networks.json", checked.NETWORKS) or {}).items()
        }

    def write_networks(self, networks: Mapping[str, Sequence[Layer]]) -> None:
        """Write networks.json, from which the report draws its diagram."""
        self.write_json("networks.json", {name: [row._asdict() for row in rows] for name, rows in networks.items()})

    def write_config(self, config: Config, recipe: Config, total_nimg: int | None = None) -> None:
        """Write config.json whole."""
        values = {
            "schema_version": SCHEMA_VERSION,
            "total_nimg": total_nimg,
            "config": to_dict(config),
            "recipe": to_dict(recipe),
        }
        self.write_json("config.json", values)

    def _config(self, key: str) -> Config:
        values = migrate_config(self.read_json("config.json").get(key))
        config: Config = from_dict(values, where=f"{self.path}/config.json: {key}")
        return config

    # -- rows --------------------------------------------------------------------------------------------------

    def append(self, log: str, row: Mapping[str, Any]) -> None:
        """Add one row to `log`.jsonl; NaN and infinities become null."""
        plain = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
        line = utf8(json.dumps(plain, ensure_ascii=False)) + b"\n"
        path = self.path / f"{log}.jsonl"
        old = self._old_log(log)
        if old is not None:  # an older version began this log under another name
            with writing_to(path):
                os.replace(old, path)
        with writing_to(path), open(path, "a+b") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":  # a crash cut the last row short: it must not spoil this one
                    line = b"\n" + line
            file.write(line)

    def rows(self, log: str) -> list[dict[str, Any]]:
        """All whole rows of `log`.jsonl, as checked.row_of gives them; a line that a crash cut short is passed over."""
        path = self._old_log(log) or self.path / f"{log}.jsonl"
        if not path.exists():
            return []
        try:
            content = read_file(path)
        except OSError as error:
            raise GanvasError(f"{path} cannot be read ({error.strerror}): is this a whole run directory?") from error
        rows = []
        for line in content.split(b"\n"):
            with suppress(ValueError):
                values = parse_json(line)
                row = checked.row_of(log, migrate_row(log, values) if isinstance(values, dict) else values)
                if row is not None:
                    rows.append(row)
        return sorted(rows, key=lambda row: row["nimg"]) if log in checked.ORDERED else rows

    def last_turn(self) -> str:
        """The last event that began or ended a training: start, resume, finish, stop or nan; "" before the first."""
        events = (str(row.get("event")) for row in reversed(self.rows("events")))
        return next((event for event in events if event in TURNS), "")

    def _old_log(self, log: str) -> Path | None:
        """The file in which an older version kept this log, as long as there is no new one."""
        if log not in LOGS or (self.path / f"{log}.jsonl").exists():
            return None
        path = self.path / f"{LOGS[log]}.jsonl"
        return path if path.exists() else None

    def event(self, kind: str, nimg: int, **details: Any) -> None:
        """Add a row to events.jsonl: start, resume, stop, finish, warning, nan, ..."""
        self.append("events", {"time": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "nimg": nimg, "event": kind, **details})

    # -- pictures and generators -------------------------------------------------------------------------------

    def sample_grids(self) -> list[tuple[int, Path]]:
        """(nimg, path) of every sample grid, in order."""
        return self._numbered("samples", r"(\d{9,})\.png")

    def picture(self, path: Path) -> Image.Image | None:
        """A grid of this run's images, in mode L or RGB; None if it is missing, damaged, or no such grid."""
        return checked.read_grid(path, tuple(self.data["shape"]))

    def snapshots(self) -> list[tuple[int, Path]]:
        """(nimg, path) of every generator snapshot, in order."""
        return self._numbered("snapshots", r"(\d{9,})\.safetensors")

    def _numbered(self, folder: str, pattern: str) -> list[tuple[int, Path]]:
        base = self.path / folder
        try:
            names = [p.name for p in base.iterdir()] if base.is_dir() else []
        except OSError as error:
            raise GanvasError(f"{base} cannot be read ({error.strerror}): is this a whole run directory?") from error
        return sorted((int(m[1]), base / name) for name in names if (m := re.fullmatch(pattern, name)))

    # -- checkpoints -------------------------------------------------------------------------------------------

    def checkpoints(self) -> list[tuple[int, Path]]:
        """(nimg, folder) of every checkpoint, oldest first, not yet verified."""
        return self._numbered("checkpoints", r"(\d{9,})")

    def save_checkpoint(self, nimg: int, tensors: Mapping[str, bytes], state: Mapping[str, Any]) -> None:
        """Write {name}.safetensors files and state.json aside, flush to disk, then rename.

        The last two are kept, and the selected one.
        """
        folder = self.path / "checkpoints"
        aside, final = folder / f"{stem(nimg)}.part", folder / stem(nimg)
        with writing_to(folder):
            if aside.is_dir():
                cleanup.remove(aside)
            aside.mkdir(parents=True)
            try:
                files = {}
                for name, content in tensors.items():
                    write_file(aside / f"{name}.safetensors", content)
                    files[name] = hashlib.sha256(content).hexdigest()
                described = {"schema_version": SCHEMA_VERSION, "nimg": nimg, "sha256": files, **state}
                write_file(aside / "state.json", json.dumps(described).encode())
                sync_folder(aside)
                if final.exists():
                    cleanup.remove(final)
                os.rename(aside, final)
                sync_folder(folder)
            except OSError:
                shutil.rmtree(aside, ignore_errors=True)
                raise
        selected = self.selected
        for at, old in self.checkpoints()[:-KEPT_CHECKPOINTS]:
            if selected is None or at != selected["nimg"]:
                with suppress(OSError):
                    cleanup.remove(old)

    @property
    def selected(self) -> dict[str, Any] | None:
        """nimg, metric and value of the checkpoint that scored best while training; None without evaluation.

        It was chosen among several by that very score, which flatters it: results are reported for the last one.
        """
        return self._optional("selected.json", checked.SELECTED)

    @property
    def experiment(self) -> dict[str, Any] | None:
        """The experiment and cell that it is part of, with the verdicts on the cell; None where it is of none."""
        return self._optional("part_of.json", checked.EXPERIMENT)

    def _optional(self, name: str, rules: Mapping[str, tuple[checked.Test, str]]) -> dict[str, Any] | None:
        """A file without which the run is still whole: None where it is missing or damaged."""
        try:
            values = self.read_json(name)
            checked.enforce(values, rules, len(rules), self.path / name)
        except GanvasError:
            return None
        return {key: values[key] for key in rules}

    def select(self, nimg: int, metric: str, value: float) -> None:
        """Keep the checkpoint at `nimg` as the best so far."""
        self.write_json("selected.json", {"nimg": nimg, "metric": metric, "value": value})

    def latest_checkpoint(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest checkpoint whose every file is whole, and a line on each newer one that is not."""
        problems: list[str] = []
        there = self.checkpoints()
        for nimg, path in reversed(there):
            try:
                return _verified(nimg, path), problems
            except (OSError, ValueError) as error:
                problems.append(f"{path}: {error}")
            except (KeyError, TypeError, AttributeError):
                problems.append(f"{path}: state.json was not written by ganvas")
        if there and self.checkpoints()[-1:] > there[-1:]:  # a writer replaced them all while they were being read
            return self.latest_checkpoint()
        return None, problems

    def checkpoint_at(self, nimg: int) -> Checkpoint | None:
        """The checkpoint at `nimg` images; None where there is none, or not every file of it is whole."""
        path = dict(self.checkpoints()).get(nimg)
        try:
            return None if path is None else _verified(nimg, path)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def drop_after(self, nimg: int) -> None:
        """Forget everything written after `nimg` images: rows, samples, snapshots, checkpoints (before a resume)."""
        for log in ("metrics", "monitor", "evals"):
            old = self._old_log(log)
            if old is not None or (self.path / f"{log}.jsonl").exists():
                kept = [row for row in self.rows(log) if row.get("nimg", 0) <= nimg]
                lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in kept]
                self.write_bytes(f"{log}.jsonl", utf8("".join(lines)))
                if old is not None:
                    old.unlink()
        for at, path in [*self.sample_grids(), *self.snapshots()]:
            if at > nimg:
                path.unlink()
        for at, path in self.checkpoints():
            if at > nimg:
                cleanup.remove(path)
        if (selected := self.selected) and selected["nimg"] > nimg:
            (self.path / "selected.json").unlink()
        for folder in ("samples", "snapshots", "checkpoints"):
            for left in filter(cleanup.is_part, (self.path / folder).glob("*.part")):
                cleanup.remove(left)

    # -- files -------------------------------------------------------------------------------------------------

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write a file aside and rename it, so that a reader sees the old one or the new one."""
        path = self.path / name
        with writing_to(path):
            replace_file(path, content)
        return path

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Write a JSON file atomically."""
        self.write_bytes(name, utf8(json.dumps(values, indent=1, ensure_ascii=False) + "\n"))

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON object; GanvasError naming the file where it is missing or broken."""
        return read_object(self.path / name)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run's lock; GanvasError if another process keeps it. A killed process lets go of it."""
        with writing_to(self.path):
            handle = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            patience = time.monotonic() + LOCK_SECONDS  # those in `is_locked` hold it as well, for a moment each
            while not try_lock(handle):
                if time.monotonic() > patience:
                    holder = os.read(handle, 32).decode(errors="replace").strip() or "unknown"
                    raise GanvasError(
                        f"{self.path} is being written by another process (pid {holder}): wait or stop it"
                    )
                time.sleep(random.uniform(0.001, 0.005))  # never in step with those who look
            with writing_to(self.path / ".lock"):
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
            yield
        finally:
            os.close(handle)

    def is_locked(self) -> bool:
        """Whether some process is writing this run right now."""
        return is_locked(self.path / ".lock")


def _verified(nimg: int, path: Path) -> Checkpoint:
    """The checkpoint in a folder; ValueError where a file is not what state.json says."""
    state = parse_json(read_file(path / "state.json"))
    if state["schema_version"] > SCHEMA_VERSION:
        raise GanvasError(f"{path} has schema version {state['schema_version']}, newer than this ganvas: update ganvas")
    if state["nimg"] != nimg:
        raise ValueError(f"its state.json belongs to {state['nimg']} images")
    if not isinstance(state.get("environment", {}), dict):
        raise TypeError("environment")
    for name, digest in state["sha256"].items():
        if not name.isidentifier():
            raise KeyError(name)
        if hashlib.sha256(read_file(path / f"{name}.safetensors")).hexdigest() != digest:
            raise ValueError(f"{name}.safetensors is truncated or altered")
    return Checkpoint(nimg, path, state)


def next_path(parent: Path, config: Config) -> Path:
    """The next free runs/0007-recipe-data-s0 below `parent`."""
    numbers = [int(p.name[:4]) for p in parent.glob("[0-9][0-9][0-9][0-9]-*")] if parent.is_dir() else []
    data = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(config.data.name).stem).strip("-") or "data"
    return parent / f"{max(numbers, default=0) + 1:04d}-{config.recipe}-{data}-s{config.seed}"
