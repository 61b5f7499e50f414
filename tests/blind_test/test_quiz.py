"""The blind test: what is asked, what is counted, what a run keeps; and the page driven to its end in a browser."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

import ganvas
from browser import visit
from ganvas import blind_test, i18n, media
from ganvas.blind_test import answers, page, questions
from ganvas.blind_test.answers import Answers
from ganvas.cli.main import main
from ganvas.errors import GanvasError, UsageError
from ganvas.evaluation import matching
from ganvas.reports.facts import gather
from ganvas.reports.sections import rubric
from ganvas.runs.run import Run
from ganvas.stats.intervals import binomial_interval
from report_page import Page
from synthetic import make_run

TEST = Answers(
    "r", "0" * 64, 96, 0, "Kim", "2026-01-02T03:04:05Z", ("cat", "dog", "eel"), True, "shapes:test",
    truth=((True, 0), (True, 1), (True, 2), (False, 0), (False, 1)),
    given=((True, 0), (False, 1), (True, None), (False, 2), (True, 1)),
)  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished small training whose generator is told classes."""
    small = {"step.batch": 16, "data.size": 16, "generator.width": 0.25, "engine.conv": "direct", "evaluate.final": 0}
    where = tmp_path_factory.mktemp("told") / "run"
    return ganvas.train("quick", data="shapes", kimg=0.05, out=where, settings=small, report=False, progress=False)


def copy_of(run: Run, path: Path) -> Run:
    """A run that a test may write."""
    import shutil

    shutil.copytree(run.path, path)
    return Run(path)


# -- questions -------------------------------------------------------------------------------------------------


def test_half_are_generated_and_both_halves_hold_the_same_classes(told: Run) -> None:
    test = questions.make(told.path, n=20, seed=3, progress=False)
    fakes = [q for q in test.questions if q.fake]
    reals = [q for q in test.questions if not q.fake]
    assert (len(fakes), len(reals)) == (10, 10)
    assert test.intended and test.classes == tuple(told.data["class_names"])
    assert sorted(q.label or 0 for q in fakes) == sorted(q.label or 0 for q in reals)
    generator = ganvas.load(told.path)
    drawn = generator.sample(10, seed=3)
    assert {q.image.tobytes() for q in fakes} == {image.tobytes() for image in drawn}
    assert len({q.image.tobytes() for q in reals}) == 10
    assert [q.fake for q in test.questions] != sorted(q.fake for q in test.questions)


def test_the_seed_decides_images_and_order(finished: Run) -> None:
    one, same, other = (questions.make(finished.path, n=12, seed=s, progress=False) for s in (1, 1, 2))
    assert [q.image.tobytes() for q in one.questions] == [q.image.tobytes() for q in same.questions]
    assert [q.image.tobytes() for q in one.questions] != [q.image.tobytes() for q in other.questions]


