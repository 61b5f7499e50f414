"""A trained generator for use: load it from a run or a snapshot, draw from it."""

from __future__ import annotations

import math
import operator
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from PIL.Image import Image

from ganvas import hub, media, models
from ganvas.config import SCHEMA_VERSION, Config, EngineConfig, from_dict
from ganvas.datasets.pictures.names import readable
from ganvas.errors import GanvasError, UsageError, command, did_you_mean, shape_text, shown
from ganvas.process import memory_limit
from ganvas.runs import checked
from ganvas.runs.migrate import migrate_config
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors
from ganvas.sampling import PLAIN, Discriminator, Guidance, discriminator_of, guided
from ganvas.sampling.discriminator import SMALL
from ganvas.terminal import show
from ganvas.training import latents
from ganvas.training.backend import Engine, draw, resolve

FACTS = {
    key: checked.DATA.get(key, (checked.is_whole, "a number of images"))
    for key in ("shape", "nimg", "class_names", "class_counts")
}
"""What a generator's file says of itself, beside its config."""
WEIGHTS = Path(__file__).parent / "weights"
NOT_GENERATORS = re.compile(r"-classifier-|\.discriminator$")
"""In the stem of a file of WEIGHTS that is something else."""


@dataclass(frozen=True)
class Generator:
    """A generator that has seen `nimg` real images and makes images of `shape` [c, h, w]."""

    network: torch.nn.Module
    config: Config
    shape: tuple[int, int, int]
    nimg: int
    path: Path
    engine: Engine
    class_names: tuple[str, ...] = ()
    """Its classes, in the order of their numbers; empty if it was trained without classes."""
    class_counts: tuple[int, ...] = ()
    """Number of training images of each class."""
    data: dict[str, Any] = field(default_factory=dict)
    """name, sha256, n, shape and class_names of its training images; empty in files of older versions."""
    address: str = ""
    """hf://OWNER/NAME of one that came from there."""

    def __repr__(self) -> str:
        of = f" of {len(self.class_names)} classes" if self.class_names else ""
        return f"Generator({self.path}: {shape_text(self.shape)} images{of}, {self.nimg:,} images seen)"

    @cached_property
    def discriminator(self) -> Discriminator:
        """The D that was trained with it; UsageError where there is none, GanvasError where it is damaged."""
        return discriminator_of(self)

    def sample(
        self,
        n: int,
        seed: int = 0,
        start: int = 0,
        labels: str | Sequence[int | str] | None = None,
        *,
        best_of: int = 1,
        refine: int = 0,
        rejection: bool = False,
    ) -> UInt8[np.ndarray, "n c h w"]:
        """Images number start to start + n - 1, each a function of (seed, number, class) alone.

        `labels` is a class's name, or the name or number of a class for each image; without, classes come as often as
        in the training images. D may guide the sampling, where it is kept with the generator: `best_of` K keeps, of K
        candidates per image, that which D rates highest; `rejection` draws candidates until D's density ratio accepts
        one; `refine` N moves each latent by N Langevin steps (see ganvas.sampling). Scores of such images are not
        those of the generator.

        Raises UsageError for n < 1 and for more images than fit in memory, for an unknown class, for any class if the
        generator was trained without classes, and for guidance where there is no D.
        """
        self._check_number(n, 1, "n")
        guidance = Guidance(best_of, refine, rejection)
        index, own = np.arange(start, start + n), self.labels(n, seed, start, labels)
        if guidance == PLAIN:
            z = latents.draw_z(self.config.generator, seed, "sample", index)
        else:
            z = guided(self, self.discriminator, guidance, seed, index, own)
        return self.draw(z, own)

    def draw(
        self, z: Float32[np.ndarray, "n z"], labels: Int64[np.ndarray, "n"] | None = None
    ) -> UInt8[np.ndarray, "n c h w"]:
        """The images of these latents and classes."""
        classes = None if labels is None else torch.from_numpy(labels)
        return draw(self.network, torch.from_numpy(z), classes, self.engine).numpy()

    def between(
        self, steps: int, first: int = 0, last: int = 1, seed: int = 0, label: str | None = None
    ) -> UInt8[np.ndarray, "n c h w"]:
        """`steps` images on the way from image number `first` to image number `last` of `seed`, both included.

        Along the great circle between their latents (White 2016, arXiv 1609.04468): a straight line would pass through
        latents shorter than G ever saw. Of one class: `label`, or that of image `first`.
        """
        self._check_number(steps, 2, "steps")
        ends = latents.draw_z(self.config.generator, seed, "sample", np.array([first, last]))
        z = latents.great_circle(ends[0], ends[1], np.linspace(0, 1, steps))
        own = self.labels(1, seed, first, label)
        return self.draw(z, None if own is None else np.repeat(own, steps))

    def loop(self, stops: int, steps: int, seed: int = 0, first: int = 0) -> Float32[np.ndarray, "n z"]:
        """`steps` latents on a closed way through those of images `first` to first + stops - 1 of `seed`.

        As `between`: along great circles.
        """
        z = latents.draw_z(self.config.generator, seed, "sample", np.arange(first, first + stops))
        at = np.arange(steps) * stops / steps
        legs = [latents.great_circle(z[i], z[(i + 1) % stops], at[at.astype(int) == i] - i) for i in range(stops)]
        return np.concatenate(legs)

    def _check_number(self, n: Any, least: int, name: str) -> None:
        """UsageError for fewer images than this, and for more than the latents and images of which fit in memory."""
        try:
            operator.index(n)
        except TypeError:
            raise UsageError(f"{name} = {shown(n)}: it must be a whole number") from None
        if n < least:
            raise UsageError(f"{name} = {n}: ask for {least} image{'s' if least > 1 else ''} or more")
        need = n * (math.prod(self.shape) + 4 * self.config.generator.latent_dim)
        limit = memory_limit()
        if limit is not None and need > limit:
            raise UsageError(
                f"{name} = {n:,} images need at least {need / 1e9:,.0f} GB of memory, and this machine has "
                f"{limit / 1e9:,.0f} GB: ask for fewer at a time"
            )

    def labels(
        self, n: int, seed: int = 0, start: int = 0, labels: str | Sequence[int | str] | None = None
    ) -> Int64[np.ndarray, "n"] | None:
        """The classes of the images that `sample` gives for the same arguments; None without classes."""
        if not self.class_names:
            if labels is not None:
                raise UsageError(f"{self.path} was trained without classes: leave the class out")
            return None
        if labels is None:
            return latents.draw_labels(self.class_counts, seed, np.arange(start, start + n))
        return np.full(n, self._class(labels)) if isinstance(labels, str) else self._listed(labels, n)

    def _listed(self, labels: Any, n: int) -> Int64[np.ndarray, "n"]:
        """The numbers of n classes, each given by its name or number; UsageError for anything else."""
        try:
            chosen = np.array([self._class(one) if isinstance(one, str) else operator.index(one) for one in labels])
        except TypeError:
            raise UsageError(f"labels = {shown(labels)}: give one class, or a list of {n} names or numbers") from None
        if len(chosen) != n or chosen.min() < 0 or chosen.max() >= len(self.class_names):
            raise UsageError(f"labels: expected {n} numbers from 0 to {len(self.class_names) - 1}")
        return chosen.astype(np.int64)

    def _class(self, name: str) -> int:
        """The number of a class; UsageError where it has none of this name."""
        wanted = readable(name)
        exact = [known for known in self.class_names if readable(known) == wanted]
        matches = exact or [known for known in self.class_names if readable(known).casefold() == wanted.casefold()]
        if len(matches) != 1:
            known = ", ".join(self.class_names)
            raise UsageError(f"no class {name!r}{did_you_mean(name, self.class_names)} (there are: {known})")
        return self.class_names.index(matches[0])

    def grid(
        self,
        n: int | None = None,
        seed: int = 0,
        columns: int = latents.ROW,
        labels: str | None = None,
        **guidance: Any,
    ) -> Image:
        """n images side by side as one picture; of several classes, one class a row (8 rows, or one for each class).

        `guidance`: best_of, refine, rejection, as in `sample`.
        """
        rows = len(self.class_names) if labels is None else 0
        if columns < 1:
            raise UsageError(f"columns = {columns}: it must be 1 or more")
        n = columns * (rows or 8) if n is None else n
        self._check_number(n, 1, "n")
        chosen = (np.arange(n) // columns % rows).tolist() if rows else labels
        return media.grid(self.sample(n, seed, labels=chosen, **guidance), columns)


def load(target: str | os.PathLike[str], device: str = "auto") -> Generator:
    """The generator that `find` finds.

    Raises UsageError where there is none, GanvasError where it is truncated, foreign or from a newer ganvas.
    """
    source = find(target)
    tensors, metadata = load_tensors(source)
    try:
        if metadata["schema_version"] > SCHEMA_VERSION:
            raise GanvasError(
                f"{source} has schema version {metadata['schema_version']}, newer than this ganvas: update ganvas"
            )
        about = {"class_names": [], "class_counts": [], **metadata}
        for key, (test, what) in FACTS.items():
            if not test(about.get(key)):
                raise ValueError(f"{key} = {shown(about.get(key))}: expected {what}")
        config: Config = from_dict(migrate_config(metadata["config"]), where=f"{source}: config")
        shape, nimg = tuple(about["shape"]), about["nimg"]
        names, counts = tuple(about["class_names"]), tuple(about["class_counts"])
        if len(counts) != len(names) or (names and not sum(counts)):
            raise ValueError(f"{len(names)} classes and {len(counts)} of their counts")
        _check_size(config, shape, len(names), sum(tensor.numel() for tensor in tensors.values()))
        network = models.build_generator(config, shape, len(names))
        network.load_state_dict(
            {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
        )
    except (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError) as error:
        why = (str(error).strip().splitlines() or [type(error).__name__])[-1].strip()[:300]
        message = f"{source} does not hold the generator it describes ({why}): choose another snapshot"
        raise GanvasError(message) from error
    engine = Engine(resolve(EngineConfig(device, "float32", "channels_last", "direct")))
    told = metadata.get("data")
    trained_on: dict[str, Any] = told if isinstance(told, dict) else {}
    address = os.fspath(target) if os.fspath(target).startswith(hub.SCHEME) else ""
    placed = engine.place(network)
    return Generator(placed, config, shape, nimg, source, engine, names, counts, trained_on, address)


def _check_size(config: Config, shape: tuple[int, int, int], classes: int, held: int) -> None:
    """ValueError where the network of a config is larger than what its file holds, before memory is taken for it."""
    weights = models.count_weights(
        lambda: models.family_of(config.generator).generator(config.generator, shape, classes)
    )
    if weights > held + SMALL:
        raise ValueError(f"a network of {weights:,} weights in a file of {held:,}")


def find(target: str | os.PathLike[str]) -> Path:
    """The file of a generator: the newest of a run directory, a .safetensors snapshot, a folder of
    `ganvas export --to hub`, hf://OWNER/NAME[@REVISION] on the Hugging Face hub, or one that ships, by name.

    The version may be left out: `cifar10` is the newest `cifar10-cpu-vN`; a line on stderr says so. A shipped name
    wins over a folder of that name, as with data sets: ./cifar10 means the folder.
    Raises UsageError where there is none.
    """
    source, name, models = Path(target), os.fspath(target), shipped()
    if (full := ships(name)) is not None:
        if full != name:
            show(f"{target} is {full}", file=sys.stderr)
        return WEIGHTS / f"{full}.safetensors"
    if name.startswith(hub.SCHEME):
        return hub.fetch(name)
    if source.is_dir():
        return folder if (folder := source / hub.FILE).is_file() else _newest(Run.open(source))
    if source.is_file():
        return source
    known = f", or a model that ships: {', '.join(models)}{did_you_mean(name, models)}" if models else ""
    raise UsageError(f"{source} does not exist: name a run directory or a .safetensors snapshot{known}")


def run_of(path: Path) -> Run | None:
    """The run directory that a generator's file lies in."""
    homes = [home for home in path.resolve().parents[:3] if (home / "config.json").is_file()]
    return Run.open(homes[0]) if homes and (homes[0] / "snapshots").is_dir() else None


def ships(name: str) -> str | None:
    """The full name of the model that ships under a name, the newest where the version is left out, or None."""
    ends = {full: re.fullmatch(rf"{re.escape(name)}(?:-cpu)?-v(\d+)", full) for full in shipped()}
    versions = {full: int(end[1]) for full, end in ends.items() if end}
    return name if name in ends else max(versions, key=lambda full: versions[full], default=None)


def shipped() -> list[str]:
    """Names of the generators that come with this package."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors") if not NOT_GENERATORS.search(path.stem))


def _newest(run: Run) -> Path:
    """The newest snapshot, or the newest whole checkpoint's generator where that is newer."""
    snapshots = run.snapshots()
    checkpoint, _ = run.latest_checkpoint()
    if checkpoint is not None and (not snapshots or checkpoint.nimg > snapshots[-1][0]):
        name = "ema" if "ema" in checkpoint.state["sha256"] else "generator"
        return checkpoint.path / f"{name}.safetensors"
    if not snapshots:
        raise UsageError(f"{run.path} holds no generator yet: train it first ({command('resume', run.path)})")
    return snapshots[-1][1]
