"""Runs that show themselves: history, pictures, diagnosis, tables."""

from __future__ import annotations

import base64
import io
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from ganvas.errors import UsageError
from ganvas.notebook.gan import GAN
from ganvas.notebook.run import GIF_BYTES, History, Run
from ganvas.notebook.views import Evaluation
from learner import make_discriminator, make_generator
from notebook.test_gan import QUICK


@pytest.fixture(scope="module")
def run(shapes, tmp_path_factory):
    where = tmp_path_factory.mktemp("run")
    return GAN(make_generator, make_discriminator).fit(shapes, out=where / "run", **{**QUICK, "kimg": 0.4})


def test_history_by_our_names_and_by_the_course_s(run):
    history = run.history
    rows = run.rows("metrics")
    np.testing.assert_array_equal(history["loss/d"], [row["loss/d"] for row in rows])
    np.testing.assert_array_equal(history["fake_accuracy"], history["acc/fake"])
    np.testing.assert_array_equal(history["gen_loss"], history["loss/g"])
    np.testing.assert_allclose(history["epoch"], history["nimg"] / 64)
    with pytest.raises(KeyError, match="did you mean fake_accuracy"):
        history["fake_acuracy"]
    assert "acc/fake" in list(history) and len(history) == len(history.names)


def test_history_holds_nan_where_a_row_has_none():
    history = History([{"nimg": 8, "a": 1.0}, {"nimg": 16, "a": None}, {"nimg": 24, "b": 2.0}], 8)
    np.testing.assert_array_equal(history["a"], [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(history["epoch"], [1, 2, 3])


def test_history_as_a_data_frame(run):
    pandas = pytest.importorskip("pandas")
    frame = run.history.frame()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == len(run.rows("metrics"))


def test_pictures_are_files_of_their_kind(run, tmp_path):
    samples, gif, curves = run.samples(), run.gif(), run.curves()
    with Image.open(io.BytesIO(samples.content)) as picture:
        assert picture.format == "PNG" and picture.width >= 8 * 64  # enlarged by whole factors
    with Image.open(io.BytesIO(gif.content)) as picture:
        assert picture.format == "GIF" and picture.n_frames == len(run.sample_grids())
    assert len(gif.content) <= GIF_BYTES and curves.content[:4] == b"\x89PNG"
    assert samples.save(tmp_path / "s.png").read_bytes() == samples.content
    assert "after 400 images" in repr(run.samples(10**6)) and "untrained" not in repr(run.samples(0))


def test_a_gif_keeps_to_its_size(run):
    whole = len(run.gif(10**9).content)
    small = run.gif(whole // 3)
    assert len(small.content) <= whole // 3
    with Image.open(io.BytesIO(small.content)) as picture:  # fewer images rather than fewer frames
        assert picture.format == "GIF" and picture.n_frames == len(run.sample_grids())


def test_a_small_gif_is_shown_enlarged(run):
    """In a notebook by the metadata of its output, in a page by its width; the file stays as it is."""
    small = run.gif(1)
    with Image.open(io.BytesIO(small.content)) as picture:
        size = {"width": 6 * picture.width, "height": 6 * picture.height}  # images of 16 pixels, shown at 96
    data, about = small._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]) == small.content == small._repr_png_()
    assert (
        about == {"image/png": size} and f'width="{size["width"]}" style="image-rendering: pixelated"' in small.html()
    )
    assert run.curves()._repr_mimebundle_()[1] == {} and "width" not in run.curves().html()


def test_a_run_shows_itself(run):
    page = run._repr_html_()
    assert page.count("<img") == 2 and str(run.path) in page
    assert "finished" in repr(run) and "6.2 epochs" in repr(run)
    assert repr(run.report(lang="ko")).endswith("report.html")


def test_the_doctor_speaks_two_languages(run):
    assert "measurements" in repr(run.doctor()) and "<p>" in run.doctor()._repr_html_()
    assert repr(run.doctor("ko")) != repr(run.doctor())


def test_scores_are_a_table(run, tmp_path):
    from ganvas.evaluation import Score

    kept = {"metric": "fd", "value": 12.5, "low": 11.0, "high": 14.0, "extractor": "<b>", "better": "lower", "n": 100}
    kept |= {"sets": 5, "n_ref": 200, "seed": 0, "weights_hash": "abc", "real_baseline_from": "", "source": "run"}
    score = Score(**{**dict.fromkeys(Score.__dataclass_fields__), **kept})
    table = Evaluation([score])
    assert "12.5" in repr(table) and "11 to 14" in repr(table) and "5 sets of 100" in repr(table)
    assert "&lt;b&gt;" in table._repr_html_() and "11 to 14" in table._repr_html_()
    assert table[0] is score and len(table) == 1 and table == [score]


def test_tables_are_data_frames_where_pandas_is(monkeypatch):
    """What pandas is given; without pandas, one line."""
    from ganvas.notebook.views import Table

    rows = [{"a": 1, "b": "x"}]
    monkeypatch.setitem(sys.modules, "pandas", SimpleNamespace(DataFrame=lambda given: ("frame", given)))
    assert Table(rows, "", ("a",)).frame() == ("frame", rows)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="pip install pandas"):
        Table(rows, "", ("a",)).frame()


def test_an_untrained_run_says_so(tmp_path, shapes):
    with pytest.raises(UsageError, match="no run directory"):
        Run.open(tmp_path)
