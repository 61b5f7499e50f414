"""The controls of the toy: names, bounds, and the config that they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from ganvas.config import Config, override
from ganvas.errors import UsageError, did_you_mean, shown
from ganvas.training.compatibility import check_compatibility
from ganvas.training.losses import LOSSES
from ganvas.training.step import UPDATES
from ganvas.ui.rooms.learn.points import POINT_SETS


@dataclass(frozen=True)
class Settings:
    """What a learner can set. Everything else of the config is FIXED."""

    data: str = "ring"
    loss: str = "bce"
    update: str = "simultaneous"
    g_lr: float = 2e-3
    d_lr: float = 2e-3
    d_steps: int = 1
    r1: float = 0.1
    gp: float = 0.0
    spectral: bool = False
    batch_norm: bool = False
    batch: int = 128
    seed: int = 0


FIXED: dict[str, Any] = {
    "generator.family": "mlp", "generator.latent_dim": 8, "generator.base": 64, "generator.widths": (64,),
    "generator.tanh": False, "generator.slope": 0.2,
    "discriminator.family": "mlp", "discriminator.widths": (64, 64), "discriminator.norms": (),
    "discriminator.dropout": 0.0, "discriminator.slope": 0.2,
    "g_optim.beta1": 0.5, "d_optim.beta1": 0.5, "g_optim.beta2": 0.99, "d_optim.beta2": 0.99,
    "engine.device": "cpu", "engine.dtype": "float32", "engine.layout": "contiguous", "engine.conv": "direct",
}  # fmt: skip
"""The rest of the config: two hidden layers of 64 in each network, Adam, float32 on the CPU."""
FIELDS = {
    "loss": "loss.name", "update": "step.update", "g_lr": "g_optim.lr", "d_lr": "d_optim.lr",
    "d_steps": "step.d_steps", "r1": "penalty.r1", "gp": "penalty.gp", "spectral": "discriminator.spectral",
    "batch_norm": "generator.norm", "batch": "step.batch", "seed": "seed",
}  # fmt: skip
"""Control -> field of the config."""
BEGINS_AGAIN = ("data", "spectral", "batch_norm", "batch", "d_steps", "seed")
"""Controls that change the networks, the data or what an update counts: training begins again. Others act at once."""
BOUNDS: dict[str, tuple[float, float]] = {
    "g_lr": (1e-8, 1.0), "d_lr": (1e-8, 1.0), "d_steps": (1, 16), "r1": (0.0, 100.0), "gp": (0.0, 100.0),
    "batch": (2, 512), "seed": (0, 2**32 - 1),
}  # fmt: skip
"""Least and largest value of each number."""


def choices() -> dict[str, tuple[str, ...]]:
    """The values of each control that is a choice; losses of a learner's own networks are left out."""
    losses = tuple(name for name in LOSSES if not name.startswith("own-"))
    return {"data": tuple(POINT_SETS), "loss": losses, "update": tuple(UPDATES)}


def read(values: Mapping[str, Any], base: Settings | None = None) -> Settings:
    """`base`, or the defaults, with these values; UsageError in one line for what is none, or out of bounds."""
    known = {field.name: field.type for field in fields(Settings)}
    checked = {}
    for name, value in values.items():
        if name not in known:
            raise UsageError(f"no control is called {shown(name)}{did_you_mean(name, known)}")
        checked[name] = _checked(name, value)
    settings = replace(base or Settings(), **checked)
    config_of(settings)
    return settings


def _checked(name: str, value: Any) -> Any:
    if name in choices():
        if not isinstance(value, str) or value not in choices()[name]:
            raise UsageError(f"{name} = {shown(value)}: choose {', '.join(choices()[name])}")
        return value
    if name not in BOUNDS:
        if not isinstance(value, bool):
            raise UsageError(f"{name} = {shown(value)}: give true or false")
        return value
    low, high = BOUNDS[name]
    whole = isinstance(getattr(Settings(), name), int)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= value <= high or (whole and value != int(value)):
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{name} = {shown(value)}: give {kind} from {low:g} to {high:,.10g}")
    return int(value) if whole else float(value)


def config_of(settings: Settings) -> Config:
    """The config of these controls; UsageError where they do not fit each other."""
    own = {FIELDS[name]: value for name, value in asdict(settings).items() if name in FIELDS}
    own["generator.norm"] = "batch" if settings.batch_norm else "none"
    config = override(Config(), {**FIXED, **own})
    check_compatibility(config)
    return config


def as_controls(changes: Mapping[str, Any]) -> dict[str, Any] | None:
    """Fields of the config with new values, as controls; None where one of them is no control."""
    of = {field: name for name, field in FIELDS.items()}
    if not changes.keys() <= of.keys():
        return None
    return {of[name]: value == "batch" if name == "generator.norm" else value for name, value in changes.items()}
