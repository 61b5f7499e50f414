"""Exports and animations in Python: also of a Run and of a Generator."""

from __future__ import annotations

import os
from functools import wraps
from typing import Any

from ganvas import exporting
from ganvas.exporting import Animation, Exported
from ganvas.generator import Generator
from ganvas.notebook.arguments import named, only_known
from ganvas.runs.run import Run


@only_known()
@wraps(exporting.export)
def export(
    model: Any,
    to: str,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    *,
    runtime: str | os.PathLike[str] | None = None,
    webgpu: bool | None = None,
    what: str | None = None,
    n: int | None = None,
    seed: int | None = None,
    discriminator: bool | None = None,
) -> Exported:
    """See `ganvas.exporting.export`; also takes a Run and a Generator."""
    target = _target(model, "export")
    return exporting.export(
        target, to, out, force, runtime=runtime, webgpu=webgpu, what=what, n=n, seed=seed, discriminator=discriminator
    )


@only_known()
@wraps(exporting.animate)
def animate(model: Any, to: str, out: str | os.PathLike[str] | None = None, **settings: Any) -> Animation:
    """See `ganvas.exporting.animate`; also takes a Run and a Generator."""
    return exporting.animate(_target(model, "animate"), to, out, **settings)


def _target(model: Any, function: str) -> str | os.PathLike[str]:
    """Where the model is; UsageError for what is none."""
    if isinstance(model, Run | Generator):
        return model.path
    return named(model, function, "a run or a model")
