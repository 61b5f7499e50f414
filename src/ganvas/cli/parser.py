"""What the verbs share: a parser whose errors are one line, lists of names, pictures to write."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, get_args

from ganvas.config import DataConfig
from ganvas.config.schema import Fit, Frames
from ganvas.errors import UsageError, did_you_mean


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are UsageErrors: one line, with the nearest flag."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs, allow_abbrev=False)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse; a flag with one value that is given twice is an error, not the last value."""
        words = list(sys.argv[1:] if args is None else args)
        flags = {flag: a for flag, a in self._option_string_actions.items() if isinstance(a, argparse._StoreAction)}
        refuse_repeats([flags[flag].option_strings[0] for word in words if (flag := word.split("=")[0]) in flags])
        return super().parse_known_args(words, namespace)

    def error(self, message: str) -> NoReturn:
        words = message.removeprefix("unrecognized arguments: ").split()
        if words != message.split():
            message = f"unknown {'flag' if words[0].startswith('-') else 'argument'} {words[0]}"
            message += did_you_mean(words[0], self._option_string_actions)
        raise UsageError(f"{message} ({self.prog} --help)")


def refuse_repeats(flags: Sequence[str]) -> None:
    """Raise UsageError where a flag comes twice."""
    twice = next((flag for flag, n in Counter(flags).items() if n > 1), None)
    if twice == "--data":
        raise UsageError("--data is given twice: a training reads one set; put the pictures below one folder")
    if twice:
        raise UsageError(f"{twice} is given twice: give it once (a list is separated by commas)")


def names(text: str | None) -> tuple[str, ...]:
    """The names of a list separated by commas; one that holds a comma stands in double quotes. None has none."""
    rows = csv.reader([text or ""], skipinitialspace=True)
    return tuple(name.strip() for row in rows for name in row if name.strip())


def add_guidance(parser: argparse.ArgumentParser) -> None:
    """--best-of, --rejection, --refine: how D guides the sampling."""
    best = "of K candidates per image, keep that which D rates highest (1)"
    parser.add_argument("--best-of", type=int, default=1, metavar="K", help=best)
    parser.add_argument("--rejection", action="store_true", help="draw candidates until D's density ratio accepts one")
    parser.add_argument("--refine", type=int, default=0, metavar="N", help="N Langevin steps by D in latent space (0)")


def add_read_as(parser: argparse.ArgumentParser) -> None:
    """--data.size, --data.fit and the others that say how images are read, as in train."""
    flag = partial(parser.add_argument, help="as in ganvas train --help")
    for name, kind in (("size", int), ("channels", int), ("limit", int), ("classes", names)):
        flag(f"--data.{name}", type=kind)
    for name in ("label-from", "encoding"):
        flag(f"--data.{name}")
    flag("--data.fit", choices=get_args(Fit))
    flag("--data.frames", choices=get_args(Frames))


def read_as(name: str, args: argparse.Namespace) -> DataConfig:
    """The images of that name or path, read as the flags of `add_read_as` say."""
    flags = {flag.removeprefix("data."): value for flag, value in vars(args).items() if flag.startswith("data.")}
    given = {flag.replace("-", "_"): value for flag, value in flags.items() if value is not None}
    return DataConfig(name, **given)


def add_force(parser: argparse.ArgumentParser) -> None:
    """--force, for verbs that write where the user says."""
    parser.add_argument("--force", action="store_true", help="replace existing files that ganvas did not make")


def save_picture(picture: Any, path: Path, force: bool = False, sampling: str = "") -> None:
    """Write a marked PNG whole or not at all, with the folders above it; GanvasError where that fails.

    `sampling` says how D guided what it shows.
    """
    from ganvas import media
    from ganvas.files import check_replaceable, replace_file, writing_to

    check_replaceable(path, force)
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, media.marked_png(picture, sampling))
