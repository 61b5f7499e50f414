"""How often is a verdict wrong if nothing changed, how large must a change be, and do the intervals hold?

python benchmarks/verdicts.py [compare.csv ...] [--trials 5000] [--out docs/power.png]
python benchmarks/verdicts.py --same FOLDER_OF_RUNS [--metric kd]

Each trial draws one score for each seed, group and metric, and applies the rule of `ganvas compare`. The spread between
seeds is that of the runs in the given tables (written by `ganvas compare --out`). The means are equal in the first part
and different in the second. Without tables the spread is 1.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from ganvas.comparison.scores import EvaluationProtocol, MetricScores
from ganvas.comparison.verdicts import run_tests
from ganvas.stats.intervals import binomial_interval
from ganvas.stats.power import POWER, detectable

PROTOCOL = EvaluationProtocol("simulated", "", "", "", "", 0, 0, 1)
SHAPES = {
    "normal": lambda rng, size: rng.normal(size=size),
    "uniform": lambda rng, size: rng.uniform(-1, 1, size) * 3**0.5,
    "skewed": lambda rng, size: rng.exponential(size=size) - 1,
    "heavy tails": lambda rng, size: rng.standard_t(4, size) / 2**0.5,
}


def spreads(tables: list[Path]) -> list[dict[str, float]]:
    """For each group with three or more seeds: metric -> standard deviation between seeds."""
    found = []
    for table in tables:
        values: dict[tuple[str, str], list[float]] = defaultdict(list)
        with open(table, newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["metric"].startswith(("fd_", "coverage", "gan_test")):
                    values[row["group"], row["metric"]].append(float(row["value"]))
        for group in dict.fromkeys(group for group, _ in values):
            own = {m: float(np.std(v, ddof=1)) for (g, m), v in values.items() if g == group and len(v) >= 3}
            found += [own] if own else []
    return found


def trial(rng: np.random.Generator, groups: list[np.ndarray], seeds: int, shift: float, shape: str) -> list[str]:
    """The outcomes of one comparison. `groups`: each group's spread by metric; the first group is the reference."""
    scores = []
    for metric in range(len(groups[0])):
        drawn = [SHAPES[shape](rng, seeds) * spread[metric] for spread in groups]
        values = (drawn[0], *(d + shift * groups[0][metric] for d in drawn[1:]))
        rows = tuple(tuple(float(x) for x in group) for group in values)
        scores.append(MetricScores(f"fd_{metric}", "lower", None, PROTOCOL, rows))
    return [d.outcome for d in run_tests(scores, len(groups), [each.metric for each in scores])]


def rate(
    trials: int, groups: list[np.ndarray], seeds: int = 3, shift: float = 0.0, shape: str = "normal", seed: int = 0
) -> dict[str, float]:
    """How often there is any verdict, with its Clopper-Pearson interval."""
    rng = np.random.default_rng(seed)
    hits = sum(bool({"better", "worse"} & set(trial(rng, groups, seeds, shift, shape))) for _ in range(trials))
    share = binomial_interval(hits, trials)
    return {"share": share.value, "low": share.low, "high": share.high, "trials": trials}


def hold(trials: int, shifts: list[float], seeds: int, seed: int = 0) -> dict[str, float]:
    """How often the intervals of one comparison all hold their true differences, one test for each of `shifts`."""
    rng, hits = np.random.default_rng(seed), 0
    for _ in range(trials):
        scores = []
        for i, shift in enumerate(shifts):
            a, b = rng.normal(size=(2, seeds)).tolist()
            rows = tuple(a), tuple(x + shift for x in b)
            scores.append(MetricScores(f"fd_{i}", "lower", None, PROTOCOL, rows))
        found = [d.difference for d in run_tests(scores, 2, [each.metric for each in scores])]
        hits += all(d.low <= shift <= d.high for d, shift in zip(found, shifts, strict=True) if d is not None)
    share = binomial_interval(hits, trials)
    return {"share": share.value, "low": share.low, "high": share.high, "trials": trials}


def false_verdicts(folder: Path, metric: str, splits: int) -> float:
    """The rule on real trainings that differ only in their seed: disjoint groups of three, then random ones.

    Prints the verdict of `ganvas compare` for each pair of disjoint groups; returns how often two groups drawn at
    random from all runs get a verdict. Random groups share runs, so this share has no interval.
    """
    import ganvas

    runs = sorted(path.parent for path in folder.glob("*/evals.jsonl"))
    values = []
    for first in range(0, len(runs) - 5, 6):
        groups = {"a": runs[first : first + 3], "b": runs[first + 3 : first + 6]}
        found = ganvas.compare(groups, metrics=[metric], make=False, progress=False)
        (scores,) = [each for each in found.scores if each.metric == found.verdicts[0].metric]
        values += [value for group in scores.values for value in group if value is not None]
        verdict = found.verdicts[0]
        print(f"runs {first} to {first + 2}, {first + 3} to {first + 5}: p {verdict.p:.3f}, {verdict.outcome}")
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(splits):
        a, b = rng.permutation(values)[:6].reshape(2, 3)
        rows = tuple(float(x) for x in a), tuple(float(x) for x in b)
        outcomes = [d.outcome for d in run_tests([MetricScores("fd_0", "lower", None, PROTOCOL, rows)], 2, ["fd_0"])]
        hits += outcomes[0] in ("better", "worse")
    print(
        f"{len(values)} runs, {scores.metric}: mean {np.mean(values):.4g}, between seeds {np.std(values, ddof=1):.2g}"
    )
    return hits / splits


