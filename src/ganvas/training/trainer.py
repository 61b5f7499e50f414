"""One update of a training state: which images, latents, classes, targets and augmentations belong to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from ganvas import datasets, models, rng
from ganvas.config import Config
from ganvas.datasets import ImageSet
from ganvas.models.layers.eigenimages import Eigenimages
from ganvas.ranks import ALONE, World
from ganvas.training import latents
from ganvas.training.augment import Augment, overfitting
from ganvas.training.backend import Engine
from ganvas.training.batch import Batch, DInput
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.engine.compiled import compiled
from ganvas.training.engine.graph import Graphs
from ganvas.training.engine.images import source
from ganvas.training.losses import Targets, draw_targets
from ganvas.training.objective import Objective
from ganvas.training.optim import update_ema
from ganvas.training.schedules import Number, ema_half_life, ema_weight
from ganvas.training.step import UPDATES, UpdateResult
from ganvas.training.train_metrics import copy_weights, train_metrics, update_ratio

PROBE_BATCH = 64
REBUILT_BY = 0.5
"""Share of the run after which G is no longer asked to rebuild images: what is left to learn is not in thumbnails."""


class Trainer:
    """Updates a training state; everything random about an update is a function of (seed, nimg) alone."""

    def __init__(self, config: Config, images: ImageSet, engine: Engine, world: World = ALONE) -> None:
        self.config, self.images, self.engine, self.world = config, images, engine, world
        self.update = UPDATES[config.step.update]
        self.augment = Augment(config.augment, images.images.shape[1:])
        self.objective = Objective(config, self.augment, engine.autocast, world)
        self.compiled, self.compute = compiled(engine.config.compile, self._compute, self.objective)
        self.dropout, self.rng = torch.Generator(engine.device), torch.Generator(engine.device)
        if engine.config.graph:
            self.compute = Graphs(self._compute, (self.rng, self.dropout), engine.device)
        self.train_indices, self.held_out = split_held_out(config, len(images.images))
        self.source = source(config, images, self.train_indices, engine)
        self.labels = images.labels if config.data.labels == "use" else None
        families = models.family_of(config.generator), models.family_of(config.discriminator)
        self.global_rng = any(family.global_rng for family in families)
        self.last: UpdateResult | None = None
        self.last_batch: Batch | None = None

    def __call__(self, state: TrainState, progress: float, measure: bool = False) -> dict[str, float]:
        """One update at `progress` in [0, 1] of the run; `measure`: return train_metrics.update_ratio."""
        config, networks, first = self.config, state.networks, state.nimg
        self.dropout.manual_seed(rng.stream_seed(config.seed, "dropout", first))
        self.rng.manual_seed(rng.stream_seed(config.seed, "update", first))
        models.set_dropout_generator(networks.discriminator, self.dropout)
        models.set_dropout_generator(networks.generator, self.dropout)
        networks.generator.train()
        networks.discriminator.train()

        batches = []
        for _ in range(config.step.d_steps):
            batch = self.batch(state.nimg, progress, state.augment_p, state.penalty_strength)
            batches.append(self.coded(batch, networks.generator, progress))
            state.nimg += config.step.batch
        self.last_batch = batches[-1]
        half_life = ema_half_life(state.nimg, config.step.ema_kimg, config.step.ema_warmup)
        weight = ema_weight(state.nimg - first, half_life)
        before = copy_weights(networks) if measure else None
        with self._global_rng(first):
            result = self.last = self.compute(state, batches, weight)
        state.updates += 1
        return update_ratio(networks, before, result) if before else {}

    def _compute(self, state: TrainState, batches: Sequence[Batch], weight: Number) -> UpdateResult:
        """All that an update computes on the device: weights, their moving average, the sums of its metrics."""
        result = self.update(self.compiled(state.networks), batches, self.objective)
        if state.ema is not None:
            update_ema(state.ema, state.networks.generator, weight)
        state.sums += train_metrics(result, self.config)
        return result

    @contextmanager
    def _global_rng(self, nimg: int) -> Iterator[None]:
        """Where layers draw from torch's global generator: seeded by (seed, nimg) within, as it was afterwards."""
        if not self.global_rng:
            yield
            return
        devices = [self.engine.device] if self.engine.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(rng.stream_seed(self.config.seed, "global", nimg))
            yield

    def batch(self, nimg: int, progress: float, augment_p: float, penalty_strength: float = 0.0) -> Batch:
        """This rank's part of the batch whose first real image is the sample at `nimg`.

        The last two arguments as in TrainState. What is drawn is drawn for the whole batch.
        """
        config, count, device, own = self.config, self.config.step.batch, self.engine.device, self.world.own
        real, labels = self.source(nimg, own)
        index = np.arange(nimg, nimg + count)[own]
        z, *g_z = (
            self.engine.send(torch.from_numpy(latents.draw_z(config.generator, config.seed, stream, index)))
            for stream in (("z", "z/g") if config.step.fresh else ("z",))
        )
        p = self.augment.p(progress, augment_p)
        draws = self.augment.draw(count, p, progress, self.rng)
        targets = draw_targets(config.loss, count, self.rng, device)
        others = draws if config.augment.paired else self.augment.draw(count, p, progress, self.rng)
        return Batch(
            real=self.engine.images(real),
            z=z,
            labels=labels,
            targets=None if targets is None else Targets(targets.real[own], targets.fake[own]),
            draws=(draws[own], others[own]),
            penalty_scale=self.objective.penalty_scale(nimg // count, penalty_strength),
            classify_scale=self.objective.classify_scale(penalty_strength),
            progress=progress,
            rng=self.rng,
            g_z=g_z[0] if g_z else None,
        )

    def coded(self, batch: Batch, generator: nn.Module, progress: float) -> Batch:
        """The batch with every second z made from the real image of its place, where G has eigenimages to rebuild it.

        Its first numbers weigh eigenimages: they become those that describe the image. What G makes of them is to be
        like it; the factor on that falls to 0 (REBUILT_BY). From then on every z is drawn, as samples are.
        """
        drafts = next((part for part in generator.modules() if isinstance(part, Eigenimages)), None)
        if drafts is None or not self.config.loss.rebuild or progress >= REBUILT_BY:
            return batch
        chosen = self.engine.send(torch.arange(self.config.step.batch)[self.world.own] % 2 == 0)
        z = torch.cat([drafts.encode(batch.real, batch.labels), batch.z[:, drafts.count :]], 1)
        factor = 2 * self.config.loss.rebuild * (1 - progress / REBUILT_BY)
        return replace(batch, z=torch.where(chosen[:, None], z, batch.z), rebuild=factor * chosen.float())

    @torch.no_grad()
    def overfit(self, state: TrainState, real: float, fake: float, progress: float) -> dict[str, float]:
        """D's mean logit of held-out images, `logit/held_out`, and ADA's `overfit`; empty without held-out images.

        `real` and `fake` are D's mean logits of real and fake images in training.
        """
        if not len(self.held_out):
            return {}
        config, count = self.config, min(self.config.step.batch, len(self.held_out))
        chosen = self.held_out[datasets.order(config.seed, state.nimg, count, len(self.held_out))]
        images = self.engine.images(torch.from_numpy(self.images.images[chosen]))
        labels = None if self.labels is None else self.engine.send(torch.from_numpy(self.labels[chosen]))
        self.rng.manual_seed(rng.stream_seed(config.seed, "held-out", state.nimg))
        draws = self.augment.draw(count, self.augment.p(progress, state.augment_p), progress, self.rng)
        with self.engine.autocast:
            D = state.networks.discriminator.eval()
            (critique,) = self.objective.critiques(D, [DInput(images, draws, labels)])
        logit = critique.logits.mean().item()
        return {"logit/held_out": logit, "overfit": overfitting(real, logit, fake)}


def split_held_out(config: Config, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the images to train on, and of those held out, at least one: a function of (seed, n)."""
    shuffled = np.argsort(rng.bits(config.seed, "held-out", np.arange(n)), kind="stable")
    count = max(round(config.data.held_out * n), 1) if config.data.held_out else 0
    return (np.sort(shuffled[count:]), np.sort(shuffled[:count])) if count else (np.arange(n), shuffled[:0])


def probe_step(config: Config, images: ImageSet, engine: Engine) -> Callable[[], object]:
    """A step for the speed probe, in one process: the real networks, untrained, on a batch that does not take long."""
    parts = config.step.accumulate
    count = min(config.step.batch, -(-PROBE_BATCH // parts) * parts)
    config = replace(config, step=replace(config.step, batch=count))
    state = fresh_state(config, images.images.shape[1:], engine, models.num_classes(config, images.class_names))
    trainer = Trainer(config, images, engine)
    return lambda: trainer(state, 0.0)
