"""Which form of the arithmetic is quickest here: a few real steps of each, and a memory of what they showed.

Times depend on what else the machine does at that moment, and forms differ in rounding. So a choice is kept, one small
file for each machine, version, network and batch in `engines/` of the cache folder, and the same command trains the
same run again. A file that is damaged, or answers another question, counts as absent; one that cannot be written
leaves the choice to this run alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from ganvas.config import Config, EngineConfig
from ganvas.datasets import cache
from ganvas.errors import GanvasError, UsageError
from ganvas.files import replace_file
from ganvas.stats.finite import is_number
from ganvas.training.backend import Engine, machine, resolve

ENGINE_VERSION = 1
"""Raised when the speed of a form changes, so that older choices are measured again."""
PROBE_STEPS = 3
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
OFF: dict[str, Any] = {"data": "host", "compile": "off", "graph": False, "optimiser": "fused"}
"""Forms are measured without switches, some of which take minutes to begin."""
MakeStep = Callable[[Engine], Callable[[], Any]]


@dataclass(frozen=True)
class Choice:
    """A settled EngineConfig, and why it is that one."""

    engine: EngineConfig
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Median seconds of a step of each form; empty where there was nothing to choose."""
    remembered: bool = False
    """Whether an earlier run measured it."""


def choose(config: Config, shape: Sequence[int], classes: int, make_step: MakeStep) -> Choice:
    """Settle what `config.engine` leaves open, for images of `shape` (c, h, w): as an earlier run did, or by `measure`.

    Runs that ask the same at the same time wait for the first one's answer. Raises UsageError where the engine is not
    possible here.
    """
    wanted = resolve(config.engine)
    options = [dataclasses.replace(option, probe="auto") for option in candidates(wanted)]
    if len(options) == 1:
        return Choice(options[0])
    question, path = _question(config, wanted, shape, classes), None
    with ExitStack() as held:
        with suppress(GanvasError):  # there is no cache folder: nothing is remembered
            path = folder() / f"{hashlib.sha256(question.encode()).hexdigest()[:16]}.json"
            held.enter_context(cache.locked(path.with_suffix(".lock")))
        if path is not None and wanted.probe == "auto" and (known := _recall(path, question, options)):
            return known
        plain = {dataclasses.replace(option, **OFF): option for option in options}
        seconds = {plain[option]: sec for option, sec in measure(list(plain), make_step).items()}
        choice = Choice(min(seconds, key=seconds.__getitem__), {name_of(o): round(t, 4) for o, t in seconds.items()})
        if path is not None:
            _remember(path, question, choice)
        return choice


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


def measure(options: Sequence[EngineConfig], make_step: MakeStep) -> dict[EngineConfig, float]:
    """Median seconds of a few real steps of each option.

    `make_step(engine)` gives a function that makes one throw-away step. Options take turns, so that a busy neighbour
    slows them alike.
    """
    steps = {option: make_step(Engine(option)) for option in options}
    seconds: dict[EngineConfig, list[float]] = {option: [] for option in options}
    for round_ in range(PROBE_STEPS + 1):
        for option, step in steps.items():
            start = time.perf_counter()
            step()
            if option.device.startswith("cuda"):
                torch.cuda.synchronize()
            if round_:  # the first round warms up
                seconds[option].append(time.perf_counter() - start)
    return {option: statistics.median(times) for option, times in seconds.items()}


def folder() -> Path:
    """Where choices are kept: $GANVAS_ENGINES, else `engines` in the cache folder."""
    return Path(os.environ.get("GANVAS_ENGINES") or cache.root() / "engines")


def _question(config: Config, wanted: EngineConfig, shape: Sequence[int], classes: int) -> str:
    """What a choice depends on, as JSON."""
    parts = {
        "version": ENGINE_VERSION,
        "machine": machine(torch.device(wanted.device)),
        "wanted": {name: getattr(wanted, name) for name in ("device", "dtype", "layout", "conv", "threads")},
        "shape": list(shape),
        "classes": classes,
        "generator": dataclasses.asdict(config.generator),
        "discriminator": dataclasses.asdict(config.discriminator),
        "penalty": dataclasses.asdict(config.penalty),
        "step": [config.step.update, config.step.batch, config.step.accumulate, config.step.d_steps],
    }
    return json.dumps(parts, sort_keys=True)


def _recall(path: Path, question: str, options: Sequence[EngineConfig]) -> Choice | None:
    """The choice in a file; None where there is none that answers the question."""
    try:
        kept = json.loads(path.read_bytes())
        by_name = {name_of(option): option for option in options}
        if kept["question"] != question or not all(is_number(value) for value in kept["seconds"].values()):
            return None
        return Choice(by_name[kept["choice"]], kept["seconds"], remembered=True)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _remember(path: Path, question: str, choice: Choice) -> None:
    kept = {"question": question, "choice": name_of(choice.engine), "seconds": choice.seconds}
    with suppress(OSError):
        replace_file(path, json.dumps(kept, indent=1).encode())


def name_of(engine: EngineConfig) -> str:
    """Its form in three words."""
    return f"{engine.dtype} {engine.layout} {engine.conv}"
