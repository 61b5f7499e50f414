"""The page of the room, and what its script asks for: a toy begins, trains, changes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas.errors import UsageError, shown
from ganvas.i18n import Translator
from ganvas.ui.pages import answer, json_body, page, translator
from ganvas.ui.rooms.learn import words
from ganvas.ui.rooms.learn.breaks import BREAKS
from ganvas.ui.rooms.learn.diagnosis import findings
from ganvas.ui.rooms.learn.picture import FIELD, SIDE, picture, real
from ganvas.ui.rooms.learn.settings import BEGINS_AGAIN, BOUNDS, Settings, choices, read
from ganvas.ui.rooms.learn.toy import MEASURED, Toy
from ganvas.ui.rooms.learn.toys import Toys

MOST_STEPS = 100
"""Updates of one request."""
SECONDS = 0.1
"""After so long a request ends, with fewer updates than were asked for."""

words.register()


async def show(request: Request) -> Response:
    """The page."""
    facts = {
        "defaults": asdict(Settings()), "breaks": BREAKS, "begins_again": BEGINS_AGAIN, "field": FIELD, "side": SIDE,
        "measured": MEASURED, "bounds": BOUNDS,
    }  # fmt: skip
    return page(
        request, "learn.html", room="learn", words=("ui.learn.",), facts=facts, breaks=BREAKS, choices=choices()
    )


async def begin(request: Request) -> Response:
    """A fresh toy: {settings?, id?} -> {id, settings, real, ...}. `id` names the toy that it takes the place of."""
    asked = await json_body(request)
    say, settings = translator(request), read(_settings(asked))
    return await run_in_threadpool(lambda: answer(_begun(request, Toy(settings), asked.get("id"), say)))


async def step(request: Request) -> Response:
    """Train: {id, steps, rows} -> the picture, with the rows of the curves from number `rows` on."""
    asked, say = await json_body(request), translator(request)
    count, rows = _whole(asked, "steps", 1, MOST_STEPS), _whole(asked, "rows", 0, 10**9)

    def work(toy: Toy) -> dict[str, Any]:
        before, until = len(toy.monitor), time.monotonic() + SECONDS
        for _ in range(count):
            toy.step()
            if time.monotonic() > until:
                break
        return _seen(toy, rows, say, len(toy.monitor) > before or bool(toy.ended))

    return await _with_toy(request, asked, work)


async def change(request: Request) -> Response:
    """Turn controls: {id, settings, rows} -> {at_once, ...}; where not at once, what `begin` answers."""
    asked, say = await json_body(request), translator(request)
    settings, rows = _settings(asked), _whole(asked, "rows", 0, 10**9)

    def work(toy: Toy) -> dict[str, Any]:
        if toy.change(settings):
            return {"at_once": True, "settings": asdict(toy.settings), **_seen(toy, rows, say, True)}
        return {"at_once": False, **_begun(request, toy.again(settings), asked.get("id"), say)}

    return await _with_toy(request, asked, work)


async def _with_toy(request: Request, asked: dict[str, Any], work: Callable[[Toy], dict[str, Any]]) -> Response:
    toy, lock = _toys(request).get(asked.get("id"))

    def locked() -> dict[str, Any]:
        with lock:
            return work(toy)

    return answer(await run_in_threadpool(locked))


def _begun(request: Request, toy: Toy, name: Any, say: Translator) -> dict[str, Any]:
    name = _toys(request).keep(toy, name if isinstance(name, str) else "")
    return {"id": name, "settings": asdict(toy.settings), "real": real(toy), **_seen(toy, 0, say, True)}


def _seen(toy: Toy, rows: int, say: Translator, judged: bool) -> dict[str, Any]:
    """picture: None where a network is no longer finite; doctor: what it says now, None where nothing new was read."""
    doctor = findings(toy, say) if judged else None
    return {"updates": toy.updates, "ended": toy.ended, "picture": picture(toy, rows), "doctor": doctor}


def _toys(request: Request) -> Toys:
    """The toys of this server."""
    state = request.app.state
    if not hasattr(state, "toys"):
        state.toys = Toys()
    toys: Toys = state.toys
    return toys


def _settings(asked: dict[str, Any]) -> dict[str, Any]:
    values = asked.get("settings", {})
    if not isinstance(values, dict):
        raise UsageError(f"settings = {shown(values)}: give an object of controls")
    return values


def _whole(asked: dict[str, Any], name: str, low: int, high: int) -> int:
    value = asked.get(name, low)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{name} = {shown(value)}: give a whole number from {low} to {high:,}")
    return value


ROUTES: list[BaseRoute] = [
    Route("/learn", show),
    Route("/api/learn/begin", begin, methods=["POST"]),
    Route("/api/learn/step", step, methods=["POST"]),
    Route("/api/learn/change", change, methods=["POST"]),
]
