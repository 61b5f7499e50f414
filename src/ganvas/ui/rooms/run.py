"""One run: its curves while they grow, its samples through time, what the doctor finds, notes, stop and resume."""

from __future__ import annotations

import hashlib
import os
import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from ganvas import media
from ganvas.errors import GanvasError, UsageError
from ganvas.files import utf8
from ganvas.i18n import Translator
from ganvas.reports import facts
from ganvas.reports import page as report
from ganvas.runs.run import NEW_NOTES, Run, stem
from ganvas.terminal import printable
from ganvas.ui import run_view
from ganvas.ui.house import OF, House, MissingError
from ganvas.ui.pages import answer, house_of, json_body, link, page, picture, translator

NOTES = 100_000
"""Bytes of notes that are kept."""
MOST_MINUTES = 10_000
WATCHED = (
    "config.json",
    "metrics.jsonl",
    "monitor.jsonl",
    "events.jsonl",
    "evals.jsonl",
    "samples",
    "notes.md",
    ".lock",
)
"""Files whose change makes a page ask again."""
KEPT = 8
"""Views that are kept, so that pages of the same run do not make them twice."""


async def show(request: Request) -> Response:
    """The page. It opens for a training that has no run yet, and says why where there never was one."""
    name, house = request.path_params["name"], house_of(request)
    training = house.trainings.of(name)
    notes = ""
    try:
        notes = await run_in_threadpool(lambda: read_notes(house.run(name)))
    except MissingError:
        if training is None or house.path(name).exists():
            raise
        notes = NEW_NOTES
    experiment = name.partition(OF)[0] if OF in name else ""
    values: dict[str, Any] = {
        "room": "experiments" if experiment else "runs", "words": ("ui.run.", "ui.state."), "name": name,
        "title": printable(name), "notes": notes, "seen": digest(notes), "api": link("api", "runs", name),
        "here": link("runs", name), "experiment": experiment,
    }  # fmt: skip
    return page(request, "run.html", **values)


async def state(request: Request) -> Response:
    """GET /api/runs/NAME?seen=STAMP: {"stamp", "process", "live"} and, unless nothing changed, "view", "notes"."""
    name, house, say = request.path_params["name"], house_of(request), translator(request)
    return answer(await run_in_threadpool(told, house, name, say, request.query_params.get("seen", "")))


def told(house: House, name: str, say: Translator, seen: str) -> dict[str, Any]:
    """The state of a run and of the process that was started for it, with its view where `seen` is older."""
    training = house.trainings.of(name)
    process = training and {"state": training.state, "line": training.line, "stopping": training.stopping}
    try:
        run = house.run(name)
    except MissingError:
        if training is None:
            raise
        return {"stamp": "", "process": process, "live": False, "view": None}
    stamp = stamp_of(run)
    values = {"stamp": stamp, "process": process, "live": run.is_locked()}
    if stamp == seen:
        return values
    text = read_notes(run)
    return values | {"view": view(house, run, say, stamp), "notes": {"text": text, "seen": digest(text)}}


def view(house: House, run: Run, say: Translator, stamp: str) -> dict[str, Any]:
    """The view of a run at that stamp; made once."""
    key = (run.path, say.lang)
    kept = house.views.get(key)
    if kept is None or kept[0] != stamp:
        while len(house.views) >= KEPT and key not in house.views:
            house.views.pop(next(iter(house.views)), None)
        kept = house.views[key] = (stamp, run_view.view(run, say))
    return kept[1]


def stamp_of(run: Run) -> str:
    """Changes whenever the view of a run may."""
    found = []
    for name in WATCHED:
        try:
            status = os.stat(run.path / name)
            found.append(f"{status.st_mtime_ns}-{status.st_size}")
        except OSError:
            found.append("")
    return hashlib.sha256(" ".join(found).encode()).hexdigest()[:16]


async def samples(request: Request) -> Response:
    """GET /api/runs/NAME/samples/NIMG: the grid drawn at that moment, or `real`, as PNG."""
    name, at = request.path_params["name"], request.path_params["at"]
    return await run_in_threadpool(_grid, house_of(request), name, at)


