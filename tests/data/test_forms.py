"""Every form of the table in docs/data.md: a small file of that form, its command, and what is read.

A new form is a row of the table and a function here under the same name, with what must come out.
"""

from __future__ import annotations

import io
import re
import shlex
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import data
from ganvas.cli.train import configured

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Form:
    """How to make a small file of a form at a path, and what is read from it."""

    make: Callable[[Path], None]
    n: int
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    split: str = ""


FORMS: dict[str, Form] = {}


def form(name: str, **expected: object) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Register the function that makes a small file of this form."""

    def add(make: Callable[[Path], None]) -> Callable[[Path], None]:
        FORMS[name] = Form(make, **expected)  # type: ignore[arg-type]
        return make

    return add


def noise(size: tuple[int, int] = (20, 20)) -> Image.Image:
    """A picture that no other equals."""
    return Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def png(size: tuple[int, int] = (20, 20)) -> bytes:
    """The same as the bytes of a PNG file."""
    file = io.BytesIO()
    noise(size).save(file, "PNG")
    return file.getvalue()


def fill(at: Path, *names: str) -> None:
    """Pictures of these names below a folder."""
    for name in names:
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(png())


def zipped(at: Path, *names: str) -> None:
    """Pictures of these names in a zip file."""
    with zipfile.ZipFile(at, "w") as archive:
        for name in names:
            archive.writestr(name, png())


PETS = ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png", "dog/more/3.png")


@form("Folder of pictures", n=3)
def _(at: Path) -> None:
    fill(at, "a.png", "b.png", "deeper/c.png")


@form("One folder a class", n=5, classes=("cat", "dog"), counts=(2, 3))
def _(at: Path) -> None:
    fill(at, *PETS)


@form("Zip of pictures", n=5, classes=("cat", "dog"), counts=(2, 3))
def _(at: Path) -> None:
    zipped(at, *PETS)


def rows() -> Iterator[tuple[str, str]]:
    """(form, command) of each row of the table."""
    for line in DOCS.read_text("utf-8").split("## Forms")[1].split("\n## ")[0].splitlines():
        if line.startswith("| ") and not line.startswith("| Form"):
            cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
            yield cells[1], cells[2].strip("`")


def test_the_table_and_the_tests_name_the_same_forms() -> None:
    assert [name for name, _ in rows()] == list(FORMS)


@pytest.mark.parametrize(("name", "command"), [*rows()], ids=[name for name, _ in rows()])
def test_form(name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small file is made under the name that the command gives it; the command's settings read it."""
    monkeypatch.chdir(tmp_path)
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("ganvas", "train")
    config = configured(words).data
    FORMS[name].make(Path(config.name))
    found, expected = data.load(config, progress=False), FORMS[name]
    assert (len(found.images), found.class_names) == (expected.n, expected.classes)
    counts = () if found.labels is None else tuple(np.bincount(found.labels, minlength=len(found.class_names)).tolist())
    assert counts == expected.counts
    assert found.found.split == expected.split
