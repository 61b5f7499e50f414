"""`ganvas.experiment(...)`: an experiment from Python, and how it ended."""

from __future__ import annotations

import html
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas import experiments, i18n
from ganvas.errors import UsageError, shown
from ganvas.experiments.named import find_plan
from ganvas.experiments.plan import builtin, make_plan, read_toml
from ganvas.notebook.compare import ComparisonView, view
from ganvas.notebook.run import Run
from ganvas.notebook.views import Table


class Experiment:
    """How an experiment ended: `runs`, `comparison` (None with fewer than two finished cells), `page`."""

    def __init__(self, result: experiments.Result, folder: Path, lang: str) -> None:
        self.result, self.folder, self.page = result, folder, result.page
        self.comparison: ComparisonView | None = None if result.comparison is None else view(result.comparison, lang)

    @property
    def finished(self) -> bool:
        """Whether every training is done or has failed; if not, the same call goes on."""
        return self.result.finished

    @property
    def runs(self) -> list[Run]:
        """The finished runs."""
        return [Run(trial.path) for trial in self.result.trials if trial.state == "done"]

    def line(self) -> str:
        """How far it is, in one line."""
        trials = self.result.trials
        failed = [f"{t.name} failed: {t.failure_reason} (log: {t.log})" for t in trials if t.state == "failed"]
        state = "" if self.finished else ", interrupted and saved: the same call goes on"
        return "; ".join([f"{self.folder}: {len(self.runs)} of {len(trials)} runs are done{state}", *failed])

    def __repr__(self) -> str:
        return "\n".join([self.line(), *([repr(self.comparison)] if self.comparison is not None else [])])

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(self.line())}</p>" + (self.comparison._repr_html_() if self.comparison else "")


def list_experiments() -> Table:
    """The experiments that ship."""
    rows = [{"experiment": name, "title": str(read_toml(path)["title"])} for name, path in builtin().items()]
    rows.append({"experiment": "ablate RECIPE", "title": "a recipe, without one part at a time"})
    return Table(rows, "\n".join(f"{row['experiment']:16} {row['title']}" for row in rows), ("experiment", "title"))


def run_experiment(
    name: str,
    recipe: str | None,
    vary: Mapping[str, Sequence[Any]] | None,
    tricks: list[str],
    changes: Mapping[str, Any],
    out: str | os.PathLike[str] | None,
    jobs: int | None,
    retry: bool,
    lang: str,
    on: str | None = None,
    threads: int | None = None,
    fetch_seconds: float | None = None,
) -> Experiment:
    """See `ganvas.experiment`."""
    i18n.load(lang)
    if on is not None and not isinstance(on, str):
        raise UsageError(f"on = {shown(on)}: write tcp://HOST:PORT, tls://HOST:PORT, or local:N")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int)):
        raise UsageError(f"threads = {shown(threads)}: a whole number is needed")
    if jobs is not None and (not isinstance(jobs, int) or jobs < 1):
        raise UsageError(f"jobs = {jobs}: it must be 1 or more")
    lists = isinstance(vary or {}, Mapping) and all(isinstance(each, list | tuple) for each in (vary or {}).values())
    if not lists:
        raise UsageError(f"vary = {shown(vary)}: give each setting a list, such as {{'g_optim.lr': [1e-4, 5e-4]}}")
    name, values = find_plan(name, recipe, vary)
    plan = make_plan(name, values, {**changes, "tricks": [*values.get("tricks", []), *tricks] or None})
    folder = Path(out) if out is not None else Path("experiments") / name
    return Experiment(experiments.run(plan, folder, jobs, retry, lang, on, threads, fetch_seconds), folder, lang)
