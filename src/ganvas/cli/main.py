"""The command line: verbs only. Nothing here imports torch before a verb needs it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from ganvas import __version__, plugins
from ganvas.errors import GanvasError, UsageError, did_you_mean

VERBS = {
    "data": ("ganvas.cli.data", "list, fetch, check or show data sets"),
    "recipes": ("ganvas.cli.recipes", "the networks and trainings there are"),
    "tricks": ("ganvas.cli.recipes", "the tips of the field, each of which can be switched on"),
    "train": ("ganvas.cli.train", "train a recipe and write its report"),
    "resume": ("ganvas.cli.train", "finish a run's budget, or add to it"),
    "runs": ("ganvas.cli.runs", "table of runs"),
    "report": ("ganvas.cli.runs", "report.html, GIF and curves of a run"),
    "sample": ("ganvas.cli.runs", "draw images from a trained generator"),
    "evaluate": ("ganvas.cli.evaluate", "how good, diverse, recognisable; does it copy; how sure is that"),
    "doctor": ("ganvas.cli.doctor", "why does it fail, and what to try; --env, --data: before there is a run"),
    "compare": ("ganvas.cli.compare", "did the change help? groups of runs, seed by seed"),
    "experiment": ("ganvas.cli.experiment", "recipes x tricks x seeds at an equal budget, then the comparison"),
}
"""verb -> (the module in which a function of that name takes its words and returns the exit code, what it does)"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0, 2 for usage, 1 for other errors, 130 / 143 after a signal."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    try:
        words = _load_plugins(words)
        if not words or words[0] in ("-h", "--help", "help"):
            print(overview())
            return 0
        if words[0] == "--version":
            print(f"ganvas {__version__}")
            return 0
        if words[0] not in VERBS:
            raise UsageError(f"unknown command {words[0]!r}{did_you_mean(words[0], VERBS)} (ganvas --help)")
        return verb(words[0])(words[1:])
    except GanvasError as error:
        if debug:
            raise
        print(f"ganvas: {error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1
    except KeyboardInterrupt:
        print("ganvas: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if debug:
            raise
        print(f"ganvas: {error.filename or 'input/output'}: {error.strerror or error}", file=sys.stderr)
        return 1


def _load_plugins(words: list[str]) -> list[str]:
    """Run the user's files named by --plugin or the environment; returns the words that are left."""
    paths = [path for path in os.environ.get(plugins.VARIABLE, "").split(os.pathsep) if path]
    while "--plugin" in words:
        at = words.index("--plugin")
        if at + 1 == len(words):
            raise UsageError("--plugin needs the path of a Python file")
        paths.append(os.path.abspath(words[at + 1]))
        words = words[:at] + words[at + 2 :]
    for path in paths:
        plugins.load(path)
    if paths:
        os.environ[plugins.VARIABLE] = os.pathsep.join(dict.fromkeys(paths))
    return words


def verb(name: str) -> Callable[[list[str]], int]:
    """The function behind a verb: words -> exit code."""
    function: Callable[[list[str]], int] = getattr(importlib.import_module(VERBS[name][0]), name)
    return function


def overview() -> str:
    """The text of `ganvas --help`."""
    lines = [f"ganvas {__version__}: train, prove, compare and show GANs for small images", ""]
    lines += [f"  ganvas {name:<10} {text}" for name, (_, text) in VERBS.items()]
    lines += [
        "",
        "  ganvas VERB --help tells more; --debug shows the traceback of an error.",
        "  --plugin FILE runs a Python file of yours that registers recipes, losses or families.",
        "",
    ]
    return "\n".join([*lines, "Start with:  ganvas train quick --minutes 5"])


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
