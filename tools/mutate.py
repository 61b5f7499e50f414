"""Mutants of the modules that decide a result, each run against the tests of its module: which does no test see?

    python tools/mutate.py --out mutants.jsonl [--modules training/step.py ...] [--n 12] [--seed 0] [--hard]
    python tools/mutate.py --out mutants.jsonl --report
    python tools/mutate.py --out mutants.jsonl --survivors      # run those again, with the tests of today

The operators are those of cosmic-ray 8 (MIT licence; `pip install cosmic-ray` into an environment of its own that also
sees ganvas' packages). Mutants that differ in annotations alone are passed over. A seeded sample of `--n` mutants of
each module is run (0: all); `--hard` leaves out those that put a bitwise operator in the place of an arithmetic one,
which floats and tensors refuse at once. Results are appended to the file: the same command goes on where it stopped.

The driver runs a module's tests once without a mutant and forks from there: a child imports the changed module alone
and puts it in the place of the old one everywhere. Limits are in CPU seconds, so that a busy machine kills no mutant.
Values that other modules derived from the old one at import stay, which can let a mutant survive, never kill it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import importlib
import json
import os
import random
import resource
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
    "stats/welch.py": ["stats/test_welch.py"],
    "stats/power.py": ["stats/test_power.py"],
    "comparison/verdicts.py": ["comparison/test_verdicts.py"],
    "runs/run.py": ["runs/test_run.py", "runs/test_listing.py", "runs/test_old_runs.py"],
    "runs/cleanup.py": ["runs/test_cleanup.py"],
}
"""Module -> its tests, in the order that they are run."""

PATIENCE = 3.0  # a mutant may take this many times the CPU time of the module's tests without one
BARE = ("stats/", "comparison/verdicts.py", "runs/cleanup.py")  # tested without conftest.py, and so without torch
BITWISE = ("BitOr", "BitAnd", "BitXor", "LShift", "RShift")


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


def run_tests(module: str) -> tuple[int, str]:
    """pytest's exit code and the first failed test of this process."""
    import pytest

    failed: list[str] = []

    class FirstFailure:
        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed and not failed:
                failed.append(report.nodeid)

    words = ["-q", "-x", "-p", "no:cacheprovider", *(f"tests/{name}" for name in TESTS[module])]
    words += ["--noconftest"] if module.startswith(BARE) else []
    return int(pytest.main(words, [FirstFailure()])), failed[0] if failed else ""


def run_mutant(module: str, seconds: float, wall: float) -> tuple[str, str]:
    """(survived | killed | timeout, first failed test) in a fork of this process, which has run the tests before."""
    note = Path("failed.txt")
    note.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os.setsid()
        limit = int(seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        sys.dont_write_bytecode = True
        code = 1
        try:
            swap(module)
            code, failed = run_tests(module)
            note.write_text(failed)
        finally:
            os._exit(code)
    end = time.monotonic() + wall
    while time.monotonic() < end:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid and os.WIFSIGNALED(status):
            return "timeout", ""
        if pid:
            return ("survived", "") if status == 0 else ("killed", note.read_text() if note.exists() else "no import")
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "timeout", ""


def swap(module: str) -> None:
    """Import a module again and give every module that took something from it the new thing."""
    name = "ganvas." + module.removesuffix(".py").replace("/", ".")
    old = sys.modules.pop(name)
    new = importlib.import_module(name)
    ours = [each for each in sys.modules.values() if str(getattr(each, "__file__", "")).startswith(f"{Path.cwd()}/")]
    for other in ours:
        if other is not new:
            for key, value in list(vars(other).items()):
                if value is old:
                    setattr(other, key, new)
                elif not key.startswith("__") and getattr(old, key, swap) is value:
                    setattr(other, key, getattr(new, key, None))
                elif hasattr(value, "cache_clear"):
                    value.cache_clear()


def measure(out: Path, modules: list[str], n: int, seed: int, wall: float, again: bool, hard: bool) -> None:
    """Run the mutants that the file does not hold yet (`again`: its survivors, once more)."""
    with copied() as base:
        os.chdir(base)
        sys.path[:0] = [str(base / "src"), str(base / "tests")]
        os.environ["PYTHONPATH"] = str(base / "src")
        for module in modules:
            path = base / "src" / "ganvas" / module
            source = path.read_text()
            every = mutants(module, source)
            rng = random.Random(f"{seed} {module}")
            pool = [m for m in every if not (hard and m.operator.endswith(BITWISE))]
            chosen = rng.sample(pool, min(n, len(pool))) if n else pool
            keys = {(row["module"], row["change"]): row["outcome"] for row in results(out)}
            chosen = [m for m in every if keys.get((module, change(source, m.code))) == "survived"] if again else chosen
            chosen = [m for m in chosen if again or (module, change(source, m.code)) not in keys]
            if not chosen:
                continue
            start = time.process_time()
            with silence():
                code, failed = run_tests(module)
            whole = time.process_time() - start
            if code:
                raise SystemExit(f"{module}: its tests fail without a mutant ({failed or code})")
            with silence():
                outcome, failed = run_mutant(module, PATIENCE * whole, wall)
            if outcome != "survived":
                raise SystemExit(f"{module}: its tests fail where it is only imported again ({failed or outcome})")
            print(f"{module}: {len(every)} mutants, {len(pool)} eligible, {len(chosen)} to run, "
                  f"{whole:.1f} CPU s for its tests", flush=True)  # fmt: skip
            for mutant in chosen:
                for cached in (path.parent / "__pycache__").glob(f"{path.stem}.*"):
                    cached.unlink()
                path.write_text(mutant.code)
                start = time.monotonic()
                with silence():
                    outcome, failed = run_mutant(module, PATIENCE * whole, wall)
                row = {"module": module, "all": len(every), "hard": len(pool) if hard else None,
                       "operator": mutant.operator, "occurrence": mutant.occurrence,
                       "change": change(source, mutant.code), "outcome": outcome, "by": failed,
                       "sec": round(time.monotonic() - start, 1)}  # fmt: skip
                with out.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(f"  {outcome:9} {row['change'][:150]}", flush=True)
            path.write_text(source)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Standard output and error of this process and its children, to a file."""
    kept = [os.dup(each) for each in (1, 2)]
    sys.stdout.flush()
    sink = os.open("output.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for each in (1, 2):
        os.dup2(sink, each)
    try:
        yield
    finally:
        sys.stdout.flush()
        for each, was in zip((1, 2), kept, strict=True):
            os.dup2(was, each)
            os.close(was)
        os.close(sink)


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
    parser.add_argument("--hard", action="store_true", help="without bitwise operators")
    parser.add_argument("--timeout", type=float, default=600, help="seconds that one may take, asleep or not")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--survivors", action="store_true")
    args = parser.parse_args()
    if args.report:
        report(args.out)
    else:
        measure(args.out.resolve(), args.modules, args.n, args.seed, args.timeout, args.survivors, args.hard)


if __name__ == "__main__":
    main()
