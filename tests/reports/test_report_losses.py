"""What the report says of losses, classes, penalties and augmentation, and how the accuracies are then to be read."""

from __future__ import annotations

import dataclasses
import io
import typing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganvas import i18n
from ganvas.config import (
    AugmentConfig,
    BudgetConfig,
    Config,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    LossConfig,
    PenaltyConfig,
    StepConfig,
    recipes,
)
from ganvas.reports import charts, curves_png, diagram, losses
from ganvas.reports.accuracy import balanced_sentence
from ganvas.reports.facts import Facts, gather
from ganvas.reports.page import render
from ganvas.reports.sections import curves, flow, quality, rubric, trend
from ganvas.runs.run import Layer, Run
from report_page import Page, page
from synthetic import make_run, score

SMALL = {"rows": 200, "grids": 4, "tiles": 16}
ANIMALS = ("bird", "cat", "deer")
LOSS_NAMES = ("bce", "least-squares", "hinge", "wasserstein", "relativistic")


def all_charts(facts: Facts, say: i18n.Translator) -> list[charts.Chart]:
    values = trend.values(facts, say)
    return [*values["charts"], *values["notebook_charts"], *charts.draw(facts, curves.specs(facts, say), say)]


def changed(recipe: str = "cifar-dcgan", **parts: Any) -> Config:
    return dataclasses.replace(recipes.get(recipe).config, **parts)


def test_the_rule_of_each_loss_is_that_of_its_threshold() -> None:
    from ganvas.training.losses import LOSSES

    assert {name: loss.threshold for name, loss in LOSSES.items() if name in LOSS_NAMES} == losses.THRESHOLDS
    assert set(losses.THRESHOLDS) == set(LOSS_NAMES)


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_accuracies_are_labelled_by_the_rule_of_their_loss(tmp_path: Path, loss: str) -> None:
    facts = gather(
        make_run(tmp_path / "0001-loss", recipe="cifar-dcgan", config=changed(loss=LossConfig(loss)), **SMALL)
    )
    say = i18n.load("en")
    drawn, text = {chart.key: chart for chart in all_charts(facts, say)}, Page(render(facts, say)).text
    words = {chart.title for chart in drawn.values()} | {chart.text for chart in drawn.values()}
    rule, blanks = facts.loss.rule, facts.loss.blanks
    for key in (f"acc.{rule}", f"loss.{loss}", f"logit.{rule}"):
        assert {say(f"chart.{key}", **blanks), say(f"chart.{key}.text", **blanks)} <= words, key
    assert all(told in text for told in words)
    for key in (f"formula.d.{loss}", f"formula.g.{loss}", f"flow.logit.{rule}"):
        assert say(key, **blanks) in text, key
    assert drawn["acc"].trend_line and drawn["acc"].series[1].style == "a", "the trend is the second line's"
    assert ("acc_notebook" in drawn) == (say("rule.title") in text) == (loss == "bce")
    assert (say("samples.untrained.p", p="0.50") in text) == (loss == "bce")
    with Image.open(io.BytesIO(curves_png.draw(facts))) as picture:
        assert picture.width > 1000


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_where_d_only_compares_the_trend_is_that_of_pairs(tmp_path: Path, lang: str) -> None:
    config = changed(loss=LossConfig("relativistic"), budget=BudgetConfig(epochs=60))
    facts = gather(make_run(tmp_path / "0001-pairs", recipe="cifar-dcgan", config=config, **SMALL))
    say, slope = i18n.load(lang), facts.trend
    nimg, pairs = facts.column("acc/pair")
    late = nimg / facts.n >= (nimg[0] + 0.1 * (nimg[-1] - nimg[0])) / facts.n
    assert slope is not None
    assert slope.slope == pytest.approx(np.polyfit(nimg[late] / facts.n, pairs[late], 1)[0])
    drawn = trend.accuracy_charts(facts, say)[0]
    assert [series.name for series in drawn.series] == [say("series.balanced"), say("series.acc/pair")]
    assert drawn.series[1].values.tolist() == pytest.approx(pairs.tolist())
    item = rubric.items(facts, say)[1]
    assert item.status == "shown" and say("accuracy.pair.explained") in item.evidence
    fake = facts.column("acc/fake")[1]
    told = say("accuracy.balanced", rows=20, fake=f"{fake[-20:].mean():.3f}", pair=f"{pairs[-20:].mean():.3f}")
    assert told in item.evidence and told in render(facts, say)
    assert say("section.trend", accuracy="pair accuracy") in render(facts, say)
    assert item.evidence[-1] == say("rubric.2.shown", accuracy="pair accuracy")


