"""Bounds of every setting, one rule a line: (does it hold, setting, its value, what it must be).

Rules that need to know a loss or a family of networks stand in training/compatibility.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from ganvas.config.plain import flat, to_dict
from ganvas.config.schema import Config
from ganvas.errors import UsageError, shown

MOST_LAYERS = 64
"""Most maps of a network, and most blocks at each: a typing error, not a network, has more."""

Rule = tuple[bool, str, Any, str]


def validate(config: Config) -> None:
    """Raises UsageError with the first rule that does not hold."""
    for name, value in flat(to_dict(config)).items():
        if isinstance(value, float) and not math.isfinite(value):
            raise UsageError(f"{name} = {value}: it must be a finite number")
    for part in (_lengths, _networks, _training, _terms):
        enforce(part(config))


def enforce(rules: Iterable[Rule]) -> None:
    """Raises UsageError with the first of these rules that does not hold."""
    for holds, name, value, rule in rules:
        if not holds:
            raise UsageError(f"{name} = {value}: it must be {rule}")


# fmt: off
def _lengths(config: Config) -> Iterator[Rule]:
    """Seed, data, budget, log, evaluation, engine."""
    log, evaluate = config.log, config.evaluate
    budgets = [v for v in vars(config.budget).values() if v is not None]
    yield config.seed >= 0, "seed", config.seed, "0 or more"
    yield 0 <= config.data.held_out <= 0.5, "data.held_out", config.data.held_out, "in [0, 0.5]"
    yield len(budgets) <= 1, "budget", tuple(budgets), "one of epochs, kimg, minutes and cpu_minutes"
    yield all(0 < v <= 1e12 for v in budgets), "budget", budgets and budgets[0], "more than 0, at most 1e12"
    yield log.every >= 1, "log.every", log.every, "1 or more"
    yield 1 <= log.samples <= 1024, "log.samples", log.samples, "1 to 1024"
    yield log.checkpoint_kimg > 0, "log.checkpoint_kimg", log.checkpoint_kimg, "more than 0"
    yield log.snapshot_kimg >= 0, "log.snapshot_kimg", log.snapshot_kimg, "0 (only at the end) or more"
    yield evaluate.every >= 0, "evaluate.every", evaluate.every, "0 (off) or more"
    yield 2 <= evaluate.n <= 10**6, "evaluate.n", evaluate.n, "2 to 1,000,000"
    yield 0 < evaluate.share <= 1, "evaluate.share", evaluate.share, "more than 0, at most 1"
    final = evaluate.final == 0 or 2 <= evaluate.final <= 10**6
    yield final, "evaluate.final", evaluate.final, "0 (off), or 2 to 1,000,000"
    yield 0 <= config.engine.threads <= 1024, "engine.threads", config.engine.threads, "0 (automatic) to 1024"


def _networks(config: Config) -> Iterator[Rule]:
    g, d = config.generator, config.discriminator
    yield g.latent_dim > 0, "generator.latent_dim", g.latent_dim, "more than 0"
    yield g.eigenimages >= 0, "generator.eigenimages", g.eigenimages, "0 (none) or more"
    yield min((g.base, *g.widths)) > 0, "generator.base and widths", (g.base, *g.widths), "more than 0"
    yield len(d.widths) > 0 and min(d.widths) > 0, "discriminator.widths", d.widths, "more than 0"
    for name, part in (("generator", g), ("discriminator", d)):
        yield part.width > 0, f"{name}.width", part.width, "more than 0"
        yield part.group > 0, f"{name}.group", part.group, "more than 0"
        blocks = len(part.blocks) <= MOST_LAYERS and all(0 <= count <= MOST_LAYERS for count in part.blocks)
        yield blocks, f"{name}.blocks", shown(part.blocks), f"0 (none) to {MOST_LAYERS} each"
        yield len(part.widths) <= MOST_LAYERS, f"{name}.widths", shown(part.widths), f"at most {MOST_LAYERS} numbers"
        yield part.kernel > 0, f"{name}.kernel", part.kernel, "more than 0"
        yield part.slope >= 0, f"{name}.slope", part.slope, "0 or more"
    yield d.spectral_gain > 0, "discriminator.spectral_gain", d.spectral_gain, "more than 0"
    scaled = d.spectral or d.spectral_gain == 1
    yield scaled, "discriminator.spectral_gain", d.spectral_gain, "1 without discriminator.spectral"
    yield d.classify >= 0, "discriminator.classify", d.classify, "0 (off) or more"
    yield d.classify_margin >= 0, "discriminator.classify_margin", d.classify_margin, "0 (none) or more"
    yield 0 <= d.classify_variety <= 1, "discriminator.classify_variety", d.classify_variety, "in [0, 1]"
    yield 0 <= d.dropout < 1, "discriminator.dropout", d.dropout, "in [0, 1)"
    yield g.norm == "batch" or g.condition == "concat", "generator.condition", g.condition, "concat without batch norm"


def _training(config: Config) -> Iterator[Rule]:
    s, d = config.step, config.discriminator
    yield s.batch >= 2, "step.batch", s.batch, "2 or more"
    yield s.d_steps >= 1, "step.d_steps", s.d_steps, "1 or more"
    yield s.update == "alternating" or s.d_steps == 1, "step.d_steps", s.d_steps, f"1 with step.update {s.update}"
    parts = f"1 or more, and a divisor of step.batch ({s.batch})"
    yield s.accumulate >= 1 and s.batch % s.accumulate == 0, "step.accumulate", s.accumulate, parts
    mixed = s.joint and d.minibatch != "none"
    yield not mixed, "step.joint", s.joint, "False with discriminator.minibatch: D would compare real with fake images"
    after = "False unless step.update is alternating or separate: G's update has no forward pass of its own"
    yield not s.fresh or s.update in ("alternating", "separate"), "step.fresh", s.fresh, after
    yield s.update != "separate" or not d.classify, "discriminator.classify", d.classify, "0 with step.update separate"
    yield s.ema_kimg >= 0, "step.ema_kimg", s.ema_kimg, "0 (off) or more"
    yield s.ema_warmup >= 0, "step.ema_warmup", s.ema_warmup, "0 (none) or more"
    for name, o in (("g_optim", config.g_optim), ("d_optim", config.d_optim)):
        yield 0 < o.lr < 1e3, f"{name}.lr", o.lr, "more than 0 and less than 1000"
        yield 0 <= o.beta1 < 1 and 0 <= o.beta2 < 1, f"{name}.beta", (o.beta1, o.beta2), "in [0, 1)"
        yield o.epsilon > 0, f"{name}.epsilon", o.epsilon, "more than 0"
        yield 0 <= o.warmup < 1, f"{name}.warmup", o.warmup, "in [0, 1)"
        yield 0 <= o.decay_from < 1, f"{name}.decay_from", o.decay_from, "in [0, 1)"
        yield o.name == "adamw" or o.weight_decay == 0, f"{name}.weight_decay", o.weight_decay, "0 except with adamw"
        for key in ("clip", "weight_decay", "muon", "historical"):
            yield getattr(o, key) >= 0, f"{name}.{key}", getattr(o, key), "0 (off) or more"


def _terms(config: Config) -> Iterator[Rule]:
    """Losses, penalties, augmentation."""
    loss, penalty, augment, d = config.loss, config.penalty, config.augment, config.discriminator
    for key in ("smooth", "soft", "flip"):
        yield 0 <= getattr(loss, key) <= 0.5, f"loss.{key}", getattr(loss, key), "in [0, 0.5]"
    yield loss.feature_matching >= 0, "loss.feature_matching", loss.feature_matching, "0 (off) or more"
    yield loss.rebuild >= 0, "loss.rebuild", loss.rebuild, "0 (off) or more"
    yield loss.g_classify >= 0, "loss.g_classify", loss.g_classify, "0 (off) or more"
    off = "0 while discriminator.classify is 0: D has no classification loss"
    yield not loss.g_classify or d.classify > 0, "loss.g_classify", loss.g_classify, off
    for key in ("r1", "r2", "gp", "centring"):
        yield getattr(penalty, key) >= 0, f"penalty.{key}", getattr(penalty, key), "0 (off) or more"
        apart = config.step.update != "separate" or not getattr(penalty, key)
        rule = "0 with step.update separate: D never sees real and fake images in one step"
        yield apart, f"penalty.{key}", getattr(penalty, key), rule
    yield penalty.form == "exact" or not penalty.gp, "penalty.gp", penalty.gp, "0 with penalty.form finite"
    yield penalty.sigma > 0, "penalty.sigma", penalty.sigma, "more than 0"
    yield 0 < penalty.share <= 1, "penalty.share", penalty.share, "more than 0, at most 1"
    yield penalty.every >= 1, "penalty.every", penalty.every, "1 or more"
    yield 0 <= penalty.adapt < 1, "penalty.adapt", penalty.adapt, "0 (off) or more, less than 1: D leads by at most 1"
    yield penalty.adapt_kimg > 0, "penalty.adapt_kimg", penalty.adapt_kimg, "more than 0"
    for key in ("p", "ramp", "translate", "cutout", "adapt"):
        yield 0 <= getattr(augment, key) <= 1, f"augment.{key}", getattr(augment, key), "in [0, 1]"
    for key in ("colour", "noise"):
        yield getattr(augment, key) >= 0, f"augment.{key}", getattr(augment, key), "0 (off) or more"
    yield augment.adapt_kimg > 0, "augment.adapt_kimg", augment.adapt_kimg, "more than 0"
    held_out = "0 while data.held_out is 0: it needs held-out images"
    yield not augment.adapt or config.data.held_out > 0, "augment.adapt", augment.adapt, held_out
