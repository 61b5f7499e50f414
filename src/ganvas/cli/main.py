"""The command line: verbs only. Nothing here imports torch before a verb needs it."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from ganvas import __version__, plugins, process
from ganvas.cli import failure, processes, streams
from ganvas.errors import UsageError, command_line, did_you_mean
from ganvas.terminal import show, show_text

VERBS = {
    "data": ("ganvas.cli.data", "list, fetch, check or show data sets"),
    "recipes": ("ganvas.cli.recipes", "list training recipes, or show one with its layers"),
    "tricks": ("ganvas.cli.recipes", "list optional training tricks (--with)"),
    "train": ("ganvas.cli.train", "train a recipe and write its report"),
    "resume": ("ganvas.cli.train", "continue a run, or extend its budget"),
    "runs": ("ganvas.cli.runs", "list runs"),
    "report": ("ganvas.cli.runs", "write a run's report.html, GIF and curves"),
    "sample": ("ganvas.cli.runs", "draw images from a trained generator"),
    "export": ("ganvas.cli.export", "write a generator as ONNX, safetensors, or a folder for the Hugging Face hub"),
    "animate": ("ganvas.cli.export", "write a GIF, WebP or mp4 of a training, or of ways between latents or classes"),
    "evaluate": ("ganvas.cli.evaluate", "score samples: quality, diversity, memorisation, with confidence intervals"),
    "doctor": ("ganvas.cli.doctor", "diagnose a run, or (--env, --data) an installation or a data set"),
    "compare": ("ganvas.cli.compare", "test whether a change helped: groups of runs that differ in their seed"),
    "quiz": ("ganvas.cli.submit", "blind test: real or generated, and what is it? (a page; --result reads answers)"),
    "submit": ("ganvas.cli.submit", "put together what the course asks to hand in, with a checklist of the rubric"),
    "experiment": ("ganvas.cli.experiment", "train recipes x tricks x seeds at an equal budget, then compare"),
    "ui": ("ganvas.cli.ui", "look at runs, train, compare and play in a browser"),
}
"""verb -> (module with a function of that name: arguments -> exit code, one line of help)"""
TRAIN = ("train", "resume")
"""The verbs that several processes can run together."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code: 0, 2 for usage, 1 for other errors, 130 / 143 after a signal."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in arguments
    streams.prepare()
    arguments = [word for word in arguments if word != "--debug"]
    with command_line():
        return _run(arguments, debug)


def _run(arguments: list[str], debug: bool) -> int:
    try:
        arguments = _load_plugins(arguments)
        if not arguments or arguments[0] in ("-h", "--help", "help"):
            show_text(overview())
            return 0
        if arguments[0] == "--version":
            show(f"ganvas {__version__}")
            return 0
        if arguments[0] not in VERBS:
            raise UsageError(f"unknown command {arguments[0]!r}{did_you_mean(arguments[0], VERBS)} (ganvas --help)")
        if arguments[0] in TRAIN:
            arguments, count = processes.asked(arguments)
            if count > 1:
                return processes.run([*arguments, *(["--debug"] if debug else [])], count)
            _join()
        code = verb(arguments[0])(arguments[1:])
        streams.flush()
        return code
    except (Exception, KeyboardInterrupt) as error:
        if debug and not isinstance(error, (BrokenPipeError, KeyboardInterrupt)):
            raise
        return failure.tell(error)
    finally:
        if ranks := sys.modules.get("ganvas.ranks"):
            ranks.leave()


def _join() -> None:
    """Meet the other processes of a training, where a launcher started several."""
    if "RANK" in os.environ:
        process.prepare()  # before torch is imported
        from ganvas import ranks

        ranks.join()


def _load_plugins(arguments: list[str]) -> list[str]:
    """Run the user's files named by --plugin or the environment; returns the arguments that are left."""
    paths = [path for path in os.environ.get(plugins.VARIABLE, "").split(os.pathsep) if path]
    while "--plugin" in arguments:
        at = arguments.index("--plugin")
        if at + 1 == len(arguments):
            raise UsageError("--plugin needs the path of a Python file")
        paths.append(os.path.abspath(arguments[at + 1]))
        arguments = arguments[:at] + arguments[at + 2 :]
    if paths and arguments[:1] and arguments[0] in TRAIN:
        process.prepare()  # before a plugin imports torch
    for path in paths:
        plugins.load(path)
    if paths:
        os.environ[plugins.VARIABLE] = os.pathsep.join(dict.fromkeys(paths))
    return arguments


def verb(name: str) -> Callable[[list[str]], int]:
    """The function behind a verb: arguments -> exit code."""
    function: Callable[[list[str]], int] = getattr(importlib.import_module(VERBS[name][0]), name)
    return function


def overview() -> str:
    """The text of `ganvas --help`."""
    lines = [f"ganvas {__version__}: train, evaluate, compare and debug GANs on small images", ""]
    lines += [f"  ganvas {name:<10} {text}" for name, (_, text) in VERBS.items()]
    lines += [
        "",
        "  ganvas VERB --help tells more; --debug shows the traceback of an error.",
        "  --plugin FILE runs the code of a Python file that registers recipes, losses or families.",
        "",
    ]
    return "\n".join([*lines, "Start with:  ganvas train quick --minutes 5"])


def entry() -> NoReturn:
    """The console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
