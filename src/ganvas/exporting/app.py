"""A page that draws images of the generator in this folder (made by ganvas).

pip install ganvas gradio
python app.py
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import ganvas

ANY = "any class"


@cache
def model() -> Any:
    """The generator beside this file."""
    return ganvas.load(Path(__file__).parent, device="cpu")


def choices() -> list[str]:
    """What the page offers: any class first, then each; nothing where the generator has no classes."""
    return [ANY, *model().class_names] if model().class_names else []


def draw(seed: float, count: float, label: str | None = None) -> Any:
    """A grid of `count` images of a seed, enlarged, of one class if `label` names it."""
    generator = model()
    kind = None if label in (None, ANY) else label
    picture = generator.grid(max(1, min(int(count), 64)), max(0, int(seed)), labels=kind)
    factor = max(1, -(-64 // generator.shape[1]))
    return picture.resize((picture.width * factor, picture.height * factor), 0)


def page() -> Any:
    """The page, as Gradio builds it."""
    import gradio

    inputs = [
        gradio.Number(0, label="Seed", precision=0),
        gradio.Slider(1, 64, 16, step=1, label="Images"),
    ]
    if choices():
        inputs.append(gradio.Dropdown(choices(), value=ANY, label="Class"))
    return gradio.Interface(draw, inputs, gradio.Image(label="Samples"), flagging_mode="never")


if __name__ == "__main__":
    page().launch()
