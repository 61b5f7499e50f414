"""Where and in what form the arithmetic is done: device, threads, dtype, memory format, convolution algorithm."""

from __future__ import annotations

import dataclasses
import os
import platform
from typing import Any

import torch
from torch import Tensor, nn

from ganvas.config import EngineConfig
from ganvas.errors import UsageError
from ganvas.models.ops.conv import set_algorithm
from ganvas.training.engine.compiled import check_compiler

THREADS_PER_CORE = 4
"""Most that can be asked for."""


class Engine:
    """A settled EngineConfig: nothing in it is `auto` any more."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.device = torch.device(config.device)
        dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[config.dtype]
        self.autocast = torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)
        self.reads_updates = config.reads == "update" or (config.reads == "auto" and self.device.type == "cpu")
        self.memory_format = torch.channels_last if config.layout == "channels_last" else torch.contiguous_format

    def place(self, network: nn.Module) -> nn.Module:
        """The network on the device, in the memory format, with the chosen convolutions."""
        set_algorithm(network, "direct" if self.config.conv == "auto" else self.config.conv)
        return network.to(self.device).to(memory_format=self.memory_format)  # type: ignore[call-overload,no-any-return]

    def send(self, x: Tensor) -> Tensor:
        """A tensor on the device. A GPU fetches it from pinned memory of the host, which then need not wait."""
        if self.device.type == "cuda" and x.device.type == "cpu":
            return x.pin_memory().to(self.device, non_blocking=True)
        return x.to(self.device)

    def images(self, batch: Tensor) -> Tensor:
        """uint8 [n, c, h, w] -> float32 in [-1, 1] on the device. The one place where images are scaled."""
        floats = self.send(batch).to(torch.float32, memory_format=self.memory_format)
        return floats.div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """float [n, c, h, w] in [-1, 1] -> uint8, rounded: the way back of `Engine.images`."""
    return images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)


@torch.no_grad()
def draw(generator: nn.Module, z: Tensor, labels: Tensor | None, engine: Engine, batch: int = 256) -> Tensor:
    """uint8 images [n, c, h, w] for latents z [n, latent_dim] and classes [n], in evaluation mode."""
    generator.eval()
    parts = []
    for at in range(0, len(z), batch):
        classes = None if labels is None else labels[at : at + batch].to(engine.device)
        with engine.autocast:
            images = generator(z[at : at + batch].to(engine.device), classes)
        parts.append(to_uint8(images).cpu().contiguous())
    return torch.cat(parts)


def resolve(config: EngineConfig, local: int = 1) -> EngineConfig:
    """Settle device and threads, of which `local` processes on this machine take their share.

    An absent device raises UsageError.
    """
    device = config.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    kind, colon, index = device.partition(":")
    counts = {
        "cpu": 1,
        "cuda": torch.cuda.device_count() if torch.cuda.is_available() else 0,
        "mps": int(torch.backends.mps.is_available()),
    }
    if kind not in counts or (colon and not index.isdecimal()):
        raise UsageError(f"engine.device = {device!r}: choose auto, cpu, cuda, cuda:N or mps")
    if int(index or 0) >= counts[kind]:
        found = ", ".join(f"{n} {k}" for k, n in counts.items() if n)
        raise UsageError(f"device {device} is not here (found: {found}): use --device auto")
    if config.compile != "off":
        check_compiler(kind)
    if config.graph and kind == "mps":
        raise UsageError("engine.graph needs cuda, or the cpu, where it only checks: use --engine.no-graph")
    threads = config.threads or max(cores() // local, 1)
    optimiser = "foreach" if config.graph else config.optimiser  # the only one whose rates can change in a graph
    return dataclasses.replace(config, device=device, threads=min(threads, most_threads()), optimiser=optimiser)


def cores() -> int:
    """CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """CPU threads above which more only wait; a run from a larger machine goes on with so many."""
    return THREADS_PER_CORE * cores()


def environment(engine: Engine, ranks: int = 1) -> dict[str, Any]:
    """What a result depends on besides the config: versions, machine, processes, threads, dtype."""
    import numpy

    import ganvas

    return {
        "ganvas": ganvas.__version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        **machine(engine.device),
        "ranks": ranks,
        **{name: value for name, value in dataclasses.asdict(engine.config).items() if name != "probe"},
    }


def machine(device: torch.device) -> dict[str, Any]:
    """What computes: the version of torch, the processor and its instructions, the accelerator."""
    return {
        "torch": torch.__version__,
        "cpu": cpu_name(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "accelerator": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
    }


EXACT = ("torch", "cpu_capability", "device", "ranks", "threads", "dtype", "layout", "conv", "optimiser", "compile")
"""The parts of an environment that must be equal for a resumed run to repeat an unbroken one bit for bit."""
SINCE = {"ranks": 1, "optimiser": "fused", "compile": "off"}
"""Their values in environments of versions that did not write them yet."""


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
