"""Build the notebooks of the course, English and Korean, from one script for each: examples/course/NN_name.py.

    python tools/build_course.py                    # all of them
    python tools/build_course.py 02_cifar10 --run   # one, and run it for its readers (needs nbclient and ipykernel)

A script is in the percent format, which VS Code, Spyder and jupytext open as a notebook. A code cell begins with
`# %%`. A text cell stands there twice, `# %% [markdown] lang="en"` and right below it `# %% [markdown] lang="ko"`, so
that both notebooks have the same code. What stands above the first cell is for authors.

The notebooks are plain JSON and are written as such: jupytext cannot choose cells by language, and the little that is
left of its work needs no dependency. Outputs are made once, by running the English notebook, and copied into the
Korean one: the code is the same. Building keeps the outputs as long as no code cell has changed; otherwise they go.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import io
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COURSE = Path(__file__).parent.parent / "examples" / "course"
LANGUAGES = ("en", "ko")
MARKER = re.compile(r'^# %%(?: \[markdown\] lang="(?P<lang>\w+)")?$')
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
SECONDS = 3600
"""Longest time for one cell."""
LARGE = 40_000
"""Bytes of a PNG that is kept with fewer colours."""
PICTURE = re.compile(r"(?<=data:image/png;base64,)[A-Za-z0-9+/=]+")

Notebook = dict[str, Any]


@dataclass(frozen=True)
class Code:
    """A code cell."""

    source: str


@dataclass(frozen=True)
class Text:
    """A text cell in every language."""

    by_language: dict[str, str]


def scripts() -> list[Path]:
    """The sources, in the order of the course."""
    return sorted(COURSE.glob("[0-9][0-9]_*.py"))


def read(text: str) -> list[Code | Text]:
    """The cells of a script. ValueError, with the line, for a cell that is no code and not in both languages."""
    parts: list[tuple[int, str | None, list[str]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("# %%"):
            if not (marker := MARKER.match(line)):
                raise ValueError(f'line {number}: {line!r} is neither "# %%" nor "# %% [markdown] lang=..."')
            parts.append((number, marker["lang"], []))
        elif parts:
            parts[-1][2].append(line)
    cells: list[Code | Text] = []
    while parts:
        number, language, lines = parts.pop(0)
        if language is None:
            cells.append(Code("\n".join(lines).strip("\n")))
            continue
        group = [(language, lines)] + [part[1:] for part in parts[: len(LANGUAGES) - 1]]
        del parts[: len(LANGUAGES) - 1]
        if tuple(lang for lang, _ in group) != LANGUAGES:
            raise ValueError(f"line {number}: a text cell stands there in {' and then '.join(LANGUAGES)}")
        cells.append(Text({lang: _uncommented(lines, number) for lang, lines in group}))
    return cells


def _uncommented(lines: Sequence[str], number: int) -> str:
    bare = "\n".join(lines).strip("\n").split("\n")
    if wrong := [line for line in bare if line != "#" and not line.startswith("# ")]:
        raise ValueError(f"below line {number}: a line of a text cell begins with '# ', not {wrong[0]!r}")
    return "\n".join(line[2:] for line in bare)


def build(script: Path, language: str) -> Notebook:
    """The notebook of a script in one language, without outputs."""
    text = script.read_text("utf-8")
    cells: list[dict[str, Any]] = []
    for number, cell in enumerate(read(text)):
        common = {"id": f"cell-{number:03d}", "metadata": {}}
        if isinstance(cell, Text):
            cells.append({"cell_type": "markdown", **common, "source": _lines(cell.by_language[language])})
        else:
            empty = {"execution_count": None, "outputs": []}
            cells.append({"cell_type": "code", **common, **empty, "source": _lines(cell.source)})
    origin = {"source": script.name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "language": language}
    return {"cells": cells, "metadata": {**KERNEL, "ganvas": origin}, "nbformat": 4, "nbformat_minor": 5}


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def code_cells(notebook: Notebook) -> list[dict[str, Any]]:
    """The code cells of a notebook."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def copy_outputs(made: Notebook, to: Notebook) -> bool:
    """Copy the outputs of one notebook to another that has the same code; False where it has other code."""
    if [cell["source"] for cell in code_cells(made)] != [cell["source"] for cell in code_cells(to)]:
        return False
    for before, after in zip(code_cells(made), code_cells(to), strict=True):
        after["outputs"], after["execution_count"] = before["outputs"], before["execution_count"]
    return True


def run(notebook: Notebook, folder: Path, before: str = "") -> Notebook:
    """The notebook with its outputs, run in a folder; `before` is code that runs first and leaves no cell.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient

    node = nbformat.reads(json.dumps(notebook), as_version=4)
    node.cells.insert(0, nbformat.v4.new_code_cell(before))
    node.metadata.pop("ganvas")
    NotebookClient(
        node, timeout=SECONDS, kernel_name="python3", record_timing=False, resources={"metadata": {"path": str(folder)}}
    ).execute()
    del node.cells[0]
    done = without_outputs(notebook)
    for number, (cell, ran) in enumerate(zip(code_cells(done), code_cells(node), strict=True), 1):
        cell["execution_count"] = number
        cell["outputs"] = [clean(output, number) for output in ran["outputs"]]
    nbformat.validate(nbformat.reads(json.dumps(done), as_version=4))
    return done


def without_outputs(notebook: Notebook) -> Notebook:
    """A copy of a notebook without outputs."""
    bare: Notebook = json.loads(json.dumps(notebook))
    for cell in code_cells(bare):
        cell["outputs"], cell["execution_count"] = [], None
    return bare


def clean(output: dict[str, Any], number: int) -> dict[str, Any]:
    """An output as it is kept: without what is not seen."""
    output.pop("transient", None)
    data = output.get("data", {})
    data.pop("image/jpeg", None)  # Pillow gives each picture twice
    if "image/png" in data:
        data["image/png"] = _fewer_colours(data["image/png"])
    if "text/html" in data:
        data["text/html"] = PICTURE.sub(lambda found: _fewer_colours(found[0]), "".join(data["text/html"]))
    if "execution_count" in output:
        output["execution_count"] = number
    return output


def _fewer_colours(png: str) -> str:
    """A large PNG, in base64, with 256 colours: noise is half as large and looks the same. A GIF stays as it is."""
    from PIL import Image

    content = base64.b64decode(png)
    if len(content) < LARGE or not content.startswith(b"\x89PNG"):
        return png
    file = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    return base64.b64encode(min(file.getvalue(), content, key=len)).decode()


def write(notebook: Notebook, path: Path) -> None:
    """Write a notebook as Jupyter does."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")


def target(script: Path, language: str) -> Path:
    """Where a notebook lies."""
    return script.parent / language / f"{script.stem}.ipynb"


def main() -> None:
    """Build the notebooks that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as 02_cifar10 (default: all)")
    parser.add_argument("--run", action="store_true", help="run the English one, and keep its outputs for both")
    args = parser.parse_args()
    for script in scripts():
        if args.names and script.stem not in args.names:
            continue
        notebooks = {language: build(script, language) for language in LANGUAGES}
        if args.run:
            with tempfile.TemporaryDirectory() as folder:
                made = run(notebooks["en"], Path(folder))
        for language, notebook in notebooks.items():
            path = target(script, language)
            old = made if args.run else json.loads(path.read_text("utf-8")) if path.is_file() else notebook
            if not copy_outputs(old, notebook) and any(cell["outputs"] for cell in code_cells(old)):
                print(f"{path.name} ({language}): its code has changed: run it again with --run")
            write(notebook, path)


if __name__ == "__main__":
    main()
