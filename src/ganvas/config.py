"""What a training is: nested frozen dataclasses, one docstring with its unit per field. No torch here."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Literal

from ganvas.errors import GanvasError, UsageError

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class DataConfig:
    """The images that D sees as real."""

    name: str = "cifar10"
    """A known set (`ganvas data list`) or a path to a folder, zip, npz or IDX file of your own images."""
    split: Literal["train", "test"] = "train"
    """Which split of a known set."""
    size: int | None = None
    """Side in pixels; None keeps the set's own (32 for your own images)."""
    channels: int | None = None
    """1 = grey, 3 = RGB; None keeps the set's own."""
    classes: tuple[str, ...] = ()
    """Only these classes, by name; empty = all."""
    limit: int | None = None
    """Only so many images, balanced over the classes; None = all."""
    flip: bool = False
    """Mirror each real image left to right with probability 0.5."""


@dataclass(frozen=True)
class GeneratorConfig:
    """G: a dense layer to a small map of `base` channels, then transposed convolutions up to the image."""

    family: Literal["dcgan"] = "dcgan"
    """Which file of ganvas/models builds it."""
    latent_dim: int = 100
    """Length of z ~ N(0, 1)."""
    base: int = 256
    """Channels of the first map, made by the dense layer."""
    widths: tuple[int, ...] = (128, 64)
    """Output channels of each hidden transposed convolution."""
    strides: tuple[int, ...] = (2, 2, 2)
    """Stride of each transposed convolution, the image layer last; their product sets the first map's size."""
    extra: tuple[int, ...] = ()
    """Output channels of a 3x3 convolution after each hidden block; empty = none."""
    kernel: int = 5
    """Side of the transposed convolutions' kernels, in pixels."""
    slope: float = 0.3
    """Negative slope of the activations (0 = ReLU)."""


@dataclass(frozen=True)
class DiscriminatorConfig:
    """D: strided convolutions, then a dense layer to one logit."""

    family: Literal["dcgan"] = "dcgan"
    """Which file of ganvas/models builds it."""
    widths: tuple[int, ...] = (64, 128)
    """Output channels of each convolution, stride 2."""
    norms: tuple[bool, ...] = (False, False)
    """Whether batch normalisation follows each convolution."""
    kernel: int = 5
    """Side of the kernels, in pixels."""
    slope: float = 0.3
    """Negative slope of the activations (0 = ReLU)."""
    dropout: float = 0.3
    """Share of activations dropped after each layer while training, in [0, 1)."""


@dataclass(frozen=True)
class LossConfig:
    """What G and D minimise."""

    name: Literal["bce"] = "bce"
    """bce: non-saturating cross-entropy on logits (Goodfellow et al. 2014)."""
    g_weight: float = 1.0
    """Factor on G's loss."""


@dataclass(frozen=True)
class OptimConfig:
    """Adam (Kingma & Ba 2015) with Keras' epsilon."""

    lr: float = 1e-4
    """Learning rate at the start."""
    beta1: float = 0.9
    """Decay of the mean of gradients."""
    beta2: float = 0.999
    """Decay of the mean of squared gradients."""
    epsilon: float = 1e-7
    """Added to the root of the uncorrected second moment (the paper's epsilon-hat)."""
    decay: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate falls to zero over the run's images."""
    clip: float = 0.0
    """Largest allowed norm of the whole gradient; 0 = off."""


@dataclass(frozen=True)
class StepConfig:
    """How one update is made."""

    update: Literal["simultaneous", "alternating"] = "simultaneous"
    """simultaneous: both gradients from the weights as they were. alternating: G meets the D just updated."""
    batch: int = 256
    """Real images per update."""
    ema_kimg: float = 0.0
    """Half-life, in thousand images, of the moving average of G that samples are drawn from; 0 = off."""


@dataclass(frozen=True)
class BudgetConfig:
    """How long; one of the three. None of them = 50 epochs, the course's minimum."""

    epochs: float | None = None
    """Passes over the data."""
    kimg: float | None = None
    """Thousand real images."""
    minutes: float | None = None
    """Minutes of training on this machine; turned into a number of images after some 20 s."""


