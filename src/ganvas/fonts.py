"""A font for a text: the built-in ones for Latin, Greek and Cyrillic, the system's for Korean, Chinese and Japanese.

For Pillow and matplotlib alike. Where no font has the letters, captions are numbers and a legend is printed.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.terminal import printable, show_text

if TYPE_CHECKING:
    from PIL import ImageFont

VARIABLE = "GANVAS_FONT"
"""Environment variable that names a font file to try first."""
SIZE = 11  # pixels
STEMS = (
    "notosanscjk", "notosanskr", "notosansjp", "notosanssc", "nanumgothic", "nanumbarungothic", "applesdgothicneo",
    "malgun", "hiragino", "yugoth", "msyh", "wqy-zenhei", "wqy-microhei", "pingfang", "sourcehansans", "unbatang",
    "droidsansfallback", "arialunicode", "arial unicode",
)  # fmt: skip
"""Beginnings of the file names of fonts with CJK letters, in small letters, the most complete ones first."""
SUFFIXES = (".ttf", ".otf", ".ttc")
PACKAGES = {
    "linux": "fonts-noto-cjk (Debian, Ubuntu), google-noto-sans-cjk-fonts (Fedora) or noto-fonts-cjk (Arch)",
    "darwin": "Apple SD Gothic Neo, which comes with macOS, or Noto Sans CJK (brew install --cask font-noto-sans-cjk)",
    "win32": "Malgun Gothic (Settings, Optional features, Korean Supplemental Fonts)",
}
MISSING = "\U0010fffe"  # no font has it


def drawable(text: str) -> str:
    """The text as fonts have it: composed (macOS spells file names in parts), in one line."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def find(texts: Iterable[str]) -> Path | None:
    """The first font that has every letter of the texts; None without one. Nothing is looked for where DejaVu does."""
    letters = frozenset("".join(map(drawable, texts)))
    return next((path for path in _candidates() if _has(path, letters)), None)


def captions(texts: Sequence[str], size: int = SIZE) -> tuple[list[str], ImageFont.FreeTypeFont | ImageFont.ImageFont]:
    """The texts as they can be drawn by Pillow, with their font; numbers, and a legend on stderr, without a font."""
    from PIL import ImageFont

    if all(text.isascii() for text in texts):
        return list(texts), ImageFont.load_default()
    path = find(texts)
    if path is None:
        numbered = [str(i + 1) if text else "" for i, text in enumerate(texts)]
        legend = ", ".join(f"{number} {text}" for number, text in zip(numbered, texts, strict=True) if text)
        show_text(f"captions: {printable(legend)}\n{advice()}", file=sys.stderr)
        return numbered, ImageFont.load_default()
    return [drawable(text) for text in texts], ImageFont.truetype(path, size)


def advice() -> str:
    """One line: which font to install here."""
    package = PACKAGES.get(sys.platform, "Noto Sans CJK")
    return f"no font here has all of these letters: install {package}, or set {VARIABLE} to a font file"


@cache
def _has(path: Path, letters: frozenset[str]) -> bool:
    """Whether a font file can be read and has a shape for each of the letters."""
    from PIL import ImageFont

    try:
        font = ImageFont.truetype(path, 16)
        blank = _shape(font, MISSING)
        return all(letter.isspace() or _shape(font, letter) != blank for letter in letters)
    except (OSError, ValueError):
        return False


def _shape(font: ImageFont.FreeTypeFont, letter: str) -> tuple[object, bytes]:
    mask = font.getmask(letter, mode="L")
    return mask.size, bytes(mask)


def _candidates() -> Iterator[Path]:
    if chosen := os.environ.get(VARIABLE):
        yield Path(chosen).expanduser()
    spec = importlib.util.find_spec("matplotlib")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(folder) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
    yield from _system(tuple(_folders()))


def _folders() -> list[str]:
    """Where systems keep fonts."""
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA", "")
        return [os.path.join(os.environ.get("WINDIR", r"C:\Windows"), "Fonts"), f"{local}\\Microsoft\\Windows\\Fonts"]
    if sys.platform == "darwin":
        return ["/System/Library/Fonts", "/Library/Fonts", f"{home}/Library/Fonts"]
    return ["/usr/share/fonts", "/usr/local/share/fonts", f"{home}/.local/share/fonts", f"{home}/.fonts"]


@cache
def _system(folders: tuple[str, ...]) -> tuple[Path, ...]:
    """The system's fonts with CJK letters, upright and of usual weight first."""
    found = []
    for folder in folders:
        for base, _, names in os.walk(folder):
            for name in sorted(names):
                stem = name.lower()
                kind = next((k for k, known in enumerate(STEMS) if stem.startswith(known)), None)
                if kind is not None and stem.endswith(SUFFIXES):
                    unusual = any(word in stem for word in ("bold", "black", "light", "thin", "medium", "bd"))
                    found.append((unusual, kind, Path(base) / name))
    return tuple(path for _, _, path in sorted(found))
