"""A trained generator for use: load it from a run or a snapshot, draw from it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL.Image import Image

from ganvas import media, models, rng
from ganvas.config import SCHEMA_VERSION, Config, EngineConfig, from_dict
from ganvas.disk import load_tensors
from ganvas.engine import Engine, resolve
from ganvas.errors import GanvasError, UsageError
from ganvas.run import Run
from ganvas.training import draw


@dataclass(frozen=True)
class Sampler:
    """A generator that has seen `nimg` real images and makes images of `shape` [c, h, w]."""

    generator: torch.nn.Module
    config: Config
    shape: tuple[int, int, int]
    nimg: int
    path: Path
    engine: Engine

    def sample(self, n: int, seed: int = 0, start: int = 0) -> UInt8[np.ndarray, "n c h w"]:
        """Images number start to start + n - 1, each a function of (seed, number) alone; UsageError for n < 1."""
        if n < 1:
            raise UsageError(f"n = {n}: ask for 1 image or more")
        index = np.arange(start, start + n)
        z = torch.from_numpy(rng.normal(seed, "sample", index, self.config.generator.latent_dim))
        return draw(self.generator, z, self.engine).numpy()

    def grid(self, n: int = 64, seed: int = 0, columns: int = 8) -> Image:
        """n images side by side as one picture."""
        return media.grid(self.sample(n, seed), columns)


def load(path: str | os.PathLike[str], device: str = "auto") -> Sampler:
    """The newest generator of a run directory, or the one in a .safetensors snapshot.

    Raises UsageError where there is none, GanvasError where it is truncated, foreign or from a newer ganvas.
    """
    source = Path(path)
    if source.is_dir():
        source = _newest(Run.open(source))
    elif not source.is_file():
        raise UsageError(f"{source} does not exist: name a run directory or a .safetensors snapshot")
    tensors, metadata = load_tensors(source)
    try:
        if metadata["schema_version"] > SCHEMA_VERSION:
            raise GanvasError(
                f"{source} has schema version {metadata['schema_version']}, newer than this ganvas: update ganvas"
            )
        nimg = int(metadata["nimg"])
        config: Config = from_dict(metadata["config"], where=f"{source}: config")
        shape = tuple(metadata["shape"])
        generator = models.build_generator(config, shape)
        generator.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        why = str(error).strip().splitlines()[-1].strip()
        message = f"{source} does not hold the generator it describes ({why}): choose another snapshot"
        raise GanvasError(message) from error
    threads = torch.get_num_threads()  # a training in the same process keeps its own
    engine = Engine(resolve(EngineConfig(device, "float32", "channels_last", "direct", threads)))
    return Sampler(engine.place(generator), config, shape, nimg, source, engine)


def _newest(run: Run) -> Path:
    """The newest snapshot, or the newest whole checkpoint's generator where that is newer."""
    snapshots = run.snapshots()
    checkpoint, _ = run.latest_checkpoint()
    if checkpoint is not None and (not snapshots or checkpoint.nimg > snapshots[-1][0]):
        name = "ema" if "ema" in checkpoint.state["sha256"] else "generator"
        return checkpoint.path / f"{name}.safetensors"
    if not snapshots:
        raise UsageError(f"{run.path} holds no generator yet: train it first (ganvas resume {run.path})")
    return snapshots[-1][1]
