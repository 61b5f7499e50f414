"""A person's answers: read from the page's file, counted with intervals, kept in the run as quiz.jsonl."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ganvas.errors import GanvasError, UsageError, command
from ganvas.files import read_file, read_object
from ganvas.runs.run import Run
from ganvas.stats.intervals import Estimate, binomial_interval

KIND = "ganvas quiz answers"
MOST_BYTES = 1_000_000
LOG = "quiz"
LONGEST_NAME = 200

Key = Literal["named_fake", "told_fake", "named_real", "told_real", "fake_as_fake", "real_as_real", "right"]
KEYS: tuple[Key, ...] = (
    "named_fake", "told_fake", "named_real", "told_real", "fake_as_fake", "real_as_real", "right",
)  # fmt: skip
"""named: the class was named rightly. told: a class was named at all, where generated images have no intended class."""

Answer = tuple[bool, int | None]
"""(generated, class): of an image, what it is; of a person, what they said. None: no class, or could not tell."""


class Rate(NamedTuple):
    """How many of which images a person got right; `chance` is the share that guessing gets, None where it has none."""

    key: Key
    hits: int
    of: int
    estimate: Estimate
    chance: float | None


@dataclass(frozen=True)
class Answers:
    """One person's test of one generator."""

    run: str
    generator: str
    nimg: int
    seed: int
    name: str
    date: str
    classes: tuple[str, ...]
    intended: bool
    reals: str
    truth: tuple[Answer, ...]
    given: tuple[Answer, ...]

    def rates(self) -> list[Rate]:
        """The rates that this test has, with exact intervals (Clopper and Pearson)."""
        found = []
        for key in measured(bool(self.classes), self.intended):
            marks = [mark for t, g in zip(self.truth, self.given, strict=True) if (mark := hit(key, t, g)) is not None]
            if marks:
                interval = binomial_interval(sum(marks), len(marks))
                found.append(Rate(key, sum(marks), len(marks), interval, chance(key, len(self.classes))))
        return found

    def rate(self, key: Key) -> Rate | None:
        """One of them; None where the test does not have it."""
        return next((rate for rate in self.rates() if rate.key == key), None)


def measured(classes: bool, intended: bool) -> list[Key]:
    """The rates that a test has."""
    left_out: set[Key] = set()
    if not classes:
        left_out = {"named_fake", "told_fake", "named_real", "told_real"}
    elif intended:
        left_out = {"told_fake", "told_real"}
    else:
        left_out = {"named_fake"}
    return [key for key in KEYS if key not in left_out]


def hit(key: Key, truth: Answer, given: Answer) -> bool | None:
    """Whether one answer counts for a rate; None for an image that the rate is not about."""
    (fake, label), (said_fake, said) = truth, given
    if key == "right":
        return fake == said_fake
    if fake != key.endswith("fake"):
        return None
    if key.startswith("named"):
        return label is not None and said == label
    if key.startswith("told"):
        return said is not None
    return said_fake == fake


def chance(key: Key, classes: int) -> float | None:
    """The share that guessing gets."""
    if key.startswith("named"):
        return 1 / classes
    return 0.5 if key == "right" else None


def of_row(row: Mapping[str, Any]) -> Answers | None:
    """The answers in a row of quiz.jsonl or in a page's file; None where it is anything else."""
    try:
        classes = tuple(str(name) for name in _list(row["classes"]))
        truth, given = (_answers(row[key], len(classes)) for key in ("truth", "given"))
        numbers = {key: row[key] for key in ("nimg", "seed")}
        texts = {key: row[key] for key in ("run", "generator", "name", "date", "reals")}
        intended = row["intended"]
    except (KeyError, TypeError, ValueError):
        return None
    sound = all(type(v) is int and v >= 0 for v in numbers.values()) and type(intended) is bool
    short = all(type(v) is str and len(v) <= LONGEST_NAME for v in texts.values())
    if not (sound and short and truth and len(truth) == len(given)):
        return None
    return Answers(**texts, **numbers, classes=classes, intended=intended, truth=truth, given=given)


def read(path: Path) -> Answers:
    """The file that a page of questions wrote; GanvasError for any other file."""
    if not path.is_file():
        raise UsageError(f"{path} does not exist: name the file of answers that the quiz page saved")
    values = read_object(path, MOST_BYTES)
    found = of_row(values) if values.get("kind") == KIND else None
    if found is None:
        raise GanvasError(f"{path} is not a file of answers of ganvas quiz: save it again from the page's last screen")
    return found


def keep(run: Run, answers: Answers) -> bool:
    """Add answers to the run's quiz.jsonl; False where these are there already. Raises as check_about."""
    check_about(answers, run.path)
    if answers in of_run(run):
        return False
    run.append(LOG, asdict(answers))
    return True


def check_about(answers: Answers, target: str | os.PathLike[str]) -> None:
    """UsageError where answers are about another generator than that of a run, a snapshot, or a shipped model."""
    from ganvas.generator import find

    files = [find(target)]
    if (Path(target) / "config.json").is_file():
        files += [path for _, path in Run.open(target).snapshots()]
    if answers.generator not in map(digest, files):
        raise UsageError(
            f"these answers are about {answers.run}, not about the generator of {os.fspath(target)}: name what they "
            f"are about, or make a new page ({command('quiz', os.fspath(target))})"
        )


def digest(path: Path) -> str:
    """SHA-256 of a generator's file, by which answers are known to be about it."""
    return hashlib.sha256(read_file(path)).hexdigest()


def of_run(run: Run) -> list[Answers]:
    """The answers that a run holds, in the order in which they were added."""
    return [found for row in run.rows(LOG) if (found := of_row(row)) is not None]


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise TypeError("not a list")
    return list(value)


def _answers(value: Any, classes: int) -> tuple[Answer, ...]:
    """Pairs (generated, class); ValueError for anything else."""
    found: list[Answer] = []
    for pair in _list(value):
        fake, label = _list(pair)
        if type(fake) is not bool or not (label is None or (type(label) is int and 0 <= label < classes)):
            raise ValueError("not an answer")
        found.append((fake, label))
    return tuple(found)
