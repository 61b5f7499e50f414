"""The config of a training: nested frozen dataclasses, each field with a docstring and its unit. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

SCHEMA_VERSION = 2


Fit = Literal["crop", "pad", "stretch"]
Frames = Literal["first", "all"]


@dataclass(frozen=True)
class DataConfig:
    """The images that D sees as real."""

    name: str = "cifar10"
    """A known set (`ganvas data list`) or a path to a folder, zip, npz or IDX file of your own images."""
    split: Literal["train", "test"] = "train"
    """Which split. Of your own images, test is what folders named test, or else val, hold."""
    size: int | None = None
    """Side in pixels; None keeps the set's own (your own images: equal squares of 16 to 64, else 32)."""
    channels: int | None = None
    """1 = grey, 3 = RGB; None keeps the set's own."""
    classes: tuple[str, ...] = ()
    """Only these classes, by name; empty = all."""
    limit: int | None = None
    """Only so many images, balanced over the classes; None = all."""
    fit: Fit = "crop"
    """How a rectangle becomes a square: its middle, all of it on white, or all of it pulled into shape."""
    label_from: str = "auto"
    """Where the classes of your own pictures are: auto, folders, a table of labels, or name:REGEX or path:REGEX."""
    encoding: str = "auto"
    """Encoding of the names in a zip file without UTF-8 names, such as cp949, cp932, gbk or big5."""
    frames: Frames = "first"
    """Of animations (GIF, WebP, APNG, AVIF): the first frame, or all of them. Every page of a TIFF is a picture."""
    labels: Literal["ignore", "auto", "use"] = "ignore"
    """Class-conditional training: ignore the labels, use them, or auto: use them when the data have classes."""
    flip: bool = False
    """Mirror each real image left to right with probability 0.5."""
    held_out: float = 0.0
    """Share of the images that training never uses, to measure how far D overfits."""


@dataclass(frozen=True)
class GeneratorConfig:
    """G: a dense layer to a small feature map, then layers that double its side up to the image."""

    family: str = "dcgan"
    """A registered family of networks: dcgan, pytorch-example, keras-example, resnet, r3, stylegan2, lean, mlp, or one
    of your own (register_family)."""
    latent_dim: int = 100
    """Length of z."""
    latent: Literal["normal", "sphere"] = "normal"
    """z ~ N(0, 1), or the same scaled to length sqrt(latent_dim)."""
    width: float = 1.0
    """Factor on every number of channels below."""
    base: int = 256
    """Channels of the first map, made by the dense layer."""
    widths: tuple[int, ...] = (128, 64)
    """Channels after each doubling; dcgan: of each hidden transposed convolution."""
    blocks: tuple[int, ...] = ()
    """Residual blocks at each map, the first one first; empty = the family's own."""
    group: int = 16
    """r3: channels in each group of its 3x3 convolutions."""
    norm: Literal["batch", "virtual", "none"] = "batch"
    """Normalisation of hidden layers: of the batch, of a fixed reference batch (Salimans et al. 2016), none."""
    condition: Literal["concat", "norm"] = "concat"
    """How a class enters G: concatenated with z, or as scale and shift of every normalisation."""
    strides: tuple[int, ...] = (2, 2, 2)
    """dcgan: stride of each transposed convolution, the image layer last; their product sets the first map's size."""
    extra: tuple[int, ...] = ()
    """dcgan: output channels of a 3x3 convolution after each hidden block; empty = none."""
    kernel: int = 5
    """Side of the transposed convolutions' kernels, in pixels."""
    slope: float = 0.3
    """Negative slope of the activations (0 = ReLU)."""
    skip: bool = False
    """lean: every map adds an image of its own, enlarged to the next (Karras et al. 2020, StyleGAN2)."""
    eigenimages: int = 0
    """resnet: an image starts from the mean of its class and this many principal components of the class's training
    images (eigenimages), at most latent_dim, weighed by the first numbers of z; 0 = from nothing."""
    tanh: bool = True
    """Whether the image layer ends in tanh; without it images are only clipped when they are saved."""
    init: Literal["family", "normal"] = "family"
    """First weights: the family's own (dcgan: glorot-uniform), or N(0, 0.02) (Radford et al. 2016)."""


