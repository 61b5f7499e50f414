"""`ganvas ui` as a function: checks what was asked for, then serves."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from pathlib import Path

from ganvas import i18n
from ganvas.errors import TYPED, UsageError, command, option

LOCAL = ("127.0.0.1", "localhost", "::1")
LEAST_PASSWORD = 8
"""Characters."""


def ui(
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
    """Serve the runs below `root` as web pages until it is interrupted (Ctrl+C).

    `port`: None takes the first free one from 8642 on. `data`: pictures or arrays of yours that trainings may be
    started on, beside the known sets. `experiments`: the folder of experiments (default: `experiments` beside `root`).
    A `host` that others can reach needs a `password`. Trainings that were started here are saved and stopped when it
    ends. Raises UsageError for what cannot be right, GanvasError where the extra [ui] is missing.
    """
    if missing := [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]:
        raise UsageError(f"ganvas ui needs {' and '.join(missing)}: pip install 'ganvas[ui]'")
    i18n.load(lang)
    if port is not None and not 0 < port < 65536:
        raise UsageError(f"{option(f'--port {port}')}: it must be 1 to 65535")
    if host not in LOCAL and password is None:
        how = "--password-file FILE, or the environment variable GANVAS_UI_PASSWORD"
        raise UsageError(
            f"{option(f'--host {host}')}: others can reach it, so it needs a password: "
            f"{how if TYPED.get() else 'password='}"
        )
    if password is not None and len(password) < LEAST_PASSWORD:
        raise UsageError(f"the password has {len(password)} characters: take {LEAST_PASSWORD} or more")
    folder = Path(root)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is no folder: name the one that holds your runs ({command('ui', 'runs')})")
    if (folder / "config.json").is_file():
        raise UsageError(f"{folder} is one run: name the folder that holds it ({command('ui', folder.parent)})")
    for path in data:
        if not Path(path).exists():
            raise UsageError(f"{option('--data')} {path}: there is no such file or folder")

    from ganvas.ui.house import House
    from ganvas.ui.server import serve

    house = House(
        folder, lang=lang, data=[Path(path) for path in data],
        experiments=Path(experiments) if experiments is not None else None,
    )  # fmt: skip
    serve(house, host, port, password, browser)
