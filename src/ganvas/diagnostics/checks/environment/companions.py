"""torchvision and torchaudio, if they are installed but do not import beside this torch."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import TIMEOUT, Installation, last_line

COMPANIONS = ("torchvision", "torchaudio")
"""Packages that must be built for exactly the torch beside them."""


def examine(installation: Installation) -> Iterator[Result]:
    """A result for each package that fails to import."""
    for name in COMPANIONS:
        if why := import_error(name):
            version = next((found.version for found in importlib.metadata.distributions(name=name)), "?")
            yield Result("companion", "advice", {"name": name, "version": version, "why": why})


def import_error(name: str) -> str:
    """Why a package does not import; empty if it does, or is not installed. Tried in a process of its own, because a
    broken library may end the process."""
    if importlib.util.find_spec(name) is None:
        return ""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "ignore", "-c", f"import {name}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer in {TIMEOUT:.0f} s"
    return last_line(done.stderr) or f"exit status {done.returncode}" if done.returncode else ""


SENTENCES = {
    "en": {
        "companion.advice": "{name} {version} does not import beside this torch: {why}. ganvas does not need it: `pip "
        "uninstall {name}`, or install the release that belongs to this torch.",
    },
    "ko": {
        "companion.advice": "{name} {version}을(를) 현재 torch와 함께 불러올 수 없습니다: {why}. ganvas에는 필요하지 "
        "않으니 `pip uninstall {name}`로 지우거나, 이 torch에 맞는 버전을 설치하면 됩니다.",
    },
}

register_check(Check("companions", "env", 70, examine, SENTENCES))