@dataclass(frozen=True)
class DiscriminatorConfig:
    """D: layers that halve the image's side down to a small map, then a dense layer to one logit."""

    family: str = "dcgan"
    """A registered family of networks: dcgan, pytorch-example, keras-example, resnet, r3, stylegan2, lean, mlp, or one
    of your own (register_family)."""
    width: float = 1.0
    """Factor on every number of channels below."""
    widths: tuple[int, ...] = (64, 128)
    """Channels after each halving."""
    blocks: tuple[int, ...] = ()
    """Residual blocks at each map, the image's first; empty = the family's own."""
    group: int = 16
    """r3: channels in each group of its 3x3 convolutions."""
    norms: tuple[bool, ...] = (False, False)
    """dcgan: whether batch normalisation follows each convolution."""
    spectral: bool = False
    """Divide every weight by its largest singular value (Miyato et al. 2018)."""
    spectral_gain: float = 1.0
    """With spectral: factor on the weights of the last layers, so on the slope that D can have."""
    minibatch: Literal["none", "std", "features"] = "none"
    """What D uses of the rest of the batch: nothing, its standard deviation (Karras et al. 2018), or distances of
    features (minibatch discrimination, Salimans et al. 2016)."""
    kernel: int = 5
    """Side of the kernels, in pixels."""
    pool: bool = False
    """lean: the last features are sums over the last map, as resnet's are, instead of that map's every pixel."""
    slope: float = 0.3
    """Negative slope of the activations (0 = ReLU)."""
    classify: float = 0.0
    """Weight of D's classification loss on real images, with labels; 0 = off. It falls to 0 as adaptive penalties
    grow to their full weight (penalty.adapt)."""
    classify_by: Literal["layer", "projection"] = "layer"
    """Which layer gives the class logits: a second last layer (Odena et al. 2017), or the projection, which is part of
    D's logit (Chen et al. 2021)."""
    classify_margin: float = 0.0
    """The classification loss is cross-entropy. 0: of all images. Else of those alone whose right class's logit does
    not exceed all others by this margin: an image that is classified well costs nothing."""
    classify_variety: float = 0.0
    """The classification loss counts only in updates whose fakes vary within their classes at least this share as much
    as the real images (losses.within_class_variety); 0 = in all updates."""
    dropout: float = 0.3
    """dcgan: share of activations dropped after each layer while training, in [0, 1)."""
    init: Literal["family", "normal"] = "family"
    """First weights: the family's own (dcgan: glorot-uniform), or N(0, 0.02) (Radford et al. 2016)."""


@dataclass(frozen=True)
class AugmentConfig:
    """Augmentation of every image, real and fake, that D gets (Zhao et al. 2020; Karras et al. 2020)."""

    p: float = 0.0
    """Probability of each part for each image; 0 = off."""
    ramp: float = 0.0
    """p rises from 0 over this share of the run."""
    mirror: bool = False
    """Left to right."""
    translate: float = 0.0
    """By at most this share of the side, filled with zeros (grey)."""
    cutout: float = 0.0
    """A square of this share of the side is set to zero."""
    colour: float = 0.0
    """Brightness, saturation and contrast are changed by up to this much (1 = Zhao et al.)."""
    paired: bool = True
    """The real and the fake image of a pair get the same augmentation."""
    adapt: float = 0.0
    """p follows D's overfitting on held-out images (ADA) towards this value; 0 = off. Needs data.held_out."""
    adapt_kimg: float = 100.0
    """Thousand images in which p can rise from 0 to 1."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise added to D's inputs; falls linearly to 0 over the run."""


@dataclass(frozen=True)
class LossConfig:
    """What G and D minimise."""

    name: str = "bce"
    """A registered loss: bce (non-saturating cross-entropy on logits, Goodfellow et al. 2014), least-squares, hinge,
    wasserstein, relativistic, or one of your own (register_loss)."""
    g_weight: float = 1.0
    """Factor on G's loss."""
    smooth: float = 0.0
    """Losses with targets (bce, least-squares): a real image's target is 1 minus this (one-sided label smoothing)."""
    soft: float = 0.0
    """Losses with targets: targets are drawn from [1 - soft, 1] and [0, soft]."""
    soft_below: bool = False
    """soft: fakes' targets are drawn from [-soft, 0] instead of [0, soft], as in Keras' DCGAN example."""
    flip: float = 0.0
    """Losses with targets: probability that an image's target is the opposite one, for D."""
    g_classify: float = 0.0
    """Factor on the cross-entropy of D's class logits of fakes, added to G's loss. Needs discriminator.classify."""
    feature_matching: float = 0.0
    """Factor on the squared distance of real and fake mean features, added to G's loss."""
    rebuild: float = 0.0
    """generator.eigenimages: factor on the distance between thumbnails of a real image and of what G makes of its
    weights of them, added to G's loss; it is 0 from half of the run on. Every second z holds a real image's weights."""


