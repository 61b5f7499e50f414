"""The password, where one is needed."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ganvas.ui.guard import Guard
from ganvas.ui.pages import answer, json_body, page


async def show(request: Request) -> Response:
    """The page that asks for it."""
    return page(request, "login.html")


async def enter(request: Request) -> Response:
    """POST {"password": ...}: lets the browser in."""
    guard: Guard = request.scope["state"]["guard"]
    password = (await json_body(request, 2000)).get("password")
    if not isinstance(password, str) or not await guard.is_right(password):
        raise HTTPException(403, "wrong password")
    response = answer({"ok": True})
    response.headers.append("Set-Cookie", guard.set_cookie())
    return response


ROUTES = [Route("/login", show), Route("/login", enter, methods=["POST"])]
