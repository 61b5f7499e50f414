"""What a GPU does with ganvas: every recipe, the engine's switches, the Recap GAN, speedruns, and a record.

    python benchmarks/gpu.py --minutes 60 --data cifar10 --cache FOLDER
    python benchmarks/gpu.py --device cpu --small --minutes 5          # the same in miniature

Nothing is fetched: `--data` is a set whose files lie in the cache (`--cache`, as $GANVAS_DATA), a folder or file of
images, or `shapes`, which is drawn. Each part is a process with a time limit of its own. A part that fails stops no
other; the same command again keeps the parts that are done, goes on with a stopped training, and tries the others
again. When the time is out, the record says which figures are owed. Flags that are not listed here are settings.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "src"))

from ganvas.config import EngineConfig  # noqa: E402
from ganvas.config.recipes import RECIPES  # noqa: E402

FORM = ("device", "dtype", "layout", "conv", "threads", "probe")
"""Fields of the engine that are no switches."""
EXCLUSIVE = ("compile", "graph")
"""Switches of which one is on at most."""
NOTEBOOK_SECONDS = 2646
"""What the course's notebook reports for 100 epochs of the Recap GAN on its GPU."""
TIMED = ("cifar-dcgan-recap", "quick", "r3-pyramid")
"""Recipes whose speed is measured, where they are there."""
UPDATES = 300
"""Of a training whose speed is measured."""
STOPS = 60
"""Seconds that a training has to save itself once it was told to stop."""
Figures = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Plan:
    """What to run, and where."""

    data: str
    device: str
    small: bool
    out: Path
    settings: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Part:
    """One measurement."""

    name: str
    limit: float
    """Seconds."""
    run: Callable[[Plan, float], Figures]
    """(plan, seconds) -> figures; raises where it fails."""


class NotDoneError(Exception):
    """Stopped by its limit, and able to go on."""


def switches() -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name, flags): none, each of the engine's switches alone, and all that go together; read from the schema."""
    yield "none", ()
    last: dict[str, tuple[str, ...]] = {}
    hints = get_type_hints(EngineConfig)
    for field in dataclasses.fields(EngineConfig):
        if field.name in FORM:
            continue
        for value in [v for v in get_args(hints[field.name]) if v not in (field.default, "auto")] or [True]:
            flag = f"--engine.{field.name}"
            last[field.name] = (flag,) if value is True else (flag, str(value))
            yield field.name if value is True else f"{field.name}={value}", last[field.name]
    for one in EXCLUSIVE:
        others = [flags for name, flags in last.items() if name == one or name not in EXCLUSIVE]
        if one in last:
            yield f"all with {one}", tuple(word for flags in others for word in flags)


def parts(plan: Plan) -> list[Part]:
    """All parts in the order of their use to a reader."""
    found = [Part("machine", 120, lambda plan, _: worker("machine", plan, 120))]
    found += [Part(f"smoke/{name}", 180, lambda plan, limit, name=name: smoke(name, plan, limit)) for name in RECIPES]
    for name in [name for name in TIMED if name in RECIPES][: 1 if plan.small else None]:
        for switch, flags in switches():
            found.append(Part(
                f"speed/{name}/{switch}", 900 if "compile" in switch else 300,
                lambda plan, limit, name=name, switch=switch, flags=flags: speed(name, switch, flags, plan, limit),
            ))  # fmt: skip
    found.append(Part("recap", 120 if plan.small else 3600, recap))
    for seed in range(1 if plan.small else 3):
        found.append(Part(f"speedrun/s{seed}", 1500, lambda plan, limit, seed=seed: speedrun(seed, plan, limit)))
    return found


# -- the parts -------------------------------------------------------------------------------------------------