def power(shift: float, seeds: int, tests: int, trials: int = 20_000) -> float:
    """How often a difference of `shift` spreads in one of `tests` metrics is detected, by scipy's Welch test and Holm.

    The other metrics have no difference.
    """
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(seeds)
    a, b = rng.normal(size=(2, seeds, trials, tests))
    b[:, :, 0] += shift
    p = np.asarray(ttest_ind(a, b, equal_var=False).pvalue)
    order = np.sort(p, axis=1)
    holds = np.cumprod(order < 0.05 / np.arange(tests, 0, -1), axis=1).sum(1)  # number of significant p values
    return float(((p[:, :1] >= order).sum(1) <= holds).mean())


def draw_power(path: Path) -> None:
    """Plot power against the true difference (in spreads between seeds) for several designs."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), dpi=150)
    shifts = np.linspace(0, 8, 33)
    for seeds, colour in ((3, "#b45f06"), (5, "#2f48c8"), (10, "#2e7d4f")):
        for tests, style in ((1, "-"), (5, "--")):
            curve = [power(float(shift), seeds, tests) for shift in shifts]
            axes.plot(
                shifts, curve, style, color=colour, label=f"{seeds} seeds per group, {tests} test{'s'[: tests > 1]}"
            )
    axes.axhline(POWER, color="#8b8f9b", lw=0.8)
    axes.set(xlabel="true difference / standard deviation between seeds", ylabel="share of experiments that detect it",
             ylim=(0, 1.02), xlim=(0, 8))  # fmt: skip
    axes.legend(frameon=False, fontsize=8)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tables", nargs="*", type=Path)
    parser.add_argument("--trials", type=int, default=5000)
    parser.add_argument("--out", type=Path, help="file for a plot of the power curves")
    parser.add_argument("--same", type=Path, metavar="DIR", help="instead: real runs that differ only in their seed")
    parser.add_argument("--metric", default="kd", help="with --same (kd)")
    args = parser.parse_args()
    if args.same:
        print(f"random groups of three: {false_verdicts(args.same, args.metric, args.trials):.4f} wrong")
        return
    recorded = spreads(args.tables)
    rows: list[dict[str, object]] = []

    def report(what: str, found: dict[str, float]) -> None:
        rows.append({"what": what, **found})
        print(f"{what:70} {found['share']:.4f} ({found['low']:.4f} to {found['high']:.4f})", flush=True)

    one = np.ones(1)
    for shape in SHAPES:
        report(f"no difference, 1 test, equal spreads, {shape}", rate(args.trials, [one, one], shape=shape))
    for ratio in (3, 10):
        report(f"no difference, 1 test, one spread {ratio} times the other", rate(args.trials, [one, ratio * one]))
    report("no difference, 5 metrics x 1 group", rate(args.trials, [np.ones(5)] * 2))
    report("no difference, 5 metrics x 7 groups", rate(args.trials // 5, [np.ones(5)] * 8))
    for a in range(len(recorded)):
        for b in range(a + 1, len(recorded)):
            metrics = sorted(recorded[a].keys() & recorded[b].keys())
            groups = [np.array([recorded[i][m] for m in metrics]) for i in (a, b)]
            if metrics:
                report(f"no difference, recorded spreads {a}, {b}, {len(metrics)} metrics", rate(args.trials, groups))
    for seeds in (3, 5, 20):
        for what, shifts in (
            ("no difference", [0.0] * 5),
            ("differences of 0 to 4 spreads", [0.0, 1.0, 2.0, 3.0, 4.0]),
        ):
            report(f"all 5 intervals hold, {what}, {seeds} seeds", hold(args.trials, shifts, seeds))
    for seeds in (3, 5):
        for shift in (2.0, 4.0):
            found = rate(args.trials, [one, one], seeds=seeds, shift=shift)
            report(f"difference of {shift:g} spreads, {seeds} seeds (scipy: {power(shift, seeds, 1):.4f})", found)
    for seeds in (3, 5, 10):
        for tests in (1, 5):
            least = detectable((1, 1), (seeds, seeds), 0.05 / tests)
            found = power(least, seeds, tests, 100_000)
            print(
                f"{seeds} seeds per group, {tests} tests: power {POWER:.0%} at {least:.2f} spreads (scipy: {found:.4f})"
            )
    print(json.dumps({"recorded": recorded, "rows": rows}))
    if args.out:
        draw_power(args.out)


if __name__ == "__main__":
    main()
