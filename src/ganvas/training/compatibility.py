"""Which parts fit each other: rules that need to know the loss and the families of networks."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd

from ganvas.config import Config
from ganvas.config.validation import Rule, enforce
from ganvas.errors import UsageError
from ganvas.models import family_of
from ganvas.training.losses import get_loss
from ganvas.training.penalties import penalised


def check_compatibility(config: Config) -> None:
    """Raises UsageError with the first rule that does not hold, or for the name of a loss or family that is unknown."""
    enforce(_families(config))
    enforce(_loss(config))
    enforce(_engine(config))


def check_ranks(config: Config, size: int) -> None:
    """UsageError where so many processes cannot train this together: each must get as many images of every kind."""
    if size == 1:
        return
    for name, off in (("compile", "off"), ("graph", False)):
        if (value := getattr(config.engine, name)) != off:
            raise UsageError(f"engine.{name} = {value}: sums over processes cannot be part of it; train in one process")
    part = config.step.batch // config.step.accumulate
    least = gcd(part, penalised(config.penalty, part))
    if least % size:
        fit = ", ".join(str(n) for n in range(1, least + 1) if least % n == 0)
        what = f"step.batch = {config.step.batch}"
        what += f" in {config.step.accumulate} parts" if config.step.accumulate > 1 else ""
        what += f", penalties of {penalised(config.penalty, part)}" if least < part else ""
        raise UsageError(f"{what}: {size} processes cannot share these images equally; {fit} can")
    for network in (config.generator, config.discriminator):
        if (family := family_of(network)).global_rng:
            raise UsageError(
                f"the family {family.name} draws from torch's global generator, which ranks cannot share: train it in "
                "one process"
            )


def _families(config: Config) -> Iterator[Rule]:
    yield from family_of(config.generator).check_generator(config.generator)
    yield from family_of(config.discriminator).check_discriminator(config.discriminator)


def _engine(config: Config) -> Iterator[Rule]:
    both = "off with engine.graph, which captures the step as it is"
    yield not (config.engine.graph and config.engine.compile != "off"), "engine.compile", config.engine.compile, both
    for network in (config.generator, config.discriminator):
        family = family_of(network)
        free = f"False with the family {family.name}, which draws from torch's global generator"
        yield not (config.engine.graph and family.global_rng), "engine.graph", config.engine.graph, free


# fmt: off
def _loss(config: Config) -> Iterator[Rule]:
    step, own, penalty, d = config.step, config.loss, config.penalty, config.discriminator
    loss, uses_batch = get_loss(own.name), family_of(d).discriminator_uses_batch(d)
    for key in ("smooth", "soft", "flip"):
        value = getattr(own, key)
        yield loss.has_targets or not value, f"loss.{key}", value, f"0: the loss {own.name} has no targets"
    apart = "another one with step.update separate: this one compares real with fake images"
    yield step.update != "separate" or not loss.compares, "loss.name", own.name, apart
    own_z = not own.rebuild or not step.fresh
    yield own_z, "loss.rebuild", own.rebuild, "0 with step.fresh: G must learn from D's fakes"
    if penalty.form == "finite" and penalty.r1 + penalty.r2 > 0:  # compares D at an image and at a copy of it
        redrawn = "exact with discriminator.dropout: the copy would get another dropout mask"
        yield not family_of(d).has_dropout(d), "penalty.form", penalty.form, redrawn
        whole = "1 with penalty.form finite where D uses statistics of the batch"
        yield penalty.share == 1 or not uses_batch, "penalty.share", penalty.share, whole
# fmt: on
