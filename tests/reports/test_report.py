"""The report says what the run directory says: whole, unfinished, broken off, odd or empty."""

from __future__ import annotations

import base64
import dataclasses
import io
import json
import re
import string
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganvas import i18n, media, reports
from ganvas.config import BudgetConfig, DataConfig, GeneratorConfig, OptimConfig, recipes
from ganvas.errors import UsageError
from ganvas.exporting.page import words as page_words
from ganvas.i18n import figure
from ganvas.metrics.extractors import registry
from ganvas.reports import charts, diagram, grids, markdown, scores
from ganvas.reports.facts import Facts, gather
from ganvas.reports.sections import curves, quality, ran, rubric, trend
from ganvas.runs.run import Layer, Run
from ganvas.stats.trend import Trend
from report_page import Page, page
from synthetic import SCORES, WATCHED, make_run, score

SMALL = {"rows": 200, "grids": 4, "tiles": 16}


def all_charts(facts: Facts) -> list[charts.Chart]:
    """Every chart of the page but those of quality."""
    say = i18n.load("en")
    values = trend.values(facts, say)
    return [*values["charts"], *values["notebook_charts"], *charts.draw(facts, curves.specs(facts, say), say)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = make_run(tmp_path_factory.mktemp("runs") / "0001-done", **SMALL)
    assert reports.write(run) == run.path / "report.html"
    return run


@pytest.fixture(scope="module")
def finished_page(finished: Run) -> Page:
    return page(finished)


# -- the page --------------------------------------------------------------------------------------------------


def test_everything_is_in_the_one_file(finished_page: Page) -> None:
    for tag, attributes in finished_page.tags:
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith(("data:", "#")), (tag, attributes)


def test_nothing_is_fetched_by_style_or_script(finished: Run) -> None:
    content = (finished.path / "report.html").read_text()
    assert "default-src 'none'" in content
    assert not re.search(r"https?://|@import|url\((?!#)|fetch\(|XMLHttpRequest|import\(", content)


def test_every_picture_has_words_and_every_frame_is_its_grid(finished: Run, finished_page: Page) -> None:
    pictures = finished_page.all("img")
    assert all(picture["alt"] for picture in pictures)
    grids = [grid for _, grid in gather(finished).grids]
    frames = [Image.open(io.BytesIO(base64.b64decode((p["src"] or "").split(",")[1]))) for p in pictures]
    for frame, grid in zip(frames, grids, strict=False):
        assert np.abs(np.asarray(frame.convert("RGB")).astype(int) - np.asarray(grid)).mean() < 8
    last, real = frames[len(grids) :]
    assert np.array_equal(np.asarray(last), np.asarray(grids[-1])), "lossless beside the real one"
    assert np.array_equal(np.asarray(real), np.asarray(gather(finished).real))


def test_the_animations_hold_every_grid(finished: Run, finished_page: Page) -> None:
    for name in ("progress.gif", "progress.webp"):
        with Image.open(finished.path / name) as animation:
            assert animation.n_frames == len(finished.sample_grids())
    with Image.open(finished.path / "curves.png") as picture:
        assert picture.width > 1000


def test_figures_and_controls(finished_page: Page) -> None:
    for words in ("300,000", "60.0", "cifar-dcgan-recap", "seed 0", "a test's processor", "2,894,720", "218,497"):
        assert words in finished_page.text, words
    slider = next(tag for tag in finished_page.all("input") if tag["type"] == "range")
    assert (slider["max"], bool(slider["aria-label"])) == ("3", True)


def test_the_rubric_is_quoted_in_both_languages(finished: Run) -> None:
    for lang in i18n.languages():
        text = page(finished, lang).text
        for english, korean in rubric.RUBRIC:
            assert english in text
            assert korean in text


def test_a_report_does_not_need_a_lock_and_leaves_no_part_files(finished: Run) -> None:
    with finished.writing():
        reports.write(finished)
    assert not list(finished.path.rglob("*.part"))


def test_what_users_write_is_escaped(tmp_path: Path) -> None:
    evil = "<script>alert('&\"x')</script>"
    plan = recipes.get("cifar-dcgan").config
    config = dataclasses.replace(plan, data=DataConfig(evil), budget=BudgetConfig(epochs=2))
    names = (evil, "<b>", "plain")
    run = make_run(tmp_path / "0001-evil", recipe="cifar-dcgan", config=config, epochs=2, classes=names, **SMALL)
    run.event("warning", 10, what=evil)
    run.write_bytes("notes.md", f"{evil}\n\n## {evil}\n- {evil}\n".encode())
    run.append("env", {"argv": [evil], evil: evil})
    words = dict.fromkeys(
        ("extractor", "weights_hash", "resize", "reference", "split", "better", "real_baseline_from"), evil
    )
    for changes in ({}, {"during": True, "value": 0.2}):
        run.append("evals", score(evil, 10, **{**words, **changes}))
    run.append("evals", score("gan_test_accuracy", 20_000, **words, by_class={evil: 0.5, "<b>": 0.25}))
    run.select(10, evil, 0.2)
    read = page(run)
    assert evil in read.text
    assert evil in " ".join(rubric.items(gather(run), i18n.load("en"))[0].evidence)
    drawn = all_charts(gather(run))
    assert len(read.all("script")) == len(drawn) + len(scores.curves(gather(run).evals)) + 1


# -- runs in every state ---------------------------------------------------------------------------------------


def test_a_short_run_says_what_is_missing(tmp_path: Path) -> None:
    read = page(make_run(tmp_path / "0001-short", epochs=3, **SMALL))
    assert "Not shown yet, because it ran 3.0 epochs, and the course asks for at least 50" in read.text
    assert "judge by eye" not in read.text


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_run_without_rows_or_samples(tmp_path: Path, lang: str) -> None:
    run = make_run(tmp_path / "0001-bare", epochs=1, rows=0, grids=0, end=None, evals="none")
    (run.path / "samples/real.png").unlink()
    (run.path / "notes.md").unlink()
    for log in ("events", "env"):
        (run.path / f"{log}.jsonl").unlink()
    read = Page(reports.write(run, lang).read_text())
    assert i18n.load(lang)("state.empty") in read.text
    assert (run.path / "curves.png").exists()
    assert not (run.path / "progress.gif").exists()


def test_a_run_being_written(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-open", epochs=5, end=None, **SMALL)
    with open(run.path / "metrics.jsonl", "ab") as file:
        file.write(b'{"nimg": 26000, "los')
    path = run.sample_grids()[-1][1]
    path.write_bytes(path.read_bytes()[:100])
    assert "This run is not finished" in Page(reports.write(run).read_text()).text


def test_a_run_stopped_by_nan_says_where(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-nan", epochs=4, end=None, **SMALL)
    run.append("metrics", {"nimg": 20_100, "sec": 30.0, "loss/d": float("nan"), "loss/g": None})
    run.event("nan", 20_000, what=["loss/d", "grad/d"])
    text = page(run).text
    assert "in the update after image 20,000 (epoch 4.0)" in text
    assert "loss/d, grad/d" in text
    assert "training stopped when values became NaN" in text


def test_a_stopped_run_and_a_resumed_one(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-stop", epochs=4, end="stop", **SMALL)
    assert "stopped before the end of its budget" in page(run).text
    run.event("resume", 10_000, total=20_000)
    read = page(run)
    assert "This run is not finished" in read.text
    assert read.text.count("resumed") > 2, "a mark in the charts and a line in the events"


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 16, 16), (3, 64, 64)])
def test_other_shapes(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    run = make_run(tmp_path / "0001-shape", recipe="fashion-dcgan", shape=shape, epochs=1, **SMALL)
    assert "×".join(map(str, shape)) in page(run).text


def test_changed_settings_are_shown_and_count_as_applied(tmp_path: Path) -> None:
    plan = recipes.get("cifar-dcgan").config
    engine = dataclasses.replace(plan.engine, device="cpu", threads=2)
    config = dataclasses.replace(plan, d_optim=OptimConfig(lr=3e-5), budget=BudgetConfig(epochs=2), engine=engine)
    text = page(make_run(tmp_path / "0001-new", recipe="cifar-dcgan", config=config, epochs=2, **SMALL)).text
    assert "d_optim.lr 0.0001 3e-05" in text
    assert "Settings changed in this run: 1 (d_optim.lr)" in text
    assert "set when the run started: engine.device = cpu, engine.threads = 2" in text


def test_sixty_frames_at_most(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-many", shape=(3, 16, 16), epochs=60, rows=100, grids=90)
    assert len([c for c in page(run).all("figure") if "frame" in (c.get("class") or "")]) == grids.FRAMES


def test_an_unknown_language_is_named(finished: Run) -> None:
    with pytest.raises(UsageError, match="unknown language 'eng'; did you mean en"):
        reports.write(finished, "eng")


# -- the evaluation --------------------------------------------------------------------------------------------


def test_the_latest_row_of_each_metric_counts() -> None:
    rows = [
        score("a", 300, value=1.0, selected=True), score("a", 100, value=2.0), score("a", 200, value=3.0),
        score("a", 150, value=4.0), score("a", 250, value=5.0, during=True), score("a", 200, value=6.0),
        score("a", 50, value=7.0, split="train"), score("a", 50, value=8.0, weights_hash="other"),
        score("b", 100, value=9.0, during=True), score("b", 200, value=10.0, during=True),
        score("b", 150, value=11.0, during=True),
    ]  # fmt: skip
    assert [row["value"] for row in scores.latest(rows)] == [6.0, 7.0, 8.0, 10.0]
    assert scores.latest([]) == []


def test_a_metric_measures_the_same_under_every_name() -> None:
    names = {
        "fid": "fd", "fid_infinity": "fd_infinity", "fd_classifier": "fd", "fd_classifier_infinity": "fd_infinity",
        "kid": "kd", "kd_efficientnet": "kd", "is": "is", "is_classifier": "is",
        "gan_test_accuracy": "gan_test_accuracy",
        "precision_inception": "precision", "near_copies_p_custom": "near_copies_p", "classes_classifier": "classes",
        "class_distance_classifier": "class_distance", "my_own": "my_own",
    }  # fmt: skip
    assert {name: registry.kind(name) for name in names} == names


def test_every_number_of_evaluate_has_its_sentence() -> None:
    """Whatever a registered metric gives is explained."""
    code = (
        "from ganvas import i18n\n"
        "from ganvas import metrics, plugins, reports\n"
        "from ganvas.metrics.registry import METRICS\n"
        "from ganvas.metrics.extractors import registry as x\n"
        "import ganvas.reports.page\n"
        "say = i18n.load('en')\n"
        "names = [x.name_under(n, e) for metric in METRICS.values() for n in metric.better\n"
        "         for e in ('classifier', 'efficientnet-lite0', 'inception', 'mine.pt')]\n"
        "assert len(names) > 60\n"
        "print([n for n in names if f'metric.{x.kind(n)}' not in say])"
    )
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert told.stdout.strip() == "[]"


def test_a_bar_reaches_from_noise_to_real_images_and_beyond() -> None:
    inside = quality.bar(score("x", 1, value=25.0, low=20.0, high=30.0, real_baseline=0.0, noise_baseline=100.0))
    assert inside == quality.Bar(noise=0, real=100, value=75, low=70, high=80)
    better = quality.bar(score("x", 1, value=2.0, low=None, high=None, real_baseline=1.0, noise_baseline=0.0))
    assert better == quality.Bar(noise=0, real=50, value=100, low=100, high=100)
    worse = quality.bar(score("x", 1, value=-1.0, low=None, high=None, real_baseline=1.0, noise_baseline=0.0))
    assert worse == quality.Bar(noise=50, real=100, value=0, low=0, high=0)
    for missing in (
        {"real_baseline": None},
        {"noise_baseline": None},
        {"value": None},
        {"real_baseline": 1.0, "noise_baseline": 1.0},
    ):
        assert quality.bar(score("x", 1, **missing)) is None


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_scores_stand_with_all_they_rest_on(finished: Run, lang: str) -> None:
    read, say = page(finished, lang), i18n.load(lang)
    (table,) = quality.tables(gather(finished).evals, say)
    assert [line.metric for line in table.lines] == list(SCORES)
    assert (table.lines[0].value, table.lines[0].real_baseline, table.lines[0].noise_baseline) == ("14.2", "1.9", "212")
    assert table.lines[0].interval == say("quality.interval", low="13.89", high="14.51")
    for words in (*table.caption, say("section.quality"), say("metric.fd"), say("better.lower"), say("better.real")):
        assert words in read.text, words
    for words in ("9f3a51c07be2", "cifar10:test", "cifar10:train", "2,000", "300,000", "as they are"):
        assert words in " ".join(table.caption), words
    assert "9f3a51c07be2d" not in read.text, "twelve digits are enough"
    bars = [attributes for attributes in read.all("svg") if attributes.get("class") == "bar"]
    assert len(bars) == len(SCORES)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_selected_checkpoint_is_told_as_flattered(finished: Run, lang: str) -> None:
    facts, say, text = gather(finished), i18n.load(lang), page(finished, lang).text
    assert facts.selected
    told = quality.selected_sentences(facts, say)
    assert say("quality.selected", images="262,500", metric="fd_classifier", value="24.21") == told[0]
    assert "24.94" in told[1] and " ".join(told) in text
    assert quality.share_sentence(facts, say) == say("quality.share", times="8", sec="33.1", share="4.12")
    assert quality.share_sentence(facts, say) in text
    drawn = quality.curve_charts(facts, say)
    assert [chart.title for chart in drawn] == [name for name in WATCHED if name != "classes_classifier"]
    for chart in drawn:
        assert (
            chart.chosen
            and chart.chosen.at == 87.5
            and chart.chosen.dot.count("M") == chart.chosen.fresh.count("M") == 1
        )
        assert chart.guide and 0 <= chart.guide.at <= 100


def test_the_rows_made_while_training_are_enough(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-during", end=None, evals="during", **SMALL)
    (table,) = quality.tables(gather(run).evals, i18n.load("en"))
    assert [line.metric for line in table.lines] == list(WATCHED)
    assert table.caption[0] == "Scored during training, after 300,000 images (snapshots/000300000.safetensors)."
    assert table.lines[0].interval == ""
    (run.path / "selected.json").unlink()
    read = page(run)
    assert i18n.load("en")("quality.while") in read.text and "Selected:" not in read.text
    assert quality.curve_charts(gather(run), i18n.load("en"))[0].chosen is None


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_a_run_without_scores_says_how_to_get_them(tmp_path: Path, lang: str) -> None:
    run = make_run(tmp_path / "0001-none", epochs=2, evals="none", **SMALL)
    read, say = page(run, lang), i18n.load(lang)
    assert f"ganvas evaluate runs/{run.path.name}" in read.text
    assert say("quality.lead") not in read.text
    assert rubric.items(gather(run), say)[0].evidence[-1] == say("rubric.1.unmeasured", name=run.path.name)


def test_holes_and_strangers_in_the_rows_are_shown_as_they_are(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-holes", epochs=2, evals="none", **SMALL)
    whole = score("beauty_custom", 10_000)
    for name in whole:
        run.append("evals", {**whole, "extractor": f"without {name}", name: None})
        run.append("evals", {**whole, "extractor": f"during without {name}", "during": True, name: None})
        run.append("evals", {k: v for k, v in whole.items() if k != name} | {"selected": True})
    run.append("evals", {})
    run.append("evals", {**whole, "value": "high", "better": "sideways", "extractor": "strange"})
    run.append("evals", {**whole, "extractor": "passed over", "nimg": "late"})
    run.write_json("selected.json", {"nimg": None})
    for lang in i18n.languages():
        read = page(run, lang)
        for words in ("without value", "without weights_hash", "beauty_", "sideways", "–"):
            assert words in read.text, words
        assert "passed over" not in read.text
    assert quality.meanings(gather(run).evals, i18n.load("en")) == []


def test_curves_hold_one_kind_of_score_and_the_last_of_each_moment() -> None:
    rows = [
        score("fd", 10, value=9.0, during=True, weights_hash="old"), score("fd", 30, value=2.0, during=True),
        score("fd", 20, value=3.0, during=True), score("fd", 20, value=4.0, during=True),
        score("fd", 40, value=None, during=True), score("fd", 40, value=1.0), score("level", 20, during=True),
        score("level", 30, during=True), score("once", 30, during=True),
    ]  # fmt: skip
    fd, once = scores.curves(rows)
    assert (fd.metric, fd.nimg.tolist(), fd.values.tolist()) == ("fd", [20, 30], [4.0, 2.0])
    assert (once.metric, once.nimg.tolist()) == ("once", [30])


def test_a_selected_checkpoint_beyond_the_run_is_not_drawn(finished: Run) -> None:
    far = dataclasses.replace(gather(finished), selected={"nimg": 10**9, "metric": "fd_classifier", "value": 1.0})
    assert all(chart.chosen is None for chart in quality.curve_charts(far, i18n.load("en")))
    assert i18n.load("en")("quality.selected_once") in quality.selected_sentences(far, i18n.load("en"))


def test_one_bad_score_stays_inside_its_chart(finished: Run) -> None:
    facts = gather(finished)
    values = [900.0, *([20.0] * 18), 10.0]
    rows = [score("fd", 15_000 * (i + 1), value=value, during=True) for i, value in enumerate(values)]
    (chart,) = quality.curve_charts(dataclasses.replace(facts, evals=rows, selected=None), i18n.load("en"))
    heights = [float(y) for y in re.findall(r"[ML][\d.]+ (-?[\d.]+)", chart.series[0].line)]
    assert len(heights) == 20 and min(heights) >= 0 and max(heights) <= charts.SIDE


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_item_one_gives_the_recognition_and_leaves_the_judgement_to_the_eye(finished: Run, lang: str) -> None:
    facts, say = gather(finished), i18n.load(lang)
    conditional = rubric.items(facts, say)[0]
    value = say("quality.value_interval", value="0.834", interval=say("quality.interval", low="0.827", high="0.841"))
    assert say("rubric.1.gan_test", value=value) in conditional.evidence[1]
    assert say("rubric.1.floor", floor="0.941", source="cifar10:train") in conditional.evidence[1]
    assert "9f3a51c07be2" in conditional.evidence[1]
    others = [row for row in facts.evals if row["metric"] != "gan_test_accuracy"]
    plain = rubric.items(dataclasses.replace(facts, evals=others), say)[0]
    value = say("quality.value_interval", value="0.871", interval=say("quality.interval", low="0.868", high="0.874"))
    assert say("rubric.1.confidence", value=value) in plain.evidence[1]
    assert say("rubric.1.floor", floor="0.962", source="cifar10:train") in plain.evidence[1]
    assert conditional.status == plain.status == "eye"
    assert conditional.evidence[-1] == plain.evidence[-1] == say("rubric.1.by_eye")


@pytest.mark.parametrize(
    ("value", "told"),
    [(14.2345, "14.23"), (0, "0"), (-0.00002, "−2e−05"), (123456, "123456"), (None, "–"), (True, "–"), ("3", "–"),
     (float("nan"), "–"), (0.5, "0.5")],
)  # fmt: skip
def test_figures(value: object, told: str) -> None:
    assert figure(value) == told


# -- sentences -------------------------------------------------------------------------------------------------


def test_languages_have_the_same_keys_and_blanks() -> None:
    sets = {lang: i18n.load(lang).sentences for lang in i18n.languages()}
    assert sorted(sets) == ["en", "ko"]
    assert sets["en"].keys() == sets["ko"].keys()
    for key, english in sets["en"].items():
        blanks = [{name for _, name, _, _ in string.Formatter().parse(s) if name} for s in (english, sets["ko"][key])]
        assert blanks[0] == blanks[1], key
        assert english.strip()
        assert sets["ko"][key].strip()


def test_every_sentence_is_used() -> None:
    folder, pages = Path(reports.__file__).parent.parent, ("reports", "comparison", "blind_test", "submission")
    readers = [path for name in (*pages, "diagnostics") for path in (folder / name).rglob("*.py")]
    templates = [path for name in pages for path in (folder / name / "templates").iterdir()]
    scripts = (folder / "ui").rglob("*.*[lsy]")  # .html, .js, .py
    code = "".join(path.read_text() for path in [*readers, *templates, *scripts])
    code = re.sub(r"^SENTENCES = \{.*?^\}", "", code, flags=re.DOTALL | re.MULTILINE)
    exported, script = page_words.SENTENCES["en"].keys(), folder / "exporting" / "page" / "static"
    quoted = re.findall(r"[\"'](\w[\w.]*)[\"']", "".join(path.read_text() for path in script.iterdir()))
    assert exported <= {f"page.{key}" for key in quoted}
    for key in i18n.load("en").sentences.keys() - exported:
        parts = key.split(".")
        beginnings = [re.escape(".".join(parts[:i])) + r"\.[\"'{]" for i in range(1, len(parts))]
        assert re.search("|".join(rf"[\"']{pattern}" for pattern in [re.escape(key) + "[\"']", *beginnings]), code), key


def test_korean_pages_are_korean(finished: Run) -> None:
    read = page(finished, "ko")
    assert read.all("html")[0]["lang"] == "ko"
    assert "추세적으로 0.5를 향해 하향하고 있습니다" in read.text


@pytest.mark.parametrize("verdict", ["falling", "none", "rising", "falling_away", "rising_towards"])
def test_only_falling_towards_a_half_shows_item_two(finished: Run, verdict: str) -> None:
    lines = {"falling": (-0.004, 0.7), "none": (0.0, 0.7), "rising": (0.004, 0.7), "falling_away": (-0.004, 0.3),
             "rising_towards": (0.004, 0.3)}  # fmt: skip
    slope, level = lines[verdict]
    line = Trend(slope, slope - 0.001, slope + 0.001, level, 25, 0, 50, 500)
    assert line.verdict == verdict
    facts = gather(finished)
    facts.__dict__["trend"] = line
    items = rubric.items(facts, i18n.load("en"))
    assert (items[1].status == "shown") == (verdict == "falling")
    assert bool(items[1].reasons) == (verdict != "falling")


# -- small parts -----------------------------------------------------------------------------------------------


def test_reducing_keeps_the_mean_and_short_curves() -> None:
    x, y = np.arange(1234), np.random.default_rng(0).normal(size=1234)
    few_x, few_y = charts.reduce(x, y)
    assert len(few_x) == len(few_y) == charts.POINTS
    assert few_y.mean() == pytest.approx(y.mean(), abs=0.01)
    assert charts.reduce(x[:5], y[:5])[1].tolist() == y[:5].tolist()


@pytest.mark.parametrize("n", [1, 2, 30, 400])
def test_smoothing_leaves_a_level_alone(n: int) -> None:
    assert charts.smoothed(np.full(n, 3.0)) == pytest.approx(np.full(n, 3.0))


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-2.5, 2.4), (0, 0.0021), (640, 750), (0, 51.2), (0, 1e6)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    marks = charts.ticks(low, high)
    assert 2 <= len(marks) <= 6
    assert all(low - 1e-9 <= value <= high + 1e-9 for value, _ in marks)
    assert len({label for _, label in marks}) == len(marks)


def test_notes_become_safe_html() -> None:
    lines = ["before", "# Keep", "small *steps* and **bold** `code`", "second line", "", "- one", "  goes on",
             "- two <b>", "", "1. first", "2. second", "## Try ##"]  # fmt: skip
    before, keep, last = markdown.split("\n".join(lines))
    assert (before.title, str(before.body)) == ("", "<p>before</p>")
    assert keep.body.split("\n") == [
        "<p>small *steps* and <strong>bold</strong> <code>code</code><br>second line</p>",
        "<ul><li>one goes on</li><li>two &lt;b&gt;</li></ul>",
        "<ol><li>first</li><li>second</li></ol>",
    ]
    assert (last.title, str(last.body)) == ("Try", "")


def test_the_diagram_names_every_layer(finished: Run) -> None:
    facts = gather(finished)
    layers = facts.networks
    for wide in (True, False):
        art = diagram.draw(facts, i18n.load("en"), wide)
        texts = [text.text for text in art.texts]
        for layer in [*layers["generator"], *layers["discriminator"]]:
            assert layer.kind in texts
            assert diagram.output_text(layer.output) in texts
            assert not layer.params or f"{layer.params:,}" in texts
        for box in art.boxes:
            assert box.x >= 0
            assert box.x + box.width <= art.width
            assert box.y + box.height <= art.height


def test_blocks_begin_with_weights() -> None:
    kinds = ["Dense", "BatchNorm", "ReLU", "ConvT 5x5 s2", "Tanh"]
    cut = diagram.blocks([Layer("", kind, (3, 4, 4), 0) for kind in kinds])
    assert [[layer.kind for layer in block] for block in cut] == [kinds[:3], kinds[3:]]


def test_the_code_is_python_that_names_this_run(finished: Run) -> None:
    facts = gather(finished)
    code = ran.code(facts)
    compile(code, "report", "exec")
    assert 'ganvas.train("cifar-dcgan-recap", data="cifar10", epochs=60, seed=0)' in code


def test_hover_data_fit_the_rows(finished: Run) -> None:
    drawn = all_charts(gather(finished))
    assert [chart.key for chart in drawn] == ["acc", "acc_notebook", "loss", "logit", "grad", "speed"]
    losses = drawn[2].hover
    first = json.loads((finished.path / "metrics.jsonl").read_text().splitlines()[0])
    assert losses[0]["x"][0] == first["nimg"]
    assert losses[0]["y"][0] == pytest.approx(first["loss/d"], rel=1e-3)


def test_the_code_carries_changed_settings(tmp_path: Path) -> None:
    plan = recipes.get("cifar-dcgan").config
    changed = dataclasses.replace(plan, g_optim=OptimConfig(lr=3e-4), generator=GeneratorConfig(widths=(32, 16)))
    code = ran.code(gather(make_run(tmp_path / "0001-changed", recipe="cifar-dcgan", config=changed, **SMALL)))
    compile(code, "report", "exec")
    assert "settings = {'generator.widths': [32, 16], 'g_optim.lr': 0.0003}" in code


def test_the_report_needs_no_torch(finished: Run) -> None:
    code = (
        "import sys; from ganvas import reports; from ganvas.runs.run import Run\n"
        "assert 'matplotlib' not in sys.modules\n"
        "reports.write(Run.open(sys.argv[1])); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(finished.path)], check=False).returncode == 0


def test_grids_of_another_size_are_left_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-odd", epochs=1, **SMALL)
    first = run.sample_grids()[0][1]
    first.write_bytes(media.encode(Image.new("RGB", (8, 8))))
    assert len(grids.frames(gather(run))) == len(run.sample_grids()) - 1
