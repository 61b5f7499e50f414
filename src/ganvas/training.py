"""The training loop: read it top to bottom. It knows no report, metric or doctor; those listen as hooks."""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas import data as datasets
from ganvas import engine as engines
from ganvas import media, models, rng
from ganvas.config import BudgetConfig, Config, EngineConfig
from ganvas.data import ImageSet
from ganvas.engine import Engine
from ganvas.errors import GanvasError
from ganvas.losses import LOSSES
from ganvas.optim import update_ema
from ganvas.run import Run, stem
from ganvas.state import State, fresh_state, restore, save_checkpoint, save_snapshot
from ganvas.step import STATISTICS, UPDATES, Batch, statistics

PROBE_BATCH = 64
SETTLE_SECONDS = 20.0  # of training before a budget in minutes becomes a number of images


@dataclass(frozen=True)
class Event:
    """What hooks are told: start, resume, untrained, budget, row, sample, checkpoint, warning, finish, stop."""

    kind: str
    nimg: int
    total: int | None
    sec: float
    details: dict[str, Any] = field(default_factory=dict)


Hook = Callable[[Event], None]


def train(
    run: Run,
    images: ImageSet,
    hooks: Sequence[Hook] = (),
    extra: BudgetConfig | None = None,
    engine_config: EngineConfig | None = None,
) -> bool:
    """Train `run` to the end of its budget, from its last good checkpoint if it has one.

    `extra` adds to the budget; `engine_config` replaces the engine that the run was begun with. Returns True when
    the budget is finished, False when a signal stopped it early (everything is saved then). Raises GanvasError where
    the losses stop being numbers, where a checkpoint does not fit, and where writing fails: the last good
    checkpoint stays.
    """
    with run.writing(), _signals() as interrupted:
        # Where and how to compute: settled once, then kept in config.json
        config, recipe, total = run.config, run.recipe, run.total_nimg
        chosen, medians = engines.probe(engine_config or config.engine, lambda e: _throwaway_step(config, images, e))
        config = dataclasses.replace(config, engine=chosen)
        engine = Engine(chosen)
        environment = engines.environment(engine)

        # What was done before
        checkpoint, problems = run.latest_checkpoint()
        if checkpoint is None and (problems or run.rows("metrics")):
            why = "; ".join(problems) or "checkpoints/ is empty"
            raise GanvasError(f"no checkpoint of {run.path} is whole ({why}): train anew into another folder")
        state = fresh_state(config, images.images.shape[1:], engine)
        if checkpoint is not None:
            restore(state, checkpoint, config)
            run.drop_after(state.nimg)

        # The budget: a number of images, and while its speed is not known, a deadline in seconds of training
        n, deadline, owed = len(images.images), None, 0
        if total is None:
            total, deadline = _budget(config.budget, n, 0, 0.0)
        if extra is not None:
            owed = max((total or 0) - state.nimg, 0)
            more, deadline = _budget(extra, n, total or state.nimg, max(state.sec, deadline or 0.0))
            total = more or total
        run.write_config(config, recipe, total)

        clock = time.perf_counter() - state.sec

        def tell(kind: str, **details: Any) -> None:
            nonlocal clock
            start = time.perf_counter()
            for hook in hooks:
                hook(Event(kind, state.nimg, total if deadline is None else None, state.sec, details))
            clock += time.perf_counter() - start  # what listeners do is not training

        def record(kind: str, **details: Any) -> None:
            run.event(kind, state.nimg, **details)
            tell(kind, **details)

        # Who is at work
        run.append("env", {"nimg": state.nimg, **environment, "pid": os.getpid(), "argv": sys.argv})
        record("resume" if checkpoint else "start", total=total, engine=dataclasses.asdict(chosen), probe=medians)
        for problem in problems:
            record("warning", what=f"checkpoint passed over: {problem}")
        before = checkpoint.state.get("environment", environment) if checkpoint else environment
        for key in (k for k in engines.EXACT if before.get(k) != environment[k]):
            record("warning", what=f"{key} was {before.get(key)}, is {environment[key]}: not bit for bit the same run")

        # The untrained network, looked at before anything is learnt
        latents = fixed_latents(config)
        if checkpoint is None:
            _write_real(run, images, config)
            untrained = _write_samples(run, state, engine, latents)
            with torch.no_grad(), engine.autocast:
                logits = state.players.discriminator.eval()(engine.images(untrained), None).logits
            record("untrained", logit=logits.mean().item(), n=len(logits))
            save_checkpoint(run, state, config, environment)

        def finished() -> bool:
            return deadline is None and total is not None and state.nimg >= total

        # Train: sec counts training, logging, sampling and checkpoints; the first step only warms up
        step = Stepper(config, images, engine)
        clock = time.perf_counter() - state.sec
        row_sec, warm = state.sec, None
        while not finished() and not interrupted:
            old = state.nimg
            step(state, total)
            state.sec = time.perf_counter() - clock
            warm = warm or (state.nimg, state.sec)

            # Minutes become images once the speed is known
            done, sec, settled = state.nimg - warm[0], state.sec - warm[1], False
            if deadline is not None and done and sec >= min(SETTLE_SECONDS, (deadline - warm[1]) / 3):
                speed, settled = done / sec, True
                total, deadline = owed + max(state.nimg, round(state.nimg + speed * (deadline - state.sec))), None
                run.write_config(config, recipe, total)
                record("budget", total=total, img_s=round(speed, 1))

            # What is due; settling is a checkpoint, so that no resume repeats steps that did not know their end
            row_due = finished() or state.steps >= config.log.every
            checkpoint_due = settled or _crosses(config.log.checkpoint_kimg, old, state.nimg)
            checkpoint_due |= _crosses(config.evaluate.every / 1000, old, state.nimg)
            if row_due or checkpoint_due or engine.device.type == "cpu":  # elsewhere, looking means waiting
                _stop_if_not_finite(run, state, config.step.batch)
            if row_due:
                row = _row(state, config, total, state.sec - row_sec)
                row_sec = state.sec
                run.append("metrics", row)
                tell("row", row=row)
            if _sample_due(old, state.nimg):
                _write_samples(run, state, engine, latents)
                tell("sample")
            if _crosses(config.log.snapshot_kimg, old, state.nimg):
                save_snapshot(run, state, config)
            state.sec = time.perf_counter() - clock
            if checkpoint_due:
                save_checkpoint(run, state, config, environment)
                tell("checkpoint")
                state.sec = time.perf_counter() - clock

        # Leave everything on disk
        _stop_if_not_finite(run, state, config.step.batch)
        if finished():
            _write_samples(run, state, engine, latents)
            save_snapshot(run, state, config)
        if run.checkpoints()[-1][0] < state.nimg:
            save_checkpoint(run, state, config, environment)
        reason = {} if finished() else {"signal": interrupted[0]}
        record("finish" if finished() else "stop", sec=round(state.sec, 1), **reason)
        return finished()


