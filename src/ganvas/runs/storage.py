"""Files that are whole or not there: errors in one line, flushed writes, locks, tensors as safetensors."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import GanvasError

if TYPE_CHECKING:
    from torch import Tensor


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Turn a failed write (full disk, no permission) into one clear GanvasError."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        hint = "free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "choose another folder"
        raise GanvasError(f"cannot write {error.filename or path}: {why}; {hint}") from error


def write_file(path: Path, content: bytes) -> None:
    """Write and flush to disk."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Flush a rename to disk where the system can."""
    if os.name == "posix":
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def try_lock(handle: int, shared: bool = False) -> bool:
    """Take the lock without waiting; whether it could be had."""
    try:
        import fcntl
    except ImportError:  # Windows: one byte beyond the pid, never shared
        import msvcrt

        os.lseek(handle, 64, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_NB | (fcntl.LOCK_SH if shared else fcntl.LOCK_EX))
    except OSError:
        return False
    return True


def save_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> bytes:
    """Safetensors bytes with one metadata key, `ganvas`, holding JSON."""
    from safetensors.torch import save

    return save(
        {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
        {"ganvas": json.dumps(metadata, sort_keys=True)},
    )


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and metadata of a file of ours; GanvasError where it is truncated or foreign."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = json.loads((file.metadata() or {}).get("ganvas", "null"))
            if not isinstance(metadata, dict):
                raise GanvasError(f"{path} was not written by ganvas: choose a snapshot or a run directory")
            return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise GanvasError(f"{path} is truncated or no safetensors file ({error}): choose another snapshot") from error
