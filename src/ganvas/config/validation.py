"""What a config may hold, one rule a line: (is it so, which setting, its value, what it must be)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ganvas.errors import UsageError

if TYPE_CHECKING:
    from ganvas.config import Config

Rule = tuple[bool, str, Any, str]


def check(config: Config) -> None:
    """Raises UsageError with the first rule that does not hold."""
    from ganvas.config import flat, to_dict

    numbers = ((name, value) for name, value in flat(to_dict(config)).items() if isinstance(value, float))
    for name, value in numbers:
        if not math.isfinite(value):
            raise UsageError(f"{name} = {value}: it must be a finite number")
    for part in (_lengths, _networks, _training, _terms):
        for good, name, value, rule in part(config):
            if not good:
                raise UsageError(f"{name} = {value}: it must be {rule}")


# fmt: off
def _lengths(config: Config) -> Iterator[Rule]:
    """Seed, data, budget, log, evaluation, engine."""
    log, look = config.log, config.evaluate
    budgets = [v for v in vars(config.budget).values() if v is not None]
    yield config.seed >= 0, "seed", config.seed, "0 or more"
    yield 0 <= config.data.held_out <= 0.5, "data.held_out", config.data.held_out, "in [0, 0.5]"
    yield len(budgets) <= 1, "budget", tuple(budgets), "one of epochs, kimg, minutes and cpu_minutes"
    yield all(v > 0 for v in budgets), "budget", budgets and budgets[0], "more than 0"
    yield log.every >= 1, "log.every", log.every, "1 or more"
    yield 1 <= log.samples <= 1024, "log.samples", log.samples, "1 to 1024"
    yield log.checkpoint_kimg > 0, "log.checkpoint_kimg", log.checkpoint_kimg, "more than 0"
    yield log.snapshot_kimg >= 0, "log.snapshot_kimg", log.snapshot_kimg, "0 (only at the end) or more"
    yield look.every >= 0, "evaluate.every", look.every, "0 (off) or more"
    yield look.n >= 2, "evaluate.n", look.n, "2 or more"
    yield 0 < look.share <= 1, "evaluate.share", look.share, "more than 0, at most 1"
    yield config.engine.threads >= 0, "engine.threads", config.engine.threads, "0 (automatic) or more"


def _networks(config: Config) -> Iterator[Rule]:
    g, d = config.generator, config.discriminator
    yield g.latent_dim > 0, "generator.latent_dim", g.latent_dim, "more than 0"
    yield min((g.base, *g.widths)) > 0, "generator.base and widths", (g.base, *g.widths), "more than 0"
    yield len(d.widths) > 0 and min(d.widths) > 0, "discriminator.widths", d.widths, "more than 0"
    for name, part in (("generator", g), ("discriminator", d)):
        yield part.width > 0, f"{name}.width", part.width, "more than 0"
        yield part.group > 0, f"{name}.group", part.group, "more than 0"
        yield min((0, *part.blocks)) == 0, f"{name}.blocks", part.blocks, "0 (none) or more"
        odd = part.family == "dcgan"
        fits = part.kernel > 0 and (part.kernel % 2 == 1 or not odd)
        yield fits, f"{name}.kernel", part.kernel, "odd and more than 0" if odd else "more than 0"
        yield part.slope >= 0, f"{name}.slope", part.slope, "0 or more"
    yield d.classify >= 0, "discriminator.classify", d.classify, "0 (off) or more"
    yield d.classify_margin >= 0, "discriminator.classify_margin", d.classify_margin, "0 (cross-entropy) or more"
    yield 0 <= d.classify_variety <= 1, "discriminator.classify_variety", d.classify_variety, "in [0, 1]"
    yield 0 <= d.dropout < 1, "discriminator.dropout", d.dropout, "in [0, 1)"
    yield g.norm == "batch" or g.condition == "concat", "generator.condition", g.condition, "concat without batch norm"
    batches = g.norm != "virtual" or g.family in ("dcgan", "resnet")
    yield batches, "generator.norm", g.norm, f"batch or none: the family {g.family} has no virtual one"
    if g.family == "dcgan":
        many = "one more than generator.widths"
        yield len(g.strides) == len(g.widths) + 1, "generator.strides", g.strides, many
        yield min(g.strides) > 0, "generator.strides", g.strides, "more than 0"
        yield len(g.extra) in (0, len(g.widths)), "generator.extra", g.extra, "empty or as long as generator.widths"
        yield min((0, *g.extra)) == 0, "generator.extra", g.extra, "0 (none) or more"
    norms = len(d.norms) == len(d.widths) or d.family != "dcgan"
    yield norms, "discriminator.norms", d.norms, "as long as discriminator.widths"


def _training(config: Config) -> Iterator[Rule]:
    s, d = config.step, config.discriminator
    sees_batch = _sees_batch(config) or config.loss.feature_matching > 0
    yield s.batch >= 2, "step.batch", s.batch, "2 or more"
    yield s.d_steps >= 1, "step.d_steps", s.d_steps, "1 or more"
    yield s.update == "alternating" or s.d_steps == 1, "step.d_steps", s.d_steps, f"1 with step.update {s.update}"
    parts = f"1 or more, and a divisor of step.batch ({s.batch})"
    yield s.accumulate >= 1 and s.batch % s.accumulate == 0, "step.accumulate", s.accumulate, parts
    mixed = s.joint and d.minibatch != "none"
    yield not mixed, "step.joint", s.joint, "False where D looks at a whole batch: it would see real beside fake"
    alone = "simultaneous or alternating where D or the loss looks at a whole batch"
    yield s.update != "one-stage" or not sees_batch, "step.update", s.update, alone
    loss, rising = config.loss, ("bce", "relativistic", "wasserstein")
    follows = loss.name in rising and not (loss.soft or loss.flip or config.penalty.centring)
    monotonic = "simultaneous or alternating unless D's loss always rises with D(fake)"
    yield s.update != "one-stage" or follows, "step.update", s.update, f"{monotonic} ({', '.join(rising)})"
    through = "0 with step.update one-stage: it reads G's gradient off D's loss, which names no fakes"
    yield s.update != "one-stage" or not loss.g_classify, "loss.g_classify", loss.g_classify, through
    yield s.ema_kimg >= 0, "step.ema_kimg", s.ema_kimg, "0 (off) or more"
    yield s.ema_warmup >= 0, "step.ema_warmup", s.ema_warmup, "0 (none) or more"
    for name, o in (("g_optim", config.g_optim), ("d_optim", config.d_optim)):
        yield 0 < o.lr < 1e3, f"{name}.lr", o.lr, "more than 0 and less than 1000"
        yield 0 <= o.beta1 < 1 and 0 <= o.beta2 < 1, f"{name}.beta", (o.beta1, o.beta2), "in [0, 1)"
        yield o.epsilon > 0, f"{name}.epsilon", o.epsilon, "more than 0"
        yield 0 <= o.warmup < 1, f"{name}.warmup", o.warmup, "in [0, 1)"
        yield 0 <= o.decay_from < 1, f"{name}.decay_from", o.decay_from, "in [0, 1)"
        yield o.name == "adamw" or o.weight_decay == 0, f"{name}.weight_decay", o.weight_decay, "0 but for adamw"
        for key in ("clip", "weight_decay", "muon", "historical"):
            yield getattr(o, key) >= 0, f"{name}.{key}", getattr(o, key), "0 (off) or more"


def _sees_batch(config: Config) -> bool:
    """Whether D's answer to an image depends on the others of its batch."""
    d = config.discriminator
    return (d.family == "dcgan" and any(d.norms)) or d.minibatch != "none"


