"""The UI: runs, comparisons, experiments, a playground and a toy in a browser."""

from __future__ import annotations

import os
from pathlib import Path

from ganvas.cli.parser import Parser
from ganvas.errors import UsageError

PASSWORD = "GANVAS_UI_PASSWORD"
"""The environment variable that holds a password."""


def ui(argv: list[str]) -> int:
    """Serve the runs of a folder as web pages, for this machine alone unless told otherwise."""
    parser = Parser(
        prog="ganvas ui",
        description="Look at runs, compare them, start and stop trainings, play with generators: in a browser. Ctrl+C "
        "ends it; trainings that were started there are saved and stopped.",
    )
    parser.add_argument("root", nargs="?", default="runs", metavar="RUNS_DIR", help="the folder of runs (runs)")
    parser.add_argument(
        "--host", default="127.0.0.1", help="where to listen; any other than this machine needs a password"
    )
    parser.add_argument("--port", type=int, help="default: the first free one from 8642 on")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language, until the reader chooses one")
    parser.add_argument(
        "--data", action="append", default=[], metavar="PATH", help="images of yours to train on; may be repeated"
    )
    parser.add_argument("--experiments", metavar="DIR", help="the folder of experiments (experiments, beside RUNS_DIR)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    parser.add_argument(
        "--password-file", type=Path, metavar="FILE", help=f"its first line is the password (or set {PASSWORD})"
    )
    args = parser.parse_args(argv)
    password = os.environ.get(PASSWORD)
    if args.password_file is not None:
        try:
            password = args.password_file.read_text("utf-8").partition("\n")[0].strip()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise UsageError(f"--password-file {args.password_file} cannot be read: {reason}") from error

    from ganvas.ui.command import ui as serve

    serve(
        args.root, host=args.host, port=args.port, lang=args.lang, data=args.data, experiments=args.experiments,
        password=password, browser=not args.no_browser,
    )  # fmt: skip
    return 0
