"""Who may ask for what: checks before any room sees a request, headers on every answer.

A page of another site, open in the same browser, can send requests here. So each request needs a cookie that such a
page does not have (it comes with the printed address, or from a password) and a Host that is this machine (a name that
its owner pointed here is another site: DNS rebinding). One that changes something also needs this page as its Origin
and a header that no form can send.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import secrets
import socket
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY = 12_000_000
"""Bytes of any request; what a room takes is far less (`pages.json_body`, `pages.body`)."""
SAFE = ("GET", "HEAD")
HEADER = "x-ganvas"
"""A request that changes something carries it. No form sends it, and no other origin may."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOGIN_SECONDS = 1.0
"""That a wrong password costs; one is tried at a time."""


class Guard:
    """ASGI middleware around the rooms."""

    def __init__(self, app: ASGIApp, *, port: int, host: str = "127.0.0.1", password: str | None = None) -> None:
        self.app = app
        self.password = password
        self.token = None if password is not None else secrets.token_urlsafe(24)
        """In the printed address; none where there is a password."""
        self.session = secrets.token_urlsafe(32)
        self.cookie = f"ganvas-{port}"  # cookies are of a host, whatever the port
        self.names = {"localhost", host.lower(), *([] if is_local(host) else (socket.gethostname().lower(),))}
        self.local = is_local(host)
        self._trying = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        path = scope["path"]
        scope.setdefault("state", {})["guard"] = self
        fresh = self._has_token(scope)
        known = fresh or self._has_cookie(headers)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    answer.setdefault(name, value)
                answer.setdefault("Cache-Control", "no-store")
                if fresh:
                    answer.append("Set-Cookie", self.set_cookie())
            await send(message)

        if problem := self._problem(scope["method"], path, headers):
            await _refuse(*problem)(scope, receive, marked)
        elif (path == "/login" and self.password is not None) or path.startswith("/static/") or known:
            await self.app(scope, _bounded(receive), marked)
        elif path.startswith("/api/") or scope["method"] not in SAFE:
            await _refuse(403, "open the address that ganvas ui printed, then try again")(scope, receive, marked)
        elif self.password is not None:
            await Response(status_code=303, headers={"Location": "/login"})(scope, receive, marked)
        else:
            text = "Open the address that ganvas ui printed in the terminal: it holds a token that lets you in."
            await _refuse(403, text)(scope, receive, marked)

    async def is_right(self, password: str) -> bool:
        """Whether it is the password; a wrong one takes a second, and all wait for it."""
        async with self._trying:
            if self.password is not None and hmac.compare_digest(password.encode(), self.password.encode()):
                return True
            await asyncio.sleep(LOGIN_SECONDS)
            return False

    def set_cookie(self) -> str:
        """The header that lets a browser in until this process ends."""
        return f"{self.cookie}={self.session}; Path=/; HttpOnly; SameSite=Strict"

    def _problem(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        """Why a request is refused, whoever sends it."""
        if not self._is_here(headers.get("host", "")):
            return 421, "this name is not that of this server: open the address that ganvas ui printed"
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY:
            return 413, f"at most {MOST_BODY // 1_000_000} MB at once"
        site = headers.get("sec-fetch-site", "same-origin")
        if path.startswith("/api/") and site not in ("same-origin", "none"):
            return 403, "asked for by a page of another site"
        if method in SAFE:
            return None
        if method != "POST":
            return 405, "GET and POST only"
        origin = headers.get("origin")
        if site != "same-origin" or (origin is not None and urlsplit(origin).netloc != headers.get("host")):
            return 403, "sent by a page of another site"
        if HEADER not in headers:
            return 403, f"the header {HEADER} is missing"
        return None

    def _is_here(self, host: str) -> bool:
        """Whether a Host header names this machine: no name that someone else may have pointed here."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name.lower() in self.names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self.local

    def _has_token(self, scope: Scope) -> bool:
        """Whether the address holds the token."""
        found = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[-1]
        return self.token is not None and scope["method"] in SAFE and _same(found, self.token)

    def _has_cookie(self, headers: Headers) -> bool:
        """Whether the browser was let in before."""
        pairs = (pair.partition("=") for line in headers.getlist("cookie") for pair in line.split(";"))
        # cookies of other servers of this host come along, in any form, also one of the same name
        return any(name.strip() == self.cookie and _same(value.strip(), self.session) for name, _, value in pairs)


def is_local(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _same(a: str, b: str) -> bool:
    return hmac.compare_digest(a.encode("utf-8", "replace"), b.encode())


def _refuse(status: int, line: str) -> Response:
    """One line that says why."""
    return Response(line + "\n", status, media_type="text/plain")


def _bounded(receive: Receive) -> Receive:
    """The body of a request, ended where it is longer than it may be, whatever its length was said to be."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        return {"type": "http.disconnect"} if seen > MOST_BODY else message

    return counted
