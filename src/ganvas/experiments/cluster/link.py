"""The way to a Dask cluster: its workers, what they answer, and the task on one of them. All of Dask that we use."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import re
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

from ganvas.errors import GanvasError, UsageError, first_line, option
from ganvas.experiments.cluster import cell

CONNECT_SECONDS = 10.0
ASK_SECONDS = 60.0
"""How long a worker may take to answer."""
RESULT_SECONDS = 120.0
"""How long a finished task's result may be on its way."""
PIECE = 16_000_000
"""Bytes of a message, where what is sent is larger."""
MOST_LOCAL = 256
ADDRESS = re.compile(r"(tcp|tls)://(\[[0-9A-Fa-f:.%]+\]|[^\s/:\[\]]+):(\d{1,5})")


class LostError(GanvasError):
    """The scheduler does not answer."""


@dataclass(frozen=True)
class Facts:
    """What the scheduler knows of a worker."""

    threads: int
    resources: dict[str, float]


def check_address(on: str) -> int:
    """The number of workers in local:N, 0 for an address; UsageError for anything else, or without Dask."""
    local = re.fullmatch(r"local:(\d{1,6})", on)
    found = ADDRESS.fullmatch(on)
    if local and 1 <= int(local[1]) <= MOST_LOCAL:
        count = int(local[1])
    elif found and 1 <= int(found[3]) <= 65_535:
        count = 0
    else:
        raise UsageError(
            f"{option('--on')} {on}: write tcp://HOST:PORT or tls://HOST:PORT of a Dask scheduler, or local:N for N "
            f"workers here (1 to {MOST_LOCAL})"
        )
    if importlib.util.find_spec("distributed") is None:
        raise UsageError(f"{option('--on')} needs the package distributed: pip install 'ganvas[cluster]'")
    return count


@contextmanager
def connected(on: str) -> Iterator[Link]:
    """A link to the cluster that `--on` names; GanvasError where no scheduler answers. Local workers end with it."""
    count = check_address(on)
    for name in ("distributed", "tornado", "asyncio"):  # what they log, we say in a line
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    if not count:
        link = Link(on)
        try:
            yield link
        finally:
            link.close()
        return
    from distributed import LocalCluster

    try:
        here = LocalCluster(
            n_workers=count, threads_per_worker=1, processes=True, memory_limit=0, dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        )  # fmt: skip
    except Exception as error:
        raise GanvasError(f"no workers could be started here ({first_line(error)})") from error
    with here as cluster:
        link = Link(cluster.scheduler_address)
        try:
            yield link
        finally:
            link.close()


class Link:
    """A client of one scheduler. Its methods may be called from several threads."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.client = self._connect()

    def _connect(self) -> Any:
        from distributed import Client

        _check_answers(self.address)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of versions that differ: those of ganvas are compared
                return Client(self.address, timeout=CONNECT_SECONDS, set_as_default=False)
        except ImportError as error:
            raise GanvasError(f"the scheduler at {self.address} does not fit: {first_line(error)}") from error
        except Exception as error:
            raise GanvasError(f"the scheduler at {self.address} does not answer ({first_line(error)})") from error

    def reconnect(self) -> None:
        """Connect again to a scheduler that was gone; LostError while it is. What it knew before is gone too."""
        self.close()
        try:
            self.client = self._connect()
        except GanvasError as error:
            raise LostError(str(error)) from error

    def close(self) -> None:
        """Leave the cluster. Cells that run there are no task of ours any more."""
        with suppress(Exception):
            self.client.close(timeout=2)

    def workers(self) -> dict[str, Facts]:
        """The workers by address; LostError where the scheduler does not answer."""
        try:
            if self.client.status != "running":
                raise LostError(f"the scheduler at {self.address} is gone")
            found = self.client.sync(self.client.scheduler.identity, n_workers=-1, callback_timeout=CONNECT_SECONDS)
        except GanvasError:
            raise
        except Exception as error:
            raise LostError(f"the scheduler at {self.address} is gone ({first_line(error)})") from error
        return {
            address: Facts(int(values["nthreads"]), dict(values.get("resources") or {}))
            for address, values in found["workers"].items()
        }

    def ask(self, worker: str, function: Callable[..., Any], *arguments: Any) -> Any:
        """What a function of cell.py answers on a worker. Raises what it raises there, OSError without an answer."""
        with _cancelled():
            return self.client.sync(
                self.client._run, function, *arguments, workers=[worker], callback_timeout=ASK_SECONDS
            )[worker]

    def send(self, worker: str, name: str, file: IO[bytes]) -> None:
        """Send a file to a worker, piece by piece; it keeps it under `name`, the SHA-256. GanvasError if refused."""
        at, content = 0, file.read(PIECE)
        while True:
            following = file.read(PIECE)
            if refused := self.ask(worker, cell.put, name, at, content, not following):
                raise GanvasError(refused)
            at += len(content)
            content = following
            if not content:
                return

    def start(self, worker: str, job: dict[str, Any], resources: dict[str, float]) -> Any:
        """Give a worker a cell; the future of its answer. No other worker gets it should this one die."""
        return self.client.submit(
            cell.run_cell, job, key=job["key"], workers=[worker], allow_other_workers=False, pure=False, retries=0,
            resources=resources or None,
        )  # fmt: skip

    def result(self, future: Any) -> dict[str, Any]:
        """The answer of a task that ended."""
        with _cancelled():
            answer: dict[str, Any] = future.result(timeout=RESULT_SECONDS)
            return answer

    def cancel(self, future: Any) -> None:
        """Forget a task."""
        with suppress(Exception):
            future.cancel()

    def now(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)


@contextmanager
def _cancelled() -> Iterator[None]:
    """A question that Dask gave up is an error like any other; in asyncio it is none."""
    try:
        yield
    except asyncio.CancelledError as error:
        raise OSError(f"it was given up ({first_line(error)})") from error


def _check_answers(address: str) -> None:
    """GanvasError where nothing answers as a Dask scheduler does, which speaks first."""
    found = ADDRESS.fullmatch(address)
    assert found is not None
    protocol, host, port = found.groups()
    context = _tls_context(address) if protocol == "tls" else None
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS) as plain:
            plain.settimeout(CONNECT_SECONDS)
            with plain if context is None else context.wrap_socket(plain) as line:
                answers = line.recv(1)
    except ssl.SSLError as error:
        raise _tls_failed(address, first_line(error)) from error
    except TimeoutError:
        answers = b""
    except OSError as error:
        raise GanvasError(
            f"no scheduler answers at {address} ({error.strerror or error}): start one with `dask scheduler`, or check "
            "address and firewall"
        ) from error
    if not answers:
        raise GanvasError(
            f"what is at {address} does not answer as a Dask scheduler: check port and protocol (tcp or tls)"
        )


def _tls_context(address: str) -> ssl.SSLContext:
    from distributed.security import Security

    try:
        context: ssl.SSLContext | None = Security().get_connection_args("client").get("ssl_context")
    except Exception as error:
        raise _tls_failed(address, first_line(error)) from error
    if context is None:
        raise _tls_failed(address, "no certificates are set")
    return context


def _tls_failed(address: str, why: str) -> GanvasError:
    return GanvasError(
        f"TLS with the scheduler at {address} failed ({why}): set distributed.comm.tls to the certificates that the "
        "cluster uses (docs/experiments-on-a-cluster.md)"
    )
