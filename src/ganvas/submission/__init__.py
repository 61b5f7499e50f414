"""The hand-in of the course: runs in, one folder out that a reviewer can open without ganvas.

material.py    the runs, what is shown of them, their comparison     checklist.py  rubric and questions, answered
code.py        a simple look at a learner's own code                 words.py      sentences
page.py        submission.html     notebook.py   submission.ipynb    reviewer.py   the empty checklist, reviewer.md
folder.py      written aside and moved; nothing of a user's is lost
"""

from __future__ import annotations

import os
from pathlib import Path

from ganvas.comparison.groups import Targets


def submit(
    targets: Targets,
    out: str | os.PathLike[str] = "submission",
    *,
    name: str = "",
    lang: str = "en",
    force: bool = False,
    evaluate: bool = True,
    progress: bool = True,
) -> Path:
    """Put together the hand-in of some runs in the folder `out`; returns the path of its page.

    `targets`: as in `ganvas.comparison.compare`; the last group is the one that is handed in, the first one what it
    is compared with. `name`: the author's. Scores that a comparison lacks are computed, unless `evaluate` is False.
    Raises UsageError for an unknown language, where there is no run, and, unless `force`, where `out` holds files that
    are not of an earlier hand-in or were changed since; GanvasError where it cannot be written.
    """
    from ganvas import i18n
    from ganvas.submission import files, folder

    say, base = i18n.load(lang), Path(out)
    folder.check(base, force)
    found = files.gather(targets, name, evaluate, progress)
    folder.write(base, files.build(found, base, say), force)
    return base / files.PAGE
