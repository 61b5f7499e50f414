"""Doctor: why does it fail, and what should I try?"""

from __future__ import annotations

import json
from typing import Any

from ganvas.cli.parser import Parser
from ganvas.errors import UsageError


def doctor(words: list[str]) -> int:
    """Examine a run, the installation, or a data set."""
    parser = Parser(
        prog="ganvas doctor",
        description="Why does my GAN fail, and what should I try? Reads a run, finished or still training, and says "
        "what is wrong with it, with the evidence; silent where it does not know.",
    )
    parser.add_argument("run", nargs="?", metavar="RUN")
    parser.add_argument("--env", action="store_true", help="examine the installation and this machine instead")
    parser.add_argument("--data", metavar="NAME_OR_PATH", help="examine a data set instead, before training on it")
    parser.add_argument("--recipe", default="quick", help="with --data: the recipe it is meant for (quick)")
    parser.add_argument("--json", action="store_true", help="findings or checks as rows of JSON")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language")
    args = parser.parse_args(words)
    if (args.run is not None) + args.env + (args.data is not None) != 1:
        raise UsageError("name a run, or give --env, or --data NAME_OR_PATH (ganvas doctor --help)")

    from ganvas import i18n

    say = i18n.load(args.lang)
    if args.run is None:
        return _checked(_checks(args), say, args.json)

    from ganvas import diagnostics as room
    from ganvas.diagnostics import text as told
    from ganvas.runs.run import Run

    found = room.examine(Run.open(args.run))
    if args.json:
        for row in told.rows(found):
            print(json.dumps(row, ensure_ascii=False))
    else:
        print(told.text(found, say))
    return 0


def _checks(args: Any) -> list[Any]:
    if args.env:
        from ganvas.diagnostics import environment

        return environment.checks()
    from ganvas.diagnostics import dataset

    return dataset.checks(args.data, args.recipe)


def _checked(checks: list[Any], say: Any, as_json: bool) -> int:
    """Print what was looked at; 1 where something must be put right first."""
    signs = {"good": "ok", "advice": "!", "bad": "BAD"}
    for check in checks:
        if as_json:
            print(json.dumps({"check": check.name, "state": check.state, **check.blanks}, ensure_ascii=False))
        else:
            print(f"{signs[check.state]:>3}  {say(f'doctor.{check.name}.{check.state}', **check.blanks)}")
    return 1 if any(check.state == "bad" for check in checks) else 0
