"""The course's rubric, item by item: what this run measured, or why it shows nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ganvas.blind_test import words
from ganvas.i18n import Translator, figure
from ganvas.reports import scores
from ganvas.reports.accuracy import balanced_sentence, signed, trend_sentence
from ganvas.reports.facts import COURSE_EPOCHS, Facts
from ganvas.reports.section import Section, register
from ganvas.stats.finite import is_number

NAMED = 0.5
"""Share of generated images whose class a person must name right."""

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
    """One rubric item: quotation in both languages, what was measured, and why it is not shown yet."""

    number: int
    name: str
    english: str
    korean: str
    status: Status
    evidence: list[str]
    reasons: list[str]


def items(facts: Facts, say: Translator) -> list[Item]:
    """The three items, judged by this run alone."""
    unfinished = _unfinished(facts, say)
    return [_images(facts, unfinished, say), _progress(facts, unfinished, say), _ideas(facts, say)]


def _unfinished(facts: Facts, say: Translator) -> list[str]:
    """Why the run proves nothing yet, whatever its images look like."""
    reasons = []
    if facts.epochs < COURSE_EPOCHS:
        reasons.append(say("because.epochs", epochs=f"{facts.epochs:.1f}", least=COURSE_EPOCHS))
    if facts.state == "nan":
        reasons.append(say("because.nan"))
    return reasons


def _images(facts: Facts, unfinished: list[str], say: Translator) -> Item:
    reasons = [*unfinished] if facts.grids else [*unfinished, say("because.no_grids")]
    evidence = []
    if facts.grids:
        at = facts.grids[-1][0]
        evidence.append(
            say("rubric.1.grid", count=facts.config.log.samples, images=f"{at:,}", epochs=f"{at / facts.n:.1f}",
                seed=facts.config.seed)
        )  # fmt: skip
    evidence += _recognised(facts, say)
    seen, doubts = _blind_test(facts, say)
    evidence, reasons = [*evidence, *seen], [*reasons, *doubts]
    status: Status = "not" if reasons else "shown" if seen and facts.quiz[-1].intended else "eye"
    return Item(1, say("rubric.1.name"), *RUBRIC[0], status, evidence, reasons)


def _blind_test(facts: Facts, say: Translator) -> tuple[list[str], list[str]]:
    """What people saw, and why that does not show the item: the newest test counts.

    Shown: at least half of the generated images were named right, and the whole interval is above guessing.
    """
    seen = [" ".join(words.lines(test, say)) for test in facts.quiz]
    if not seen:
        return [], []
    named = facts.quiz[-1].rate("named_fake")
    if named is None or named.chance is None:
        return [*seen, say("rubric.1.no_classes")], []
    if named.estimate.value >= NAMED and named.estimate.low > named.chance:
        return seen, []
    return seen, [say("because.quiz", hits=named.hits, of=named.of)]


def _recognised(facts: Facts, say: Translator) -> list[str]:
    """How well a classifier recognises the fakes, compared with real images. It supports the judgement by eye."""
    row = scores.recognised(facts.evals)
    if row is None:
        return [say("rubric.1.unmeasured", name=facts.name)]
    blanks = {"value": scores.with_interval(row, say)}
    measured = [
        say("rubric.1.gan_test", **blanks)
        if row["metric"] == "gan_test_accuracy"
        else say("rubric.1.confidence", **blanks)
    ]
    if is_number(row.get("real_baseline")):
        measured.append(
            say("rubric.1.floor", floor=figure(row["real_baseline"]), source=row.get("real_baseline_from") or "–")
        )
    if len(found := scores.by_class(row)) > 1:
        least, best = min(found, key=found.__getitem__), max(found, key=found.__getitem__)
        low, high = f"{found[least]:.3f}", f"{found[best]:.3f}"
        measured.append(say("rubric.1.by_class", least=least, low=low, best=best, high=high))
    measured.append(say("rubric.1.basis", basis=scores.rests_on(row, say)))
    return [" ".join(measured), say("rubric.1.by_eye")]


def _progress(facts: Facts, unfinished: list[str], say: Translator) -> Item:
    trend, reasons, evidence = facts.trend, [*unfinished], []
    accuracy = say(f"accuracy.{facts.judged}")
    if len(facts.grids) > 1:
        first, last = facts.grids[0][0], facts.grids[-1][0]
        evidence.append(say("rubric.2.gif", count=len(facts.grids), first=f"{first:,}", last=f"{last:,}"))
    else:
        reasons.append(say("because.no_gif"))
    if trend is None:
        reasons.append(say("because.no_trend"))
    else:
        evidence.append(trend_sentence(facts, trend, say))
        if trend.verdict != "falling":
            reasons.append(say(f"because.trend.{trend.verdict}", accuracy=accuracy))
    if facts.judged == "pair":
        evidence += filter(None, [say("accuracy.pair.explained"), balanced_sentence(facts, say)])
    if not reasons:
        evidence.append(say("rubric.2.shown", accuracy=accuracy))
    return Item(2, say("rubric.2.name"), *RUBRIC[1], "not" if reasons else "shown", evidence, reasons)


def _ideas(facts: Facts, say: Translator) -> Item:
    compared = _compared(facts, say)
    if not facts.ideas and not compared:
        return Item(3, say("rubric.3.name"), *RUBRIC[2], "not", [], [say("because.one_run")])
    named = facts.named_ideas
    evidence = [say("rubric.3.applied", count=len(named), names=", ".join(named))] if named else []
    if not compared:
        return Item(3, say("rubric.3.name"), *RUBRIC[2], "part", evidence, [say("because.no_before")])
    return Item(3, say("rubric.3.name"), *RUBRIC[2], "shown", [*evidence, *compared], [])


def _compared(facts: Facts, say: Translator) -> list[str]:
    """Verdicts of the experiment on this run's cell against its first cell; empty for the first cell."""
    found = facts.experiment or {}
    verdicts = [v for v in found.get("verdicts", []) if f"compare.word.{v.get('verdict')}" in say]
    results = [
        say("rubric.3.verdict", metric=v.get("metric"), word=say(f"compare.word.{v['verdict']}"),
            difference=_difference(v, say))
        for v in verdicts
    ]  # fmt: skip
    if not results or len(found["seeds"]) != 2:
        return []
    first, cell = found["seeds"]
    names = {"cell": found["cell"], "first": found["first"], "experiment": found["experiment"]}
    return [say("rubric.3.compared", **names, seeds=f"{first} + {cell}", results="; ".join(results))]


