"""Make weights/baselines.json: what real images and noise of the built-in data sets score.

    python tools/make_baselines.py [--sets cifar10,fashion-mnist] [--features classifier,efficientnet-lite0]

For each data set and extractor that ships or is installed, each of the usual numbers of images and sets, by the same
code as `ganvas evaluate`. Features and figures are kept in the data cache, so that an interrupted call goes on.
It takes some 30 CPU minutes, most of them for EfficientNet. Run it again after a change of a metric, an extractor or a
data set: the figures carry the hashes of the images and the weights, and evaluation/figures.COMPUTATION_VERSION.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from ganvas.config import DataConfig
from ganvas.datasets.progress import Progress
from ganvas.evaluation import figures
from ganvas.evaluation.baselines import noise_baselines, real_baselines
from ganvas.evaluation.measuring import choose_metrics
from ganvas.evaluation.references import Reference
from ganvas.metrics.classes import classes_in_turn, classes_of
from ganvas.metrics.extractors import registry as extractors
from ganvas.metrics.registry import MetricInputs

USUAL = ((2000, 1, 0), (2000, 1, 1), (2000, 5, 0), (5000, 1, 0), (10_000, 1, 0), (10_000, 5, 0))
"""Images a set, sets, seed: while training and at its end, the checks' own, `ganvas evaluate`'s own."""
DIGITS = 10


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", default="cifar10,fashion-mnist")
    parser.add_argument("--features", default="classifier,efficientnet-lite0")
    parser.add_argument("--most", type=int, default=50_000, help="leave out more real images than this")
    args = parser.parse_args()
    kept: dict[str, dict[str, Any]] = dict(figures.shipped())
    figures.shipped = dict  # type: ignore[assignment]  # compute: what ships is what is made here
    keep = figures._keep

    def record(key: dict[str, Any], found: dict[str, float]) -> None:
        keep(key, found)
        size = f"n {key['n']} x {key.get('sets', 1)}, seed {key['seed']}"
        what = f"{key['what']}{', as classes' if key.get('classes') else ''}"
        of = f"{key['extractor']}, {what}, {key['metric']}, {size}"
        rounded = {name: float(f"{value:.{DIGITS}g}") for name, value in found.items()}
        kept[figures.digest(key)] = {"of": of, "figures": rounded}

    known = figures._known

    def known_and_recorded(key: dict[str, Any]) -> dict[str, float] | None:
        found = known(key)
        if found is not None:
            record(key, found)
        return found

    figures._keep, figures._known = record, known_and_recorded  # type: ignore[assignment]
    bar = Progress()
    for name in args.sets.split(","):
        reference = Reference(DataConfig(name, "test"), bar)
        shape = reference.images.images.shape[1:]
        for features in args.features.split(","):
            extractor = extractors.find(features, name, shape)
            inputs = MetricInputs(
                extractor, reference.features(extractor), classes_of(reference.images), reference.modes
            )
            for n, sets, seed in sorted(USUAL, key=lambda usual: usual[0] * usual[1]):
                if n * sets > args.most:
                    continue
                for names in ((), reference.images.class_names):
                    intended = classes_in_turn(names, 0, n)
                    metrics, _ = choose_metrics((), inputs, n, intended)
                    real_baselines(reference, inputs, metrics, n, sets, seed, bar)
                    noise_baselines(reference, shape, inputs, metrics, n, seed, names, bar)
                text = json.dumps(dict(sorted(kept.items(), key=lambda item: item[1]["of"])), indent=0)
                figures.SHIPPED.write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
