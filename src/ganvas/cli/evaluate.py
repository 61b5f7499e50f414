"""Evaluate: how good, diverse and recognisable, and how sure."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from ganvas.cli.parser import Parser, add_force, add_guidance, names, save_picture
from ganvas.errors import UsageError
from ganvas.terminal import show, show_text


def evaluate(words: list[str]) -> int:
    """Score a generator or images against real ones."""
    parser = Parser(
        prog="ganvas evaluate",
        description="How good, diverse and recognisable are these images, do they copy, and how sure is that?",
    )
    parser.add_argument("target", metavar="RUN_OR_SNAPSHOT_OR_IMAGES", help="images: a folder, zip, npz or IDX file")
    parser.add_argument("--reference", metavar="NAME_OR_PATH[:train|:test]", help="real images to compare with")
    parser.add_argument("--data", metavar="PATH", help="where the images that it was trained on are now, if they moved")
    parser.add_argument(
        "--features",
        metavar="F,...",
        help="classifier, efficientnet-lite0, efficientnet-lite2, inception, a TorchScript file, module:function (both "
        "run their code: use only what you trust); all = classifier, efficientnet-lite0, inception, if they can be had",
    )
    parser.add_argument(
        "--metrics",
        metavar="M,...",
        help="fd, fd_infinity, kd, prdc, class_recall, is, recognition, diversity, modes, copying (all by default; "
        "copying only with up to 20,000 training images)",
    )
    parser.add_argument("--n", type=int, help="images a set (2,000 of each of 5 sets, 10,000 of one, or what there is)")
    parser.add_argument("--sets", type=int, default=5, help="fresh sets, which the intervals come from (5)")
    parser.add_argument("--seed", type=int, default=0, help="of the latents (0)")
    add_guidance(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    parser.add_argument("--json", action="store_true", help="rows as JSON")
    parser.add_argument(
        "--neighbours", metavar="x.png", help="draw fakes beside their nearest training images, then stop"
    )
    add_force(parser)
    args = parser.parse_args(words)
    if args.seed < 0:
        raise UsageError("--seed must be 0 or more")

    from ganvas import process

    process.prepare()  # before torch is imported: threads that spin for long cost a busy machine half of its speed
    from ganvas import evaluation
    from ganvas.evaluation import table

    guidance = {"best_of": args.best_of, "refine": args.refine, "rejection": args.rejection}
    if args.neighbours:
        from ganvas.evaluation.nearest import nearest_pictures
        from ganvas.files import check_replaceable

        check_replaceable(Path(args.neighbours), args.force)
        chosen = names(args.features)
        picture = nearest_pictures(
            args.target, reference=args.reference, data=args.data, features=chosen[0] if chosen else None,
            seed=args.seed, device=args.device, **guidance,
        )  # fmt: skip
        save_picture(picture, Path(args.neighbours), args.force)
        show(f"{args.neighbours}: each row a fake, then the training images nearest to it")
        return 0
    scores = evaluation.evaluate(
        args.target, reference=args.reference, data=args.data, features=names(args.features),
        metrics=names(args.metrics), n=args.n, sets=args.sets, seed=args.seed, device=args.device, **guidance,
    )  # fmt: skip
    if args.json:
        for score in scores:
            show(json.dumps(dataclasses.asdict(score)))
    else:
        show_text(table.text(scores))
    return 0
