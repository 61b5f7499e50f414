"""A notebook as a page: its text, its code, and the outputs that are stored in it."""

from __future__ import annotations

import html
import json
from typing import Any

PICTURES = ("image/png", "image/gif", "image/jpeg")


def markdown(text: str) -> str:
    """The page of a notebook (nbformat 4). Pictures become data addresses, tables stay HTML."""
    cells = json.loads(text)["cells"]
    return "\n\n".join(part for cell in cells for part in _cell(cell)) + "\n"


def _cell(cell: dict[str, Any]) -> list[str]:
    source = "".join(cell["source"]).strip()
    if cell["cell_type"] == "markdown":
        return [source]
    if cell["cell_type"] != "code" or not source:
        return []
    return [f"```python\n{source}\n```", *filter(None, map(_output, cell.get("outputs", [])))]


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", {})
    for kind in PICTURES:
        if kind in data:
            return f'<img alt="" src="data:{kind};base64,{"".join(data[kind]).replace(chr(10), "")}">'
    if "text/markdown" in data:
        return "".join(data["text/markdown"])
    words = "".join(output.get("text", data.get("text/plain", "")))
    return f'<pre class="output">{html.escape(words.strip())}</pre>' if words.strip() else ""
