"""A rule or check of one's own: one object, registered; and the sentences of all of them."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from histories import late, make_history

from ganvas import i18n
from ganvas.diagnostics import RULES, Finding, Rule, RunHistory, diagnose, register_rule, text
from ganvas.diagnostics.checks import CHECKS, Check, Result, register_check
from ganvas.diagnostics.checks.check import checks_in_order


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """The registries and sentences as they were."""
    kept: list[tuple[dict, dict]] = [(each, dict(each)) for each in (RULES, CHECKS)]  # type: ignore[type-arg]
    kept += [(sentences, dict(sentences)) for sentences in map(i18n._sentences, i18n.languages())]
    yield
    for now, before in kept:
        now.clear()
        now.update(before)


def pale(history: RunHistory) -> Finding | None:
    """Samples of little contrast."""
    low = history.curve("contrast/fake") < 0.5 * history.curve("contrast/real")
    return PALE.finding(history, low, ("contrast/fake", "made/up", "contrast/real"), ["--with r1-r2"], percent=50)


SENTENCES = {"en": {"title": "Pale samples", "cause": "The contrast is below {percent} % of the real images'."}}
PALE = Rule("pale", 135, pale, SENTENCES)


def test_a_rule_is_one_object() -> None:
    """Read curves, say where the condition holds, what shows it and what to try; then register."""
    register_rule(PALE)
    diagnosis = diagnose(make_history({"contrast/fake": late(60, 12)}))
    (found,) = diagnosis.findings
    assert (found.rule, found.since, found.confidence) == ("pale", 14000, "high")
    assert [(e.curve, e.start_value, e.end_value) for e in found.evidence] == [
        ("contrast/fake", 12, 12),
        ("contrast/real", 64, 64),
    ]
    for lang in i18n.languages():  # English stands in for a language that the rule lacks
        (item,) = text.finding_texts(diagnosis, i18n.load(lang))
        assert (item.title, item.cause) == ("Pale samples", "The contrast is below 50 % of the real images'.")


def test_an_id_is_registered_once() -> None:
    with pytest.raises(ValueError, match="'d-wins' is taken"):
        register_rule(Rule("d-wins", 0, pale, SENTENCES))
    assert RULES["d-wins"].find is not pale


def test_findings_that_say_nothing_new_are_left_out() -> None:
    dark = make_history({"contrast/fake": late(60, 12), "saturated/fake": late(0.1, 0.6)})
    register_rule(PALE)
    assert [f.rule for f in diagnose(dark).findings] == ["saturation", "pale"]
    RULES["pale"] = Rule("pale", 135, pale, SENTENCES, silences=("saturation",))
    assert [f.rule for f in diagnose(dark).findings] == ["pale"]


def test_what_a_rule_needs_is_on_the_object() -> None:
    last_two = make_history({"contrast/fake": late(60, 12, at=10)})
    register_rule(PALE)
    assert diagnose(last_two).findings == ()
    RULES["pale"] = Rule("pale", 135, pale, SENTENCES)  # `pale` reads PALE, which needs three measurements
    assert PALE.min_measurements == 3
    two = Rule("pale", 135, pale, SENTENCES, min_measurements=2)
    contrast = last_two.curve("contrast/fake")
    assert two.finding(last_two, contrast < 30, (), ()) is not None
    late_only = Rule("pale", 135, pale, SENTENCES, min_measurements=2, min_g_updates=10**6)
    assert late_only.finding(last_two, contrast < 30, (), ()) is None


def test_a_curve_without_a_description_is_named() -> None:
    history = make_history({"contrast/fake": late(60, 12), "made/up": 1.0})
    register_rule(PALE)
    (item,) = text.finding_texts(diagnose(history), i18n.load("en"))
    assert item.evidence[1].startswith("made/up: 1 at image 14,000")


def test_the_example_in_the_docs_works() -> None:
    section = (Path(__file__).parents[2] / "docs" / "extending.md").read_text("utf-8").split("## Doctor rules")[1]
    exec(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0], {})
    diagnosis = diagnose(make_history({"contrast/fake": late(60, 12)}))
    (item,) = text.finding_texts(diagnosis, i18n.load("en"))
    assert (item.title, item.page) == ("Pale samples", "")
    assert "ganvas train quick --with r1-r2" in item.commands[0]
    assert "More" not in text.diagnosis_text(diagnosis, i18n.load("en"))


def test_a_check_is_one_object() -> None:
    def examine(dataset: object) -> Iterator[Result]:
        yield Result("moon", "advice", {"phase": "new"})

    sentences = {"en": {"moon.advice": "The moon is {phase}."}}
    register_check(Check("moon", "data", 15, examine, sentences))
    assert [check.name for check in checks_in_order("data")][:3] == ["images", "moon", "enough"]
    assert i18n.load("ko")("doctor.data.moon.advice", phase="new") == "The moon is new."
    with pytest.raises(ValueError, match=r"data\.moon exists"):
        register_check(Check("moon", "data", 15, examine, sentences))


def test_all_parts_have_their_sentences_in_both_languages() -> None:
    parts: dict[str, Mapping[str, Mapping[str, str]]] = {
        **{rule.id: rule.sentences for rule in RULES.values()},
        **{f"{check.group}.{check.name}": check.sentences for check in CHECKS.values()},
    }
    assert len(parts) > 30
    for name, sentences in parts.items():
        assert sentences.keys() == {"en", "ko"} and sentences["en"].keys() == sentences["ko"].keys(), name
        for key, english in sentences["en"].items():
            assert english.strip() and sentences["ko"][key].strip(), (name, key)
            assert blanks(english) == blanks(sentences["ko"][key]), (name, key)
    assert all(rule.sentences["en"].keys() == {"title", "cause"} for rule in RULES.values())


def blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
