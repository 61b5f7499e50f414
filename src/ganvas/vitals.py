"""Vital signs: what training writes down at every sample grid, for ganvas.doctor to read.

A row of vitals.jsonl says how the pictures are, how D judges images that it learnt from, that it never saw and that G
made, and how far one update moved each network. What that costs is measured in benchmarks/vitals.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from ganvas import media
from ganvas.data import ImageSet, order, unseen
from ganvas.engine import Engine, draw
from ganvas.losses import Critique
from ganvas.models import classes
from ganvas.run import Run
from ganvas.state import State
from ganvas.step import Outcome, Players

MOST_REAL = 1024
"""Real images by which the fakes are measured."""
UNSEEN = 512
"""Images that training never sees, at most."""
JUDGED = 64
"""Images of each kind that D is shown, and no more than a batch: small batches are quick to train on."""
THUMBNAIL = 8
"""Side to which images are averaged before their layout and colours are compared."""
ENDS = 1
"""Levels from 0 and from 255 within which a value counts as saturated."""


class Signs:
    """Reads the vital signs of a run's state. Nothing that it does changes the training."""

    def __init__(self, run: Run, images: ImageSet, learnt: np.ndarray, held_out: np.ndarray, engine: Engine) -> None:
        config = run.config
        self.run, self.images, self.learnt, self.engine = run, images, learnt, engine
        self.seed, self.count = config.seed, min(JUDGED, config.step.batch)
        self.classes = classes(config, images.class_names)
        self.unseen = _subset(images, held_out) if len(held_out) else unseen(config.data, UNSEEN)
        real = _subset(images, learnt[order(config.seed, 0, min(MOST_REAL, len(learnt)), len(learnt))])
        self.real = Pictures(real.images, real.labels if self.classes else None, at_a_time=config.log.samples)
        self.last = _last_grid(run, images.images.shape[1:], config.log.samples)

    def write(
        self,
        state: State,
        samples: UInt8[Tensor, "n c h w"],
        z: Float[Tensor, "n z"],
        labels: Tensor | None,
        pace: Mapping[str, float] | None = None,
    ) -> dict[str, Any]:
        """Append the signs of a state, whose samples of latents `z` and classes are given, to vitals.jsonl."""
        fake = Pictures(samples.numpy(), None if labels is None else labels.numpy())
        row: dict[str, Any] = {"nimg": state.nimg, **beside(fake, self.real), **(pace or {})}
        if state.nimg and self.last is not None and self.last.shape == fake.images.shape:
            change = np.abs(fake.images.astype(np.float32) - self.last).mean()
            row["moved"] = float(change / max(self.real.contrast, 1e-6))
        self.last = fake.images
        made = samples
        if state.ema is not None:
            made = draw(state.players.generator, z, labels, self.engine)
            row["distance/raw"] = beside(Pictures(made.numpy()), self.real).get("distance")
        row |= self.judged(state, made, labels, self.count)
        row = {key: round(value, 6) if isinstance(value, float) else value for key, value in row.items()}
        self.run.append("vitals", row)
        return row

    @torch.no_grad()
    def judged(self, state: State, made: Tensor, labels: Tensor | None, count: int) -> dict[str, float]:
        """What D, in evaluation mode, says of `made` and of as many images that it learnt from and that it never saw.

        `logit/*` are means; `above/made` is P(D(learnt) > D(made)) and `above/unseen` P(D(learnt) > D(unseen)), 0.5
        where D cannot tell; `label/right` is P(D(x, y) > D(x, another class)), `label/named` how often it names y.
        """
        n, nimg = len(self.learnt), state.nimg
        seen = self.learnt[order(self.seed, max(nimg - max(n // 2, count), 0), count, n)]
        learnt = self.logits(state, self.images, seen)
        on_made = self.critique(state, made[:count], None if labels is None else labels[:count]).logits
        found = {"logit/learnt": learnt.mean().item(), "logit/made": on_made.mean().item()}
        found["above/made"] = above(learnt, on_made)
        if self.unseen is None:
            return found
        fresh = order(self.seed, nimg, count, len(self.unseen.images))
        truth = self.labels(self.unseen, fresh)
        critique = self.critique(state, torch.from_numpy(self.unseen.images[fresh]), truth)
        found["logit/unseen"] = critique.logits.mean().item()
        found["above/unseen"] = above(learnt, critique.logits)
        if truth is not None and self.classes > 1:
            wrong = (truth + 1 + torch.arange(len(truth)) % (self.classes - 1)) % self.classes
            other = self.critique(state, torch.from_numpy(self.unseen.images[fresh]), wrong).logits
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


# -- pictures --------------------------------------------------------------------------------------------------


class Pictures:
    """Images uint8 [n, c, h, w] and what is measured of them; distances are taken between `at_a_time` of them."""

    def __init__(
        self, images: UInt8[np.ndarray, "n c h w"], labels: np.ndarray | None = None, at_a_time: int = MOST_REAL
    ) -> None:
        self.images, self.labels = images, labels
        pooled = adaptive_avg_pool2d(torch.from_numpy(images).float(), THUMBNAIL)
        self.thumbnails: Float[np.ndarray, "n p"] = pooled.flatten(1).numpy()
        self.mean, self.deviation = self.thumbnails.mean(0), self.thumbnails.std(0)
        self.saturated = float(((images <= ENDS) | (images >= 255 - ENDS)).mean())
        self.brightness, self.contrast = float(images.mean()), float(images.std())
        power = spectrum(images)
        self.grid, self.fine = grid(power), _upper(power)
        between = _distances(self.thumbnails)
        apart = ~np.eye(len(images), dtype=bool)
        same = apart & (labels[:, None] == labels) if labels is not None else ~apart
        self.spread = float(between[apart].mean()) if apart.any() else math.nan
        self.within = float(between[apart & same].mean()) if (apart & same).any() else math.nan
        groups = [between[at : at + at_a_time, at : at + at_a_time] for at in range(0, len(images), at_a_time)]
        whole = [g for g in groups if len(g) == len(groups[0]) > 1]
        self.nearest = float(
            np.mean([(g + np.diag(np.full(len(g), np.inf))).min(1).mean() for g in whole] or [math.nan])
        )


def _distances(x: Float[np.ndarray, "n p"]) -> Float64[np.ndarray, "n n"]:
    """Root mean square difference of every two."""
    points = torch.from_numpy(x).double()
    found: np.ndarray = (torch.cdist(points, points) / math.sqrt(x.shape[1])).numpy()
    return found


def beside(fake: Pictures, real: Pictures) -> dict[str, float]:
    """Pictures against real ones: what is a ratio is 1 where they are alike, `distance` is 0.

    spread, nearest, within: mean distance of two thumbnails, of each to its nearest, of two of one class.
    distance: of the thumbnails' means and standard deviations, squared, over the real variance.
    texture: power in the upper half of the frequencies. grid/fake, grid/real: see `grid`.
    """
    away = ((fake.mean - real.mean) ** 2 + (fake.deviation - real.deviation) ** 2).mean()
    found = {
        "saturated/fake": fake.saturated, "saturated/real": real.saturated,
        "brightness/fake": fake.brightness, "brightness/real": real.brightness,
        "contrast/fake": fake.contrast, "contrast/real": real.contrast,
        "grid/fake": fake.grid, "grid/real": real.grid,
        "texture": _ratio(fake.fine, real.fine),
        "spread": _ratio(fake.spread, real.spread),
        "nearest": _ratio(fake.nearest, real.nearest),
        "within": _ratio(fake.within, real.within),
        "distance": _ratio(float(away), float((real.deviation**2).mean())),
    }  # fmt: skip
    return {key: value for key, value in found.items() if math.isfinite(value)}


def spectrum(images: UInt8[np.ndarray, "n c h w"]) -> Float64[np.ndarray, "h w"]:
    """Mean power of the images' grey values at each spatial frequency; the zero frequency first, as numpy has it."""
    grey = images.mean(1)
    grey = grey - grey.mean((1, 2), keepdims=True)
    return (np.abs(np.fft.fft2(grey)) ** 2).mean(0) / grey[0].size  # type: ignore[no-any-return]


def grid(power: Float64[np.ndarray, "h w"]) -> float:
    """How far the power at periods of two and four pixels stands out from the frequencies around it: 1 = not at all.

    Strided layers leave their pattern there (Odena et al. 2016, "Deconvolution and Checkerboard Artifacts"; Durall et
    al. 2020, arXiv 2003.01826). The largest of up to eight peaks, each over the median of its neighbours.
    """
    h, w = power.shape
    rows, columns = ({0} | {side // k for k in (2, 4) if side % k == 0} for side in (h, w))
    places = {(r, c) for r, c in product(rows, columns) if (r, c) != (0, 0)}
    marks = {(r * i % h, c * j % w) for r, c in places for i in (1, -1) for j in (1, -1)} | {(0, 0)}
    ratios = []
    for r, c in places:
        around = [((r + i) % h, (c + j) % w) for i, j in product((-1, 0, 1), repeat=2)]
        if r == 0 or c == 0:  # on an axis, where every image has more power, only the axis compares
            around = [(r, (c + j) % w) if r == 0 else ((r + j) % h, c) for j in (-2, -1, 1, 2)]
        near = [power[at] for at in around if at not in marks]
        ratios.append(_ratio(float(power[r, c]), float(np.median(near))))
    return max(ratios, default=1.0)


def _upper(power: Float64[np.ndarray, "h w"]) -> float:
    h, w = power.shape
    radius = np.hypot(np.fft.fftfreq(h)[:, None], np.fft.fftfreq(w))
    return float(power[radius >= 0.25].sum())


def _ratio(a: float, b: float) -> float:
    return a / max(b, 1e-9)


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
