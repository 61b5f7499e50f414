"""The room Learn through the server: what a page may ask for; the toy broken on purpose, in a real browser too."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from ganvas.ui.rooms.learn.breaks import BREAKS
from ganvas.ui.rooms.learn.picture import ARROWS, SHOWN_REAL, picture
from ganvas.ui.rooms.learn.settings import read
from ganvas.ui.rooms.learn.toy import SAMPLES, Toy
from ganvas.ui.rooms.learn.toys import MOST
from served import Served

WATCH = Path(__file__).parent / "watched.py"
UPDATES = 1000
"""Within so many the texts of the breaks say what is seen."""


def post(served: Served, what: str, **values: Any) -> Any:
    return served.post(f"/api/learn/{what}", values)


def test_a_toy_begins_trains_and_changes(served: Served) -> None:
    begun = post(served, "begin", settings={"batch": 16, "seed": 5}).json
    assert begun["settings"]["batch"] == 16 and begun["updates"] == 0 and len(begun["real"]) == SHOWN_REAL
    seen = post(served, "step", id=begun["id"], steps=20, rows=0).json
    assert 1 <= seen["updates"] <= 20 and seen["ended"] == ""
    assert len(seen["picture"]["fakes"]) == SAMPLES and len(seen["picture"]["arrows"]) == ARROWS
    while seen["updates"] < 30:
        seen = post(served, "step", id=begun["id"], steps=1, rows=seen["picture"]["total_rows"]).json
    toy = Toy(read({"batch": 16, "seed": 5}))
    toy.step(30)
    assert seen["picture"] == picture(toy, 2)
    assert post(served, "change", id=begun["id"], settings={"g_lr": 0.01}, rows=3).json["at_once"] is True
    again = post(served, "change", id=begun["id"], settings={"data": "moons"}, rows=3).json
    assert again["at_once"] is False and again["updates"] == 0
    assert again["settings"] == {**begun["settings"], "g_lr": 0.01, "data": "moons"}


@pytest.mark.parametrize(
    ("what", "values", "status", "line"),
    [
        ("begin", {"settings": {"g_lr": -1}}, 400, "g_lr = -1: give a number from 1e-08 to 1"),
        ("begin", {"settings": [1]}, 400, "settings = [1]: give an object of controls"),
        ("begin", {"settings": {"<b>": 1}}, 400, "no control is called '<b>'"),
        ("begin", {"settings": {"seed": 10**400}}, 400, "whole number from 0 to 4,294,967,295"),
        ("step", {"steps": 10**6}, 400, "steps = 1000000: give a whole number from 1 to 100"),
        ("step", {"steps": 1, "rows": -1}, 400, "rows = -1"),
        ("step", {"id": "nobody", "steps": 1}, 404, "this toy has gone"),
        ("step", {"id": {"a": 1}, "steps": 1}, 404, "this toy has gone"),
        ("change", {"settings": {"batch": 1e300}}, 400, "batch = 1e+300"),
    ],
)
def test_nonsense_is_refused(served: Served, what: str, values: dict[str, Any], status: int, line: str) -> None:
    begun = post(served, "begin").json
    found = post(served, what, **{"id": begun["id"], **values})
    assert found.status == status and line in found.json["error"] and "\n" not in found.json["error"]


def test_not_a_number_is_refused(served: Served) -> None:
    found = served.post("/api/learn/begin", b'{"settings": {"g_lr": NaN}}')
    assert found.status == 400 and "\n" not in found.json["error"]


def test_the_oldest_toy_goes_first(served: Served) -> None:
    first = post(served, "begin").json["id"]
    for _ in range(MOST):
        post(served, "begin", id="not a name of ours")
    gone = post(served, "step", id=first, steps=1)
    assert gone.status == 404 and "4 are kept" in gone.json["error"]


def test_the_page_has_every_control_and_break(served: Served) -> None:
    for lang in ("en", "ko"):
        text = served.get(f"/learn?lang={lang}").text
        assert set(re.findall(r'data-break="([^"]+)"', text)) == set(BREAKS)
        assert not re.search(r">ui\.learn\.|> ?ui\.learn", text)
    assert "Break it on purpose" in served.get("/learn?lang=en").text


# -- slow: what the page claims --------------------------------------------------------------------------------------


def medians(values: dict[str, Any], updates: int = UPDATES) -> dict[str, Any]:
    """The median of three seeds; of findings, those of two of them, and `first`: those of the seed in `values`."""
    commands = [[sys.executable, str(WATCH), json.dumps({**values, "seed": seed}), str(updates)] for seed in range(3)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    runs = [json.loads(process.communicate()[0]) for process in started]
    first = set(runs[values.get("seed", 0)]["found"])
    counts = Counter(rule for run in runs for rule in run.pop("found"))
    middle = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return middle | {"found": {rule for rule, count in counts.items() if count >= 2}, "first": first}


CLAIMS: dict[str, tuple[str, Any]] = {
    "no-penalty": ("swings", lambda seen: seen["covered"] <= 1),
    "wasserstein": ("g-wins", lambda seen: seen["covered"] <= 1),
    "high-rate": ("too-fast", lambda seen: seen["covered"] <= 1),
    "d-ahead": ("d-wins", lambda seen: 1 <= seen["covered"] <= 2 and seen["accuracy"] > 0.9 and seen["arrow"] > 20),
    "g-ahead": ("g-wins", lambda seen: seen["outside"] == SAMPLES and seen["arrow"] < 1e-3),
    "collapse": ("swings", lambda seen: seen["spread"] < 0.35 and seen["covered"] <= 1),
    "tiny-batch": ("tiny-batch", lambda seen: seen["covered"] <= 3 and seen["share"] < 0.3),
}
"""Break -> the doctor's finding and what else its text says."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BREAKS)
def test_a_break_shows_what_its_text_says(name: str) -> None:
    rule, claim = CLAIMS[name]
    seen = medians(BREAKS[name])
    assert rule in seen["found"] and rule in seen["first"], seen
    assert claim(seen), seen


