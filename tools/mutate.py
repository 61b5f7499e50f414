"""Mutants of the modules that decide a result, each run against the tests of its module: which does no test see?

    python tools/mutate.py --out mutants.jsonl [--modules training/step.py ...] [--n 12] [--seed 0] [--timeout 180]
    python tools/mutate.py --out mutants.jsonl --report
    python tools/mutate.py --out mutants.jsonl --survivors      # run those again, with the tests of today

The operators are those of cosmic-ray 8 (MIT licence; `pip install cosmic-ray` into an environment of its own that also
sees ganvas' packages). Mutants that differ in annotations alone are passed over. A seeded sample of `--n` mutants of
each module is run (0: all). The driver imports torch once and forks for each mutant, which saves most of the time that
cosmic-ray's own runner takes. Results are appended to the file: the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
STEP = ["training/test_step.py", "training/test_feature_pairs.py", "training/test_penalties.py"]
TESTS = {
    "training/step.py": STEP,
    "training/objective.py": [*STEP, "training/test_trainer.py"],
    "training/losses.py": ["training/test_losses.py", "training/test_feature_pairs.py", "training/test_step.py"],
    "training/penalties.py": ["training/test_penalties.py", "training/test_feature_pairs.py"],
    "training/optim.py": ["training/test_optim.py", "training/test_muon.py"],
    "training/trainer.py": ["training/test_trainer.py", "training/test_feature_pairs.py"],
    "stats/intervals.py": ["stats/test_intervals.py"],
    "stats/trend.py": ["stats/test_trend.py"],
    "stats/welch.py": ["stats/test_welch.py", "comparison/test_comparison.py"],
    "comparison/verdicts.py": ["comparison/test_comparison.py", "stats/test_welch.py"],
    "runs/run.py": ["runs/test_run.py", "runs/test_listing.py", "runs/test_old_runs.py"],
}
"""Module -> its tests, in the order that they are run."""

PATIENCE = 5.0  # a mutant may take this many times as long as the tests of the whole module take without one


class Mutant(NamedTuple):
    """A changed module: operator and occurrence name it, as in cosmic-ray."""

    module: str
    operator: str
    occurrence: int
    code: str


def mutants(module: str, source: str) -> list[Mutant]:
    """Every mutant of a module that is another program."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.operators.provider import OperatorProvider

    provider, seen, found = OperatorProvider(), {_meaning(source)}, []
    for name in provider:
        operator = provider[name]
        if operator.arguments():
            continue
        for occurrence in range(10_000):
            code = mutate_code(source, operator(), occurrence)
            if code is None:
                break
            with contextlib.suppress(SyntaxError):
                if (meaning := _meaning(code)) not in seen:
                    seen.add(meaning)
                    found.append(Mutant(module, name, occurrence, code))
    return found


