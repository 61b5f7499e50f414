"""Every Korean page says the same as its English twin, as far as headings, code, links, pictures and figures tell."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KOREAN = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs" / "ko").glob("*.md"))
PAIRS = [(name.replace("docs/ko/", "docs/"), name) for name in KOREAN]
PAIRS += [("README.md", "README.ko.md")] if (ROOT / "README.ko.md").is_file() else []
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]*)(?:#[^)\s]*)?\)")
FIGURE = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?(?:e-?\d+)?")


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def levels(text: str) -> list[int]:
    """Level of each heading, in order."""
    return [len(marks) for marks in re.findall(r"^(#+) ", BLOCK.sub("", text), re.MULTILINE)]


def code(text: str) -> list[str]:
    """The blocks of code without their comments, and the words in backquotes, which may stand in another order."""
    blocks = [re.sub(r"\s+# .*$", "", block, flags=re.MULTILINE) for block in BLOCK.findall(text)]
    return blocks + sorted(re.findall(r"`([^`\n]+)`", BLOCK.sub("", text)))


def links(name: str, text: str) -> Counter[str]:
    """Where the links lead, as paths of the repository; a Korean page or notebook counts as its twin."""
    found = [link for link in LINK.findall(BLOCK.sub("", text)) if link]
    places = (
        link if "://" in link else posixpath.normpath(posixpath.join(posixpath.dirname(name), link)) for link in found
    )
    twins = {korean: english for english, korean in PAIRS}
    return Counter(twins.get(place, place).replace("course/ko/", "course/en/") for place in places)


def figures(text: str) -> Counter[str]:
    """Every number of the text but 0 to 9, which are words as often."""
    plain = re.sub(r"\]\([^)]*\)", "]", BLOCK.sub("", text))
    found = FIGURE.findall(re.sub(r"`[^`\n]+`", "", plain))
    return Counter(number for number in found if len(number) > 1)


@pytest.mark.parametrize(("english", "korean"), PAIRS, ids=[korean for _, korean in PAIRS])
def test_both_languages_say_the_same(english: str, korean: str) -> None:
    one, other = read(english), read(korean)
    assert levels(other) == levels(one)
    assert code(other) == code(one)
    assert links(korean, other) == links(english, one)
    assert figures(other) == figures(one)


@pytest.mark.parametrize(("english", "korean"), PAIRS, ids=[korean for _, korean in PAIRS])
def test_they_are_linked_from_each_other(english: str, korean: str) -> None:
    for name, other, word in ((english, korean, "한국어"), (korean, english, "English")):
        link = posixpath.relpath(other, posixpath.dirname(name) or ".")
        assert f"\n[{word}]({link})\n" in read(name)[:400], name
