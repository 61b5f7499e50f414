"""`ganvas ui` with many runs: how long the list takes, first and again, how long a page takes, and the memory.

    python benchmarks/ui.py [--runs 1000] [--rows 2000]

Each run has that many rows of metrics and twenty sample grids; they are made first, in a temporary folder. Times are
the median of several requests to a real server, in milliseconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from ganvas.ui.house import House  # noqa: E402
from served import Served, serve  # noqa: E402
from synthetic import make_run  # noqa: E402

REPEATS = 7


def main() -> None:
    """Print one line a measurement."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=2000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "runs"
        first = make_run(folder / "0000", rows=args.rows)
        for i in range(1, args.runs):
            shutil.copytree(first.path, folder / f"{i:04d}")
        for found in serve(House(folder)):
            measure(found, args.runs)


def measure(served: Served, runs: int) -> None:
    """The measurements, in the order in which a person would cause them."""
    before = memory()
    print(f"list of {runs} runs, first time: {timed(served, '/api/runs', 1):8.0f} ms")
    print(f"list of {runs} runs, again:      {timed(served, '/api/runs'):8.0f} ms")
    print(f"the page of the list:            {timed(served, '/'):8.0f} ms")
    print(f"one run, first time:             {timed(served, '/api/runs/0001', 1):8.0f} ms")
    print(f"one run, another one:            {timed(served, '/api/runs/0002', 1):8.0f} ms")
    stamp = json.loads(served.get("/api/runs/0002").content)["stamp"]
    print(f"one run, nothing new:            {timed(served, f'/api/runs/0002?seen={stamp}'):8.1f} ms")
    print(f"a sample grid:                   {timed(served, '/api/runs/0002/samples/300000'):8.1f} ms")
    print(f"a row's picture:                 {timed(served, '/api/runs/0002/thumb'):8.1f} ms")
    print(f"memory: {before:.0f} MB before the list, {memory():.0f} MB at most afterwards")


def timed(served: Served, path: str, repeats: int = REPEATS) -> float:
    """Median milliseconds of a request."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        assert served.get(path).status == 200
        found.append(1000 * (time.perf_counter() - begin))
    return statistics.median(found)


def memory() -> float:
    """The most memory that this process has had, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
