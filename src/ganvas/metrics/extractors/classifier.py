"""Our own classifiers: a small network that sees images at their native size, so that a laptop can watch training.

tools/train_classifier.py trains them and writes weights/NAME-classifier-vN.safetensors: float16, batch
normalisation folded into the convolutions, the recipe and the test accuracy in the metadata.
"""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.datasets.source import SOURCES
from ganvas.errors import UsageError, option, shape_text
from ganvas.metrics.extractors.base import Extractor
from ganvas.runs.storage import load_tensors

SHIPPED = {"cifar10": "cifar10-classifier-v1", "fashion-mnist": "fashion-mnist-classifier-v1"}


class Classifier(nn.Module):
    """A whitening layer, three pairs of 3x3 convolutions, each pair halving the size, a maximum, a dense layer.

    The plan of Jordan 2024 ("94% on CIFAR-10 in 3.29 seconds on a single GPU", arXiv 2404.00498, section 3),
    narrower. Images are float [n, c, h, w] in [-1, 1].
    """

    def __init__(self, channels: int, stem: int, widths: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        patch = channels * stem**2
        self.stem = nn.Conv2d(channels, 2 * patch, stem)
        inputs = (2 * patch, *widths[:-1])
        self.first = nn.ModuleList(nn.Conv2d(i, o, 3, padding=1) for i, o in zip(inputs, widths, strict=True))
        self.second = nn.ModuleList(nn.Conv2d(o, o, 3, padding=1) for o in widths)
        self.head = nn.Linear(widths[-1], classes)

    def features(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n d"]:
        """The last hidden layer: the largest response of each channel anywhere in the image."""
        x = F.gelu(self.stem(images))
        for first, second in zip(self.first, self.second, strict=True):
            x = F.gelu(F.max_pool2d(first(x), 2))
            x = F.gelu(second(x))
        return x.amax(dim=(2, 3))

    def forward(self, images: Float[Tensor, "n c h w"]) -> Float[Tensor, "n classes"]:
        """Logits, divided by the temperature that the shipped weights hold in their head."""
        return self.head(self.features(images))  # type: ignore[no-any-return]


def shipped() -> tuple[str, ...]:
    """The data sets whose classifier is in this package."""
    return tuple(name for name in SHIPPED if _file(name).is_file())


def load(data_name: str, shape: tuple[int, int, int]) -> Extractor:
    """The classifier that ships for a known data set. Raises UsageError where there is none for these images."""
    if data_name not in shipped():
        there = ", ".join(shipped())
        raise UsageError(
            f"no classifier ships for '{data_name}' (there are: {there}): use {option('--features efficientnet-lite0')}"
        )
    with resources.as_file(_file(data_name)) as path:
        return from_file(path, shape)


def fits(data_name: str, shape: tuple[int, int, int]) -> bool:
    """Whether a classifier ships for that data set, and for images of this shape."""
    return data_name in shipped() and SOURCES[data_name].shape == shape


def _file(data_name: str) -> Traversable:
    return resources.files("ganvas") / "weights" / f"{SHIPPED[data_name]}.safetensors"


def from_file(path: Path, shape: tuple[int, int, int]) -> Extractor:
    """The extractor of a weights file of ours. Raises UsageError where it was made for images of another shape."""
    tensors, about = load_tensors(path)
    if tuple(about["shape"]) != shape:
        raise UsageError(
            f"the classifier {path.stem} looks at {shape_text(about['shape'])} images, these are {shape_text(shape)}: "
            f"use {option('--features efficientnet-lite0')}"
        )
    network = Classifier(shape[0], about["stem"], tuple(about["widths"]), len(about["class_names"]))
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def look(images: Tensor) -> tuple[Tensor, Tensor]:
        x = images.float().div_(127.5).sub_(1).to(memory_format=torch.channels_last)
        features = network.features(x)
        return features, network.head(features).softmax(dim=1)

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Extractor("classifier", digest, f"native {shape[1]}x{shape[2]}", look, tuple(about["class_names"]))
