"""The hand-in: the folder that the course asks for, and the blind test that its first item needs."""

from __future__ import annotations

from pathlib import Path

from ganvas.cli.parser import Parser, add_force
from ganvas.errors import UsageError
from ganvas.terminal import show


def quiz(argv: list[str]) -> int:
    """Write a page of questions, or read the answers that it saved."""
    parser = Parser(
        prog="ganvas quiz",
        description="A blind test: real and generated images mixed, name the class, say real or generated. Writes one "
        "page that works from disk; --result adds the answers that the page saved to the run.",
    )
    parser.add_argument("target", metavar="RUN_OR_MODEL")
    parser.add_argument("--n", type=int, default=40, help="images, half of them generated (40)")
    parser.add_argument("--seed", type=int, default=0, help="which images, and their order (0)")
    parser.add_argument("--out", type=Path, default=Path("quiz.html"), metavar="x.html", help="the page (quiz.html)")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of the page")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    parser.add_argument("--result", type=Path, metavar="ANSWERS.json", help="read answers instead of writing a page")
    add_force(parser)
    args = parser.parse_args(argv)
    from ganvas import blind_test

    if args.result is not None:
        for line in blind_test.add_answers(args.target, args.result, args.lang):
            show(line)
        return 0
    if args.out.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"--out {args.out}: name a .html file")
    page = blind_test.write(args.target, args.out, args.n, args.seed, args.lang, args.force, args.device)
    show(f"quiz: {page} (open it in a browser)")
    return 0


def submit(argv: list[str]) -> int:
    """Put together the hand-in of some runs."""
    parser = Parser(
        prog="ganvas submit",
        description="Put together what the course asks to hand in: page, executed notebook, GIF, samples, curves, "
        "before/after, retrospective and a checklist of the rubric. The last group of runs is what is handed in, the "
        "first is what it is compared with.",
    )
    parser.add_argument("targets", nargs="+", metavar="RUN", help="runs, as for ganvas compare")
    parser.add_argument("--name", default="", help="your name")
    parser.add_argument("--out", type=Path, default=Path("submission"), metavar="DIR", help="the folder (submission)")
    parser.add_argument("--lang", choices=("en", "ko"), default="en", help="language of everything in it")
    parser.add_argument("--no-evaluate", action="store_true", help="do not compute scores that the comparison lacks")
    add_force(parser)
    args = parser.parse_args(argv)
    from ganvas import submission

    page = submission.submit(
        args.targets, args.out, name=args.name, lang=args.lang, force=args.force, evaluate=not args.no_evaluate
    )
    show(f"hand-in: {page}")
    return 0
