"""The course's rubric and the reviewers' five points, each with what this run measured, or why it shows nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ganvas.i18n import Translator, figure
from ganvas.report import quality
from ganvas.report.facts import COURSE_EPOCHS, Facts
from ganvas.report.notes import Section
from ganvas.runs.run import is_number
from ganvas.stats.trend import Trend

# Quotations, the same in every language of the report.
RUBRIC = (
    (
        "Images were generated with the two networks: the kind of object can be told by eye.",
        "오브젝트 종류를 육안으로 구별할 수 있을 만한 이미지를 생성하였다.",
    ),
    (
        "Pictures and curves prove that training went right: a GIF in which quality slowly rises, "
        "and a fake accuracy that trends down towards 0.5.",
        "gif를 통해 생성이미지 품질이 서서히 향상되는 것과, "
        "fake accuracy가 추세적으로 0.5를 향해 하향하고 있음을 확인하였다.",
    ),
    (
        "Ideas that improve the structure or training were proposed and applied, "
        "with the before/after shown in a table or picture.",
        "적용 전과 비교하였을 때의 내용을 표와 같은 시각적 자료로 작성하였다.",
    ),
)

Status = Literal["shown", "eye", "part", "not"]


@dataclass(frozen=True)
class Item:
    """One rubric item: the quotation twice, what was measured, and the reasons why it is not shown yet."""

    number: int
    english: str
    korean: str
    status: Status
    evidence: list[str]
    reasons: list[str]


@dataclass(frozen=True)
class Point:
    """One reviewers' point: what they check, where its evidence stands, and the part of the page it stands in."""

    title: str
    text: str
    anchor: str


def rubric(facts: Facts, slope: Trend | None, say: Translator) -> list[Item]:
    """The three items, judged by this run alone."""
    few = _shortfall(facts, say)
    return [_pictures(facts, few, say), _progress(facts, slope, few, say), _ideas(facts, say)]


def _shortfall(facts: Facts, say: Translator) -> list[str]:
    """Why a run proves nothing yet, whatever its pictures."""
    reasons = []
    if facts.epochs < COURSE_EPOCHS:
        reasons.append(say("because.epochs", epochs=f"{facts.epochs:.1f}", least=COURSE_EPOCHS))
    if facts.state == "nan":
        reasons.append(say("because.nan"))
    return reasons


def _pictures(facts: Facts, few: list[str], say: Translator) -> Item:
    reasons = [*few] if facts.grids else [*few, say("because.no_grids")]
    evidence = []
    if facts.grids:
        at = facts.grids[-1][0]
        evidence.append(
            say("rubric.1.grid", count=facts.config.log.samples, images=f"{at:,}", epochs=f"{at / facts.n:.1f}",
                seed=facts.config.seed)
        )  # fmt: skip
    evidence += _recognised(facts, say)
    return Item(1, *RUBRIC[0], "not" if reasons else "eye", evidence, reasons)


def _recognised(facts: Facts, say: Translator) -> list[str]:
    """How well a classifier recognises the fakes, beside real images. It helps the eye, and does not replace it."""
    row = quality.recognised(facts.evals)
    if row is None:
        return [say("rubric.1.unmeasured", name=facts.name)]
    words = {"value": quality.with_interval(row, say)}
    measured = [
        say("rubric.1.gan_test", **words)
        if row["metric"] == "gan_test_accuracy"
        else say("rubric.1.confidence", **words)
    ]
    if is_number(row.get("floor")):
        measured.append(say("rubric.1.floor", floor=figure(row["floor"]), source=row.get("floor_from") or "–"))
    if len(found := quality.by_class(row)) > 1:
        least, best = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
        low, high = f"{found[least]:.3f}", f"{found[best]:.3f}"
        measured.append(say("rubric.1.by_class", least=least, low=low, best=best, high=high))
    measured.append(say("rubric.1.basis", basis=quality.rests_on(row, say)))
    return [" ".join(measured), say("rubric.1.by_eye")]


