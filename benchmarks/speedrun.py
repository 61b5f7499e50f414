"""Makes an entry of the speedrun board: trains, scores snapshots once training has ended, finds the crossings.

    python benchmarks/speedrun.py quick --track cifar10 --cpu-minutes 60 --seed 0 --out speedruns/quick-s0
    python benchmarks/speedrun.py r3-pyramid --track cifar10 --minutes 10 --out speedruns/r3-s0 --engine.device cuda

What counts: records/speedrun/RULES.md. Flags that are not listed here are settings, as in `ganvas train`. The training
is a process of its own; its start (imports, data, the choice of the arithmetic) counts, the scores do not. A training
that was stopped is trained from the start.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tools")]

from speedrun_board import FOLDER, TRACKS, crossings, problems  # noqa: E402

SCORED = {"cifar10": ("efficientnet-lite0", "fd"), "fashion-mnist": ("classifier", "recognition"),
          "cifar10-fid": ("inception", "fd"), "shapes": ("efficientnet-lite0", "fd")}  # fmt: skip
"""track -> extractor, metric"""
GROWTH = 1.2
"""A snapshot is scored where it had this many times the training of the one before."""


def main(argv: Sequence[str] | None = None) -> None:
    """Train and score, or, where --train says so, only train in this process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipe")
    parser.add_argument("--track", choices=TRACKS, default="cifar10")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cpu-minutes", type=float, default=None)
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--snapshot-kimg", type=float, default=5.0, help="thousand images between snapshots")
    parser.add_argument("--n", type=int, default=10_000, help="samples for a score; less makes no entry")
    parser.add_argument("--title", default="")
    parser.add_argument("--notes", default="")
    parser.add_argument("--out", type=Path, required=True, help="folder for the run and the entry; replaced")
    parser.add_argument("--train", type=float, help=argparse.SUPPRESS)
    args, settings = parser.parse_known_args(argv)
    words = list(sys.argv[1:] if argv is None else argv)
    if args.train is not None:
        train(args, settings)
        return
    shutil.rmtree(args.out, ignore_errors=True)
    args.out.mkdir(parents=True)
    code = {"commit": _git("rev-parse", "HEAD"), "changed": _git("status", "--porcelain").splitlines()}
    subprocess.run([sys.executable, __file__, *words, "--train", str(time.time())], check=True)
    entry = score(args, words, code)
    (args.out / "entry.json").write_text(json.dumps(entry, indent=1) + "\n", "utf-8")
    print(json.dumps(entry["crossings"]))
    if wrong := problems(entry):
        print(f"no entry of the board: {'; '.join(wrong)}")
    else:
        print(f"copy {args.out / 'entry.json'} to {FOLDER / 'entries'} and run tools/speedrun_board.py")


def train(args: argparse.Namespace, settings: Sequence[str]) -> None:
    """The training; what was spent before its first update goes to start.json."""
    from ganvas import api, process

    process.prepare()
    from ganvas.cli.train import configured
    from ganvas.datasets import load

    budget = ["--minutes", str(args.minutes)] if args.minutes else ["--budget.cpu-minutes", str(args.cpu_minutes or 5)]
    config = configured([
        args.recipe, "--data", TRACKS[args.track][0], "--seed", str(args.seed), *budget,
        "--log.snapshot-kimg", str(args.snapshot_kimg), "--evaluate.final", "0", *settings,
    ])  # fmt: skip
    images = load(config.data, progress=False)
    run = api.create_run(config, images, args.out / "run")
    spent: dict[str, float] = {}

    def first_row(event: Any) -> None:
        if event.kind == "row" and not spent:
            row = event.details["row"]
            spent["cpu_sec"] = time.process_time() - row["cpu_sec"]
            spent["wall_sec"] = time.time() - args.train - row["sec"]
            (args.out / "start.json").write_text(json.dumps(spent))

    if not api.run_training(run, images, [first_row]):
        raise SystemExit("the training was stopped: start it again")


def score(args: argparse.Namespace, words: Sequence[str], code: dict[str, Any]) -> dict[str, Any]:
    """The entry: snapshots in growing distances, each scored as the track says."""
    from ganvas import evaluation
    from ganvas.config import to_dict
    from ganvas.runs.run import Run

    run = Run.open(args.out / "run")
    start = json.loads((args.out / "start.json").read_text())
    extractor, metric = SCORED[args.track]
    name, split = TRACKS[args.track][1], "train" if extractor == "inception" else "test"
    curve, evaluator, reached = [], None, 0.0
    last = run.snapshots()[-1][0]
    for nimg, path in run.snapshots():
        if nimg < GROWTH * reached and nimg != last:
            continue
        (found,) = [
            each
            for each in evaluation.evaluate(
                path, reference=f"{TRACKS[args.track][0]}:{split}", features=[extractor], metrics=[metric], n=args.n,
                sets=1, progress=False,
            )
            if each.metric == name
        ]  # fmt: skip
        cpu, wall = _at(run.rows("metrics"), nimg)
        curve.append({
            "nimg": nimg, "cpu_min": round((start["cpu_sec"] + cpu) / 60, 3),
            "wall_min": round((start["wall_sec"] + wall) / 60, 3), "value": round(found.value, 4),
        })  # fmt: skip
        print(json.dumps(curve[-1]), flush=True)
        about = dataclasses.asdict(found)
        evaluator = {key: about[key] for key in ("metric", "extractor", "weights_hash", "computation", "n", "n_ref",
                                                 "split")}  # fmt: skip
        reached = nimg
    machine = {key: value for key, value in run.rows("env")[0].items() if key not in ("argv", "pid", "nimg")}
    words = [args.out.name if word == str(args.out) else word for word in words]  # no folders of this machine
    return {
        "schema": 1, "track": args.track, "class": _class(machine), "title": args.title or f"`{args.recipe}`",
        "date": datetime.date.today().isoformat(), "seed": args.seed, "code": code, "command": words,
        "config": to_dict(run.config), "data": {key: run.data[key] for key in ("name", "sha256", "n")},
        "machine": machine, "start": {key: round(value, 1) for key, value in start.items()}, "evaluator": evaluator,
        "curve": curve, "crossings": crossings(args.track, curve), "notes": args.notes,
    }  # fmt: skip


def _at(rows: Sequence[dict[str, Any]], nimg: int) -> tuple[float, float]:
    """CPU seconds and seconds of training when so many images were seen: of the first row that is not before."""
    row = next((row for row in rows if row["nimg"] >= nimg), rows[-1])
    return row["cpu_sec"], row["sec"]


def _class(machine: dict[str, Any]) -> str:
    import torch

    if machine["accelerator"]:
        return "gpu"
    if torch.cpu._is_amx_tile_supported():
        return "cpu-amx"
    return "cpu-avx512" if "AVX512" in machine["cpu_capability"] else "cpu-avx2"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


if __name__ == "__main__":
    main()
