"""Recipes with modern parts: quick and its variants, and published networks."""

from __future__ import annotations

from dataclasses import replace

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
from ganvas.config.recipes.registry import Recipe, register_recipe

LABELLED = DataConfig("cifar10", labels="auto")
XEON = "of one core (Intel Xeon with AMX, bf16)"

# quick: the default, for any data, class-conditional when the data have labels, on a CPU or a GPU. Why it is as it is:
# records/2026-11-26-residual-quick.md; its penalty: records/2026-11-26-modes.md; D's classification loss:
# records/2026-11-26-class-naming.md; eigenimages: records/2026-11-29-eigenimages.md; its D without blocks:
# records/2026-11-29-lighter-d.md.
QUICK_OPTIM = OptimConfig(lr=1e-3, beta1=0.0, beta2=0.9, epsilon=1e-8, decay="linear")
PLAIN = Config(
    "quick",
    data=LABELLED,
    generator=GeneratorConfig("resnet", latent_dim=128, base=128, widths=(128, 64, 32), condition="norm", slope=0.0),
    discriminator=DiscriminatorConfig(
        "lean",
        widths=(64, 128, 128),
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
    g_optim=QUICK_OPTIM,
    d_optim=replace(QUICK_OPTIM, lr=2e-3),
    step=StepConfig("alternating", batch=32, joint=True, ema_kimg=50.0, ema_warmup=0.1),
    log=LogConfig(samples=80),  # ten rows, one per class
)
QUICK = replace(PLAIN, generator=replace(PLAIN.generator, eigenimages=96), loss=replace(PLAIN.loss, rebuild=10.0))
register_recipe(
    Recipe(
        QUICK,
        title="Start here: a residual G from eigenimages, a light D, spectral normalisation, hinge loss, high rates",
        korean="처음이라면 이것부터: 고유 이미지에서 출발하는 생성자, 가벼운 판별자, 힌지 손실, 높은 학습률",
        source="ganvas, after Miyato & Koyama 2018 (arXiv 1802.05637), Heusel et al. 2017 (TTUR, arXiv 1706.08500), "
        "Chen et al. 2021 (ECGAN, arXiv 2111.01035) and Turk & Pentland 1991 (eigenfaces)",
        year=2026,
        reported="-",
        measured="CIFAR-10, 58,016 images in 4.4 CPU-minutes (AMD Zen 4, AVX-512), three seeds: 66 % of its "
        "images classified as the requested class, recall within a class 0.043 +- 0.003, fd_efficientnet 212 +- 7 (n = "
        "5,000; real baseline 29). 268,000 images in 20 CPU-minutes, two seeds: 82 %, 0.14, 125 +- 2 (n = 10,000; real "
        f"baseline 19). As it was, 313,000 images in 20 CPU-minutes {XEON}, three seeds: 79 %, 124 +- 5; without "
        "labels 141, one seed",
    )
)

register_recipe(
    Recipe(
        replace(
            PLAIN,  # eigenimages took 2,000 bags farther from real ones: records/2026-11-29-few-images.md
            recipe="small-data",
            data=DataConfig("cifar10", labels="auto", flip=True, held_out=0.1),
            # The classification loss lowers diversity, and few images have little of it. Without blocks nothing was
            # told on 2,000 bags: records/2026-11-29-lighter-d.md.
            discriminator=replace(PLAIN.discriminator, blocks=(0, 1, 1), classify=0.0),
            penalty=PenaltyConfig(),
            augment=AugmentConfig(mirror=True, translate=0.125, cutout=0.5, colour=1.0, adapt=0.5, adapt_kimg=20.0),
        ),
        title="From 500 images: quick with augmentation, as strong as D's overfitting on held-out images requires",
        korean="이미지 500장부터: quick에 판별자의 과적합에 맞춘 증강을 더한 것",
        source="ganvas, after Karras et al. 2020 (ADA, arXiv 2006.06676) and Zhao et al. 2020 (arXiv 2006.10738)",
        year=2026,
        reported="-",
        measured=f"1,000 ships of CIFAR-10, 20 CPU-minutes {XEON}, one seed: coverage of the test ships 0.96 "
        "(efficientnet; quick: 0.15), no sign of copying (p = 0.93). 300 bags of Fashion-MNIST, 4 CPU-minutes (Zen 4), "
        "three seeds: fd_efficientnet 196 +- 15 (quick: 273 +- 30), coverage 0.49 +- 0.04 (0.34 +- 0.04); 2,000 bags: "
        "136 +- 8 (174 +- 5), 0.64 +- 0.03 (0.56 +- 0.03)",
    )
)

# lean: the smallest networks that still learn. records/2026-11-22-quick-second-tries.md; D's first layer:
# records/2026-11-26-quick-on-amx.md.
LEAN_OPTIM = OptimConfig(lr=5e-4, beta1=0.0, beta2=0.99, epsilon=1e-8, decay="linear", decay_from=0.5)
register_recipe(
    Recipe(
        replace(
            PLAIN,
            recipe="lean",
            generator=GeneratorConfig(
                "lean", latent_dim=128, base=128, widths=(64, 32), condition="norm", kernel=4, slope=0.0, skip=True
            ),
            discriminator=DiscriminatorConfig(
                "lean", widths=(64, 64, 128), norms=(), kernel=4, slope=0.2, classify=1.0, dropout=0.0
            ),
            loss=LossConfig("hinge", g_classify=0.5),
            penalty=PenaltyConfig(r1=0.02, r2=0.02, form="finite", share=0.25),
            g_optim=LEAN_OPTIM,
            d_optim=replace(LEAN_OPTIM, lr=2e-3),
        ),
        title="The most images per second: small strided networks, an auxiliary classifier in D, cheap R1 + R2",
        korean="초당 가장 많은 이미지: 스트라이드를 쓰는 작은 네트워크, 보조 분류기, 가벼운 R1과 R2",
        source="ganvas, after Miyato & Koyama 2018 (arXiv 1802.05637), Odena et al. 2017 (AC-GAN), Heusel et al. 2017 "
        "(TTUR)",
        year=2026,
        reported="-",
        measured="CIFAR-10, 390,016 images in 22 CPU-minutes of one core (AMD Zen 3, AVX2), three seeds: "
        "fd_efficientnet 337 +- 11 (real baseline 19), 53 % of its images classified as the requested class; D's "
        "first layer had 32 channels then",
    )
)

SNGAN_OPTIM = OptimConfig(lr=2e-4, beta1=0.0, beta2=0.9, epsilon=1e-8, decay="linear")
SNGAN = Config(
    "sngan",
    data=DataConfig("cifar10"),
    generator=GeneratorConfig("resnet", latent_dim=128, base=256, widths=(256, 256, 256), slope=0.0),
    discriminator=DiscriminatorConfig(
        "resnet", widths=(128, 128), blocks=(0, 2), norms=(), slope=0.0, dropout=0.0, spectral=True
    ),
    loss=LossConfig("hinge"),
    g_optim=SNGAN_OPTIM,
    d_optim=SNGAN_OPTIM,
    step=StepConfig("alternating", batch=64, d_steps=5, joint=True),
)
register_recipe(
    Recipe(
        SNGAN,
        title="Residual networks, spectral normalisation, hinge loss, five D steps per G step",
        korean="잔차 네트워크, 스펙트럴 정규화, 힌지 손실, 생성자 한 번에 판별자 다섯 번",
        source="Miyato et al. 2018 (arXiv 1802.05957)",
        year=2018,
        reported="FID 21.7 on CIFAR-10",
        measured=f"CIFAR-10, 60,480 images in 10 CPU-minutes {XEON}, one seed: fd_efficientnet 819 (real baseline 19), "
        "frames and blots; intended for a GPU",
    )
)

register_recipe(
    Recipe(
        replace(
            SNGAN,
            recipe="wgan-gp",
            generator=replace(SNGAN.generator, base=128, widths=(128, 128, 128)),
            discriminator=replace(SNGAN.discriminator, spectral=False),
            loss=LossConfig("wasserstein"),
            penalty=PenaltyConfig(gp=10.0),
        ),
        title="Residual networks, Wasserstein loss, gradient penalty, five D steps per G step",
        korean="잔차 네트워크, 바서슈타인 손실, 그래디언트 페널티, 생성자 한 번에 판별자 다섯 번",
        source="Gulrajani et al. 2017 (arXiv 1704.00028)",
        year=2017,
        reported="Inception Score 7.86 on CIFAR-10, unconditional",
        measured=f"CIFAR-10, 43,520 images in 10 CPU-minutes {XEON}, one seed: fd_efficientnet 753 (real baseline 19), "
        "coloured noise with rough layouts; intended for a GPU",
    )
)

register_recipe(
    Recipe(
        replace(
            SNGAN,
            recipe="hinge-resnet",
            data=LABELLED,
            generator=replace(SNGAN.generator, base=128, widths=(128, 64, 32), condition="norm"),
            discriminator=replace(SNGAN.discriminator, widths=(64, 128, 128), blocks=(0, 0, 1)),
            g_optim=replace(SNGAN_OPTIM, lr=5e-4),
            d_optim=replace(SNGAN_OPTIM, lr=5e-4),
            step=replace(PLAIN.step, batch=64),
            log=PLAIN.log,
        ),
        title="Narrow residual networks, conditional normalisation and projection, hinge loss, EMA",
        korean="좁은 잔차 네트워크, 조건부 정규화와 프로젝션, 힌지 손실, 이동 평균(EMA)",
        source="after Miyato & Koyama 2018 (arXiv 1802.05637) and Zhang et al. 2019 (arXiv 1805.08318)",
        year=2019,
        reported="-",
        measured=f"CIFAR-10, 135,040 images in 10 CPU-minutes {XEON}, one seed: fd_efficientnet 233 (real baseline "
        "19), 38 % of its images classified as the requested class",
    )
)

R3_OPTIM = replace(LEAN_OPTIM, lr=1e-3, decay_from=0.3)
register_recipe(
    Recipe(
        replace(
            PLAIN,
            recipe="r3-small",
            loss=LossConfig("relativistic"),
            penalty=PenaltyConfig(r1=0.2, r2=0.2, form="finite", share=0.5),
            g_optim=R3_OPTIM,
            d_optim=replace(R3_OPTIM, lr=2e-3),
            generator=GeneratorConfig(
                "r3", latent_dim=64, base=192, widths=(192, 96, 48), blocks=(1,), norm="none", slope=0.2, tanh=False
            ),
            discriminator=DiscriminatorConfig(
                "r3", widths=(48, 96, 192, 192), blocks=(1,), norms=(), slope=0.2, dropout=0.0
            ),
        ),
        title="R3GAN's block as a narrow pyramid, with its loss; R1 and R2 from finite differences",
        korean="R3GAN의 블록을 좁은 피라미드로 쌓은 것과 그 손실, 유한 차분으로 구한 R1과 R2",
        source="Huang et al. 2024 (R3GAN, arXiv 2501.05441), a sixteenth of its width, at 32 px",
        year=2024,
        reported="FID 1.96 on CIFAR-10 at full width, 250 M images (4 days on 8 GPUs)",
        measured=f"CIFAR-10, 61,632 images in 10 CPU-minutes {XEON}, one seed: fd_efficientnet 433 (real baseline 19), "
        "34 % of its images classified as the requested class",
    )
)