class _Bare(ast.NodeTransformer):
    """A program without its annotations."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def _meaning(source: str) -> str:
    return ast.dump(_Bare().visit(ast.parse(source)))


def change(old: str, new: str) -> str:
    """The lines that differ, with the number of the first."""
    before, after = old.splitlines(), new.splitlines()
    for tag, a, b, c, d in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            left, right = (" ".join(line.strip() for line in part) for part in (before[a:b], after[c:d]))
            return f"{a + 1}: {left} -> {right}"
    return ""


@contextlib.contextmanager
def copied() -> Iterator[Path]:
    """A copy of sources and tests; weights are linked."""
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        base = Path(name)
        (base / "src").mkdir()
        skip = shutil.ignore_patterns("weights", "__pycache__")
        shutil.copytree(ROOT / "src" / "ganvas", base / "src" / "ganvas", ignore=skip)
        (base / "src" / "ganvas" / "weights").symlink_to(ROOT / "src" / "ganvas" / "weights")
        shutil.copytree(ROOT / "tests", base / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", base)
        yield base


def run_tests(base: Path, files: list[str], timeout: float) -> tuple[str, str]:
    """(survived | killed | timeout, first failed test) of a forked process that runs the tests."""
    note = base / "failed.txt"
    note.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os.setsid()
        os._exit(_in_child(base, files, note))
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            failed = note.read_text().splitlines() if note.exists() else []
            return ("survived", "") if status == 0 else ("killed", failed[0] if failed else "not importable")
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout", ""


def _in_child(base: Path, files: list[str], note: Path) -> int:
    import pytest

    class FirstFailure:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed and not note.exists():
                note.write_text(report.nodeid)

    os.chdir(base)
    sink = os.open(base / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(sink, 1)
    os.dup2(sink, 2)
    sys.path[:0] = [str(base / "src"), str(base / "tests")]
    os.environ["PYTHONPATH"] = str(base / "src")
    return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", *(f"tests/{f}" for f in files)], [FirstFailure()]))


def measure(out: Path, modules: list[str], n: int, seed: int, timeout: float, again: bool) -> None:
    """Run the mutants that the file does not hold yet (`again`: its survivors, once more)."""
    import numpy  # noqa: F401
    import pytest  # noqa: F401
    import torch

    torch.set_num_threads(1)
    done = results(out)
    with copied() as base:
        for module in modules:
            path = base / "src" / "ganvas" / module
            source = path.read_text()
            every = mutants(module, source)
            rng = random.Random(f"{seed} {module}")
            chosen = rng.sample(every, min(n, len(every))) if n else every
            keys = {(row["module"], row["change"]): row["outcome"] for row in done}
            chosen = [m for m in every if keys.get((module, change(source, m.code))) == "survived"] if again else chosen
            chosen = [m for m in chosen if again or (module, change(source, m.code)) not in keys]
            if not chosen:
                continue
            start = time.monotonic()
            outcome, failed = run_tests(base, TESTS[module], 1800)
            whole = time.monotonic() - start
            if outcome != "survived":
                raise SystemExit(f"{module}: its tests fail without a mutant ({failed or outcome})")
            print(f"{module}: {len(every)} mutants, {len(chosen)} to run, {whole:.0f} s for its tests", flush=True)
            for mutant in chosen:
                for cached in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
                    cached.unlink()
                path.write_text(mutant.code)
                start = time.monotonic()
                outcome, failed = run_tests(base, TESTS[module], max(timeout, PATIENCE * whole))
                row = {"module": module, "all": len(every), "operator": mutant.operator,
                       "occurrence": mutant.occurrence, "change": change(source, mutant.code), "outcome": outcome,
                       "by": failed, "sec": round(time.monotonic() - start, 1)}  # fmt: skip
                with out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"  {outcome:9} {row['change'][:150]}", flush=True)
            for cached in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
                cached.unlink()
            path.write_text(source)


def results(out: Path) -> list[dict[str, Any]]:
    """The last result of each mutant."""
    rows = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    return list({(row["module"], row["change"]): row for row in rows}.values())


def report(out: Path) -> None:
    """Killed and survived per module, then each survivor."""
    rows = results(out)
    print("| module | mutants | run | killed | survived |\n|---|---|---|---|---|")
    for module in dict.fromkeys(row["module"] for row in rows):
        part = [row for row in rows if row["module"] == module]
        counts = Counter(row["outcome"] for row in part)
        killed = counts["killed"] + counts["timeout"]
        print(f"| {module} | {part[0]['all']} | {len(part)} | {killed} | {counts['survived']} |")
    for row in rows:
        if row["outcome"] == "survived":
            print(f"- {row['module']}:{row['change']}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Mutation testing, a seeded sample per module.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--modules", nargs="+", default=list(TESTS), choices=list(TESTS))
    parser.add_argument("--n", type=int, default=12, help="mutants of each module; 0: all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--survivors", action="store_true")
    args = parser.parse_args()
    if args.report:
        report(args.out)
    else:
        measure(args.out, args.modules, args.n, args.seed, args.timeout, args.survivors)


if __name__ == "__main__":
    main()