def smoke(name: str, plan: Plan, limit: float) -> Figures:
    """Three updates, and a finished run."""
    step = RECIPES[name].config.step
    batch = 8 if plan.small else step.batch
    size = ["--step.batch", "8", *MINIATURE] if plan.small else []
    run = trained(f"smoke-{name}", [name, "--kimg", str(3 * batch * step.d_steps / 1000), *size], plan, limit)
    return {"images": run["images"], "device": run["device"]}


MINIATURE = ("--generator.width", "0.25", "--discriminator.width", "0.25", "--data.limit", "200")
"""Settings of a miniature."""


def speed(name: str, switch: str, flags: Sequence[str], plan: Plan, limit: float) -> Figures:
    """Images a second, the median of the rows of the second half; FLOP a second, and their share of the peak."""
    size = [*MINIATURE, "--step.batch", "16", "--log.every", "5"] if plan.small else []
    step = RECIPES[name].config.step
    images = 20 * 16 if plan.small else UPDATES * step.batch * step.d_steps  # no time: compiling takes minutes of it
    run = trained(
        f"speed-{name}-{switch}".replace(" ", "-"), [name, "--kimg", str(images / 1000), *flags, *size], plan, limit
    )
    rates = [row["img_s"] for row in run["rows"]]
    rate = statistics.median(rates[len(rates) // 2 :])
    found = worker("flop", plan, 300, name, *size)
    flops = rate * found["per_image"]
    peak = kept(plan, "machine").get("peaks", {}).get(run["dtype"])
    return {
        "img_s": rate, "gflop_per_image": found["per_image"] / 1e9, "tflops": flops / 1e12, "dtype": run["dtype"],
        "share_of_peak": flops / peak if peak else None,
    }  # fmt: skip


def recap(plan: Plan, limit: float) -> Figures:
    """The Recap GAN as the notebook trains it: 100 epochs, every sample grid and row included."""
    epochs = ["--kimg", "0.096", *MINIATURE, "--step.batch", "16"] if plan.small else ["--epochs", "100"]
    run = trained("recap", ["cifar-dcgan-recap", *epochs], plan, limit, resumes=True)
    return {"images": run["images"], "sec": run["sec"], "notebook_sec": None if plan.small else NOTEBOOK_SECONDS}


def speedrun(seed: int, plan: Plan, limit: float) -> Figures:
    """One run of the board, for ten minutes."""
    recipe = "quick" if plan.small or "r3-pyramid" not in RECIPES else "r3-pyramid"
    track = plan.data if plan.data in ("cifar10", "fashion-mnist") else "shapes"
    budget = ["--minutes", "10"]
    if plan.small:
        budget = ["--cpu-minutes", "0.03", "--n", "1300", *MINIATURE, "--step.batch", "8"]
    out = plan.out / f"speedrun-s{seed}"
    command = [sys.executable, str(ROOT / "benchmarks" / "speedrun.py"), recipe, "--track", track, "--seed", str(seed),
               *budget, "--out", str(out), "--engine.device", plan.device, *plan.settings]  # fmt: skip
    ran(command, limit, out.parent / f"speedrun-s{seed}.log")
    entry = json.loads((out / "entry.json").read_text("utf-8"))
    return {"entry": str(out / "entry.json"), "crossings": entry["crossings"], "last": entry["curve"][-1]}


# -- processes -------------------------------------------------------------------------------------------------


def trained(name: str, words: Sequence[str], plan: Plan, limit: float, resumes: bool = False) -> Figures:
    """A training in a process of its own: its images, seconds, rows, form of the arithmetic."""
    out = plan.out / "runs" / name
    start = [*words, "--data", plan.data, "--device", plan.device, "--out", str(out), "--evaluate.final", "0"]
    verb = ["train", *start, *plan.settings]
    if resumes and (out / "config.json").is_file():
        verb = ["resume", str(out)]
    else:
        remove(out)
    ran([sys.executable, "-m", "ganvas", *verb], limit, plan.out / "logs" / f"{name}.log")
    from ganvas.runs.run import Run

    run = Run.open(out)
    rows, environment = run.rows("metrics"), run.rows("env")[-1]
    finish = next(row for row in reversed(run.rows("events")) if row["event"] == "finish")
    return {"images": rows[-1]["nimg"], "sec": finish["sec"], "rows": rows, "dtype": environment["dtype"],
            "device": environment["device"]}  # fmt: skip


def remove(folder: Path) -> None:
    """Take away what an earlier attempt left."""
    import shutil

    shutil.rmtree(folder, ignore_errors=True)


def ran(command: Sequence[str], limit: float, log: Path) -> None:
    """Run it, its words to a log; NotDoneError at the limit, RuntimeError with its last line where it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    with log.open("w") as file:
        environment = {**os.environ, "PYTHONPATH": path}
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
        try:
            code = process.wait(limit)
        except subprocess.TimeoutExpired:
            process.terminate()  # a training saves itself
            try:
                process.wait(STOPS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            raise NotDoneError(f"stopped after {limit:.0f} s") from None
    if code:
        lines = log.read_text("utf-8", "replace").strip().splitlines() or ["nothing was said"]
        raise RuntimeError(f"exit code {code}: {lines[-1][:300]}")


def worker(what: str, plan: Plan, limit: float, *words: str) -> Figures:
    """Figures that need torch, from a process of its own: what holds the GPU goes when it ends."""
    log = plan.out / "logs" / f"{what}.log"
    ran([sys.executable, __file__, "--worker", what, "--device", plan.device, "--data", plan.data, *words], limit, log)
    return json.loads(log.read_text("utf-8").strip().splitlines()[-1])  # type: ignore[no-any-return]


def machine(device: str) -> Figures:
    """The machine, and the most FLOP a second of a product of matrices, by dtype."""
    import torch

    from ganvas.training import backend

    engine = backend.resolve(EngineConfig(device))
    place = torch.device(engine.device)
    side = 8192 if place.type == "cuda" else 512
    peaks = {}
    for name in ("float32", "bfloat16"):
        a = torch.ones(side, side, dtype=getattr(torch, name), device=place)
        best = 0.0
        for _ in range(5):
            start = time.perf_counter()
            a @ a
            if place.type == "cuda":
                torch.cuda.synchronize()
            best = max(best, 2 * side**3 / (time.perf_counter() - start))
        peaks[name] = best
    return {**backend.machine(place), "device": engine.device, "peaks": peaks, "side": side}


def flop(words: Sequence[str], data: str) -> Figures:
    """FLOP of a training for each real image."""
    from ganvas.cli.train import configured
    from ganvas.cost import cost_of, subject_of

    return {"per_image": float(cost_of(*subject_of(configured([*words, "--data", data]))).per_image)}


# -- what is kept ----------------------------------------------------------------------------------------------


def kept(plan: Plan, name: str) -> Figures:
    """The figures of a part that is done; empty otherwise."""
    path = plan.out / "parts" / f"{name.replace('/', '-')}.json"
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}


def keep(plan: Plan, name: str, figures: Figures) -> None:
    """Written aside and renamed: a part is done or it is not."""
    path = plan.out / "parts" / f"{name.replace('/', '-')}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".new")
    aside.write_text(json.dumps(figures, indent=1), "utf-8")
    aside.replace(path)


def run_all(plan: Plan, todo: Sequence[Part], seconds: float) -> dict[str, str]:
    """Every part that is not done, while there is time: the name of each part that is owed -> why."""
    end, owed = time.monotonic() + seconds, {}
    for part in todo:
        if kept(plan, part.name):
            continue
        left = end - time.monotonic()
        if left <= 0:
            owed[part.name] = "the time was out"
            continue
        print(part.name, flush=True)
        try:
            keep(plan, part.name, part.run(plan, min(part.limit, left)) | {"done": True})
        except Exception as error:  # whatever it is, the others can still be had
            owed[part.name] = f"{error or type(error).__name__}"
            print(f"  {owed[part.name]}", flush=True)
    return owed


def record(plan: Plan, todo: Sequence[Part], owed: dict[str, str]) -> tuple[str, Figures]:
    """The record as Markdown and as values."""
    figures = {part.name: found for part in todo if (found := kept(plan, part.name))}
    about = figures.get("machine", {})
    day = datetime.date.today().isoformat()
    lines = [f"# {day}: {about.get('accelerator') or about.get('cpu', 'unknown machine')}", ""]
    small = ", miniature" if plan.small else ""
    what = f"data {Path(plan.data).name}, device {plan.device}, torch {about.get('torch', '-')}{small}"
    lines += [f"`benchmarks/gpu.py`, {what}."]
    for name, peak in about.get("peaks", {}).items():
        lines.append(
            f"Measured peak of a {about['side']}-sided product of matrices, {name}: {peak / 1e12:.3g} TFLOP/s."
        )
    good = [name.split("/")[1] for name in figures if name.startswith("smoke/")]
    if good:
        lines += ["", f"Three updates: {len(good)} of {len(RECIPES)} recipes ({', '.join(good)})."]
    speeds = {name: row for name, row in figures.items() if name.startswith("speed/")}
    if speeds:
        head = ("recipe", "switch", "img/s", "GFLOP an image", "TFLOP/s", "share of the peak", "dtype")
        lines += ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for name, row in speeds.items():
        _, recipe, switch = name.split("/")
        share = "-" if row["share_of_peak"] is None else f"{100 * row['share_of_peak']:.1f} %"
        lines.append(f"| `{recipe}` | {switch} | {row['img_s']:,.0f} | {row['gflop_per_image']:.3g} | "
                     f"{row['tflops']:.3g} | {share} | {row['dtype']} |")  # fmt: skip
    if (row := figures.get("recap")) is not None:
        beside = f"; the notebook reports {row['notebook_sec']:,} s" if row["notebook_sec"] else ""
        lines += ["", f"`cifar-dcgan-recap`, {row['images']:,} images: {row['sec']:,.1f} s{beside}."]
    for name, row in figures.items():
        if name.startswith("speedrun/"):
            lines += ["", f"{name}: {json.dumps(row['last'])}"]
    if owed:
        lines += ["", "Owed:", "", *(f"- {name}: {why}" for name, why in owed.items())]
    return "\n".join([*lines, ""]), {"date": day, "figures": figures, "owed": owed}


def main(argv: Sequence[str] | None = None) -> None:
    """Run what is not done yet, then write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0, help="for everything")
    parser.add_argument("--data", default="shapes")
    parser.add_argument("--cache", type=Path, help="folder of fetched sets (default: that of ganvas)")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--small", action="store_true", help="miniature: narrow networks, seconds of training")
    parser.add_argument("--only", default="", help="only parts whose name begins so")
    parser.add_argument("--out", type=Path, default=Path("gpu-bench"), help="runs, parts and logs")
    parser.add_argument("--records", type=Path, help="where the record goes (default: --out)")
    parser.add_argument("--worker", choices=("machine", "flop"), help=argparse.SUPPRESS)
    args, words = parser.parse_known_args(argv)
    if args.worker:
        print(json.dumps(machine(args.device) if args.worker == "machine" else flop(words, args.data)))
        return
    if args.cache:
        os.environ["GANVAS_DATA"] = str(args.cache.absolute())
    plan = Plan(args.data, args.device, args.small, args.out.absolute(), tuple(words))
    todo = [part for part in parts(plan) if part.name.startswith(args.only) or part.name == "machine"]
    owed = run_all(plan, todo, 60 * args.minutes)
    text, values = record(plan, todo, owed)
    folder = args.records or args.out
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{values['date']}-gpu.md").write_text(text, "utf-8")
    (folder / f"{values['date']}-gpu.json").write_text(json.dumps(values, indent=1) + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