class Stepper:
    """One update of a state: the batch, the latents and the dropout are functions of (seed, nimg) alone."""

    def __init__(self, config: Config, images: ImageSet, engine: Engine) -> None:
        self.config, self.images, self.engine = config, images, engine
        self.update, self.loss = UPDATES[config.step.update], LOSSES[config.loss.name]
        self.dropout = torch.Generator(engine.device)

    def __call__(self, state: State, total: int | None) -> None:
        config, players = self.config, state.players
        self.dropout.manual_seed(rng.stream_seed(config.seed, "dropout", state.nimg))
        models.set_dropout_generator(players.discriminator, self.dropout)
        players.generator.train()
        players.discriminator.train()

        batch = self.batch(state.nimg, min(state.nimg / total, 1.0) if total else 0.0)
        outcome = self.update(players, batch, self.loss, config.loss.g_weight, self.engine.autocast)
        state.nimg += config.step.batch
        if state.ema is not None:
            update_ema(state.ema, players.generator, config.step.batch, 1000 * config.step.ema_kimg)
        state.sums += statistics(outcome, self.loss)
        state.steps += 1

    def batch(self, nimg: int, progress: float) -> Batch:
        """The batch whose first real image is the sample at `nimg`."""
        config, count = self.config, self.config.step.batch
        chosen = self.images.images[datasets.order(config.seed, nimg, count, len(self.images.images))]
        if config.data.flip:
            flipped = datasets.flips(config.seed, nimg, count)
            chosen[flipped] = chosen[flipped][..., ::-1]
        z = rng.normal(config.seed, "z", np.arange(nimg, nimg + count), config.generator.latent_dim)
        real = self.engine.images(torch.from_numpy(chosen))
        return Batch(real, torch.from_numpy(z).to(self.engine.device), None, progress)


def _throwaway_step(config: Config, images: ImageSet, engine: Engine) -> Callable[[], None]:
    """A step of the probe: the real networks on fresh weights, on a batch that does not take long."""
    config = dataclasses.replace(
        config, step=dataclasses.replace(config.step, batch=min(config.step.batch, PROBE_BATCH))
    )
    state, step = fresh_state(config, images.images.shape[1:], engine), Stepper(config, images, engine)
    return lambda: step(state, None)


