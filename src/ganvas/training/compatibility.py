"""Which parts fit each other: rules that need to know the loss and the families of networks."""

from __future__ import annotations

from collections.abc import Iterator

from ganvas.config import Config
from ganvas.config.validation import Rule, enforce
from ganvas.training.losses import LOSSES, get_loss


def check_compatibility(config: Config) -> None:
    """Raises UsageError with the first rule that does not hold, or for the name of a loss or family that is unknown."""
    enforce(_families(config))
    enforce(_loss(config))


# fmt: off
def _families(config: Config) -> Iterator[Rule]:
    g, d = config.generator, config.discriminator
    batches = g.norm != "virtual" or g.family in ("dcgan", "resnet")
    yield batches, "generator.norm", g.norm, f"batch or none: the family {g.family} has no virtual one"
    for name, part in (("generator", g), ("discriminator", d)):
        yield part.kernel % 2 == 1 or part.family != "dcgan", f"{name}.kernel", part.kernel, "odd and more than 0"
    if g.family == "dcgan":
        many = "one more than generator.widths"
        yield len(g.strides) == len(g.widths) + 1, "generator.strides", g.strides, many
        yield min(g.strides) > 0, "generator.strides", g.strides, "more than 0"
        yield len(g.extra) in (0, len(g.widths)), "generator.extra", g.extra, "empty or as long as generator.widths"
        yield min((0, *g.extra)) == 0, "generator.extra", g.extra, "0 (none) or more"
    norms = len(d.norms) == len(d.widths) or d.family != "dcgan"
    yield norms, "discriminator.norms", d.norms, "as long as discriminator.widths"


def _loss(config: Config) -> Iterator[Rule]:
    step, own, penalty, d = config.step, config.loss, config.penalty, config.discriminator
    loss, uses_batch = get_loss(own.name), _uses_batch(config)
    for key in ("smooth", "soft", "flip"):
        value = getattr(own, key)
        yield loss.has_targets or not value, f"loss.{key}", value, f"0: the loss {own.name} has no targets"
    if step.update == "one-stage":
        alone = "simultaneous or alternating where D or the loss uses statistics of the batch"
        yield not (uses_batch or own.feature_matching), "step.update", step.update, alone
        rises = loss.rises_with_fake and not (own.soft or own.flip or penalty.centring)
        rising = ", ".join(sorted(name for name, other in LOSSES.items() if other.rises_with_fake))
        monotonic = f"simultaneous or alternating unless D's loss always rises with D(fake) ({rising})"
        yield rises, "step.update", step.update, monotonic
    if penalty.form == "finite" and penalty.r1 + penalty.r2 > 0:  # compares D at an image and at a copy of it
        drops = d.family == "dcgan" and d.dropout > 0
        redrawn = "exact with discriminator.dropout: the copy would get another dropout mask"
        yield not drops, "penalty.form", penalty.form, redrawn
        whole = "1 with penalty.form finite where D uses statistics of the batch"
        yield penalty.share == 1 or not uses_batch, "penalty.share", penalty.share, whole
# fmt: on


def _uses_batch(config: Config) -> bool:
    """Whether D's answer to an image depends on the others of its batch."""
    d = config.discriminator
    return (d.family == "dcgan" and any(d.norms)) or d.minibatch != "none"
