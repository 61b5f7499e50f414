"""Deleting parts of a run: only regular files that ganvas wrote. Links are never followed, what is a user's stays."""

from __future__ import annotations

import re
from pathlib import Path

from ganvas.errors import GanvasError
from ganvas.files import read_object

PART = re.compile(r"\d{9,}(\.\w+)?(\.\d+)?\.part")
"""Names of files and folders that are being written."""


NAMES = ("discriminator", "ema", "d_optim", "g_optim", "generator", "log")
"""Tensor files of a checkpoint, where its state.json cannot be read."""


def is_part(path: Path) -> bool:
    """Whether ganvas gave a file or folder its name while it was being written."""
    return PART.fullmatch(path.name) is not None


def is_checkpoint(folder: Path) -> bool:
    """Whether a folder holds a state.json of ganvas."""
    return not folder.is_symlink() and bool(_named(folder))


def remove(path: Path) -> tuple[int, list[Path]]:
    """Delete a checkpoint or what an interrupted write left; returns the bytes freed and the user's files that stay.

    A folder in which files stay is renamed to NAME.kept, so that it is no checkpoint any more. Raises OSError.
    """
    if path.is_symlink():
        return 0, [path]
    if not path.is_dir():
        size = path.stat().st_size
        path.unlink()
        return size, []
    ours = {f"{name}.safetensors" for name in (*_named(path), *NAMES)} | {"state.json"}
    freed, stay = 0, []
    for file in sorted(path.iterdir()):
        if file.name in ours and file.is_file() and not file.is_symlink():
            freed += file.stat().st_size
            file.unlink()
        else:
            stay.append(file)
    if not stay:
        path.rmdir()
        return freed, []
    aside = next(p for p in (path.with_name(f"{path.stem}.kept{n or ''}") for n in range(1000)) if not p.exists())
    path.rename(aside)
    return freed, [aside / file.name for file in stay]


def _named(folder: Path) -> list[str]:
    """The tensor files that a checkpoint's state.json names; none where it is not ganvas's."""
    try:
        return [str(name) for name in read_object(folder / "state.json")["sha256"]]
    except (GanvasError, KeyError, TypeError):
        return []
