"""The data-flow diagram as a PNG, for notebooks and slides: the drawing of diagram.py by matplotlib."""

from __future__ import annotations

import io
import re
import unicodedata
import warnings
from typing import TYPE_CHECKING

from ganvas import fonts, i18n
from ganvas.i18n import Translator
from ganvas.reports import diagram
from ganvas.reports.facts import Facts

if TYPE_CHECKING:
    from matplotlib.path import Path

OWN_FONT = "DejaVu Sans"
"""Comes with matplotlib."""
UNITS = 100
"""Of the drawing in an inch."""
INK, SOFT, FAINT, HAIR = "#1c1e24", "#5c606c", "#8b8f9b", "#d9d7d0"
G, D, WASH, GREY = "#2f48c8", "#6a6f7d", "#eceefb", "#eeeef0"
SIZES = {"": 12.5, "small": 11.5}


def draw(facts: Facts, say: Translator) -> bytes | None:
    """The diagram as the bytes of a PNG, in English where no font here has the letters; None without networks.json."""
    if not facts.networks:
        return None
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, PathPatch

    art = diagram.draw(facts, say, wide=True)
    family = _family("".join(text.text for text in art.texts))
    if family is None and say.lang != "en":
        return draw(facts, i18n.load("en"))
    family = family or [OWN_FONT]  # a layer's name has letters that no font here has
    bold = len(family) == 1  # of another font nobody knows whether it has bold letters
    figure = Figure((art.width / UNITS, art.height / UNITS), dpi=160, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, art.width), ylim=(art.height, 0))
    axes.axis("off")
    for line in art.lines:
        kind = line.style.split()[-1]
        axes.add_patch(
            FancyArrowPatch(
                path=path(line.d), arrowstyle="-|>", mutation_scale=9, linewidth=1, shrinkA=0, shrinkB=0,
                color={"g": G, "d": D}.get(kind, FAINT), linestyle=(0, (4, 3)) if "grad" in line.style else "-",
            )
        )  # fmt: skip
    for box in art.boxes:
        face = {"chip g": WASH, "chip d": GREY}.get(box.style, "white")
        edge = {"g": "#a9b3e6", "d": "#b9bbc4"}.get(box.style.split()[-1] if box.style else "", HAIR)
        style = "round,pad=0,rounding_size=6"
        axes.add_patch(FancyBboxPatch((box.x, box.y), box.width, box.height, style, fc=face, ec=edge, lw=0.8))
    for shape in art.faces:
        fill = {"top": "white", "flank": "#c3cbf1"}.get(shape.style, WASH)
        axes.add_patch(PathPatch(path(shape.d), facecolor=fill, edgecolor=G, linewidth=0.6))
    for text in art.texts:
        kinds = text.style.split()
        place = "center" if "middle" in kinds else "right" if "end" in kinds else "left"
        size = SIZES["small" if "small" in kinds else ""] * 72 / UNITS
        look = FontProperties(family=family, size=size, weight="bold" if bold and "strong" in kinds else "normal")
        back = {"facecolor": "white", "edgecolor": "none", "pad": 2} if "halo" in kinds else None
        axes.text(
            text.x, text.y, text.text, ha=place, va="baseline", color=SOFT if "small" in kinds else INK,
            fontproperties=look, parse_math=False, bbox=back,
        )  # fmt: skip
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)
        figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()


def _family(text: str) -> list[str] | None:
    """Fonts for a text: matplotlib's own, then one that has the letters that it lacks; None where no font has them."""
    from matplotlib.font_manager import FontProperties, fontManager

    others = "".join(sign for sign in text if unicodedata.east_asian_width(sign) in "WF")
    if not others:
        return [OWN_FONT]
    font = fonts.find([others])
    if font is None:
        return None
    if str(font) not in {entry.fname for entry in fontManager.ttflist}:
        fontManager.addfont(font)
    return [OWN_FONT, FontProperties(fname=font).get_name()]


def path(d: str) -> Path:
    """The lines of an SVG path; of its commands those that diagrams use: M and L absolute, h, v, l, z relative."""
    from matplotlib.path import Path

    points: list[tuple[float, float]] = []
    codes: list[int] = []
    for command, text in re.findall(r"([MLhvlz])([^MLhvlz]*)", d):
        numbers = [float(number) for number in text.split()]
        x, y = points[-1] if points else (0.0, 0.0)
        match command:
            case "M" | "L":
                points.append((numbers[0], numbers[1]))
            case "h":
                points.append((x + numbers[0], y))
            case "v":
                points.append((x, y + numbers[0]))
            case "l":
                points.append((x + numbers[0], y + numbers[1]))
            case _:
                points.append(points[0])
        codes.append(int(Path.MOVETO if command == "M" else Path.CLOSEPOLY if command == "z" else Path.LINETO))
    return Path(points, codes)
