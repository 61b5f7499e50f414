"""Sentences of parts reach the translator, and no key has two meanings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ganvas import i18n


@pytest.fixture(autouse=True)
def own_sentences() -> Iterator[None]:
    """Forget what a test registers."""
    kept = {lang: dict(i18n._sentences(lang)) for lang in i18n.languages()}
    yield
    for lang, sentences in kept.items():
        i18n._sentences(lang).clear()
        i18n._sentences(lang).update(sentences)


def test_a_part_adds_its_sentences() -> None:
    i18n.add("en", {"test.part": "{count} parts"})
    assert i18n.load("en")("test.part", count=3) == "3 parts"
    assert "test.part" not in i18n.load("ko")


def test_a_key_is_registered_once() -> None:
    i18n.add("ko", {"test.part": "가"})
    with pytest.raises(ValueError, match=r"registered twice \(ko\): test.part"):
        i18n.add("ko", {"test.other": "나", "test.part": "나"})
    assert "test.other" not in i18n.load("ko")
    with pytest.raises(ValueError, match=r"trend\.none"):
        i18n.add("en", {"trend.none": "again"})
