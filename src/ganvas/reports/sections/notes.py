"""The author's retrospective: notes.md."""

from __future__ import annotations

from typing import Any

from ganvas.i18n import Translator
from ganvas.reports import retrospective
from ganvas.reports.facts import Facts
from ganvas.reports.section import Section, register


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """(heading, text) of each part of the notes."""
    found = retrospective.parts(facts.notes)
    return {"notes": [(say(f"notes.{kind}") if kind else part.title, part.body) for kind, part in found]}


TEMPLATE = """
  {% if notes %}
  <p class="lead">{{ say("notes.lead") }}</p>
  <div class="notes">
    {% for title, body in notes %}
    <div>
      {% if title %}<h3>{{ title }}</h3>{% endif %}
      {% if body %}{{ body }}{% else %}<p class="empty">{{ say("notes.empty")|inline }}</p>{% endif %}
    </div>
    {% endfor %}
  </div>
  {% else %}
  <p class="empty">{{ say("notes.none")|inline }}</p>
  {% endif %}
"""

SENTENCES = {
    "en": {
        "section.notes": "Keep, problem, try",
        "notes.empty": "Nothing written yet. Open `notes.md` in the run’s folder, write in your own words, then write the report again.",
        "notes.keep": "Keep",
        "notes.lead": "The author’s own retrospective.",
        "notes.none": "No notes yet. Create `notes.md` in the run’s folder with the headings Keep, Problem and Try.",
        "notes.problem": "Problem",
        "notes.try": "Try",
    },
    "ko": {
        "section.notes": "Keep, Problem, Try",
        "notes.empty": "아직 작성하지 않았습니다. 실행 폴더의 `notes.md`를 열어 직접 느낀 점을 적은 뒤 보고서를 다시 만들어 보세요.",
        "notes.keep": "Keep · 계속할 점",
        "notes.lead": "작성자가 직접 쓴 회고입니다.",
        "notes.none": "아직 회고가 없습니다. 실행 폴더에 Keep, Problem, Try 제목을 넣은 `notes.md`를 작성해 보세요.",
        "notes.problem": "Problem · 어려웠던 점",
        "notes.try": "Try · 시도할 점",
    },
}

register(Section("notes", 110, "section.notes", values, TEMPLATE, SENTENCES))
