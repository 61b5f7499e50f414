"""Compare: did the change help?"""

from __future__ import annotations

import json
from pathlib import Path

from ganvas.cli.parser import Parser, add_force, names
from ganvas.errors import UsageError
from ganvas.terminal import show, show_text


def compare(argv: list[str]) -> int:
    """Compare groups of runs with the first one."""
    parser = Parser(
        prog="ganvas compare",
        description="Did the change help? Runs that differ only in their seed are one group. Each group is compared "
        "with the first, using one score per seed.",
    )
    parser.add_argument(
        "targets", nargs="+", metavar="RUNS", help="a run, a folder of runs, a pattern, a recipe, or NAME=any of these"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="write compare.html, .md, .csv, .tex and .webp there")
    add_force(parser)
    parser.add_argument(
        "--features", metavar="F,...", help="extractors to compare by (default: all that the runs have)"
    )
    parser.add_argument(
        "--metrics", metavar="M,...", help="metrics to test (default: fd); each extra one lowers the power of all tests"
    )
    parser.add_argument("--n", type=int, help="images per set (default: as most runs were scored; else 10,000)")
    parser.add_argument("--sets", type=int, help="sets of images (default: as most runs were scored; else 1)")
    parser.add_argument("--no-evaluate", action="store_true", help="do not compute missing scores; only list them")
    parser.add_argument("--json", action="store_true", help="verdicts as rows of JSON")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of tables and page")
    args = parser.parse_args(argv)
    if any(value is not None and value < least for value, least in ((args.n, 2), (args.sets, 1))):
        raise UsageError("--n must be 2 or more, --sets 1 or more")

    from ganvas import comparison, i18n
    from ganvas.comparison import formats

    if args.out is not None:
        formats.check_folder(args.out, args.force)
    found = comparison.compare(
        args.targets, features=names(args.features), metrics=names(args.metrics), n=args.n, sets=args.sets,
        make=not args.no_evaluate,
    )  # fmt: skip
    page = comparison.write(found, args.out, args.lang, args.force) if args.out is not None else None
    if args.json:
        for row in formats.verdict_rows(found):
            show(json.dumps(row, ensure_ascii=False))
        return 0
    show_text(formats.text(found, i18n.load(args.lang)))
    if page is not None:
        show(f"comparison: {page}")
    return 0
