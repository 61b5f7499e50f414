"""Suggestions that can be shown together: none leaves a setting's usual range, none undoes what an earlier one says."""

from __future__ import annotations

import dataclasses
import shlex
from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from ganvas.config import Config, diff
from ganvas.diagnostics.commands import apply_flags
from ganvas.diagnostics.finding import Finding
from ganvas.stats.finite import is_number


def consistent(findings: Iterable[Finding], config: Config) -> tuple[Finding, ...]:
    """The findings, causes first, without suggestions that turn a setting against an earlier finding's."""
    turned: dict[str, set[int]] = defaultdict(set)
    kept = []
    for finding in findings:
        moves = {text: directions(text, config) for each in finding.suggestions if (text := usual(each, config))}
        fitting = [text for text, move in moves.items() if not any(-way in turned[name] for name, way in move.items())]
        for text in fitting:
            for name, way in moves[text].items():
                turned[name].add(way)
        kept.append(dataclasses.replace(finding, suggestions=tuple(fitting)))
    return tuple(kept)


@lru_cache(1000)
def directions(suggestion: str, config: Config) -> dict[str, int]:
    """Settings that a suggestion raises (1) or lowers (-1); a whole command, or one that is refused, has none."""
    changed = None if suggestion.startswith("ganvas ") else apply_flags(config, suggestion)
    if changed is None:
        return {}
    moved = diff(config, changed).items()
    return {name: 1 if new > old else -1 for name, (old, new) in moved if is_number(old) and is_number(new)}


def usual(suggestion: str, config: Config) -> str:
    """The flags with each value inside the usual range of its setting; without those that then change nothing.

    Empty where nothing is left. A value is never moved past the one that the config has.
    """
    if suggestion.startswith("ganvas "):
        return suggestion
    words, kept = shlex.split(suggestion), []
    for flag, text in zip(words[::2], words[1::2], strict=True):
        section, _, name = flag.removeprefix("--").replace("-", "_").partition(".")
        low, high = usual_range(config, section, name)
        if low is None or high is None:
            kept += [flag, text]
            continue
        now, wanted = float(getattr(getattr(config, section), name)), float(text)
        value = min(max(wanted, low), high)
        if (value - now) * (wanted - now) > 0:
            kept += [flag, text if value == wanted else f"{value:g}"]
    return suggestion if kept == words else shlex.join(kept)


def usual_range(config: Config, section: str, name: str) -> tuple[float, float] | tuple[None, None]:
    """The range that the schema states for a setting, if it states one."""
    fields = dataclasses.fields(getattr(config, section)) if hasattr(config, section) else ()
    stated = next((field.metadata.get("usual") for field in fields if field.name == name), None)
    return stated or (None, None)