def _terms(config: Config) -> Iterator[Rule]:
    """Losses, penalties, augmentation."""
    loss, penalty, augment, d = config.loss, config.penalty, config.augment, config.discriminator
    for key in ("smooth", "soft", "flip"):
        value, targets = getattr(loss, key), loss.name in ("bce", "least-squares")
        yield value == 0 or targets, f"loss.{key}", value, f"0: the loss {loss.name} has no targets"
        yield 0 <= value <= 0.5, f"loss.{key}", value, "in [0, 0.5]"
    yield loss.feature_matching >= 0, "loss.feature_matching", loss.feature_matching, "0 (off) or more"
    yield loss.g_classify >= 0, "loss.g_classify", loss.g_classify, "0 (off) or more"
    unnamed = "0 where discriminator.classify is 0: D names no classes"
    yield not loss.g_classify or d.classify > 0, "loss.g_classify", loss.g_classify, unnamed
    for key in ("r1", "r2", "gp", "centring"):
        yield getattr(penalty, key) >= 0, f"penalty.{key}", getattr(penalty, key), "0 (off) or more"
    yield penalty.form == "exact" or not penalty.gp, "penalty.gp", penalty.gp, "0 with penalty.form finite"
    finite = penalty.form == "finite" and penalty.r1 + penalty.r2 > 0  # D's answers to an image and a copy are compared
    drops = d.family == "dcgan" and d.dropout > 0
    redrawn = "exact with discriminator.dropout: it is drawn anew for the copy"
    yield not (finite and drops), "penalty.form", penalty.form, redrawn
    apart = finite and penalty.share < 1 and _sees_batch(config)
    yield not apart, "penalty.share", penalty.share, "1 with penalty.form finite where D looks at a whole batch"
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
    held_out = "0 where data.held_out is 0: it looks at images held out"
    yield not augment.adapt or config.data.held_out > 0, "augment.adapt", augment.adapt, held_out
