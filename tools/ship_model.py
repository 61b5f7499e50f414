"""Put a run's generator among the models that ship: float16, its config and classes in the metadata.

python tools/ship_model.py RUN NAME [--discriminator]        such as runs/0007-quick-cifar10-s0 cifar10-cpu-v1
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ganvas.files import write_file
from ganvas.generator import WEIGHTS, find, load
from ganvas.runs.storage import load_tensors, save_tensors
from ganvas.sampling.discriminator import file_beside, packed

LIMIT = 6_000_000  # bytes: it travels with the package


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("name")
    parser.add_argument("--discriminator", action="store_true", help="also ship its D, to guide samples")
    args = parser.parse_args()
    source = find(args.run)
    tensors, about = load_tensors(source)
    halves = {name: t.half() if t.is_floating_point() else t for name, t in tensors.items()}
    worst = max((t.float() - halves[name].float()).abs().max().item() for name, t in tensors.items())
    if not all(torch.isfinite(t).all() for t in halves.values() if t.is_floating_point()):
        raise SystemExit(f"{source}: a weight is too large for float16")
    content = save_tensors(halves, about)
    if len(content) > LIMIT:
        raise SystemExit(f"{source}: {len(content):,} bytes as float16, more than {LIMIT:,}")
    path = WEIGHTS / f"{args.name}.safetensors"
    beside = packed(load(source)) if args.discriminator else None
    if beside is not None and len(beside) > LIMIT:
        raise SystemExit(f"{source}: its D has {len(beside):,} bytes as float16, more than {LIMIT:,}")
    write_file(path, content)
    if beside is not None:
        write_file(file_beside(path), beside)
    load(path).sample(1)
    print(f"{path}: {len(content):,} bytes, {about['nimg']:,} images seen, largest rounding error {worst:.1e}")


if __name__ == "__main__":
    main()
