"""Networks: a family a file, G and D side by side; the layers and convolutions that they share."""

from ganvas.models.layer_table import count, summary
from ganvas.models.networks import (
    FAMILIES,
    build_discriminator,
    build_generator,
    classes,
    set_dropout_generator,
)

__all__ = [
    "FAMILIES", "build_discriminator", "build_generator", "classes", "count", "set_dropout_generator", "summary",
]  # fmt: skip
