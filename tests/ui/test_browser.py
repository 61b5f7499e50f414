"""The pages in a real browser, as a person uses them: no console errors, no request but to this server."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from browser import PHONE
from ganvas.ui.house import House
from served import Served, serve
from synthetic import make_run

pytestmark = pytest.mark.slow
PATIENCE = 900_000  # ms, for trainings on a busy machine
FRAMES = os.environ.get("GANVAS_UI_FRAMES")
"""A folder for pictures of the tour, from which tools/ui_tour.py makes the animation of README."""
MINUTES = float(os.environ.get("GANVAS_UI_MINUTES", "1"))
"""Of each training; the tour takes longer, so that there is something to see."""
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    """A server of an empty folder, or of that of the pictures."""
    yield from serve(House(tmp_path / "runs"))


def opened(browser: Browser, served: Served, **options: object) -> tuple[Page, list[str]]:
    """A page that was let in, and all that it complains of or asks of others."""
    page, troubles = browser.new_page(**options), list[str]()  # type: ignore[arg-type]
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
    own = (served.url, "data:", "blob:")
    page.on("request", lambda request: None if request.url.startswith(own) else troubles.append(request.url))
    page.goto(served.address)
    page.wait_for_load_state("networkidle")
    return page, troubles


def wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def shoot(page: Page, name: str) -> None:
    """A picture of the tour, where one is made."""
    if FRAMES:
        page.wait_for_timeout(400)
        page.screenshot(path=Path(FRAMES) / f"{name}.png")


def order(page: Page, seed: int, minutes: float) -> str:
    """Start a training on `shapes` from the form; returns the address of its page."""
    page.get_by_role("link", name="Runs", exact=True).click()
    page.get_by_role("link", name="Start a training").click()
    page.locator("[name=recipe]").select_option("lean")
    page.locator("[name=data]").select_option("shapes")
    page.locator("[name=minutes]").fill(str(minutes))
    page.locator("[name=seed]").fill(str(seed))
    shoot(page, f"start-{seed}")
    page.get_by_role("button", name="Start training").click()
    page.wait_for_url("**/runs/*")
    return page.url


def test_train_watch_scrub_and_compare(browser: Browser | None, own: Served) -> None:
    if browser is None:
        pytest.fail("no Chromium: tools/chromium.sh unpacks one")
    page, troubles = opened(browser, own, viewport={"width": 1280, "height": 800})
    expect(page.get_by_text("No runs in this folder yet.")).to_be_visible()
    both = own.house.trainings.most > 1
    first = order(page, 0, MINUTES)
    if both:
        order(page, 1, MINUTES)
        page.goto(first)

    # it grows, without a reload
    expect(page.locator("#figures strong").first).to_be_attached(timeout=PATIENCE)
    seen, end = list[str](), time.monotonic() + PATIENCE / 1000
    while page.locator("#state").inner_text() != "finished":
        images = page.locator("#figures strong").first.inner_text()
        if images not in seen:
            seen.append(images)
            shoot(page, f"grow-{len(seen):02d}")
        page.wait_for_timeout(200)
        assert time.monotonic() < end, seen
    assert len(seen) > 1
    expect(page.locator("#charts .chart .line").first).to_be_attached()
    expect(page.get_by_role("button", name="Stop and save")).to_be_hidden()
    expect(page.locator("#process")).to_be_hidden(timeout=PATIENCE)

    # through time, by keyboard: the same place of the curves, another picture
    slider = page.get_by_label("Training progress")
    slider.press("Home")
    expect(page.locator("#moment")).to_contain_text("untrained")
    expect(page.locator("#grid")).to_have_attribute("src", "/api" + first.removeprefix(own.url) + "/samples/0")
    steps = int(slider.get_attribute("max") or 0)
    assert steps > 0 and page.evaluate("document.getElementById('grid').decode().then(() => true)")
    for step in range(steps):
        shoot(page, f"scrub-{step:02d}")
        slider.press("ArrowRight")
    shoot(page, f"scrub-{steps:02d}")
    marked = page.locator("#chart-loss .pick").get_attribute("d")
    slider.press("ArrowLeft")
    assert marked != page.locator("#chart-loss .pick").get_attribute("d")

    # a value of a curve by keyboard; notes; the whole report
    page.locator("#chart-loss .plot").press("ArrowLeft")
    expect(page.locator("#chart-loss .readout")).to_contain_text("images · D ")
    page.get_by_label("Notes").fill(f"## Keep\n{EVIL}")
    page.get_by_role("button", name="Save notes").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Notes")).to_have_value(f"## Keep\n{EVIL}")
    page.get_by_role("link", name="Whole report").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("lean on shapes")
    page.go_back()

    # two runs side by side
    if not both:
        order(page, 1, MINUTES)
    other = own.house.trainings.all[-1]
    assert other.process.wait(PATIENCE / 1000) == 0, other.line
    page.get_by_role("link", name="Runs", exact=True).click()
    shoot(page, "list")
    for training in own.house.trainings.all:  # by name: a row may move while the list is drawn again
        page.get_by_role("checkbox", name=training.name).check()
    page.get_by_role("button", name="Compare (2)").click()
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    expect(page.get_by_role("heading", name="Curves")).to_be_visible()
    expect(page.get_by_text("no verdict")).to_be_visible()
    page.get_by_label("Training progress").press("Home")
    expect(page.locator(".controls output")).to_have_text("0 % of training")
    page.get_by_label("Training progress").press("End")
    shoot(page, "compare")
    assert troubles == []
    page.close()


def test_from_the_playground_to_learn(browser: Browser | None, own: Served) -> None:
    """A shipped model by seeds, then the toy until it covers the ring."""
    if browser is None:
        pytest.fail("no Chromium: tools/chromium.sh unpacks one")
    page, troubles = opened(browser, own, viewport={"width": 1280, "height": 800})
    page.goto(f"{own.url}/play?model=cifar10-cpu-v1")
    pixels, was = "document.querySelector('#grid button canvas').toDataURL()", ""
    for seed in range(4):
        expect(page.locator("#grid button canvas").first).to_be_attached()
        end = time.monotonic() + 60
        while page.evaluate(pixels) == was:
            assert time.monotonic() < end, seed
            page.wait_for_timeout(100)
        was = page.evaluate(pixels)
        shoot(page, f"play-{seed}")
        page.click("#next")
    page.get_by_role("link", name="Learn", exact=True).click()
    expect(page.locator("#caption")).to_contain_text(re.compile(r"Update 0\D"))
    shoot(page, "learn-00")
    page.keyboard.press("Space")
    for picture in range(1, 17):
        page.wait_for_timeout(900 if FRAMES else 60)
        shoot(page, f"learn-{picture:02d}")
    page.keyboard.press("Space")
    expect(page.locator("#caption")).not_to_contain_text(re.compile(r"Update 0\D"))
    assert troubles == []
    page.close()


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_opens_clean_on_a_phone(
    browser: Browser | None, served: Served, runs: Path, lang: str, scheme: str
) -> None:
    if browser is None:
        pytest.fail("no Chromium: tools/chromium.sh unpacks one")
    if not (runs / "0003").exists():
        shutil.copytree(runs / "0001-colour", runs / "0003")
        make_run(runs / EVIL, rows=5, grids=2, tiles=4, epochs=1, classes=(EVIL, "b"))
        (runs / "broken").mkdir()
        (runs / "broken" / "config.json").write_text("{")
    page, troubles = opened(browser, served, viewport=PHONE, color_scheme=scheme)
    rooms = ["/", "/start", "/runs/0001-colour", "/runs/0002-grey", "/compare", "/experiments",
             "/compare?run=0001-colour&run=0003", "/runs/%3Cimg%20src=x%20onerror=alert(1)%3E"]  # fmt: skip
    for room in rooms:
        page.goto(f"{served.url}{room}{'&' if '?' in room else '?'}lang={lang}")
        page.wait_for_load_state("networkidle")
        assert not wide(page), room
        assert page.evaluate("document.documentElement.lang") == lang
        assert page.locator("#trouble").is_hidden(), page.locator("#trouble").inner_text()
        assert "lang=" not in page.url
        named = page.evaluate(
            "[...document.querySelectorAll('input, select, textarea, button')].filter((e) => !e.labels?.length && "
            "!e.getAttribute('aria-label') && !e.textContent.trim() && e.offsetParent).length"
        )
        assert named == 0, room
    assert troubles == []
    page.close()


def test_a_reader_chooses_the_colours(browser: Browser | None, served: Served) -> None:
    if browser is None:
        pytest.fail("no Chromium: tools/chromium.sh unpacks one")
    page, troubles = opened(browser, served, color_scheme="dark")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    dark = page.evaluate(paper)
    button = page.locator("#theme")
    button.click()
    assert page.evaluate(paper) == "rgb(251, 250, 247)" != dark
    page.reload()
    assert page.evaluate(paper) == "rgb(251, 250, 247)"
    button.click()
    assert page.evaluate(paper) == dark
    assert "token" not in page.url and troubles == []
    page.close()


def test_it_says_when_the_server_is_gone_and_comes_back(browser: Browser | None, served: Served, runs: Path) -> None:
    if browser is None:
        pytest.fail("no Chromium: tools/chromium.sh unpacks one")
    page, _ = opened(browser, served)
    page.route("**/api/runs", lambda route: route.abort())
    expect(page.locator("#trouble")).to_contain_text("does not answer", timeout=20_000)
    page.unroute("**/api/runs")
    expect(page.locator("#trouble")).to_be_hidden(timeout=20_000)
    page.close()
