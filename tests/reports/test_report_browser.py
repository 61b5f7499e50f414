"""The report in a real browser: no console errors, no request but the file itself, and its controls work.

The browser is the distribution's Chromium, from PATH or unpacked beside the environment by tools/chromium.sh. Where
there is none, the script's syntax is checked instead and the test says so.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from browser import PHONE, visit
from ganvas import reports
from synthetic import make_run


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Report files by language; the Korean one of an unfinished run of grey images, the English one of classes."""
    folder = tmp_path_factory.mktemp("runs")
    colour = make_run(folder / "0001-colour", rows=300, grids=12, classes=("cat", "a class with a long name", "eel"))
    small = {"shape": (1, 28, 28), "epochs": 2, "rows": 60, "grids": 2}
    grey = make_run(folder / "0002-grey", recipe="fashion-dcgan", end=None, **small)
    return {"en": reports.write(colour, "en"), "ko": reports.write(grey, "ko")}


def number(page: Page) -> int:
    """Which frame is shown."""
    script = "[...document.querySelectorAll('.frame')].findIndex((f) => f.classList.contains('on'))"
    return int(page.evaluate(script))


def frames(page: Page, style: str) -> int:
    """How many frames have that style."""
    script = f"[...document.querySelectorAll('.frame')].filter((f) => getComputedStyle(f).{style}).length"
    return int(page.evaluate(script))


def wait_for(page: Page, frame: int) -> None:
    """Wait until playing has come to a frame, 10 s at most. (The page's policy forbids waiting inside of it.)"""
    for _ in range(400):
        if number(page) >= frame:
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"still at frame {number(page)}")


def script_is_sound(path: Path) -> str:
    """What can be said of the page's script without a browser."""
    scripts = re.findall(r"<script>(.*?)</script>", path.read_text("utf-8"), re.DOTALL)
    assert len(scripts) == 1
    node = shutil.which("node")
    if node is None:
        return "neither Chromium nor node here: only the report's text is checked (tests/reports/test_report.py)"
    subprocess.run([node, "--check", "-"], input=scripts[0], text=True, check=True)
    return "no Chromium here: the report's script is checked by node for its syntax only"


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_clean(
    browser: Browser | None, pages: dict[str, Path], lang: str, scheme: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if browser is None:
        with capsys.disabled():
            print(script_is_sound(pages[lang]))
        return
    page, troubles = visit(browser, pages[lang], color_scheme=scheme, offline=True)
    assert troubles == []
    broken = page.evaluate("[...document.images].filter((i) => !i.complete || !i.naturalWidth).length")
    assert broken == 0
    paper = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) > 600) == (scheme == "light")
    page.close()


def test_slider_play_and_moments(browser: Browser | None, pages: dict[str, Path]) -> None:
    if browser is None:
        return
    page, troubles = visit(browser, pages["en"])
    assert number(page) == 11
    slider = page.get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    assert number(page) == 0
    assert page.locator(".controls output").inner_text() == "untrained · 0 images"
    assert slider.get_attribute("aria-valuetext") == "untrained · 0 images"
    page.keyboard.press("ArrowRight")
    assert number(page) == 1
    assert frames(page, "visibility == 'visible'") == 1

    page.get_by_role("button", name="Play").click()
    wait_for(page, 4)
    page.get_by_role("button", name="Pause").click()
    at = number(page)
    page.wait_for_timeout(350)
    assert number(page) == at
    page.get_by_role("button", name="Play").click()
    wait_for(page, 11)
    page.wait_for_selector("button[aria-label=Play]")

    page.locator(".moments button").first.click()
    assert number(page) == 0
    assert troubles == []
    page.close()


def test_charts_are_read_by_pointer_and_keys(browser: Browser | None, pages: dict[str, Path]) -> None:
    if browser is None:
        return
    page, troubles = visit(browser, pages["en"])
    chart = page.locator("#chart-acc")
    resting = chart.locator(".readout").inner_text()
    chart.locator(".plot").hover()
    place, images, real, fake = chart.locator(".readout").inner_text().split(" · ")
    assert 28 < float(place.removeprefix("epoch ")) < 32
    assert re.fullmatch(r"1\d\d,\d{3} images", images)
    assert real.startswith("accuracy on real images 0.")
    assert fake.startswith("accuracy on fakes 0.")
    page.mouse.move(0, 0)
    assert chart.locator(".readout").inner_text() == resting
    chart.locator(".plot").focus()
    page.keyboard.press("End")
    assert chart.locator(".readout").inner_text().startswith("epoch 60.0 · 300,000 images")
    page.keyboard.press("ArrowLeft")
    assert chart.locator(".readout").inner_text().startswith("epoch 59.8")
    assert troubles == []
    page.close()


@pytest.mark.parametrize("width", [PHONE["width"], 1280])
def test_names_of_classes_stand_beside_their_rows(browser: Browser | None, pages: dict[str, Path], width: int) -> None:
    if browser is None:
        return
    page, troubles = visit(browser, pages["en"], viewport={"width": width, "height": 900})
    beside = page.locator(".named").all()
    assert len(beside) == 3
    for named in beside:
        grid = named.locator("img:visible").first.bounding_box()
        names = [name.bounding_box() for name in named.locator(".rows li").all()]
        assert grid and len(names) == 8
        for row, name in enumerate(names):
            assert name and name["x"] >= 0 and name["x"] + name["width"] <= grid["x"] + 0.5
            middle = grid["y"] + (row + 0.5) * grid["height"] / 8
            assert abs(name["y"] + name["height"] / 2 - middle) < 1.5
    last, real = (named.locator("img").bounding_box() for named in beside[1:])
    assert last and real and (last["width"], last["height"]) == (real["width"], real["height"])
    assert troubles == []
    page.close()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_it_fits_a_phone_and_prints(browser: Browser | None, pages: dict[str, Path], lang: str) -> None:
    if browser is None:
        return
    page, troubles = visit(browser, pages[lang], viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator(".drawing.narrow").is_visible()
    assert not page.locator(".drawing.broad").is_visible()
    page.emulate_media(media="print")
    assert frames(page, "display != 'none'") == (6 if lang == "en" else 2)
    assert page.pdf().startswith(b"%PDF")
    assert troubles == []
    page.close()
