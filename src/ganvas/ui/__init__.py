"""`ganvas ui`: the runs of a folder in a browser, trainings that are started from there, a playground, a toy."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import ModuleType


class _Ui(ModuleType):
    """This package, which is the command `ganvas ui` as well: `ganvas.ui()` stays what it is whoever imports it."""

    def __call__(
        self,
        root: str | os.PathLike[str] = "runs",
        *,
        host: str = "127.0.0.1",
        port: int | None = None,
        lang: str = "en",
        data: Sequence[str | os.PathLike[str]] = (),
        experiments: str | os.PathLike[str] | None = None,
        password: str | None = None,
        browser: bool = True,
    ) -> None:
        """Serve the runs below `root` until it is interrupted; see `ganvas.ui.command.ui`."""
        from ganvas.ui.command import ui

        ui(
            root, host=host, port=port, lang=lang, data=data, experiments=experiments, password=password,
            browser=browser,
        )  # fmt: skip


sys.modules[__name__].__class__ = _Ui
