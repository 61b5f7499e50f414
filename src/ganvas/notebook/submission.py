"""`ganvas.submit` and `ganvas.quiz`: the hand-in and the blind test, as a notebook shows them."""

from __future__ import annotations

import html
import os
from pathlib import Path
from typing import Any

from ganvas import blind_test, i18n
from ganvas import submission as rooms
from ganvas.errors import UsageError
from ganvas.notebook.compare import targets_of
from ganvas.runs.run import Run as RunFolder


class SubmissionView:
    """Where a hand-in is; a notebook shows links to its files."""

    def __init__(self, page: Path) -> None:
        self.page = page

    def __fspath__(self) -> str:
        return str(self.page)

    def __repr__(self) -> str:
        return f"hand-in: {self.page}"

    def _repr_html_(self) -> str:
        names = [
            path for path in sorted(self.page.parent.iterdir()) if path.is_file() and path.name != "submission.json"
        ]
        links = (f'<li><a href="{html.escape(p.as_posix(), quote=True)}">{html.escape(p.name)}</a></li>' for p in names)
        return f"<p>{html.escape(repr(self))}</p><ul>{''.join(links)}</ul>"


class QuizView:
    """A page of questions; a notebook shows it where it stands."""

    def __init__(self, page: Path) -> None:
        self.page = page

    def __fspath__(self) -> str:
        return str(self.page)

    def __repr__(self) -> str:
        return f"quiz: {self.page} (open it in a browser)"

    def _repr_html_(self) -> str:
        content = html.escape(self.page.read_text("utf-8"), quote=True)
        frame = f'<iframe srcdoc="{content}" width="100%" height="720" style="border:0"></iframe>'
        return f"<p>{html.escape(repr(self))}</p>{frame}"


class QuizAnswers:
    """A person's rates, a sentence each."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(line)}</p>" for line in self.lines)


def submit(
    runs: Any,
    out: str | os.PathLike[str] = "submission",
    *,
    name: str = "",
    lang: str = "en",
    force: bool = False,
    evaluate: bool = True,
    progress: bool = True,
) -> SubmissionView:
    """Put together what the course asks to hand in, in the folder `out`.

    runs: a Run, the Runs of several seeds, or a list of such, before first and what is handed in last; or a mapping of
    names to them. name: yours. evaluate=False computes no scores for the comparison. Raises as
    `ganvas.submission.submit`.
    """
    given = runs if isinstance(runs, list | tuple) else (runs,)
    targets = targets_of(given)
    page = rooms.submit(
        targets, out, name=name, lang=lang, force=force, evaluate=evaluate, progress=progress
    )  # fmt: skip
    return SubmissionView(page)


def quiz(
    target: Any,
    n: int = 40,
    out: str | os.PathLike[str] = "quiz.html",
    *,
    seed: int = 0,
    lang: str = "en",
    force: bool = False,
    device: str = "auto",
    result: str | os.PathLike[str] | None = None,
) -> QuizView | QuizAnswers:
    """A blind test of a run's or a shipped model's images as a page: n images, half of them real, mixed by the seed.

    result: the file of answers that the page saved; then they are added to the run, and their rates returned. Raises as
    `ganvas.blind_test.write` and `add_answers`.
    """
    if not isinstance(target, RunFolder | str | os.PathLike):
        raise UsageError(f"quiz() takes a run or the name of a model, not a {type(target).__name__}")
    i18n.load(lang)
    path = os.fspath(target.path if isinstance(target, RunFolder) else target)
    if result is not None:
        return QuizAnswers(blind_test.add_answers(path, result, lang))
    return QuizView(blind_test.write(path, out, n, seed, lang, force, device))
