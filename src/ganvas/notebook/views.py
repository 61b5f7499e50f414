"""What the functions of `ganvas` return: values that show themselves, as a page in a notebook, else as text."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import UsageError, option
from ganvas.notebook.pictures import table

if TYPE_CHECKING:
    from ganvas.diagnostics import Diagnosis
    from ganvas.diagnostics.checks import Result
    from ganvas.evaluation import Score

FLAG = re.compile(r"(?<=`)--[a-z][^`]*(?=`)")
SIGNS = {"good": "ok", "advice": "!", "bad": "BAD"}


def frame(rows: Sequence[Mapping[str, Any]]) -> Any:
    """The rows as a pandas DataFrame; UsageError without pandas, which ganvas does not need."""
    try:
        import pandas
    except ImportError:
        raise UsageError("frame() needs pandas: pip install pandas") from None
    return pandas.DataFrame(list(rows))


class Table(list[dict[str, Any]]):
    """Rows by column name, with the text that the command line prints of them."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], text: str, columns: Sequence[str]) -> None:
        super().__init__(dict(row) for row in rows)
        self.text, self.columns = text, tuple(columns)

    def frame(self) -> Any:
        """A pandas DataFrame; UsageError without pandas."""
        return frame(self)

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return table([[row.get(name, "") for name in self.columns] for row in self], self.columns)


class Text(str):
    """A text that a notebook shows in lines."""

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(self)}</pre>"


class Evaluation(list["Score"]):
    """The scores of one generator or set of images, as a table for each extractor with what it rests on."""

    def frame(self) -> Any:
        """A pandas DataFrame, a row for each score with all it rests on; UsageError without pandas."""
        return frame([dataclasses.asdict(score) for score in self])

    def __repr__(self) -> str:
        from ganvas.evaluation.table import text

        return text(self)

    def _repr_html_(self) -> str:
        from ganvas.evaluation.table import HEAD, blocks

        parts = []
        for lines, rows in blocks(self):
            parts += [f"<p>{'<br>'.join(map(html.escape, lines))}</p>", table(rows, HEAD)]
        return "".join(parts)


class DoctorView:
    """A diagnosis that shows itself; `.diagnosis` has the findings."""

    def __init__(self, diagnosis: Diagnosis, lang: str) -> None:
        self.diagnosis, self.lang = diagnosis, lang

    def __repr__(self) -> str:
        from ganvas import i18n
        from ganvas.diagnostics.text import diagnosis_text

        return diagnosis_text(self.diagnosis, i18n.load(self.lang))

    def _repr_html_(self) -> str:
        from ganvas import i18n
        from ganvas.diagnostics.text import fake_accuracy_answer, finding_texts, summary

        say, text = i18n.load(self.lang), html.escape
        parts = [f"<p>{text(summary(self.diagnosis, say))}</p>"]
        for item in finding_texts(self.diagnosis, say):
            evidence = "".join(f"<li>{text(line)}</li>" for line in item.evidence)
            tries = "".join(f"<li><code>{text(line)}</code></li>" for line in item.commands)
            parts.append(
                f"<details open><summary><b>{text(item.title)}</b> ({text(item.since)}; {text(item.confidence)})"
                f"</summary><p>{text(item.cause)}</p><ul>{evidence}</ul>"
                + (f"<p>{text(say('doctor.try'))}:</p><ul>{tries}</ul>" if tries else "")
                + "</details>"
            )
        if answer := fake_accuracy_answer(self.diagnosis, say):
            parts.append(f"<p><b>{text(answer[0])}</b><br>{text(answer[1])}</p>")
        return "".join(parts)


def _spoken(sentence: str) -> str:
    """A sentence with its flags as arguments, where Python reads it."""
    return FLAG.sub(lambda found: option(found[0]), sentence)


class Checks(list["Result"]):
    """What was checked before there is a run: of a data set ("data") or of the installation ("env")."""

    def __init__(self, results: Sequence[Result], group: str, lang: str = "en") -> None:
        super().__init__(results)
        self.group, self.lang = group, lang

    @property
    def ok(self) -> bool:
        """Whether nothing must be mended first."""
        return all(result.state != "bad" for result in self)

    def rows(self) -> list[tuple[str, str]]:
        """(sign, sentence) of each check."""
        from ganvas import i18n

        say = i18n.load(self.lang)
        return [
            (SIGNS[result.state], _spoken(say(f"doctor.{self.group}.{result.name}.{result.state}", **result.blanks)))
            for result in self
        ]

    def __repr__(self) -> str:
        from ganvas.terminal import printable

        return "\n".join(f"{sign:>3}  {printable(sentence)}" for sign, sentence in self.rows())

    def _repr_html_(self) -> str:
        return table(self.rows(), ("", "check"))


@dataclasses.dataclass(frozen=True, repr=False)
class Written:
    """Where a page was written; a notebook shows `shown` below that, such as links."""

    path: Path
    what: str
    shown: str = ""
    """HTML."""
    note: str = ""
    """What follows the path."""

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        return f"{self.what}: {self.path}{self.note}"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.what)}: {link(self.path, str(self.path))}{html.escape(self.note)}</p>{self.shown}"


def link(path: Path, text: str) -> str:
    """A link to a file, as HTML."""
    return f'<a href="{html.escape(path.as_posix(), quote=True)}">{html.escape(text)}</a>'
