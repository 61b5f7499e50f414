"""The rooms of the UI: each module or folder ends in ROUTES."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ganvas.ui.rooms import compare, experiments, learn, play, run, runs, start

ROUTES: list[BaseRoute] = [
    *runs.ROUTES,
    *run.ROUTES,
    *start.ROUTES,
    *compare.ROUTES,
    *experiments.ROUTES,
    *play.ROUTES,
    *learn.ROUTES,
]
