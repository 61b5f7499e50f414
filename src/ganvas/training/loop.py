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
from torch import Tensor

from ganvas import data as datasets
from ganvas import generator as sampler
from ganvas import media, models
from ganvas.config import BudgetConfig, Config, EngineConfig
from ganvas.data import ImageSet
from ganvas.errors import GanvasError
from ganvas.runs.run import Run, stem
from ganvas.training import backend as engines
from ganvas.training import latents as latent
from ganvas.training.adaptive import steered
from ganvas.training.backend import Engine, draw
from ganvas.training.checkpoint import State, begin_with, fresh_state, restore, save_checkpoint, save_snapshot
from ganvas.training.monitor import Signs
from ganvas.training.train_metrics import names
from ganvas.training.trainer import Stepper, throwaway

SETTLE_SECONDS = 20.0  # of training before a budget in minutes becomes a number of images


@dataclass(frozen=True)
class Event:
    """What hooks are told: start, resume, untrained, budget, row, sample, checkpoint, warning, finish, stop;
    and, from the hook that watches (ganvas.diagnostics.live), doctor."""

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
        chosen, medians = engines.probe(engine_config or config.engine, lambda e: throwaway(config, images, e))
        config = dataclasses.replace(config, engine=chosen)
        engine = Engine(chosen)
        environment = engines.environment(engine)

        # What was done before
        checkpoint, problems = run.latest_checkpoint()
        if checkpoint is None and (problems or run.rows("metrics")):
            why = "; ".join(problems) or "checkpoints/ is empty"
            raise GanvasError(f"no checkpoint of {run.path} is whole ({why}): train anew into another folder")
        state = fresh_state(config, images.images.shape[1:], engine, models.num_classes(config, images.class_names))
        if checkpoint is None and config.origin:
            begin_with(state, sampler.load(config.origin, "cpu").generator)
        if checkpoint is not None:
            restore(state, checkpoint, config)
            run.drop_after(state.nimg)

        # The budget: a number of images, and while its speed is not known, a deadline in seconds of training, by the
        # wall or of the CPU
        def spent() -> float:
            return state.sec if config.budget.cpu_minutes is None else state.cpu_sec

        n, deadline, owed = len(images.images), None, 0
        if total is None:
            total, deadline = _budget(config.budget, n, 0, 0.0)
        if extra is not None:
            owed = max((total or 0) - state.nimg, 0)
            more, deadline = _budget(extra, n, total or state.nimg, max(spent(), deadline or 0.0))
            total = more or total
        run.write_config(config, recipe, total)

        clock = Clock(state)

        def tell(kind: str, **details: Any) -> None:
            with clock.stopped():  # what listeners do is not training
                for hook in hooks:
                    hook(Event(kind, state.nimg, total if deadline is None else None, state.sec, details))

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
        latents, labels = fixed_latents(config, images.class_names)
        if checkpoint is None:
            _write_real(run, images, config)
            untrained = draw(state.sampler, latents, labels, engine)
            _write_samples(run, state.nimg, untrained)
            with torch.no_grad(), engine.autocast:
                on_device = None if labels is None else labels.to(engine.device)
                logits = state.players.discriminator.eval()(engine.images(untrained), on_device).logits
            record("untrained", logit=logits.mean().item(), n=len(logits))
            save_checkpoint(run, state, config, environment)

        def finished() -> bool:
            return deadline is None and total is not None and state.nimg >= total

        # Train: sec counts training, logging, sampling and checkpoints; the first step only warms up
        step = Stepper(config, images, engine)
        signs = Signs(run, images, step.learnt, step.held_out, engine)
        if checkpoint is None:
            signs.write(state, untrained, latents, labels)
        clock.start()
        row_sec, warm = state.sec, None
        while not finished() and not interrupted:
            old, update = state.nimg, config.step.batch * config.step.d_steps
            sample_due = _sample_due(old, old + update) or (deadline is None and old + update >= (total or 0))
            pace = step(state, total, closely=sample_due)
            clock.read()
            warm = warm or (state.nimg, spent())

            # Minutes become images once the speed is known
            done, sec, settled = state.nimg - warm[0], spent() - warm[1], False
            if deadline is not None and done and sec >= min(SETTLE_SECONDS, (deadline - warm[1]) / 3):
                speed, settled = done / sec, True
                total, deadline = owed + max(state.nimg, round(state.nimg + speed * (deadline - spent()))), None
                run.write_config(config, recipe, total)
                record("budget", total=total, img_s=round(speed, 1))

            # What is due; settling is a checkpoint, so that no resume repeats steps that did not know their end
            row_due = finished() or state.steps >= config.log.every
            checkpoint_due = settled or _crosses(config.log.checkpoint_kimg, old, state.nimg)
            checkpoint_due |= _crosses(config.evaluate.every / 1000, old, state.nimg)
            if row_due or checkpoint_due or engine.device.type == "cpu":  # elsewhere, looking means waiting
                _stop_if_not_finite(run, state, config)
            if row_due:
                row = _row(state, step, total, state.sec - row_sec)
                row_sec = state.sec
                run.append("metrics", row)
                tell("row", row=row)
            if sample_due or finished():
                samples = draw(state.sampler, latents, labels, engine)
                _write_samples(run, state.nimg, samples)
                tell("sample", vitals=signs.write(state, samples, latents, labels, pace))
            if _crosses(config.log.snapshot_kimg, old, state.nimg):
                save_snapshot(run, state, config)
            clock.read()
            if checkpoint_due:
                save_checkpoint(run, state, config, environment)
                tell("checkpoint")
                clock.read()

        # Leave everything on disk
        _stop_if_not_finite(run, state, config)
        if finished():
            save_snapshot(run, state, config)
        if run.checkpoints()[-1][0] < state.nimg:
            save_checkpoint(run, state, config, environment)
        reason = {} if finished() else {"signal": interrupted[0]}
        record("finish" if finished() else "stop", sec=round(state.sec, 1), cpu_sec=round(state.cpu_sec, 1), **reason)
        return finished()


