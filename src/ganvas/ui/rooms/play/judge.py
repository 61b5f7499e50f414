"""D's logits: of samples, and of pictures that a visitor gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8

from ganvas.errors import GanvasError, UsageError
from ganvas.sampling.discriminator import COMPANY, Discriminator
from ganvas.training.losses import get_loss
from ganvas.ui.rooms.play.model import Model

__all__ = ["COMPANY", "Context", "by_class", "context", "discriminator", "logits"]


@dataclass(frozen=True)
class Context:
    """What a logit of this D can be read against."""

    threshold: float | None
    """A logit above it means that D calls the image real; None where the loss only compares."""
    real: float | None
    """D's mean logit of training images, in evaluation mode, at the last sample grid up to this D."""
    fake: float | None
    """The same of samples."""
    n: int | None
    """How many images of each were rated."""


@torch.no_grad()
def logits(
    model: Model, images: UInt8[np.ndarray, "n c h w"], labels: Int64[np.ndarray, "n"] | None
) -> Float32[np.ndarray, "n"]:
    """D(image, class) in evaluation mode, float32. UsageError where the model has no D.

    A D with a layer that compares the images of a batch (`discriminator.minibatch`) rates each image beside the same
    COMPANY samples, of the image's class.
    """
    with model.lock:
        d, generator = discriminator(model), model.generator
        classes = None if labels is None else torch.from_numpy(labels).to(generator.engine.device)
        return d.logits(generator, generator.engine.images(torch.from_numpy(images)), classes).cpu().numpy()


def by_class(model: Model, image: UInt8[np.ndarray, "c h w"]) -> Float32[np.ndarray, "k"]:
    """D's logit of one image as each class in turn; one logit where D knows no classes."""
    classes = len(model.generator.class_names)
    images = np.repeat(image[None], max(classes, 1), axis=0)
    return logits(model, images, np.arange(classes) if classes else None)


def discriminator(model: Model) -> Discriminator:
    """The model's D; UsageError where it has none."""
    if model.discriminator is None:
        raise UsageError(f"{model.name} has no discriminator here: choose a run with a checkpoint")
    return model.discriminator


def context(model: Model) -> Context:
    """What D's logits are read against; values that the run does not hold are None."""
    try:
        threshold = get_loss(model.generator.config.loss.name).threshold
    except GanvasError:  # a loss of a plugin
        threshold = None
    row = {}
    if model.run is not None and model.discriminator is not None:
        rows = [row for row in model.run.rows("monitor") if row["nimg"] <= model.discriminator.nimg]
        row = rows[-1] if rows else {}
    real, fake, n = (_finite(row.get(key)) for key in ("eval_logit/train", "eval_logit/fake", "n_rated"))
    return Context(threshold, real, fake, None if n is None else int(n))


def _finite(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and np.isfinite(value) else None
