"""How often the doctor is right: runs with a fault provoked on purpose, and healthy runs, diagnosed by its rules.

    python tools/doctor_suite.py train FOLDER [--jobs 2]     train the runs that are missing; can be interrupted
    python tools/doctor_suite.py report FOLDER [--half a]    found, missed and false, by fault, with exact intervals

Half a (even seeds of one data set, odd ones of the next) is for choosing thresholds, half b for reporting the result.
Images are resized to 16 x 16, so that a run takes less than a minute of one core.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import multiprocessing.queues
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ganvas import api, datasets
from ganvas.config import DataConfig
from ganvas.diagnostics import RULES, RunHistory, diagnose, read_history
from ganvas.errors import GanvasError
from ganvas.runs.run import Run
from ganvas.stats.intervals import binomial_interval

DATA = ("shapes", "fashion-mnist", "cifar10")
SEEDS = (0, 1, 2)
SMALL = {"data.size": 16, "engine.threads": 1, "engine.device": "cpu"}
UNREGULARISED = {"penalty.r1": 0.0, "penalty.r2": 0.0}
"""Nothing keeps D smooth."""
UNCONDITIONAL = {
    "data.labels": "ignore",
    "generator.condition": "concat",
    "discriminator.classify": 0.0,
    "loss.g_classify": 0.0,
}
HALF = {"generator.width": 0.5, "discriminator.width": 0.5}


@dataclass(frozen=True)
class Kind:
    """What is trained on every data set with every seed. `expected`: rules any of which names the fault."""

    recipe: str
    expected: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    kimg: float = 40.0
    images: str = ""
    """How the data are damaged: "shuffled" labels, "dark" images; empty: not."""


def rates(g: float, d: float) -> dict[str, float]:
    return {"g_optim.lr": g, "d_optim.lr": d}


FAULTS = {
    "d-wins": Kind("lean", ("d-wins",), UNREGULARISED | rates(2e-5, 5e-3)),
    "d-wins-2": Kind("cifar-dcgan", ("d-wins",), rates(1e-6, 2e-3) | {"step.batch": 32}),
    "g-wins": Kind("lean", ("g-wins",), rates(5e-4, 1e-7)),
    "g-wins-2": Kind("cifar-dcgan", ("g-wins", "collapse"), rates(2e-3, 1e-6) | {"step.batch": 32}),
    "collapse": Kind("lean", ("collapse",), UNREGULARISED | UNCONDITIONAL | rates(5e-3, 1e-4) | {"step.ema_kimg": 0.0}),
    "class-collapse": Kind("lean", ("class-collapse", "collapse"), {"loss.g_classify": 30.0}),
    "swings": Kind(
        "lean", ("swings",),
        UNREGULARISED | UNCONDITIONAL | rates(1e-3, 1e-4)
        | {"loss.name": "bce", "g_optim.beta1": 0.9, "d_optim.beta1": 0.9, "step.ema_kimg": 0.0},
    ),
    "nan": Kind("lean", ("nan", "exploding"), rates(1e2, 1e2)),
    "exploding": Kind("lean", ("exploding",), UNREGULARISED | {"loss.name": "wasserstein"}),
    "too-fast": Kind("lean", ("too-fast", "exploding"), rates(2e-2, 5e-2)),
    "too-slow": Kind("lean", ("too-slow",), rates(2e-6, 8e-6)),
    "overfitting": Kind("lean", ("overfitting", "copying"), {"data.limit": 64}),
    "copying": Kind("lean", ("copying", "overfitting"), {"data.limit": 30}, 60.0),
    "saturation": Kind(
        "lean", ("saturation",),
        UNREGULARISED | UNCONDITIONAL | rates(1e-3, 1e-3)
        | {"loss.name": "bce", "g_optim.beta1": 0.9, "d_optim.beta1": 0.9, "step.ema_kimg": 0.0},
    ),
    "range": Kind("lean", ("range",), images="dark"),
    "checkerboard": Kind(
        "cifar-dcgan-recap", ("checkerboard",), {"generator.kernel": 3, "step.batch": 32, "augment.noise": 1.0}
    ),
    "tiny-batch": Kind("lean", ("tiny-batch",), {"step.batch": 2}, 4.0),
    "ema-lag": Kind("lean", ("ema-lag",), {"step.ema_kimg": 200.0, "step.ema_warmup": 0.0}),
    "labels": Kind("lean", ("labels",), images="shuffled"),
    "labels-2": Kind("hinge-resnet", ("labels",), HALF, images="shuffled"),
    "too-little": Kind("cifar-dcgan-recap", ("too-little",), {"step.batch": 32}, 28.0),
}  # fmt: skip
PAIRS = {"loss.name": "relativistic", "step.update": "simultaneous"}
HEALTHY = {
    "quick": Kind("quick", kimg=48.0),
    "quick-unconditional": Kind("quick", settings={"data.labels": "ignore"}, kimg=48.0),
    "lean": Kind("lean", kimg=48.0),
    "lean-unconditional": Kind("lean", settings={"data.labels": "ignore"}, kimg=48.0),
    "lean-narrow": Kind("lean", settings=HALF, kimg=64.0),
    "lean-long": Kind("lean", kimg=120.0),
    "lean-relativistic": Kind("lean", settings=PAIRS, kimg=48.0),
    "small-data": Kind("small-data", settings={"data.limit": 1000}, kimg=48.0),
    "hinge-resnet": Kind("hinge-resnet", settings=HALF, kimg=48.0),
    "lean-augmented": Kind("lean", settings={"augment.p": 0.5, "augment.translate": 0.125, "augment.colour": 0.5}),
}  # fmt: skip
KINDS = FAULTS | HEALTHY


def runs(base: Path, seeds: Sequence[int] = SEEDS, kinds: Sequence[str] = ()) -> Iterator[tuple[str, str, int, Path]]:
    """(kind, data set, seed, folder) of every run, seed by seed."""
    for seed in seeds:
        for name in kinds or KINDS:
            for images in DATA:
                yield name, images, seed, base / f"{name}-{images}-s{seed}"


def half(images: str, seed: int) -> str:
    """a or b: balanced over data sets and seeds, so that both halves have every fault on every data set."""
    return "ab"[(DATA.index(images) + seed) % 2]


# -- training ----------------------------------------------------------------------------------------------------


def damaged(base: Path, images: str, how: str) -> str:
    """A file with the labels shuffled or the values divided by 16; the name of the data set if it is not damaged."""
    if not how:
        return images
    path = base / "data" / f"{images}-{how}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        found = datasets.load(DataConfig(name=images, size=16, limit=10_000))
        assert found.labels is not None
        pixels, labels = found.images.transpose(0, 2, 3, 1), found.labels
        rng = np.random.default_rng(0)
        labels = rng.permutation(labels) if how == "shuffled" else labels
        pixels = pixels // 16 if how == "dark" else pixels
        np.savez(path, images=pixels, labels=labels, class_names=np.array(found.class_names))
    return str(path)


def train(base: Path, jobs: int, seeds: Sequence[int], kinds: Sequence[str]) -> None:
    """Train every run that is missing, each on a core of its own."""
    todo = [(base, *run) for run in runs(base, seeds, kinds) if not (run[3] / "done").is_file()]
    spawn = multiprocessing.get_context("spawn")
    cores: multiprocessing.queues.Queue[int] = spawn.Queue()
    for core in range(jobs):
        cores.put(core)
    with spawn.Pool(jobs, _pin_to_core, (cores,)) as pool:
        for count, done in enumerate(pool.imap_unordered(_train, todo), 1):
            print(f"{count} of {len(todo)}: {done}", flush=True)


def _pin_to_core(cores: multiprocessing.queues.Queue[int]) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[cores.get()]})


def _train(job: tuple[Path, str, str, int, Path]) -> str:
    base, name, images, seed, path = job
    kind, why = KINDS[name], "finished"
    settings = SMALL | kind.settings
    if kind.images:  # a file has no test split
        settings["data.held_out"] = 0.1
    shutil.rmtree(path, ignore_errors=True)
    begun = time.monotonic()
    try:
        name_or_file = damaged(base, images, kind.images)
        api.train(kind.recipe, data=name_or_file, kimg=kind.kimg, seed=seed, out=path, report=False, settings=settings)
    except GanvasError as error:  # NaN is among the faults
        why = str(error)
    for heavy in ("checkpoints", "snapshots"):
        shutil.rmtree(path / heavy, ignore_errors=True)
    (path / "done").write_text(why)
    return f"{path.name}, {time.monotonic() - begun:.0f} s, {why}"


# -- reading -----------------------------------------------------------------------------------------------------


def first_reports(history: RunHistory) -> dict[str, tuple[int, int]]:
    """Rule -> (images seen when the hook during training first reports it, earliest image since when it held).

    The rules are applied after every measurement, as the hook does, and once more at the end.
    """
    found: dict[str, tuple[int, int]] = {}
    for count in range(1, len(history.monitor) + 1):
        _note(found, until(history, count), history.monitor[count - 1]["nimg"])
    _note(found, history, history.seen)
    return found


def until(history: RunHistory, count: int) -> RunHistory:
    """A run as it was after its first `count` rows of monitor.jsonl."""
    at = history.monitor[count - 1]["nimg"]
    rows = [row for row in history.rows if (row.get("nimg") or 0) <= at]
    return RunHistory(history.config, history.data, history.total, rows, history.monitor[:count], path=history.path)


def _note(found: dict[str, tuple[int, int]], history: RunHistory, at: int) -> None:
    for finding in diagnose(history).findings:
        reported, since = found.get(finding.rule, (at, finding.since))
        found[finding.rule] = reported, min(since, finding.since)


def read(base: Path) -> list[dict[str, Any]]:
    """What the doctor reports about every run that has been trained."""
    rows = []
    for name, images, seed, path in runs(base):
        if (path / "done").is_file():
            history = read_history(Run.open(path))
            about = {"kind": name, "data": images, "seed": seed, "half": half(images, seed), "length": history.length}
            rows.append({**about, "reported": first_reports(history)})
    return rows


def report(base: Path, chosen: str) -> None:
    """Found, missed, late and false, by kind and in total."""
    advice = {rule.id for rule in RULES.values() if rule.severity == "advice"}
    rows = [row for row in read(base) if chosen in ("both", row["half"])]
    totals = {"found": 0, "late": 0, "faults": 0, "false": 0, "healthy": 0}
    for name, kind in KINDS.items():
        own = [row for row in rows if row["kind"] == name]
        if not own:
            continue
        if kind.expected:
            hits = [{f for f in row["reported"] if f in kind.expected} for row in own]
            found = [row for h, row in zip(hits, own, strict=True) if h]
            delays = {_run(row): _delay(row, h) for h, row in zip(hits, own, strict=True) if h}
            late = {run: f"{delay:.0%}" for run, delay in delays.items() if delay > 0.1}
            totals["found"] += len(found)
            totals["late"] += len(late)
            totals["faults"] += len(own)
            missed = [_run(row) for h, row in zip(hits, own, strict=True) if not h]
            beside = sorted({f for row in own for f in row["reported"]} - set(kind.expected))
            print(f"{name:18} found {len(found)} of {len(own)}; late {late}; missed {missed}; beside {beside}")
        else:
            false = {_run(row): set(row["reported"]) - advice for row in own}
            false = {key: found for key, found in false.items() if found}
            totals["false"] += len(false)
            totals["healthy"] += len(own)
            print(f"{name:18} healthy {len(own)}, false {len(false)}: {false}")
    for k, n in (("found", "faults"), ("late", "faults"), ("false", "healthy")):
        if totals[n]:
            share = binomial_interval(totals[k], totals[n])
            interval = f"{share.value:.1%}, 95 % interval {share.low:.1%} to {share.high:.1%}"
            print(f"{k}: {totals[k]} of {totals[n]} ({interval})")


def _run(row: dict[str, Any]) -> str:
    return f"{row['data']}-s{row['seed']}"


def _delay(row: dict[str, Any], named: set[str]) -> float:
    """Share of the run between when a fault began and when it was first reported."""
    delays = [reported - since for reported, since in (row["reported"][f] for f in named)]
    return max(min(delays), 0) / row["length"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("train", "report", "json"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--kinds", nargs="+", default=(), choices=KINDS)
    parser.add_argument("--half", choices=("a", "b", "both"), default="both")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.what == "train":
        train(args.folder, args.jobs, args.seeds, args.kinds)
    elif args.what == "report":
        report(args.folder, args.half)
    else:
        for row in read(args.folder):
            print(json.dumps(row))


if __name__ == "__main__":
    main()
