"""What training measures at every sample grid, for the doctor (ganvas.diagnostics).

A row of monitor.jsonl says how the samples look, how D rates training, held-out and fake images, and how far one update
moved each network. What that costs is measured in benchmarks/monitor.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from ganvas import media
from ganvas.datasets import ImageSet, order, unseen
from ganvas.datasets.pixels import in_parts
from ganvas.datasets.scratch import take
from ganvas.metrics.image_statistics import Pictures, away, beside, distances, thumbnails
from ganvas.models import num_classes
from ganvas.models.critique import Critique
from ganvas.runs.run import Run
from ganvas.training.augment import overfitting
from ganvas.training.backend import Engine, draw
from ganvas.training.checkpoint import TrainState

MAX_REAL = 1024
"""Real images that the samples are compared with, at most."""
MAX_HELD_OUT = 512
"""Images that training never sees, at most."""
RATED = 64
"""Images of each kind that D rates, at most a batch: where batches are small, updates are quick."""
CLASSIFIED = 128
"""Held-out images whose class D is tested on: it prefers the right one by little, so more are needed."""
MIN_RAW = 32
"""Samples drawn from G itself beside those of its moving average, at least."""


class Monitor:
    """Measures a run's state and writes monitor.jsonl. Nothing that it does changes the training."""

    def __init__(self, run: Run, images: ImageSet, train: np.ndarray, held_out: np.ndarray, engine: Engine) -> None:
        config = run.config
        self.run, self.images, self.train, self.engine = run, images, train, engine
        self.seed, self.count = config.seed, min(RATED, config.step.batch)
        self.classes = num_classes(config, images.class_names)
        data = replace(config.data, size=images.images.shape[3])
        self.held_out = _subset(images, held_out) if len(held_out) else unseen(data, MAX_HELD_OUT)
        real = _subset(images, train[order(config.seed, 0, min(MAX_REAL, len(train)), len(train))])
        self.real = Pictures(real.images, real.labels if self.classes else None, at_a_time=config.log.samples)
        self.train_thumbnails, self.held_out_thumbnails = self._copy_thumbnails()
        self.last = _last_grid(run, images.images.shape[1:], config.log.samples)

    def write(
        self,
        state: TrainState,
        samples: UInt8[Tensor, "n c h w"],
        z: Float[Tensor, "n z"],
        labels: Tensor | None,
        ratios: Mapping[str, float] | None = None,
    ) -> dict[str, Any]:
        """Append a row on a state, whose samples of latents `z` and classes are given, to monitor.jsonl.

        `sample_change`: how far the samples moved since the last row, over the contrast of real images.
        `nearest_train`: share of the samples nearer to the training images than to as many held-out ones, 0.5 by
        chance. `ratios`: see train_metrics.update_ratio. The rest: see `beside` and `rate`.
        """
        fake = Pictures(samples.numpy(), None if labels is None else labels.numpy())
        row: dict[str, Any] = {"nimg": state.nimg, **beside(fake, self.real), **(ratios or {})}
        if state.nimg and self.last is not None and self.last.shape == fake.images.shape:
            change = np.abs(fake.images.astype(np.float32) - self.last).mean()
            row["sample_change"] = float(change / max(self.real.contrast, 1e-6))
        self.last = fake.images
        of_g = samples
        if state.ema is not None:
            first = slice(max(self.count, MIN_RAW))
            of_g = draw(state.networks.generator, z[first], None if labels is None else labels[first], self.engine)
            row["distance/raw"] = away(thumbnails(of_g.numpy()), self.real)
        row |= self.rate(state, of_g, labels, self.count)
        if len(self.train_thumbnails):
            to_train, to_held_out = (
                distances(fake.thumbnails, near).min(1) for near in (self.train_thumbnails, self.held_out_thumbnails)
            )
            row["nearest_train"] = float((to_train < to_held_out).mean())
        row = {key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()}
        self.run.append("monitor", row)
        return row

    def _copy_thumbnails(self) -> tuple[np.ndarray, np.ndarray]:
        """Thumbnails of as many training as held-out images; none where most training images would be left out."""
        n = min(len(self.train), 0 if self.held_out is None else len(self.held_out.images))
        if self.held_out is None or n < len(self.train) / 2:
            return np.empty((0, 0)), np.empty((0, 0))
        train, held_out = take(self.images.images, self.train[:n]), self.held_out.images[:n]
        train_small, held_out_small = (
            np.concatenate([thumbnails(part) for part in in_parts(some)]) for some in (train, held_out)
        )
        return train_small, held_out_small

    @torch.no_grad()
    def rate(self, state: TrainState, fake: Tensor, labels: Tensor | None, count: int) -> dict[str, float]:
        """How D, in evaluation mode, rates fakes and as many images that it trained on and that it never saw.

        `n_rated`: how many of each. `eval_logit/*` are mean logits; `overfit`: see augment.overfitting; `auc/fake` is
        P(D(train) > D(fake)) and `auc/held_out` P(D(train) > D(held out)), 0.5 where D cannot tell them apart;
        `label/auc` is P(D(x, y) > D(x, another class)), `label/accuracy` that of D's class logits, both over
        `label/n` held-out images.
        """
        n, nimg = len(self.train), state.nimg
        chosen = self.train[order(self.seed, max(nimg - max(n // 2, count), 0), count, n)]
        on_train = self.logits(state, self.images, chosen)
        on_fake = self.critique(state, fake[:count], None if labels is None else labels[:count]).logits
        row = {
            "n_rated": float(count),
            "eval_logit/train": on_train.mean().item(),
            "eval_logit/fake": on_fake.mean().item(),
        }
        row["auc/fake"] = auc(on_train, on_fake)
        if self.held_out is None:
            return row
        several = max(count, min(CLASSIFIED, len(self.held_out.images))) if self.classes > 1 else count
        chosen = order(self.seed, nimg, several, len(self.held_out.images))
        truth = self.labels(self.held_out, chosen)
        critique = self.critique(state, torch.from_numpy(self.held_out.images[chosen]), truth)
        on_held_out = critique.logits[:count]
        row["eval_logit/held_out"] = on_held_out.mean().item()
        row["overfit"] = overfitting(row["eval_logit/train"], row["eval_logit/held_out"], row["eval_logit/fake"])
        row["auc/held_out"] = auc(on_train, on_held_out)
        if truth is not None and self.classes > 1:
            wrong = (truth + 1 + torch.arange(len(truth)) % (self.classes - 1)) % self.classes
            other = self.critique(state, torch.from_numpy(self.held_out.images[chosen]), wrong).logits
            row["label/n"] = float(len(truth))
            row["label/auc"] = ((critique.logits > other).float() + 0.5 * (critique.logits == other)).mean().item()
            if critique.classes is not None:
                row["label/accuracy"] = (critique.classes.argmax(1).cpu() == truth).float().mean().item()
        return row

    def logits(self, state: TrainState, images: ImageSet, chosen: np.ndarray) -> Float[Tensor, "n"]:
        return self.critique(state, torch.from_numpy(images.images[chosen]), self.labels(images, chosen)).logits

    def labels(self, images: ImageSet, chosen: np.ndarray) -> Tensor | None:
        return torch.from_numpy(images.labels[chosen]) if self.classes and images.labels is not None else None

    def critique(self, state: TrainState, images: UInt8[Tensor, "n c h w"], labels: Tensor | None) -> Critique:
        D = state.networks.discriminator.eval()
        on_device = None if labels is None else labels.to(self.engine.device)
        with self.engine.autocast:
            critique: Critique = D(self.engine.images(images), on_device)
        return critique


def _subset(images: ImageSet, chosen: np.ndarray) -> ImageSet:
    labels = None if images.labels is None else images.labels[chosen]
    return replace(images, images=take(images.images, chosen), labels=labels)


def _last_grid(run: Run, shape: tuple[int, ...], n: int) -> np.ndarray | None:
    """The images of the run's last sample grid; None where there is none."""
    for _, path in run.sample_grids()[-1:]:
        with Image.open(path) as picture:
            return media.tiles(picture, (shape[0], shape[1], shape[2]))[:n]
    return None


def auc(a: Float[Tensor, "n"], b: Float[Tensor, "m"]) -> float:
    """P(a > b) over all pairs, ties half: the area under the ROC curve."""
    return ((a[:, None] > b).float() + 0.5 * (a[:, None] == b).float()).mean().item()
