"""The browser of the tests: the distribution's Chromium, from PATH or unpacked beside the environment by
tools/chromium.sh."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
PHONE = {"width": 360, "height": 740}


def chromium() -> str | None:
    """The browser on PATH, or the one that tools/chromium.sh unpacked beside this Python; None without one."""
    unpacked = Path(sys.prefix) / "chromium" / "chromium"
    found = (path for path in map(shutil.which, NAMES) if path)
    return next(found, str(unpacked) if unpacked.exists() else None)
