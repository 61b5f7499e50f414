"""Compare: did the change help?"""

from __future__ import annotations

import json
from pathlib import Path

from ganvas.cli.parser import Parser, names
from ganvas.errors import UsageError


def compare(words: list[str]) -> int:
    """Hold groups of runs against the first one named."""
    parser = Parser(
        prog="ganvas compare",
        description="Did the change help? Runs that differ in nothing but their seed are one group; each group is held "
        "against the first one named, by one number a seed.",
    )
    parser.add_argument(
        "targets", nargs="+", metavar="RUNS", help="a run, a folder of runs, a pattern, a recipe, or NAME=any of these"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write compare.html, .md, .csv, .tex and .webp there")
    parser.add_argument("--features", metavar="F,...", help="extractors to compare by (those that the runs hold)")
    parser.add_argument(
        "--metrics", metavar="M,...", help="what is judged (fd; each further one makes all less able to see)"
    )
    parser.add_argument("--n", type=int, help="images a set (as most runs were evaluated; else 10,000)")
    parser.add_argument("--sets", type=int, help="sets of images (as most runs were evaluated; else 1)")
    parser.add_argument("--no-evaluate", action="store_true", help="make no missing scores, only name them")
    parser.add_argument("--json", action="store_true", help="the verdicts as rows of JSON")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of tables and page")
    args = parser.parse_args(words)
    if any(value is not None and value < least for value, least in ((args.n, 2), (args.sets, 1))):
        raise UsageError("--n must be 2 or more, --sets 1 or more")

    from ganvas import comparison, i18n

    found = comparison.compare(
        args.targets, features=names(args.features), metrics=names(args.metrics), n=args.n, sets=args.sets,
        make=not args.no_evaluate,
    )  # fmt: skip
    from ganvas.comparison import tables as room

    page = comparison.write(found, args.out, args.lang) if args.out is not None else None
    if args.json:
        for row in room.rows(found):
            print(json.dumps(row, ensure_ascii=False))
        return 0
    print(room.text(found, i18n.load(args.lang)))
    if page is not None:
        print(f"comparison: {page}")
    return 0
