"""A comparison as text, Markdown, LaTeX, CSV and JSON values; `write` saves all of them with the page."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganvas import i18n
from ganvas.comparison.comparison import Comparison
from ganvas.comparison.scores import EvaluationProtocol
from ganvas.comparison.tables import method, preface, tables, verdict_sentences
from ganvas.files import check_replaceable, is_ours, replace_file, utf8, writing_to
from ganvas.i18n import Translator
from ganvas.terminal import printable

LONGEST_NAME = 40
"""Characters of a group's name in a table of the terminal."""
LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"±": r"$\pm$", "−": "$-$", "–": "--", "…": r"\ldots{}", "<": "$<$", ">": "$>$", "↑": r"$\uparrow$",
       "↓": r"$\downarrow$", "→": r"$\to$", "×": r"$\times$", "~": r"\~{}", "^": r"\^{}", "\\": r"\textbackslash{}",
       "[": "{[}", "*": "{*}"}
)  # fmt: skip
"""Characters of a cell in LaTeX. In its old default encoding a plain < prints as an upside-down exclamation mark;
a [ or * after the end of a row is an argument of it."""


def write(found: Comparison, folder: str | os.PathLike[str], lang: str = "en", force: bool = False) -> Path:
    """Write compare.html, compare.md, compare.csv, compare.tex and compare.webp; returns the path of the page.

    Raises UsageError for an unknown language and, unless `force`, where a file of these names is not of ganvas;
    GanvasError if the folder cannot be written.
    """
    from ganvas.comparison import page, pictures

    say, base = i18n.load(lang), Path(folder)
    check_folder(base, force)
    files = {
        "compare.md": utf8(markdown(found, say)),
        "compare.tex": utf8(latex(found, say)),
        "compare.csv": utf8(comma_separated(found)),
        "compare.webp": pictures.side_by_side(found.groups),
        "compare.html": utf8(page.render(found, say, base)),
    }
    with writing_to(base):
        base.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            if content is not None:
                replace_file(base / name, content)
    return base / "compare.html"


def check_folder(base: Path, force: bool = False) -> None:
    """UsageError where `write` would replace a file of a user: only beside a page of ganvas are the others ours too."""
    page = base / "compare.html"
    if not force and not (page.is_file() and is_ours(page)):
        for path in (base / f"compare.{kind}" for kind in ("html", "md", "tex", "csv", "webp")):
            check_replaceable(path)


def text(found: Comparison, say: Translator) -> str:
    """For the terminal."""
    lines = [*verdict_sentences(found, say), *preface(found, say), ""]
    short = _shortened([group.name for group in found.groups])
    for table in tables(found, say):
        every = [[printable(short.get(cell, cell)) for cell in row] for row in (table.head, *table.rows)]
        widths = [max(len(row[i]) for row in every) for i in range(len(table.head))]
        rows = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in every]
        lines += [table.title, *(f"  {row}" for row in rows), ""]
    return "\n".join(map(printable, [*lines, *method(found, say), *found.notes]))


def _shortened(names: Sequence[str]) -> dict[str, str]:
    """Long names without their middle, where that keeps them apart; the sentences above have them in full."""
    half = LONGEST_NAME // 2
    short = {name: name if len(name) <= LONGEST_NAME else f"{name[: half - 3]}...{name[-half:]}" for name in names}
    return short if len({*short.values()}) == len(short) else {}


def markdown(found: Comparison, say: Translator) -> str:
    """For a README; every number and setting is read from the runs."""
    lines = [
        *(f"**{as_markdown(line)}**" for line in verdict_sentences(found, say)),
        *map(as_markdown, preface(found, say)),
    ]
    parts = [f"{line}\n" for line in lines]
    for table in tables(found, say):
        rows = [[as_markdown(cell) for cell in table.head], ["---"] * len(table.head)]
        rows += [[as_markdown(cell) for cell in row] for row in table.rows]
        parts += [f"### {as_markdown(table.title)}\n", "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"]
    return "\n".join([*parts, *(f"{as_markdown(line)}\n" for line in (*method(found, say), *found.notes))])


def as_markdown(text: str) -> str:
    """A text in one line in which nothing is HTML, a link or the end of a cell."""
    text = re.sub(r"[\\|\[\]]", r"\\\g<0>", printable(text))
    return re.sub(r"<(?=[A-Za-z/!?])", "&lt;", text)


def latex(found: Comparison, say: Translator) -> str:
    """One tabular for each table; needs no package."""
    parts = []
    for table in tables(found, say):
        columns = "l" + "r" * (len(table.head) - 1)
        lines = [" & ".join(_tex(cell) for cell in row) + r" \\" for row in (table.head, *table.rows)]
        body = "\n".join([lines[0], r"\hline", *lines[1:]])
        title = printable(table.title)
        parts.append(f"% {title}\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n")
    return "\n".join(parts)


def _tex(text: str) -> str:
    """A text in LaTeX: characters and nothing else, in one line."""
    return printable(text).translate(LATEX)


def comma_separated(found: Comparison) -> str:
    """Every score, one per line: the numbers behind the tables."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    head = ["group", "run", "seed", "nimg", "metric", "value", "better", "real_baseline", *EvaluationProtocol._fields,
            "computation"]  # fmt: skip
    writer.writerow(head)
    for scores in found.scores:
        for group, values in zip(found.groups, scores.values, strict=True):
            for member, value in zip(group.members, values, strict=True):
                if value is not None:
                    start = [_cell(group.name), _cell(str(member.run.path)), member.seed, member.nimg]
                    baseline = "" if scores.real_baseline is None else scores.real_baseline
                    writer.writerow(
                        [*start, scores.metric, value, scores.better, baseline, *scores.protocol, scores.computation]
                    )
    return file.getvalue()


def _cell(name: str) -> str:
    """A name as a cell that a spreadsheet does not take for a formula."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@")) else name


def verdict_rows(found: Comparison) -> list[dict[str, Any]]:
    """The verdicts as JSON values; what could not be computed is null."""
    scores_of = {scores.metric: scores for scores in found.scores}
    rows = []
    for v in found.verdicts:
        d, scores = v.difference, scores_of[v.metric]
        rows.append({
            "group": found.groups[v.group].name,
            "first": found.groups[0].name,
            "metric": v.metric,
            "verdict": v.outcome,
            "values": scores.of_group(v.group),
            "first_values": scores.of_group(0),
            "difference": None if d is None else d.value,
            "low": None if d is None else _or_none(d.low),
            "high": None if d is None else _or_none(d.high),
            "level": _or_none(v.level),
            "p": _or_none(v.p),
            "detectable": _or_none(v.detectable),
            "seeds_needed": v.seeds_needed,
            **scores.protocol._asdict(),
            "computation": scores.computation,
        })  # fmt: skip
    return rows


def group_summary(found: Comparison, name: str) -> dict[str, Any]:
    """The verdicts on one group as JSON values, for the reports of its runs."""
    keys = ("metric", "verdict", "difference", "low", "high", "level", "p")
    verdicts = [{key: row[key] for key in keys} for row in verdict_rows(found) if row["group"] == name]
    members = next((group.members for group in found.groups if group.name == name), ())
    seeds = [len(found.groups[0].members), len(members)]
    return {"first": found.groups[0].name, "seeds": seeds, "verdicts": verdicts}


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None
