"""What the doctor finds in this run."""

from __future__ import annotations

from typing import Any

from ganvas.diagnostics import text
from ganvas.i18n import Translator
from ganvas.reports.facts import Facts
from ganvas.reports.section import Section, register


def values(facts: Facts, say: Translator) -> dict[str, Any] | None:
    """The diagnosis in sentences; its sentences are the doctor's own."""
    diagnosis = facts.diagnosis
    if not diagnosis:
        return None
    return {
        "summary": text.summary(diagnosis, say),
        "findings": text.finding_texts(diagnosis, say),
        "fake_accuracy": text.fake_accuracy_answer(diagnosis, say),
    }


TEMPLATE = """
  <p class="verdict">{{ summary }}</p>
  {% for item in findings %}
  <div class="finding" id="finding-{{ item.rule }}">
    <h3>{{ item.title }}</h3>
    <p class="note">{{ item.since }} · {{ item.confidence }}</p>
    <p>{{ item.cause }}</p>
    {% if item.evidence %}<p>{{ say("doctor.evidence") }}:</p><ul>{% for line in item.evidence %}<li>{{ line }}</li>{% endfor %}</ul>{% endif %}
    {% if item.pictures %}<p class="note">{{ say("doctor.picture") }}: {% for name in item.pictures %}<a href="{{ name|link }}"><code>{{ name }}</code></a>{{ ", " if not loop.last }}{% endfor %}</p>{% endif %}
    {% if item.commands %}<p>{{ say("doctor.try") }}:</p><pre><code>{{ item.commands|join("\\n") }}</code></pre>{% endif %}
    {% if item.page %}<p class="note">{{ say("doctor.more") }}: <code>{{ item.page }}</code></p>{% endif %}
  </div>
  {% endfor %}
  {% if fake_accuracy %}<h3>{{ fake_accuracy[0] }}</h3><p>{{ fake_accuracy[1] }}</p>{% endif %}
  <p class="note">{{ say("doctor.lead") }}</p>
"""

register(Section("doctor", 40, "doctor.title", values, TEMPLATE))
