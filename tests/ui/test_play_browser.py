"""The Playground as a visitor uses it, in a real browser."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from browser import PHONE
from conftest import trained
from ganvas.ui.house import House
from served import serve

pytestmark = pytest.mark.slow
SHOTS = os.environ.get("GANVAS_SHOTS")
"""A folder for pictures of the pages, to look at."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    root = tmp_path_factory.mktemp("play") / "runs"
    trained(root / "0001-tiny", {"data.labels": "use", "step.ema_kimg": 0.1, "data.limit": 400, "budget.kimg": 6.0})
    yield from serve(House(root))


@pytest.fixture
def opened(browser, served):
    """A page that was let in, and what it complained of or asked for elsewhere."""

    def go(path: str, **options):
        context = browser.new_context(**options)
        page, troubles = context.new_page(), []
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        elsewhere = (served.url, "data:", "blob:")
        page.on("request", lambda r: r.url.startswith(elsewhere) or troubles.append(f"request: {r.url}"))
        page.goto(f"{served.url}{path}{'&' if '?' in path else '?'}token={served.guard.token}")
        page.wait_for_selector("#grid button canvas")
        page.wait_for_selector(".slider")
        page.wait_for_load_state("networkidle")
        return page, troubles

    return go


def shot(page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def until(page, function: str, arg: object = None) -> None:
    """Wait until a function of the page is true; Playwright's own way needs eval, which the page's policy forbids."""
    end = time.monotonic() + 60
    while not page.evaluate(function, arg):
        assert time.monotonic() < end, function
        page.wait_for_timeout(50)


def pixels(page, selector: str) -> str:
    return page.evaluate("(s) => document.querySelector(s).toDataURL()", selector)


def test_a_visitor_plays(opened, tmp_path):
    page, troubles = opened("/play?model=0001-tiny", accept_downloads=True)
    first = "#grid button canvas"
    assert page.locator("#grid button").count() == 40

    # a class, a seed and back
    page.select_option("#class", label="star")
    until(page, "() => document.querySelectorAll('#grid button').length == 24")
    start = pixels(page, first)
    page.click("#next")
    until(page, "([s, was]) => document.querySelector(s).toDataURL() != was", arg=[first, start])
    page.click("#before")
    until(page, "([s, was]) => document.querySelector(s).toDataURL() == was", arg=[first, start])

    # a slider by keyboard, another method, reset: the images that were there
    page.focus("#move-sefa-0")
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    until(page, "([s, was]) => document.querySelector(s).toDataURL() != was", arg=[first, start])
    page.check("input[value=ganspace]")
    page.wait_for_selector("#move-ganspace-0")
    assert "%" in page.locator(".slider small").first.inner_text()
    page.click("#reset")
    until(page, "([s, was]) => document.querySelector(s).toDataURL() == was", arg=[first, start])

    # the weights of G itself
    page.select_option("#weights", "raw")
    until(page, "([s, was]) => document.querySelector(s).toDataURL() != was", arg=[first, start])
    page.select_option("#weights", "ema")

    # another image by keyboard, its logit and its neighbours
    page.locator("#grid button").first.focus()
    page.keyboard.press("ArrowRight")
    until(page, "() => /D's logit: [−\\d]/.test(document.getElementById('chosen-facts').textContent)")
    assert "image 1" in page.locator("#chosen-facts").inner_text()
    page.click("#near")
    page.wait_for_selector("#neighbours .near canvas")
    assert page.locator("#neighbours .near canvas").count() == 8

    # a walk, seen and saved
    page.select_option("#to-class", label="ring")
    page.click("#go")
    page.wait_for_selector("#walking:not([hidden])")
    until(page, "() => document.getElementById('film').width == 16")
    was = pixels(page, "#film")
    until(page, "(was) => document.getElementById('film').toDataURL() != was", arg=was)
    with page.expect_download() as saved:
        page.click("#webp")
    saved.value.save_as(tmp_path / "walk.webp")
    assert (tmp_path / "walk.webp").read_bytes()[:4] == b"RIFF"
    page.click("#go")

    # a drawing, and D's logits of it
    page.locator("#paper").scroll_into_view_if_needed()
    box = page.locator("#paper").bounding_box()
    page.mouse.move(box["x"] + 80, box["y"] + 60)
    page.mouse.down()
    for dx, dy in ((180, 60), (180, 200), (100, 220)):
        page.mouse.move(box["x"] + dx, box["y"] + dy, steps=4)
    page.mouse.up()
    page.wait_for_selector("#logits tr.most")
    assert page.locator("#logits tbody tr").count() == 10
    assert "280 × 280 resized to 16 × 16" in page.locator("#done").inner_text()
    shot(page, "wide")
    assert troubles == []


@pytest.mark.parametrize("model", ["0001-tiny", "cifar10-cpu-v1", "fashion-mnist-cpu-v2"])
def test_it_is_readable_on_a_phone_in_korean_and_dark(opened, model):
    page, troubles = opened(f"/play?model={model}&lang=ko", viewport=PHONE, color_scheme="dark")
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0
    assert page.locator("#why").is_visible() == (model == "cifar10-cpu-v1")
    shot(page, f"phone-{model}")
    assert troubles == []


def test_a_model_that_cannot_be_loaded_says_why(browser, served):
    page = browser.new_context().new_page()
    page.goto(f"{served.url}/play?model=gone&token={served.guard.token}")
    page.wait_for_selector("#trouble:not([hidden])")
    assert "no run gone" in page.locator("#trouble").inner_text()
    assert not page.locator("#room").is_visible()
