"""Captions in any letters: with a font that has them, and with none."""

from __future__ import annotations

import io
import unicodedata
import warnings
from pathlib import Path

import numpy as np
import pytest

from ganvas import fonts
from ganvas.datasets import preview
from ganvas.datasets.dataset import ImageSet

LETTERS = "고양이강아지"


@pytest.fixture
def font(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small font whose every Korean letter is a box of its own width."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    names = [".notdef", *(f"u{ord(letter):04x}" for letter in LETTERS)]
    glyphs = {}
    for i, name in enumerate(names):
        pen = TTGlyphPen(None)
        right = 300 + 100 * i
        for point in ((100, 0), (100, 700), (right, 700), (right, 0)):
            (pen.moveTo if point == (100, 0) else pen.lineTo)(point)
        pen.closePath()
        glyphs[name] = pen.glyph()
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(letter): name for letter, name in zip(LETTERS, names[1:], strict=True)})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (500 + 100 * i, 100) for i, name in enumerate(names)})
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    path = tmp / "fonts" / "NanumGothic.ttf"
    path.parent.mkdir()
    builder.save(path)
    return path


def only(monkeypatch: pytest.MonkeyPatch, *folders: Path) -> None:
    monkeypatch.setattr(fonts, "_folders", lambda: [str(folder) for folder in folders])
    monkeypatch.delenv(fonts.VARIABLE, raising=False)


def animals(names: tuple[str, ...]) -> ImageSet:
    images = np.random.default_rng(0).integers(0, 256, (4, 3, 16, 16), np.uint8)
    return ImageSet("animals", images, np.array([0, 0, 1, 1]), names, "", "")


def test_a_font_of_the_system_draws_korean_classes(
    font: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, font.parent)
    assert fonts.find(["고양이", "강아지"]) == font
    texts, drawn_with = fonts.captions(["고양이", "강아지"])
    assert texts == ["고양이", "강아지"] and str(drawn_with.path) == str(font)  # type: ignore[union-attr]
    sheet = preview(animals(("고양이", "강아지")), 2)
    assert sheet.width > 2 * 66 + 30 and capsys.readouterr().err == ""
    assert fonts.captions([unicodedata.normalize("NFD", "고양이")])[0] == ["고양이"]  # as macOS spells it


def test_without_a_font_classes_are_numbered_and_a_legend_is_printed(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    only(monkeypatch, tmp)
    assert fonts.captions(["고양이", "강아지"])[0] == ["1", "2"]
    said = capsys.readouterr().err
    assert said.splitlines()[0] == "captions: 1 고양이, 2 강아지"
    assert "no font here has all of these letters: install" in said and "GANVAS_FONT" in said
    assert preview(animals(("고양이", "강아지")), 2).width < 2 * 66 + 30


def test_a_font_file_may_be_named(font: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, tmp / "none")
    monkeypatch.setenv(fonts.VARIABLE, str(font))
    assert fonts.find(["고양이"]) == font
    monkeypatch.setenv(fonts.VARIABLE, str(tmp / "gone.ttf"))
    assert fonts.find(["고양이"]) is None


def test_latin_greek_and_cyrillic_need_no_font_of_the_system(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, tmp)
    assert fonts.find(["émoji", "кот", "γάτα"]).name == "DejaVuSans.ttf"  # type: ignore[union-attr]
    assert fonts.captions(["кот"])[0] == ["кот"]


@pytest.mark.parametrize("present", [True, False])
def test_titles_of_curves_warn_of_no_glyph(
    present: bool, font: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from matplotlib.figure import Figure

    from ganvas.reports import curves_png

    only(monkeypatch, font.parent if present else tmp / "none")
    title, properties = curves_png._title(("고양이",) if present else ("quick", "고양이", "seed 0"))
    assert title == ("고양이" if present else "quick · seed 0")
    figure = Figure()
    figure.suptitle(title, fontproperties=properties, parse_math=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
