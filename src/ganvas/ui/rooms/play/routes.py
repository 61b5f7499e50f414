"""The page of the Playground, and what its script asks for."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas import media
from ganvas.errors import UsageError, shown
from ganvas.generator import shipped
from ganvas.runs.run import Run
from ganvas.terminal import printable
from ganvas.ui.house import House, MissingError
from ganvas.ui.pages import answer, body, house_of, page, translator
from ganvas.ui.rooms.play import asked as asking
from ganvas.ui.rooms.play import images, judge, near, picture, walk, words
from ganvas.ui.rooms.play.directions import METHODS
from ganvas.ui.rooms.play.judge import Context
from ganvas.ui.rooms.play.model import Model, MovedOnError, Shelf

Query = Mapping[str, str]
COLUMNS = 8
"""Of the sheets of pictures that the script cuts."""

words.register()


class Play:
    """What this room keeps between two requests."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        self.library = near.Library()


def play_of(request: Request) -> Play:
    """The room's models and training images; one for an application."""
    state = request.app.state
    if not hasattr(state, "play"):
        state.play = Play()
    play: Play = state.play
    return play


async def show(request: Request) -> Response:
    """The page. `?model=` is the run or shipped model that it opens."""
    name = request.query_params.get("model", "")
    return page(request, "play.html", room="play", words=("ui.play.",), model=name)


async def models(request: Request) -> Response:
    """GET: {"runs": [name], "shipped": [name]}, the runs that changed last first."""
    house = house_of(request)
    return answer(await run_in_threadpool(lambda: {"runs": runs_with_models(house.root), "shipped": shipped()}))


def runs_with_models(root: Path) -> list[str]:
    """Names of the runs that hold a generator or a checkpoint, the one that changed last first."""
    found = []
    try:
        names = [entry.name for entry in os.scandir(root) if entry.is_dir()]
    except OSError:
        return []
    for name in names:
        for folder in ("snapshots", "checkpoints"):
            path = root / name / folder
            try:
                if (root / name / "config.json").is_file() and os.listdir(path):
                    found.append((path.stat().st_mtime, name))
                    break
            except OSError:
                continue
    return [name for _, name in sorted(found, reverse=True)]


async def about(request: Request) -> Response:
    """GET ?model=: what the newest weights are, with the token that later requests name them by."""
    say, house, play = translator(request), house_of(request), play_of(request)

    def told() -> dict[str, Any]:
        name = request.query_params.get("model", "")
        model = play.shelf.newest(name, _run(house, name))
        generator, reason = model.generator, model.missing
        why = say(f"ui.play.no_d.{reason[0]}", why=printable(reason[1])) if reason[0] else ""
        d, data = model.discriminator, str(model.about_data.get("name") or generator.config.data.name)
        return {
            "token": model.token, "name": printable(model.name), "shape": list(generator.shape),
            "classes": [printable(name) for name in generator.class_names], "nimg": generator.nimg,
            "averaged": model.averaged, "raw": None if model.raw is None else model.raw.nimg,
            "recipe": printable(generator.config.recipe), "data": printable(data),
            "latent": generator.config.generator.latent_dim, "live": model.run is not None and model.run.is_locked(),
            "d": None if d is None else {"nimg": d.nimg, "company": judge.COMPANY * d.compares_batch},
            "context": vars(judge.context(model)) if d else vars(Context(None, None, None, None)), "why": why,
        }  # fmt: skip

    return answer(await _quietly(told))


def grid(request: Request, model: Model, query: Query) -> dict[str, Any]:
    """The images that are asked for as a sheet, with their classes."""
    wanted = asking.read(query, model)
    labels = images.labels_of(model, wanted)
    return {
        **sheet(images.draw(model, wanted), wanted.columns),
        "labels": None if labels is None else labels.tolist(),
    }


def directions(request: Request, model: Model, query: Query) -> dict[str, Any]:
    """The directions of ?by=sefa or ganspace: the share of variance of each."""
    by = query.get("by", "sefa")
    if by not in METHODS:
        raise UsageError(f"by = {shown(by)}: choose {' or '.join(METHODS)}")
    found = images.directions(model, by, asking.read(query, model).weights)
    return {"shares": found.shares.tolist(), "values": found.values, "latents": found.latents}


