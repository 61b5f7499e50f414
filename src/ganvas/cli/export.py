"""Models that leave the house: exports of a generator, animations."""

from __future__ import annotations

from ganvas.cli.parser import Parser, add_force
from ganvas.errors import UsageError
from ganvas.terminal import show

NAMES = ("onnx", "safetensors", "hub", "page", "parquet", "tensorboard")


def export(argv: list[str]) -> int:
    """Write a generator in another format."""
    parser = Parser(
        prog="ganvas export",
        description="Write the generator of a run, a snapshot or a shipped model: as one ONNX file that is checked "
        "against torch, as safetensors with a model card, as a folder for the Hugging Face hub, or as a static page "
        "that runs it in the visitor's browser. Or what it makes and what a run recorded: as parquet, or for "
        "TensorBoard.",
    )
    parser.add_argument("model", metavar="RUN_OR_MODEL")
    parser.add_argument("--to", required=True, metavar="FORMAT", help=" | ".join(NAMES))
    parser.add_argument("--out", metavar="PATH", help="NAME.onnx, NAME.safetensors, NAME-hub, ... here by default")
    parser.add_argument("--runtime", metavar="FILE.tgz", help="page: the package onnxruntime-web, if npm cannot get it")
    parser.add_argument("--no-webgpu", action="store_true", help="page: WebAssembly only, 3.8 MB less")
    parser.add_argument("--what", metavar="samples | metrics | evals", help="parquet: of what (samples)")
    parser.add_argument("--n", type=int, help="parquet: number of samples (1000)")
    parser.add_argument("--seed", type=int, help="parquet: seed of the samples (0)")
    parser.add_argument("--discriminator", action="store_true", help="safetensors, hub: also keep D, to guide samples")
    add_force(parser)
    args = parser.parse_args(argv)
    if args.seed is not None and args.seed < 0:
        raise UsageError("--seed must be 0 or more")
    given = {name: getattr(args, name) for name in ("runtime", "what", "n", "seed")}
    given["discriminator"] = args.discriminator or None
    given["webgpu"] = False if args.no_webgpu else None
    options = {name: value for name, value in given.items() if value is not None}

    from ganvas.exporting import export

    show(export(args.model, args.to, args.out, args.force, **options))
    return 0


def animate(argv: list[str]) -> int:
    """Write an animation of a training, or of a generator."""
    parser = Parser(
        prog="ganvas animate",
        description="Write an animation: a run's samples through its training, always of the same latents; with "
        "--interpolate, of a run or a model, closed ways between latents or between classes.",
    )
    parser.add_argument("model", metavar="RUN_OR_MODEL")
    parser.add_argument("--to", required=True, metavar="gif | webp | mp4", help="the format; mp4 needs ganvas[video]")
    parser.add_argument("--out", metavar="PATH", help="NAME.gif, NAME.webp or NAME.mp4 here by default")
    parser.add_argument("--interpolate", metavar="latents | classes", help="instead of the training")
    parser.add_argument("--seconds", type=float, default=6.0, help="length, 0.5 to 30 (6)")
    parser.add_argument("--seed", type=int, default=0, help="of the latents, with --interpolate (0)")
    add_force(parser)
    args = parser.parse_args(argv)
    if args.seed < 0:
        raise UsageError("--seed must be 0 or more")

    from ganvas.exporting.animation import animate

    show(animate(args.model, args.to, args.out, args.interpolate, args.seconds, args.seed, args.force))
    return 0
