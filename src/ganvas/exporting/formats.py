"""One generator in one of the formats: what is written, and what may be replaced."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganvas.errors import UsageError, did_you_mean
from ganvas.exporting.model import Model
from ganvas.files import check_replaceable, replace_file, sync_folder, write_file, writing_to

FORMATS = ("onnx", "safetensors", "hub")
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


def export(
    target: str | os.PathLike[str], to: str, out: str | os.PathLike[str] | None = None, force: bool = False
) -> Exported:
    """The generator of a run, a snapshot or a shipped model as an "onnx" file, a "safetensors" file or a "hub" folder.

    Everything is written aside and then moved. A file that ganvas did not make is replaced only with `force`, a run
    directory never; other files of a folder stay. `out` is NAME.onnx, NAME.safetensors or NAME-hub by default.
    Raises UsageError where there is no generator, no such format or something else at `out`; GanvasError where the
    ONNX file differs from torch by more than one grey level, or a package is missing.
    """
    if to not in FORMATS:
        raise UsageError(f"--to {to}: choose {', '.join(FORMATS)}{did_you_mean(to, FORMATS)}")
    stem = Path(target).absolute().name.removesuffix(".safetensors")
    path = Path(out if out is not None else f"{stem}-hub" if to == "hub" else f"{stem}.{to}")
    if to != "hub" and path.suffix != f".{to}":
        raise UsageError(f"--out {path}: name a .{to} file")
    names = _names(path, to)
    _check(path, names, force)
    model = Model.load(target)
    contents, facts = _contents(model, path, to)
    if to == "hub" and not path.exists():
        _write_folder(path, contents)
    else:
        _check(path, names, force)
        _write_files({path / name if to == "hub" else path.parent / name: data for name, data in contents.items()})
    return Exported(path, tuple(path / name if to == "hub" else path.parent / name for name in contents), facts)


def _names(path: Path, to: str) -> tuple[str, ...]:
    """The files that this format writes."""
    from ganvas.exporting import hub_folder

    return {"onnx": (path.name,), "safetensors": (path.name, f"{path.stem}.md"), "hub": hub_folder.FILES}[to]


def _contents(model: Model, path: Path, to: str) -> tuple[Mapping[str, bytes], str]:
    """Name of each file -> its content, and a line on it."""
    from ganvas.exporting import card, hub_folder, onnx_file

    makers: dict[str, Callable[[], tuple[Mapping[str, bytes], str]]] = {
        "onnx": lambda: onnx_file.contents(model, path.name),
        "safetensors": lambda: (
            {path.name: model.content, f"{path.stem}.md": card.text(model, path.name).encode()},
            f"the generator as it is in {model.generator.path}, and its card {path.stem}.md",
        ),
        "hub": lambda: hub_folder.contents(model),
    }
    return makers[to]()


def _check(path: Path, names: tuple[str, ...], force: bool) -> None:
    """UsageError where something stands in the way that is not ours to replace."""
    folder = path if names[0] != path.name else path.parent
    if folder == path:
        if (path / "snapshots").is_dir() and (path / "config.json").is_file():
            raise UsageError(f"{path} is a run directory: choose another --out")
        if os.path.lexists(path) and not path.is_dir():
            raise UsageError(f"{path} is no folder: choose another --out")
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
