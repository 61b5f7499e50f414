"""`ganvas.compare(before, after)`: groups of runs against the first one, as a table that shows itself."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from ganvas import comparison, i18n
from ganvas.comparison import Comparison, formats, tables
from ganvas.comparison.groups import Targets
from ganvas.errors import UsageError
from ganvas.notebook.arguments import only_known
from ganvas.notebook.run import Runs
from ganvas.notebook.views import frame
from ganvas.runs.run import Run as RunFolder


@dataclass(frozen=True)
class ComparisonView(Comparison):
    """A comparison that shows itself in `lang`; `write(folder)` saves page, tables and picture."""

    lang: str = "en"

    def write(self, folder: str | os.PathLike[str], lang: str = "en", force: bool = False) -> Path:
        """Write compare.html, .md, .csv, .tex and .webp; see `ganvas.comparison.write`."""
        return comparison.write(self, folder, lang, force)

    def text(self, lang: str | None = None) -> str:
        """Tables and verdicts as text."""
        return formats.text(self, i18n.load(lang or self.lang))

    def frame(self) -> Any:
        """The verdicts as a pandas DataFrame, a row for each group and metric; UsageError without pandas."""
        return frame(formats.verdict_rows(self))

    def __repr__(self) -> str:
        return self.text()

    def _repr_markdown_(self) -> str:
        return formats.markdown(self, i18n.load(self.lang))

    def _repr_html_(self) -> str:
        from ganvas.notebook.pictures import table

        say, text = i18n.load(self.lang), html.escape
        parts = [f"<p><b>{text(line)}</b></p>" for line in tables.verdict_sentences(self, say)]
        parts += [f"<p>{text(line)}</p>" for line in tables.preface(self, say)]
        parts += [f"<p>{text(each.title)}</p>{table(each.rows, each.head)}" for each in tables.tables(self, say)]
        notes = [*tables.method(self, say), *self.notes]
        return "".join([*parts, f"<p><small>{'<br>'.join(map(text, notes))}</small></p>"])


@only_known(comparison.compare)
def compare(*groups: Any, lang: str = "en", **settings: Any) -> ComparisonView:
    """Did the change help? Compare groups of runs with the first group, one score for each seed.

    A group is a Run, the Runs of several seeds, a folder of runs, a pattern, or a recipe's name; or one mapping of
    names to those. One list of them is taken as they are. lang: of what it shows. settings: features, metrics, n,
    sets, make, progress, as in `ganvas.comparison.compare`. Raises UsageError for fewer than two groups and for runs on
    different data.

    With fewer than three seeds a side there is no verdict: the table shows the values alone.
    """
    i18n.load(lang)
    return view(comparison.compare(targets_of(groups), **settings), lang)


def targets_of(groups: Sequence[Any]) -> Targets:
    """Groups as a notebook names them -> what `ganvas.comparison` takes. UsageError for anything else."""
    if len(groups) == 1 and isinstance(groups[0], Mapping):
        return {name: list(_paths(group)) for name, group in groups[0].items()}
    every = groups[0] if len(groups) == 1 and isinstance(groups[0], list | tuple) else groups
    return [path for group in every for path in _paths(group)]


def view(found: Comparison, lang: str = "en") -> ComparisonView:
    """The same comparison, which shows itself in a language."""
    return ComparisonView(**{field.name: getattr(found, field.name) for field in fields(found)}, lang=lang)


def _paths(group: Any) -> Iterator[str]:
    if isinstance(group, RunFolder):
        yield os.fspath(group.path)
    elif isinstance(group, Runs):
        yield from (os.fspath(run.path) for run in group)
    elif isinstance(group, str | os.PathLike):
        yield os.fspath(group)
    elif isinstance(group, list | tuple):
        for one in group:
            yield from _paths(one)
    else:
        raise UsageError(f"give runs, folders of runs or recipes, not a {type(group).__name__}")
