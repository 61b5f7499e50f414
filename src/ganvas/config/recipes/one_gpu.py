"""Recipes with widths for one GPU and 20 to 60 minutes of CIFAR-10. Rates and averages follow the share of the run."""

from __future__ import annotations

from dataclasses import replace

from ganvas.config import (
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
from ganvas.config.recipes.registry import Recipe, register_recipe

CIFAR10 = DataConfig("cifar10", labels="auto", flip=True)
TEN_ROWS = LogConfig(samples=80)

R3_OPTIM = OptimConfig(lr=3e-4, beta1=0.0, beta2=0.99, epsilon=1e-8, warmup=0.01, decay="linear", decay_from=0.6)
register_recipe(
    Recipe(
        Config(
            "r3-pyramid",
            data=CIFAR10,
            generator=GeneratorConfig(
                "r3", latent_dim=64, base=512, widths=(512, 256, 128), group=32, norm="none", slope=0.2, tanh=False
            ),
            discriminator=DiscriminatorConfig(
                "r3", widths=(128, 256, 512, 512), group=32, norms=(), slope=0.2, dropout=0.0
            ),
            loss=LossConfig("relativistic"),
            penalty=PenaltyConfig(r1=0.1, r2=0.1, form="finite", share=0.25),
            g_optim=R3_OPTIM,
            d_optim=R3_OPTIM,
            step=StepConfig("alternating", batch=128, joint=True, ema_kimg=500.0, ema_warmup=0.05),
            log=TEN_ROWS,
        ),
        title="R3GAN for one GPU and less than an hour: 512, 512, 256, 128 channels; cheap R1 and R2",
        korean="GPU 하나로 한 시간 안에 학습하는 R3GAN: 채널 512, 512, 256, 128, 가벼운 R1과 R2",
        source="after Huang et al. 2024 (R3GAN, arXiv 2501.05441), whose widths are 768 everywhere; penalties as in "
        "Lin et al. 2025 (arXiv 2501.08316)",
        year=2026,
        reported="-",
        measured="not yet on a GPU",
    )
)

STYLEGAN2_OPTIM = OptimConfig(lr=2.5e-3, beta1=0.0, beta2=0.99, epsilon=1e-8)
LAZY = 16 / 17
"""D's rates make up for R1 in one of 16 updates (Karras et al. 2020, arXiv 1912.04958, appendix B)."""
register_recipe(
    Recipe(
        Config(
            "stylegan2-small",
            data=CIFAR10,
            generator=GeneratorConfig(
                "stylegan2", latent_dim=512, base=512, widths=(512, 256, 128), norm="none", slope=0.2, tanh=False
            ),
            discriminator=DiscriminatorConfig(
                "stylegan2", widths=(128, 256, 512, 512), norms=(), minibatch="std", slope=0.2, dropout=0.0
            ),
            penalty=PenaltyConfig(r1=0.01, every=16),
            g_optim=STYLEGAN2_OPTIM,
            d_optim=replace(STYLEGAN2_OPTIM, lr=2.5e-3 * LAZY, beta2=0.99**LAZY),
            step=StepConfig("alternating", batch=64, ema_kimg=500.0, ema_warmup=0.05),
            log=TEN_ROWS,
        ),
        title="StyleGAN2 for one GPU: 512, 512, 256, 128 channels, lazy R1",
        korean="GPU 하나를 위한 StyleGAN2: 채널 512, 512, 256, 128, 16번에 한 번 구하는 R1",
        source="Karras et al. 2020 (StyleGAN2, arXiv 1912.04958) with ADA's settings for CIFAR-10 "
        "(arXiv 2006.06676), whose widths are 512 everywhere; no augmentation",
        year=2020,
        reported="FID 2.42 on CIFAR-10 at full width with ADA, class-conditional, 100 M images",
        measured="not yet on a GPU",
    )
)