def _grid(house: House, name: str, at: str) -> Response:
    if at != "real" and not re.fullmatch(r"\d{1,18}", at):
        raise MissingError(f"{at[:30]!r} is no moment of a run")
    run = house.run(name)
    grid = run.picture(run.path / "samples" / ("real.png" if at == "real" else f"{stem(int(at))}.png"))
    if grid is None:
        raise MissingError(f"{name} has no samples of that moment")
    return picture(media.encode(grid), keep=True)


# -- notes -------------------------------------------------------------------------------------------------------


def read_notes(run: Run) -> str:
    """notes.md as text; empty where there is none. Line ends are those of Unix."""
    return facts.read_notes(run.path / "notes.md").replace("\r\n", "\n")


def digest(text: str) -> str:
    """Tells two texts apart."""
    return hashlib.sha256(utf8(text)).hexdigest()[:16]


async def notes(request: Request) -> Response:
    """POST {"text", "seen"}: writes notes.md aside and renames it; 409 where it is not what the page has `seen`."""
    values = await json_body(request, 2 * NOTES)
    text, seen = values.get("text"), values.get("seen")
    if not isinstance(text, str) or len(utf8(text)) > NOTES:
        raise HTTPException(413, f"notes are a text of at most {NOTES:,} bytes")
    text = text.replace("\r\n", "\n")

    def write() -> str:
        run = house_of(request).run(request.path_params["name"])
        if digest(read_notes(run)) != seen:
            raise HTTPException(409, translator(request)("ui.run.notes.changed"))
        run.write_bytes("notes.md", utf8(text))
        return digest(read_notes(run))

    return answer({"seen": await run_in_threadpool(write)})


# -- the process -------------------------------------------------------------------------------------------------


async def stop(request: Request) -> Response:
    """POST: what Ctrl+C does. Only for trainings that were started here."""
    name, house = request.path_params["name"], house_of(request)
    training = house.trainings.of(name)
    if training is None or training.state != "running":
        raise UsageError(f"{printable(name)} was not started here: stop it where it runs (Ctrl+C)")
    training.stop()
    return answer({"ok": True})


async def resume(request: Request) -> Response:
    """POST {"minutes": number or null}: continue a run to the end of its budget, or extend it."""
    name, house, say = request.path_params["name"], house_of(request), translator(request)
    minutes = (await json_body(request)).get("minutes")
    if minutes is not None and not (type(minutes) in (int, float) and 0 < minutes <= MOST_MINUTES):
        raise UsageError(f"minutes: a number above 0, at most {MOST_MINUTES:,}")
    run = await run_in_threadpool(house.run, name)
    run.config  # noqa: B018 (an unreadable one starts nothing)
    if run.path.parent != house.root:
        raise UsageError(f"{printable(name)} is part of an experiment: `ganvas experiment` continues it")
    if run.is_locked():
        raise UsageError(f"{printable(name)} is in training already")
    words = ["resume", str(run.path), "--lang", say.lang, *([] if minutes is None else ["--minutes", f"{minutes:g}"])]
    house.trainings.start(name, words, house.root)
    return answer({"ok": True})


async def dismiss(request: Request) -> Response:
    """POST: a training that failed is no longer listed."""
    training = house_of(request).trainings.of(request.path_params["name"])
    if training is not None:
        training.dismissed = True
    return answer({"ok": True})


async def whole_report(request: Request) -> Response:
    """The report of the run as it is now. Its policy names the hashes of its own script and style sheet."""
    house, say = house_of(request), translator(request)

    def render() -> str:
        return report.render(facts.gather(house.run(request.path_params["name"])), say)

    content = await run_in_threadpool(render)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', content)
    if policy is None:
        raise GanvasError("the report has no policy")
    return HTMLResponse(content, headers={"Content-Security-Policy": f"{policy[1]}; frame-ancestors 'none'"})


API = "/api/runs/{name}"
ROUTES: list[BaseRoute] = [
    Route("/runs/{name}", show),
    Route("/runs/{name}/report", whole_report),
    Route(API, state),
    Route(API + "/samples/{at}", samples),
    *(Route(f"{API}/{do.__name__}", do, methods=["POST"]) for do in (notes, stop, resume, dismiss)),
]
