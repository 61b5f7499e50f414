"""What happened during the run, and the environment it ran in."""

from __future__ import annotations

from typing import Any

from ganvas.i18n import Translator
from ganvas.reports.facts import Facts
from ganvas.reports.html import flatten
from ganvas.reports.section import Section, register

ELSEWHERE = ("time", "nimg", "event", "loss", "probe")
"""Keys of an event that are no details: they have a column or, for the loss, a chart and the diagram; what the engine
measured of each form stays in events.jsonl, its choice is shown."""


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """Rows of both tables."""
    return {"events": [_event(event, say) for event in facts.events], "environment": _environment(facts)}


def _event(event: dict[str, Any], say: Translator) -> dict[str, Any]:
    """One row of the events table."""
    kind, nimg = str(event.get("event")), event.get("nimg")
    details = {k: v for k, v in event.items() if k not in ELSEWHERE and v is not None}
    return {
        "time": str(event.get("time", "")).replace("T", " ")[:19],
        "images": f"{nimg:,}" if isinstance(nimg, int) else "",
        "what": say(f"event.{kind}") if f"event.{kind}" in say else kind,
        "details": " · ".join(f"{k} {v}" for k, v in flatten(details).items()),
        "bad": kind in ("warning", "nan"),
    }


def _environment(facts: Facts) -> dict[str, list[str]]:
    """Name -> its value at each start of the process."""
    starts = [flatten({k: v for k, v in row.items() if k != "argv"}) for row in facts.env]
    return {name: [start.get(name, "–") for start in starts] for name in {k: None for start in starts for k in start}}


TEMPLATE = """
  <h3>{{ say("events.title") }}</h3>
  {% if events %}
  <div class="scroll"><table class="events">
    <thead><tr><th scope="col">{{ say("events.time") }}</th><th scope="col">{{ say("events.images") }}</th><th scope="col">{{ say("events.what") }}</th><th scope="col">{{ say("events.details") }}</th></tr></thead>
    <tbody>{% for event in events %}<tr class="{{ 'bad' if event.bad }}"><td>{{ event.time }}</td><td>{{ event.images }}</td><td>{{ event.what }}</td><td>{{ event.details }}</td></tr>{% endfor %}</tbody>
  </table></div>
  {% else %}
  <p>{{ say("events.none") }}</p>
  {% endif %}
  {% if environment %}
  <details{{ " open" if facts.env|length == 1 }}><summary>{{ say("env.title") }}</summary>
    <div class="scroll"><table class="keys">{% for name, values in environment.items() %}<tr><th scope="row"><code>{{ name }}</code></th>{% for value in values %}<td>{{ value }}</td>{% endfor %}</tr>{% endfor %}</table></div>
  </details>
  {% endif %}
"""

SENTENCES = {
    "en": {
        "section.environment": "Environment and events",
        "events.details": "details",
        "events.images": "images",
        "events.none": "No events are recorded.",
        "events.time": "time",
        "events.title": "Events",
        "events.what": "event",
        "env.title": "Environment, one column for each start of the process",
    },
    "ko": {
        "section.environment": "실행 환경과 진행 기록",
        "events.details": "내용",
        "events.images": "이미지 수",
        "events.none": "기록된 사건이 없습니다.",
        "events.time": "시각",
        "events.title": "진행 기록",
        "events.what": "사건",
        "env.title": "실행 환경 (프로세스를 시작할 때마다 한 열)",
    },
}

register(Section("events", 120, "section.environment", values, TEMPLATE, SENTENCES))
