"""The live cell: one output that is redrawn, and what is left of it."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from ganvas.notebook import live
from ganvas.notebook.gan import GAN
from learner import make_discriminator, make_generator
from notebook.test_gan import QUICK


class Recorded:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.ends: list = []

    def show(self, page: str) -> None:
        self.pages.append(page)

    def end(self, still, animation, line) -> None:
        self.ends.append((still, animation, line))


@pytest.fixture
def sink(monkeypatch):
    recorded = Recorded()
    monkeypatch.setattr(live, "notebook_sink", lambda: recorded)
    return recorded


def test_the_cell_is_redrawn_and_ends_in_pictures_without_a_kernel(shapes, in_tmp, sink, monkeypatch):
    monkeypatch.setattr(live, "SECONDS", 0.0)
    monkeypatch.setattr(live, "SHARE", 1e9)
    settings = {**QUICK["settings"], "log.every": 2}
    run = GAN(make_generator, make_discriminator).fit(shapes, **{**QUICK, "display": True, "settings": settings})
    assert len(sink.pages) >= 3 and len(sink.ends) == 1
    assert "fresh networks" in sink.pages[0] and "100%" in sink.pages[-1]
    pictures = [re.search(r"base64,([^\"]+)", page) for page in sink.pages]
    with Image.open(io.BytesIO(base64.b64decode(pictures[-1][1]))) as picture:
        assert picture.format == "PNG"
    still, animation, line = sink.ends[0]
    assert still.content[:4] == b"\x89PNG" and animation.content[:3] == b"GIF" and str(run.path) in line
    assert len(still.content) <= live.STILL_BYTES and len(still.content) + len(animation.content) <= 300_000


def test_few_colours_hold_those_of_the_curves():
    """Noise fills a palette: the lines would become grey."""
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype(np.uint8)
    noise[:4] = [47, 72, 200]  # a line of G
    noise[4:8] = 255
    few = live._in_colours(Image.fromarray(noise), 16)
    assert len(few.getcolors()) <= 16
    assert np.array_equal(np.asarray(few.convert("RGB"))[[0, 4], 0], [[47, 72, 200], [255, 255, 255]])


def test_drawing_takes_a_small_share_of_the_time(shapes, in_tmp, sink, monkeypatch):
    """A picture that took a second is not drawn again for twenty."""
    now = [100.0]
    monkeypatch.setattr(live.time, "monotonic", lambda: now[0])
    run = GAN(make_generator, make_discriminator).fit(shapes, **QUICK)
    cell = live.LiveCell(run, shapes.images, False, sink)
    monkeypatch.setattr(cell, "page", lambda: now.__setitem__(0, now[0] + 1.0) or "page")
    cell.draw()
    assert cell.due == pytest.approx(now[0] + 1.0 / live.SHARE)


def test_nothing_is_shown_when_asked(shapes, in_tmp, sink, capsys):
    GAN(make_generator, make_discriminator).fit(shapes, **QUICK)
    assert not sink.pages and "epoch" not in capsys.readouterr().err


def test_a_script_gets_the_lines_of_the_command_line(shapes, in_tmp, capsys):
    GAN(make_generator, make_discriminator).fit(shapes, **{**QUICK, "display": True})
    shown = capsys.readouterr().err
    assert "fresh networks" in shown and "trained 64 images" in shown


def test_curves_leave_pyplot_alone():
    import sys

    before = sys.modules.get("matplotlib.pyplot")
    live.draw_curves([{"nimg": 64, "loss/d": 1.0, "loss/g": None, "acc/pair": 0.5, "acc/fake": 0.5}], 64)
    assert sys.modules.get("matplotlib.pyplot") is before