def test_a_run_that_only_compares_and_has_no_rows_yet(tmp_path: Path) -> None:
    config = changed(loss=LossConfig("wasserstein"))
    small = {"rows": 0, "grids": 1, "tiles": 16}
    run = make_run(tmp_path / "0001-bare", recipe="cifar-dcgan", config=config, end=None, **small)
    assert "pair accuracy" in page(run).text and balanced_sentence(gather(run), i18n.load("en")) == ""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run without classes, with scores."""
    return make_run(tmp_path_factory.mktemp("runs") / "0001-plain", **SMALL)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose generator is told three classes: 5 rows of 8 images."""
    small = {"rows": 60, "grids": 2, "tiles": 40, "classes": ANIMALS}
    return make_run(tmp_path_factory.mktemp("runs") / "0001-told", **small)


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_rows_of_a_grid_have_their_classes_beside_them(told: Run, plain: Run, lang: str) -> None:
    read, say = page(told, lang), i18n.load(lang)
    assert gather(told).class_rows == ["bird", "cat", "deer", "bird", "cat"]
    beside = [tag for tag in read.all("ol") if tag.get("class") == "rows"]
    assert len(beside) == 3 and all(tag["aria-label"] == say("samples.rows") for tag in beside)
    names = [tag["title"] for tag in read.all("li") if "title" in tag]
    assert names == 3 * ["bird", "cat", "deer", "bird", "cat"], "the player's, the last grid's, the real images'"
    assert say("figure.classes", count=3) in read.text
    assert gather(plain).class_rows == []
    assert not any(tag.get("class") == "rows" for tag in page(plain, lang).all("ol"))


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_what_can_be_told_class_by_class_stands_in_a_table(told: Run, plain: Run, lang: str) -> None:
    read, say = page(told, lang), i18n.load(lang)
    (table,) = quality.tables(gather(told).evals, say)
    assert table.classes is not None
    of_class = [say(f"quality.of_class.{k}") for k in ("class_distance", "gan_test_accuracy", "class_recall")]
    assert table.classes.heads == of_class
    assert table.classes.rows[0] == ("bird", ["0.333", "0.400", "0.980"])
    assert [name for name, _ in table.classes.rows] == list(ANIMALS)
    for words in (*of_class, *table.classes.caption, "bird 0.333 0.400 0.980"):
        assert words in read.text, words
    item = rubric.items(gather(told), say)[0]
    words = {"least": "bird", "low": "0.400", "best": "deer", "high": "0.980"}
    assert say("rubric.1.by_class", **words) in item.evidence[1]
    assert quality.tables(gather(plain).evals, say)[0].classes is None


def test_strange_parts_of_a_score_are_passed_over() -> None:
    rows = [
        score("gan_test_accuracy", 1, by_class={"cat": 0.5, "dog": None, "eel": "x"}),
        score("my_own_classifier", 1, by_class={"dog": 0.25}), score("fd_classifier", 1, by_class=[1, 2]),
    ]  # fmt: skip
    (table,) = quality.tables(rows, i18n.load("en"))
    assert table.classes is not None and table.classes.heads == ["recognised", "my_own"]
    assert table.classes.rows == [("cat", ["0.500", "–"]), ("dog", ["–", "0.250"])]


def texts(config: Config, folder: Path, **options: Any) -> list[str]:
    """All words of the drawing, wide and narrow alike, none of them outside of it."""
    facts = gather(make_run(folder, recipe="cifar-dcgan", config=config, rows=0, grids=0, evals="none", **options))
    wide, narrow = (diagram.draw(facts, i18n.load("en"), wide) for wide in (True, False))
    for art in (wide, narrow):
        assert all(box.x >= 0 and box.x + box.width <= art.width for box in art.boxes)
        assert all(box.y + box.height <= art.height for box in art.boxes)
        assert all(0 <= text.x <= art.width and 0 <= text.y <= art.height for text in art.texts)
    once = [text.text for text in narrow.texts]
    assert sorted(text.text for text in wide.texts) == sorted([*once, "fake images", "3×32×32"])
    return once


def test_the_drawing_shows_the_class_enter_both_networks(tmp_path: Path) -> None:
    with_classes = texts(changed(), tmp_path / "a", classes=ANIMALS)
    assert with_classes.count("class") == with_classes.count("one of 3") == 2
    assert "class" not in texts(changed(), tmp_path / "b")


