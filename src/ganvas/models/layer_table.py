"""The layers of a network as a table, as Keras's `model.summary()` prints them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from ganvas.config import Config
from ganvas.models.layers.description import describe
from ganvas.models.networks import build_discriminator, build_generator
from ganvas.runs.run import Layer


def count_parameters(module: nn.Module) -> int:
    """Number of parameters as Keras counts them: weights and running statistics, no other buffers."""
    statistics = (b.numel() for name, b in module.named_buffers() if name.endswith(("running_mean", "running_var")))
    return sum(p.numel() for p in module.parameters()) + sum(statistics)


def summary(config: Config, shape: tuple[int, int, int], classes: int = 0) -> dict[str, list[Layer]]:
    """Every layer of both networks with its output shape and number of parameters, recorded in one forward pass."""
    generator, discriminator = build_generator(config, shape, classes), build_discriminator(config, shape, classes)
    labels = torch.zeros(1, dtype=torch.int64) if classes else None
    with torch.no_grad():
        return {
            "generator": _trace(generator.eval(), torch.zeros(1, config.generator.latent_dim), labels),
            "discriminator": _trace(discriminator.eval(), torch.zeros(1, *shape), labels),
        }


def _trace(network: nn.Module, x: torch.Tensor, labels: torch.Tensor | None) -> list[Layer]:
    rows: list[Layer] = []

    def recorder(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, inputs: object, output: torch.Tensor) -> None:
            own = getattr(module, "rows", None)  # a network that knows its layers and is one module to torch
            rows.extend(
                [Layer(*row) for row in own(name)]
                if own is not None
                else [Layer(name, describe(module), tuple(output.shape[1:]), count_parameters(module))]
            )

        return hook

    leaves = [(name, m) for name, m in network.named_modules() if not list(m.children())]
    empty = nn.Identity, nn.Sequential, nn.ModuleList  # Sequential and ModuleList without children
    handles = [m.register_forward_hook(recorder(name)) for name, m in leaves if not isinstance(m, empty)]
    network(x, labels)
    for handle in handles:
        handle.remove()
    return rows
