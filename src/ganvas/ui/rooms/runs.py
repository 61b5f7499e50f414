"""The runs of the folder, newest first: a row each, from the ends of their logs."""

from __future__ import annotations

import io
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas.terminal import printable
from ganvas.ui.house import House, MissingError
from ganvas.ui.pages import answer, house_of, link, page, picture

THUMB = (8, 1)
"""Columns and rows of a sample grid that a row shows."""


async def show(request: Request) -> Response:
    """The page; its script draws the rows."""
    house = house_of(request)
    rows = await run_in_threadpool(listed, house)
    return page(request, "runs.html", room="runs", rows=rows, picking=False, words=("ui.runs.", "ui.state."))


async def rows(request: Request) -> Response:
    """GET /api/runs: the rows, newest first."""
    return answer({"rows": await run_in_threadpool(listed, house_of(request))})


def listed(house: House) -> list[dict[str, Any]]:
    """A row for each run, and for each training that was started here and has no run yet, or never made one."""
    found = house.summaries.rows()
    names = {row["name"] for row in found}
    for training in house.trainings.all:
        if training.trains and training.name not in names and not training.dismissed and training.state != "ended":
            state = "starting" if training.state == "running" else "failed"
            found.insert(
                0, {"name": training.name, "state": state, "changed": training.started, "error": training.line}
            )
            names.add(training.name)
    return [{**row, "title": printable(row["name"]), "at": link("runs", row["name"])} for row in found]


async def thumb(request: Request) -> Response:
    """GET /api/runs/NAME/thumb?at=NIMG: the first images of the newest samples, as WebP."""
    return await run_in_threadpool(_thumb, house_of(request), request.path_params["name"])


def _thumb(house: House, name: str) -> Response:
    run = house.run(name)
    grids = run.sample_grids()
    grid = run.picture(grids[-1][1]) if grids else None
    if grid is None:
        raise MissingError(f"{name} has no samples yet")
    _, h, w = run.data["shape"]
    columns = min(THUMB[0], grid.width // w)
    file = io.BytesIO()
    first = grid.crop((0, 0, columns * w, min(THUMB[1] * h, grid.height)))
    first.save(file, "webp", lossless=max(h, w) <= 32, quality=80)
    return picture(file.getvalue(), "webp", keep=True)


ROUTES: list[BaseRoute] = [
    Route("/", show), Route("/api/runs", rows), Route("/api/runs/{name}/thumb", thumb),
]  # fmt: skip