def nearest(request: Request, model: Model, query: Query) -> dict[str, Any]:
    """The training images nearest to one sample, by pixels and, where they are there, by a classifier's features."""
    house, play = house_of(request), play_of(request)
    training = play.library.of(model, [*house.data, house.root])
    sample = images.draw(model, replace(asking.read(query, model), n=1))[0]
    names, labels = training.images.class_names, training.images.labels

    def told(found: near.Near) -> dict[str, Any]:
        of = [] if labels is None else [printable(names[labels[i]]) for i in found.index]
        return {
            **sheet(near.pixels_of(training, found.index), COLUMNS), "index": found.index.tolist(),
            "distance": [round(float(d), 2) for d in found.distance], "classes": of,
        }  # fmt: skip

    by_features = near.by_features(sample, training)
    return {
        "data": printable(training.images.name), "n": len(training.images.images),
        "pixels": told(near.by_pixels(sample, training)),
        "features": None if by_features is None else told(by_features), "classified": training.classified,
    }  # fmt: skip


def logit(request: Request, model: Model, query: Query) -> dict[str, Any]:
    """D's logit of one sample as its own class."""
    wanted = replace(asking.read(query, model), n=1)
    judge.discriminator(model)
    found = judge.logits(model, images.draw(model, wanted), images.labels_of(model, wanted))
    return {"logit": _finite(float(found[0]))}


def walked(request: Request, model: Model, query: Query) -> dict[str, Any]:
    """The frames from one image to another as a sheet."""
    frames = _frames(model, query)
    return {**sheet(frames, COLUMNS), "ms": walk.FRAME_MS}


async def saved(request: Request) -> Response:
    """GET .../walk.webp or walk.gif: the same as a file, there and back."""
    kind = request.path_params["kind"]

    def made(request: Request, model: Model, query: Query) -> tuple[bytes, str]:
        return walk.animation(_frames(model, query), kind), model.name

    content, name = await _asked(request, made)
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in name)[:80]
    headers = {"Content-Disposition": f'attachment; filename="{safe}-walk.{kind}"'}
    return Response(content, media_type=f"image/{kind}", headers=headers)


async def given(request: Request) -> Response:
    """POST a picture's bytes: what D reads of it, what was done for that, and D's logits."""
    content, say = await body(request, picture.MOST_BYTES), translator(request)

    def rated(request: Request, model: Model, query: Query) -> dict[str, Any]:
        judge.discriminator(model)
        found = picture.read(content, model.generator.shape)
        logits = [_finite(float(value)) for value in judge.by_class(model, found.image)]
        done = [say(f"ui.play.done.{word}", **blanks) for word, blanks in found.done]
        return {**sheet(found.image[None], 1), "done": done, "logits": logits}

    return answer(await _asked(request, rated))


def sheet(pictures: np.ndarray, columns: int) -> dict[str, Any]:
    """Images side by side as a PNG in text, and how many there are."""
    png = media.encode(media.grid(pictures, columns), compress_level=1)
    text = "data:image/png;base64," + base64.b64encode(png).decode()
    return {"png": text, "n": len(pictures), "columns": min(columns, len(pictures))}


def _frames(model: Model, query: Query) -> np.ndarray:
    first = replace(asking.read(query, model), n=1)
    last = replace(
        first,
        seed=asking.whole(query, "to_seed", first.seed, 0, asking.LARGEST_SEED),
        label=asking.label_of(query, "to_class", model) if query.get("to_class") else first.label,
    )
    return walk.walk(model, first, last, asking.whole(query, "steps", 24, 2, walk.MOST_FRAMES))


def _finite(value: float) -> float | None:
    return round(value, 4) if np.isfinite(value) else None


Work = Callable[[Request, Model, Query], Any]


def _route(name: str, work: Work) -> Route:
    """GET /api/play/NAME, answered in JSON by `work` in a thread of its own."""

    async def answered(request: Request) -> Response:
        return answer(await _asked(request, work))

    return Route(f"/api/play/{name}", answered)


async def _asked(request: Request, work: Work) -> Any:
    """What `work` makes of a request's model, in a thread; 409 where the run has newer weights."""
    query, house, play = dict(request.query_params), house_of(request), play_of(request)

    def do() -> Any:
        name, token = query.get("model", ""), query.get("at", "")
        run = _run(house, name)
        model = play.shelf.same(name, run, token) if token else play.shelf.newest(name, run)
        return work(request, model, query)

    return await _quietly(do)


async def _quietly(do: Callable[[], Any]) -> Any:
    try:
        return await run_in_threadpool(do)
    except MovedOnError as error:
        raise HTTPException(409, str(error)) from error


def _run(house: House, name: str) -> Run | None:
    """The run of that name; None where it is a model that ships."""
    try:
        return house.run(name)
    except MissingError:
        if name not in shipped():
            raise
        return None


ROUTES: list[BaseRoute] = [
    Route("/play", show),
    Route("/api/play/models", models),
    Route("/api/play/about", about),
    _route("grid", grid),
    _route("directions", directions),
    _route("near", nearest),
    _route("logit", logit),
    _route("walk", walked),
    Route("/api/play/walk.{kind:str}", saved),
    Route("/api/play/picture", given, methods=["POST"]),
]