@dataclass(frozen=True)
class PenaltyConfig:
    """Weights of the terms that keep D smooth, added to its loss; 0 = off."""

    r1: float = 0.0
    """Gamma of gamma / 2 * |grad D(real)|^2 (Mescheder et al. 2018)."""
    r2: float = 0.0
    """Gamma of gamma / 2 * |grad D(fake)|^2."""
    gp: float = 0.0
    """Lambda of lambda * (|grad D(mix)| - 1)^2 between real and fake images (Gulrajani et al. 2017)."""
    centring: float = 0.0
    """Weight of (D(real) + D(fake))^2: fixes the offset that a relativistic loss leaves free."""
    form: Literal["exact", "finite"] = "exact"
    """exact: double backward. finite: from D at images moved by noise of `sigma`; first order, cheaper (r1, r2)."""
    sigma: float = 0.03
    """finite: standard deviation of the noise. D learns to ignore noise of this size, so samples may contain it.
    Smaller values drown in bfloat16's rounding: at 0.01 the term is 3 to 5 times |grad D|^2, at 0.03 1.5 to 2.7."""
    share: float = 1.0
    """Share of the batch that r1, r2 and gp are taken of."""
    every: int = 1
    """r1, r2 and gp count in one of so many updates, times as strong (lazy regularisation, Karras et al. 2020)."""
    adapt: float = 0.0
    """r1, r2 and gp start at 0 and grow, up to their weights, while D's lead (accuracy on real plus accuracy on fake
    images, minus 1) is above this; they never shrink. 0 = always at full weight."""
    adapt_kimg: float = 10.0
    """Thousand images in which they can grow from 0 to their weights."""


@dataclass(frozen=True)
class OptimConfig:
    """How a gradient becomes an update."""

    name: Literal["adam", "adamw", "rmsprop", "sgd"] = "adam"
    """Adam (Kingma & Ba 2015); with decoupled weight decay; RMSProp (beta2, no momentum); SGD with momentum beta1."""
    lr: float = field(default=1e-4, metadata={"usual": (1e-6, 1e-2)})
    """Learning rate at the start; advice stays between 1e-6 and 0.01."""
    beta1: float = 0.9
    """Decay of the mean of gradients."""
    beta2: float = 0.999
    """Decay of the mean of squared gradients."""
    epsilon: float = 1e-7
    """Added to the root of the uncorrected second moment (the paper's epsilon-hat)."""
    weight_decay: float = 0.0
    """adamw: each update takes this share of the learning rate off the weights."""
    muon: float = 0.0
    """Learning rate of Muon for hidden convolutions (Jordan et al. 2024), in place of the above; 0 = off."""
    warmup: float = 0.0
    """Share of the run over which the learning rate rises from zero."""
    decay: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate falls to zero over the run's images."""
    decay_from: float = 0.0
    """Share of the run after which it begins to fall."""
    clip: float = 0.0
    """Largest allowed norm of the whole gradient; 0 = off."""
    historical: float = 0.0
    """Weight of the squared distance to the weights' mean over the past (Salimans et al. 2016); 0 = off."""


@dataclass(frozen=True)
class StepConfig:
    """How G and D are updated."""

    update: Literal["simultaneous", "alternating", "one-stage", "separate"] = "simultaneous"
    """simultaneous: both gradients at the weights before the update. alternating: G's gradient after D's update.
    one-stage: as simultaneous, with G's gradient from D's backward pass where that tells it (Shen et al. 2021).
    separate: as alternating, with a step of D for real images and one for fakes (Keras' train_on_batch)."""
    batch: int = 256
    """Real images per update of D."""
    d_steps: int = 1
    """Updates of D for each of G."""
    fresh: bool = False
    """alternating, separate: G learns from latents of its own, not from those of D's last batch."""
    accumulate: int = 1
    """Parts in which the gradient of a batch is computed, to save memory."""
    joint: bool = False
    """D gets real and fake images in one call: quicker; with batch normalisation in D the result differs."""
    ema_kimg: float = 0.0
    """Half-life, in thousand images, of the moving average of G that samples are drawn from; 0 = off."""
    ema_warmup: float = 0.0
    """The half-life is at most this share of the images seen; 0 = no warm-up."""


