"""A section is one object: the page shows it in its place, with its sentences, if it applies to the run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ganvas import i18n
from ganvas.i18n import Translator
from ganvas.reports import section
from ganvas.reports.facts import Facts
from ganvas.reports.section import Section
from ganvas.runs.run import Run
from report_page import page
from synthetic import make_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("runs") / "0001-small", rows=60, grids=2, tiles=16)


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Sections and sentences that a test registers are forgotten after it."""
    monkeypatch.setattr(section, "SECTIONS", dict(section.SECTIONS))
    kept = {lang: dict(i18n._sentences(lang)) for lang in i18n.languages()}
    yield
    for lang, sentences in kept.items():
        i18n._sentences(lang).clear()
        i18n._sentences(lang).update(sentences)


def seed(facts: Facts, say: Translator) -> dict[str, Any] | None:
    return {"seed": facts.config.seed} if facts.grids else None


def extra(order: int = 15) -> Section:
    sentences = {lang: {"section.extra": "Extra <{seed}>", "extra.text": "n = {n}"} for lang in ("en", "ko")}
    return Section("extra", order, "section.extra", seed, '<p>{{ say("extra.text", n=seed) }}</p>', sentences)


def ids(run: Run) -> list[str | None]:
    return [tag.get("id") for tag in page(run).all("section")]


def test_the_order_of_the_page(run: Run) -> None:
    assert ids(run) == ["samples", "real", "quality", "doctor", "trend", "curves", "flow", "ran", "rubric", "points",
                        "notes", "events"]  # fmt: skip


def test_a_new_section_stands_in_its_place_with_its_sentences(run: Run, registry: None) -> None:
    section.register(extra())
    assert ids(run)[:3] == ["samples", "extra", "real"]
    assert "Extra <0> n = 0" in page(run, "ko").text


def test_a_section_that_does_not_apply_is_left_out(tmp_path: Path, registry: None) -> None:
    section.register(extra())
    assert "extra" not in ids(make_run(tmp_path / "0001-bare", rows=0, grids=0, end=None, evals="none"))


def test_a_name_is_registered_once(registry: None) -> None:
    section.register(extra())
    with pytest.raises(ValueError, match="section 'extra' exists already"):
        section.register(extra(99))
