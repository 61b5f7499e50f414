"""Charts of the training: losses, logits, gradients and what else the run logged."""

from __future__ import annotations

from typing import Any

from ganvas.i18n import Translator
from ganvas.reports import charts
from ganvas.reports.charts import Spec
from ganvas.reports.facts import Facts
from ganvas.reports.section import Section, register


def specs(facts: Facts, say: Translator) -> list[Spec]:
    """The charts in their order. A new chart is an entry here; its title and text are sentences, chart.KEY(.text)."""

    def titled(key: str, *columns: str, **options: Any) -> Spec:
        return Spec(key, say(f"chart.{key}"), say(f"chart.{key}.text"), columns, **options)

    loss, unit = facts.loss, (0.0, 1.0)
    logit, logit_text = (say(f"chart.logit.{loss.rule}{ending}", **loss.blanks) for ending in ("", ".text"))
    return [
        Spec("loss", loss.title(say), loss.text(say), ("loss/d", "loss/g")),
        Spec("logit", logit, logit_text, ("logit/real", "logit/fake", "logit/held_out"), guide=loss.threshold),
        titled("grad", "grad/d", "grad/g"),
        titled("penalty", "penalty", if_constant=False),
        titled("strength", "penalty/strength", limits=unit),
        titled("augment", "augment/p", "overfit", limits=unit, guide=facts.config.augment.adapt or None),
        titled("speed", "img_s"),
        titled("lr", "lr/d", "lr/g", if_constant=False),
    ]


def values(facts: Facts, say: Translator) -> dict[str, Any] | None:
    """Every chart that the run has rows for."""
    drawn = charts.draw(facts, specs(facts, say), say)
    return {"charts": drawn} if drawn else None


TEMPLATE = """
{% from "parts.html" import chart with context %}
  <p class="lead">{{ say("chart.use") }}</p>
  <div class="charts">
  {% for item in charts %}{{ chart(item) }}{% endfor %}
  </div>
"""

SENTENCES = {
    "en": {
        "section.curves": "Training curves",
        "chart.use": "Point at a chart, or focus it and use the arrow keys, to read values.",
    },
    "ko": {
        "section.curves": "학습 곡선",
        "chart.use": "그래프에 마우스를 올리거나, 그래프를 선택한 뒤 방향키를 누르면 값을 읽을 수 있습니다.",
    },
}

register(Section("curves", 60, "section.curves", values, TEMPLATE, SENTENCES, wide=True))