# -- what is measured ------------------------------------------------------------------------------------------


def _row(state: State, config: Config, total: int | None, seconds: float) -> dict[str, Any]:
    """The statistics averaged since the last row, which start anew."""
    means = dict(zip(STATISTICS, (state.sums / state.steps).tolist(), strict=True))
    img_s = state.steps * config.step.batch / max(seconds, 1e-9)
    state.sums.zero_()
    state.steps = 0
    progress = min((state.nimg - config.step.batch) / total, 1.0) if total else 0.0
    rates = {"lr/d": state.players.d_optim.lr(progress), "lr/g": state.players.g_optim.lr(progress)}
    return {"nimg": state.nimg, "sec": round(state.sec, 3), **means, **rates, "img_s": round(img_s, 1)}


def _stop_if_not_finite(run: Run, state: State, batch: int) -> None:
    means = dict(zip(STATISTICS, (state.sums / max(state.steps, 1)).tolist(), strict=True))
    bad = [name for name, value in means.items() if not math.isfinite(value)]
    if not bad:
        return
    run.append("metrics", {"nimg": state.nimg, "sec": round(state.sec, 3), **means})
    run.event("nan", state.nimg, what=bad)
    looked = 1 if state.sums.device.type == "cpu" else state.steps
    raise GanvasError(
        f"{', '.join(bad)} stopped being numbers within {looked * batch:,} images before image {state.nimg:,}; the "
        f"last good checkpoint is {run.checkpoints()[-1][1]}; train again with lower --g-optim.lr and --d-optim.lr, "
        "or with --g-optim.clip 1 --d-optim.clip 1"
    )


# -- schedules -------------------------------------------------------------------------------------------------


def sample_points() -> Iterator[int]:
    """Images seen at which a grid is drawn: every 2,000 at first, then 8 % further each time."""
    at = 0
    while True:
        yield at
        at = max(at + 2000, round(at * 1.08))


def _sample_due(old: int, new: int) -> bool:
    for point in sample_points():
        if point > old:
            return point <= new
    raise AssertionError("sample_points never ends")


def _crosses(kimg: float, old: int, new: int) -> bool:
    return kimg > 0 and old // (1000 * kimg) < new // (1000 * kimg)


def _budget(budget: BudgetConfig, n: int, nimg: int, sec: float) -> tuple[int | None, float | None]:
    """(total images, None), or (None, seconds of training) where the budget is in minutes."""
    if budget.minutes is not None:
        return None, sec + 60 * budget.minutes
    images = 1000 * budget.kimg if budget.kimg is not None else (budget.epochs or 50) * n
    return nimg + max(round(images), 1), None


# -- pictures --------------------------------------------------------------------------------------------------


def fixed_latents(config: Config) -> Tensor:
    """The latents [log.samples, latent_dim] behind every sample grid of a run."""
    index = np.arange(config.log.samples)
    return torch.from_numpy(rng.normal(config.seed, "samples", index, config.generator.latent_dim))


@torch.no_grad()
def draw(generator: nn.Module, z: Tensor, engine: Engine, batch: int = 256) -> Tensor:
    """uint8 images [n, c, h, w] for latents z [n, latent_dim], in evaluation mode."""
    generator.eval()
    parts = []
    for part in torch.split(z, batch):
        with engine.autocast:
            parts.append(engines.to_uint8(generator(part.to(engine.device), None)).cpu().contiguous())
    return torch.cat(parts)


def _write_samples(run: Run, state: State, engine: Engine, latents: Tensor) -> Tensor:
    images = draw(state.sampler, latents, engine)
    run.write_bytes(f"samples/{stem(state.nimg)}.png", media.still(media.grid(images.numpy())))
    return images


def _write_real(run: Run, images: ImageSet, config: Config) -> None:
    n = len(images.images)
    chosen = images.images[datasets.order(config.seed, 0, min(config.log.samples, n), n)]
    run.write_bytes("samples/real.png", media.still(media.grid(chosen)))


@contextmanager
def _signals() -> Iterator[list[str]]:
    """Collect Ctrl-C and SIGTERM in a list; a second one meets the handlers that were there before."""
    received: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in (signal.SIGINT, signal.SIGTERM)}

    def receive(number: int, frame: Any) -> None:
        received.append(signal.Signals(number).name)
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, receive)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
