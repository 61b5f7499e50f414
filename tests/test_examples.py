"""The examples in docstrings do what they show."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
SLOW = {"ganvas.api"}
"""Modules whose examples take more than about 3 seconds."""


def module_name(path: Path) -> str:
    """ganvas.reports for src/ganvas/reports/__init__.py."""
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix(".__init__")


NAMES = [module_name(path) for path in sorted(SRC.rglob("*.py")) if ">>> " in path.read_text("utf-8")]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in SLOW)) for name in NAMES])
def test_examples(name: str, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example runs with `tmp`, an empty folder, as its name for a place to write."""
    monkeypatch.chdir(tmp)
    monkeypatch.setattr("ganvas.training.backend.cores", lambda: 1)
    examples = [test for test in doctest.DocTestFinder().find(importlib.import_module(name)) if test.examples]
    assert examples
    for test in examples:
        report: list[str] = []
        test.globs["tmp"] = tmp / test.name
        doctest.DocTestRunner().run(test, out=report.append)
        assert not report, "".join(report)


def test_the_public_functions_have_examples() -> None:
    assert "ganvas.api" in NAMES
