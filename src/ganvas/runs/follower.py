"""A run as ranks other than 0 have it: what rank 0 read from its folder, which may be on another machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from ganvas.runs.run import Checkpoint, Run

FILES = ("config.json", "data.json")


class Follower(Run):
    """Knows the files that it is given, and no folder: what it is told to write is written by rank 0."""

    def __init__(self, path: str, files: Mapping[str, dict[str, Any]]) -> None:
        super().__init__(path)
        self.files = files

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Self:
        """From what `facts_of` gave, elsewhere."""
        return cls(facts["path"], facts["files"])

    def read_json(self, name: str) -> dict[str, Any]:
        return self.files[name]

    def rows(self, log: str) -> list[dict[str, Any]]:
        return []

    def latest_checkpoint(self) -> tuple[Checkpoint | None, list[str]]:
        return None, []

    def append(self, log: str, row: Mapping[str, Any]) -> None:
        pass

    def write_bytes(self, name: str, content: bytes) -> Path:
        return self.path / name

    def save_checkpoint(self, nimg: int, tensors: Mapping[str, bytes], state: Mapping[str, Any]) -> None:
        pass

    def drop_after(self, nimg: int) -> None:
        pass

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield


def facts_of(run: Run) -> dict[str, Any]:
    """What a follower needs of a run, as a JSON value."""
    return {"path": str(run.path), "files": {name: run.read_json(name) for name in FILES}}
