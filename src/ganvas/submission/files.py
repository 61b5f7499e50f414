"""Every file of a hand-in, by its name below the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from ganvas import media
from ganvas.comparison import formats
from ganvas.comparison import page as comparison_page
from ganvas.files import MOST_BYTES, read_file, utf8
from ganvas.i18n import Translator
from ganvas.media import enlarge
from ganvas.notebook.pictures import Picture
from ganvas.notebook.run import Run as ShownRun
from ganvas.reports import page as report
from ganvas.runs.run import OWN_CODE
from ganvas.submission import notebook, page, reviewer
from ganvas.submission.material import Material, Shown, gather

__all__ = ["NOTEBOOK", "PAGE", "REVIEWER", "build", "gather"]

PAGE, NOTEBOOK, REVIEWER = "submission.html", "submission.ipynb", "reviewer.md"
COPIED = ("config.json", "notes.md", OWN_CODE)
"""Files of a run that are handed in as they are."""


def build(material: Material, base: Path, say: Translator) -> dict[str, bytes]:
    """Name -> content. Paths of the runs are written relative to `base`, where the folder will be."""
    files = {PAGE: utf8(page.render(material, say)), REVIEWER: utf8(reviewer.render(material, say))}
    shown = _pictures(material, say)
    files |= {name: picture.content for name, (_, picture) in shown.items()}
    files[NOTEBOOK] = utf8(notebook.render(material, base, say, dict(shown.values())))
    if material.comparison is not None:
        files |= _comparison(material, base, say)
    for each in material.shown:
        files |= {f"runs/{each.folder}/{name}": content for name, content in _of_run(each, say)}
    return files


def _pictures(material: Material, say: Translator) -> dict[str, tuple[str, Picture]]:
    """File -> the code that makes it and what it makes, of the run that is handed in; each drawn once."""
    run, facts = ShownRun(material.main.run.path), material.main.facts
    found = {"curves.png": ("run.curves()", run.curves())}
    if facts.grids:
        found["progress.gif"] = ("run.gif()", run.gif())
    if facts.networks:
        found["diagram.png"] = (f"run.diagram(lang={say.lang!r})", run.diagram(say.lang))
    return found


def _of_run(shown: Shown, say: Translator) -> Iterator[tuple[str, bytes]]:
    """The report of a run, its pictures, and what the author wrote."""
    made = report.files(shown.facts, say)
    yield from ((name, content) for name, content in made.items() if name != "progress.webp")
    grids, side = shown.facts.grids, shown.facts.shape[1]
    pictures: list[tuple[str, Image.Image | None]] = [("real.png", shown.facts.real)]
    if grids:
        pictures += [("samples.png", grids[-1][1])]
        pictures += [("untrained.png", grids[0][1])] if grids[0][0] == 0 else []
    for name, picture in pictures:
        if picture is not None:
            yield name, media.encode(enlarge(picture, side))
    for name in COPIED:
        path = shown.run.path / name
        if path.is_file() and path.stat().st_size <= MOST_BYTES:
            yield name, read_file(path)


def _comparison(material: Material, base: Path, say: Translator) -> dict[str, bytes]:
    """The page and the tables of `ganvas compare --out`."""
    found = material.comparison
    assert found is not None
    reports = {each.run.path: f"runs/{each.folder}/report.html" for each in material.shown}
    return {
        "compare.html": utf8(comparison_page.render(found, say, base, reports)),
        "compare.md": utf8(formats.markdown(found, say)),
        "compare.csv": utf8(formats.comma_separated(found)),
    }
