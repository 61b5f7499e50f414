"""Salimans et al. 2016, "Improved Techniques for Training GANs" (arXiv 1606.03498), by its sections."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, both_optimisers, register_trick
from ganvas.config.tricks.sources import IMPROVED

ORDER = 20

register_trick(
    Trick(
        "feature-matching",
        "G also matches the mean of D's last features",
        f"{IMPROVED}, 3.1",
        {"loss.feature_matching": 1.0},
        korean="생성자가 판별자 마지막 특징의 평균도 맞춥니다",
        helps="more stable when G and D oscillate",
        hurts="blurrier images; one more weight that depends on D's scale",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "minibatch-discrimination",
        "D sees distances within the batch",
        f"{IMPROVED}, 3.2",
        {"discriminator.minibatch": "features", "step.joint": False, "penalty.share": 1.0},
        korean="판별자가 배치 안의 거리를 봅니다",
        helps="against mode collapse",
        hurts="slower; D no longer judges each image alone",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "historical-averaging",
        "Weights are pulled towards their mean over the past",
        f"{IMPROVED}, 3.3",
        both_optimisers(historical=1e-4),
        korean="가중치를 지난 값의 평균 쪽으로 당깁니다",
        helps="damps oscillation",
        hurts="slows down learning; today a moving average of G for sampling (ema) is preferred",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "label-smoothing",
        "D's target for real images is 0.9",
        f"{IMPROVED}, 3.4",
        {"loss.smooth": 0.1},
        korean="진짜 이미지에 대한 판별자의 목표값이 0.9입니다",
        helps="D is less overconfident",
        hurts="little effect with a gradient penalty, which does the same",
        requires=("loss with targets",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "virtual-batch-norm",
        "G is normalised by a fixed reference batch",
        f"{IMPROVED}, 3.5",
        {"generator.norm": "virtual"},
        korean="생성자를 고정된 기준 배치로 정규화합니다",
        helps="images of one batch no longer depend on each other",
        hurts="G costs twice as much",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "inception-score",
        "Score samples during training",
        f"{IMPROVED}, 4",
        {"evaluate.every": 50_000},
        korean="학습하는 동안 샘플의 점수를 계산합니다",
        helps="shows whether training still improves (with our classifier; the true Inception Score: ganvas evaluate)",
        hurts="up to 5 % of the time; only for data sets with a shipped classifier",
        order=ORDER,
    )
)
