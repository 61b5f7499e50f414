"""The rooms of the UI: each module or folder ends in ROUTES."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ganvas.ui.rooms import compare, experiments, learn, play, runs

ROUTES: list[BaseRoute] = [*runs.ROUTES, *compare.ROUTES, *experiments.ROUTES, *play.ROUTES, *learn.ROUTES]