@dataclass(frozen=True)
class BudgetConfig:
    """Length of the training, in one of four units. None of them = 50 epochs, the course's minimum."""

    epochs: float | None = None
    """Passes over the data."""
    kimg: float | None = None
    """Thousand real images."""
    minutes: float | None = None
    """Minutes of training on this machine; turned into a number of images after some 20 s."""
    cpu_minutes: float | None = None
    """CPU minutes of one core, however busy the machine is; for comparisons on the CPU."""


@dataclass(frozen=True)
class LogConfig:
    """What training writes, and how often."""

    every: int = 10
    """Updates averaged into one row of metrics.jsonl."""
    samples: int = 64
    """Images in a sample grid; their latents stay the same."""
    checkpoint_kimg: float = 50.0
    """Thousand images between checkpoints."""
    snapshot_kimg: float = 0.0
    """Thousand images between snapshots of the generator; 0 = only at the end."""


@dataclass(frozen=True)
class EvaluateConfig:
    """Scores in the features of the classifier that ships for the data, while training and at its end."""

    every: int = 0
    """Real images between two evaluations; 0 = off. Each is a checkpoint too, and the best one is kept."""
    n: int = 2000
    """Samples for each of them."""
    share: float = 0.05
    """Largest share of the run's time that they may take; an evaluation that would exceed it is left out."""
    final: int = 2000
    """Samples scored once training has ended, where a classifier ships for the data; 0 = off."""


@dataclass(frozen=True)
class EngineConfig:
    """Device and form of the arithmetic. `auto` is settled by a short speed probe, kept for the run, and remembered."""

    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the convolutions; weights, losses and statistics stay float32."""
    layout: Literal["auto", "channels_last", "contiguous"] = "auto"
    """Memory format of images and kernels."""
    conv: Literal["auto", "direct", "winograd", "patches"] = "auto"
    """Convolution algorithm: direct (the library's); Winograd's with fewer multiplications (float32); patches: the
    library's, the gradient of its weights as one product."""
    threads: int = 0
    """CPU threads; 0 = one per core this process may use."""
    probe: Literal["auto", "again"] = "auto"
    """auto: what was measured before on this machine for the same versions, network, batch and size; again: measure."""
    data: Literal["host", "device"] = "host"
    """Where the images lie, as uint8: in the host's memory, each batch sent to the device; or all of them, with their
    order, on the device. The batches are the same."""
    compile: Literal["off", "networks", "step"] = "off"
    """What torch.compile translates, which takes minutes at the start: G and D, or the whole update."""
    graph: bool = False
    """Each kind of update is captured once, as a CUDA graph, and replayed; with optimiser foreach. On a CPU nothing is
    captured and nothing is quicker: every update is only checked to be one that could be."""
    optimiser: Literal["fused", "foreach"] = "fused"
    """fused: torch's optimisers, one kernel for all weights where there is one. foreach: the same rules, all weights at
    once, with rates and counters on the device; equal up to rounding."""
    reads: Literal["auto", "update", "row"] = "auto"
    """When values come back from the device: update: after every update, so that NaN stops the very one (auto, on a
    CPU); row: for rows, samples and checkpoints alone, nothing waits between them (auto, on a GPU)."""


@dataclass(frozen=True)
class Config:
    """A whole training: with the data, enough to repeat it."""

    recipe: str = "cifar-dcgan"
    """The recipe it started from."""
    tricks: tuple[str, ...] = ()
    """The tricks that were then switched on, in this order (`--with`)."""
    init_from: str = ""
    """A shipped model, run or snapshot whose generator training starts from (`--from`); empty = fresh weights."""
    seed: int = 0
    """All randomness is a function of the seed and the image's index."""
    data: DataConfig = field(default_factory=DataConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    penalty: PenaltyConfig = field(default_factory=PenaltyConfig)
    g_optim: OptimConfig = field(default_factory=OptimConfig)
    d_optim: OptimConfig = field(default_factory=OptimConfig)
    step: StepConfig = field(default_factory=StepConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    log: LogConfig = field(default_factory=LogConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
