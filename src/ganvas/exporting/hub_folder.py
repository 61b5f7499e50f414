"""A folder ready for the Hugging Face hub: the generator, what it is, its card, samples, a small app."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ganvas import __version__, hub, media
from ganvas.config import to_dict
from ganvas.exporting import card
from ganvas.exporting.model import Model
from ganvas.files import MARK

FILES = (hub.FILE, "config.json", "README.md", "samples.png", "app.py")
ROWS = 10
"""Of the sample grid, at most: one for each class."""
COLUMNS = 8


def contents(model: Model) -> tuple[Mapping[str, bytes], str]:
    """Name of each file -> its content, and a line on what to do with them."""
    made = {
        hub.FILE: model.content,
        "config.json": _config(model),
        "README.md": card.text(model, ".", picture=True).encode(),
        "samples.png": _samples(model),
        "app.py": (Path(__file__).parent / "app.py").read_bytes(),
    }
    assert tuple(made) == FILES
    return made, f"upload it with: hf upload OWNER/NAME FOLDER ({', '.join(FILES)})"


def _config(model: Model) -> bytes:
    """What the hub shows; ganvas reads the same from the header of the safetensors file."""
    generator = model.generator
    values = {
        "library_name": "ganvas",
        "made": f"{MARK} {__version__}",
        "shape": generator.shape,
        "latent_dim": generator.config.generator.latent_dim,
        "latent": generator.config.generator.latent,
        "class_names": generator.class_names,
        "nimg": generator.nimg,
        "config": to_dict(generator.config),
    }
    return (json.dumps(values, indent=1) + "\n").encode()


def _samples(model: Model) -> bytes:
    generator = model.generator
    rows = min(len(generator.class_names), ROWS) or COLUMNS
    grid = generator.grid(rows * COLUMNS, columns=COLUMNS)
    return media.marked_png(media.enlarge(grid, generator.shape[1]))