def test_the_drawing_names_penalties_and_augmentation_that_are_on(tmp_path: Path) -> None:
    penalty = PenaltyConfig(r1=0.5, gp=10, centring=0.1, every=4)
    augment = AugmentConfig(p=0.3, mirror=True, cutout=0.5, noise=0.1)
    config = changed(
        penalty=penalty,
        augment=augment,
        loss=LossConfig(feature_matching=0.1, g_classify=0.5),
        discriminator=DiscriminatorConfig(classify=1.0),
        step=StepConfig("alternating", d_steps=3, ema_kimg=20),
        generator=GeneratorConfig(latent="sphere"),
    )
    drawn = texts(config, tmp_path / "a", classes=ANIMALS)
    for words in ("+ R1, γ = 0.5", "+ gradient penalty, λ = 10", "+ centring 0.1", "mirror · cutout · noise",
                  "+ feature matching", "+ classification loss", "100 numbers, on a sphere"):  # fmt: skip
        assert words in drawn, words
    run = Run.open(tmp_path / "a")
    for lang in i18n.languages():
        say = i18n.load(lang)
        sentences = flow.remarks(gather(run), say)
        assert sentences == [
            say("flow.d_steps", steps=3), say("flow.penalty.exact"), say("flow.penalty.every", every=4),
            say("flow.augment.p", p="0.3"), say("flow.ema", images="20,000"),
        ]  # fmt: skip
        assert " ".join(sentences) in page(run, lang).text
    plain = texts(changed(), tmp_path / "b")
    assert not any("+" in words or "augmentation" in words for words in plain)
    assert flow.remarks(gather(Run.open(tmp_path / "b")), i18n.load("en")) == []


def test_only_what_is_done_counts_as_augmentation(tmp_path: Path) -> None:
    say, facts = i18n.load("en"), gather(make_run(tmp_path / "0001-plain", rows=0, grids=0, evals="none"))

    def names(augment: AugmentConfig, held_out: float = 0.0) -> list[str]:
        data = dataclasses.replace(facts.config.data, held_out=held_out)
        config = dataclasses.replace(facts.config, augment=augment, data=data)
        return diagram.augmentation(dataclasses.replace(facts, config=config), say)

    assert names(AugmentConfig(mirror=True, translate=0.1)) == [], "probability 0"
    assert names(AugmentConfig(p=0.5)) == [] and names(AugmentConfig(noise=0.1)) == ["noise"]
    assert names(AugmentConfig(adapt=0.5, colour=1.0), held_out=0.1) == ["colour"]


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_held_out_images_penalty_and_augmentation_have_their_curves(tmp_path: Path, lang: str) -> None:
    data, augment = DataConfig(held_out=0.1), AugmentConfig(adapt=0.6, mirror=True)
    config = changed(data=data, augment=augment, penalty=PenaltyConfig(r1=1.0, adapt=0.5))
    facts = gather(make_run(tmp_path / "0001-on", recipe="cifar-dcgan", config=config, **SMALL))
    say = i18n.load(lang)
    drawn = {chart.key: chart for chart in all_charts(facts, say)}
    assert [series.style for series in drawn["logit"].series] == ["b", "a", "c"]
    assert [series.name for series in drawn["augment"].series] == [say("series.augment/p"), say("series.overfit")]
    assert drawn["augment"].guide is not None and drawn["augment"].guide.at == pytest.approx(40)
    assert [series.name for series in drawn["penalty"].series] == [say("series.penalty")]
    assert [series.name for series in drawn["strength"].series] == [say("series.penalty/strength")]
    page = render(facts, say)
    assert say("flow.augment.adapt", adapt="0.6") in page and say("flow.penalty.adapt", lead="0.5") in page


def test_classes_that_the_data_settled_are_no_idea_but_ignoring_them_is(tmp_path: Path) -> None:
    facts = gather(make_run(tmp_path / "0001-quick", recipe="quick", rows=0, grids=0, evals="none", classes=ANIMALS))
    assert facts.settled == {"data.labels": "use"} and facts.ideas == []
    ignoring = dataclasses.replace(facts.config, data=dataclasses.replace(facts.config.data, labels="ignore"))
    assert dataclasses.replace(facts, config=ignoring).ideas == ["data.labels"]
    unlabelled = {**facts.data, "class_names": []}
    assert dataclasses.replace(facts, config=ignoring, data=unlabelled).settled == {"data.labels": "ignore"}
    more = dataclasses.replace(facts.config, penalty=PenaltyConfig(r1=3.0), augment=AugmentConfig(noise=0.1))
    assert {"penalty.r1", "augment.noise"} <= set(dataclasses.replace(facts, config=more).ideas)