@pytest.mark.slow
def test_the_default_covers_the_ring_and_is_healthy() -> None:
    seen = medians({}, 1500)
    assert seen["covered"] >= 7 and seen["found"] == set() and seen["arrow"] < 1, seen


@pytest.mark.slow
def test_a_learner_plays_steps_and_breaks_it(served: Served, browser) -> None:
    page, troubles = browser.new_page(reduced_motion="reduce"), list[str]()
    page.on("console", lambda message: troubles.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
    page.on("request", lambda request: troubles.extend([request.url] if not request.url.startswith(served.url) else []))
    page.goto(served.address)
    page.goto(f"{served.url}/learn")
    page.wait_for_selector("#caption:not(:empty)")

    def update() -> int:
        return int(re.search(r"Update ([\d,]+)", page.inner_text("#caption"))[1].replace(",", ""))

    def until(holds, what: str) -> None:
        for _ in range(900):
            if holds():
                return
            page.wait_for_timeout(100)
        pytest.fail(
            f"{what}: {page.inner_text('#caption')} {page.inner_text('#effect')} {page.inner_text('#findings')}"
        )

    assert update() == 0
    page.keyboard.press("s")
    until(lambda: update() == 1, "one update")
    page.keyboard.press("Space")
    until(lambda: update() > 20, "play")
    page.keyboard.press("Space")
    assert page.get_attribute("#play", "aria-pressed") == "false"

    page.select_option("[name=loss]", "hinge")
    until(lambda: "in effect from update" in page.inner_text("#effect"), "at once")
    page.focus("[name=d_steps]")
    page.keyboard.press("ArrowRight")
    until(lambda: "began again" in page.inner_text("#effect"), "from the start")
    assert page.input_value("[name=update]") == "alternating" and update() == 0

    page.click("[data-break=g-ahead]")
    until(lambda: "discriminator is too weak" in page.inner_text("#findings"), "the doctor")
    page.click("#play")
    assert "Condition: the chance that D rates a real point above a fake is below 0.6" in page.inner_text("#findings")
    page.click(".finding .try button")
    until(lambda: "in effect from update" in page.inner_text("#effect"), "the cure")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert troubles == []
    page.close()
