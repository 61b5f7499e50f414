"""Does the accuracy fall towards 0.5? The verdict, its curve, and the notebooks' threshold."""

from __future__ import annotations

from typing import Any

from ganvas.i18n import Translator
from ganvas.reports import charts
from ganvas.reports.accuracy import balanced_sentence, trend_sentence
from ganvas.reports.charts import Chart, Spec
from ganvas.reports.facts import Facts
from ganvas.reports.section import Section, register


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """The trend in sentences, the chart, and accuracies at both thresholds for losses that log both."""
    trend = facts.trend
    return {
        "accuracy": say(f"accuracy.{facts.judged}"),
        "verdict": say(f"trend.{trend.verdict if trend else 'too_few'}"),
        "numbers": trend_sentence(facts, trend, say) if trend else "",
        "balanced": balanced_sentence(facts, say),
        "charts": accuracy_charts(facts, say),
        "rules": _rules(facts, say),
        "notebook_charts": charts.draw(facts, [_notebook(say)], say),
    }


def accuracy_charts(facts: Facts, say: Translator) -> list[Chart]:
    """The accuracies of the run's loss, with the trend; no chart without rows."""
    rule, blanks = facts.loss.rule, facts.loss.blanks
    spec = Spec(
        "acc",
        say(f"chart.acc.{rule}", **blanks),
        say(f"chart.acc.{rule}.text", **blanks),
        ("acc/fake", "acc/pair") if facts.judged == "pair" else ("acc/real", "acc/fake"),
        limits=(0.0, 1.0),
        guide=0.5,
        trend=facts.trend,
    )
    return charts.draw(facts, [spec], say)


def _notebook(say: Translator) -> Spec:
    return Spec(
        "acc_notebook", say("chart.acc_notebook"), say("chart.acc_notebook.text"), ("acc/real_0.5", "acc/fake_0.5"),
        limits=(0.0, 1.0), guide=0.5,
    )  # fmt: skip


