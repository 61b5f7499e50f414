"""A real server in a thread with a folder of small runs; the browser is in tests/conftest.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ganvas.ui.house import House
from served import Served, serve
from synthetic import make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of small runs: colour with classes, grey and unfinished. A module's own."""
    folder = tmp_path_factory.mktemp("ui") / "runs"
    make_run(folder / "0001-colour", rows=60, grids=5, tiles=16, classes=("cat", "dog"))
    grey = {"shape": (1, 28, 28), "epochs": 2, "rows": 20, "grids": 2, "tiles": 16}
    make_run(folder / "0002-grey", recipe="fashion-dcgan", end=None, **grey)
    return folder


@pytest.fixture(scope="module")
def house(runs: Path) -> House:
    """What the server of a module shows."""
    return House(runs)


@pytest.fixture(scope="module")
def served(house: House) -> Iterator[Served]:
    """The server of a module, with `get` and `post` that were let in."""
    yield from serve(house)
