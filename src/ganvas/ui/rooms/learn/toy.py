"""Two small networks that learn points in the plane, by the trainer that trains on images. No step is written here."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.diagnostics.diagnosis import Diagnosis, diagnose
from ganvas.diagnostics.history import RunHistory
from ganvas.metrics.image_statistics import Pictures, beside
from ganvas.training.backend import Engine, to_uint8
from ganvas.training.checkpoint import fresh_state
from ganvas.training.latents import draw_z
from ganvas.training.monitor import RATED, auc
from ganvas.training.train_metrics import columns
from ganvas.training.trainer import Trainer
from ganvas.ui.rooms.learn import points
from ganvas.ui.rooms.learn.settings import BEGINS_AGAIN, Settings, config_of, read

SAMPLES = 256
"""Fakes that are shown and measured; their latents stay the same."""
MEASURED = 50
"""Updates from one measurement for the doctor to the next."""
MOST_UPDATES = 50_000
"""After so many updates a toy stops, so that its curves stay small."""
APPLICABLE = ("spread", "nearest", "distance")
"""What training measures of images that means something for points. Rules on other curves are silent."""


class Toy:
    """A training of the toy. `step` trains, `change` turns controls, `diagnose` applies the doctor's rules."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.config = config_of(self.settings)
        self.real = points.draw(self.settings.data, self.settings.seed)
        self.images = points.as_images(self.real)
        self.engine = Engine(self.config.engine)
        self.state = fresh_state(self.config, self.images.images.shape[1:], self.engine)
        self.z = torch.from_numpy(draw_z(self.config.generator, self.settings.seed, "samples", np.arange(SAMPLES)))
        self.updates = 0
        self.rows: list[dict[str, Any]] = []
        """As in metrics.jsonl, one for `log.every` updates, and the number of updates."""
        self.events: list[dict[str, Any]] = []
        self._real = Pictures(self.images.images[:1024], at_a_time=SAMPLES)
        self._begin_history()

    @property
    def ended(self) -> str:
        """ "nan" or "long" where training has ended, else ""."""
        return "nan" if self.events else "long" if self.updates >= MOST_UPDATES else ""

    def change(self, values: Mapping[str, Any]) -> bool:
        """Turn controls. True: at once; False: nothing was done, as training must begin again with a new Toy.

        UsageError for what `settings.read` refuses.
        """
        new = read(values, self.settings)
        if any(getattr(new, name) != getattr(self.settings, name) for name in BEGINS_AGAIN):
            return False
        self.settings, self.config = new, config_of(new)
        self.state.networks.g_optim.config = self.config.g_optim
        self.state.networks.d_optim.config = self.config.d_optim
        self._begin_history()
        return True

    def _begin_history(self) -> None:
        """The doctor judges what was trained with the settings of now."""
        self.trainer = Trainer(self.config, self.images, self.engine)
        self.state.sums, self.state.updates = torch.zeros(len(columns(self.config))), 0
        self.first_row, self.first_nimg = len(self.rows), self.state.nimg
        self.monitor: list[dict[str, Any]] = []
        self._last: np.ndarray | None = None

    def step(self, count: int = 1) -> None:
        """So many updates, fewer where training ends."""
        for _ in range(count):
            if self.ended:
                return
            measure = (self.updates + 1) % MEASURED == 0
            ratios = self.trainer(self.state, 0.0, measure=measure)
            self.updates += 1
            means = self._means()
            if bad := [name for name, value in means.items() if not math.isfinite(value)]:
                self.events.append({"event": "nan", "nimg": self.state.nimg - self.first_nimg, "what": bad})
                return
            if self.updates % self.config.log.every == 0:
                rates = {"lr/d": self.config.d_optim.lr, "lr/g": self.config.g_optim.lr}
                self.rows.append({"nimg": self.state.nimg - self.first_nimg, "updates": self.updates, **means, **rates})
                self.state.sums.zero_()
                self.state.updates = 0
            if measure:
                self.monitor.append(self._measure(ratios))

    def _means(self) -> dict[str, float]:
        """Of the train metrics since the last row."""
        values = (self.state.sums / self.state.updates).tolist()
        return dict(zip(columns(self.config), values, strict=True))

    @torch.no_grad()
    def fakes(self) -> Float[Tensor, "n 2 1 1"]:
        """What G makes of the latents that stay the same, in evaluation mode."""
        made: Tensor = self.state.networks.generator.eval()(self.z, None)
        return made

    @torch.no_grad()
    def logits(self, images: Float[Tensor, "n 2 1 1"]) -> Float[Tensor, "n"]:
        """D's logits in evaluation mode."""
        found: Tensor = self.state.networks.discriminator.eval()(images, None).logits
        return found

    def _measure(self, ratios: Mapping[str, float]) -> dict[str, Any]:
        """A row as in monitor.jsonl: the columns that mean something for points."""
        made = self.fakes()
        fake = Pictures(to_uint8(made).numpy(), at_a_time=SAMPLES)
        row: dict[str, Any] = {"nimg": self.state.nimg - self.first_nimg, "updates": self.updates, **ratios}
        row |= {name: value for name, value in beside(fake, self._real).items() if name in APPLICABLE}
        if self._last is not None:
            row["sample_change"] = float(
                np.abs(fake.images.astype(np.float32) - self._last).mean() / self._real.contrast
            )
        self._last = fake.images
        on_real = self.logits(self.engine.images(torch.from_numpy(self.images.images[:RATED])))
        on_fake = self.logits(made[:RATED])
        return row | {
            "n_rated": float(RATED), "eval_logit/train": on_real.mean().item(),
            "eval_logit/fake": on_fake.mean().item(), "auc/fake": auc(on_real, on_fake),
        }  # fmt: skip

    def diagnose(self) -> Diagnosis:
        """The doctor's rules on what was trained since the last change of a control."""
        rows, data = self.rows[self.first_row :], {"n": len(self.real), "class_names": []}
        return diagnose(RunHistory(self.config, data, None, rows, self.monitor, self.events))

    def again(self, values: Mapping[str, Any] | None = None) -> Toy:
        """An untrained toy with the same settings but for these."""
        return Toy(replace(read(values or {}, self.settings)))
