"""The commands to type after a finding: a rule's suggestions, completed with the run's own settings."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from ganvas.config import Config, diff, override, tricks
from ganvas.config.tricks import TRICKS
from ganvas.datasets import IN_MEMORY
from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.history import RunHistory
from ganvas.errors import GanvasError
from ganvas.runs.run import OWN

REPEATED = (
    "data.", "generator.", "discriminator.", "augment.", "loss.", "penalty.", "g_optim.", "d_optim.", "step.",
)  # fmt: skip
"""Settings that a command must repeat to train the same thing again."""


def commands(finding: Finding, history: RunHistory) -> Iterator[str]:
    """Complete commands, one for each suggestion that is valid for this run and would change something."""
    in_memory = history.config.data.name == IN_MEMORY
    in_python = in_memory or history.config.recipe.startswith(OWN)
    for suggestion in finding.suggestions:
        if suggestion.startswith("ganvas "):
            yield _function(suggestion, in_memory) if in_python else suggestion
        elif (changed := apply_flags(history.config, suggestion)) is not None:
            flags = shlex.split(suggestion)
            if in_python:
                yield _call(flags, history.config.tricks)
                continue
            kept = [("--with", name) for name in history.config.tricks if name in TRICKS]
            rest = [flag for flag in _changed_flags(history.recipe or Config(), changed) if flag[0] not in flags]
            own = [word for flag in (*kept, *rest) for word in flag]
            yield shlex.join(["ganvas", "train", changed.recipe, *flags, *own])


def _function(command: str, in_memory: bool) -> str:
    """A command as what is typed in Python, where networks of one's own and images in memory are."""
    _, name, target, *flags = shlex.split(command)
    if name == "train":
        return f"ganvas.GAN({json.dumps(target)}).fit(...)"
    named = [f"{flag.removeprefix('--')}={value}" for flag, value in zip(flags[::2], flags[1::2], strict=True)]
    return f"ganvas.{name}({', '.join([json.dumps(target), *(['data=...'] if in_memory else []), *named])})"


def _call(flags: list[str], tricks_before: Sequence[str]) -> str:
    """What to change in the call of `fit` that trained what no command can name: own networks, images in memory."""
    pairs = list(zip(flags[::2], flags[1::2], strict=True))
    names = [*tricks_before, *(value for flag, value in pairs if flag == "--with")]
    values = {flag.removeprefix("--").replace("-", "_"): value for flag, value in pairs if flag != "--with"}
    settings = ", ".join(f'"{name}": {value}' for name, value in values.items())
    parts = [f"tricks={json.dumps(names)}"] if names else []
    return f"gan.fit({', '.join(['...', *parts, *([f'settings={{{settings}}}'] if settings else [])])})"


def apply_flags(config: Config, flags: str) -> Config | None:
    """The config with flags of `ganvas train` applied; None if training would refuse them, or if nothing changes."""
    from ganvas.training.compatibility import check_compatibility

    words = shlex.split(flags)
    pairs = list(zip(words[::2], words[1::2], strict=True))
    settings = {flag.removeprefix("--").replace("-", "_"): value for flag, value in pairs if flag != "--with"}
    try:
        changed = tricks.apply(config, [value for flag, value in pairs if flag == "--with"], check_compatibility)
        changed = override(changed, {name: _value(changed, name, value) for name, value in settings.items()})
        check_compatibility(changed)
    except GanvasError:
        return None
    return changed if any(name != "tricks" for name in diff(config, changed)) else None


def _value(config: Config, name: str, text: str) -> Any:
    section, _, field = name.partition(".")
    now = getattr(getattr(config, section), field)
    return type(now)(text) if isinstance(now, (int, float)) and not isinstance(now, bool) else text


def _changed_flags(recipe: Config, config: Config) -> Iterator[tuple[str, ...]]:
    """(flag, values...) of each setting in which a config differs from its recipe with the same tricks."""
    known = [name for name in config.tricks if name in TRICKS]
    for name, (_, new) in diff(tricks.apply(recipe, known), config).items():
        flag = f"--{name.replace('_', '-')}"
        if name == "data.labels" and new == "use":
            continue  # the default for data with classes
        if name == "data.name":
            yield "--data", str(new)
        elif name.startswith(REPEATED) and isinstance(new, bool):
            yield (flag if new else flag.replace(".", ".no-"),)
        elif name.startswith(REPEATED) and new is not None:
            values = new if isinstance(new, (list, tuple)) else (new,)
            yield flag, *(f"{v:g}" if isinstance(v, float) else str(v) for v in values)
