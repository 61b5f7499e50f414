"""The state of a training: all that changes in it, and its way to disk and back."""

from __future__ import annotations

import copy
import hashlib
import math
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from ganvas import models
from ganvas.config import SCHEMA_VERSION, Config, to_dict
from ganvas.errors import GanvasError
from ganvas.ranks import ALONE, World
from ganvas.runs.run import Checkpoint, Run, stem
from ganvas.runs.storage import load_tensors, parse_tensors, save_tensors
from ganvas.training.backend import Engine
from ganvas.training.optim import Optimiser
from ganvas.training.step import Networks
from ganvas.training.train_metrics import columns


@dataclass
class TrainState:
    """What a checkpoint holds."""

    networks: Networks
    ema: nn.Module | None
    nimg: int = 0
    sec: float = 0.0
    """Seconds of training, logging and sampling."""
    cpu_sec: float = 0.0
    """CPU seconds of all threads of the process for it; NaN where a part of it was not recorded."""
    sums: Tensor = field(default_factory=lambda: torch.zeros(0))
    """Sums of the train metrics since the last row, on the device."""
    updates: int = 0
    """Updates in `sums`."""
    augment_p: float = 0.0
    """Probability of augmentation that ADA has reached (augment.adapt)."""
    penalty_strength: float = 0.0
    """Share of the penalties' weights that D's lead has brought them to (penalty.adapt)."""

    @property
    def sampling_network(self) -> nn.Module:
        """The generator that samples are drawn from: the moving average, if there is one."""
        return self.networks.generator if self.ema is None else self.ema


def fresh_state(
    config: Config, shape: tuple[int, int, int], engine: Engine, classes: int = 0, world: World = ALONE
) -> TrainState:
    """Untrained networks and optimisers on the engine, a function of the config's seed."""
    generator = engine.place(models.build_generator(config, shape, classes))
    discriminator = engine.place(models.build_discriminator(config, shape, classes))
    foreach = engine.config.optimiser == "foreach"
    g_optim = Optimiser(generator, config.g_optim, foreach)
    d_optim = Optimiser(discriminator, config.d_optim, foreach)
    ema = copy.deepcopy(generator) if config.step.ema_kimg else None
    if world.size > 1:
        models.set_world(generator, world)
        models.set_world(discriminator, world)
    sums = torch.zeros(len(columns(config)), device=engine.device)
    return TrainState(Networks(generator, discriminator, g_optim, d_optim), ema, sums=sums)


def start_from(state: TrainState, generator: nn.Module) -> None:
    """Give G, and its moving average, the weights of a trained generator; GanvasError where they do not fit."""
    for network in (state.networks.generator, *([state.ema] if state.ema is not None else [])):
        try:
            network.load_state_dict(generator.state_dict())
        except RuntimeError as error:
            why = str(error).strip().splitlines()[-1].strip()
            raise GanvasError(f"that generator does not fit these images and classes ({why})") from error


def save_checkpoint(
    run: Run, state: TrainState, config: Config, environment: dict[str, Any], world: World = ALONE
) -> None:
    """Write everything that changes in training, with the environment that exact resuming depends on.

    GanvasError where it is not the same on every rank.
    """
    metadata = _metadata(run, state, config)
    tensors = {name: save_tensors(values, metadata) for name, values in _parts(state).items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in tensors.items()} if world.size > 1 else {}
    world.check_equal(
        digests,
        lambda rank, part, *_: (
            f"rank {rank} holds another {part} than rank 0 at image {state.nimg:,}: do they run on machines of "
            f"different kinds? The last checkpoint is good: ganvas resume {run.path}"
        ),
    )
    cpu_sec = state.cpu_sec if math.isfinite(state.cpu_sec) else None
    run.save_checkpoint(state.nimg, tensors, {"sec": state.sec, "cpu_sec": cpu_sec, "environment": environment})


def _parts(state: TrainState) -> dict[str, dict[str, Tensor]]:
    """All tensors of a state, by the file that they go to."""
    networks = state.networks
    parts: dict[str, dict[str, Tensor]] = {
        "generator": networks.generator.state_dict(),
        "discriminator": networks.discriminator.state_dict(),
        "g_optim": networks.g_optim.tensors(),
        "d_optim": networks.d_optim.tensors(),
        "log": {
            "sums": state.sums,
            "steps": torch.tensor(state.updates),
            "adapted": torch.tensor(state.augment_p, dtype=torch.float64),
            "strength": torch.tensor(state.penalty_strength, dtype=torch.float64),
        },
    }
    if state.ema is not None:
        parts["ema"] = state.ema.state_dict()
    return parts


def restore(state: TrainState, checkpoint: Checkpoint, config: Config) -> None:
    """Put a checkpoint's values into a fresh state; GanvasError where they do not fit."""
    try:
        parts = {name: load_tensors(checkpoint.path / f"{name}.safetensors")[0] for name in checkpoint.state["sha256"]}
        _put(state, parts)
        state.nimg, state.sec = checkpoint.nimg, float(checkpoint.state["sec"])
        spent = checkpoint.state.get("cpu_sec")
        state.cpu_sec = math.nan if spent is None else float(spent)
    except (KeyError, IndexError, RuntimeError, ValueError, TypeError) as error:
        why = str(error).strip().splitlines()[-1].strip()
        raise GanvasError(
            f"{checkpoint.path} does not fit the networks of this run's config.json ({why}): is it another run's?"
        ) from error


def hand_on(state: TrainState, world: World) -> None:
    """Give the state of rank 0 to every rank."""
    if world.size == 1:
        return
    state.nimg, state.sec, state.cpu_sec = world.first(lambda: [state.nimg, state.sec, state.cpu_sec])
    mine = _parts(state)
    _put(state, {name: parse_tensors(world.broadcast(save_tensors(mine[name], {})))[0] for name in mine})


def _put(state: TrainState, parts: dict[str, dict[str, Tensor]]) -> None:
    """Take over tensors as `_parts` gave them."""
    networks = state.networks
    networks.generator.load_state_dict(parts["generator"])
    networks.discriminator.load_state_dict(parts["discriminator"])
    networks.g_optim.load(parts["g_optim"])
    networks.d_optim.load(parts["d_optim"])
    if state.ema is not None:
        state.ema.load_state_dict(parts["ema"])
    state.sums.copy_(parts["log"]["sums"])
    state.updates = int(parts["log"]["steps"])
    state.augment_p = float(parts["log"].get("adapted", 0.0))
    state.penalty_strength = float(parts["log"].get("strength", 0.0))


def save_snapshot(run: Run, state: TrainState, config: Config) -> None:
    """The generator for use, in a file that loads alone."""
    content = save_tensors(state.sampling_network.state_dict(), _metadata(run, state, config))
    run.write_bytes(f"snapshots/{stem(state.nimg)}.safetensors", content)


def _metadata(run: Run, state: TrainState, config: Config) -> dict[str, Any]:
    """What a generator file says of itself."""
    conditional = config.data.labels == "use"
    return {
        "schema_version": SCHEMA_VERSION,
        "config": to_dict(config),
        "shape": run.data["shape"],
        "nimg": state.nimg,
        "ema": state.ema is not None,
        "data": {key: run.data[key] for key in ("name", "sha256", "n", "shape", "class_names") if key in run.data},
        **({"class_names": run.data["class_names"], "class_counts": run.data["class_counts"]} if conditional else {}),
    }
