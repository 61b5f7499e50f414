"""Vital signs: what training writes down at every sample grid, for ganvas.diagnostics to read.

A row of vitals.jsonl says how the pictures are, how D judges images that it learnt from, that it never saw and that G
made, and how far one update moved each network. What that costs is measured in benchmarks/vitals.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor, nn

from ganvas import media
from ganvas.data import ImageSet, order, unseen
from ganvas.metrics.image_statistics import Pictures, away, beside, distances, thumbnails
from ganvas.models import num_classes
from ganvas.models.critique import Critique
from ganvas.runs.run import Run
from ganvas.training.augment import overfitting
from ganvas.training.backend import Engine, draw
from ganvas.training.checkpoint import State
from ganvas.training.step import Outcome, Players

MOST_REAL = 1024
"""Real images by which the fakes are measured."""
UNSEEN = 512
"""Images that training never sees, at most."""
JUDGED = 64
"""Images of each kind that D is shown, and no more than a batch: small batches are quick to train on."""
ASKED = 128
"""Images that training never sees of which D is asked the class: it prefers the right one by little."""
RAW = 32
"""Images drawn from G beside those of its average, at least."""


class Signs:
    """Reads the vital signs of a run's state. Nothing that it does changes the training."""

    def __init__(self, run: Run, images: ImageSet, learnt: np.ndarray, held_out: np.ndarray, engine: Engine) -> None:
        config = run.config
        self.run, self.images, self.learnt, self.engine = run, images, learnt, engine
        self.seed, self.count = config.seed, min(JUDGED, config.step.batch)
        self.classes = num_classes(config, images.class_names)
        self.unseen = _subset(images, held_out) if len(held_out) else unseen(config.data, UNSEEN)
        real = _subset(images, learnt[order(config.seed, 0, min(MOST_REAL, len(learnt)), len(learnt))])
        self.real = Pictures(real.images, real.labels if self.classes else None, at_a_time=config.log.samples)
        self.known, self.strange = self._for_copies()
        self.last = _last_grid(run, images.images.shape[1:], config.log.samples)

    def write(
        self,
        state: State,
        samples: UInt8[Tensor, "n c h w"],
        z: Float[Tensor, "n z"],
        labels: Tensor | None,
        pace: Mapping[str, float] | None = None,
    ) -> dict[str, Any]:
        """Append the signs of a state, whose samples of latents `z` and classes are given, to vitals.jsonl.

        `moved`: how far the samples went since the last row, over the real contrast. `copies`: share of them nearer to
        the images learnt from than to as many unseen ones, 0.5 by chance. The rest: see `beside`, `judged` and `pace`.
        """
        fake = Pictures(samples.numpy(), None if labels is None else labels.numpy())
        row: dict[str, Any] = {"nimg": state.nimg, **beside(fake, self.real), **(pace or {})}
        if state.nimg and self.last is not None and self.last.shape == fake.images.shape:
            change = np.abs(fake.images.astype(np.float32) - self.last).mean()
            row["moved"] = float(change / max(self.real.contrast, 1e-6))
        self.last = fake.images
        made = samples
        if state.ema is not None:
            few = slice(max(self.count, RAW))
            made = draw(state.players.generator, z[few], None if labels is None else labels[few], self.engine)
            row["distance/raw"] = away(thumbnails(made.numpy()), self.real)
        row |= self.judged(state, made, labels, self.count)
        if len(self.known):
            x = fake.thumbnails
            row["copies"] = float((distances(x, self.known).min(1) < distances(x, self.strange).min(1)).mean())
        row = {key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()}
        self.run.append("vitals", row)
        return row

    def _for_copies(self) -> tuple[np.ndarray, np.ndarray]:
        """Thumbnails of as many learnt as unseen images; none where the learnt ones are too many for that to tell."""
        n = min(len(self.learnt), 0 if self.unseen is None else len(self.unseen.images))
        if self.unseen is None or n < len(self.learnt) / 2:
            return np.empty((0, 0)), np.empty((0, 0))
        return thumbnails(self.images.images[self.learnt[:n]]), thumbnails(self.unseen.images[:n])

    @torch.no_grad()
    def judged(self, state: State, made: Tensor, labels: Tensor | None, count: int) -> dict[str, float]:
        """What D, in evaluation mode, says of `made` and of as many images that it learnt from and that it never saw.

        `judged`: how many of each. `logit/*` are means; `overfit`: see augment.overfitting; `above/made` is
        P(D(learnt) > D(made)) and `above/unseen` P(D(learnt) > D(unseen)), 0.5 where D cannot tell; `label/right` is
        P(D(x, y) > D(x, another class)), `label/named` how often it names y, both of `label/asked` unseen images.
        """
        n, nimg = len(self.learnt), state.nimg
        seen = self.learnt[order(self.seed, max(nimg - max(n // 2, count), 0), count, n)]
        learnt = self.logits(state, self.images, seen)
        on_made = self.critique(state, made[:count], None if labels is None else labels[:count]).logits
        found = {"judged": float(count), "logit/learnt": learnt.mean().item(), "logit/made": on_made.mean().item()}
        found["above/made"] = above(learnt, on_made)
        if self.unseen is None:
            return found
        several = max(count, min(ASKED, len(self.unseen.images))) if self.classes > 1 else count
        fresh = order(self.seed, nimg, several, len(self.unseen.images))
        truth = self.labels(self.unseen, fresh)
        critique = self.critique(state, torch.from_numpy(self.unseen.images[fresh]), truth)
        on_unseen = critique.logits[:count]
        found["logit/unseen"] = on_unseen.mean().item()
        found["overfit"] = overfitting(found["logit/learnt"], found["logit/unseen"], found["logit/made"])
        found["above/unseen"] = above(learnt, on_unseen)
        if truth is not None and self.classes > 1:
            wrong = (truth + 1 + torch.arange(len(truth)) % (self.classes - 1)) % self.classes
            other = self.critique(state, torch.from_numpy(self.unseen.images[fresh]), wrong).logits
            found["label/asked"] = float(len(truth))
            found["label/right"] = ((critique.logits > other).float() + 0.5 * (critique.logits == other)).mean().item()
            if critique.classes is not None:
                found["label/named"] = (critique.classes.argmax(1).cpu() == truth).float().mean().item()
        return found

    def logits(self, state: State, images: ImageSet, chosen: np.ndarray) -> Float[Tensor, "n"]:
        return self.critique(state, torch.from_numpy(images.images[chosen]), self.labels(images, chosen)).logits

    def labels(self, images: ImageSet, chosen: np.ndarray) -> Tensor | None:
        return torch.from_numpy(images.labels[chosen]) if self.classes and images.labels is not None else None

    def critique(self, state: State, images: UInt8[Tensor, "n c h w"], labels: Tensor | None) -> Critique:
        D = state.players.discriminator.eval()
        on_device = None if labels is None else labels.to(self.engine.device)
        with self.engine.autocast:
            critique: Critique = D(self.engine.images(images), on_device)
        return critique


def _subset(images: ImageSet, chosen: np.ndarray) -> ImageSet:
    labels = None if images.labels is None else images.labels[chosen]
    return replace(images, images=images.images[chosen], labels=labels)


def _last_grid(run: Run, shape: tuple[int, ...], n: int) -> np.ndarray | None:
    """The images of the run's last sample grid; None where there is none."""
    for _, path in run.samples()[-1:]:
        with Image.open(path) as picture:
            return media.tiles(picture, (shape[0], shape[1], shape[2]))[:n]
    return None


def above(a: Float[Tensor, "n"], b: Float[Tensor, "m"]) -> float:
    """P(a > b) over all pairs, ties half: the area under the ROC curve."""
    return ((a[:, None] > b).float() + 0.5 * (a[:, None] == b).float()).mean().item()


# -- one update, closely ---------------------------------------------------------------------------------------


def weights(players: Players) -> dict[str, list[Tensor]]:
    """Copies of both networks' weights."""
    networks = {"g": players.generator, "d": players.discriminator}
    return {name: [p.detach().clone() for p in network.parameters()] for name, network in networks.items()}


@torch.no_grad()
def pace(players: Players, before: dict[str, list[Tensor]], outcome: Outcome) -> dict[str, float]:
    """`pace/g`: how far an update moved the weights, as a share of their length; `grad/g/BLOCK`: gradient norms."""
    found = {}
    for name, network, grads in (
        ("g", players.generator, outcome.found.g_grads),
        ("d", players.discriminator, outcome.found.d_grads),
    ):
        moved = [p - old for p, old in zip(network.parameters(), before[name], strict=True)]
        norm = torch.nn.utils.get_total_norm
        found[f"pace/{name}"] = (norm(moved) / norm(before[name]).clamp(min=1e-12)).item()
        for block, members in _blocks(network).items():
            found[f"grad/{name}/{block}"] = norm([grads[i] for i in members]).item()
    return found


def _blocks(network: nn.Module) -> dict[str, list[int]]:
    """Places of the parameters of each part of a network, in the order of the network."""
    found: dict[str, list[int]] = {}
    for i, (name, _) in enumerate(network.named_parameters()):
        words = name.split(".")
        found.setdefault(".".join(words[: 2 if words[1].isdecimal() else 1]), []).append(i)
    return found