def _difference(verdict: dict[str, Any], say: Translator) -> str:
    value, low, high = (verdict.get(key) for key in ("difference", "low", "high"))
    if not (is_number(value) and is_number(low) and is_number(high)):
        return "–"
    key = "adjusted" if "level" in verdict else "difference"  # older comparisons adjusted p values alone
    return say(f"rubric.3.{key}", value=signed(value), low=signed(low), high=signed(high))


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """All three."""
    return {"items": items(facts, say)}


TEMPLATE = """
{% from "parts.html" import status with context %}
  <p class="lead">{{ say("rubric.lead") }}</p>
  <ol class="rubric">
    {% for item in items %}
    <li id="rubric-{{ item.number }}">
      <blockquote>
        <p lang="{{ 'ko' if say.lang == 'ko' else 'en' }}">{{ item.korean if say.lang == "ko" else item.english }}</p>
        <p lang="{{ 'en' if say.lang == 'ko' else 'ko' }}" class="second">{{ item.english if say.lang == "ko" else item.korean }}</p>
      </blockquote>
      <p>{{ status(item.status) }}</p>
      {% if item.reasons %}<p>{{ say("status.part_because" if item.status == "part" else "status.not_because", reasons=item.reasons|join(say("because_join"))) }}</p>{% endif %}
      {% for line in item.evidence %}<p>{{ line|inline }}</p>{% endfor %}
    </li>
    {% endfor %}
  </ol>
"""

