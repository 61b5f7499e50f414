"""The rooms as one application, and the server that shows it on this machine."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ganvas.errors import GanvasError, option
from ganvas.terminal import show
from ganvas.ui import guard, pages
from ganvas.ui.guard import Guard
from ganvas.ui.house import House
from ganvas.ui.rooms import ROUTES, login

FIRST_PORT, PORTS = 8642, 20
"""Ports that are tried where none is named."""


def app(house: House) -> Starlette:
    """The rooms, without the guard: `guarded` adds it."""
    routes: Sequence[BaseRoute] = [
        *ROUTES, *login.ROUTES, Route("/static/{version}/{name}", _static), Route("/favicon.ico", _icon),
    ]  # fmt: skip

    async def fail(request: Request, error: Exception) -> Response:
        return pages.failed(request, error)

    made = Starlette(routes=routes, exception_handlers={GanvasError: fail, HTTPException: fail, Exception: fail})
    made.state.house = house
    return made


def guarded(house: House, *, port: int, host: str = "127.0.0.1", password: str | None = None) -> Guard:
    """The application behind its guard."""
    return Guard(app(house), port=port, host=host, password=password)


async def _static(request: Request) -> Response:
    found = pages.static_files().get(request.path_params["name"])
    if found is None or request.path_params["version"] != pages.version():
        raise HTTPException(404, "there is no such file")
    return Response(found[0], media_type=found[1], headers={"Cache-Control": "private, max-age=31536000, immutable"})


async def _icon(request: Request) -> Response:
    return Response(pages.static_files()["icon.svg"][0], media_type="image/svg+xml")


def listen(host: str, port: int | None) -> socket.socket:
    """A bound socket; without a port, the first free one from FIRST_PORT on. GanvasError where there is none."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    reason = ""
    for number in [port] if port is not None else range(FIRST_PORT, FIRST_PORT + PORTS):
        sock = socket.socket(family, socket.SOCK_STREAM)
        if sys.platform != "win32":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, number))
        except OSError as error:
            sock.close()
            reason = error.strerror or str(error)
        else:
            return sock
    where = port if port is not None else f"{FIRST_PORT} to {FIRST_PORT + PORTS - 1}"
    raise GanvasError(f"cannot listen on {host}, port {where}: {reason}; choose another {option('--port')}")


def server(application: Guard) -> uvicorn.Server:
    """The server of an application, quiet but for errors."""
    config = uvicorn.Config(
        application, log_level="error", lifespan="off", ws="none", http="h11", loop="asyncio", proxy_headers=False,
        server_header=False, timeout_graceful_shutdown=1, timeout_keep_alive=30,
    )  # fmt: skip
    return uvicorn.Server(config)


def serve(house: House, host: str, port: int | None, password: str | None, browser: bool) -> None:
    """Serve until it is interrupted, then stop and save the trainings that were started here."""
    with listen(host, port) as sock:
        number = sock.getsockname()[1]
        application = guarded(house, port=number, host=host, password=password)
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{number}/" + (f"?token={application.token}" if application.token else "")
        if not guard.is_local(host):
            show(
                f"warning: whoever reaches {host} and knows the password can read these runs and start trainings; what "
                "is sent is not encrypted. For one person, `ssh -L` to 127.0.0.1 is safer.", file=sys.stderr,
            )  # fmt: skip
        show(f"ganvas ui: {address}  (runs in {house.root}; Ctrl+C ends it)", flush=True)
        if browser:
            threading.Timer(0.5, webbrowser.open, [address]).start()
        with _signals_end():
            try:
                server(application).run(sockets=[sock])
            except KeyboardInterrupt:
                pass
            finally:
                if running := house.trainings.running():
                    _tell(f"saving {len(running)} training{'s' if len(running) > 1 else ''} ...")
                for training in house.trainings.stop_all():
                    _tell(f"stopped: {training.name} (ganvas resume {house.root / training.name} continues it)")


@contextmanager
def _signals_end() -> Iterator[None]:
    """SIGTERM, and SIGHUP from a terminal that was closed, do what Ctrl+C does, unless they are ignored (nohup)."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    def hang_up(number: int, frame: object) -> None:
        signal.raise_signal(signal.SIGTERM)  # which is the server's own while it runs

    kept = {}
    if threading.current_thread() is threading.main_thread():
        for name, handler in (("SIGTERM", end), ("SIGHUP", hang_up)):
            number = getattr(signal, name, None)  # Windows has no SIGHUP
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                kept[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in kept.items():
            signal.signal(number, old)


def _tell(line: str) -> None:
    """Print a line where there is still a terminal."""
    with suppress(OSError):
        show(line, flush=True)
