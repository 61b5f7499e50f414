"""The cost of a training, counted on one update of its real networks, whose tensors have shapes and no values."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from ganvas import models
from ganvas.config import Config, EngineConfig
from ganvas.cost.counter import Counter
from ganvas.cost.subject import Subject
from ganvas.datasets import ImageSet
from ganvas.training.backend import Engine
from ganvas.training.budget import budget_end
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.optim import Optimiser
from ganvas.training.penalties import penalised
from ganvas.training.trainer import Trainer


@dataclass(frozen=True)
class Cost:
    """FLOP: a multiplication with its addition is two. Bytes are those of tensors."""

    g_params: int
    """Trainable weights."""
    d_params: int
    g_forward: int
    """FLOP of one image, in evaluation."""
    d_forward: int
    plain_update: int
    """FLOP of an update without penalties r1, r2 and gp."""
    penalty: int
    """FLOP that these add to a D step which has them, at their full weight."""
    update: Fraction
    """Mean FLOP of an update: penalties count in one of penalty.every D steps."""
    images: int
    """Real images of an update."""
    weights: int
    """Bytes of weights and buffers of G and D."""
    optimiser: int
    """Bytes of the optimisers' states."""
    averages: int
    """Bytes of G's moving average."""
    working: int
    """Most bytes alive at one time in an update, beyond the three above: the batch, activations, gradients."""
    budget: int | None
    """Real images of the whole training; None where its budget is a time."""

    @property
    def per_image(self) -> Fraction:
        """Mean FLOP for each real image."""
        return self.update / self.images

    @property
    def updates(self) -> int | None:
        """Updates of the whole training."""
        return None if self.budget is None else math.ceil(self.budget / self.images)


def cost_of(config: Config, subject: Subject) -> Cost:
    """Counts a training of `config`, whose data.labels are settled; takes seconds and the memory of the weights alone.

    Raises UsageError as the networks do.
    """
    config = models.for_size(config, subject.shape[1])
    dtype: Literal["float32", "bfloat16"] = "float32" if config.engine.dtype == "auto" else config.engine.dtype
    plain = EngineConfig("cpu", dtype, "channels_last", "direct", threads=1)
    config = replace(config, engine=plain)
    state = fresh_state(config, subject.shape, Engine(plain), subject.classes)
    networks = state.networks
    labels = torch.zeros(1, dtype=torch.int64) if subject.classes else None
    count = config.step.batch * config.step.d_steps

    full = _count_update(config, subject, state)
    optimiser = sum(_bytes(tensors) for tensors in full.optimisers)
    p, added = config.penalty, 0
    if penalised(p, config.step.batch):
        without = replace(config, penalty=replace(p, r1=0.0, r2=0.0, gp=0.0))
        bare = _count_update(without, subject, fresh_state(without, subject.shape, Engine(plain), subject.classes))
        added = (full.flop - bare.flop) // math.ceil(config.step.d_steps / p.every)
        update = bare.flop + Fraction(added * config.step.d_steps, p.every)
    else:
        bare, update = full, Fraction(full.flop)
    return Cost(
        g_params=_params(networks.generator),
        d_params=_params(networks.discriminator),
        g_forward=_forward(networks.generator, torch.zeros(1, config.generator.latent_dim), labels),
        d_forward=_forward(networks.discriminator, torch.zeros(1, *subject.shape), labels),
        plain_update=bare.flop,
        penalty=added,
        update=update,
        images=count,
        weights=_bytes(networks.generator.state_dict()) + _bytes(networks.discriminator.state_dict()),
        optimiser=optimiser,
        averages=_bytes(state.ema.state_dict()) if state.ema is not None else 0,
        working=full.working,
        budget=budget_end(config.budget, subject.n, 0, 0.0)[0],
    )


@dataclass(frozen=True)
class _Counted:
    flop: int
    working: int
    optimisers: tuple[dict[str, Tensor], ...]


def _count_update(config: Config, subject: Subject, state: TrainState) -> _Counted:
    """The first update, penalties included, at their full weight."""
    config = replace(config, penalty=replace(config.penalty, adapt=0.0))
    trainer = Trainer(config, stand_in(subject, config.step.batch), Engine(config.engine))
    with FakeTensorMode(allow_non_fake_inputs=True):
        _counted(lambda: trainer(state, 0.0))  # the optimisers make their states in the first one
        state.nimg = 0
        trainer.last = trainer.last_batch = None
        counter = _counted(lambda: trainer(state, 0.0))
        states = tuple(_state_of(optimiser) for optimiser in (state.networks.g_optim, state.networks.d_optim))
    return _Counted(counter.flop, counter.most_bytes, states)


def stand_in(subject: Subject, least: int) -> ImageSet:
    """Images of the subject's shape and classes whose content does not matter: noise, at least `least` of them."""
    n = max(min(subject.n, 1024), least, 2 * subject.classes)
    pixels = np.random.default_rng(0).integers(0, 256, (n, *subject.shape), dtype=np.uint8)
    names = tuple(map(str, range(subject.classes)))
    labels = np.arange(n, dtype=np.int64) % subject.classes if subject.classes else None
    return ImageSet(subject.name, pixels, labels, names, "", "noise")


def _forward(network: nn.Module, x: Tensor, labels: Tensor | None) -> int:
    network.eval()
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
        return _counted(lambda: network(x, labels)).flop


def _counted(run: Callable[[], Any]) -> Counter:
    counter = Counter()
    with counter:
        run()
    return counter


def _state_of(optimiser: Optimiser) -> dict[str, Tensor]:
    return optimiser.tensors()


def _params(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


def _bytes(tensors: dict[str, Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors.values())