def _progress(facts: Facts, slope: Trend | None, few: list[str], say: Translator) -> Item:
    reasons, evidence, accuracy = [*few], [], say(f"accuracy.{facts.judged}")
    if len(facts.grids) > 1:
        first, last = facts.grids[0][0], facts.grids[-1][0]
        evidence.append(say("rubric.2.gif", count=len(facts.grids), first=f"{first:,}", last=f"{last:,}"))
    else:
        reasons.append(say("because.no_gif"))
    if slope is None:
        reasons.append(say("because.no_trend"))
    else:
        evidence.append(trend_sentence(facts, slope, say))
        if slope.verdict != "falling":
            reasons.append(say(f"because.trend.{slope.verdict}", accuracy=accuracy))
    if facts.judged == "pair":
        evidence += filter(None, [say("accuracy.pair.explained"), balanced_sentence(facts, say)])
    if not reasons:
        evidence.append(say("rubric.2.shown", accuracy=accuracy))
    return Item(2, *RUBRIC[1], "not" if reasons else "shown", evidence, reasons)


def _ideas(facts: Facts, say: Translator) -> Item:
    compared = _compared(facts, say)
    if not facts.ideas and not compared:
        return Item(3, *RUBRIC[2], "not", [], [say("because.one_run")])
    named = facts.named_ideas
    evidence = [say("rubric.3.applied", count=len(named), names=", ".join(named))] if named else []
    if not compared:
        return Item(3, *RUBRIC[2], "part", evidence, [say("because.no_before")])
    return Item(3, *RUBRIC[2], "shown", [*evidence, *compared], [])


def _compared(facts: Facts, say: Translator) -> list[str]:
    """What the experiment that this run belongs to says of its cell beside the first; nothing for the first itself."""
    found = facts.experiment or {}
    told = [
        say("rubric.3.verdict", metric=v["metric"], word=say(f"compare.word.{v['verdict']}"),
            difference=_difference(v, say))
        for v in found.get("verdicts", [])
    ]  # fmt: skip
    if not told:
        return []
    first, cell = found["seeds"]
    names = {"cell": found["cell"], "first": found["first"], "experiment": found["experiment"]}
    return [say("rubric.3.compared", **names, seeds=f"{first} + {cell}", told="; ".join(told))]


def _difference(verdict: dict[str, Any], say: Translator) -> str:
    if verdict["low"] is None:
        return "–"
    value, low, high = (signed(verdict[key]) for key in ("difference", "low", "high"))
    return say("rubric.3.difference", value=value, low=low, high=high)


def trend_sentence(facts: Facts, slope: Trend, say: Translator) -> str:
    """The trend of the accuracy with its interval, n and seed."""
    return say(
        "trend.numbers", accuracy=say(f"accuracy.{facts.judged}"),
        slope=signed(slope.slope), low=signed(slope.low), high=signed(slope.high), n=slope.n, seed=facts.config.seed,
        start=f"{slope.start:.1f}", end=f"{slope.end:.1f}",
        level_start=f"{slope.at(slope.start):.2f}", level_end=f"{slope.at(slope.end):.2f}",
    )  # fmt: skip


def balanced_sentence(facts: Facts, say: Translator) -> str:
    """Where D only compares: fake accuracy at the balanced threshold, beside that of pairs. Else empty."""
    if facts.judged != "pair":
        return ""
    fake, pair = (facts.column(name)[1] for name in ("acc/fake", "acc/pair"))
    rows = -(-min(len(fake), len(pair)) // 10)
    if not rows:
        return ""
    return say("accuracy.balanced", rows=rows, fake=f"{fake[-rows:].mean():.3f}", pair=f"{pair[-rows:].mean():.3f}")


def signed(value: float) -> str:
    """Two or three significant digits with a sign; a true minus."""
    digits = f"{value:+.4f}" if abs(value) >= 0.01 else f"{value:+.2g}" if abs(value) < 1e-4 else f"{value:+.5f}"
    return digits.replace("-", "−")


def reviewers(facts: Facts, items: list[Item], notes: list[Section], say: Translator) -> list[Point]:
    """The five points that peers check."""
    shown = sum(item.status == "shown" for item in items)
    open_ = sum(item.status in ("not", "part") for item in items)
    failures = [e for kind in ("warning", "nan") for e in facts.happened(kind)]
    written = sum(bool(section.body.strip()) for section in notes)
    failed = say("point.3.failures", count=len(failures), resumes=len(facts.happened("resume")))
    return [
        Point(say("point.1"), say("point.1.text", shown=shown, eye=len(items) - shown - open_, open=open_), "rubric"),
        Point(say("point.2"), say("point.2.text", recipe=facts.config.recipe), "flow"),
        Point(say("point.3"), failed if failures or facts.ideas else say("point.3.none"), "events"),
        Point(say("point.4"), say("point.4.text" if facts.networks else "point.4.no_diagram", count=written), "notes"),
        Point(say("point.5"), say("point.5.text"), "code"),
    ]
