"""Which metric sees which damage to real images? Predictions first, then measurements.

python tools/damage_study.py cifar10 efficientnet-lite0 OUT.md [--n 2000]

One half of the test split is damaged in three strengths and held against the other half, which neither the classifier
nor any fake has seen. PREDICTED was written before anything was measured; a damage counts as ranked by a metric when
clean, weak, middle and strong lie in the predicted order, strictly.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets import ImageSet
from ganvas.datasets.progress import Progress
from ganvas.evaluation.references import cached_features
from ganvas.metrics.classes import Classes, classes_of
from ganvas.metrics.extractors import registry as extractors
from ganvas.metrics.extractors.base import in_batches
from ganvas.metrics.registry import METRICS, Fakes, MetricInputs, number_of

TRAINING = 10_000  # training images that copies are taken from and looked for among
MEASURED = ("fd", "kd", "prdc", "is", "recognition", "diversity", "copying")

PREDICTED: dict[str, dict[str, str]] = {
    "blur": {"fd": "up", "kd": "up", "precision": "down", "confidence": "down"},
    "noise": {"fd": "up", "kd": "up", "precision": "down", "confidence": "down"},
    "jpeg": {"fd": "up", "kd": "up"},
    "dropped classes": {"fd": "up", "kd": "up", "recall": "down", "coverage": "down", "class_distance": "up"},
    "duplicates": {"coverage": "down", "recall": "down"},
    "copies": {"nearer_than_heldout": "up", "near_copies": "up"},
    "colour": {"fd": "up", "kd": "up"},
}
"""damage -> metric -> which way its value must go from clean to strong."""


@dataclass(frozen=True)
class Damage:
    """What is done to images [n, c, h, w] uint8 with labels [n]; `strengths` from weak to strong."""

    strengths: tuple[float, ...]
    unit: str
    apply: Callable[[np.ndarray, np.ndarray, float, ImageSet], tuple[np.ndarray, np.ndarray]]
    """(images, labels, strength, training set) -> (images, labels)."""
    loses: bool = False
    """Whether images go missing, so that it must begin with more than are measured."""


def each(picture: Callable[[Image.Image, float], Image.Image]) -> Callable[..., tuple[np.ndarray, np.ndarray]]:
    """A damage to one picture at a time."""

    def apply(images: np.ndarray, labels: np.ndarray, strength: float, _: ImageSet) -> tuple[np.ndarray, np.ndarray]:
        out = np.empty_like(images)
        for i, image in enumerate(images):
            pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
            done = np.asarray(picture(Image.fromarray(np.ascontiguousarray(pixels)), strength))
            out[i] = done[None] if done.ndim == 2 else done.transpose(2, 0, 1)
        return out, labels

    return apply


def compressed(picture: Image.Image, quality: float) -> Image.Image:
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=int(quality))
    return Image.open(kept)


def noisy(images: np.ndarray, labels: np.ndarray, sd: float, _: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    noise = np.random.default_rng(0).normal(0, sd, images.shape)
    return (images + noise).round().clip(0, 255).astype(np.uint8), labels


def shifted(images: np.ndarray, labels: np.ndarray, by: float, _: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    moved = images.astype(int)
    moved[:, 0] += int(by)  # red; of a grey image, all there is
    return moved.clip(0, 255).astype(np.uint8), labels


def without_classes(images: np.ndarray, labels: np.ndarray, k: float, _: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    kept = labels >= int(k)
    return images[kept], labels[kept]


def repeated(images: np.ndarray, labels: np.ndarray, share: float, _: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    different = max(1, round(len(images) * (1 - share)))
    index = np.arange(len(images)) % different
    return images[index], labels[index]


def copied(images: np.ndarray, labels: np.ndarray, share: float, train: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    assert train.labels is not None
    count = round(len(images) * share)
    taken = np.random.default_rng(0).permutation(len(train.images))[:count]
    rest = slice(count, None)
    return np.concatenate([train.images[taken], images[rest]]), np.concatenate([train.labels[taken], labels[rest]])


DAMAGES = {
    "blur": Damage((0.5, 1.0, 2.0), "sigma, px", each(lambda p, s: p.filter(ImageFilter.GaussianBlur(s)))),
    "noise": Damage((5, 15, 40), "standard deviation, of 255", noisy),
    "jpeg": Damage((80, 40, 10), "quality", each(compressed)),
    "dropped classes": Damage((1, 3, 6), "classes", without_classes, loses=True),
    "duplicates": Damage((0.5, 0.9, 0.99), "share of repeats", repeated),
    "copies": Damage((0.02, 0.2, 1.0), "share of training images", copied),
    "colour": Damage((8, 24, 64), "added to the first channel, of 255", shifted),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("features")
    parser.add_argument("out", type=Path)
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--only", choices=DAMAGES, help="one damage instead of all")
    args = parser.parse_args()
    damages = {name: damage for name, damage in DAMAGES.items() if args.only in (None, name)}

    test = datasets.load(DataConfig(args.data, split="test"))
    train = datasets.load(DataConfig(args.data, limit=TRAINING))
    assert test.labels is not None
    bar = Progress(True)
    extractor = extractors.find(args.features, args.data, test.images.shape[1:])
    seen = cached_features(extractor, test, f"{args.data}:test", bar)
    training = cached_features(extractor, train, f"{args.data}:train, {TRAINING:,} of it", bar)
    base, other = np.array_split(np.random.default_rng(1).permutation(len(test.images)), 2)
    inputs = MetricInputs(extractor, seen[other], classes_of(test, other), training=training, held_out=seen[other])

    def measured(images: np.ndarray, labels: np.ndarray) -> dict[str, float]:
        intended = Classes(labels[: args.n], test.class_names)
        fakes = Fakes(extractor.extract(in_batches(images[: args.n])), intended, 0)
        values: dict[str, float] = {}
        for name in MEASURED:
            if METRICS[name].missing(inputs, args.n, intended) is None:
                for key, value in METRICS[name].measure(fakes, inputs).items():
                    values[key] = number_of(value)
        return values

    clean = measured(test.images[base], test.labels[base])
    rows, hits, misses = [], [], []
    for name, damage in damages.items():
        values = [clean]
        for strength in damage.strengths:
            part = base if damage.loses else base[: args.n]
            images, labels = damage.apply(test.images[part], test.labels[part], strength, train)
            values.append(measured(images, labels))
            print(json.dumps({"damage": name, "strength": strength, **values[-1]}), flush=True)
        for metric in clean:
            series = [v[metric] for v in values]
            steps = np.diff(series)
            ranked = "up" if (steps > 0).all() else "down" if (steps < 0).all() else ""
            predicted = PREDICTED[name].get(metric)
            if predicted or ranked:
                verdict = ("hit" if ranked == predicted else "miss") if predicted else "not predicted"
                {"hit": hits, "miss": misses}.get(verdict, []).append(f"{name}/{metric}")
                shown = " | ".join(f"{v:.4g}" for v in series)
                full = extractors.name_under(metric, extractor.name)
                rows.append(f"| {name} | {full} | {shown} | {predicted or '-'} | {verdict} |")
    strengths = "; ".join(f"{n}: {', '.join(f'{s:g}' for s in d.strengths)} ({d.unit})" for n, d in damages.items())
    text = [
        f"### {args.data} through {extractor.name} ({extractor.resize}, weights {extractor.weights_hash[:12]})",
        "",
        f"n = {args.n:,} damaged test images against {len(other):,} others. Strengths: {strengths}.",
        f"Hits: {len(hits)} of {len(hits) + len(misses)} predictions"
        + (f"; misses: {', '.join(misses)}." if misses else "."),
        "",
        "| damage | metric | clean | weak | middle | strong | predicted | |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
    ]
    args.out.write_text("\n".join(text))
    print("\n".join(text))


if __name__ == "__main__":
    main()
