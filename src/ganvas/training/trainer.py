"""One update of a state: which images, latents, classes, targets and augmentations belong to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from ganvas import data as datasets
from ganvas import models, rng
from ganvas.config import Config
from ganvas.data import ImageSet
from ganvas.training import latents as latent
from ganvas.training.augment import Augment, overfitting
from ganvas.training.backend import Engine
from ganvas.training.batch import Batch
from ganvas.training.checkpoint import State, fresh_state
from ganvas.training.losses import draw_targets
from ganvas.training.monitor import pace, weights
from ganvas.training.objective import Rules, Shown
from ganvas.training.optim import half_life, update_ema
from ganvas.training.step import UPDATES
from ganvas.training.train_metrics import statistics

PROBE_BATCH = 64


class Stepper:
    """Updates a state; everything random about an update is a function of (seed, nimg) alone."""

    def __init__(self, config: Config, images: ImageSet, engine: Engine) -> None:
        self.config, self.images, self.engine = config, images, engine
        self.update = UPDATES[config.step.update]
        self.augment = Augment(config.augment, images.images.shape[1:])
        self.rules = Rules(config, self.augment, engine.autocast)
        self.dropout, self.rng = torch.Generator(engine.device), torch.Generator(engine.device)
        self.learnt, self.held_out = held_out(config, len(images.images))
        self.labels = images.labels if config.data.labels == "use" else None

    def __call__(self, state: State, total: int | None, closely: bool = False) -> dict[str, float]:
        """One update; `closely`: returns how far it moved the networks (ganvas.training.monitor.pace)."""
        config, players, first = self.config, state.players, state.nimg
        self.dropout.manual_seed(rng.stream_seed(config.seed, "dropout", first))
        self.rng.manual_seed(rng.stream_seed(config.seed, "update", first))
        models.set_dropout_generator(players.discriminator, self.dropout)
        players.generator.train()
        players.discriminator.train()

        progress = min(first / total, 1.0) if total else 0.0
        batches = []
        for _ in range(config.step.d_steps):
            batches.append(self.batch(state.nimg, progress, state.adapted, state.strength))
            state.nimg += config.step.batch
        before = weights(players) if closely else None
        outcome = self.update(players, batches, self.rules)
        if state.ema is not None:
            images = half_life(state.nimg, config.step.ema_kimg, config.step.ema_warmup)
            update_ema(state.ema, players.generator, state.nimg - first, images)
        state.sums += statistics(outcome, config)
        state.steps += 1
        return pace(players, before, outcome) if before else {}

    def batch(self, nimg: int, progress: float, adapted: float, strength: float = 0.0) -> Batch:
        """The batch whose first real image is the sample at `nimg`; the last two as in State."""
        config, count, device = self.config, self.config.step.batch, self.engine.device
        chosen = self.learnt[datasets.order(config.seed, nimg, count, len(self.learnt))]
        real = self.images.images[chosen]
        if config.data.flip:
            flipped = datasets.flips(config.seed, nimg, count)
            real[flipped] = real[flipped][..., ::-1]
        z = latent.draw_z(config.generator, config.seed, "z", np.arange(nimg, nimg + count))
        labels = None if self.labels is None else torch.from_numpy(self.labels[chosen]).to(device)
        p = self.augment.p(progress, adapted)
        draws = self.augment.draw(count, p, progress, self.rng)
        return Batch(
            real=self.engine.images(torch.from_numpy(real)),
            z=torch.from_numpy(z).to(device),
            labels=labels,
            targets=draw_targets(config.loss, count, self.rng, device),
            draws=(draws, draws if config.augment.paired else self.augment.draw(count, p, progress, self.rng)),
            due=self.rules.due(nimg // count, strength),
            named=self.rules.named(strength),
            progress=progress,
            rng=self.rng,
        )

    @torch.no_grad()
    def overfit(self, state: State, real: float, fake: float, progress: float) -> dict[str, float]:
        """How D judges images it never learnt from, as `logit/held_out` and ADA's `overfit`; empty without any."""
        if not len(self.held_out):
            return {}
        config, count = self.config, min(self.config.step.batch, len(self.held_out))
        chosen = self.held_out[datasets.order(config.seed, state.nimg, count, len(self.held_out))]
        images = self.engine.images(torch.from_numpy(self.images.images[chosen]))
        labels = None if self.labels is None else torch.from_numpy(self.labels[chosen]).to(self.engine.device)
        self.rng.manual_seed(rng.stream_seed(config.seed, "held-out", state.nimg))
        draws = self.augment.draw(count, self.augment.p(progress, state.adapted), progress, self.rng)
        with self.engine.autocast:
            (critique,) = self.rules.show(state.players.discriminator.eval(), [Shown(images, draws, labels)])
        logit = critique.logits.mean().item()
        return {"logit/held_out": logit, "overfit": overfitting(real, logit, fake)}


def held_out(config: Config, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the images to learn from, and of those set aside: a function of (seed, n)."""
    shuffled = np.argsort(rng.bits(config.seed, "held-out", np.arange(n)), kind="stable")
    count = round(config.data.held_out * n)
    return (np.sort(shuffled[count:]), np.sort(shuffled[:count])) if count else (np.arange(n), shuffled[:0])


def throwaway(config: Config, images: ImageSet, engine: Engine) -> Callable[[], object]:
    """A step of the probe: the real networks on fresh weights, on a batch that does not take long."""
    parts = config.step.accumulate
    count = min(config.step.batch, -(-PROBE_BATCH // parts) * parts)
    config = replace(config, step=replace(config.step, batch=count))
    state = fresh_state(config, images.images.shape[1:], engine, models.num_classes(config, images.class_names))
    step = Stepper(config, images, engine)
    return lambda: step(state, None)
