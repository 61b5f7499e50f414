"""The cost of the metrics' maths on features of full size, and of making features: each in a process of its own.

`python benchmarks/metrics.py frechet kernel prdc` prints one JSON line each: CPU and wall seconds, peak memory; `--n`
and `--d` change the size. `classifier` (CIFAR-10's network, with the weights that ship or random ones) and
`efficientnet-lite0` look at 10,000 images of 3 x 32 x 32.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time

import numpy as np

from ganvas.metrics.frechet import frechet_distance, moments
from ganvas.metrics.kernel import kernel_distance
from ganvas.metrics.prdc import precision_recall_density_coverage

SIZES = {"frechet": 50_000, "kernel": 10_000, "prdc": 10_000, "classifier": 10_000, "efficientnet-lite0": 10_000}


def features(n: int, d: int, seed: int) -> np.ndarray:
    """[n, d] float32, not negative and correlated, as a network's pooled activations are; made in blocks."""
    mixing = np.random.default_rng(0).standard_normal((64, d), dtype=np.float32) / 8
    rng, vectors = np.random.default_rng(seed), np.empty((n, d), np.float32)
    for start in range(0, n, 1000):
        block = vectors[start : start + 1000]
        block[:] = rng.standard_normal((len(block), 64), dtype=np.float32) @ mixing
        block += 0.5 * rng.standard_normal(block.shape, dtype=np.float32) + np.float32(0.4 + 0.01 * seed)
        np.maximum(block, 0, out=block)
    return vectors


def measure(metric: str, n: int, d: int) -> dict[str, object]:
    """What one metric costs on two sets of n, their making left out of the seconds but not of the memory."""
    fake, real = features(n, d, 1), features(n, d, 2)
    cpu, wall = time.process_time(), time.perf_counter()
    match metric:
        case "frechet":
            value: object = frechet_distance(moments(fake), moments(real))
        case "kernel":
            value = vars(kernel_distance(fake, real))
        case _:
            value = precision_recall_density_coverage(fake, real)._asdict()
    return {
        "metric": metric,
        "n": n,
        "d": d,
        "wall_seconds": round(time.perf_counter() - wall, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "peak_rss_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
        "inputs_gb": round(2 * fake.nbytes / 1e9, 3),
        "omp_num_threads": os.environ.get("OMP_NUM_THREADS", "all"),
        "value": value,
    }


def look(name: str, n: int) -> dict[str, object]:
    """What n random images of CIFAR-10's shape cost, the network's loading left out."""
    import torch

    from ganvas.metrics.extractors import classifier, efficientnet
    from ganvas.metrics.extractors.base import Extractor, in_batches

    if name == "efficientnet-lite0":
        extractor = efficientnet.load()
    elif "cifar10" in classifier.shipped():
        extractor = classifier.load("cifar10", (3, 32, 32))
    else:
        network = classifier.Classifier(3, 2, (64, 128, 256), 10).eval().to(memory_format=torch.channels_last)

        def forward(x: torch.Tensor) -> tuple[torch.Tensor, None]:
            return network.features((x.float() / 127.5 - 1).to(memory_format=torch.channels_last)), None

        extractor = Extractor("classifier", "random", "native 32x32", forward)
    images = np.random.default_rng(0).integers(0, 256, (n, 3, 32, 32), np.uint8)
    extractor.extract(in_batches(images[:250]))  # warms up
    cpu, wall = time.process_time(), time.perf_counter()
    extractor.extract(in_batches(images))
    seconds = time.perf_counter() - wall
    return {
        "features": name,
        "weights": extractor.weights_hash[:12],
        "n": n,
        "wall_seconds": round(seconds, 2),
        "cpu_seconds": round(time.process_time() - cpu, 2),
        "img_s": round(n / seconds, 1),
        "peak_rss_gb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, 3),
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("metrics", nargs="+", choices=sorted(SIZES))
    parser.add_argument("--n", type=int, default=0, help="images of each set (50,000 for frechet, else 10,000)")
    parser.add_argument("--d", type=int, default=2048, help="dimensions")
    args = parser.parse_args()
    if len(args.metrics) > 1:
        for metric in args.metrics:
            words = [sys.executable, __file__, metric, "--n", str(args.n), "--d", str(args.d)]
            subprocess.run(words, check=True)
        return
    (metric,) = args.metrics
    n = args.n or SIZES[metric]
    found = look(metric, n) if metric in ("classifier", "efficientnet-lite0") else measure(metric, n, args.d)
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
