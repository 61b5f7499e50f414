"""The toys of the pages that are open, in memory: few, and the one that was used longest ago goes first."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock

from ganvas.ui.house import MissingError
from ganvas.ui.rooms.learn.toy import Toy

MOST = 4
"""Toys at once."""


class Toys:
    """Toys by the name that their page was given, each with a lock: one request works on a toy at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[Toy, Lock]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def keep(self, toy: Toy, name: str = "") -> str:
        """Keep a toy, in place of the one of that name if there is one; its name."""
        with self._lock:
            name = name if name in self._known else secrets.token_urlsafe(12)
            self._known[name] = toy, Lock()
            self._known.move_to_end(name)
            while len(self._known) > MOST:
                self._known.popitem(last=False)
            return name

    def get(self, name: object) -> tuple[Toy, Lock]:
        """The toy of that name and its lock. MissingError where it has gone."""
        with self._lock:
            if not isinstance(name, str) or name not in self._known:
                raise MissingError(f"this toy has gone: {MOST} are kept, and other pages began theirs later")
            self._known.move_to_end(name)
            return self._known[name]
