"""What a pair of networks takes and returns, found by calling it; what does not fit is said in a beginner's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.errors import UsageError, shape_text
from ganvas.notebook.own_networks import KerasNetwork, Layout, OwnDiscriminator, OwnGenerator

TRIED = 16
"""Images drawn for the checks."""
SCALES = (1.0, 10.0, 100.0)
"""D is shown images of these amplitudes: logits leave [0, 1], a sigmoid cannot."""
LINEAR = re.compile(r"mat1 and mat2 shapes cannot be multiplied \(\d+x(\d+) and (\d+)x\d+\)")
CHANNELS = re.compile(r"to have (\d+) channels, but got (\d+) channels")
"""What torch says of a layer that gets another number of inputs than it was made for."""
LATENT_DIMS = (100, 128, 64, 256, 512, 32, 16)
"""Lengths of z that are tried where the first layer does not tell."""


@dataclass(frozen=True)
class Interface:
    """How to call G and D, and one line for each thing that was adapted."""

    latent_dim: int
    latent: tuple[int, ...]
    shape: tuple[int, int, int]
    """c, h, w of G's images."""
    g_layout: Layout
    d_layout: Layout
    unit_range: bool
    probabilities: bool
    conditional: tuple[bool, bool]
    """Whether G and D take labels as a second input."""
    float32: bool
    """Whether they must be computed in float32: Keras casts by its own rules, probabilities need the precision."""
    notes: tuple[str, ...]

    def generator(self, network: nn.Module) -> OwnGenerator:
        return OwnGenerator(network, self.latent, self.g_layout, self.unit_range, self.conditional[0])

    def discriminator(self, network: nn.Module) -> OwnDiscriminator:
        return OwnDiscriminator(network, self.d_layout, self.probabilities, self.conditional[1])


@torch.no_grad()
def inspect(
    G: nn.Module, D: nn.Module, latent_dim: int | None = None, shape: Sequence[int] | None = None, classes: int = 0
) -> Interface:
    """Call both networks on small random batches and find out how they are meant.

    shape: c, h, w of the data, where it is known. Raises UsageError with what is wrong and what to do: G's output of
    another size or range, D's of another shape, a network that raises.
    """
    notes: list[str] = []
    takes_labels = (_inputs(G) > 1, _inputs(D) > 1)
    if any(takes_labels) and classes < 2:
        which = "G" if takes_labels[0] else "D"
        raise UsageError(f"{which} takes labels as a second input, but the data have no classes: give labels=")
    latent_dim, latent, images = _call_generator(G, latent_dim, takes_labels[0], classes)
    g_layout, own_shape = _image_layout(images, shape)
    if shape is not None and own_shape != tuple(shape):
        raise UsageError(
            f"G makes images of {shape_text(own_shape)}, the data are {shape_text(tuple(shape))} (channels, height, "
            "width): change G's last layers, or bring the data to G's size"
        )
    unit_range = _range(images, notes)
    d_layout, probabilities = _call_discriminator(D, own_shape, g_layout, takes_labels[1], classes, notes)
    float32 = probabilities or isinstance(G, KerasNetwork) or isinstance(D, KerasNetwork)
    return Interface(
        latent_dim, latent, own_shape, g_layout, d_layout, unit_range, probabilities, takes_labels, float32,
        tuple(notes),
    )  # fmt: skip


def _inputs(network: nn.Module) -> int:
    """Number of tensors that a network must be given."""
    if isinstance(network, KerasNetwork):
        return len(network.model.inputs)
    needed = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    own = signature(network.forward).parameters.values()
    return sum(p.kind in needed and p.default is Parameter.empty for p in own)


def _call_generator(
    G: nn.Module, latent_dim: int | None, takes_labels: bool, classes: int
) -> tuple[int, tuple[int, ...], Tensor]:
    """(length of z, shape of one z, images of TRIED z)."""
    lengths = (latent_dim,) if latent_dim else (_first_width(G),) if _first_width(G) else LATENT_DIMS
    reason = ""
    for length in lengths:
        assert length is not None
        for latent in ((length,), (length, 1, 1)):
            z = torch.randn(TRIED, *latent, generator=torch.Generator().manual_seed(0)).to(_device(G))
            try:
                return length, latent, _output(G, z, takes_labels, classes, "G")
            except UsageError:
                raise
            except Exception as error:  # the learner's own code may raise anything
                reason = reason or _why(error)
    asked = f"z of shape [{TRIED}, {lengths[0]}]" if len(lengths) == 1 else "z of any usual length"
    hint = "" if latent_dim else "; say how long z is: ganvas.GAN(G, D, latent_dim=...)"
    raise UsageError(f"G cannot be called with {asked}: {reason}{hint or _mend('G', reason, f'{TRIED}, {lengths[0]}')}")


