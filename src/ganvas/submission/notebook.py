"""submission.ipynb: the hand-in as an executed notebook, whose outputs GitHub shows without a kernel.

Written as JSON of nbformat 4.5. Every output is the value of its cell's code, which stands beside it here.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from markupsafe import escape

from ganvas import __version__
from ganvas.comparison.formats import as_markdown
from ganvas.i18n import Translator
from ganvas.notebook.compare import compare
from ganvas.notebook.run import Run
from ganvas.reports.sections.rubric import Item
from ganvas.submission import checklist, page
from ganvas.submission.checklist import Question
from ganvas.submission.material import Material

Cell = dict[str, Any]

REPR = {"text/html": "_repr_html_", "text/markdown": "_repr_markdown_", "image/png": "_repr_png_"}
"""What a notebook asks an object for, beside its repr."""


def render(material: Material, base: Path, say: Translator, drawn: Mapping[str, Any]) -> str:
    """The notebook as JSON; paths of the runs are relative to `base`. `drawn`: code whose value is known already."""
    cells = list(_cells(material, base, say, drawn))
    for i, cell in enumerate(cells):
        cell["id"] = f"cell-{i}"
    count = 0
    for cell in cells:
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
            for output in cell["outputs"]:
                output["execution_count"] = count
    about = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
        "ganvas": {"version": __version__},
    }
    values = {"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(values, indent=1, ensure_ascii=False) + "\n"


def _cells(material: Material, base: Path, say: Translator, drawn: Mapping[str, Any]) -> Iterator[Cell]:
    main, lang = material.main, say.lang
    runs = {group.name: [Run(member.run.path) for member in group.members] for group in material.groups}
    run = Run(main.run.path)
    intro = say("submit.intro", date=material.date, main=main.folder, group=main.group)
    yield _text(f"# {as_markdown(page.title(material, say))}", as_markdown(intro))
    yield _text(*_checklist(material, say))
    yield _text(say("submit.nb.setup"))
    yield _code(_setup(material, base))
    if main.facts.grids:
        yield _text(f"## {say('submit.nb.grids')}")
        yield _shown("run.samples(0)", lambda: run.samples(0), drawn)
        yield _shown("run.samples()", run.samples, drawn)
        if main.facts.real is not None:
            yield _shown("run.real()", run.real, drawn)
        yield _text(f"## {say('submit.nb.gif')}")
        yield _shown("run.gif()", run.gif, drawn)
    yield _text(f"## {say('submit.nb.curves')}")
    yield _shown("run.curves()", run.curves, drawn)
    yield _text(f"## {say('submit.nb.doctor')}")
    yield _shown(f"run.doctor(lang={lang!r})", lambda: run.doctor(lang=lang), drawn)
    if material.comparison is not None:
        yield _text(f"## {say('submit.compared')}")
        code = f"ganvas.compare(runs, make=False, lang={lang!r})"
        yield _shown(code, lambda: compare(runs, make=False, lang=lang), drawn)
    if main.facts.networks:
        yield _text(f"## {say('submit.nb.diagram')}", say(f"flow.caption.{main.facts.config.step.update}"))
        yield _shown(f"run.diagram(lang={lang!r})", lambda: run.diagram(lang=lang), drawn)
    yield _text(f"## {say('submit.retrospective')}", *_retrospective(material, say))
    if material.code:
        yield _text(f"## {say('submit.code')}", say("submit.code.lead"), _fenced(material.code))


def _checklist(material: Material, say: Translator) -> Iterator[str]:
    """The checklist as Markdown."""
    yield f"## {say('submit.checklist')}"
    yield say("submit.checklist.lead")
    yield f"### {say('submit.rubric')}"
    for item in checklist.items(material, say):
        quoted = (item.korean, item.english) if say.lang == "ko" else (item.english, item.korean)
        head = "\n".join([f"**{item.number}. {quoted[0]}**", "", f"*{quoted[1]}*"])
        yield head
        yield _answer(item, say(f"status.{item.status}"), say)
    yield f"### {say('submit.questions')}"
    for question in checklist.questions(material, say):
        yield f"**{question.number}. {question.title}**"
        label = "submit.look" if question.status == "eye" else f"status.{question.status}"
        yield _answer(question, say(label), say)


def _answer(entry: Item | Question, label: str, say: Translator) -> str:
    """Status, what is missing, and the evidence, as a list."""
    lines = [f"**{label}**"]
    if entry.reasons:
        key = "submit.part_because" if entry.status == "part" else "submit.not_because"
        lines.append(say(key, reasons=say("because_join").join(entry.reasons)))
    return "\n".join(f"- {as_markdown(line)}" for line in [*lines, *entry.evidence])


def _retrospective(material: Material, say: Translator) -> Iterator[str]:
    """What the author wrote, every character of it as text."""
    for heading, texts in page.notes(material, say):
        if heading:
            yield f"### {as_markdown(heading)}"
        for folder, body in texts:
            source = f"\n\n<small>{escape(folder)}</small>" if folder and len(material.shown) > 1 else ""
            yield f"{body}{source}"


def _setup(material: Material, base: Path) -> str:
    """The code that opens the runs from the folder of the notebook."""
    lines = ["import ganvas", "from ganvas.notebook.run import Run", "", "runs = {"]
    for group in material.groups:
        paths = [f"Run({_relative(member.run.path, base)!r})" for member in group.members]
        lines.append(f"    {group.name!r}: [{', '.join(paths)}],")
    lines += ["}", f"run = Run({_relative(material.main.run.path, base)!r})"]
    return "\n".join(lines)


def _relative(path: Path, base: Path) -> str:
    try:
        return Path(os.path.relpath(path.resolve(), base.resolve())).as_posix()
    except ValueError:  # another drive of Windows
        return path.resolve().as_posix()


def _shown(code: str, result: Callable[[], Any], drawn: Mapping[str, Any]) -> Cell:
    """A cell of one expression, and what a notebook shows of its result."""
    value = drawn[code] if code in drawn else result()
    data: dict[str, Any] = {"text/plain": repr(value)}
    for kind, name in REPR.items():
        if (content := getattr(value, name, lambda: None)()) is not None:
            data[kind] = base64.b64encode(content).decode() if isinstance(content, bytes) else content
    about: dict[str, Any] = getattr(value, "shown_size", dict)()
    output = {"output_type": "execute_result", "data": data, "metadata": about, "execution_count": None}
    return {**_code(code), "outputs": [output]}


def _code(code: str) -> Cell:
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": code}


def _text(*parts: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": "\n\n".join(parts)}


def _fenced(code: str) -> str:
    """Code in a fence that nothing in it can close."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}python\n{code}\n{fence}"
