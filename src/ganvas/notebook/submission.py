"""`ganvas.submit` and `ganvas.quiz`: the hand-in and the blind test, as a notebook shows them."""

from __future__ import annotations

import html
import os
from typing import Any

from ganvas import blind_test, i18n
from ganvas import submission as rooms
from ganvas.errors import UsageError
from ganvas.notebook.arguments import only_known
from ganvas.notebook.compare import targets_of
from ganvas.notebook.views import Text, Written, link
from ganvas.runs.run import Run as RunFolder
from ganvas.submission.folder import MANIFEST


@only_known()
def submit(
    runs: Any,
    out: str | os.PathLike[str] = "submission",
    *,
    name: str = "",
    lang: str = "en",
    force: bool = False,
    evaluate: bool = True,
    progress: bool = True,
) -> Written:
    """Put together what the course asks to hand in, in the folder `out`.

    runs: a Run, the Runs of several seeds, or a list of such, before first and what is handed in last; or a mapping of
    names to them. name: yours. evaluate=False computes no scores for the comparison. Raises as
    `ganvas.submission.submit`.
    """
    given = runs if isinstance(runs, list | tuple) else (runs,)
    targets = targets_of(given)
    page = rooms.submit(targets, out, name=name, lang=lang, force=force, evaluate=evaluate, progress=progress)
    files = [path for path in sorted(page.parent.iterdir()) if path.is_file() and path.name != MANIFEST]
    return Written(page, "hand-in", f"<ul>{''.join(f'<li>{link(path, path.name)}</li>' for path in files)}</ul>")


@only_known()
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
) -> Written | Text:
    """A blind test of a run's or a shipped model's images as a page: n images, half of them real, mixed by the seed.

    result: the file of answers that the page saved; then they are added to the run, and their rates returned. Raises as
    `ganvas.blind_test.write` and `add_answers`.
    """
    if not isinstance(target, RunFolder | str | os.PathLike):
        raise UsageError(f"quiz() takes a run or the name of a model, not a {type(target).__name__}")
    i18n.load(lang)
    path = os.fspath(target.path if isinstance(target, RunFolder) else target)
    if result is not None:
        return Text("\n".join(blind_test.add_answers(path, result, lang)))
    page = blind_test.write(path, out, n, seed, lang, force, device)
    content = html.escape(page.read_text("utf-8"), quote=True)
    frame = f'<iframe srcdoc="{content}" width="100%" height="720" style="border:0"></iframe>'
    return Written(page, "quiz", frame, " (open it in a browser)")