def _output(network: nn.Module, x: Tensor, takes_labels: bool, classes: int, name: str) -> Tensor:
    labels = torch.arange(len(x), device=x.device) % max(classes, 1)
    out = network(x, labels) if takes_labels else network(x)
    if not isinstance(out, Tensor):
        raise UsageError(f"{name} returns a {type(out).__name__}: it must return one tensor")
    if not bool(torch.isfinite(out).all()):
        raise UsageError(f"{name} returns NaN or infinite values before any training: look at how its weights start")
    return out


def _first_width(network: nn.Module) -> int | None:
    """The length of z that the first layer takes, where the layer tells."""
    if isinstance(network, KerasNetwork):
        first = network.model.inputs[0].shape
        return int(first[-1]) if len(first) == 2 else int(first[1])
    for module in network.modules():
        if isinstance(module, nn.Linear):
            return module.in_features
        if isinstance(module, nn.modules.conv._ConvNd):
            return module.in_channels
    return None


def _image_layout(images: Tensor, shape: Sequence[int] | None) -> tuple[Layout, tuple[int, int, int]]:
    """How G's images lie in memory, and their c, h, w."""
    found: Any = tuple(images.shape[1:])
    if images.ndim != 4 or len(images) != TRIED:
        raise UsageError(f"G returns {list(images.shape)} for {TRIED} z: images are [n, c, h, w] or [n, h, w, c]")
    first = found[0] in (1, 3), found[2] in (1, 3)
    if first == (True, False) or (all(first) and shape is not None and found == tuple(shape)):
        return "nchw", found
    if first[1]:
        return "nhwc", (found[2], found[0], found[1])
    raise UsageError(f"G returns {list(images.shape)}: images have 1 (grey) or 3 (RGB) channels")


def _range(images: Tensor, notes: list[str]) -> bool:
    """Whether G's images are in [0, 1] and not in [-1, 1]."""
    low, high = float(images.min()), float(images.max())
    if low < -1.001 or high > 1.001:
        raise UsageError(
            f"G's images run from {low:.2f} to {high:.2f}: end G with tanh, so that they are in [-1, 1] as the data are"
        )
    if low >= 0:
        notes.append("G's images are in [0, 1] (a sigmoid at its end?): they are brought to [-1, 1], as the data are")
        return True
    return False


def _call_discriminator(
    D: nn.Module, shape: tuple[int, int, int], layout: Layout, takes_labels: bool, classes: int, notes: list[str]
) -> tuple[Layout, bool]:
    """(layout that D takes, whether it returns probabilities)."""
    reasons = {}
    other: Layout = "nhwc" if layout == "nchw" else "nchw"
    keras: tuple[Layout, ...] = ("nhwc",) if isinstance(D, KerasNetwork) else ()
    for tried in keras or (layout, other):
        try:
            outputs = [_output(D, _noise(shape, tried, s).to(_device(D)), takes_labels, classes, "D") for s in SCALES]
        except UsageError:
            raise
        except Exception as error:
            reasons[tried] = _why(error)
            continue
        _check_one_number(outputs[0])
        probabilities = all(bool(((out >= 0) & (out <= 1)).all()) for out in outputs)
        if probabilities:
            notes.append(
                "D ends in a sigmoid (all its outputs are in [0, 1]): ganvas works with logits, and takes "
                "log(p / (1 - p)); without the sigmoid the gradients are more exact"
            )
        return tried, probabilities
    first = next(iter(reasons))
    dims = ", ".join(map(str, (TRIED, *shape)))
    raise UsageError(
        f"D cannot be called with images of {shape_text(shape)}: {reasons[first]}{_mend('D', reasons[first], dims)}"
    )


def _check_one_number(out: Tensor) -> None:
    if out.numel() != TRIED:
        raise UsageError(
            f"D returns {list(out.shape)} for {TRIED} images: a discriminator returns one number for each image, "
            "[n, 1]; end it with Flatten and Dense(1)"
        )


def _noise(shape: tuple[int, int, int], layout: Layout, scale: float) -> Tensor:
    images = scale * torch.randn(TRIED, *shape, generator=torch.Generator().manual_seed(1))
    return images if layout == "nchw" else images.permute(0, 2, 3, 1).contiguous()


def _device(network: nn.Module) -> torch.device:
    return next((p.device for p in network.parameters()), torch.device("cpu"))


def _mend(name: str, reason: str, dims: str) -> str:
    """What to do about an error of torch: its two common ones in words, else how to find the layer."""
    if found := LINEAR.search(reason):
        return f"; a Linear layer made for {found[2]} numbers gets {found[1]}: make it nn.Linear({found[1]}, ...)"
    if found := CHANNELS.search(reason):
        return f"; a convolution made for {found[1]} channels gets {found[2]}: build G and D for the same channels"
    return f"; call {name}(torch.zeros({dims})) and print x.shape after each layer to find where"


def _why(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:200]}"
