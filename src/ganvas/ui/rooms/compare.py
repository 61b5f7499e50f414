"""Pick runs, see whether a change helped: the comparison's own verdicts, tables, pictures and curves."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas import comparison
from ganvas.comparison import page as compare_page
from ganvas.comparison.comparison import Comparison, changed_settings
from ganvas.comparison.groups import Group, find_groups
from ganvas.errors import UsageError
from ganvas.experiments import saved
from ganvas.i18n import Translator
from ganvas.terminal import printable
from ganvas.ui.house import OF, House, check_inside
from ganvas.ui.pages import answer, house_of, json_body, page, translator
from ganvas.ui.rooms.runs import listed

MOST_RUNS = 60
"""That are compared at once."""

Targets = dict[str, list[Path]] | list[Path]


async def show(request: Request) -> Response:
    """The comparison of ?run=A&run=B or of ?experiment=NAME; without them, the runs to choose from."""
    house, say = house_of(request), translator(request)
    names, experiment = request.query_params.getlist("run"), request.query_params.get("experiment")
    if not names and experiment is None:
        rows = await run_in_threadpool(listed, house)
        return page(
            request,
            "runs.html",
            room="compare",
            rows=rows,
            picking=True,
            words=("ui.runs.", "ui.state.", "ui.compare."),
        )
    values = await run_in_threadpool(compared, house, names, experiment, say)
    return page(request, "compare.html", room="compare", words=("ui.compare.",), **values)


def compared(house: House, names: list[str], experiment: str | None, say: Translator) -> dict[str, Any]:
    """What the page shows. UsageError for runs that cannot be compared, such as those of different data."""
    targets, known = _targets(house, names, experiment)
    found, lacking = _compare(targets)
    links = {path: f"runs/{name}" for path, name in known.items()}
    for group in found.groups:  # nothing on disk may be a link to a place elsewhere
        for member in group.members:
            links.setdefault(member.run.path, "")
    first = [[known[member.run.path] for member in group.members] for group in found.groups]
    values = compare_page.values(found, say, house.root, links)
    named = {str(path): printable(name) for path, name in known.items()}
    return values | {
        "runs": [row | {"path": named.get(row["path"], row["path"])} for row in values["runs"]],
        "lacking": bool(lacking), "why": lacking.partition("; ")[2],
        "names": list(known.values()), "experiment": experiment,
        "others": [(group.name, _again([*first[i], *_rest(first, i)])) for i, group in enumerate(found.groups) if i],
        "reference": found.groups[0].name,
    }  # fmt: skip


def _targets(house: House, names: list[str], experiment: str | None) -> tuple[Targets, dict[Path, str]]:
    """What is compared, and the name of each run."""
    if experiment is not None:
        folder = house.experiment(experiment)
        cells: dict[str, list[Path]] = {}
        for trial in saved.read(folder).trials:
            if (trial.path / "config.json").is_file():
                check_inside(trial.path, house.experiments)
                cells.setdefault(trial.cell.name, []).append(trial.path)
        if len(cells) < 2:
            raise UsageError(f"{printable(experiment)}: fewer than two cells have a run yet")
        return cells, {path: f"{experiment}{OF}{path.name}" for paths in cells.values() for path in paths}
    if len(names) > MOST_RUNS:
        raise UsageError(f"{len(names)} runs: compare {MOST_RUNS} at most")
    known = {house.run(name).path: name for name in dict.fromkeys(names)}
    if len(known) < 2:
        raise UsageError("select two or more runs")
    return list(known), known


def _compare(targets: Targets) -> tuple[Comparison, str]:
    """The comparison by the scores that the runs hold; without verdicts where there are none, and why.

    Runs of one group are compared one by one: someone chose them.
    """
    groups, notes = find_groups(targets, unfinished=True)
    if len(groups) < 2 and isinstance(targets, list):
        targets = {path.name: [path] for path in targets}
        groups, notes = find_groups(targets, unfinished=True)
    if len(groups) < 2:
        raise UsageError("; ".join(["these runs are one group: there is nothing to compare them with", *notes]))
    try:
        return comparison.compare(targets, make=False, progress=False), ""
    except UsageError as error:
        return Comparison(groups, [], [], changed_settings(groups), notes), str(error)


def _rest(groups: list[list[str]], i: int) -> list[str]:
    return [name for k, names in enumerate(groups) if k != i for name in names]


def _again(names: list[str]) -> str:
    """The address of a comparison of those runs, the first one's group as the reference."""
    return "?" + urlencode([("run", name) for name in names], errors="surrogateescape")


async def score(request: Request) -> Response:
    """POST {"runs": [...]}: computes what scores are missing, as `ganvas compare` does; the answer names the job."""
    house = house_of(request)
    names = (await json_body(request)).get("runs")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > MOST_RUNS:
        raise UsageError("select two or more runs")

    def start() -> str:
        paths = [house.run(name).path for name in dict.fromkeys(names)]
        if len(paths) < 2:
            raise UsageError("select two or more runs")
        groups: list[Group] = find_groups(paths)[0]
        alone = [f"{chr(97 + i)}={path}" for i, path in enumerate(paths[:26])]
        words = [str(path) for path in paths] if len(groups) > 1 else alone
        job = hashlib.sha256("\n".join(map(str, paths)).encode("utf-8", "surrogateescape")).hexdigest()[:16]
        house.trainings.start(job, ["compare", *words], house.root, trains=False)
        return job

    return answer({"job": await run_in_threadpool(start)})


async def job(request: Request) -> Response:
    """GET /api/compare/score/JOB: {"state", "line"}."""
    found = house_of(request).trainings.of(request.path_params["job"])
    if found is None or found.trains:
        raise HTTPException(404, "there is no such job")
    return answer({"state": found.state, "line": found.line})


ROUTES: list[BaseRoute] = [
    Route("/compare", show),
    Route("/api/compare/score", score, methods=["POST"]),
    Route("/api/compare/score/{job}", job),
]
