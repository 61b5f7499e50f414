"""Tensors on disk, as safetensors with one JSON entry of metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import GanvasError

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
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "pt") as file:
            metadata = json.loads((file.metadata() or {}).get("ganvas", "null"))
            if not isinstance(metadata, dict):
                raise GanvasError(f"{path} was not written by ganvas: choose a snapshot or a run directory")
            return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118
    except (SafetensorError, OSError, ValueError) as error:
        raise GanvasError(f"{path} is truncated or no safetensors file ({error}): choose another snapshot") from error
