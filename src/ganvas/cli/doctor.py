"""Doctor: why does it fail, and what should I try?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ganvas.cli.parser import Parser, add_read_as, read_as
from ganvas.errors import UsageError
from ganvas.terminal import show, show_text

if TYPE_CHECKING:
    from ganvas.diagnostics.checks import Result
    from ganvas.i18n import Translator


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

    from ganvas import i18n

    if args.run is None:
        from ganvas.diagnostics.checks import check_data, check_environment

        results = check_environment() if args.env else check_data(read_as(args.data, args), args.recipe)
        return _print_results(results, "env" if args.env else "data", i18n.load(args.lang), args.json)

    from ganvas.diagnostics import diagnose_run, text
    from ganvas.runs.run import Run

    diagnosis = diagnose_run(Run.open(args.run))
    if args.json:
        for row in text.json_rows(diagnosis):
            show(json.dumps(row, ensure_ascii=False))
    else:
        show_text(text.diagnosis_text(diagnosis, i18n.load(args.lang)))
    return 0


def _print_results(results: list[Result], group: str, say: Translator, as_json: bool) -> int:
    """Print each result of a check; 1 if something must be fixed first."""
    signs = {"good": "ok", "advice": "!", "bad": "BAD"}
    for result in results:
        name = f"{group}.{result.name}"
        if as_json:
            show(json.dumps({"check": name, "state": result.state, **result.blanks}, ensure_ascii=False))
        else:
            show(f"{signs[result.state]:>3}  {say(f'doctor.{name}.{result.state}', **result.blanks)}")
    return 1 if any(result.state == "bad" for result in results) else 0
