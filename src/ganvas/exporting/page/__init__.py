"""A folder with a static page that runs the generator in the visitor's browser, and all that it needs."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ganvas import __version__, i18n
from ganvas.datasets.progress import Progress
from ganvas.exporting.model import Model
from ganvas.exporting.page import network, runtime, words
from ganvas.files import MARK, utf8
from ganvas.latent_directions import principal_directions
from ganvas.reports import html
from ganvas.training import latents

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("page.js", "network.js", "latents.js", "files.js")
INDEX = "index.html"
"""Carries the mark of ganvas: what lies beside it is ours where it is."""
SLIDERS = 8
CHECKED = 4
"""Images of torch that the page compares its own with before it shows any."""


def names(webgpu: bool) -> tuple[str, ...]:
    """The files of the folder."""
    below = [f"runtime/{name}" for name in runtime.names(webgpu)]
    return (INDEX, "style.css", *SCRIPTS, "model.onnx", *below)


def contents(model: Model, name: str, given: Path | None, webgpu: bool) -> tuple[Mapping[str, bytes], str]:
    """Name of each file -> its content, and a line on it.

    `name`: what the page calls the model; `given`: the runtime's .tgz; `webgpu`: with the files for it, 3.8 MB more.
    Raises UsageError and GanvasError as ganvas.exporting.page.runtime and ganvas.exporting.onnx_file.
    """
    files = runtime.contents(given, webgpu, Progress())
    onnx, shares, worst = network.contents(model)
    style = (html.TEMPLATES / "report.css").read_bytes() + (STATIC / "page.css").read_bytes()
    made = {
        INDEX: utf8(_index(model, name, shares, webgpu)),
        "style.css": style,
        **{script: (STATIC / script).read_bytes() for script in SCRIPTS},
        "model.onnx": onnx,
        **{f"runtime/{file}": content for file, content in files.items()},
    }
    assert tuple(made) == names(webgpu)
    return made, f"at most {worst} of 255 grey levels from torch; look at it with: python -m http.server -d FOLDER"


def _index(model: Model, name: str, shares: bool, webgpu: bool) -> str:
    values = {
        "model": _facts(model, name, shares, webgpu),
        "words": {
            lang: {key.removeprefix("page."): text for key, text in sentences.items()}
            for lang, sentences in words.SENTENCES.items()
        },
        "say": i18n.load("en"),
        "mark": MARK,
        "version": __version__,
        "runtime": runtime.VERSION,
    }
    return html.environment(STATIC).get_template(INDEX).render(values)


def _facts(model: Model, name: str, shares: bool, webgpu: bool) -> dict[str, Any]:
    """What the page's script knows of the model."""
    generator = model.generator
    config, count = generator.config.generator, len(generator.class_names)
    found = principal_directions(generator, SLIDERS)
    index = np.arange(CHECKED)
    drawn = generator.draw(latents.draw_z(config, 0, "sample", index), index % count if count else None)
    pictures = np.ascontiguousarray(drawn.transpose(0, 2, 3, 1)).tobytes()
    packed = {"wasm": runtime.packed(runtime.WASM), "webgpu": runtime.packed(runtime.WEBGPU)}
    return {
        "name": name,
        "shape": generator.shape,
        "nimg": generator.nimg,
        "dim": config.latent_dim,
        "sphere": config.latent == "sphere",
        "classes": generator.class_names,
        "shares": shares,
        "directions": [[round(float(value), 5) for value in vector] for vector in found.vectors],
        "shares_of_variance": [round(float(share), 5) for share in found.shares],
        "check": {"seed": 0, "images": base64.b64encode(pictures).decode()},
        "webgpu": webgpu,
        "runtime": packed,
    }
