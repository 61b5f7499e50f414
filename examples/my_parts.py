"""A loss and a recipe of your own: `ganvas --plugin examples/my_parts.py train my-dcgan --kimg 5`."""

from dataclasses import replace

from torch.nn.functional import relu

import ganvas
from ganvas.config import LossConfig


def d_loss(real, fake, targets):
    """The squared hinge, max(0, 1 - D(x))^2 + max(0, 1 + D(G(z)))^2: [n] from logits [n]."""
    return relu(1 - real).square() + relu(1 + fake).square()


def g_loss(real, fake):
    """-D(G(z)): [n] from logits [n]."""
    return -fake


ganvas.register_loss(
    ganvas.Loss(
        name="squared-hinge",
        d=d_loss,
        g=g_loss,
        threshold=0.0,
        formula=("relu(1 - real)² + relu(1 + fake)²", "-fake"),
    )
)

ganvas.register_recipe(
    ganvas.Recipe(
        config=replace(ganvas.RECIPES["cifar-dcgan"].config, recipe="my-dcgan", loss=LossConfig("squared-hinge")),
        title="cifar-dcgan with a squared hinge loss",
        source="my own idea",
        year=2026,
        reported="nothing yet",
    )
)
