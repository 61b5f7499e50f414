"""Every room opens, in every language and theme; what is wrong is one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganvas.ui import pages, words
from served import Served


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("room", pages.ROOMS)
def test_a_room_opens(served: Served, room: str, lang: str) -> None:
    found = served.get(f"{pages.ROOMS[room]}?lang={lang}")
    assert found.status == 200 and found.headers["content-type"].startswith("text/html")
    assert f'<html lang="{lang}"' in found.text
    current = re.findall(r'<a href="([^"]+)" aria-current="page">', found.text)
    assert current == [pages.ROOMS[room]]
    assert not re.findall(r"<script(?![^>]*(?:src|type=.application/json))|<style| style=| on\w+=", found.text)


def test_language_and_theme_are_kept(served: Served) -> None:
    first = served.get("/?lang=ko")
    assert "ganvas-lang=ko" in first.headers["set-cookie"]
    assert '<html lang="ko" data-theme="dark"' in served.get("/", **{"ganvas-lang": "ko", "ganvas-theme": "dark"}).text
    assert '<html lang="en">' in served.get("/?lang=xx", **{"ganvas-theme": "pink"}).text


def test_both_languages_have_the_same_sentences_with_the_same_blanks() -> None:
    en, ko = words.SENTENCES["en"], words.SENTENCES["ko"]
    blanks = {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in en.items()}
    assert {key: sorted(re.findall(r"\{\w+\}", text)) for key, text in ko.items()} == blanks


def test_what_is_not_there_is_one_line(served: Served) -> None:
    found = served.get("/nothing/of/ours")
    assert found.status == 404 and "<h1>Not found</h1>" in found.text
    assert served.get("/api/nothing").json.keys() == {"error"}
    assert served.get(f"/static/{pages.version()}/report.css").headers["content-type"].startswith("text/css")
    assert served.get(f"/static/{pages.version()}/nothing.css").status == 404
    assert served.get("/static/old/ui.css").status == 404


def test_themes_are_the_colours_of_the_report() -> None:
    content, _ = pages.static_files()["themes.css"]
    light, dark, *charts = content.decode().split(':root[data-theme="')[1:]
    assert all("--s7:" in rules for rules in charts) and len(charts) == 2
    assert "--paper: #fbfaf7" in light and "--paper: #14151a" in dark
    assert content.count(b"--accent:") == 2 and content.count(b"color-scheme:") == 4


def test_every_sentence_of_ours_is_used() -> None:
    folder = Path(pages.__file__).parent
    files = [path for path in folder.rglob("*.*") if path.suffix in (".html", ".js", ".py") and path.name != "words.py"]
    code = "".join(path.read_text("utf-8") for path in files)
    unused = []
    for key in words.SENTENCES["en"]:
        family = re.escape(key.rpartition(".")[0] + ".")
        if not re.search(rf"""["'`]({re.escape(key)}["'`]|{family}(["'`]\s*~|\$\{{))""", code):
            unused.append(key)
    assert unused == []
