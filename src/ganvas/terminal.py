"""Text on its way to the terminal: whatever a name holds, nothing but printable characters arrives there."""

from __future__ import annotations

import re
from typing import TextIO

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""C0 and C1 controls, marks and overrides of the writing direction, line separators, half characters."""

SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def printable(text: object) -> str:
    r"""The text in one line, each control character as an escape that JSON reads as well, such as \n or \u001b."""
    return CONTROL.sub(lambda found: SHORT.get(found[0], f"\\u{ord(found[0]):04x}"), str(text))


def show(line: object, file: TextIO | None = None, flush: bool = False) -> None:
    """Print one line, on stdout where `file` is None."""
    print(printable(line), file=file, flush=flush)


def show_text(text: str, file: TextIO | None = None) -> None:
    """Print the lines of a text, whose names went through `printable` when it was put together."""
    print("\n".join(map(printable, text.split("\n"))), file=file)
