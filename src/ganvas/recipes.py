"""The named trainings. A recipe is data: a config, where it comes from, and what it was seen to reach."""

from __future__ import annotations

from dataclasses import dataclass

from ganvas.config import (
    Config,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    OptimConfig,
    StepConfig,
    did_you_mean,
)
from ganvas.errors import UsageError


@dataclass(frozen=True)
class Recipe:
    """A config with its story."""

    config: Config
    title: str
    source: str
    year: int
    reported: str
    """What the source says it reached, and at what cost."""


RECIPES: dict[str, Recipe] = {}


def register(recipe: Recipe) -> Recipe:
    """Add a recipe under its config's name; a duplicate or a name with a slash raises ValueError."""
    name = recipe.config.recipe
    if name in RECIPES or "/" in name:
        raise ValueError(f"recipe name {name!r} is taken or holds a slash")
    RECIPES[name] = recipe
    return recipe


def get(name: str) -> Recipe:
    """The recipe called `name`; UsageError with the nearest name otherwise."""
    if name not in RECIPES:
        raise UsageError(f"unknown recipe {name!r}{did_you_mean(name, RECIPES)} (ganvas recipes lists them)")
    return RECIPES[name]


# The course project's networks: two public notebooks, TensorFlow 2.6. Latent 100, batch 256, simultaneous updates.
NOTEBOOK_A = "course notebook A (TensorFlow 2.6)"
NOTEBOOK_B = "course notebook B (TensorFlow 2.6)"
_8X8 = GeneratorConfig(base=256, widths=(128, 64), strides=(1, 2, 2))

register(
    Recipe(
        Config("fashion-dcgan", data=DataConfig("fashion-mnist"), generator=_8X8),
        "The course's starting point: DCGAN for Fashion-MNIST",
        "course material, after Radford et al. 2016 (arXiv 1511.06434)",
        2021,
        "100 epochs in 1548 s on their GPU",
    )
)
register(
    Recipe(
        Config("cifar-dcgan", data=DataConfig("cifar10"), generator=GeneratorConfig(base=256, widths=(128, 64))),
        "The same network turned to 32x32x3, from a 4x4 map",
        f"{NOTEBOOK_B}, initial",
        2021,
        "200 epochs in 3649 s on their GPU: coloured smears",
    )
)
register(
    Recipe(
        Config("cifar-dcgan-8x8", data=DataConfig("cifar10"), generator=_8X8),
        "The same network turned to 32x32x3, from an 8x8 map",
        f"{NOTEBOOK_A}, initial",
        2021,
        "50 + 50 epochs in 798 + 796 s on their GPU (first version 752 + 751 s): coloured smears",
    )
)
register(
    Recipe(
        Config(
            "cifar-dcgan-slow-d",
            data=DataConfig("cifar10"),
            generator=_8X8,
            d_optim=OptimConfig(lr=1e-5),
            step=StepConfig(batch=1024),
        ),
        "A discriminator that learns ten times slower, batch 1024",
        f"{NOTEBOOK_A}, experiment 2 (there continued from trained networks; here from fresh ones)",
        2021,
        "100 epochs in 1337 s on their GPU",
    )
)
register(
    Recipe(
        Config(
            "cifar-dcgan-deep",
            data=DataConfig("cifar10"),
            generator=GeneratorConfig(base=256, widths=(128, 64), strides=(1, 2, 2), extra=(128, 32)),
            d_optim=OptimConfig(lr=5e-5),
            step=StepConfig(batch=512),
        ),
        "A deeper generator: a 3x3 convolution after each block",
        f"{NOTEBOOK_A}, experiment 3",
        2021,
        "100 epochs in 1501 s on their GPU",
    )
)
register(
    Recipe(
        Config(
            "cifar-dcgan-recap",
            data=DataConfig("cifar10"),
            generator=GeneratorConfig(base=256, widths=(256, 128), slope=0.0),
            discriminator=DiscriminatorConfig(norms=(False, True), slope=0.2, dropout=0.0),
            g_optim=OptimConfig(lr=2e-4, beta1=0.5),
            d_optim=OptimConfig(lr=2e-4, beta1=0.5),
        ),
        "Recap GAN: wider, ReLU in G, normalised D, Adam 2e-4 with beta1 0.5",
        f"{NOTEBOOK_B}, Recap GAN",
        2021,
        "100 epochs in 2646 s on their GPU: hints of objects",
    )
)
