"""Where and in what form the arithmetic is done: device, threads, dtype, memory format, convolution algorithm."""

from __future__ import annotations

import dataclasses
import os
import platform
import statistics
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganvas.config import EngineConfig
from ganvas.errors import UsageError
from ganvas.models.ops.conv import set_algorithm

PROBE_STEPS = 3
THREADS_PER_CORE = 4
"""Most that can be asked for."""
Form = tuple[
    Literal["float32", "bfloat16"],
    Literal["channels_last", "contiguous"],
    Literal["direct", "winograd", "patches"],
]
FORMS: tuple[Form, ...] = (
    ("float32", "channels_last", "direct"),
    ("float32", "contiguous", "direct"),
    ("float32", "channels_last", "winograd"),
    ("float32", "contiguous", "winograd"),
    ("bfloat16", "channels_last", "direct"),
    ("bfloat16", "contiguous", "direct"),
    ("bfloat16", "channels_last", "patches"),
)


class Engine:
    """A settled EngineConfig: nothing in it is `auto` any more."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.device = torch.device(config.device)
        dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[config.dtype]
        self.autocast = torch.autocast(self.device.type, dtype, enabled=dtype != torch.float32)
        self.memory_format = torch.channels_last if config.layout == "channels_last" else torch.contiguous_format

    def place(self, network: nn.Module) -> nn.Module:
        """The network on the device, in the memory format, with the chosen convolutions."""
        set_algorithm(network, "direct" if self.config.conv == "auto" else self.config.conv)
        return network.to(self.device).to(memory_format=self.memory_format)  # type: ignore[call-overload,no-any-return]

    def images(self, batch: Tensor) -> Tensor:
        """uint8 [n, c, h, w] -> float32 in [-1, 1] on the device. The one place where images are scaled."""
        floats = batch.to(self.device, torch.float32, memory_format=self.memory_format)
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


def resolve(config: EngineConfig) -> EngineConfig:
    """Settle device and threads. An absent device raises UsageError."""
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
    return dataclasses.replace(config, device=device, threads=min(config.threads or cores(), most_threads()))


def cores() -> int:
    """CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """CPU threads above which more only wait; a run from a larger machine goes on with so many."""
    return THREADS_PER_CORE * cores()


def candidates(config: EngineConfig) -> list[EngineConfig]:
    """Every form that fits what the config leaves open; bfloat16, unless asked for, only where the hardware has it.

    Raises UsageError where none does.
    """
    cpu = config.device == "cpu"
    bf16 = torch.ops.mkldnn._is_mkldnn_bf16_supported() if cpu else config.device.startswith("cuda")
    found = []
    for dtype, layout, conv in FORMS:
        wanted = all(
            choice in ("auto", form)
            for choice, form in ((config.dtype, dtype), (config.layout, layout), (config.conv, conv))
        )
        possible = (cpu or conv == "direct") and (dtype == "float32" or bf16 or config.dtype == dtype)
        if wanted and possible:
            found.append(dataclasses.replace(config, dtype=dtype, layout=layout, conv=conv))
    if not found:
        form = "bfloat16 and channels_last" if config.conv == "patches" else "float32"
        raise UsageError(f"engine.conv = {config.conv} works in {form} on the CPU only: use --engine.conv auto")
    return found


def probe(
    config: EngineConfig, make_step: Callable[[Engine], Callable[[], Any]]
) -> tuple[EngineConfig, dict[str, float]]:
    """Time a few real steps of each candidate and settle on the quickest.

    `make_step(engine)` gives a function that makes one throw-away step. Returns the settled config and the median
    seconds of each candidate (empty where there was nothing to choose). Candidates take turns, so that a busy
    neighbour slows them alike.
    """
    config = resolve(config)
    options = candidates(config)
    if len(options) == 1:
        return options[0], {}
    steps = {option: make_step(Engine(option)) for option in options}
    seconds: dict[EngineConfig, list[float]] = {option: [] for option in options}
    for round_ in range(PROBE_STEPS + 1):
        for option, step in steps.items():
            start = time.perf_counter()
            step()
            if config.device.startswith("cuda"):
                torch.cuda.synchronize()
            if round_:  # the first round warms up
                seconds[option].append(time.perf_counter() - start)
    medians = {option: statistics.median(times) for option, times in seconds.items()}
    names = {f"{o.dtype} {o.layout} {o.conv}": round(t, 4) for o, t in medians.items()}
    return min(medians, key=medians.__getitem__), names


def environment(engine: Engine) -> dict[str, Any]:
    """What a result depends on besides the config: versions, machine, threads, dtype."""
    import numpy

    import ganvas

    return {
        "ganvas": ganvas.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": numpy.__version__,
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": cpu_name(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "accelerator": torch.cuda.get_device_name(engine.device) if engine.device.type == "cuda" else None,
        **dataclasses.asdict(engine.config),
    }


EXACT = ("torch", "cpu_capability", "device", "threads", "dtype", "layout", "conv")
"""The parts of an environment that must be equal for a resumed run to repeat an unbroken one bit for bit."""


def cpu_name() -> str:
    """The processor's name as the system gives it."""
    try:
        with open("/proc/cpuinfo") as file:
            return next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