class Clock:
    """Keeps a state's seconds: those of training, by the wall and by the process's CPU time."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.start()

    def start(self) -> None:
        """Go on from what the state has; what went before counts nothing."""
        self.wall, self.cpu = time.perf_counter() - self.state.sec, time.process_time() - self.state.cpu_sec

    def read(self) -> None:
        """Bring the state up to now."""
        self.state.sec, self.state.cpu_sec = time.perf_counter() - self.wall, time.process_time() - self.cpu

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Leave out what happens within."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall, self.cpu = self.wall + time.perf_counter() - wall, self.cpu + time.process_time() - cpu


# -- what is measured ------------------------------------------------------------------------------------------


def _row(state: State, step: Stepper, total: int | None, seconds: float) -> dict[str, Any]:
    """The statistics averaged since the last row, which start anew; what adapts moves here."""
    config = step.config
    means = dict(zip(names(config), (state.sums / state.steps).tolist(), strict=True))
    update = config.step.batch * config.step.d_steps
    images = state.steps * update
    state.sums.zero_()
    state.steps = 0
    progress = min((state.nimg - update) / total, 1.0) if total else 0.0
    means |= step.overfit(state, means["logit/real"], means["logit/fake"], progress)
    if step.augment.active:
        means["augment/p"] = step.augment.p(progress, state.adapted)
    if config.augment.adapt:
        state.adapted = steered(
            state.adapted, means["overfit"], config.augment.adapt, config.augment.adapt_kimg, images
        )
    if (penalty := config.penalty).adapt:
        means["penalty/strength"] = state.strength
        lead = means["acc/real"] + means["acc/fake"] - 1
        grown = steered(state.strength, lead, penalty.adapt, penalty.adapt_kimg, images)
        state.strength = max(state.strength, grown)  # it stays: a lead it has brought down would come back
    rates = {"lr/d": state.players.d_optim.lr(progress), "lr/g": state.players.g_optim.lr(progress)}
    speed = round(images / max(seconds, 1e-9), 1)
    spent = {"sec": round(state.sec, 3), "cpu_sec": round(state.cpu_sec, 3)}
    return {"nimg": state.nimg, **spent, **means, **rates, "img_s": speed}


def _stop_if_not_finite(run: Run, state: State, config: Config) -> None:
    means = dict(zip(names(config), (state.sums / max(state.steps, 1)).tolist(), strict=True))
    bad = [name for name, value in means.items() if not math.isfinite(value)]
    if not bad:
        return
    run.append("metrics", {"nimg": state.nimg, "sec": round(state.sec, 3), **means})
    run.event("nan", state.nimg, what=bad)
    looked = config.step.batch * config.step.d_steps * (1 if state.sums.device.type == "cpu" else state.steps)
    raise GanvasError(
        f"{', '.join(bad)} stopped being numbers within {looked:,} images before image {state.nimg:,}; the "
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
    if minutes := budget.minutes or budget.cpu_minutes:
        return None, sec + 60 * minutes
    images = 1000 * budget.kimg if budget.kimg is not None else (budget.epochs or 50) * n
    return nimg + max(round(images), 1), None


# -- pictures --------------------------------------------------------------------------------------------------


def fixed_latents(config: Config, class_names: Sequence[str]) -> tuple[Tensor, Tensor | None]:
    """The latents [log.samples, latent_dim] behind every sample grid of a run, and a class for each row of it."""
    index = np.arange(config.log.samples)
    z = torch.from_numpy(latent.draw_z(config.generator, config.seed, "samples", index))
    classes = models.num_classes(config, class_names)
    return z, torch.from_numpy(latent.grid_labels(len(index), classes)) if classes else None


def _write_samples(run: Run, nimg: int, images: Tensor) -> None:
    run.write_bytes(f"samples/{stem(nimg)}.png", media.still(media.grid(images.numpy(), latent.ROW)))


def _write_real(run: Run, images: ImageSet, config: Config) -> None:
    """As many real images as a sample grid has, of the same classes row by row where classes are used."""
    n = len(images.images)
    chosen = datasets.order(config.seed, 0, n, n)
    if classes := models.num_classes(config, images.class_names):
        assert images.labels is not None
        wanted = latent.grid_labels(config.log.samples, classes)
        queues = {k: iter(chosen[images.labels[chosen] == k]) for k in range(classes)}
        chosen = np.array([at for k in wanted if (at := next(queues[int(k)], None)) is not None])
    run.write_bytes("samples/real.png", media.still(media.grid(images.images[chosen[: config.log.samples]])))


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