@dataclass(frozen=True)
class LogConfig:
    """What is written while training."""

    every: int = 10
    """Updates averaged into one row of metrics.jsonl."""
    samples: int = 64
    """Images in a sample grid, from latents that stay the same."""
    checkpoint_kimg: float = 50.0
    """Thousand images between checkpoints."""
    snapshot_kimg: float = 0.0
    """Thousand images between snapshots of the generator; 0 = only at the end."""


@dataclass(frozen=True)
class EvaluateConfig:
    """Scores while training, with the features of the classifier that ships for the data."""

    every: int = 0
    """Real images between two evaluations; 0 = off. Each is a checkpoint too, and the best one is kept."""
    n: int = 2000
    """Images drawn for each."""
    share: float = 0.05
    """Largest share of the run's time that they may take; one that would take more is left out."""


@dataclass(frozen=True)
class EngineConfig:
    """Where and in what form the arithmetic is done. `auto` is settled by a short probe and kept for the run."""

    device: str = "auto"
    """auto, cpu, cuda, cuda:1, mps."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the convolutions; weights, losses and statistics stay float32."""
    layout: Literal["auto", "channels_last", "contiguous"] = "auto"
    """Memory format of images and kernels."""
    conv: Literal["auto", "direct", "winograd"] = "auto"
    """Convolution algorithm: direct (the library's), or Winograd's with fewer multiplications (float32)."""
    threads: int = 0
    """CPU threads; 0 = one per core this process may use."""


