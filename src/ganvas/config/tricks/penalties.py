"""Penalties and limits on D."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, register_trick
from ganvas.config.tricks.sources import R3GAN, STYLEGAN2

ORDER = 50
FINITE_DIFFERENCES = {"penalty.form": "finite", "penalty.sigma": 0.03, "penalty.share": 0.25}

register_trick(
    Trick(
        "r1",
        "Zero-centred gradient penalty on real images",
        "Mescheder et al. 2018 (arXiv 1801.04406)",
        {"penalty.r1": 1.0, "penalty.form": "exact", "penalty.adapt": 0.0},
        korean="진짜 이미지에서 그래디언트가 0이 되도록 페널티를 줍니다",
        helps="local convergence: D cannot become arbitrarily steep",
        hurts="a second backward pass: D's step costs about twice as much",
        conflicts=("lazy-r1",),
        requires=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "lazy-r1",
        "R1 at every 16th update, 16 times as strong",
        STYLEGAN2,
        {"penalty.r1": 1.0, "penalty.form": "exact", "penalty.every": 16, "penalty.adapt": 0.0},
        korean="R1을 업데이트 16번마다 16배로 적용합니다",
        helps="nearly the effect of R1 at 6 % of its cost",
        hurts="abrupt updates at high strength",
        requires=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "r1-r2",
        "R1 and R2 from finite differences on a quarter of the batch",
        f"{R3GAN}; Lin et al. 2025, APT (arXiv 2501.08316)",
        {"penalty.r1": 0.02, "penalty.r2": 0.02, **FINITE_DIFFERENCES, "penalty.adapt": 0.0},
        korean="배치의 4분의 1에서 유한 차분으로 구한 R1과 R2",
        helps="the convergence of R3GAN without a second backward pass",
        hurts="noisier than the exact penalty; sigma 0.01 is too small for bf16",
        conflicts=("d-dropout",),
        requires=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "adaptive-r1-r2",
        "R1 and R2 that grow while D is far ahead",
        f"ganvas, after {R3GAN} and Karras et al. 2020 (ADA)",
        {"penalty.r1": 2.0, "penalty.r2": 2.0, **FINITE_DIFFERENCES, "penalty.adapt": 0.6},
        korean="판별자가 크게 앞서는 동안 커지는 R1과 R2",
        helps="data with well separated modes (shapes, digits, icons): G drops modes when D is always right",
        hurts="while it is active, edges and details come later; while D is not ahead it is not computed",
        conflicts=("d-dropout",),
        requires=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "gradient-penalty",
        "The penalty of WGAN-GP",
        "Gulrajani et al. 2017 (arXiv 1704.00028)",
        {"penalty.gp": 10.0, "penalty.form": "exact"},
        korean="WGAN-GP의 페널티",
        helps="Wasserstein loss without weight clipping",
        hurts="a second backward pass; not valid for a D with batch normalisation",
        requires=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "spectral-norm",
        "Each weight of D is divided by its largest singular value",
        "Miyato et al. 2018 (arXiv 1802.05957)",
        {"discriminator.spectral": True},
        korean="판별자의 각 가중치를 가장 큰 특잇값으로 나눕니다",
        helps="a Lipschitz D at almost no cost",
        hurts="D may be weaker than with a gradient penalty",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "centring",
        "D's logits are kept around zero",
        "Lin et al. 2025, adversarial flow models",
        {"penalty.centring": 0.01},
        korean="판별자의 로짓을 0 근처로 유지합니다",
        helps="fixes the offset that a relativistic loss leaves free",
        hurts="nothing known",
        order=ORDER,
    )
)