def _rules(facts: Facts, say: Translator) -> list[tuple[str, str, str, int]]:
    """(threshold, real, fake, rows): mean accuracies over the last tenth of the rows; empty without both thresholds."""
    table: list[tuple[str, str, str, int]] = []
    if not len(facts.column("acc/fake_0.5")[1]):
        return table
    for rule, ending in (("rule.zero", ""), ("rule.half", "_0.5")):
        real, fake = facts.column(f"acc/real{ending}")[1], facts.column(f"acc/fake{ending}")[1]
        rows = -(-min(len(real), len(fake)) // 10)
        if rows:
            table.append((say(rule), f"{real[-rows:].mean():.3f}", f"{fake[-rows:].mean():.3f}", rows))
    return table


TEMPLATE = """
{% from "parts.html" import chart with context %}
  <p class="verdict">{{ verdict }}</p>
  {% if numbers %}
  <p>{{ numbers }}</p>
  {% endif %}
  {% if facts.judged == "pair" %}
  <p>{{ say("accuracy.pair.explained") }} {{ balanced }}</p>
  {% endif %}
  {% for item in charts %}{{ chart(item, dots=true) }}{% endfor %}
  {% if numbers %}<p class="note">{{ say("trend.method") }}</p>{% endif %}
  {% if rules %}
  <h3>{{ say("rule.title") }}</h3>
  <p>{{ say("rule.explained") }}</p>
  <div class="scroll"><table class="numbers">
    <caption>{{ say("rule.caption", rows=rules[0][3], seed=facts.config.seed) }}</caption>
    <thead><tr><th scope="col">{{ say("rule.column") }}</th><th scope="col">{{ say("rule.real") }}</th><th scope="col">{{ say("rule.fake") }}</th></tr></thead>
    <tbody>{% for rule, real_accuracy, fake_accuracy, _ in rules %}<tr><th scope="row">{{ rule }}</th><td>{{ real_accuracy }}</td><td>{{ fake_accuracy }}</td></tr>{% endfor %}</tbody>
  </table></div>
  {% for item in notebook_charts %}{{ chart(item) }}{% endfor %}
  {% endif %}
"""

SENTENCES = {
    "en": {
        "section.trend": "Does {accuracy} fall towards 0.5?",
        "trend.falling": "Falling towards 0.5.",
        "trend.falling_away": "Falling, but away from 0.5: fakes fool D more and more often.",
        "trend.method": "The slope is an ordinary least-squares fit to the rows after the first tenth of the run. Neighbouring rows are correlated, so the interval comes from the means of ten blocks (batch means: Schmeiser 1982; Student’s t, 8 degrees of freedom). It covers only the noise within this run; other seeds may differ by more.",
        "trend.none": "No evidence of a trend.",
        "trend.rising": "Rising away from 0.5: D recognises fakes more and more reliably.",
        "trend.rising_towards": "Rising towards 0.5 from below.",
        "trend.too_few": "There are too few rows for a trend: it needs 40 after the first tenth of the run.",
        "rule.caption": "Mean over the last {rows} rows, the last tenth of this run (seed {seed}).",
        "rule.column": "threshold",
        "rule.explained": "A logit x stands for the probability σ(x) = 1 / (1 + e⁻ˣ). The neutral threshold p = 0.5 is x = 0; the charts above use it. The notebooks compared the logit itself with 0.5, which is p = 0.62. Both are given, so that you can compare with the notebooks.",
        "rule.fake": "accuracy on fakes",
        "rule.half": "logit 0.5 (p = 0.62), as in the notebooks",
        "rule.real": "accuracy on real images",
        "rule.title": "Accuracy at two thresholds",
        "rule.zero": "logit 0 (p = 0.5)",
    },
    "ko": {
        "section.trend": "{accuracy}가 0.5를 향해 하향하는가",
        "trend.falling": "추세적으로 0.5를 향해 하향하고 있습니다.",
        "trend.falling_away": "하향하고 있지만 0.5에서 멀어지고 있습니다. 판별자가 점점 더 자주 가짜에 속습니다.",
        "trend.method": "처음 10%를 제외한 기록에 최소제곱법으로 구한 기울기입니다. 이웃한 기록은 서로 비슷하므로, 신뢰구간은 열 개 구간의 평균에서 구했습니다(batch means: Schmeiser 1982, 자유도 8인 t 분포). 이 구간은 이번 실행 안의 변동만 나타내며, 시드가 다르면 차이가 더 클 수 있습니다.",
        "trend.none": "추세가 있다는 근거가 없습니다.",
        "trend.rising": "상승하며 0.5에서 멀어지고 있습니다. 판별자가 가짜를 점점 더 확실히 가려냅니다.",
        "trend.rising_towards": "아래에서 0.5를 향해 상승하고 있습니다.",
        "trend.too_few": "추세를 계산하기에는 기록이 부족합니다. 처음 10%를 제외하고 40행이 필요합니다.",
        "rule.caption": "이번 실행(시드 {seed})의 마지막 10%에 해당하는 {rows}행의 평균입니다.",
        "rule.column": "기준",
        "rule.explained": "로짓 x는 확률 σ(x) = 1 / (1 + e⁻ˣ)를 뜻합니다. 중립적인 기준인 p = 0.5는 x = 0에 해당하며 위의 그래프도 이 기준을 따릅니다. 노트북에서는 로짓을 그대로 0.5와 비교했는데, 이는 p = 0.62에 해당합니다. 노트북의 값과 비교할 수 있도록 둘 다 적었습니다.",
        "rule.fake": "가짜에 대한 정확도",
        "rule.half": "로짓 0.5 (p = 0.62), 노트북의 기준",
        "rule.real": "진짜에 대한 정확도",
        "rule.title": "정확도의 두 가지 기준",
        "rule.zero": "로짓 0 (p = 0.5)",
    },
}

register(Section("trend", 50, "section.trend", values, TEMPLATE, SENTENCES))
