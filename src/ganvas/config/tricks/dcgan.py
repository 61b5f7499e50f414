"""The guidelines of Radford et al. 2016 (DCGAN, arXiv 1511.06434)."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, both_optimisers, register_trick
from ganvas.config.tricks.sources import DCGAN

ORDER = 30

register_trick(
    Trick(
        "batch-norm",
        "Batch normalisation in G and in D, except D's first layer",
        DCGAN,
        lambda config: {
            "generator.norm": "batch",
            "discriminator.norms": (False,) + (True,) * (len(config.discriminator.widths) - 1),
        },
        korean="판별자의 첫 층을 제외한 두 네트워크에 배치 정규화를 씁니다",
        helps="plain networks train at all, and more evenly",
        hurts="D's logit of an image depends on its batch; gradient penalties lose their meaning",
        removes=("D judges single images",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "relu-generator",
        "ReLU in G",
        DCGAN,
        {"generator.slope": 0.0},
        korean="생성자에 ReLU를 씁니다",
        helps="the guideline; the Recap GAN follows it",
        hurts="sparse gradients",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "dcgan-adam",
        "Adam at 2e-4 with beta1 0.5",
        DCGAN,
        both_optimisers(name="adam", lr=2e-4, beta1=0.5),
        korean="학습률 2e-4, beta1 0.5의 Adam을 씁니다",
        helps="less momentum: G and D follow each other more closely",
        hurts="nothing known for networks of this size",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "normal-init",
        "Initial weights from N(0, 0.02)",
        DCGAN,
        {"generator.init": "normal", "discriminator.init": "normal"},
        korean="초기 가중치를 N(0, 0.02)에서 뽑습니다",
        helps="the guideline for batch-normalised networks",
        hurts="too small without normalisation",
        order=ORDER,
    )
)
