"""Networks: one file per family, G and D side by side, and the layers and convolutions that they share."""

from ganvas.models import families
from ganvas.models.layer_table import count_parameters, summary
from ganvas.models.networks import (
    build_discriminator,
    build_generator,
    count_weights,
    for_size,
    num_classes,
    set_dropout_generator,
    set_world,
)
from ganvas.models.registry import FAMILIES, Family, family_of, register_family
from ganvas.plugins import discover

discover(families)

__all__ = [
    "FAMILIES", "Family", "build_discriminator", "build_generator", "count_parameters", "count_weights", "family_of",
    "for_size", "num_classes", "register_family", "set_dropout_generator", "set_world",
    "summary",
]  # fmt: skip
