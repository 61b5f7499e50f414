"""`ganvas.datasets`: whatever a learner has, and what a notebook shows of it."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas.cli.main import main
from ganvas.errors import UsageError
from ganvas.notebook.data import Data, data

FLOATS = np.linspace(-1, 1, 6 * 16 * 16 * 3, dtype=np.float32).reshape(6, 16, 16, 3)


def test_an_array_as_the_course_scales_it():
    found = data(FLOATS, [0, 1, 0, 1, 0, 1], class_names=["cat", "dog"], progress=False)
    assert found.shape == (3, 16, 16) and len(found) == 6 and found.class_names == ("cat", "dog")
    assert found.images.images.min() == 0 and found.images.images.max() == 255
    assert "16 x 16 RGB" in repr(found) and "2 classes" in repr(found) and "values 0 to 255" in repr(found)


def test_data_shows_a_grid_and_its_range():
    page = data(FLOATS, progress=False)._repr_html_()
    assert "<img" in page and "data:image/png;base64," in page and "0 to 255" in page
    shown = data(FLOATS, progress=False).show(4)
    assert len(shown) == 4 and np.asarray(shown).shape == (4, 3, 16, 16) and shown.pil[0].size == (16, 16)
    assert shown._repr_png_()[:4] == b"\x89PNG"


def test_data_of_data_is_itself(shapes):
    assert data(shapes) is shapes and isinstance(shapes, Data)


def test_pictures_of_pillow():
    pictures = [Image.new("RGB", (20, 20), (i, 0, 255 - i)) for i in range(0, 200, 40)]
    assert data(pictures, progress=False).shape == (3, 20, 20)


def test_an_unknown_setting_is_named():
    with pytest.raises(UsageError, match="sise"):
        data("shapes", sise=16)


def test_names_are_escaped():
    page = data(FLOATS, ["<script>x</script>", "b"] * 3, progress=False)._repr_html_()
    assert "<script>" not in page


def test_the_commands_below_data(shapes, capsys):
    """Each says what `ganvas data COMMAND` prints."""
    for words, shown in (
        (["list"], f"{ganvas.data.list()!r}\nAny folder, zip, npz or IDX file of images works as well: "),
        (["check", "shapes"], repr(ganvas.data.check("shapes"))),
        (["fetch", "shapes"], repr(ganvas.data.fetch("shapes"))),
    ):
        capsys.readouterr()
        assert main(["data", *words]) == 0
        assert capsys.readouterr().out.startswith(shown)
    assert [row["images"] for row in ganvas.data.list() if row["name"] == "cifar10"] == [60_000]
    assert len(ganvas.data.show("shapes", size=16)) == 32
    assert ganvas.data.cache().splitlines()[-1].endswith("clear=True removes them")
    with pytest.raises(UsageError, match="fetch\\(\\) takes the name of a known set, not None"):
        ganvas.data.fetch(None)
