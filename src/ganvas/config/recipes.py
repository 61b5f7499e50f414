"""The named trainings. A recipe is data: a config, where it comes from, and what it was seen to reach."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ganvas.config import (
    AugmentConfig,
    Config,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LogConfig,
    LossConfig,
    OptimConfig,
    PenaltyConfig,
    StepConfig,
)
from ganvas.errors import UsageError, did_you_mean


@dataclass(frozen=True)
class Recipe:
    """A config with its story."""

    config: Config
    title: str
    source: str
    year: int
    reported: str
    """What the source says it reached, and at what cost."""
    measured: str = ""
    """What we saw it reach, at what cost and on what machine."""


RECIPES: dict[str, Recipe] = {}


def register_recipe(recipe: Recipe) -> Recipe:
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

register_recipe(
    Recipe(
        Config("fashion-dcgan", data=DataConfig("fashion-mnist"), generator=_8X8),
        "The course's starting point: DCGAN for Fashion-MNIST",
        "course material, after Radford et al. 2016 (arXiv 1511.06434)",
        2021,
        "100 epochs in 1548 s on their GPU",
    )
)
register_recipe(
    Recipe(
        Config("cifar-dcgan", data=DataConfig("cifar10"), generator=GeneratorConfig(base=256, widths=(128, 64))),
        "The same network turned to 32x32x3, from a 4x4 map",
        f"{NOTEBOOK_B}, initial",
        2021,
        "200 epochs in 3649 s on their GPU: coloured smears",
    )
)
register_recipe(
    Recipe(
        Config("cifar-dcgan-8x8", data=DataConfig("cifar10"), generator=_8X8),
        "The same network turned to 32x32x3, from an 8x8 map",
        f"{NOTEBOOK_A}, initial",
        2021,
        "50 + 50 epochs in 798 + 796 s on their GPU (first version 752 + 751 s): coloured smears",
    )
)
register_recipe(
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
register_recipe(
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
register_recipe(
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

# Modern parts. `quick` is where one begins: for any data, told the classes where there are any, on a CPU or not. Why it
# is as it is: records/2026-11-26-residual-quick.md; its penalty: records/2026-11-26-modes.md; D's naming of classes:
# records/2026-11-26-class-naming.md.
OURS = "ganvas"
_CLASSES = DataConfig("cifar10", labels="auto")
_OPTIM = OptimConfig(lr=1e-3, beta1=0.0, beta2=0.9, epsilon=1e-8, decay="linear")
_QUICK = Config(
    "quick",
    data=_CLASSES,
    generator=GeneratorConfig("resnet", latent_dim=128, base=128, widths=(128, 64, 32), condition="norm", slope=0.0),
    discriminator=DiscriminatorConfig(
        "lean",
        widths=(64, 128, 128),
        blocks=(0, 1, 1),
        norms=(),
        kernel=4,
        pool=True,
        slope=0.0,
        spectral=True,
        classify=1.0,
        classify_by="projection",
        classify_margin=1.0,
        classify_variety=0.85,
        dropout=0.0,
    ),
    loss=LossConfig("hinge"),
    penalty=PenaltyConfig(r1=2.0, r2=2.0, form="finite", share=0.25, adapt=0.6),
    g_optim=_OPTIM,
    d_optim=replace(_OPTIM, lr=2e-3),
    step=StepConfig("alternating", batch=32, joint=True, ema_kimg=50.0, ema_warmup=0.1),
    log=LogConfig(samples=80),  # ten rows: a class each
)
_SMALL = replace(
    _QUICK,
    recipe="small-data",
    data=DataConfig("cifar10", labels="auto", flip=True, held_out=0.1),
    discriminator=replace(_QUICK.discriminator, classify=0.0),  # it costs variety, which few images are short of
    penalty=PenaltyConfig(),
    augment=AugmentConfig(mirror=True, translate=0.125, cutout=0.5, colour=1.0, adapt=0.5, adapt_kimg=20.0),
)

# The smallest networks that still learn: records/2026-11-22-quick-second-tries.md; D's first layer: records/
# 2026-11-26-quick-on-amx.md.
_LEAN_OPTIM = OptimConfig(lr=5e-4, beta1=0.0, beta2=0.99, epsilon=1e-8, decay="linear", decay_from=0.5)
_LEAN = replace(
    _QUICK,
    recipe="lean",
    generator=GeneratorConfig(
        "lean", latent_dim=128, base=128, widths=(64, 32), condition="norm", kernel=4, slope=0.0, skip=True
    ),
    discriminator=DiscriminatorConfig(
        "lean", widths=(64, 64, 128), norms=(), kernel=4, slope=0.2, classify=1.0, dropout=0.0
    ),
    loss=LossConfig("hinge", g_classify=0.5),
    penalty=PenaltyConfig(r1=0.02, r2=0.02, form="finite", share=0.25),
    g_optim=_LEAN_OPTIM,
    d_optim=replace(_LEAN_OPTIM, lr=2e-3),
)

register_recipe(
    Recipe(
        _QUICK,
        "Begin here: residual networks, D at half the image's side, spectral normalisation, hinge loss, high rates",
        f"{OURS}, after Miyato & Koyama 2018 (arXiv 1802.05637), Heusel et al. 2017 (TTUR, arXiv 1706.08500) and "
        "Chen et al. 2021 (ECGAN, arXiv 2111.01035)",
        2026,
        "-",
        "some 313,000 images of CIFAR-10 in 20 CPU-minutes of one core (Intel Xeon with AMX, bf16), three seeds: "
        "fd_efficientnet 124 +- 5 (floor 19), 79 % of its images seen as the class asked for; 141 without classes, "
        "one seed; Fashion-MNIST, 102,944 images in 6 CPU-minutes: 99 % seen as the one asked for (real ones 94 %)",
    )
)
register_recipe(
    Recipe(
        _SMALL,
        "From 500 images: quick, with every image augmented as strongly as D overfits on held-out ones",
        f"{OURS}, after Karras et al. 2020 (ADA, arXiv 2006.06676) and Zhao et al. 2020 (arXiv 2006.10738)",
        2026,
        "-",
        "1,000 ships of CIFAR-10, 20 CPU-minutes of one core (Intel Xeon with AMX, bf16), one seed: coverage 0.96 of "
        "the test ships (efficientnet; quick 0.15), no sign of copying (p = 0.93)",
    )
)
register_recipe(
    Recipe(
        _LEAN,
        "The most images a second: small strided networks, a head of D that names the class, cheap R1 + R2",
        f"{OURS}, after Miyato & Koyama 2018 (arXiv 1802.05637), Odena et al. 2017 (AC-GAN), Heusel et al. 2017 (TTUR)",
        2026,
        "-",
        "390,016 images of CIFAR-10 in 22 CPU-minutes of one core (AMD Zen 3, AVX2), three seeds: fd_efficientnet "
        "337 +- 11 (floor 19), 53 % of its images seen as the class asked for; D's first layer had 32 channels",
    )
)

_SNGAN_OPTIM = OptimConfig(lr=2e-4, beta1=0.0, beta2=0.9, epsilon=1e-8, decay="linear")
_SNGAN = Config(
    "sngan",
    data=DataConfig("cifar10"),
    generator=GeneratorConfig("resnet", latent_dim=128, base=256, widths=(256, 256, 256), slope=0.0),
    discriminator=DiscriminatorConfig(
        "resnet", widths=(128, 128), blocks=(0, 2), norms=(), slope=0.0, dropout=0.0, spectral=True
    ),
    loss=LossConfig("hinge"),
    g_optim=_SNGAN_OPTIM,
    d_optim=_SNGAN_OPTIM,
    step=StepConfig("alternating", batch=64, d_steps=5, joint=True),
)
_WGAN_GP = replace(
    _SNGAN,
    recipe="wgan-gp",
    generator=replace(_SNGAN.generator, base=128, widths=(128, 128, 128)),
    discriminator=replace(_SNGAN.discriminator, spectral=False),
    loss=LossConfig("wasserstein"),
    penalty=PenaltyConfig(gp=10.0),
)
_HINGE = replace(
    _SNGAN,
    recipe="hinge-resnet",
    data=_CLASSES,
    generator=replace(_SNGAN.generator, base=128, widths=(128, 64, 32), condition="norm"),
    discriminator=replace(_SNGAN.discriminator, widths=(64, 128, 128), blocks=(0, 0, 1)),
    g_optim=replace(_SNGAN_OPTIM, lr=5e-4),
    d_optim=replace(_SNGAN_OPTIM, lr=5e-4),
    step=replace(_QUICK.step, batch=64),
    log=_QUICK.log,
)
_R3_OPTIM = replace(_LEAN_OPTIM, lr=1e-3, decay_from=0.3)
_R3_SMALL = replace(
    _QUICK,
    recipe="r3-small",
    loss=LossConfig("relativistic"),
    penalty=PenaltyConfig(r1=0.2, r2=0.2, form="finite", share=0.5),
    g_optim=_R3_OPTIM,
    d_optim=replace(_R3_OPTIM, lr=2e-3),
    generator=GeneratorConfig(
        "r3", latent_dim=64, base=192, widths=(192, 96, 48), blocks=(1,), norm="none", slope=0.2, tanh=False
    ),
    discriminator=DiscriminatorConfig("r3", widths=(48, 96, 192, 192), blocks=(1,), norms=(), slope=0.2, dropout=0.0),
)

register_recipe(
    Recipe(
        _SNGAN,
        "Residual networks, spectral normalisation, hinge loss, five steps of D",
        "Miyato et al. 2018 (arXiv 1802.05957)",
        2018,
        "FID 21.7 on CIFAR-10",
        "60,480 images of CIFAR-10 in 10 CPU-minutes of one core (Intel Xeon with AMX, bf16), one seed: "
        "fd_efficientnet 819 (floor 19), frames and blots; it is meant for a GPU",
    )
)
register_recipe(
    Recipe(
        _WGAN_GP,
        "Residual networks, Wasserstein loss, gradient penalty, five steps of D",
        "Gulrajani et al. 2017 (arXiv 1704.00028)",
        2017,
        "Inception Score 7.86 on CIFAR-10, unconditional",
        "43,520 images of CIFAR-10 in 10 CPU-minutes of one core (Intel Xeon with AMX, bf16), one seed: "
        "fd_efficientnet 753 (floor 19), coloured noise with layouts; it is meant for a GPU",
    )
)
register_recipe(
    Recipe(
        _HINGE,
        "Narrow residual networks, conditional normalisation and projection, hinge loss, EMA",
        "after Miyato & Koyama 2018 (arXiv 1802.05637) and Zhang et al. 2019 (arXiv 1805.08318)",
        2019,
        "-",
        "135,040 images of CIFAR-10 in 10 CPU-minutes of one core (Intel Xeon with AMX, bf16), one seed: "
        "fd_efficientnet 233 (floor 19), 38 % of its images seen as the class asked for",
    )
)
register_recipe(
    Recipe(
        _R3_SMALL,
        "R3GAN's block as a narrow pyramid, with its loss, R1 and R2 from finite differences",
        "Huang et al. 2024 (R3GAN, arXiv 2501.05441), a sixteenth as wide at 32 px",
        2024,
        "FID 1.96 on CIFAR-10 at full width, 250 M images (4 days on 8 GPUs)",
        "61,632 images of CIFAR-10 in 10 CPU-minutes of one core (Intel Xeon with AMX, bf16), one seed: "
        "fd_efficientnet 433 (floor 19), 34 % of its images seen as the class asked for",
    )
)
