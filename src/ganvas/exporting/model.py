"""A generator to be exported, with the bytes of its file and the run that it came from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ganvas.files import read_file
from ganvas.generator import Generator, load, run_of
from ganvas.runs.run import Run


@dataclass(frozen=True)
class Model:
    """What the formats have in common."""

    generator: Generator
    content: bytes
    """Of its safetensors file."""
    run: Run | None
    """None where only the file is there."""

    @classmethod
    def load(cls, target: str | os.PathLike[str]) -> Model:
        """The generator that `ganvas.load` finds, on the CPU, where exports are made and checked."""
        generator = load(target, "cpu")
        return cls(generator, read_file(generator.path), run_of(generator.path))

    @property
    def data(self) -> dict[str, Any]:
        """What is known of the training images: name, n, and more; at least the name."""
        known = self.run.data if self.run else self.generator.data
        return {"name": self.generator.config.data.name, **known}

    @property
    def averaged(self) -> bool:
        """Whether the weights are a moving average of G's."""
        return self.generator.config.step.ema_kimg > 0
