"""`ganvas ui` in a thread of the tests, and a client that was let in."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ganvas.ui import server as serving
from ganvas.ui.guard import Guard
from ganvas.ui.house import House


def _body(found: http.client.HTTPResponse) -> bytes:
    """What was answered; a server that refuses a request unread may reset the connection after its status."""
    try:
        return found.read()
    except ConnectionResetError:
        if found.status != 400:
            raise
        return b""


@dataclass
class Answer:
    """What the server sent."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


@dataclass
class Served:
    """A server that runs, and a client that was let in."""

    house: House
    guard: Guard
    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """The address that lets a browser in."""
        return f"{self.url}/?token={self.guard.token}"

    def get(self, path: str, headers: dict[str, str] | None = None, **cookies: str) -> Answer:
        """GET with the cookie; `headers` with the value "" are left out."""
        return self.send("GET", path, None, headers, **cookies)

    def post(self, path: str, values: Any = None, headers: dict[str, str] | None = None, **cookies: str) -> Answer:
        """POST as ui.js does: JSON, or bytes as they are."""
        whole = {
            "x-ganvas": "1",
            "origin": self.url,
            "sec-fetch-site": "same-origin",
            "content-type": "application/json",
        }
        content = values if isinstance(values, bytes) else json.dumps({} if values is None else values).encode()
        return self.send("POST", path, content, {**whole, **(headers or {})}, **cookies)

    def send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str] | None = None, **cookies: str
    ) -> Answer:
        """Any request."""
        jar = {self.guard.cookie: self.guard.session, **self.cookies, **cookies}
        whole = {"Host": f"127.0.0.1:{self.port}", "cookie": "; ".join(f"{k}={v}" for k, v in jar.items())}
        whole |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            if content is not None and "content-length" not in whole:
                whole["content-length"] = str(len(content))
            for name, value in whole.items():
                if value:
                    connection.putheader(name, value)
            connection.endheaders(content)
            found = connection.getresponse()
            return Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, _body(found))
        finally:
            connection.close()


def serve(house: House, **options: Any) -> Iterator[Served]:
    """A server of that house until the generator is closed."""
    with serving.listen("127.0.0.1", 0) as sock:
        port = sock.getsockname()[1]
        guard = serving.guarded(house, port=port, **options)
        running = serving.server(guard)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [sock]}, daemon=True)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield Served(house, guard, port)
        running.should_exit = True
        thread.join(10)
        house.trainings.stop_all(10)
