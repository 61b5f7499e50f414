"""The documentation: every page is in the navigation, every link and place exists, and the site works from disk."""

from __future__ import annotations

import doctest
import re
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

import ganvas
from browser import PHONE
from browser import visit as opened

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from docsite import api, build, links, notebooks, pages

ROOT = pages.ROOT
PAGES = [*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")]
KEYS = {"en": ("ko/index.html", "collapse"), "ko": ("../index.html", "판별자")}
"""Language -> where its link to the other language leads from the first page, and a word to search for."""


def slug(heading: str) -> str:
    """The place that GitHub gives a heading."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def places(path: Path) -> set[str]:
    text = re.sub(r"^(```+).*?^\1$", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}


# -- the pages as they are ---------------------------------------------------------------------------------------


def test_every_page_is_in_the_navigation_once() -> None:
    listed = [page for groups in pages.navigation().values() for found in groups.values() for page in found]
    written = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert sorted(listed) == sorted(
        {*written, "CONTRIBUTING.md", "CHANGELOG.md"} - {"docs/index.md", "docs/ko/index.md"}
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_places_on_github(path: Path) -> None:
    """Links lead to files of the repository, their places to headings of those."""
    bad: list[str] = []

    def look(link: str) -> str:
        name, _, place = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if "://" in link or link.startswith("mailto:"):
            return link
        if not target.exists() or (place and target.suffix == ".md" and place not in places(target)):
            bad.append(link)
        return link

    pages.relinked(path.read_text("utf-8"), look)
    assert bad == []


def test_places_in_the_site() -> None:
    assert doctest.testmod(pages) == (0, 2)


def test_links_in_sources_stay() -> None:
    page = "[a](x)\n\n````python\n# ``` [b](x)\n```\n[c](x)\n````\n[d](x)"
    assert pages.relinked(page, lambda link: "y") == page.replace("[a](x)", "[a](y)").replace("[d](x)", "[d](y)")


def test_code_is_that_of_the_source() -> None:
    text = pages.markdown("docs/step.md")
    source = (ROOT / "src/ganvas/training/step.py").read_text("utf-8")
    blocks = re.findall(r"^```python\n(.*?)\n```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    assert all(block in source for block in blocks)
    assert blocks[0].startswith("def simultaneous(")


def test_the_api_page_has_every_public_name() -> None:
    text = api.markdown()
    assert set(re.findall(r"^### ganvas\.(\w+)$", text, re.MULTILINE)) == set(ganvas.__all__)
    assert "#### GAN.fit\n\n```python\nGAN.fit(" in text
    assert "Train a recipe, write its report, and return its run directory." in text
    assert ">>> ganvas.load(run.path).sample(16).shape" in text


def test_a_notebook_becomes_a_page() -> None:
    text = """{"cells": [
        {"cell_type": "markdown", "source": ["# One\\n", "two"]},
        {"cell_type": "code", "source": ["1 < 2"], "outputs": [
            {"data": {"text/plain": ["True"]}}, {"data": {"image/png": "QUJD\\n", "text/plain": ["<Figure>"]}},
            {"text": ["a < b\\n"]}]},
        {"cell_type": "code", "source": [], "outputs": []}]}"""
    assert notebooks.markdown(text) == (
        "# One\ntwo\n\n```python\n1 < 2\n```\n\n"
        '<pre class="output">True</pre>\n\n<img alt="" src="data:image/png;base64,QUJD">\n\n'
        '<pre class="output">a &lt; b</pre>\n'
    )


def test_faults_of_a_site_are_found(tmp: Path) -> None:
    (tmp / "a.html").write_text(
        '<p id="here"><a href="b.html#there">x</a><a href="c.html">x</a><a href="#nowhere">x</a>'
        '<a href="https://example.org">x</a><img src="https://example.org/x.png"><a href="../up.html">x</a>'
    )
    (tmp / "b.html").write_text('<h2 id="there"><script src="//example.org/x.js"></script><a href="a.html#here">x</a>')
    assert [*links.faults(tmp)] == [
        "a.html: c.html leads nowhere",
        "a.html: #nowhere has no such place",
        "a.html: loads https://example.org/x.png",
        "a.html: ../up.html leads nowhere",
        "b.html: loads //example.org/x.js",
    ]


# -- the site ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site; warnings are errors, and every link of it was followed."""
    folder = tmp_path_factory.mktemp("site")
    build.build(folder / "site", folder / "work")
    return folder / "site"


def visit(browser: Browser, address: str, **options: object) -> tuple[Page, list[str]]:
    """As tests/browser.py; files of the site are the page's own."""
    return opened(browser, address, near=("about:", address.split("/site/")[0]), **options)


def search(page: Page, word: str) -> str:
    """The first hit's words after a search by hand; hits change with every letter, so those of the whole word."""
    page.locator(".md-search__button").click()
    page.keyboard.type(word)
    hit = page.locator("mark", has_text=word).first
    hit.wait_for(timeout=20_000)
    return hit.inner_text().casefold()


@pytest.mark.slow
def test_both_languages_are_built(site: Path) -> None:
    for lang, folder in (("en", site), ("ko", site / "ko")):
        names = [page for found in pages.navigation()[lang].values() for page in found]
        assert all((folder / Path(name).with_suffix(".html").name).is_file() for name in names)
        assert f'<html lang="{lang}"' in (folder / "index.html").read_text("utf-8")
    step = (site / "step.html").read_text("utf-8")
    assert "retain_graph" in step and "<!-- code" not in step


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("lang", ["en", "ko"])
def test_it_works_from_disk(site: Path, browser: Browser | None, lang: str, scheme: str) -> None:
    """Opened as a file without a network: nothing of another host, no errors, and the search finds a word."""
    if browser is None:
        return
    other, word = KEYS[lang]
    start = (site if lang == "en" else site / "ko") / "index.html"
    page, troubles = visit(browser, start.as_uri(), color_scheme=scheme, offline=True)
    assert page.evaluate("[...document.images].filter((i) => !i.complete || !i.naturalWidth).length") == 0
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper)[:3])) > 600) == (scheme == "light")
    assert page.locator("a.other").get_attribute("href") == other
    assert word in search(page, word)
    assert troubles == []
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["index", "curves", "tricks", "metrics", "ko/index", "ko/curves", "ko/metrics", "api", "step"]
)
def test_pages_fit_a_phone(site: Path, browser: Browser | None, name: str) -> None:
    if browser is None:
        return
    page, troubles = visit(browser, (site / f"{name}.html").as_uri(), viewport=PHONE, offline=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert troubles == []
    page.close()


@pytest.mark.slow
def test_the_other_language_is_a_click_away(site: Path, browser: Browser | None) -> None:
    if browser is None:
        return
    page, troubles = visit(browser, (site / "curves.html").as_uri(), offline=True)
    page.locator("a.other").click()
    page.wait_for_url("**/ko/curves.html")
    assert page.locator("h1").inner_text().startswith("곡선 읽기")
    page.locator("a.other").click()
    page.wait_for_url("**/site/curves.html")
    assert troubles == []
    page.close()


class Quiet(SimpleHTTPRequestHandler):
    """A server that does not print."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.slow
def test_the_search_works_on_a_server_too(site: Path, browser: Browser | None) -> None:
    if browser is None:
        return
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page, troubles = visit(browser, f"http://127.0.0.1:{server.server_port}/site/index.html")
        assert "collapse" in search(page, "collapse")
        page.close()
        server.shutdown()
    assert troubles == []
