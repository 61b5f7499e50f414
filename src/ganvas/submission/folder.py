"""The folder of a hand-in: written aside, then moved; files of a user are never lost without --force."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError, UsageError, option
from ganvas.files import MARK, read_file, read_object, write_file, writing_to

MANIFEST = "submission.json"
"""Lists the files of the folder with their hashes; a folder with it is ours."""


def check(base: Path, force: bool = False) -> None:
    """UsageError where the folder is a run, or holds what `write` would replace and did not write."""
    if base.is_symlink() or (base.exists() and not base.is_dir()):
        raise UsageError(f"{base} is no folder: choose another {option('--out')}")
    if (base / "config.json").is_file():
        raise UsageError(f"{base} is a run: choose another {option('--out')} for the hand-in")
    if not base.is_dir() or force:
        return
    known = _known(base)
    if known is None and any(base.iterdir()):
        raise UsageError(
            f"{base} is not empty and holds no hand-in of ganvas: "
            f"choose another {option('--out')}, or replace files with {option('--force')}"
        )
    changed = [name for name, digest in (known or {}).items() if _digest(base / name) not in (digest, None)]
    if changed:
        raise UsageError(
            f"{base / changed[0]} was changed since ganvas wrote it: "
            f"choose another {option('--out')}, or replace it with {option('--force')}"
        )


def write(base: Path, files: Mapping[str, bytes], force: bool = False) -> None:
    """Write the files, named by paths below `base`, and remove those of the hand-in before.

    What else lies there stays. Raises as `check`, and GanvasError where it cannot be written.
    """
    check(base, force)
    for name in files:
        _inside(base, name)
    if not force and (taken := _foreign(base, files)):
        raise UsageError(
            f"{base / taken} was not made by ganvas: choose another {option('--out')}, "
            f"or replace it with {option('--force')}"
        )
    before = _known(base) or {}
    manifest = {"made": MARK, "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}}
    everything = {**files, MANIFEST: json.dumps(manifest, indent=1, ensure_ascii=False).encode() + b"\n"}
    aside = base.with_name(f".{base.name}.{os.getpid()}.part")
    with writing_to(base):
        try:
            base.parent.mkdir(parents=True, exist_ok=True)
            for name, content in everything.items():
                (aside / name).parent.mkdir(parents=True, exist_ok=True)
                write_file(aside / name, content)
            if not base.exists():
                os.rename(aside, base)
                return
            for name in everything:
                (base / name).parent.mkdir(parents=True, exist_ok=True)
                os.replace(aside / name, base / name)
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    for name, digest in before.items():
        if name not in everything and _digest(base / name) == digest:
            with suppress(OSError):
                (base / name).unlink()
                (base / name).parent.rmdir()  # where it is empty now


def _known(base: Path) -> dict[str, str] | None:
    """Name -> hash of the files of the hand-in that is there; None where there is none."""
    try:
        values: dict[str, Any] = read_object(base / MANIFEST)
    except GanvasError:
        return None
    files = values.get("files")
    if values.get("made") != MARK or not isinstance(files, dict):
        return None
    return {
        name: str(digest)
        for name, digest in files.items()
        if ".." not in Path(name).parts and not Path(name).is_absolute()
    }


def _digest(path: Path) -> str | None:
    """The hash of a file; None where there is none."""
    try:
        return hashlib.sha256(read_file(path)).hexdigest()
    except OSError:
        return None


def _foreign(base: Path, files: Mapping[str, bytes]) -> str | None:
    """The first file that is there and that the hand-in before did not write."""
    known = _known(base) or {}
    return next((name for name in files if name not in known and os.path.lexists(base / name)), None)


def _inside(base: Path, name: str) -> None:
    """UsageError where a folder on the way to a file is a link, or anything but a folder: it could lead elsewhere."""
    for parent in list((base / name).parents)[: len(Path(name).parts) - 1]:
        if parent.is_symlink() or (parent.exists() and not parent.is_dir()):
            raise UsageError(
                f"{parent} is a link or a file, where the hand-in needs a folder: choose another {option('--out')}"
            )
    if (base / name).is_dir():
        raise UsageError(f"{base / name} is a folder, where the hand-in has a file: choose another {option('--out')}")
