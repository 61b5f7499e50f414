"""Pictures that show themselves in a notebook, and say in a terminal what they are."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ganvas import media
from ganvas.files import replace_file, writing_to
from ganvas.media import enlarge


@dataclass(frozen=True)
class Picture:
    """A still or an animation as the bytes of a PNG or GIF file, with a caption."""

    content: bytes
    caption: str
    kind: str = "png"
    zoom: int = 1
    """How many times its size it is shown."""

    def _repr_png_(self) -> bytes:
        # A GIF as well: there is no display hook for GIF, notebook pages (GitHub's too) show only what is called a PNG,
        # and every browser looks at the first bytes and plays it.
        return self.content

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict[str, Any], dict[str, Any]]:
        return {"image/png": base64.b64encode(self.content).decode()}, self.shown_size()

    def shown_size(self) -> dict[str, Any]:
        """Width and height for the metadata of an output; nothing where it is shown as large as it is."""
        if self.zoom == 1:
            return {}
        width, height = self._size()
        return {"image/png": {"width": width * self.zoom, "height": height * self.zoom}}

    def _size(self) -> tuple[int, int]:
        with Image.open(io.BytesIO(self.content)) as picture:
            return picture.size

    def __repr__(self) -> str:
        return f"{self.caption} ({self.kind.upper()}, {len(self.content):,} bytes; .save(path) writes it)"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file; GanvasError where that fails."""
        with writing_to(Path(path)):
            replace_file(Path(path), self.content)
        return Path(path)

    def html(self) -> str:
        """The picture inside a page."""
        data = base64.b64encode(self.content).decode()
        alt = html.escape(self.caption, quote=True)
        size = "" if self.zoom == 1 else f' width="{self._size()[0] * self.zoom}" style="image-rendering: pixelated"'
        return f'<img alt="{alt}" title="{alt}"{size} src="data:image/{self.kind};base64,{data}">'


@dataclass(frozen=True)
class Images:
    """Images uint8 [n, c, h, w] with a class name for each, or none; a notebook shows them as a grid."""

    array: np.ndarray
    caption: str
    labels: tuple[str, ...] = ()
    columns: int = 8
    sampling: str = ""
    """How D guided them; empty for plain samples."""

    def __len__(self) -> int:
        return len(self.array)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.array, dtype)

    def __getitem__(self, at: Any) -> Any:
        return self.array[at]

    @property
    def pil(self) -> list[Image.Image]:
        """Each image for itself."""
        return [media.grid(image[None]) for image in self.array]

    @property
    def torch(self) -> Any:
        """A uint8 tensor [n, c, h, w]."""
        import torch

        return torch.from_numpy(self.array.copy())

    def grid(self) -> Image.Image:
        """All of them as one picture, enlarged without smoothing where they are small."""
        return enlarge(media.grid(self.array, self.columns), self.array.shape[2])

    def _repr_png_(self) -> bytes:
        return media.encode(self.grid())

    def __repr__(self) -> str:
        n, c, h, w = self.array.shape
        return f"{self.caption}: {n} images, {w} x {h} pixels, {'grey' if c == 1 else 'RGB'}, 0 to 255"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the grid as PNG; GanvasError where that fails."""
        content = media.marked_png(self.grid(), self.sampling) if self.sampling else self._repr_png_()
        return Picture(content, self.caption).save(path)


def table(rows: Sequence[Sequence[object]], head: Sequence[str]) -> str:
    """A plain HTML table; everything is escaped."""

    def line(cells: Sequence[object], tag: str) -> str:
        inner = "".join(f"<{tag} style='text-align:left'>{html.escape(str(cell))}</{tag}>" for cell in cells)
        return f"<tr>{inner}</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"
