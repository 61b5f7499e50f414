"""The tips of the field as data: each turns one config into another, and says where it comes from and what it costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ganvas.config import Config, flat, override, to_dict
from ganvas.errors import UsageError, did_you_mean

Changes = Mapping[str, Any] | Callable[[Config], Mapping[str, Any]]


@dataclass(frozen=True)
class Trick:
    """One idea that can be switched on."""

    title: str
    source: str
    changes: Changes
    """Dotted setting -> value; or a function of the config, where the value depends on it."""
    helps: str
    hurts: str
    conflicts: tuple[str, ...] = ()
    """Tricks that cannot be had together with this one, beside those that set the same thing differently."""

    def settings(self, config: Config) -> dict[str, Any]:
        """What it would set in this config."""
        return dict(self.changes(config) if callable(self.changes) else self.changes)


GANHACKS = "Chintala et al. 2016, ganhacks"
IMPROVED = "Salimans et al. 2016, Improved Techniques for Training GANs (arXiv 1606.03498)"
DCGAN = "Radford et al. 2016, DCGAN (arXiv 1511.06434)"
ADA = "Karras et al. 2020, ADA (arXiv 2006.06676)"
DIFFAUGMENT = "Zhao et al. 2020, DiffAugment (arXiv 2006.10738)"
STYLEGAN2 = "Karras et al. 2020, StyleGAN2 (arXiv 1912.04958)"
R3GAN = "Huang et al. 2024, R3GAN (arXiv 2501.05441)"
FINITE = {"penalty.form": "finite", "penalty.sigma": 0.03, "penalty.share": 0.25}
WHOLE = {"step.joint": False, "penalty.share": 1.0}  # for a D that looks at a whole batch
NEED_TARGETS = ("hinge", "wasserstein", "relativistic")


def _both(**settings: Any) -> dict[str, Any]:
    """The same for both optimisers."""
    return {f"{player}.{key}": value for player in ("g_optim", "d_optim") for key, value in settings.items()}


TRICKS: dict[str, Trick] = {
    # -- ganhacks
    "tanh-output": Trick(
        "G ends in tanh", f"{GANHACKS}, 1; {DCGAN}", {"generator.tanh": True},
        "images stay in the range of the data from the first step",
        "saturates: pixels near black and white learn slowly",
    ),
    "spherical-z": Trick(
        "z on a sphere", f"{GANHACKS}, 3; White 2016 (arXiv 1609.04468)", {"generator.latent": "sphere"},
        "interpolations stay where G has been trained", "hardly anything at 64 or more latent dimensions: N(0, 1) "
        "lies near that sphere by itself",
    ),
    "separate-batches": Trick(
        "D sees real and fake images in calls of their own", f"{GANHACKS}, 4", {"step.joint": False},
        "with batch normalisation in D: its statistics do not mix real with fake",
        "two calls are slower than one; without batch normalisation it changes nothing",
    ),
    "avoid-sparse-gradients": Trick(
        "LeakyReLU in both networks", f"{GANHACKS}, 5", {"generator.slope": 0.2, "discriminator.slope": 0.2},
        "G gets a gradient through every unit", "nothing known at this size",
    ),
    "soft-labels": Trick(
        "Targets drawn from [0.7, 1] and [0, 0.3]", f"{GANHACKS}, 6; {IMPROVED}", {"loss.soft": 0.3},
        "a D that wins too easily keeps a gradient", "moves D's optimum: its logits no longer estimate a density ratio",
        (*NEED_TARGETS, "one-stage"),
    ),
    "noisy-labels": Trick(
        "5 % of D's targets are the wrong way round", f"{GANHACKS}, 6", {"loss.flip": 0.05},
        "slows a D that wins too easily", "slows every D", (*NEED_TARGETS, "one-stage"),
    ),
    "sgd-for-d": Trick(
        "Adam for G, SGD with momentum for D", f"{GANHACKS}, 9",
        {"g_optim.name": "adam", "d_optim.name": "sgd", "d_optim.lr": 0.01, "d_optim.beta1": 0.5},
        "slows D where it wins", "D's rate must be found anew for every network",
    ),
    "input-noise": Trick(
        "Gaussian noise on D's inputs, falling to zero", f"{GANHACKS}, 13; Arjovsky & Bottou 2017 (arXiv 1701.04862)",
        {"augment.noise": 0.1}, "real and fake images overlap early on, so D cannot tell them apart by a hair",
        "D learns fine texture late; a gradient penalty does the same for less",
    ),
    "d-dropout": Trick(
        "Dropout in D", f"{GANHACKS}, 17 (there in G)", {"discriminator.dropout": 0.3},
        "few images: D overfits later", "D is noisier; only the dcgan family has it",
    ),
    # -- Improved Techniques
    "feature-matching": Trick(
        "G also matches the mean of D's last features", f"{IMPROVED}, 3.1", {"loss.feature_matching": 1.0},
        "steadier where G and D chase each other", "pictures blurrier; one more thing that D's scale decides",
        ("one-stage",),
    ),
    "minibatch-discrimination": Trick(
        "D sees distances within the batch", f"{IMPROVED}, 3.2", {"discriminator.minibatch": "features", **WHOLE},
        "against mode collapse", "slower; D no longer looks at one image alone",
    ),
    "historical-averaging": Trick(
        "Weights are drawn to their mean over the past", f"{IMPROVED}, 3.3", _both(historical=1e-4),
        "damps oscillation", "slows learning; a moving average of G for sampling (ema) has displaced it",
    ),
    "label-smoothing": Trick(
        "D's target for real images is 0.9", f"{IMPROVED}, 3.4", {"loss.smooth": 0.1},
        "D is less sure of itself", "little with a gradient penalty, which does the same", NEED_TARGETS,
    ),
    "virtual-batch-norm": Trick(
        "G is normalised by a fixed reference batch", f"{IMPROVED}, 3.5", {"generator.norm": "virtual"},
        "images of one batch no longer depend on each other", "G costs twice as much",
    ),
    "inception-score": Trick(
        "Score samples while training", f"{IMPROVED}, 4", {"evaluate.every": 50_000},
        "shows whether it still improves (under our classifier; the true Inception Score: ganvas evaluate)",
        "up to 5 % of the time; data sets with a classifier that ships",
    ),
    # -- DCGAN's guidelines
    "batch-norm": Trick(
        "Batch normalisation in G and D, but for D's first layer", DCGAN,
        lambda config: {"generator.norm": "batch",
                        "discriminator.norms": (False,) + (True,) * (len(config.discriminator.widths) - 1)},
        "plain networks train at all, and evenly", "D's view of an image depends on its batch; gradient penalties lose "
        "their meaning", ("one-stage", "r1", "r1-r2", "gradient-penalty", "joint-batch"),
    ),
    "relu-generator": Trick(
        "ReLU in G", DCGAN, {"generator.slope": 0.0}, "the guideline; what the Recap GAN does", "sparse gradients",
    ),
    "dcgan-adam": Trick(
        "Adam at 2e-4 with beta1 0.5", DCGAN, _both(name="adam", lr=2e-4, beta1=0.5),
        "less momentum: G and D follow each other more closely", "nothing known at this size",
    ),
    "normal-init": Trick(
        "First weights from N(0, 0.02)", DCGAN, {"generator.init": "normal", "discriminator.init": "normal"},
        "the guideline for batch-normalised networks", "too small without normalisation",
    ),
    # -- losses
    "least-squares": Trick(
        "Least-squares loss", "Mao et al. 2017 (arXiv 1611.04076)", {"loss.name": "least-squares"},
        "a gradient for fakes far from the boundary", "no zero at convergence; sensitive to the scale of D",
        ("one-stage",),
    ),
    "hinge": Trick(
        "Hinge loss", "Lim & Ye 2017 (arXiv 1705.02894); Miyato et al. 2018 (arXiv 1802.05957)", {"loss.name": "hinge"},
        "with spectral normalisation the standard of 2018 to 2020", "D stops learning from pairs beyond the margin",
        ("one-stage", "soft-labels", "noisy-labels", "label-smoothing"),
    ),
    "wasserstein": Trick(
        "Wasserstein loss", "Arjovsky et al. 2017 (arXiv 1701.07875)", {"loss.name": "wasserstein"},
        "the loss estimates a distance", "needs a D kept smooth (gradient-penalty, spectral-norm) and several D steps",
        ("soft-labels", "noisy-labels", "label-smoothing"),
    ),
    "relativistic": Trick(
        "Each fake against a real image", "Jolicoeur-Martineau 2018 (arXiv 1807.00734); " + R3GAN,
        {"loss.name": "relativistic"}, "every mode needs its own boundary: no mode dropping in theory",
        "no absolute accuracy; needs a penalty on D's gradient",
        ("soft-labels", "noisy-labels", "label-smoothing"),
    ),
    # -- penalties
    "r1": Trick(
        "Zero-centred gradient penalty on real images", "Mescheder et al. 2018 (arXiv 1801.04406)",
        {"penalty.r1": 1.0, "penalty.form": "exact", "penalty.adapt": 0.0},
        "local convergence: D cannot win by a cliff",
        "a second backward pass: D's step costs about twice as much", ("batch-norm", "lazy-r1"),
    ),
    "lazy-r1": Trick(
        "R1 at every 16th update, 16 times as strong", STYLEGAN2,
        {"penalty.r1": 1.0, "penalty.form": "exact", "penalty.every": 16, "penalty.adapt": 0.0},
        "nearly R1's effect for 6 % of its cost",
        "jolts at large strength", ("batch-norm", "r1"),
    ),
    "r1-r2": Trick(
        "R1 and R2 from finite differences on a quarter of the batch",
        f"{R3GAN}; Lin et al. 2025, APT (arXiv 2501.08316)",
        {"penalty.r1": 0.02, "penalty.r2": 0.02, **FINITE, "penalty.adapt": 0.0},
        "R3GAN's convergence without a second backward pass", "noisier than the exact one; sigma 0.01 is lost in bf16",
        ("batch-norm", "d-dropout"),
    ),
    "adaptive-r1-r2": Trick(
        "R1 and R2 that grow while D leads by far", f"ganvas, after {R3GAN} and Karras et al. 2020 (ADA)",
        {"penalty.r1": 2.0, "penalty.r2": 2.0, **FINITE, "penalty.adapt": 0.6},
        "data whose modes lie apart (shapes, digits, icons): a D that is always right lets G drop some",
        "where it acts, edges and details come later; where D does not lead it is not computed",
        ("batch-norm", "d-dropout"),
    ),
    "gradient-penalty": Trick(
        "WGAN-GP's penalty", "Gulrajani et al. 2017 (arXiv 1704.00028)",
        {"penalty.gp": 10.0, "penalty.form": "exact"}, "Wasserstein without weight clipping",
        "a second backward pass; not meant for D with batch normalisation", ("batch-norm",),
    ),
    "spectral-norm": Trick(
        "Every weight of D divided by its largest singular value", "Miyato et al. 2018 (arXiv 1802.05957)",
        {"discriminator.spectral": True}, "a Lipschitz D for nearly nothing", "D is weaker than a penalised one may be",
    ),
    "centring": Trick(
        "D's logits are kept around zero", "Lin et al. 2025, adversarial flow models", {"penalty.centring": 0.01},
        "pins the offset that a relativistic loss leaves free", "nothing known", ("one-stage",),
    ),
    # -- training
    "ema": Trick(
        "Samples from a moving average of G", "Yazici et al. 2019 (arXiv 1806.04498); " + STYLEGAN2,
        {"step.ema_kimg": 20.0, "step.ema_warmup": 0.1}, "always, nearly: averages out the chase of G and D",
        "one more copy of G; a fixed long half-life lags in short runs (hence its warm-up)",
    ),
    "ttur": Trick(
        "D learns four times as fast as G", "Heusel et al. 2017 (arXiv 1706.08500)",
        lambda config: {"d_optim.lr": 4 * config.g_optim.lr}, "one D step an update suffices", "D may win",
    ),
    "more-d-steps": Trick(
        "Five updates of D for each of G", "Arjovsky et al. 2017 (arXiv 1701.07875)",
        {"step.update": "alternating", "step.d_steps": 5}, "Wasserstein: D must be near its optimum",
        "five times the real images for each update of G",
    ),
    "linear-decay": Trick(
        "Learning rates fall linearly to zero over the second half", "common; Miyato et al. 2018",
        _both(decay="linear", decay_from=0.5), "the end of a run settles", "the run's length must be known",
    ),
    "cosine-decay": Trick(
        "Learning rates fall to zero along a cosine", "Loshchilov & Hutter 2017 (arXiv 1608.03983)",
        _both(decay="cosine", decay_from=0.0), "the end of a run settles", "the run's length must be known",
    ),
    "adamw": Trick(
        "Decoupled weight decay", "Loshchilov & Hutter 2019 (arXiv 1711.05101)",
        _both(name="adamw", weight_decay=0.01), "keeps weights small without normalisation", "one more number",
    ),
    "rmsprop": Trick(
        "RMSProp without momentum", "Tieleman & Hinton 2012; Arjovsky et al. 2017", _both(name="rmsprop", beta2=0.9),
        "no momentum to carry G past D", "slower at first",
    ),
    "muon": Trick(
        "Orthogonalised updates of hidden convolutions", "Jordan et al. 2024, Muon", _both(muon=0.02),
        "more progress an update", "small batches: the iteration costs time; the rate must be found",
    ),
    "gradient-accumulation": Trick(
        "A batch in four parts", "common", {"step.accumulate": 4}, "a quarter of the memory",
        "batch normalisation sees the parts",
    ),
    "gradient-clipping": Trick(
        "Gradients no longer than 1", "Pascanu et al. 2013 (arXiv 1211.5063)", _both(clip=1.0),
        "a single bad batch does little harm", "hides an unstable loss",
    ),
    "simultaneous": Trick(
        "Both gradients from the weights as they were", "the course's step", {"step.update": "simultaneous"},
        "one forward pass of G and D serves both", "G learns from a D one step behind",
    ),
    "one-stage": Trick(
        "G's gradient read off D's backward pass", "Shen et al. 2021, OSGAN (arXiv 2103.00430)",
        {"step.update": "one-stage", "step.joint": True}, "a third less work for each update",
        "not with losses or layers that look at a whole batch",
        ("batch-norm",),
    ),
    "joint-batch": Trick(
        "D sees real and fake images in one call", "common", {"step.joint": True}, "quicker",
        "mixes their statistics where D has batch normalisation", ("batch-norm",),
    ),
    "minibatch-std": Trick(
        "D sees the standard deviation within the batch", "Karras et al. 2018 (arXiv 1710.10196)",
        {"discriminator.minibatch": "std", **WHOLE}, "against mode collapse, nearly for free",
        "D no longer looks at one image alone",
    ),
    # -- classes
    "class-conditional": Trick(
        "G and D are told the class", "Mirza & Osindero 2014 (arXiv 1411.1784); Miyato & Koyama 2018",
        {"data.labels": "use"}, "objects come sooner, and on demand", "needs labels",
    ),
    "conditional-norm": Trick(
        "The class sets scale and shift of G's normalisations", "Dumoulin et al. 2017 (arXiv 1610.07629)",
        {"data.labels": "use", "generator.norm": "batch", "generator.condition": "norm"},
        "the class reaches every layer", "needs labels and batch normalisation",
    ),
    "auxiliary-classifier": Trick(
        "D also names the class, and G's images should be named rightly",
        "Odena et al. 2017, AC-GAN (arXiv 1610.09585)",
        {"data.labels": "use", "discriminator.classify": 1.0, "discriminator.classify_by": "layer",
         "discriminator.classify_margin": 0.0, "discriminator.classify_variety": 0.0, "loss.g_classify": 0.5},
        "objects look like their class sooner", "G is drawn to the easy middle of each class", ("one-stage",),
    ),
    "projection-classifier": Trick(
        "D's projection also names the class of real images",
        "Chen et al. 2021, ECGAN (arXiv 2111.01035), with a margin instead of cross-entropy",
        {"data.labels": "use", "discriminator.classify": 1.0, "discriminator.classify_by": "projection",
         "discriminator.classify_margin": 1.0, "discriminator.classify_variety": 0.85},
        "objects look like their class sooner", "less variety within a class, most where classes are easy to tell",
    ),
    # -- augmentation
    "flip": Trick(
        "Real images mirrored at random", "common", {"data.flip": True}, "twice the data",
        "where left and right matter (letters, shoes) G mirrors them too",
    ),
    "translation": Trick(
        "Images shifted by up to an eighth before D", DIFFAUGMENT, {"augment.p": 1.0, "augment.translate": 0.125},
        "few images: D overfits later", "plenty of images, short runs: slows learning",
    ),
    "cutout": Trick(
        "A square of every image hidden from D", DIFFAUGMENT, {"augment.p": 1.0, "augment.cutout": 0.5},
        "few images: D overfits later", "plenty of images, short runs: slows learning",
    ),
    "colour": Trick(
        "Brightness, saturation and contrast changed before D", DIFFAUGMENT,
        {"augment.p": 1.0, "augment.colour": 1.0}, "few images: D overfits later", "colours are learnt more slowly",
    ),
    "ada": Trick(
        "Augmentation as strong as D overfits", ADA,
        {"augment.translate": 0.125, "augment.cutout": 0.5, "augment.colour": 1.0, "augment.mirror": True,
         "augment.adapt": 0.5, "data.held_out": 0.1},
        "few images, without guessing a strength", "a tenth of them is held out",
    ),
}  # fmt: skip


def get(name: str) -> Trick:
    """The trick called `name`; UsageError with the nearest name otherwise."""
    if name not in TRICKS:
        raise UsageError(f"unknown trick {name!r}{did_you_mean(name, TRICKS)} (ganvas tricks lists them)")
    return TRICKS[name]


def conflicts(name: str, config: Config) -> list[str]:
    """The tricks that cannot be had together with this one: declared by either, or setting one thing differently."""
    own, found = get(name).settings(config), []
    for other, trick in TRICKS.items():
        theirs = trick.settings(config)
        differ = any(own[key] != theirs[key] for key in own.keys() & theirs.keys())
        if differ or other in TRICKS[name].conflicts or name in trick.conflicts:
            found.append(other)
    return found


def apply(config: Config, names: Sequence[str], check: Callable[[Config], None] | None = None) -> Config:
    """The config with these tricks on, and their names noted in it; `check` may refuse it after each of them.

    Raises UsageError for a name that is not known, for two that cannot be had together, and for a setting that the
    config's networks do not have.
    """
    for i, name in enumerate(names):
        trick, barred = get(name), conflicts(name, config)
        for other in (*config.tricks, *names[:i]):
            if other in barred:
                raise UsageError(f"the tricks {other} and {name} cannot be had together (ganvas tricks {name})")
        try:
            config = override(config, trick.settings(config))
            if check:
                check(config)
        except UsageError as error:
            raise UsageError(f"the trick {name} does not fit here: {error}") from error
    return replace(config, tricks=(*config.tricks, *names))


def on(config: Config) -> list[str]:
    """The tricks whose settings all hold in this config, however they came there."""
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in flat(to_dict(config)).items()}
    found = []
    for name, trick in TRICKS.items():
        wanted = trick.settings(config)
        if wanted and all(values[key] == value for key, value in wanted.items()):
            found.append(name)
    return found
