"""One generator, or the record of a run, in one of the formats: what is written, and what may be replaced."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganvas import hub
from ganvas.errors import UsageError, did_you_mean
from ganvas.exporting.model import Model
from ganvas.files import check_replaceable, is_ours, replace_file, sync_folder, write_file, writing_to
from ganvas.sampling.discriminator import file_beside, packed

FORMATS = ("onnx", "safetensors", "hub", "page", "parquet", "tensorboard")
FOLDERS = ("hub", "page", "tensorboard")
"""Formats that are a folder."""
OPTIONS = {
    **dict.fromkeys(("runtime", "webgpu"), ("page",)), **dict.fromkeys(("what", "n", "seed"), ("parquet",)),
    "discriminator": ("safetensors", "hub"),
}  # fmt: skip
"""What belongs to some formats only."""
HEAD = b'{"__metadata__":{"ganvas":'
"""How the header of a generator's file begins, after the eight bytes of its length."""


@dataclass(frozen=True)
class Exported:
    """What was written where."""

    path: Path
    files: tuple[Path, ...]
    facts: str
    """What was checked, or what is left to do: one line."""

    def __repr__(self) -> str:
        size = sum(file.stat().st_size for file in self.files)
        return f"{self.path}: {size:,} bytes; {self.facts}"


@dataclass(frozen=True)
class Options:
    """What belongs to some formats only; see `export`."""

    runtime: str | os.PathLike[str] | None = None
    webgpu: bool = True
    what: str = "samples"
    n: int = 1000
    seed: int = 0
    discriminator: bool = False


def export(
    target: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    *,
    runtime: str | os.PathLike[str] | None = None,
    webgpu: bool | None = None,
    what: str | None = None,
    n: int | None = None,
    seed: int | None = None,
    discriminator: bool | None = None,
) -> Exported:
    """The generator of a run, a snapshot or a shipped model, or what a run recorded, in another format.

    "onnx" and "safetensors" are a file; "hub" is a folder for the Hugging Face hub, "page" one with a static page that
    runs the generator in a browser, "tensorboard" one with the rows, grids and scores of a run. "parquet" is a table:
    `n` samples of `seed`, or with `what` "metrics" or "evals" the rows of a run. `out` is NAME.onnx, NAME-hub and so on
    by default. Options of a page: `runtime`, the .tgz of onnxruntime-web where npm is not to fetch it; `webgpu=False`
    leaves out the files for WebGPU. With `discriminator`, "safetensors" and "hub" also keep D, in a file of its own as
    float16, by which samples of the export can be guided.

    Everything is written aside and then moved. A file that ganvas did not make is replaced only with `force`, a run
    directory never; other files of a folder stay. Raises UsageError where there is no generator, no such format or
    option, or something else at `out`; GanvasError where a picture differs from torch's by more than one grey level,
    or a package is missing.
    """
    if to not in FORMATS:
        raise UsageError(f"--to {to}: choose {', '.join(FORMATS)}{did_you_mean(to, FORMATS)}")
    given = {
        "runtime": runtime, "webgpu": webgpu, "what": what, "n": n, "seed": seed, "discriminator": discriminator,
    }  # fmt: skip
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    for name in options:
        if to not in OPTIONS[name]:
            owners = " and ".join(OPTIONS[name])
            raise UsageError(f"{name} is an option of --to {owners}, not of --to {to}: leave it out")
    chosen = Options(**options)
    stem = Path(target).absolute().name.removesuffix(".safetensors")
    path = Path(out if out is not None else f"{stem}-{to}" if to in FOLDERS else f"{stem}.{to}")
    if to not in FOLDERS and path.suffix != f".{to}":
        raise UsageError(f"--out {path}: name a .{to} file")
    names = _names(path, to, chosen)
    _check(path, names, to, force)
    contents, facts = _contents(target, path, to, chosen)
    folder = path if to in FOLDERS else path.parent
    if to in FOLDERS and not path.exists():
        _write_folder(path, contents)
    else:
        _check(path, names, to, force)
        _write_files({folder / name: data for name, data in contents.items()})
    return Exported(path, tuple(folder / name for name in contents), facts)


def _names(path: Path, to: str, options: Options) -> tuple[str, ...]:
    """The files that this format writes."""
    from ganvas.exporting import hub_folder, page, tensorboard

    match to:
        case "hub":
            return (*hub_folder.FILES, *([hub.DISCRIMINATOR] if options.discriminator else []))
        case "page":
            return page.names(options.webgpu)
        case "tensorboard":
            return tensorboard.FILES
        case "safetensors":
            return path.name, f"{path.stem}.md", *([file_beside(path).name] if options.discriminator else [])
        case _:
            return (path.name,)


def _contents(target: str | os.PathLike[str], path: Path, to: str, options: Options) -> tuple[Mapping[str, bytes], str]:
    """Name of each file -> its content, and a line on it."""
    from ganvas.exporting import card, hub_folder, onnx_file, page, parquet, tensorboard

    if to == "parquet":
        return parquet.contents(target, path.name, options.what, options.n, options.seed)
    if to == "tensorboard":
        return tensorboard.contents(target)
    model = Model.load(target)
    match to:
        case "onnx":
            return onnx_file.contents(model, path.name)
        case "hub":
            files, facts = hub_folder.contents(model)
            return {**files, **_discriminator(model, path / hub.FILE, options)}, facts
        case "page":
            given = None if options.runtime is None else Path(options.runtime)
            return page.contents(model, _title(model), given, options.webgpu)
        case _:
            files = {path.name: model.content, f"{path.stem}.md": card.text(model, path.name).encode()}
            files |= _discriminator(model, path, options)
            return files, f"the generator as it is in {model.generator.path}, and its card {path.stem}.md"


def _discriminator(model: Model, path: Path, options: Options) -> dict[str, bytes]:
    """D's file beside that of the generator, where it was asked for."""
    return {file_beside(path).name: packed(model.generator)} if options.discriminator else {}


def _title(model: Model) -> str:
    """What a page calls a model: the run that it is of, else its file."""
    return model.run.path.absolute().name if model.run else model.generator.path.stem


def _check(path: Path, names: tuple[str, ...], to: str, force: bool) -> None:
    """UsageError where something stands in the way that is not ours to replace."""
    from ganvas.exporting import page

    folder = path if to in FOLDERS else path.parent
    if to in FOLDERS:
        if (path / "snapshots").is_dir() and (path / "config.json").is_file():
            raise UsageError(f"{path} is a run directory: choose another --out")
        if os.path.lexists(path) and not path.is_dir():
            raise UsageError(f"{path} is no folder: choose another --out")
    if to == "page" and is_ours(path / page.INDEX):
        return
    for name in names:
        if force or not _is_generator(folder / name):
            check_replaceable(folder / name, force)


def _is_generator(path: Path) -> bool:
    """Whether a file begins as the generators that ganvas writes."""
    try:
        with open(path, "rb") as file:
            return file.read(8 + len(HEAD))[8:] == HEAD
    except OSError:
        return False


def _write_files(contents: Mapping[Path, bytes]) -> None:
    """Each file whole or as it was."""
    for path, content in contents.items():
        with writing_to(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, content)


def _write_folder(path: Path, contents: Mapping[str, bytes]) -> None:
    """A new folder, whole or not there."""
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
        try:
            for name, content in contents.items():
                (aside / name).parent.mkdir(exist_ok=True)
                write_file(aside / name, content)
            sync_folder(aside)
            aside.chmod(0o777 & ~_umask())
            os.rename(aside, path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


def _umask() -> int:
    """What new folders leave out; mkdtemp leaves out more."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
