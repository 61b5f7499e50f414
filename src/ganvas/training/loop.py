"""The training loop: read it top to bottom. It knows no report, metric or doctor; those listen as hooks."""

from __future__ import annotations

import dataclasses
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch

from ganvas import models, process, ranks
from ganvas.config import BudgetConfig, EngineConfig
from ganvas.datasets import ImageSet
from ganvas.errors import GanvasError
from ganvas.ranks import LostRankError
from ganvas.runs.run import Run, stem
from ganvas.training import backend, initial
from ganvas.training.alone import alone
from ganvas.training.backend import Engine, draw
from ganvas.training.budget import OFF, Clock, Ending, budget_end, stop_signals
from ganvas.training.checkpoint import (
    TrainState,
    fresh_state,
    hand_on,
    restore,
    save_checkpoint,
    save_snapshot,
    start_from,
)
from ganvas.training.compatibility import check_ranks
from ganvas.training.losses import get_loss
from ganvas.training.monitor import Monitor
from ganvas.training.samples import fixed_latents, write_real, write_samples
from ganvas.training.schedules import adjust, crosses, sample_is_due
from ganvas.training.settle import settle
from ganvas.training.train_metrics import columns
from ganvas.training.trainer import Trainer


@dataclass(frozen=True)
class Event:
    """What a hook receives: start, resume, untrained, budget, row, sample, checkpoint, warning, finish, stop;
    and doctor, from the hook in ganvas.diagnostics that watches the training."""

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

    `extra` adds to the budget; `engine_config` replaces the engine that the run started with. Returns True when
    the budget is finished, False when a signal stopped it early (everything is saved then). Raises GanvasError where
    the losses are no longer finite, where a checkpoint does not fit, where writing fails, and where another rank is
    lost: the last good checkpoint stays. UsageError where a training is running in this process already.

    Where this process is one of several (ganvas.ranks), all of them call this; rank 0 alone has a folder and hooks.
    """
    process.prepare()
    world = ranks.current()
    with alone(), run.writing(), stop_signals() as interrupted, naming(run):
        # Where and how to compute: settled once, then kept in config.json
        config, recipe, total = run.config, run.recipe, run.total_nimg
        shape, classes = images.images.shape[1:], models.num_classes(config, images.class_names)
        check_ranks(config, world.size)
        choice = settle(run, config, engine_config, images, world)
        config = dataclasses.replace(config, engine=choice.engine)
        engine = Engine(config.engine)
        environment = backend.environment(engine, world.size)

        # The state: of the last whole checkpoint, or fresh
        checkpoint, problems = run.latest_checkpoint()
        if checkpoint is None and (problems or run.rows("metrics")):
            why = "; ".join(problems) or "checkpoints/ is empty"
            raise GanvasError(f"no checkpoint of {run.path} is whole ({why}): start a new run")
        state = fresh_state(config, shape, engine, classes, world)
        if checkpoint is None and world.leads and not config.init_from:
            initial.fit_eigenimages(state, config, images)
        if checkpoint is None and config.init_from:
            if world.leads:
                start_from(state, initial.trained_generator(config.init_from).network)
            initial.forget()
        if checkpoint is not None:
            restore(state, checkpoint, config)
            run.drop_after(state.nimg)
        resumes = world.first(lambda: checkpoint is not None)
        hand_on(state, world)
        saved = state.nimg

        # The budget: a number of images, or, until the speed is known, a deadline in seconds of training (wall or CPU).
        # What was settled stays when a run is resumed
        def spent() -> float:
            return state.sec if config.budget.cpu_minutes is None else state.cpu_sec

        n, deadline, owed = len(images.images), None, 0
        if total is None:
            total, deadline = budget_end(config.budget, n, 0, 0.0)
        if extra is not None:
            owed = max((total or 0) - state.nimg, 0)
            more, deadline = budget_end(extra, n, total or state.nimg, max(spent(), deadline or 0.0))
            total = more or total
        ending = Ending(deadline, again=extra is None)
        run.write_config(config, recipe, total)

        clock = Clock(state, world)

        def notify(kind: str, **details: Any) -> None:
            with clock.stopped():  # the time of hooks is not training time
                for hook in hooks:
                    hook(Event(kind, state.nimg, total if deadline is None else None, state.sec, details))

        def record(kind: str, **details: Any) -> None:
            run.event(kind, state.nimg, **details)
            notify(kind, **details)

        # This process: its versions, machine and engine
        run.append("env", {"nimg": state.nimg, **environment, "pid": os.getpid(), "argv": sys.argv})
        loss = get_loss(config.loss.name).facts()
        about = {"total": total, "engine": dataclasses.asdict(config.engine), "loss": loss}
        about |= {"probe": dict(choice.seconds), "remembered": choice.remembered}
        record("resume" if resumes else "start", **about)
        if config.engine.graph and engine.device.type == "cpu":
            record("warning", what="engine.graph captures nothing on a CPU: every update is checked, and slower for it")
        for problem in problems:
            record("warning", what=f"checkpoint passed over: {problem}")
        before = {**backend.SINCE, **checkpoint.state.get("environment", environment)} if checkpoint else environment
        for key in (k for k in backend.EXACT if before.get(k) != environment[k]):
            record("warning", what=f"{key} was {before.get(key)}, is {environment[key]}: not bit for bit the same run")

        # Samples of the untrained G, before the first update
        latents, labels = fixed_latents(config, images.class_names)
        if not resumes and world.leads:
            write_real(run, images, config)
            untrained = draw(state.sampling_network, latents, labels, engine)
            write_samples(run, state.nimg, untrained)
            with torch.no_grad(), engine.autocast:
                on_device = None if labels is None else labels.to(engine.device)
                logits = state.networks.discriminator.eval()(engine.images(untrained), on_device).logits
            record("untrained", logit=logits.mean().item(), n=len(logits))
        world.await_first()
        if not resumes:
            save_checkpoint(run, state, config, environment, world)

        def finished() -> bool:
            return deadline is None and total is not None and state.nimg >= total

        def progress() -> float:
            """Share of the run that is done, in [0, 1]: of its time, until its number of images is known."""
            done, whole = (state.nimg, total) if deadline is None else (spent(), deadline)
            return min(done / whole, 1.0) if whole else 0.0

        # Train: sec counts training, logging, sampling and checkpoints; the first step only warms up
        trainer = Trainer(config, images, engine, world)
        monitor = Monitor(run, images, trainer.train_indices, trainer.held_out, engine) if world.leads else None
        if not resumes and monitor is not None:
            monitor.write(state, untrained, latents, labels)
        world.await_first()
        clock.start()
        row_sec = state.sec
        while not finished() and not (stopping := world.agreed(interrupted)):
            old, update = state.nimg, config.step.batch * config.step.d_steps
            sample_due = sample_is_due(old, old + update) or (deadline is None and old + update >= (total or 0))
            now = progress()
            ratios = trainer(state, now, measure=sample_due and world.leads)
            clock.read()

            # Minutes become images once the speed is known, and again where it has changed
            settled = False
            if look := ending.look(state.nimg, spent()):
                at_end, speed = look[0] + owed, look[1]
                settled = deadline is not None or total is None or abs(at_end - total) > OFF * total
                if settled:
                    total, deadline = at_end, None
                    run.write_config(config, recipe, total)
                    record("budget", total=total, img_s=round(speed, 1))

            # What is due. Settling is a checkpoint, so that no resume repeats steps that did not know their end
            row_due = finished() or state.updates >= config.log.every
            checkpoint_due = settled or crosses(config.log.checkpoint_kimg, old, state.nimg)
            checkpoint_due |= crosses(config.evaluate.every / 1000, old, state.nimg)
            if row_due or checkpoint_due or engine.reads_updates:
                _stop_if_not_finite(run, state, trainer, saved)
            if row_due:
                row = _row(state, trainer, now, state.sec - row_sec)
                row_sec = state.sec
                run.append("metrics", row)
                notify("row", row=row)
            if (sample_due or finished()) and monitor is not None:
                samples = draw(state.sampling_network, latents, labels, engine)
                write_samples(run, state.nimg, samples)
                notify("sample", monitor=monitor.write(state, samples, latents, labels, ratios))
            if crosses(config.log.snapshot_kimg, old, state.nimg):
                save_snapshot(run, state, config)
            world.await_first()
            clock.read()
            if checkpoint_due:
                save_checkpoint(run, state, config, environment, world)
                saved = state.nimg
                notify("checkpoint")
                world.await_first()
                clock.read()

        # Leave everything on disk
        _stop_if_not_finite(run, state, trainer, saved)
        if finished():
            save_snapshot(run, state, config)
        if saved < state.nimg:
            save_checkpoint(run, state, config, environment, world)
        reason = {} if finished() else {"signal": stopping[0]}
        record("finish" if finished() else "stop", sec=round(state.sec, 1), cpu_sec=round(state.cpu_sec, 1), **reason)
        return finished()


def _row(state: TrainState, trainer: Trainer, progress: float, seconds: float) -> dict[str, Any]:
    """The train metrics averaged since the last row, whose sums start again; adaptive strengths move here.

    `progress` is that of the last update, and so are the learning rates in the row.
    """
    config = trainer.config
    means = dict(zip(columns(config), (state.sums / state.updates).tolist(), strict=True))
    update = config.step.batch * config.step.d_steps
    images = state.updates * update
    state.sums.zero_()
    state.updates = 0
    means |= trainer.overfit(state, means["logit/real"], means["logit/fake"], progress)
    if trainer.augment.active:
        means["augment/p"] = trainer.augment.p(progress, state.augment_p)
    if (augment := config.augment).adapt:
        state.augment_p = adjust(state.augment_p, means["overfit"], augment.adapt, augment.adapt_kimg, images)
    if (penalty := config.penalty).adapt:
        means["penalty/strength"] = state.penalty_strength
        lead = means["acc/real"] + means["acc/fake"] - 1
        raised = adjust(state.penalty_strength, lead, penalty.adapt, penalty.adapt_kimg, images)
        state.penalty_strength = max(state.penalty_strength, raised)  # if it fell, the lead would come back
    rates = {"lr/d": state.networks.d_optim.lr(progress), "lr/g": state.networks.g_optim.lr(progress)}
    speed = round(images / max(seconds, 1e-9), 1)
    spent = {"sec": round(state.sec, 3), "cpu_sec": round(state.cpu_sec, 3)}
    return {"nimg": state.nimg, **spent, **means, **rates, "img_s": speed}


@contextmanager
def naming(run: Run) -> Iterator[None]:
    """Say of which run a rank was lost, and that it can go on."""
    try:
        yield
    except LostRankError as error:
        raise LostRankError(f"{error}: go on from the last checkpoint with ganvas resume {run.path}") from error


def _stop_if_not_finite(run: Run, state: TrainState, trainer: Trainer, saved: int) -> None:
    config = trainer.config
    means = dict(zip(columns(config), (state.sums / max(state.updates, 1)).tolist(), strict=True))
    bad = [name for name, value in means.items() if not math.isfinite(value)]
    if not bad:
        return
    run.append("metrics", {"nimg": state.nimg, "sec": round(state.sec, 3), **means})
    run.event("nan", state.nimg, what=bad)
    within = config.step.batch * config.step.d_steps * (1 if trainer.engine.reads_updates else state.updates)
    raise GanvasError(
        f"{', '.join(bad)} became NaN or infinite within {within:,} images before image {state.nimg:,}; the "
        f"last good checkpoint is {run.path / 'checkpoints' / stem(saved)}; train again with lower --g-optim.lr and "
        "--d-optim.lr, or with --g-optim.clip 1 --d-optim.clip 1"
    )
