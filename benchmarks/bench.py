"""`make bench`: the training step against Keras and against this machine, start-up, report, overhead, memory.

Competitors take turns in one run, since the machine is noisy; what is quoted are ratios of medians.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
KERAS_VENV = HERE.parent / "build" / "keras-venv"
KERAS = ("tensorflow-cpu==2.21.0",)


class Peer:
    """A benchmark process that answers a line with a line."""

    def __init__(self, command: list[str]) -> None:
        self.log = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the process)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True
        )
        self.about = self.answer()

    def ask(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            sys.exit(f"{self.process.args} stopped: {self.log.read().decode(errors='replace')[-2000:]}")
        return json.loads(line)  # type: ignore[no-any-return]

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(30)


def keras_python() -> Path:
    """Keras' own interpreter, made on first use."""
    python = KERAS_VENV / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", KERAS_VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *KERAS], check=True)
    return python


def step_gflop() -> float:
    """GFLOP per image of a simultaneous recap step, multiplications counted as direct convolutions do them.

    G: forward, input and weight gradients (3 forwards, no input gradient for the first layer). D: real 3 minus the
    first layer's input gradient, fake 3, and the input gradient of G's loss 1.
    """
    g = [100 * 4096, 16 * 25 * 256 * 256, 64 * 25 * 256 * 128, 256 * 25 * 128 * 3]
    d = [256 * 25 * 3 * 64, 64 * 25 * 64 * 128, 8192]
    macs = 3 * sum(g) - g[0] + (3 * sum(d) - d[0]) + (3 * sum(d) - d[0]) + sum(d)
    return 2 * macs / 1e9


def throughput(rounds: int, steps: int, with_keras: bool, bf16: bool) -> dict[str, Any]:
    """img/s of each competitor, taking turns, with the convolution peak measured in the same turns."""
    ours = [sys.executable, str(HERE / "step.py")]
    peers = {"ours": Peer(ours), "ours float32 direct": Peer([*ours, "--dtype", "float32", "--conv", "direct"])}
    if with_keras:
        keras = [str(keras_python()), str(HERE / "keras_step.py")]
        peers["keras float32"] = Peer([*keras, "--dtype", "float32"])
        if bf16:
            peers["keras mixed_bfloat16"] = Peer([*keras, "--dtype", "mixed_bfloat16"])
    rates: dict[str, list[float]] = {name: [] for name in peers}
    peaks: dict[str, list[float]] = {"float32": [], "bfloat16": []}
    for _ in range(rounds):
        for name, peer in peers.items():
            result = peer.ask(f"run {steps if 'bfloat16' not in name else max(1, steps // 2)}")
            rates[name].append(result["images"] / result["seconds"])
        for dtype, values in peaks.items():
            values.append(peers["ours"].ask(f"conv {dtype}")["gflops"])
    about = {name: peer.about for name, peer in peers.items()}
    for peer in peers.values():
        peer.close()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    peak = {name: statistics.median(values) for name, values in peaks.items()}
    return {
        "rounds": rounds,
        "img_s": {
            name: {"median": round(medians[name], 1), "all": [round(v, 1) for v in values]}
            for name, values in rates.items()
        },
        "ratio_of_medians": {
            f"ours / {name}": round(medians["ours"] / v, 3) for name, v in medians.items() if name != "ours"
        },
        "conv_peak_gflops": {name: round(v, 1) for name, v in peak.items()},
        "ours_gflops_direct_equivalent": round(medians["ours"] * step_gflop(), 1),
        "share_of_better_peak": round(medians["ours"] * step_gflop() / max(peak.values()), 3),
        "about": about,
    }


def startup(repeats: int = 7) -> float:
    """Median seconds of `ganvas --help`."""
    return statistics.median(timed([sys.executable, "-m", "ganvas", "--help"]) for _ in range(repeats))


def timed(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


OVERHEAD = """
import json, resource, sys, time
from ganvas import api
from ganvas.runs.run import Run
from ganvas.training import loop, trainer
spent = {}
def watch(owner, name):
    inner = getattr(owner, name)
    def timed(*args, **kwargs):
        start = time.perf_counter()
        try:
            return inner(*args, **kwargs)
        finally:
            spent[name] = spent.get(name, 0) + time.perf_counter() - start
    setattr(owner, name, timed)
for name in ("_row", "write_samples", "save_checkpoint", "_stop_if_not_finite"):
    watch(loop, name)
watch(trainer, "train_metrics")
watch(Run, "append")
run = api.train("cifar-dcgan-recap", data="cifar10", minutes=float(sys.argv[1]), out=sys.argv[2])
row = run.rows("metrics")[-1]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(json.dumps({
    "training_seconds": row["sec"],
    "nimg": row["nimg"],
    "spent_seconds": {k: round(v, 2) for k, v in spent.items()},
    "share": round(sum(spent.values()) / row["sec"], 4),
    "peak_rss_gb": round(peak, 3),
}))
"""


def overhead(minutes: float, folder: str) -> dict[str, Any]:
    """Share of logging, sampling and checkpoints in a real training, its peak memory, and the time of its report."""
    out = subprocess.run(
        [sys.executable, "-c", OVERHEAD, str(minutes), folder], check=True, capture_output=True, text=True
    )
    result: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    result["report_seconds"] = round(
        statistics.median(timed([sys.executable, "-m", "ganvas", "report", folder]) for _ in range(3)), 2
    )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=4, help="of 256 images, per turn")
    parser.add_argument("--minutes", type=float, default=5.0, help="of the training whose overhead is measured")
    parser.add_argument("--no-keras", action="store_true")
    parser.add_argument(
        "--bf16", action="store_true", help="Keras mixed_bfloat16 too, although this CPU has no bf16 (slow)"
    )
    parser.add_argument("--out", type=Path, help="write the result as JSON")
    args = parser.parse_args()
    has_bf16 = Path("/proc/cpuinfo").exists() and "avx512_bf16" in Path("/proc/cpuinfo").read_text()
    result: dict[str, Any] = {
        "machine": {
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "load_before": os.getloadavg()[0],
            "bf16": has_bf16,
        },
        "help_seconds": round(startup(), 3),
        "step_gflop_per_image": round(step_gflop(), 3),
        "throughput": throughput(args.rounds, args.steps, not args.no_keras, has_bf16 or args.bf16),
    }
    if args.minutes:
        with tempfile.TemporaryDirectory() as folder:
            result["training"] = overhead(args.minutes, f"{folder}/run")
    text = json.dumps(result, indent=1)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
