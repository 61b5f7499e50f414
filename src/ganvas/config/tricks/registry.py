"""What a trick is, where tricks are registered, and how they are switched on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ganvas.config import Config, flat, override, to_dict
from ganvas.errors import UsageError, command, did_you_mean

Changes = Mapping[str, Any] | Callable[[Config], Mapping[str, Any]]

Property = Literal[
    "loss with targets",  # D's loss has a target for each image
    "D judges single images",  # D's logit of an image does not depend on the rest of the batch
]
"""What a training may have, some tricks require, and others remove."""


@dataclass(frozen=True)
class Trick:
    """A change of a training that can be switched on by its name."""

    name: str
    title: str
    source: str
    changes: Changes
    """Dotted setting -> value; or a function from the config to that, if a value depends on it."""
    helps: str
    """When it helps, or what it improves."""
    hurts: str
    """What it costs, or when it does harm."""
    conflicts: tuple[str, ...] = ()
    """Tricks that are incompatible with this one. Those that set a setting differently need not be named."""
    requires: tuple[Property, ...] = ()
    removes: tuple[Property, ...] = ()
    """A trick that removes a property is incompatible with each trick that requires it."""
    order: int = 100
    """Tricks are listed from low to high; equal ones as they were registered."""
    korean: str = ""
    """The title in Korean; empty = the English one."""

    def settings(self, config: Config) -> dict[str, Any]:
        """Dotted setting -> the value that it would have in this config."""
        return dict(self.changes(config) if callable(self.changes) else self.changes)


TRICKS: dict[str, Trick] = {}


def register_trick(trick: Trick) -> Trick:
    """Make a trick available as `--with trick.name`. A name that is taken or contains a slash raises ValueError."""
    if trick.name in TRICKS or "/" in trick.name:
        raise ValueError(f"trick name {trick.name!r} is taken or contains a slash")
    listed = sorted([*TRICKS.values(), trick], key=lambda each: each.order)
    TRICKS.clear()
    TRICKS.update((each.name, each) for each in listed)
    return trick


def get(name: str) -> Trick:
    """The trick called `name`; UsageError with the nearest name otherwise."""
    if name not in TRICKS:
        raise UsageError(f"unknown trick {name!r}{did_you_mean(name, TRICKS)} ({command('tricks')} lists them)")
    return TRICKS[name]


def conflicts(name: str, config: Config) -> list[str]:
    """The tricks that are incompatible with this one."""
    return [other.name for other in TRICKS.values() if _incompatible(get(name), other, config)]


def _incompatible(one: Trick, other: Trick, config: Config) -> bool:
    """Whether they set one setting differently, one removes what the other requires, or one of them says so."""
    ours, theirs = one.settings(config), other.settings(config)
    return (
        any(ours[key] != theirs[key] for key in ours.keys() & theirs.keys())
        or any(set(a.removes) & set(b.requires) for a, b in ((one, other), (other, one)))
        or other.name in one.conflicts
        or one.name in other.conflicts
    )


def apply(config: Config, names: Sequence[str], check: Callable[[Config], None] | None = None) -> Config:
    """The config with these tricks switched on and their names in `config.tricks`.

    `check` is called after each trick and may raise UsageError. Raises UsageError for an unknown name, for two tricks
    that are incompatible, and for a setting that the config's networks do not have.
    """
    names = [names] if isinstance(names, str) else names
    for i, name in enumerate(names):
        trick = get(name)
        for other in (*config.tricks, *names[:i]):
            if other in TRICKS and _incompatible(trick, TRICKS[other], config):
                raise UsageError(f"the tricks {other} and {name} are incompatible ({command('tricks', name)})")
        try:
            config = override(config, trick.settings(config))
            if check:
                check(config)
        except UsageError as error:
            raise UsageError(f"the trick {name} does not fit this training: {error}") from error
    return replace(config, tricks=(*config.tricks, *names))


def active(config: Config) -> list[str]:
    """The tricks whose settings this config has, whether they were switched on or not."""
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in flat(to_dict(config)).items()}
    found = []
    for name, trick in TRICKS.items():
        wanted = trick.settings(config)
        if wanted and all(values[key] == value for key, value in wanted.items()):
            found.append(name)
    return found


def both_optimisers(**settings: Any) -> dict[str, Any]:
    """The same settings for G's and D's optimiser."""
    return {f"{optimiser}.{key}": value for optimiser in ("g_optim", "d_optim") for key, value in settings.items()}