SENTENCES = {
    "en": {
        "section.rubric": "The rubric, item by item",
        "rubric.1.basis": "Measured with {basis}.",
        "rubric.1.by_class": "By class: from {low} ({least}) to {high} ({best}).",
        "rubric.1.by_eye": "This supports the judgement by eye and does not replace it: write in the notes what you see.",
        "rubric.1.confidence": "This generator has no intended classes, so this is the confidence of a classifier trained on real images: {value}.",
        "rubric.1.floor": "For real images ({source}): {floor}.",
        "rubric.1.gan_test": "GAN-test accuracy {value}: the share of fakes in which a classifier trained on real images recognises the intended class.",
        "rubric.1.grid": "The last grid: {count} images from fixed latents, after {images} images ({epochs} epochs), seed {seed}, not selected by hand, next to real images.",
        "rubric.1.name": "Recognisable images",
        "rubric.1.no_classes": "Without intended classes a blind test cannot show that the names are right: look at the grid.",
        "rubric.1.unmeasured": "Not measured yet: how well a classifier recognises these images. `ganvas evaluate runs/{name}` measures it. Judge by eye, and write in the notes what you see.",
        "rubric.2.gif": "`progress.gif` and the slider: {count} grids of the same latents, from image {first} to image {last}.",
        "rubric.2.name": "Proof of progress",
        "rubric.2.shown": "In this run {accuracy} trends down towards 0.5. The animation shows whether quality rises with it.",
        "rubric.3.applied": "Settings changed in this run: {count} ({names}). The table under “What ran” has their values before and after.",
        "rubric.3.compared": "In the experiment {experiment}, {cell} compared with {first} ({seeds} seeds): {results}.",
        "rubric.3.adjusted": "{value} (interval adjusted for all tests: {low} to {high})",
        "rubric.3.difference": "{value} (95 % interval of this difference alone: {low} to {high})",
        "rubric.3.name": "Improvements",
        "rubric.3.verdict": "{metric} {difference}: {word}",
        "rubric.lead": "The items that the course grades, quoted, each with the evidence of this run. “Not shown yet” says what is missing.",
        "because.epochs": "it ran {epochs} epochs, and the course asks for at least {least}",
        "because.nan": "training stopped when values became NaN or infinite",
        "because.no_before": "a before/after comparison needs a second run: the unchanged recipe with the same data, budget and seed",
        "because.no_gif": "an animation needs at least two sample grids",
        "because.no_grids": "there is no sample grid yet",
        "because.no_trend": "there are too few rows for a trend: it needs 40 after the first tenth of the run",
        "because.one_run": "this is one run of the unchanged recipe: a comparison needs a before and an after",
        "because.quiz": "in the blind test the class of {hits} of {of} generated images was named right; at least half, and clearly more than by guessing, would show it",
        "because.trend.falling_away": "{accuracy} falls, but away from 0.5",
        "because.trend.none": "there is no evidence of a trend in {accuracy}: the interval of its slope contains zero",
        "because.trend.rising": "{accuracy} rises, away from 0.5",
        "because.trend.rising_towards": "{accuracy} approaches 0.5 from below, not from above",
        "because_join": "; ",
        "status.not_because": "Not shown yet, because {reasons}.",
        "status.part_because": "Only partly shown, because {reasons}.",
    },
    "ko": {
        "section.rubric": "루브릭 항목별 근거",
        "rubric.1.basis": "측정 조건: {basis}.",
        "rubric.1.by_class": "클래스별로는 {low}({least})부터 {high}({best})까지입니다.",
        "rubric.1.by_eye": "이 수치는 참고일 뿐 판단은 눈으로 합니다. 무엇이 보이는지 회고에 적어 주세요.",
        "rubric.1.confidence": "클래스를 지정하지 않는 생성자이므로, 진짜 이미지로 학습한 분류기가 얼마나 확신하는지 봅니다. 평균 확신도는 {value}입니다.",
        "rubric.1.floor": "진짜 이미지({source})에서는 {floor}입니다.",
        "rubric.1.gan_test": "GAN-test 정확도는 {value}입니다. 진짜 이미지로 학습한 분류기가 의도한 클래스로 분류한 가짜의 비율입니다.",
        "rubric.1.grid": "마지막 샘플: 고정된 잠재 벡터로 만든 이미지 {count}장입니다. 이미지 {images}장({epochs} 에포크)을 학습한 시점이며 시드는 {seed}입니다. 골라내지 않고 진짜 이미지와 나란히 두었습니다.",
        "rubric.1.name": "알아볼 수 있는 이미지",
        "rubric.1.no_classes": "클래스를 지정하지 않는 생성자이므로 블라인드 테스트로는 고른 이름이 맞는지 알 수 없습니다. 샘플을 눈으로 확인해 주세요.",
        "rubric.1.unmeasured": "분류기가 이 이미지를 얼마나 잘 인식하는지는 아직 측정하지 않았습니다. `ganvas evaluate runs/{name}`로 측정할 수 있습니다. 눈으로 판단하고, 무엇이 보이는지 회고에 적어 주세요.",
        "rubric.2.gif": "`progress.gif`와 슬라이더: 같은 잠재 벡터로 그린 샘플 {count}장이며, 학습한 이미지 수 {first}장부터 {last}장까지입니다.",
        "rubric.2.name": "학습의 근거",
        "rubric.2.shown": "이번 실행에서 {accuracy}가 추세적으로 0.5를 향해 하향하고 있습니다. 품질이 함께 향상되는지는 애니메이션에서 눈으로 확인할 수 있습니다.",
        "rubric.3.applied": "이번 실행에서 바꾼 설정 {count}개: {names}. 적용 전과 후의 값은 ‘실행한 설정’의 표에 있습니다.",
        "rubric.3.compared": "실험 {experiment}에서 {first} 대비 {cell}(시드 {seeds}개): {results}.",
        "rubric.3.adjusted": "{value} (모든 검정에 맞춰 보정한 신뢰구간 {low} ~ {high})",
        "rubric.3.difference": "{value} (이 차이 하나의 95% 신뢰구간 {low} ~ {high})",
        "rubric.3.name": "개선 아이디어",
        "rubric.3.verdict": "{metric} {difference}: {word}",
        "rubric.lead": "과제의 평가 항목을 그대로 인용하고 이번 실행에서 측정한 근거를 적었습니다. ‘아직 확인되지 않음’도 답입니다. 무엇이 부족한지 알려 줍니다.",
        "because.epochs": "지금까지 {epochs} 에포크를 학습했는데, 과제는 최소 {least} 에포크를 요구하기 때문입니다",
        "because.nan": "값이 NaN 또는 무한대가 되어 학습이 중단되었기 때문입니다",
        "because.no_before": "적용 전과 후를 비교하려면 데이터, 학습량, 시드는 같고 레시피는 원래 그대로인 실행이 하나 더 필요하기 때문입니다",
        "because.no_gif": "애니메이션을 만들려면 샘플이 두 장 이상 필요하기 때문입니다",
        "because.no_grids": "아직 생성된 샘플이 없기 때문입니다",
        "because.no_trend": "추세를 계산하기에는 기록이 부족하기 때문입니다. 처음 10%를 제외하고 40행이 필요합니다",
        "because.one_run": "레시피를 그대로 한 번 실행한 결과이기 때문입니다. 비교하려면 적용 전과 적용 후가 모두 있어야 합니다",
        "because.quiz": "블라인드 테스트에서 생성된 이미지 {of}장 중 {hits}장의 클래스만 맞혔기 때문입니다. 절반 이상을 맞히고 찍은 것보다 뚜렷이 높아야 합니다",
        "because.trend.falling_away": "{accuracy}가 하향하지만 0.5에서 멀어지고 있기 때문입니다",
        "because.trend.none": "기울기의 신뢰구간이 0을 포함하여 {accuracy}에 추세가 있다는 근거가 없기 때문입니다",
        "because.trend.rising": "{accuracy}가 상승하여 0.5에서 멀어지고 있기 때문입니다",
        "because.trend.rising_towards": "{accuracy}가 하향하는 것이 아니라 아래에서 0.5로 올라오고 있기 때문입니다",
        "because_join": ". 또한 ",
        "status.not_because": "아직 확인되지 않았습니다. {reasons}.",
        "status.part_because": "일부만 확인되었습니다. {reasons}.",
    },
}

register(Section("rubric", 90, "section.rubric", values, TEMPLATE, SENTENCES))
