"""Run directories: the only thing that training leaves and that everything after it reads."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ganvas.notebook.views import Table


class _Runs(ModuleType):
    """This package, which is the command `ganvas runs` as well: `ganvas.runs()` stays what it is whoever imports it."""

    def __call__(self, root: str | Path = "runs", *, prune: bool = False) -> Table:
        """The runs below a folder, as a table: recipe, data, seed, images seen, state, size in bytes.

        `prune` first deletes all but the last and the selected checkpoint of those that are finished.
        """
        from ganvas.notebook.commands import runs

        return runs(root, prune=prune)


sys.modules[__name__].__class__ = _Runs
