"""Compare: a room to come."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas.ui.pages import page


async def show(request: Request) -> Response:
    """The page."""
    return page(request, "empty.html", room="compare")


ROUTES: list[BaseRoute] = [Route("/compare", show)]