def test_every_choice_of_the_config_has_its_words() -> None:
    from ganvas.training.step import UPDATES

    say = i18n.load("en")
    keys = [f"flow.caption.{name}" for name in UPDATES]
    keys += [f"formula.{player}.{loss}" for player in "dg" for loss in losses.THRESHOLDS]
    keys += [f"chart.loss.{loss}{end}" for loss in losses.THRESHOLDS for end in ("", ".text")]
    hints = typing.get_type_hints
    keys += [f"flow.z.{name}" for name in typing.get_args(hints(GeneratorConfig)["latent"])]
    keys += [f"flow.penalty.{name}" for name in typing.get_args(hints(PenaltyConfig)["form"])]
    assert [key for key in keys if key not in say] == []


@pytest.mark.parametrize(
    ("loss", "drawn"), [("bce", "one-stage"), ("least-squares", "simultaneous"), ("mine", "one-stage")]
)
def test_the_diagram_is_of_the_update_that_was_made(tmp_path: Path, loss: str, drawn: str) -> None:
    config = changed(loss=LossConfig(loss), step=StepConfig("one-stage"))
    facts = gather(make_run(tmp_path / "0001-on", recipe="cifar-dcgan", config=config, rows=0, grids=1, tiles=16))
    for lang in ("en", "ko"):
        say = i18n.load(lang)
        page = render(facts, say)
        assert say(f"flow.caption.{drawn}") in page
        assert (say("flow.falls_back") in page) == (drawn == "simultaneous")


def test_a_loss_of_ones_own_is_shown_as_the_run_records_it(tmp_path: Path) -> None:
    config = changed(loss=LossConfig("mine"))
    run = make_run(tmp_path / "0001-own", recipe="cifar-dcgan", config=config, rows=0, grids=1, tiles=16)
    for nimg in (64, 128):
        run.append("metrics", {"nimg": nimg, "loss/d": 1.0, "loss/g": 0.5, "acc/real": 0.9, "acc/fake": 0.8})
    formulas, text = {"d": "real + fake", "g": "2 fake"}, {"en": "It falls <slowly>."}
    run.event("start", 0, loss={"threshold": 0.25, "formula": formulas, "text": text})
    facts, words = gather(run), page(run).text
    assert (facts.loss.rule, facts.judged) == ("threshold", "fake")
    for told in ("Losses · mine", "It falls <slowly>.", "real + fake", "2 fake", "above 0.25: real", "logit 0.25"):
        assert told in words, told
    assert "threshold 0.25" not in words, "the record is no detail of the events"
    assert i18n.load("ko")("chart.loss.own.text", name="mine") in page(run, "ko").text


def test_an_unknown_loss_without_a_record_is_read_off_the_metrics() -> None:
    assert losses.of_run("mine", [], []).threshold == 0.0
    assert losses.of_run("mine", [], [{"acc/pair": 0.9}]).threshold is None
    for damaged in (None, 3, {"formula": "x", "text": [1]}):
        loss = losses.of_run("hinge", [{"event": "start", "loss": damaged}], [])
        assert (loss.threshold, loss.formulas, loss.texts) == (0.0, {}, {})
    recorded = losses.of_run("hinge", [{"event": "start", "loss": {"threshold": None}}], [])
    assert recorded.threshold is None


def test_a_penalty_that_is_always_zero_has_no_chart(tmp_path: Path) -> None:
    run = make_run(tmp_path / "0001-none", recipe="cifar-dcgan", config=changed(), rows=0, grids=1, tiles=16)
    for nimg in (64, 128):
        run.append("metrics", {"nimg": nimg, "loss/d": 1.0, "loss/g": 0.5 + nimg, "penalty": 0.0})
    assert "penalty" not in {chart.key for chart in all_charts(gather(run), i18n.load("en"))}


def test_a_long_layer_name_stays_clear_of_the_shape() -> None:
    art = diagram.Drawing(400)
    layers = [Layer("", "Twice the side, Conv 3x3", (128, 16, 16), 9), Layer("", "ReLU", (128, 16, 16), 0)]
    art.column(layers, 0, 0, 32, "g")
    names = [text for text in art.texts if text.x == 60]
    assert [text.text for text in names] == ["Twice the side,", "Conv 3x3", "ReLU"]
    assert len({text.y for text in names}) == 3
