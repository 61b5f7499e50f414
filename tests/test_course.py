"""The course: both languages are built from one script, and every notebook runs."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import build_course as course

from ganvas.errors import UsageError

ROOT = Path(__file__).parent.parent
SCRIPTS = course.scripts()
LARGEST = 1_500_000
"""Bytes of a notebook that GitHub still shows."""
MINUTES = "0.05"
"""Of training in a test."""

PAIR = '# %% [markdown] lang="en"\n# Hello\n#\n# you\n\n# %% [markdown] lang="ko"\n# 안녕\n\n'


def named(scripts: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("script", scripts, ids=[script.stem for script in scripts])


# -- the format ------------------------------------------------------------------------------------------------


def test_a_script_is_read_cell_by_cell() -> None:
    cells = course.read(f"# for authors\n\n{PAIR}# %%\nx = 1\n\n# a comment\ny = 2\n\n# %%\nz = 3\n")
    assert cells == [
        course.Text({"en": "Hello\n\nyou", "ko": "안녕"}),
        course.Code("x = 1\n\n# a comment\ny = 2"),
        course.Code("z = 3"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PAIR.replace('"ko"', '"en"'), "line 1: a text cell stands there in en and then ko"),
        (PAIR.split("\n\n")[0] + "\n\n# %%\nx = 1\n", "line 1: a text cell stands there in en and then ko"),
        (PAIR.split("\n\n")[0], "line 1: a text cell stands there in en and then ko"),
        (PAIR.replace("# you", "you"), "below line 1: a line of a text cell begins with '# ', not 'you'"),
        ("\n# %% x = 1", "line 2: '# %% x = 1' is neither"),
    ],
)
def test_what_is_no_cell_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        course.read(text)


def test_outputs_stay_while_the_code_does(tmp: Path) -> None:
    script = tmp / "01_x.py"
    script.write_text(PAIR + "# %%\n1 + 1\n", "utf-8")
    made = course.build(script, "en")
    course.code_cells(made)[0] |= {"execution_count": 1, "outputs": ["two"]}
    script.write_text(PAIR.replace("Hello", "Hi") + "# %%\n1 + 1\n", "utf-8")
    korean = course.build(script, "ko")
    assert course.copy_outputs(made, korean)
    assert course.code_cells(korean)[0]["outputs"] == ["two"] and korean["cells"][0]["source"] == ["안녕"]
    for code in ("1 + 2", "1 + 1\n\n# %%\n2"):
        script.write_text(PAIR + f"# %%\n{code}\n", "utf-8")
        changed = course.build(script, "en")
        assert not course.copy_outputs(made, changed) and course.code_cells(changed)[0]["outputs"] == []


def test_large_pictures_are_kept_with_fewer_colours() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (150, 150, 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    large = base64.b64encode(file.getvalue()).decode()
    page = f'<img src="data:image/png;base64,{large}">'
    data = {"image/png": large, "image/jpeg": "", "text/html": page, "text/plain": "noise"}
    kept = course.clean({"output_type": "display_data", "data": data, "transient": {}}, 1)["data"]
    assert set(kept) == {"image/png", "text/html", "text/plain"} and kept["image/png"] in kept["text/html"]
    with Image.open(io.BytesIO(base64.b64decode(kept["image/png"]))) as picture:
        assert picture.size == (150, 150) and len(picture.getcolors()) <= 256
        assert np.abs(np.asarray(picture.convert("RGB")) - noise.astype(int)).mean() < 30
    gif = base64.b64encode(b"GIF89a" + bytes(course.LARGE)).decode()
    assert course.clean({"data": {"image/png": gif}}, 1)["data"]["image/png"] == gif


def test_an_error_of_ours_is_one_line_in_a_notebook() -> None:
    """IPython asks the exception before it draws a traceback."""
    assert UsageError("no such data")._render_traceback_() == ["UsageError: no such data"]


# -- the notebooks ---------------------------------------------------------------------------------------------


@named(SCRIPTS)
def test_a_notebook_is_built_from_its_script_in_both_languages(script: Path) -> None:
    """Cell by cell, and the hash of the script; the outputs, the same in both, are what may differ from a build."""
    kept = {language: json.loads(course.target(script, language).read_text("utf-8")) for language in course.LANGUAGES}
    for language, notebook in kept.items():
        assert course.without_outputs(notebook) == course.build(script, language), "run tools/build_course.py"
    assert course.code_cells(kept["en"]) == course.code_cells(kept["ko"])


@named(SCRIPTS)
def test_a_notebook_was_run_from_start_to_end_or_not_at_all(script: Path) -> None:
    path = course.target(script, "en")
    cells = course.code_cells(json.loads(path.read_text("utf-8")))
    counts = [cell["execution_count"] for cell in cells]
    assert counts in ([None] * len(cells), [*range(1, len(cells) + 1)])
    assert not [output for cell in cells for output in cell["outputs"] if output["output_type"] == "error"]
    assert path.stat().st_size <= LARGEST


def test_no_notebook_is_left_of_a_script_that_is_gone() -> None:
    built = {path for language in course.LANGUAGES for path in (course.COURSE / language).iterdir()}
    assert built == {course.target(script, language) for script in SCRIPTS for language in course.LANGUAGES}


@pytest.mark.slow
@named(SCRIPTS)
def test_a_notebook_runs(script: Path, tmp: Path) -> None:
    """On a few seconds of training, on shapes in place of the known data sets; a fault is shown with its cell."""
    run = (
        "import sys, pathlib, build_course as course; script, folder = map(pathlib.Path, sys.argv[1:]); "
        "course.run(course.build(script, 'en'), folder, 'import course_pictures')"
    )
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT / "tests"), str(ROOT / "tools")])
    environment = {**os.environ, "PYTHONPATH": path, "GANVAS_COURSE_MINUTES": MINUTES}
    done = subprocess.run(
        [sys.executable, "-c", run, script, tmp], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-6000:]
