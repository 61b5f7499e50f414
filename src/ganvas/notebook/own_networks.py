"""A learner's own networks as G and D of a training: torch modules as they are, Keras models on the torch backend.

Both are wrapped once, so that everything else sees G(z, labels) -> images [n, c, h, w] in [-1, 1] and
D(images, labels) -> Critique.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganvas.models.critique import Critique

Layout = Literal["nchw", "nhwc"]
LEAST_PROBABILITY = 1e-6
"""A probability nearer to 0 or 1 counts as this one: its logit would be infinite."""


class OwnGenerator(nn.Module):
    """G(z, labels) of a network that takes z (and labels) and returns images in its own layout and range.

    latent: shape of one z without the batch, such as (100,) or (100, 1, 1); layout: of what it returns;
    unit_range: its images are in [0, 1] (a sigmoid at the end), not in [-1, 1].
    """

    def __init__(
        self, network: nn.Module, latent: tuple[int, ...], layout: Layout, unit_range: bool, conditional: bool
    ) -> None:
        super().__init__()
        self.network = network
        self.latent, self.layout, self.unit_range, self.conditional = latent, layout, unit_range, conditional

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        z = z.view(len(z), *self.latent)
        images: Tensor = self.network(z, labels) if self.conditional else self.network(z)
        if self.layout == "nhwc":
            images = images.permute(0, 3, 1, 2)
        return images * 2 - 1 if self.unit_range else images


class OwnDiscriminator(nn.Module):
    """D(images, labels) of a network that returns one number for each image: [n], [n, 1] or [n, 1, 1, 1].

    probabilities: it ends in a sigmoid; its logits are then log(p / (1 - p)), so that the losses stay those on logits.
    """

    def __init__(self, network: nn.Module, layout: Layout, probabilities: bool, conditional: bool) -> None:
        super().__init__()
        self.network = network
        self.layout, self.probabilities, self.conditional = layout, probabilities, conditional

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Critique:
        x = images.permute(0, 2, 3, 1) if self.layout == "nhwc" else images
        with self._features() as found:
            out = self.network(x, labels) if self.conditional else self.network(x)
        logits = out.reshape(len(images)).float()
        if self.probabilities:
            logits = torch.logit(logits, eps=LEAST_PROBABILITY)
        features = found[-1] if found else logits[:, None]
        return Critique(logits, features.reshape(len(images), -1).float())

    @contextmanager
    def _features(self) -> Iterator[list[Tensor]]:
        """What enters the last layer that has weights, for feature matching."""
        found: list[Tensor] = []
        last = last_layer(self.network)
        if last is None:
            yield found
            return
        handle = last.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0]))
        try:
            yield found
        finally:
            handle.remove()


def last_layer(network: nn.Module) -> nn.Module | None:
    """The last layer with a matrix or kernels of its own, in the order in which the layers were made or are called."""
    if isinstance(network, KerasNetwork):
        own = [layer for layer in keras_layers(network.model) if hasattr(getattr(layer, "layer", layer), "kernel")]
    else:
        own = [m for m in network.modules() if isinstance(m, (nn.Linear, nn.modules.conv._ConvNd))]
    return own[-1] if own else None


def keras_layers(model: Any) -> Iterator[Any]:
    """The layers of a Keras model and of the models in it, in order. On the torch backend each is a torch module."""
    for layer in model.layers:
        yield from keras_layers(layer) if hasattr(layer, "layers") else (layer,)


def is_keras(network: object) -> bool:
    """Whether this is a Keras 3 model or layer; keras is not imported for it."""
    return any(base.__module__.split(".")[0] == "keras" for base in type(network).__mro__)


class KerasNetwork(nn.Module):
    """A Keras 3 model of the torch backend, with its weights as torch expects them.

    Keras lists moving statistics as parameters without gradient, and every weight twice in `state_dict`. Here what is
    trained are parameters, everything else buffers, each once and by a name that does not change from one build to the
    next. The tensors are the model's own.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any
        object.__setattr__(self, "model", model)  # not a submodule: its parameters are registered below
        trained = {id(v) for v in model.trainable_variables}
        for i, variable in enumerate(model.variables):
            name = f"{i:03d}_" + "".join(c if c.isalnum() else "_" for c in variable.path.split("/")[-1])
            if id(variable) in trained:
                self.register_parameter(name, variable.value)
            else:
                self.register_buffer(name, variable.value)

    def __deepcopy__(self, memo: dict[int, Any]) -> KerasNetwork:
        twin = KerasNetwork(copy.deepcopy(self.model, memo))  # Keras builds new variables for a copy
        twin.load_state_dict(self.state_dict())
        return twin.train(self.training)

    def forward(self, *inputs: Tensor) -> Tensor:
        model: Any = self.model
        with torch.autocast(inputs[0].device.type, enabled=False):  # Keras casts by its own rules
            out: Tensor = model(inputs[0].float() if len(inputs) == 1 else list(inputs), training=self.training)
        return out

    def rows(self, name: str) -> list[tuple[str, str, tuple[int, ...], int]]:
        """(name, kind, output shape, parameters) of every layer, for the tables and the diagram."""
        found = []
        for layer in self.model.layers:
            if type(layer).__name__ == "InputLayer":
                continue
            shape = layer.output.shape[1:] if hasattr(layer, "output") else ()
            found.append((f"{name}.{layer.name}", keras_kind(layer), tuple(map(int, shape)), layer.count_params()))
        return found


def keras_kind(layer: Any) -> str:
    """A Keras layer in a few words, as `describe` says torch's."""
    kind = type(layer).__name__
    if kind.startswith(("Conv2D", "SeparableConv2D", "DepthwiseConv2D")):
        side, stride = layer.kernel_size, layer.strides
        word = "ConvTranspose" if kind == "Conv2DTranspose" else "Conv"
        kind = f"{word} {side[0]}x{side[1]} s{stride[0]}"
    return {"BatchNormalization": "BatchNorm"}.get(kind, kind)


def numbers_in(shape: tuple[int, ...]) -> int:
    """How many numbers a tensor of this shape holds."""
    return math.prod(shape)
