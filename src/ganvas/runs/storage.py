"""Tensors on disk, as safetensors with one JSON entry of metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import GanvasError, first_line
from ganvas.files import parse_json, read_file

if TYPE_CHECKING:
    from torch import Tensor


def save_tensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> bytes:
    """Safetensors bytes with one metadata key, `ganvas`, holding JSON."""
    from safetensors.torch import save

    return save(
        {k: v.detach().cpu().contiguous() for k, v in tensors.items()},
        {"ganvas": json.dumps(metadata, sort_keys=True)},
    )


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and metadata of a file of ours; GanvasError where it is truncated or foreign."""
    from safetensors import SafetensorError

    try:
        tensors, metadata = parse_tensors(read_file(path))  # not by its path, which would have to be UTF-8
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        why = first_line(error)
        raise GanvasError(f"{path} is truncated or no safetensors file ({why}): choose another snapshot") from error
    if not isinstance(metadata, dict):
        raise GanvasError(f"{path} was not written by ganvas: choose a snapshot or a run directory")
    return tensors, metadata


def parse_tensors(content: bytes) -> tuple[dict[str, Tensor], Any]:
    """The tensors and the metadata in safetensors bytes. Raises SafetensorError, ValueError or KeyError."""
    from safetensors.torch import load

    tensors = load(content)
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return tensors, parse_json((header.get("__metadata__") or {}).get("ganvas", "null"))
