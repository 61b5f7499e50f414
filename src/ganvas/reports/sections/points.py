"""The five points that peers check, and where the page shows each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganvas.i18n import Translator
from ganvas.reports import markdown
from ganvas.reports.facts import Facts
from ganvas.reports.section import Section, register
from ganvas.reports.sections import rubric


@dataclass(frozen=True)
class Point:
    """One point: what peers check, the evidence, and the section that holds it."""

    title: str
    text: str
    anchor: str


def points(facts: Facts, say: Translator) -> list[Point]:
    """The five points that peers check."""
    items = rubric.items(facts, say)
    shown = sum(item.status == "shown" for item in items)
    open_ = sum(item.status in ("not", "part") for item in items)
    failures = [e for kind in ("warning", "nan") for e in facts.happened(kind)]
    written = sum(bool(part.body.strip()) for part in markdown.split(facts.notes))
    failed = say("point.3.failures", count=len(failures), resumes=len(facts.happened("resume")))
    return [
        Point(say("point.1"), say("point.1.text", shown=shown, eye=len(items) - shown - open_, open=open_), "rubric"),
        Point(say("point.2"), say("point.2.text", recipe=facts.config.recipe), "flow"),
        Point(say("point.3"), failed if failures or facts.ideas else say("point.3.none"), "events"),
        Point(say("point.4"), say("point.4.text" if facts.networks else "point.4.no_diagram", count=written), "notes"),
        Point(say("point.5"), say("point.5.text"), "code"),
    ]


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """All five."""
    return {"points": points(facts, say)}


TEMPLATE = """
  <ol class="points">
    {% for point in points %}
    <li><h3><a href="#{{ point.anchor }}">{{ point.title }}</a></h3><p>{{ point.text|inline }}</p></li>
    {% endfor %}
  </ol>
"""

SENTENCES = {
    "en": {
        "section.points": "What reviewers check",
        "point.1": "The problem is solved, with evidence",
        "point.1.text": "The three rubric items in this run: {shown} shown by measurement, {eye} to judge visually, {open} not shown or only partly shown.",
        "point.2": "Difficult parts are explained",
        "point.2.text": "The diagram above shows one update. Layers, shapes and sources: `ganvas recipes {recipe}`. In the code, `ganvas/training/step.py` is the update; its docstrings cite the papers.",
        "point.3": "Failures were debugged and recorded, or something new was tried",
        "point.3.failures": "Recorded in this run: {count} warnings and failures, {resumes} resumes. They are listed under events; changed settings are under “What ran”.",
        "point.3.none": "Not shown yet: nothing failed in this run, and no setting of structure or training was changed. Under Problem, describe what went wrong in other runs.",
        "point.4": "A retrospective, and a diagram of the data flow",
        "point.4.no_diagram": "The diagram could not be drawn here; sections written in the notes: {count}.",
        "point.4.text": "The diagram is drawn from the networks themselves; sections written in the notes: {count}.",
        "point.5": "PEP 8, functions instead of repetition",
        "point.5.text": "The whole training is one call; the package is checked with ruff and mypy.",
    },
    "ko": {
        "section.points": "동료 평가 항목",
        "point.1": "문제를 해결하고 근거를 제시했는가",
        "point.1.text": "루브릭 세 항목 중 이번 실행의 측정으로 확인된 항목은 {shown}개, 눈으로 판단할 항목은 {eye}개, 아직 확인되지 않았거나 일부만 확인된 항목은 {open}개입니다.",
        "point.2": "어려운 부분에 이유를 설명했는가",
        "point.2.text": "업데이트 한 번의 흐름을 위에 그렸습니다. 층과 형태, 출처는 `ganvas recipes {recipe}`로 볼 수 있습니다. 코드에서는 `ganvas/training/step.py`가 업데이트를 담당하며, docstring에 논문 출처를 밝혔습니다.",
        "point.3": "오류를 디버깅하고 기록했거나 새로운 시도를 했는가",
        "point.3.failures": "이번 실행의 기록: 경고와 실패 {count}건, 이어서 학습 {resumes}회. 모두 진행 기록에 남아 있으며, 바꾼 설정은 ‘실행한 설정’에 있습니다.",
        "point.3.none": "아직 확인되지 않았습니다. 이번 실행에서는 실패가 없었고 구조나 학습 방법의 설정도 바꾸지 않았기 때문입니다. 다른 곳에서 겪은 문제는 Problem에 적어 주세요.",
        "point.4": "회고와 전체 흐름 구조도가 있는가",
        "point.4.no_diagram": "구조도를 그릴 수 없었습니다. 작성된 회고 항목은 {count}개입니다.",
        "point.4.text": "구조도는 실제 신경망에서 그렸습니다. 작성된 회고 항목은 {count}개입니다.",
        "point.5": "PEP 8을 지키고 반복 대신 함수를 사용했는가",
        "point.5.text": "전체 학습이 함수 호출 하나로 이루어집니다. 패키지 코드는 ruff와 mypy로 검사합니다.",
    },
}

register(Section("points", 100, "section.points", values, TEMPLATE, SENTENCES))
