"""Other losses than cross-entropy. A test compares `removes` with the Loss objects of training/losses.py."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, register_trick
from ganvas.config.tricks.sources import R3GAN

ORDER = 40

register_trick(
    Trick(
        "least-squares",
        "Least-squares loss",
        "Mao et al. 2017 (arXiv 1611.04076)",
        {"loss.name": "least-squares"},
        korean="최소제곱 손실",
        helps="fakes far from the decision boundary get a gradient",
        hurts="no zero at convergence; sensitive to the scale of D",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "hinge",
        "Hinge loss",
        "Lim & Ye 2017 (arXiv 1705.02894); Miyato et al. 2018 (arXiv 1802.05957)",
        {"loss.name": "hinge"},
        korean="힌지 손실",
        helps="with spectral normalisation: the standard of 2018 to 2020",
        hurts="D stops learning from pairs beyond the margin",
        removes=("loss with targets",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "wasserstein",
        "Wasserstein loss",
        "Arjovsky et al. 2017 (arXiv 1701.07875)",
        {"loss.name": "wasserstein"},
        korean="바서슈타인(Wasserstein) 손실",
        helps="the loss estimates a distance",
        hurts="D must be kept smooth (gradient-penalty, spectral-norm) and needs several steps per G step",
        removes=("loss with targets",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "relativistic",
        "Each fake image is compared with a real one",
        f"Jolicoeur-Martineau 2018 (arXiv 1807.00734); {R3GAN}",
        {"loss.name": "relativistic"},
        korean="가짜 이미지를 하나씩 진짜 이미지와 비교합니다",
        helps="every mode needs its own decision boundary: no mode dropping in theory",
        hurts="no absolute accuracy; needs a penalty on D's gradient",
        removes=("loss with targets",),
        order=ORDER,
    )
)
