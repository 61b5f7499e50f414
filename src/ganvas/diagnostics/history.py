"""What the rules read: the curves of a run, its config and its data; the same from disk and during training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.config import Config
from ganvas.diagnostics.finding import Evidence
from ganvas.diagnostics.series import column
from ganvas.stats.finite import is_number

PERSISTENT = 0.85
"""Share of the measurements of a stretch at which a condition must hold."""
EARLIER = 0.6
"""A value is compared with the one at this share of the images seen so far."""
FAR_FROM_REAL = 0.5
"""`distance` above which samples are far from the real images: colours or layout are wrong."""
FULL_RATE = 0.3
"""Share of the configured learning rate below which a schedule has lowered it, and the rules on rates do not apply."""


@dataclass
class RunHistory:
    """A run up to one moment. A measurement is a row of monitor.jsonl; there is one at every sample grid."""

    config: Config
    data: Mapping[str, Any]
    total: int | None = None
    """Images of the whole run, if its budget is known."""
    rows: Sequence[dict[str, Any]] = ()
    """metrics.jsonl."""
    monitor: Sequence[dict[str, Any]] = ()
    """monitor.jsonl."""
    events: Sequence[dict[str, Any]] = ()
    recipe: Config | None = None
    """The recipe's config as it was when the run began."""
    path: Path = Path()
    _curves: dict[str, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def nimg(self) -> np.ndarray:
        """Images seen at each measurement, int64 [k]; the one before training is left out."""
        return np.array([row["nimg"] for row in self.monitor if row["nimg"] > 0], np.int64)

    @cached_property
    def g_updates(self) -> np.ndarray:
        """Updates of G at each measurement, int64 [k]."""
        updates: np.ndarray = self.nimg // (self.config.step.batch * self.config.step.d_steps)
        return updates

    @cached_property
    def seen(self) -> int:
        """Images seen in all."""
        return int(max([*self.nimg[-1:], *(row.get("nimg") or 0 for row in self.rows[-1:])], default=0))

    @cached_property
    def length(self) -> int:
        """Images of the whole run: its budget, or what it has seen if that is more."""
        return max(self.total or 0, self.seen)

    @cached_property
    def state(self) -> str:
        """The last of start, resume, stop, finish, nan."""
        kinds = [e.get("event") for e in self.events]
        return next((str(k) for k in reversed(kinds) if k in ("start", "resume", "stop", "finish", "nan")), "start")

    # -- curves --------------------------------------------------------------------------------------------------

    def curve(self, name: str) -> np.ndarray:
        """A curve at the measurements, float64 [k]; NaN where nothing was recorded.

        A column of monitor.jsonl as it is; a column of metrics.jsonl averaged over the rows since the last measurement.
        """
        if name not in self._curves:
            rows = [row for row in self.monitor if row["nimg"] > 0]
            if any(name in row for row in rows):
                self._curves[name] = np.array([v if is_number(v := row.get(name)) else math.nan for row in rows])
            else:
                nimg, values = column(self.rows, name)
                cuts = [0, *np.searchsorted(nimg, self.nimg, side="right")]
                parts = [values[a:b] for a, b in pairwise(cuts)]
                self._curves[name] = np.array([part.mean() if len(part) else math.nan for part in parts])
        return self._curves[name]

    def earlier(self, values: np.ndarray) -> np.ndarray:
        """For each measurement the value at 60 % of its images; NaN before the first measurement."""
        at = np.searchsorted(self.nimg, EARLIER * self.nimg, side="right") - 1
        return np.where(at >= 0, values[np.maximum(at, 0)], math.nan)

    @property
    def far_from_real(self) -> np.ndarray:
        """Measurements at which the samples are far from the real images, bool [k]."""
        far: np.ndarray = self.curve("distance") > FAR_FROM_REAL
        return far

    @property
    def real_accuracy(self) -> np.ndarray:
        """D's accuracy on real images [k]; for a loss that only compares, that on pairs."""
        pairs = self.curve("acc/pair")
        return np.where(np.isnan(pairs), self.curve("acc/real"), pairs)

    @property
    def only_compares(self) -> bool:
        """Whether the loss has no threshold between real and fake: only such losses log `acc/pair`."""
        return any("acc/pair" in row for row in self.rows)

    def lr_share(self, network: str) -> np.ndarray:
        """The learning rate of "g" or "d" at each measurement, as a share of the configured one."""
        optim = self.config.g_optim if network == "g" else self.config.d_optim
        return self.curve(f"lr/{network}") / optim.lr

    def full_rate(self, network: str) -> np.ndarray:
        """Measurements at which no schedule has lowered the learning rate of "g" or "d" much, bool [k]."""
        full: np.ndarray = self.lr_share(network) > FULL_RATE
        return full

    # -- findings ------------------------------------------------------------------------------------------------

    def onset(self, holds: np.ndarray, min_measurements: int, counted: np.ndarray) -> int | None:
        """Images seen since when a condition `holds` [k], mostly and until the end; None if it does not.

        Measurements that are not `counted` [k] are ignored.
        """
        nimg, holds = self.nimg[counted], holds[counted]
        if len(holds) < min_measurements or not holds[-min_measurements:].all():
            return None
        back = holds[::-1]
        share = np.cumsum(back) / np.arange(1, len(holds) + 1)
        return int(nimg[::-1][np.flatnonzero(back & (share >= PERSISTENT))[-1]])

    def evidence(self, name: str, since: int) -> Evidence | None:
        """A curve from the measurement at `since` to the last one; None if it was not recorded."""
        values = self.curve(name)
        recorded = np.isfinite(values)
        before, after = np.flatnonzero(recorded & (self.nimg <= since)), np.flatnonzero(recorded & (self.nimg >= since))
        if not len(after):
            return None
        start, end = int(before[-1] if len(before) else after[0]), int(after[-1])
        return Evidence(name, int(self.nimg[start]), float(values[start]), int(self.nimg[end]), float(values[end]))

    # -- suggestions ---------------------------------------------------------------------------------------------

    def lr_flags(self, **factors: float) -> str:
        """Flags that multiply the learning rates: lr_flags(g=0.1) sets G's to a tenth."""
        now = {"g": self.config.g_optim.lr, "d": self.config.d_optim.lr}
        return " ".join(f"--{network}-optim.lr {factor * now[network]:.2g}" for network, factor in factors.items())

    def averaging_trick(self) -> list[str]:
        """The moving average of G, if the run has none."""
        return [] if self.config.step.ema_kimg else ["--with ema"]

    def smoothing_tricks(self) -> list[str]:
        """Tricks that keep D smooth; none if the run has a gradient penalty."""
        penalty, batch_norm = self.config.penalty, any(self.config.discriminator.norms)
        if penalty.r1 or penalty.gp:
            return []
        if self.config.discriminator.spectral:
            return [] if batch_norm else ["--with adaptive-r1-r2"]
        return ["--with spectral-norm"] if batch_norm else ["--with r1-r2", "--with spectral-norm"]
