"""Folders as bytes and back: a run on its way between machines, and the images that a worker is sent.

A tar of plain files. What comes in is checked name by name and never written outside its folder.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO

from ganvas.config import Config
from ganvas.errors import GanvasError, first_line, shown
from ganvas.files import writing_to
from ganvas.runs.run import Run

MOST_FILES = 1_000_000
DEEPEST = 32
"""Folders above a file."""
END = b"\0" * 1024
"""How a tar ends."""
ATTEMPTS = 20
"""Times that a run is packed again because its training replaced a file meanwhile."""
FOLDERS = ("samples", "snapshots", "checkpoints")
EVENTS = "events.jsonl"
NOTHING: Mapping[str, bytes] = {}
OURS = "data.json"
"""The file of a run that its experiment's own machine keeps: it says where the images are there."""


def digest(content: bytes) -> str:
    """SHA-256 in hex: the name under which content is kept on a worker."""
    return hashlib.sha256(content).hexdigest()


class RefusedError(GanvasError):
    """What a machine sent is not what it should be."""


# -- runs ------------------------------------------------------------------------------------------------------


def pack_run(path: Path, whole: bool = False) -> bytes:
    """A run as a tar, also while its training writes it.

    Events are read first: none is then newer than the checkpoint, such as a `finish` that its resume would repeat. Then
    the newest whole checkpoint: everything else is at least as new, and goes when the run is resumed. Of older
    checkpoints only the selected one is packed, unless `whole`: the run is not written now.
    """
    for _ in range(ATTEMPTS):
        out = io.BytesIO()
        with suppress(FileNotFoundError):  # replaced by a newer one while we read
            early = not whole and (path / EVENTS).is_file()
            read = {EVENTS: (path / EVENTS).read_bytes()} if early else NOTHING
            pack(path, file_names(path) if whole else _run_files(path), out, read)
            return out.getvalue()
    raise GanvasError(f"{path} changes faster than it can be read: raise --log.checkpoint-kimg")


def newest_nimg(path: Path) -> int:
    """Images at the newest whole checkpoint of a run; -1 where it has none."""
    checkpoint, _ = Run.open(path).latest_checkpoint()
    return -1 if checkpoint is None else checkpoint.nimg


def _run_files(path: Path) -> list[str]:
    run = Run.open(path)
    checkpoint, _ = run.latest_checkpoint()
    selected = run.selected
    wanted = {checkpoint.path.name} if checkpoint is not None else set()
    wanted |= {old.name for nimg, old in run.checkpoints() if selected is not None and nimg == selected["nimg"]}
    first, others = [], []
    for name in file_names(path):
        parts = PurePosixPath(name).parts
        if parts[0] != "checkpoints":
            others.append(name)
        elif parts[1] in wanted:
            first.append(name)
    return [*first, *others]


def unpack_run(file: IO[bytes], path: Path, sender: str) -> None:
    """A run from a tar into a new folder, with the folders of a run that are still empty; raises as `unpack`."""
    unpack(file, path, sender)
    for name in FOLDERS:
        (path / name).mkdir(exist_ok=True)


def install_run(path: Path, content: bytes, sender: str) -> bool:
    """Put a run that came back in place of what is here; False, and nothing done, where what is here is newer.

    The folder changes at once. GanvasError where the content is no run, or the run of another training.
    """
    incoming = path.parent / ".incoming"
    new, old = incoming / path.name, incoming / f"{path.name}.old"
    try:
        with writing_to(path):
            shutil.rmtree(new, ignore_errors=True)
            incoming.mkdir(exist_ok=True)
            unpack_run(io.BytesIO(content), new, sender)
            here, there = Run.open(path).config, _config(new, sender)
            if replace(there, engine=here.engine) != here:
                raise RefusedError(f"{sender} sent another training than {path.name}: is another experiment using it?")
            if newest_nimg(new) < newest_nimg(path):
                return False
            shutil.copyfile(path / OURS, new / OURS)
            shutil.rmtree(old, ignore_errors=True)
            os.rename(path, old)
            os.rename(new, path)
            return True
    finally:
        if path.exists():
            shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(new, ignore_errors=True)
        with suppress(OSError):  # another run is on its way in
            incoming.rmdir()


def recover(base: Path) -> None:
    """Undo an exchange of folders that a killed process left half done."""
    incoming = base / ".incoming"
    for old in incoming.glob("*.old"):
        path = base / old.name.removesuffix(".old")
        if not path.exists():
            os.rename(old, path)
    shutil.rmtree(incoming, ignore_errors=True)


def _config(path: Path, sender: str) -> Config:
    try:
        return Run.open(path).config
    except GanvasError as error:
        raise RefusedError(f"what {sender} sent is no whole run ({first_line(error)})") from error


# -- any folder --------------------------------------------------------------------------------------------------


def file_names(folder: Path) -> list[str]:
    """The files below a folder, sorted, without locks and what is being written."""
    found = []
    for at, folders, files in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.endswith(".part")]
        found += [
            (Path(at) / name).relative_to(folder).as_posix()
            for name in files
            if name != ".lock" and not name.endswith(".part")
        ]
    return sorted(found)


def pack(folder: Path, names: list[str], out: IO[bytes], read: Mapping[str, bytes] = NOTHING) -> None:
    """Write files of a folder into a tar, those that were `read` before as they were; equal files give equal bytes."""
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name in names:
            content = (
                read[name] if name in read else (folder / name).read_bytes()
            )  # a log may grow: its size is what was read
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def unpack(file: IO[bytes], folder: Path, sender: str) -> None:
    """Write the files of a tar into a new folder.

    GanvasError for a name that leaves the folder, for anything but a plain file, for a name that comes twice, and for
    content that is no whole tar. OSError where writing fails.
    """
    folder.mkdir(parents=True)
    try:
        for name, content in _members(file, sender):
            target = folder.joinpath(*name.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            with open(target, "xb") as out:
                shutil.copyfileobj(content, out)
    except FileExistsError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise _refused(sender, f"the name {shown(Path(error.filename).name)} twice") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _members(file: IO[bytes], sender: str) -> Iterator[tuple[PurePosixPath, IO[bytes]]]:
    """Each file of a tar, its name checked. No file can be larger than the tar."""
    count, left = 0, file.seek(0, io.SEEK_END)
    file.seek(max(0, left - len(END)))
    if left % tarfile.RECORDSIZE or file.read() != END:  # tarfile takes one that was cut between two files for whole
        raise _refused(sender, "content that is no whole tar")
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            for member in tar:
                count, left = count + 1, left - member.size
                if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.sparse is not None:
                    raise _refused(sender, f"{shown(member.name)}, which is no plain file")
                if count > MOST_FILES or left < 0:
                    raise _refused(sender, "a file larger than all that came")
                content = tar.extractfile(member)
                assert content is not None
                yield _checked(member.name, sender), content
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise _refused(sender, f"content that is no whole tar ({first_line(error)})") from error


def _checked(name: str, sender: str) -> PurePosixPath:
    path = PurePosixPath(name)
    wrong = path.is_absolute() or not path.parts or len(path.parts) > DEEPEST or "\\" in name or "\0" in name
    wrong = wrong or (os.name == "nt" and ":" in name)  # a drive or a stream
    if wrong or ".." in path.parts:
        raise _refused(sender, f"the file name {shown(name)}")
    return path


def _refused(sender: str, what: str) -> RefusedError:
    return RefusedError(f"{sender} sent {what}: refused, nothing was kept")
