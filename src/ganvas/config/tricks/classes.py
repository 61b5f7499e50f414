"""Class-conditional training."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, register_trick

ORDER = 70

register_trick(
    Trick(
        "class-conditional",
        "G and D get the class as an input",
        "Mirza & Osindero 2014 (arXiv 1411.1784); Miyato & Koyama 2018",
        {"data.labels": "use"},
        korean="두 네트워크가 클래스를 입력으로 받습니다",
        helps="objects appear sooner, and any class can be requested",
        hurts="needs labels",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "conditional-norm",
        "The class sets scale and shift of G's normalisation layers",
        "Dumoulin et al. 2017 (arXiv 1610.07629)",
        {"data.labels": "use", "generator.norm": "batch", "generator.condition": "norm"},
        korean="클래스가 생성자 정규화 층의 배율과 이동을 정합니다",
        helps="the class reaches every layer",
        hurts="needs labels and batch normalisation",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "auxiliary-classifier",
        "D also classifies images, and G learns that its images are classified correctly",
        "Odena et al. 2017, AC-GAN (arXiv 1610.09585)",
        {
            "data.labels": "use",
            "discriminator.classify": 1.0,
            "discriminator.classify_by": "layer",
            "discriminator.classify_margin": 0.0,
            "discriminator.classify_variety": 0.0,
            "loss.g_classify": 0.5,
        },
        korean="판별자가 클래스도 분류하고, 생성자는 올바르게 분류되는 이미지를 학습합니다",
        helps="objects look like their class sooner",
        hurts="G prefers the easiest examples of each class",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "projection-classifier",
        "D's projection also classifies real images",
        "Chen et al. 2021, ECGAN (arXiv 2111.01035), up to a margin",
        {
            "data.labels": "use",
            "discriminator.classify": 1.0,
            "discriminator.classify_by": "projection",
            "discriminator.classify_margin": 1.0,
            "discriminator.classify_variety": 0.85,
        },
        korean="판별자의 프로젝션이 진짜 이미지의 클래스도 분류합니다",
        helps="objects look like their class sooner",
        hurts="less diversity within a class, most of all if classes are easy to tell apart",
        order=ORDER,
    )
)
