"""The discriminator that was trained with a generator: where it is kept, and how it rates images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas import hub, models
from ganvas.errors import GanvasError, UsageError, first_line, option
from ganvas.files import MARK
from ganvas.runs import checked
from ganvas.runs.run import Checkpoint
from ganvas.runs.storage import load_tensors, save_tensors
from ganvas.training import latents

if TYPE_CHECKING:
    from ganvas.generator import Generator

SMALL = 1_000_000
"""Weights for which memory may be taken before it is known that they are there."""
COMPANY = 15
"""Samples beside which a D that compares the images of a batch rates one: 16 together."""


@dataclass(frozen=True)
class Discriminator:
    """D in evaluation mode (batch norm with its running statistics, no dropout), after `nimg` real images."""

    network: nn.Module
    nimg: int
    compares_batch: bool = False
    """Whether its logit of an image depends on the others of its batch (`discriminator.minibatch`)."""

    def logits(
        self,
        generator: Generator,
        images: Float[Tensor, "n c h w"],
        labels: Int[Tensor, "n"] | None,
        company: int = COMPANY,
    ) -> Float[Tensor, "n"]:
        """D(image, class), float32, for images in [-1, 1] on the generator's device; gradients pass through.

        A D that compares the images of a batch rates each beside the same `company` samples of its class: the first
        ones of seed 0.
        """
        if not self.compares_batch:
            return self._critique(images, labels)
        rated, beside = [], dict[int, Tensor]()
        for i in range(len(images)):
            own = None if labels is None else labels[i : i + 1]
            kind = 0 if own is None else int(own)
            if kind not in beside:
                z = latents.draw_z(generator.config.generator, 0, "sample", np.arange(company))
                drawn = generator.draw(z, None if own is None else np.full(company, kind))
                beside[kind] = generator.engine.images(torch.from_numpy(drawn))
            together = torch.cat([images[i : i + 1], beside[kind]])
            rated.append(self._critique(together, None if own is None else own.repeat(company + 1))[:1])
        return torch.cat(rated)

    def _critique(self, images: Tensor, labels: Tensor | None) -> Tensor:
        logits: Tensor = self.network(images, labels).logits
        return logits.float()


def discriminator_of(generator: Generator) -> Discriminator:
    """The D that was trained with a generator.

    Of a run: of the checkpoint with as many images as the generator, else of the newest whole one. Of a file: of the
    one that was exported beside it. Raises UsageError where there is none, GanvasError where it is damaged.
    """
    from ganvas.generator import run_of

    file = hub.fetch(generator.address, hub.DISCRIMINATOR) if generator.address else file_beside(generator.path)
    if file is not None and file.is_file():
        _, about = load_tensors(file)
        nimg: Any = about.get("nimg")
        if not checked.is_whole(nimg):
            raise GanvasError(f"{file} does not say how many images its discriminator saw: export it again")
        return load_discriminator(generator, file, nimg)
    if (run := run_of(generator.path)) is None:
        raise UsageError(
            f"{generator.path} has no discriminator: no run around it, no {file_beside(generator.path).name} beside it "
            f"(export the run with {option('--discriminator')}, or sample from the run)"
        )
    checkpoint = run.checkpoint_at(generator.nimg)
    problems: list[str] = []
    if checkpoint is None:
        checkpoint, problems = run.latest_checkpoint()
    if checkpoint is None:
        why = f" ({problems[0]})" if problems else ""
        raise UsageError(f"{run.path} has no discriminator: it holds no whole checkpoint{why}")
    return of_checkpoint(generator, checkpoint)


def of_checkpoint(generator: Generator, checkpoint: Checkpoint) -> Discriminator:
    """D of a checkpoint, for the images of its generator; GanvasError where the file does not hold it."""
    return load_discriminator(generator, checkpoint.path / "discriminator.safetensors", checkpoint.nimg)


@torch.inference_mode(False)  # tensors of that mode can have no gradients, which refinement needs
def load_discriminator(generator: Generator, path: Path, nimg: int) -> Discriminator:
    """D of a file, for the images of its generator; GanvasError where the file does not hold it."""
    tensors, _ = load_tensors(path)
    config, shape, classes = generator.config, generator.shape, len(generator.class_names)

    def build() -> nn.Module:
        return models.family_of(config.discriminator).discriminator(config.discriminator, shape, classes)

    held = sum(tensor.numel() for tensor in tensors.values())
    try:
        if (weights := models.count_weights(build)) > held + SMALL:  # before memory is taken for it
            raise ValueError(f"a network of {weights:,} weights in a file of {held:,}")
        network = models.build_discriminator(config, shape, classes)
        network.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in tensors.items()})
    except (LookupError, TypeError, ValueError, RuntimeError, ArithmeticError, AttributeError) as error:
        raise GanvasError(f"{path} does not hold the discriminator of this run ({first_line(error)})") from error
    network = generator.engine.place(network).eval().requires_grad_(False)
    return Discriminator(network, nimg, config.discriminator.minibatch != "none")


def file_beside(path: Path) -> Path:
    """Where the D of a generator's file is kept: NAME.discriminator.safetensors, in a folder of the hub by its name."""
    return path.with_name(hub.DISCRIMINATOR if path.name == hub.FILE else f"{path.stem}.discriminator.safetensors")


def packed(generator: Generator) -> bytes:
    """D's file beside an exported generator: its weights as float16, and how many images it saw.

    Raises as `discriminator_of`, and GanvasError where a weight is too large for float16.
    """
    found = discriminator_of(generator)
    tensors = {
        name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in found.network.state_dict().items()
    }
    if not all(torch.isfinite(tensor).all() for tensor in tensors.values() if tensor.is_floating_point()):
        raise GanvasError(f"{generator.path}: a weight of its discriminator is too large for float16")
    about: dict[str, Any] = {"made": MARK, "nimg": found.nimg}
    return save_tensors({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, about)
