"""The list of Chintala et al. 2016, "How to train a GAN?" (github.com/soumith/ganhacks), by its numbers."""

from __future__ import annotations

from ganvas.config.tricks.registry import Trick, register_trick
from ganvas.config.tricks.sources import DCGAN, GANHACKS

ORDER = 10

register_trick(
    Trick(
        "tanh-output",
        "G ends in tanh",
        f"{GANHACKS}, 1; {DCGAN}",
        {"generator.tanh": True},
        korean="생성자의 출력에 tanh를 씁니다",
        helps="images stay in the range of the data from the first step",
        hurts="saturates: pixels near black and white learn slowly",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "spherical-z",
        "z on a sphere",
        f"{GANHACKS}, 3; White 2016 (arXiv 1609.04468)",
        {"generator.latent": "sphere"},
        korean="z를 구면 위에서 뽑습니다",
        helps="interpolations stay where G has been trained",
        hurts="little effect at 64 or more latent dimensions: N(0, 1) lies near that sphere anyway",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "separate-batches",
        "Real and fake images pass through D in separate calls",
        f"{GANHACKS}, 4",
        {"step.joint": False},
        korean="진짜와 가짜 이미지를 따로 판별자에 넣습니다",
        helps="with batch normalisation in D: its statistics do not mix real with fake",
        hurts="two calls are slower than one; without batch normalisation it changes nothing",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "avoid-sparse-gradients",
        "LeakyReLU in both networks",
        f"{GANHACKS}, 5",
        {"generator.slope": 0.2, "discriminator.slope": 0.2},
        korean="두 네트워크 모두 LeakyReLU를 씁니다",
        helps="G gets a gradient through every unit",
        hurts="nothing known for networks of this size",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "soft-labels",
        "Targets drawn from [0.7, 1] and [0, 0.3]",
        f"{GANHACKS}, 6; Salimans et al. 2016 (arXiv 1606.03498)",
        {"loss.soft": 0.3},
        korean="목표값을 [0.7, 1]과 [0, 0.3]에서 뽑습니다",
        helps="a D that wins too easily still gets a gradient",
        hurts="moves D's optimum: its logits no longer estimate a density ratio",
        requires=("loss with targets",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "noisy-labels",
        "5 % of D's targets are swapped",
        f"{GANHACKS}, 6",
        {"loss.flip": 0.05},
        korean="판별자 목표값의 5%를 서로 바꿉니다",
        helps="slows down a D that wins too easily",
        hurts="slows down every D",
        requires=("loss with targets",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "sgd-for-d",
        "Adam for G, SGD with momentum for D",
        f"{GANHACKS}, 9",
        {"g_optim.name": "adam", "d_optim.name": "sgd", "d_optim.lr": 0.01, "d_optim.beta1": 0.5},
        korean="생성자는 Adam, 판별자는 모멘텀 SGD를 씁니다",
        helps="slows down a D that wins",
        hurts="D's learning rate must be tuned again for every network",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "input-noise",
        "Gaussian noise on D's inputs, decreasing to zero",
        f"{GANHACKS}, 13; Arjovsky & Bottou 2017 (arXiv 1701.04862)",
        {"augment.noise": 0.1},
        korean="판별자 입력에 점점 줄어드는 가우시안 노이즈를 더합니다",
        helps="real and fake images overlap early on, so that tiny differences do not separate them",
        hurts="D learns fine texture late; a gradient penalty does the same at less cost",
        order=ORDER,
    )
)
register_trick(
    Trick(
        "d-dropout",
        "Dropout in D",
        f"{GANHACKS}, 17 (there in G)",
        {"discriminator.dropout": 0.3},
        korean="판별자에 드롭아웃을 씁니다",
        helps="with few images: D overfits later",
        hurts="D's gradients are noisier; only the dcgan family has it",
        order=ORDER,
    )
)
