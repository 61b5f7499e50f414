"""Doctor: why does it fail, and what should I try?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ganvas.cli.parser import Parser, add_read_as, read_as
from ganvas.errors import UsageError
from ganvas.terminal import show, show_text

if TYPE_CHECKING:
    from ganvas.notebook.views import Checks


def doctor(argv: list[str]) -> int:
    """Diagnose a run, or check the installation or a data set."""
    parser = Parser(
        prog="ganvas doctor",
        description="Why does my GAN fail, and what should I try? Reads a run, finished or still training, and shows "
        "what is wrong, since when, the evidence, the likely cause, and commands to try. Reports nothing when it is "
        "not certain.",
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help="the run directory")
    parser.add_argument("--env", action="store_true", help="check the installation and this machine instead of a run")
    parser.add_argument("--data", metavar="NAME_OR_PATH", help="check a data set before training on it")
    add_read_as(parser)
    parser.add_argument("--recipe", default="quick", help="with --data: the recipe you will train (default: quick)")
    parser.add_argument("--json", action="store_true", help="print findings or checks as JSON, one object a line")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the output (default: en)")
    args = parser.parse_args(argv)
    if (args.run is not None) + args.env + (args.data is not None) != 1:
        raise UsageError("name a run, or give --env, or --data NAME_OR_PATH (ganvas doctor --help)")

    if args.run is None:
        from ganvas.diagnostics.checks import check_data, check_environment
        from ganvas.notebook.views import Checks

        results = check_environment() if args.env else check_data(read_as(args.data, args), args.recipe)
        return _print_results(Checks(results, "env" if args.env else "data", args.lang), args.json)

    from ganvas import i18n
    from ganvas.diagnostics import diagnose_run, text
    from ganvas.runs.run import Run

    diagnosis = diagnose_run(Run.open(args.run))
    if args.json:
        for row in text.json_rows(diagnosis):
            show(json.dumps(row, ensure_ascii=False))
    else:
        show_text(text.diagnosis_text(diagnosis, i18n.load(args.lang)))
    return 0


def _print_results(results: Checks, as_json: bool) -> int:
    """Print each result of a check; 1 if something must be fixed first."""
    if as_json:
        for result in results:
            row = {"check": f"{results.group}.{result.name}", "state": result.state, **result.blanks}
            show(json.dumps(row, ensure_ascii=False))
    else:
        show_text(repr(results))
    return 0 if results.ok else 1
