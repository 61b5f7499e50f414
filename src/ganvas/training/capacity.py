"""Whether a training fits this machine: asked before anything large is allocated.

The estimates are lower bounds, and they are held against all the memory that there is: what is refused cannot work.
What is let through may still run out of memory.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from ganvas import process
from ganvas.config import Config, EngineConfig
from ganvas.errors import UsageError
from ganvas.models import count_weights, family_of
from ganvas.runs.run import Layer
from ganvas.training import backend

FLOAT = 4
"""Bytes of a weight, its gradient and each of its optimiser's states."""
STATES = {"adam": 2, "adamw": 2, "rmsprop": 1, "sgd": 0}
"""Optimiser -> values that it keeps for each weight, at least."""


def check_threads(engine: EngineConfig) -> None:
    """UsageError for more threads than this machine can use."""
    most = backend.most_threads()
    if engine.threads > most:
        raise UsageError(
            f"engine.threads = {engine.threads}: it must be at most {most} here, {backend.THREADS_PER_CORE} for each "
            f"core (0 = one for each)"
        )


def check_data(config: Config, size: int) -> None:
    """UsageError where all images, of `size` bytes, are to lie on a device that cannot hold them."""
    if config.engine.data == "device":
        _enforce(size, config, "engine.data = device: the images", "use --engine.data host")


def check_networks(config: Config, shape: tuple[int, int, int], classes: int) -> None:
    """UsageError where weights, gradients and optimiser states of a network cannot fit in memory; allocates nothing."""
    g, d = config.generator, config.discriminator
    parts = (
        ("generator", lambda: family_of(g).generator(g, shape, classes), config.g_optim, config.step.ema_kimg > 0),
        ("discriminator", lambda: family_of(d).discriminator(d, shape, classes), config.d_optim, False),
    )
    for name, build, optim, average in parts:
        weights = count_weights(build)
        copies = 2 + STATES[optim.name] + bool(optim.historical) + average
        what = f"{name}: {weights:,} weights with gradients and optimiser states" if weights < math.inf else name
        settings = ["width", "widths", "kernel", *(["latent-dim"] if name == "generator" else [])]
        smaller = " or ".join(f"--{name}.{setting}" for setting in settings)
        _enforce(FLOAT * weights * copies, config, what, f"lower {smaller}")


def check_batch(config: Config, shape: tuple[int, int, int], networks: Mapping[str, Sequence[Layer]]) -> None:
    """UsageError where the activations of one update cannot fit in memory; `networks` as models.summary gives them."""
    step, image = config.step, math.prod(shape)
    width = 2 if config.engine.dtype != "float32" else FLOAT  # activations may be bfloat16
    layers = {name: sum(math.prod(row.output) for row in rows) for name, rows in networks.items()}
    update = step.batch * (image * (1 + 2 * FLOAT) + config.generator.latent_dim * FLOAT)  # real, fake, z
    update += step.batch // step.accumulate * width * (layers["generator"] + layers["discriminator"])
    _enforce(update, config, f"step.batch = {step.batch}", "lower --step.batch, or raise --step.accumulate")


def _enforce(need: float, config: Config, what: str, advice: str) -> None:
    limit = _memory(config.engine)
    if limit is not None and need > limit:
        size = f"at least {_bytes(need)} of memory" if need < math.inf else "more memory than can be counted"
        verb = "need" if what.endswith("images") else "needs"
        raise UsageError(f"{what} {verb} {size}, this machine has {_bytes(limit)}: {advice}")


def _memory(engine: EngineConfig) -> int | None:
    """Bytes of the device's memory; None where nobody says."""
    device = torch.device(backend.resolve(engine).device)
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return process.memory_limit()


def _bytes(n: float) -> str:
    for unit in ("kB", "MB", "GB", "TB"):
        n /= 1000
        if n < 1000:
            return f"{n:.3g} {unit}"
    return f"{n / 1000:.3g} PB"
