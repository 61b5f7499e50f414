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
        helps="a D that wins too easily still gets a gradient",
        hurts="moves D's optimum: its logits no longer estimate a density ratio",
        requires=("loss with targets",),
        removes=("loss rises with D(fake)",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "noisy-labels",
        "5 % of D's targets are swapped",
        f"{GANHACKS}, 6",
        {"loss.flip": 0.05},
        helps="slows down a D that wins too easily",
        hurts="slows down every D",
        requires=("loss with targets",),
        removes=("loss rises with D(fake)",),
        order=ORDER,
    )
)
register_trick(
    Trick(
        "sgd-for-d",
        "Adam for G, SGD with momentum for D",
        f"{GANHACKS}, 9",
        {"g_optim.name": "adam", "d_optim.name": "sgd", "d_optim.lr": 0.01, "d_optim.beta1": 0.5},
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
        helps="with few images: D overfits later",
        hurts="D's gradients are noisier; only the dcgan family has it",
        order=ORDER,
    )
)
