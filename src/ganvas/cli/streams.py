"""Standard output and error that take any text: what a terminal's encoding lacks is written as near as it can be."""

from __future__ import annotations

import codecs
import os
import sys
from contextlib import suppress

FALLBACK = "ganvas.plain"
"""Name of the error handler that `prepare` gives to both streams."""

PLAIN = {
    "–": "-", "—": "-", "−": "-", "×": "x", "…": "...", "·": "*", "≤": "<=", "≥": ">=", "→": "->", "±": "+-",
    "“": '"', "”": '"', "‘": "'", "’": "'", "²": "2", "é": "e", "ö": "o",
}  # fmt: skip
"""Signs of our own sentences in ASCII."""


def prepare() -> None:
    """Let stdout and stderr replace what they cannot encode, instead of failing; give closed ones somewhere to go."""
    codecs.register_error(FALLBACK, _plain)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell (>&-)
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        with suppress(AttributeError, ValueError):  # a stream of another kind, as under a notebook
            getattr(sys, name).reconfigure(errors=FALLBACK)


def flush() -> None:
    """Write what stdout holds back. OSError where that fails; it is then lost, and not tried again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        discard()
        raise


def discard() -> None:
    """Send what is left of stdout nowhere: its reader has gone, or its disk is full."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _plain(error: UnicodeError) -> tuple[str | bytes, int]:
    """Our signs in ASCII; anything else, such as the bytes of a name that is not UTF-8, as a backslash escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    rest = error.object[error.start : error.end]
    return "".join(PLAIN.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in rest), error.end
