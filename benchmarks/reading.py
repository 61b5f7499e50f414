"""How quickly the user's own pictures are read, and how much memory that takes: records/2026-11-28-reading.md.

    python benchmarks/reading.py --work /tmp/reading            # 50,000 PNGs of 64 px: first and second start, Pillow
    python benchmarks/reading.py --work /tmp/reading --huge 10  # a set of 10 GB: checked, hashed, trained on

Each figure comes from a process of its own. CPU seconds (of the process and its children) stand beside wall seconds,
which depend on what else the machine does. The data cache is WORK/cache; remove WORK afterwards.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 64
PROBE = 4000
"""Pictures in a measurement of Pillow alone."""


def make_pictures(folder: Path, n: int) -> None:
    """n PNGs of smooth colours, in ten class folders."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for k in range(n):
        path = folder / f"{k % 10:02}" / f"{k:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        small = Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8))
        file = io.BytesIO()
        small.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(file, "PNG", compress_level=1)
        path.write_bytes(file.getvalue())


def measured(work: Callable[[], Any]) -> dict[str, Any]:
    """Wall and CPU seconds and the peak of resident memory of this process, in MiB, and what the work returned."""
    start = time.perf_counter()
    found = work()
    wall = time.perf_counter() - start
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = sum(part.ru_utime + part.ru_stime for part in (own, children))
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2), "peak_mib": own.ru_maxrss >> 10, **(found or {})}


def pillow(folder: Path, part: int, parts: int) -> dict[str, Any]:
    """Open, decode and copy every `parts`-th picture, with Pillow and nothing else."""
    from PIL import Image

    paths = sorted(folder.rglob("*.png"))[part::parts][: PROBE // parts]

    def decode() -> dict[str, Any]:
        cpu = time.process_time()
        for path in paths:
            with Image.open(path) as picture:
                picture.load()
        return {"n": len(paths), "decode_cpu_s": round(time.process_time() - cpu, 3)}

    return measured(decode)


def load(folder: Path) -> dict[str, Any]:
    """One start of ganvas on the folder."""
    from ganvas import datasets
    from ganvas.config import DataConfig

    def read() -> dict[str, Any]:
        found = datasets.load(DataConfig(str(folder), size=SIDE), progress=False)
        return {"n": len(found.images), "decoded_mib": found.images.nbytes >> 20}

    return measured(read)


def huge(work: Path, gigabytes: float) -> dict[str, Any]:
    """Hash, check and take batches of a mapped set of this size; pixels are noise."""
    from ganvas.datasets import dataset, scratch
    from ganvas.datasets.inspect import repeated
    from ganvas.datasets.pixels import is_grey

    n = round(gigabytes * 1e9 / (3 * SIDE * SIDE))
    rng = np.random.default_rng(0)
    block = rng.integers(0, 256, (4096, 3, SIDE, SIDE), dtype=np.uint8)
    steps: dict[str, float] = {}

    def timed(name: str, step: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        found = step()
        steps[name] = round(time.perf_counter() - start, 1)
        return found

    def parts() -> Any:
        for start in range(0, n, len(block)):
            block[:, 0, 0, :8] = rng.integers(0, 256, (len(block), 8), dtype=np.uint8)
            yield block[: n - start]

    def everything() -> dict[str, Any]:
        images = timed("written", lambda: scratch.gather(parts(), (3, SIDE, SIDE), n))
        timed("sha256", lambda: dataset._sha256(images, None))
        timed("grey", lambda: is_grey(images))
        timed("copies", lambda: repeated(images).sum())
        order = rng.permutation(n)
        batches = [order[start : start + 32] for start in rng.integers(0, n - 32, 10_000)]
        timed("10,000 batches of 32", lambda: [images[batch].sum() for batch in batches])
        return {"n": n, "mib": images.nbytes >> 20, "mapped": isinstance(images, scratch.Mapped), "seconds": steps}

    return measured(everything)


def child(*words: str) -> subprocess.Popen[str]:
    """This file again, in a process of its own."""
    return subprocess.Popen([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True)


def answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate()
    found: dict[str, Any] = json.loads(out)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--n", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--huge", type=float, metavar="GB")
    parser.add_argument("--part", nargs="*", help=argparse.SUPPRESS)
    args = parser.parse_args()
    os.environ["GANVAS_DATA"] = str(args.work / "cache")
    folder, own = args.work / "pictures", ("--work", str(args.work))
    if args.part:
        what, *numbers = args.part
        jobs = {"load": lambda: load(folder), "pillow": lambda: pillow(folder, *map(int, numbers))}
        print(json.dumps(jobs[what]()))
        return
    if args.huge:
        print(json.dumps(huge(args.work, args.huge)))
        return
    if not folder.is_dir():
        make_pictures(folder, args.n)
    for k in range(args.rounds):  # interleaved, so that a busy neighbour slows both alike
        halves = [child(*own, "--part", "pillow", str(i), "2") for i in range(2)]
        for half in halves:
            print(f"round {k} Pillow, one of two processes", json.dumps(answer(half)), flush=True)
        subprocess.run(["rm", "-rf", str(args.work / "cache")], check=True)
        for start in ("first", "second"):
            print(f"round {k} {start} start", json.dumps(answer(child(*own, "--part", "load"))), flush=True)


if __name__ == "__main__":
    main()
