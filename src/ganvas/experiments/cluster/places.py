"""The workers of a cluster, as an experiment sees them: which can be used, and why the others cannot."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

import ganvas
from ganvas.errors import GanvasError, first_line
from ganvas.experiments import progress
from ganvas.experiments.cluster import cell as remote
from ganvas.experiments.cluster.link import Facts, Link

Greeting = tuple[dict[str, str], dict[str, bytes]]
"""Who a worker is, and the runs of this experiment that it still has."""

GREETINGS = 3
"""Times that a worker is greeted before it is given up."""
NO_GANVAS = ("ModuleNotFoundError", "ImportError", "AttributeError")
"""What a worker says that cannot find the function it is asked for; Dask gives it back as text."""


@dataclass
class Place:
    """A worker. `why_not`: the reason that it is not used; None while it has not answered."""

    address: str
    facts: Facts
    why_not: str | None = None
    host: str = ""
    greeting: Future[Greeting] | None = None
    has: set[str] = field(default_factory=set)
    """SHA-256 of the images that it was sent."""
    sending: threading.Lock = field(default_factory=threading.Lock)
    """Held while images are sent: two cells may need the same."""
    cells: int = 0

    @property
    def name(self) -> str:
        """What a line calls it."""
        return f"worker {self.address} on {self.host}" if self.host else f"worker {self.address}"

    def free(self, threads: int, gpu: bool) -> int:
        """Cells that it can take now: as many as its threads, its `cpu` and, where one is needed, its `gpu` allow."""
        most = self.facts.threads // threads
        if "cpu" in self.facts.resources:
            most = min(most, int(self.facts.resources["cpu"]) // threads)
        if gpu:
            most = min(most, int(self.facts.resources.get("gpu", 0)))
        return most - self.cells


class Places:
    """The workers by address. `on_left(place, runs)` gets the runs that a client which was killed left there."""

    def __init__(
        self, link: Link, experiment: str, pool: Executor, on_left: Callable[[Place, dict[str, bytes]], None]
    ) -> None:
        self.link, self.experiment, self.pool, self.on_left = link, experiment, pool, on_left
        self.all: dict[str, Place] = {}
        self.unanswered: dict[str, int] = {}

    def look(self) -> list[Place]:
        """Greet workers that are new; those that are gone. LostError where the scheduler does not answer."""
        found = self.link.workers()
        gone = [self.all.pop(address) for address in self.all.keys() - found.keys()]
        for address, facts in found.items():
            if address not in self.all:
                self.all[address] = Place(address, facts, greeting=self.pool.submit(self._greet, address))
        for place in list(self.all.values()):
            if place.greeting is not None and place.greeting.done():
                self._greeted(place)
        return gone

    def usable(self) -> list[Place]:
        """Those that may be given cells."""
        return [place for place in self.all.values() if place.why_not == ""]

    def refuse(self, place: Place, why: str) -> None:
        """Use a worker no more."""
        place.why_not = why
        progress.print_line(f"{place.name} {why}; it is not used")

    def _greet(self, address: str) -> Greeting:
        about = self.link.ask(address, remote.about)
        same = (about["version"], about["code"]) == (ganvas.__version__, remote.code_digest())
        return about, self.link.ask(address, remote.leave, self.experiment) if same else {}

    def _greeted(self, place: Place) -> None:
        assert place.greeting is not None
        greeting, place.greeting = place.greeting, None
        try:
            about, left = greeting.result()
        except Exception as error:
            self.unanswered[place.address] = self.unanswered.get(place.address, 0) + 1
            if any(kind in repr(error) for kind in NO_GANVAS):
                self.refuse(place, f"has no ganvas {ganvas.__version__} ({first_line(error)}): install it there")
            elif self.unanswered[place.address] < GREETINGS:
                self.all.pop(place.address)  # if it is still there, it is greeted again
            else:
                self.refuse(place, f"does not answer ({first_line(error)})")
            return
        place.host = about["host"]
        version, code = ganvas.__version__, remote.code_digest()
        if (about["version"], about["code"]) != (version, code):
            theirs = f"{about['version']} (code {about['code'][:8]})"
            self.refuse(place, f"has ganvas {theirs}, not {version} (code {code[:8]}): install the same there")
            return
        place.why_not = ""
        self.on_left(place, left)

    def check_any(self, fits: Callable[[Place], bool], needs: str) -> bool:
        """Whether a worker is there or about to be; GanvasError where those that are there cannot be used."""
        if any(place.why_not is None or (place.why_not == "" and fits(place)) for place in self.all.values()):
            return True
        if self.all:
            reasons = [f"{place.name} {place.why_not or f'has not {needs}'}" for place in self.all.values()]
            more = f"; and {len(reasons) - 3} more" if len(reasons) > 3 else ""
            raise GanvasError(f"no worker at {self.link.address} can be used: {'; '.join(reasons[:3])}{more}")
        return False
