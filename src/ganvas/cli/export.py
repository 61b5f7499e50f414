"""Models that leave the house: exports of a generator."""

from __future__ import annotations

from ganvas.cli.parser import Parser, add_force
from ganvas.terminal import show


def export(argv: list[str]) -> int:
    """Write a generator in another format."""
    parser = Parser(
        prog="ganvas export",
        description="Write the generator of a run, a snapshot or a shipped model: as one ONNX file that is checked "
        "against torch, as safetensors with a model card, or as a folder for the Hugging Face hub.",
    )
    parser.add_argument("model", metavar="RUN_OR_MODEL")
    parser.add_argument("--to", required=True, metavar="onnx | safetensors | hub", help="the format")
    parser.add_argument("--out", metavar="PATH", help="NAME.onnx, NAME.safetensors or NAME-hub here by default")
    add_force(parser)
    args = parser.parse_args(argv)

    from ganvas.exporting import export

    show(export(args.model, args.to, args.out, args.force))
    return 0
