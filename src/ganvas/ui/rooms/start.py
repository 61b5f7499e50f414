"""Start a training: recipe, data, minutes, tricks, seed. It runs as `ganvas train` would."""

from __future__ import annotations

from typing import Any, NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas.config import diff
from ganvas.config.recipes import RECIPES, Recipe
from ganvas.config.tricks import TRICKS, Trick
from ganvas.errors import UsageError, shown
from ganvas.files import writing_to
from ganvas.reports.html import plain
from ganvas.runs.run import next_path
from ganvas.ui.house import House
from ganvas.ui.pages import answer, house_of, json_body, link, page, translator

MOST_MINUTES, MOST_SEED = 10_000, 2**31 - 1
FIRST = "quick"
"""The recipe that is chosen at first."""


class Order(NamedTuple):
    """What was asked for, checked."""

    recipe: str
    data: str
    minutes: float
    seed: int
    tricks: tuple[str, ...]

    def words(self, out: str, lang: str) -> list[str]:
        """The arguments of `ganvas`."""
        return [
            "train", self.recipe, "--data", self.data, "--minutes", f"{self.minutes:g}", "--seed", str(self.seed),
            "--out", out, "--lang", lang, *(word for name in self.tricks for word in ("--with", name)),
        ]  # fmt: skip


async def show(request: Request) -> Response:
    """The form."""
    house, say = house_of(request), translator(request)
    values: dict[str, Any] = {
        "recipes": [{"name": name, "title": title(recipe, say.lang)} for name, recipe in RECIPES.items()],
        "titles": {name: title(trick, say.lang) for name, trick in TRICKS.items()},
        "first": FIRST, "sets": await run_in_threadpool(sets, house), "tricks": list(TRICKS.values()),
        "running": len(house.trainings.running()), "most": house.trainings.most,
    }  # fmt: skip
    return page(request, "start.html", room="runs", words=("ui.start.",), **values)


def title(one: Recipe | Trick, lang: str) -> str:
    """What a recipe or trick is, in the language of the page where it has a title in it."""
    return (lang == "ko" and one.korean) or one.title


def sets(house: House) -> list[dict[str, Any]]:
    """The data that a training may be started on: known sets, whether they are here already, and the user's own."""
    from ganvas.datasets import SOURCES

    known = [
        {"value": name, "title": name, "here": source.present, "shape": "×".join(map(str, source.shape[1:]))}
        for name, source in SOURCES.items()
    ]
    own = [{"value": f"own:{i}", "title": str(path), "here": True, "shape": ""} for i, path in enumerate(house.data)]
    return [*own, *known]


def checked(values: dict[str, Any], house: House) -> Order:
    """The order in a request; UsageError for anything that is not one of the choices of the form."""
    from ganvas.datasets import SOURCES

    recipe, data, tricks = (values.get(key) for key in ("recipe", "data", "tricks"))
    minutes: Any = values.get("minutes")
    seed: Any = values.get("seed")
    if not isinstance(recipe, str) or recipe not in RECIPES:
        raise UsageError(f"recipe {shown(recipe)}: choose one of the list")
    own = {f"own:{i}": str(path) for i, path in enumerate(house.data)}
    if not isinstance(data, str) or data not in {*SOURCES, *own}:
        raise UsageError(f"data {shown(data)}: choose one of the list (ganvas ui --data PATH adds images of yours)")
    if type(minutes) not in (int, float) or not 0 < minutes <= MOST_MINUTES:
        raise UsageError(f"minutes {shown(minutes)}: a number above 0, at most {MOST_MINUTES:,}")
    if type(seed) is not int or not 0 <= seed <= MOST_SEED:
        raise UsageError(f"seed {shown(seed)}: a whole number from 0 to {MOST_SEED:,}")
    if not isinstance(tricks, list) or not all(isinstance(name, str) and name in TRICKS for name in tricks):
        raise UsageError(f"tricks {shown(tricks)}: choose from the list")
    return Order(recipe, own.get(data, data), float(minutes), seed, tuple(dict.fromkeys(tricks)))


async def check(request: Request) -> Response:
    """POST: what the order would change in the recipe, {"changes": [[setting, old, new]]}; 400 where it cannot be."""
    order = checked(await json_body(request), house_of(request))
    return answer({"changes": await run_in_threadpool(changes, order)})


def changes(order: Order) -> list[list[str]]:
    """Settings of the recipe that the tricks change. UsageError where they do not fit the recipe or each other."""
    from ganvas.training.setup import configure

    config = configure(order.recipe, order.tricks)
    return [[name, plain(old), plain(new)] for name, (old, new) in diff(RECIPES[order.recipe].config, config).items()
            if name != "tricks"]  # fmt: skip


async def start(request: Request) -> Response:
    """POST: starts the training; answers with the address of its page."""
    house, say = house_of(request), translator(request)
    order = checked(await json_body(request), house)
    name = await run_in_threadpool(begin, house, order, say.lang)
    return answer({"at": link("runs", name)})


def begin(house: House, order: Order, lang: str) -> str:
    """Start it; returns the name of its run."""
    from ganvas.training.setup import configure

    config = configure(order.recipe, order.tricks, {"data.name": order.data, "seed": order.seed})
    with writing_to(house.root):
        house.root.mkdir(parents=True, exist_ok=True)
    with house.naming:
        path = next_path(house.root, config)
        taken = [int(t.name[:4]) for t in house.trainings.all if t.name[:4].isdecimal()]  # some have no folder yet
        path = path.with_name(f"{max([int(path.name[:4]) - 1, *taken]) + 1:04d}{path.name[4:]}")
        house.trainings.start(path.name, order.words(str(path), lang), house.root)
    return path.name


ROUTES: list[BaseRoute] = [
    Route("/start", show),
    Route("/api/start", start, methods=["POST"]),
    Route("/api/start/check", check, methods=["POST"]),
]
