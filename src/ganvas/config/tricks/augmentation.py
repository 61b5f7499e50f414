"""Augmentation of the data, and of all images before D."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, register_trick

ORDER = 80
DIFFAUGMENT = "Zhao et al. 2020, DiffAugment (arXiv 2006.10738)"

register_trick(
    Trick(
        "flip",
        "Real images are mirrored at random",
        "common",
        {"data.flip": True},
        korean="진짜 이미지를 무작위로 좌우 반전합니다",
        helps="twice the data",
        hurts="if left and right matter (letters, shoes), G makes mirrored ones too",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "translation",
        "Images are shifted by up to an eighth before D",
        DIFFAUGMENT,
        {"augment.p": 1.0, "augment.translate": 0.125},
        korean="판별자에 넣기 전에 이미지를 최대 8분의 1만큼 옮깁니다",
        helps="with few images: D overfits later",
        hurts="with many images and short runs: slows down learning",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "cutout",
        "A square of every image is hidden from D",
        DIFFAUGMENT,
        {"augment.p": 1.0, "augment.cutout": 0.5},
        korean="이미지마다 정사각형 하나를 판별자에게 가립니다",
        helps="with few images: D overfits later",
        hurts="with many images and short runs: slows down learning",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "colour",
        "Brightness, saturation and contrast are changed before D",
        DIFFAUGMENT,
        {"augment.p": 1.0, "augment.colour": 1.0},
        korean="판별자에 넣기 전에 밝기, 채도, 대비를 바꿉니다",
        helps="with few images: D overfits later",
        hurts="colours are learned more slowly",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "ada",
        "Augmentation as strong as D's overfitting requires",
        "Karras et al. 2020, ADA (arXiv 2006.06676)",
        {
            "augment.translate": 0.125,
            "augment.cutout": 0.5,
            "augment.colour": 1.0,
            "augment.mirror": True,
            "augment.adapt": 0.5,
            "data.held_out": 0.1,
        },
        korean="판별자의 과적합에 맞춰 증강의 세기를 조절합니다",
        helps="with few images: no strength to guess",
        hurts="a tenth of them is held out",
        order=ORDER,
    )
)