def test_without_the_data_the_run_s_own_real_images_serve(told: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise UsageError("not there")

    monkeypatch.setattr(matching, "match", gone)
    test = questions.make(told.path, n=8, progress=False)
    grid = told.picture(told.path / "samples" / "real.png")
    assert grid is not None and test.reals == "samples/real.png" and test.intended
    tiles = {tile.tobytes() for tile in media.tiles(grid, (3, 16, 16))}
    assert {q.image.tobytes() for q in test.questions if not q.fake} <= tiles


@pytest.mark.parametrize(("n", "words"), [(1, "2 to 400"), (401, "2 to 400")])
def test_numbers_out_of_range_are_refused(finished: Run, n: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        questions.make(finished.path, n=n)


# -- what is counted -------------------------------------------------------------------------------------------


def test_rates_are_counted_by_hand() -> None:
    found = {rate.key: (rate.hits, rate.of) for rate in TEST.rates()}
    assert found == {"named_fake": (2, 3), "named_real": (1, 2), "fake_as_fake": (2, 3), "real_as_real": (1, 2),
                     "right": (3, 5)}  # fmt: skip
    rate = TEST.rate("named_fake")
    assert rate is not None and rate.estimate == binomial_interval(2, 3) and rate.chance == 1 / 3
    assert TEST.rate("told_fake") is None


def test_without_intended_classes_it_counts_whether_a_class_was_named() -> None:
    truth = tuple((fake, None if fake else label) for fake, label in TEST.truth)
    found = {rate.key: (rate.hits, rate.of) for rate in replace(TEST, intended=False, truth=truth).rates()}
    assert found["told_fake"] == (2, 3) and found["told_real"] == (2, 2) and found["named_real"] == (1, 2)
    assert "named_fake" not in found


def test_without_classes_only_real_or_generated_counts() -> None:
    plain = tuple((fake, None) for fake, _ in TEST.truth)
    told = replace(TEST, classes=(), intended=False, truth=plain, given=tuple((f, None) for f, _ in TEST.given))
    assert [rate.key for rate in told.rates()] == ["fake_as_fake", "real_as_real", "right"]


@pytest.mark.parametrize("change", [
    {"truth": []}, {"given": [[True, 0]]}, {"given": [[True, 3]] * 5}, {"given": [[1, 0]] * 5}, {"given": [[True]] * 5},
    {"nimg": -1}, {"name": 3}, {"name": "x" * 201}, {"intended": "yes"}, {"classes": "cat"}, {"kind": "else"},
])  # fmt: skip
def test_a_file_of_anything_else_is_refused(tmp: Path, change: dict[str, object]) -> None:
    values = {"kind": answers.KIND, **json.loads(json.dumps(TEST.__dict__)), **change}
    (tmp / "a.json").write_text(json.dumps(values))
    with pytest.raises(GanvasError, match=r"a\.json is not a file of answers"):
        answers.read(tmp / "a.json")


def test_a_missing_file_and_answers_about_another_generator(finished: Run, tmp: Path) -> None:
    assert main(["quiz", str(finished.path), "--result", str(tmp / "none.json")]) == 2
    with pytest.raises(UsageError, match="these answers are about r, not"):
        answers.keep(finished, TEST)


# -- what a run keeps ------------------------------------------------------------------------------------------


def test_item_1_is_shown_by_a_blind_test_that_most_pass_and_not_by_one_that_few_do(tmp: Path) -> None:
    run, say = make_run(tmp / "run", rows=60, grids=3, classes=("cat", "dog")), i18n.load("en")
    assert rubric.items(gather(run), say)[0].status == "eye"
    truth = (*((True, i % 2) for i in range(20)), (False, 0))
    for given, status in ((truth, "shown"), (tuple((True, None) for _ in truth), "not"), (truth, "shown")):
        run.append("quiz", {**TEST.__dict__, "classes": ("cat", "dog"), "truth": truth, "given": given})
        item = rubric.items(gather(run), say)[0]
        assert item.status == status
    assert "Class of generated images named right: 20 of 20, 100 % (83 to 100 %). Guessing gets 1 in 2." in (
        " ".join(item.evidence)
    )


def press(opened: Any, label: int) -> None:
    """The key of a class; the eleventh and later ones have none."""
    if label < 10:
        opened.keyboard.press("1234567890"[label])
    else:
        opened.locator(f'[data-class="{label}"]').click()


# -- the page --------------------------------------------------------------------------------------------------


def test_the_page_does_not_show_the_key_at_a_glance(finished: Run, tmp: Path) -> None:
    test = questions.make(finished.path, n=10, progress=False)
    content = page.write(test, tmp / "q.html").read_text("utf-8")
    assert "fake" not in Page(content).text and not re.search(r"https?://|fetch\(", content)
    made = json.loads(re.findall(r'id="content">(.*?)</script>', content, re.DOTALL)[0])
    pad, mixed = (base64.b64decode(part) for part in made["key"])
    truth = json.loads(bytes(a ^ b for a, b in zip(pad, mixed, strict=True)))
    assert truth == [[q.fake, q.label] for q in test.questions]


def test_other_files_are_not_replaced(finished: Run, tmp: Path) -> None:
    (tmp / "mine.html").write_text("mine")
    with pytest.raises(UsageError, match="was not made by ganvas"):
        blind_test.write(finished.path, tmp / "mine.html")
    assert (tmp / "mine.html").read_text() == "mine"


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_is_answered_to_its_end(told: Run, tmp: Path, lang: str, browser: Browser | None) -> None:
    run = copy_of(told, tmp / "실행 one")
    out = tmp / "퀴즈 page.html"
    assert main(["quiz", str(run.path), "--n", "12", "--out", str(out), "--lang", lang]) == 0
    if browser is None:
        return
    test = questions.make(run.path, n=12, progress=False)
    opened, troubles = visit(browser, out, viewport={"width": 360, "height": 740}, offline=True)
    opened.fill("#name", "김 <b>민지</b>")
    opened.locator("button.main").first.click()
    for i, question in enumerate(test.questions):
        assert opened.locator(".shown img").get_attribute("alt") == i18n.load(lang)("quiz.image", at=i + 1, n=12)
        opened.keyboard.press("r" if i < 4 else "f")
        if i == 2:  # change of mind: back, and again
            opened.keyboard.press("1")
            opened.keyboard.press("Backspace")
            opened.keyboard.press("r")
        if question.label is not None and i % 2:
            press(opened, question.label)
        else:
            opened.get_by_role("button", name=i18n.load(lang)("quiz.none")).click()
    opened.wait_for_selector("#rates li")
    assert opened.evaluate("document.documentElement.scrollWidth") <= 360
    with opened.expect_download() as download:
        opened.locator("#save").click()
    download.value.save_as(tmp / "answers.json")
    assert troubles == []

    found = answers.read(tmp / "answers.json")
    rates = {rate.key: rate.hits for rate in found.rates()}
    fakes = [q.fake for q in test.questions]
    assert rates["right"] == sum(fake == (i >= 4) for i, fake in enumerate(fakes))
    assert rates["fake_as_fake"] == sum(fakes[4:]) and rates["real_as_real"] == 4 - sum(fakes[:4])
    assert rates["named_fake"] == sum(fakes[1::2]) and rates["named_real"] == 6 - sum(fakes[1::2])
    said = opened.locator("#rates li").all_inner_texts()
    assert blind_test.add_answers(run.path, tmp / "answers.json", lang)[1:-1] == said
    assert blind_test.add_answers(run.path, tmp / "answers.json", "en")[-1].endswith("holds these answers already")
    assert [kept.name for kept in answers.of_run(run)] == ["김 <b>민지</b>"]
    opened.close()


def test_a_generator_without_classes_asks_for_names_all_the_same(finished: Run) -> None:
    test = questions.make(finished.path, n=8, progress=False)
    assert test.classes and not test.intended
    assert {q.label for q in test.questions if q.fake} == {None} != {q.label for q in test.questions if not q.fake}


def test_classes_with_hostile_names_stay_text(finished: Run, tmp: Path, browser: Browser | None) -> None:
    evil = "<img src=x onerror='window.hit=1'></script><script>window.hit=1</script>"
    test = questions.make(finished.path, n=4, progress=False)
    names = (evil, *test.classes[1:])
    test = replace(test, name=evil, classes=names, questions=tuple(replace(q, label=0) for q in test.questions))
    out = page.write(test, tmp / "q.html", run=evil)
    assert evil in Page(out.read_text("utf-8")).text
    if browser is None:
        return
    opened, troubles = visit(browser, out)
    opened.locator("button.main").first.click()
    for _ in range(4):
        opened.keyboard.press("1")
        opened.keyboard.press("f")
    opened.wait_for_selector("#rates li")
    assert troubles == [] and opened.evaluate("window.hit") is None
    opened.close()


def test_a_grey_picture_is_a_picture(tmp: Path) -> None:
    question = questions.Question(np.zeros((1, 8, 8), np.uint8), True, None)
    test = questions.BlindTest("m", "0" * 64, 1, 0, (), False, "x:test", (question, replace(question, fake=False)))
    content = page.write(test, tmp / "q.html", "ko").read_text("utf-8")
    assert content.count("data:image/png") == 2 and not [b for b in Page(content).all("button") if "data-class" in b]
