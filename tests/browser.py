"""The browser of the tests: the distribution's Chromium, from PATH or unpacked beside the environment by
tools/chromium.sh."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

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


def visit(
    browser: Browser, target: Path | str, near: tuple[str, ...] = (), **options: object
) -> tuple[Page, list[str]]:
    """The opened page, and everything that it complained of, or asked for besides itself and what lies `near`."""
    address = target if isinstance(target, str) else target.as_uri()
    page, troubles = browser.new_page(**options), list[str]()  # type: ignore[arg-type]

    def asked(url: str) -> None:
        if url.split("#")[0] != address and not url.startswith(("data:", *near)):
            troubles.append(f"request: {url}")

    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("request", lambda request: asked(request.url))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return page, troubles
