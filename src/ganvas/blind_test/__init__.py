"""A blind test that a person takes: real and generated images mixed, name the class, say real or generated.

questions.py   a generator and real images -> the questions     page.py    the questions as one page that asks them
answers.py     the page's file of answers -> rates, kept in the run     words.py   the rates as sentences
"""

from __future__ import annotations

import os
from pathlib import Path


def write(
    target: str | os.PathLike[str],
    out: str | os.PathLike[str] = "quiz.html",
    n: int = 40,
    seed: int = 0,
    lang: str = "en",
    force: bool = False,
    device: str = "auto",
    progress: bool = True,
) -> Path:
    """Write the page of a blind test of a run, snapshot or shipped model; returns its path.

    Raises as questions.make and page.write.
    """
    from ganvas import i18n
    from ganvas.blind_test import page, questions
    from ganvas.files import check_replaceable

    i18n.load(lang)
    check_replaceable(Path(out), force)
    test = questions.make(target, n, seed, device, progress)
    is_run = (Path(target) / "config.json").is_file()
    return page.write(test, out, lang, force, os.fspath(target) if is_run else "")


def add_answers(target: str | os.PathLike[str], result: str | os.PathLike[str], lang: str = "en") -> list[str]:
    """Add the answers that a page saved to a run, and return their rates as sentences.

    Answers about a shipped model or a snapshot are only read. Raises UsageError where they are about another
    generator, GanvasError where the file holds no answers.
    """
    from ganvas import i18n
    from ganvas.blind_test import answers, words
    from ganvas.runs.run import Run

    say, found = i18n.load(lang), answers.read(Path(result))
    lines = words.lines(found, i18n.load(lang))
    if not Path(target).is_dir():
        answers.check_about(found, target)
        return lines
    run = Run.open(target)
    added = answers.keep(run, found)
    return [*lines, say("quiz.kept" if added else "quiz.kept_before", run=run.path)]
