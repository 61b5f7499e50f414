"""Data sets: list, fetch, check, show."""

from __future__ import annotations

import json
from pathlib import Path

from ganvas.cli.parser import Parser, add_force, add_read_as, names, read_as, save_picture
from ganvas.terminal import show, show_text


def data(argv: list[str]) -> int:
    """list, fetch, check, show, cache."""
    from ganvas import datasets

    parser = Parser(prog="ganvas data", description="List, fetch, check and look at data sets.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="list | fetch | check | show | cache")
    listing = commands.add_parser("list", help="list the known data sets")
    listing.add_argument("--json", action="store_true", help="rows as JSON")
    commands.add_parser("fetch", help="download a known set and verify it").add_argument("name")
    check = commands.add_parser("check", help="read a whole data set and say what is in it")
    check.add_argument("name", metavar="NAME_OR_PATH")
    add_read_as(check)
    sheet = commands.add_parser("show", help="write a contact sheet as PNG")
    sheet.add_argument("name", metavar="NAME_OR_PATH")
    sheet.add_argument("--out", required=True, metavar="GRID.png")
    add_force(sheet)
    for name, kind, what in (
        ("size", int, "side in pixels"),
        ("channels", int, "1 = grey, 3 = RGB"),
        ("classes", names, "only these, separated by commas ('\"a, b\",c')"),
    ):
        sheet.add_argument(f"--{name}", dest=f"data.{name}", type=kind, help=what)
    add_read_as(sheet)
    decoded = commands.add_parser("cache", help="list the decoded images that are kept for quick starts")
    decoded.add_argument("--clear", action="store_true", help="remove them all")
    args = parser.parse_args(argv)
    if args.command == "list":
        rows = datasets.describe()
        if args.json:
            for row in rows:
                show(json.dumps({**vars(row), "n": dict(row.n)}))
            return 0
        for row in rows:
            show_text("\n".join(row.lines()))
        show("Any folder, zip, npz or IDX file of images works as well: ganvas data check PATH")
    elif args.command == "fetch":
        show(f"{args.name}: {datasets.fetch(args.name)}")
    elif args.command == "check":
        for report in datasets.check(read_as(args.name, args)):
            for line in report.lines():
                show(line)
    elif args.command == "cache":
        for line in datasets.cache_lines(args.clear):
            show(line)
    else:
        from ganvas.files import check_replaceable

        check_replaceable(Path(args.out), args.force)
        images = datasets.load(read_as(args.name, args))
        save_picture(datasets.preview(images), Path(args.out), args.force)
        show(f"{args.out}: {len(images.images):,} images of {images.name}")
    return 0