@dataclass(frozen=True)
class Config:
    """One training, whole: enough, with the data, to repeat it."""

    recipe: str = "cifar-dcgan"
    """The recipe it started from."""
    seed: int = 0
    """Everything random is a function of this and of the image's index."""
    data: DataConfig = field(default_factory=DataConfig)
    generator: GeneratorConfig = field(default_factory=GeneratorConfig)
    discriminator: DiscriminatorConfig = field(default_factory=DiscriminatorConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    g_optim: OptimConfig = field(default_factory=OptimConfig)
    d_optim: OptimConfig = field(default_factory=OptimConfig)
    step: StepConfig = field(default_factory=StepConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    log: LogConfig = field(default_factory=LogConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)

    def __post_init__(self) -> None:
        g, d, s, log = self.generator, self.discriminator, self.step, self.log
        budgets = [v for v in (self.budget.epochs, self.budget.kimg, self.budget.minutes) if v is not None]
        checks = [
            (self.seed >= 0, "seed", self.seed, "0 or more"),
            (len(g.strides) == len(g.widths) + 1, "generator.strides", g.strides, "one more than generator.widths"),
            (len(g.extra) in (0, len(g.widths)), "generator.extra", g.extra, "empty or as long as generator.widths"),
            (min((0, *g.extra)) == 0, "generator.extra", g.extra, "0 (none) or more"),
            (g.latent_dim > 0, "generator.latent_dim", g.latent_dim, "more than 0"),
            (min((g.base, *g.widths)) > 0, "generator.base and widths", (g.base, *g.widths), "more than 0"),
            (min(g.strides) > 0, "generator.strides", g.strides, "more than 0"),
            (len(d.norms) == len(d.widths), "discriminator.norms", d.norms, "as long as discriminator.widths"),
            (min(d.widths, default=0) > 0, "discriminator.widths", d.widths, "more than 0"),
            (g.kernel > 0 and g.kernel % 2 == 1, "generator.kernel", g.kernel, "odd and more than 0"),
            (d.kernel > 0 and d.kernel % 2 == 1, "discriminator.kernel", d.kernel, "odd and more than 0"),
            (0 <= d.dropout < 1, "discriminator.dropout", d.dropout, "in [0, 1)"),
            (s.batch >= 2, "step.batch", s.batch, "2 or more"),
            (s.ema_kimg >= 0, "step.ema_kimg", s.ema_kimg, "0 (off) or more"),
            (len(budgets) <= 1, "budget", tuple(budgets), "one of epochs, kimg and minutes"),
            (all(v > 0 for v in budgets), "budget", budgets and budgets[0], "more than 0"),
            (log.every >= 1, "log.every", log.every, "1 or more"),
            (1 <= log.samples <= 1024, "log.samples", log.samples, "1 to 1024"),
            (log.checkpoint_kimg > 0, "log.checkpoint_kimg", log.checkpoint_kimg, "more than 0"),
            (log.snapshot_kimg >= 0, "log.snapshot_kimg", log.snapshot_kimg, "0 (only at the end) or more"),
            (self.evaluate.every >= 0, "evaluate.every", self.evaluate.every, "0 (off) or more"),
            (self.evaluate.n >= 2, "evaluate.n", self.evaluate.n, "2 or more"),
            (0 < self.evaluate.share <= 1, "evaluate.share", self.evaluate.share, "more than 0, at most 1"),
            (self.engine.threads >= 0, "engine.threads", self.engine.threads, "0 (automatic) or more"),
        ]
        for name, o in (("g_optim", self.g_optim), ("d_optim", self.d_optim)):
            checks += [
                (0 < o.lr < 1e3, f"{name}.lr", o.lr, "more than 0 and less than 1000"),
                (0 <= o.beta1 < 1 and 0 <= o.beta2 < 1, f"{name}.beta", (o.beta1, o.beta2), "in [0, 1)"),
                (o.epsilon > 0, f"{name}.epsilon", o.epsilon, "more than 0"),
                (o.clip >= 0, f"{name}.clip", o.clip, "0 (off) or more"),
            ]
        numbers = ((name, value) for name, value in flat(to_dict(self)).items() if isinstance(value, float))
        checks += [(math.isfinite(value), name, value, "a finite number") for name, value in numbers]
        for good, name, value, rule in checks:
            if not good:
                raise UsageError(f"{name} = {value}: it must be {rule}")


def to_dict(config: Any) -> dict[str, Any]:
    """A config as plain JSON values (tuples become lists)."""

    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value):
            return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return list(value) if isinstance(value, tuple) else value

    return plain(config)  # type: ignore[no-any-return]


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one dict of dotted names."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        out |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return out


def from_dict(values: Any, kind: type = Config, where: str = "config") -> Any:
    """The config of `kind` that `to_dict` gave `values` for. An unknown key or a wrong type raises GanvasError."""
    hints = typing.get_type_hints(kind)
    if not isinstance(values, dict):
        raise GanvasError(f"{where}: expected an object, found {values!r}")
    for key in values:
        if key not in hints:
            raise GanvasError(f"{where}.{key}: no such setting{did_you_mean(key, hints)}")
    return kind(**{key: _read(value, hints[key], f"{where}.{key}") for key, value in values.items()})


def _read(value: Any, hint: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return from_dict(value, typing.cast(type, hint), where)
    if origin is tuple and isinstance(value, (list, tuple)):
        return tuple(_read(item, args[0], where) for item in value)
    if origin in (types.UnionType, typing.Union):
        if value is None and type(None) in args:
            return None
        return _read(value, next(a for a in args if a is not type(None)), where)
    if origin is Literal:
        if value in args:
            return value
        raise GanvasError(f"{where} = {value!r}: it must be one of {', '.join(map(str, args))}")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is hint:
        return value
    raise GanvasError(f"{where} = {value!r}: expected {getattr(hint, '__name__', hint)}")


def diff(old: Config, new: Config) -> dict[str, tuple[Any, Any]]:
    """Dotted name -> (old, new) of every setting that differs; the recipe's own name is left out."""
    before, after = flat(to_dict(old)), flat(to_dict(new))
    return {k: (before[k], after[k]) for k in before if before[k] != after[k] and k != "recipe"}


def did_you_mean(word: str, known: typing.Iterable[str]) -> str:
    """'; did you mean X?' for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
