"""The blind test as one page that works from disk: images, questions and the rates at the end."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shlex
from pathlib import Path
from typing import Any

from ganvas import i18n, media
from ganvas.blind_test import answers, words
from ganvas.blind_test.answers import KIND
from ganvas.blind_test.questions import BlindTest, Question
from ganvas.files import check_replaceable, replace_file, utf8, writing_to
from ganvas.i18n import Translator
from ganvas.reports import html
from ganvas.stats.intervals import binomial_interval

TEMPLATES = Path(__file__).parent / "templates"
KEYS = "1234567890"
"""Of the first ten classes."""


def render(test: BlindTest, say: Translator, command: str) -> str:
    """The page; `command` is what adds the saved answers to the run."""
    n = len(test.questions)
    blanks = {"generator": test.generator[:12], "nimg": f"{test.nimg:,}", "seed": test.seed, "reals": test.reals}
    values: dict[str, Any] = {
        "say": say,
        "test": test,
        "keys": [KEYS[i] if i < len(KEYS) else "" for i in range(len(test.classes))],
        "lead": say("quiz.lead.classes" if test.classes else "quiz.lead", n=n),
        "intervals": say("quiz.intervals", **blanks),
        "command": command,
        "images": [_picture(question) for question in test.questions],
        "content": {
            "about": _about(test),
            "classes": list(test.classes),
            "rates": _rates(test, say),
            "words": {key: say.sentences[f"quiz.{key}"] for key in
                      ("image", "none", "real", "fake", "truth.real", "truth.fake", "you")},
            "key": _encoded([[q.fake, q.label] for q in test.questions]),
            "file": answers_file(test),
        },
    }  # fmt: skip
    return html.page("quiz.html", values, ("report.css", "quiz.css"), (TEMPLATES,), ("quiz.js",))


def _picture(question: Question) -> str:
    return html.as_uri(media.encode(media.grid(question.image[None])), "png")


def _about(test: BlindTest) -> dict[str, Any]:
    """What the file of answers says beside the answers."""
    most = answers.LONGEST_NAME
    return {
        "kind": KIND, "run": test.name[:most], "generator": test.generator, "nimg": test.nimg, "seed": test.seed,
        "classes": list(test.classes), "intended": test.intended, "reals": test.reals[:most],
    }  # fmt: skip


def _rates(test: BlindTest, say: Translator) -> list[dict[str, Any]]:
    """For each rate its sentence for every number of hits, so that the page needs no statistics of its own."""
    found = []
    for key in answers.measured(bool(test.classes), test.intended):
        truth = [(q.fake, q.label) for q in test.questions]
        of = sum(answers.hit(key, t, (False, None)) is not None for t in truth)
        sentences = []
        for hits in range(of + 1) if of else ():
            rate = answers.Rate(key, hits, of, binomial_interval(hits, of), answers.chance(key, len(test.classes)))
            sentences.append(words.rate_line(rate, len(test.classes), say))
        found.append({"key": key, "sentences": sentences})
    return found


def _encoded(truth: list[list[Any]]) -> list[str]:
    """The truth as two texts that mean nothing at a glance: random bytes, and the truth added to them."""
    plain = json.dumps(truth).encode()
    pad = secrets.token_bytes(len(plain))
    mixed = bytes(a ^ b for a, b in zip(plain, pad, strict=True))
    return [base64.b64encode(part).decode() for part in (pad, mixed)]


def write(test: BlindTest, out: str | os.PathLike[str], lang: str = "en", force: bool = False, run: str = "") -> Path:
    """Write the page; returns its path. `run`: the run that the answers can be added to, as a command names it.

    Raises UsageError for an unknown language and, unless `force`, where a file is there that is not of ganvas;
    GanvasError where it cannot be written.
    """
    path, say = Path(out), i18n.load(lang)
    check_replaceable(path, force)
    command = f"ganvas quiz --result {shlex.quote(answers_file(test))} {shlex.quote(run)}" if run else ""
    content = utf8(render(test, say, command))
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, content)
    return path


def answers_file(test: BlindTest) -> str:
    """The name under which the page saves answers."""
    return f"quiz-{''.join(c if c.isalnum() or c in '-_' else '-' for c in test.name)[:80]}.json"
