"""Tricks as text and as rows."""

from __future__ import annotations

from typing import Any

from ganvas.config import Config
from ganvas.config.tricks.registry import TRICKS, active, conflicts, get


def trick_row(name: str, config: Config) -> dict[str, Any]:
    """All that is known of a trick, with what it changes in this config. Raises UsageError for an unknown one."""
    trick = get(name)
    return {
        "name": name, "title": trick.title, "source": trick.source, "changes": trick.settings(config),
        "helps": trick.helps, "hurts": trick.hurts, "conflicts": conflicts(name, config),
    }  # fmt: skip


def trick_text(name: str, config: Config | None = None) -> str:
    """What `ganvas tricks NAME` prints; `config` is that of the recipe that was named."""
    row = trick_row(name, config or Config())
    lines = [f"{name}: {row['title']}", f"source:    {row['source']}", "changes:"]
    lines += [f"  {key} = {value}" for key, value in row["changes"].items()]
    lines += [f"helps:     {row['helps']}", f"hurts:     {row['hurts']}"]
    if row["conflicts"]:
        lines.append(f"not with:  {', '.join(row['conflicts'])}")
    recipe = config.recipe if config else "quick"
    return "\n".join([*lines, f"try it:    ganvas train {recipe} --with {name}"])


def list_text(config: Config | None = None) -> str:
    """What `ganvas tricks` prints; a star marks those that this config has on."""
    marked = active(config) if config else []
    lines = []
    for name, trick in TRICKS.items():
        lines += [f"{'*' if name in marked else ' '} {name:24} {trick.title}", f"  {'':24} {trick.source}"]
    return "\n".join([*lines, *([f"* is already on in {config.recipe}"] if config else [])])
