"""What the verbs share: a parser whose errors are one line, lists of names, pictures to write."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NoReturn

from ganvas.errors import UsageError, did_you_mean


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are UsageErrors: one line, with the nearest flag."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        words = message.removeprefix("unrecognized arguments: ").split()
        if words != message.split():
            message = f"unknown {'flag' if words[0].startswith('-') else 'argument'} {words[0]}"
            message += did_you_mean(words[0], self._option_string_actions)
        raise UsageError(f"{message} ({self.prog} --help)")


def names(text: str | None) -> tuple[str, ...]:
    """The names of a list separated by commas; none for None."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())


def add_force(parser: argparse.ArgumentParser) -> None:
    """--force, for verbs that write where the user says."""
    parser.add_argument("--force", action="store_true", help="replace existing files that ganvas did not make")


def save_picture(picture: Any, path: Path, force: bool = False) -> None:
    """Write a marked PNG whole or not at all, with the folders above it; GanvasError where that fails."""
    from ganvas import media
    from ganvas.files import check_replaceable, replace_file, writing_to

    check_replaceable(path, force)
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, media.marked_png(picture))
