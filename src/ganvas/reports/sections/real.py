"""The generator's last grid next to real images."""

from __future__ import annotations

from typing import Any

from ganvas import media
from ganvas.i18n import Translator
from ganvas.reports import grids
from ganvas.reports.facts import Facts
from ganvas.reports.html import as_uri
from ganvas.reports.section import Section, register


def values(facts: Facts, say: Translator) -> dict[str, Any] | None:
    """Both grids, lossless."""
    if not facts.grids or facts.real is None:
        return None
    at, last = facts.grids[-1]
    return {
        "last": as_uri(media.encode(last), "png"),
        "real": as_uri(media.encode(facts.real), "png"),
        "label": grids.label(facts, at, say),
        "data": facts.data["name"],
    }


TEMPLATE = """
{% from "parts.html" import class_rows with context %}
  <p class="lead">{{ say("section.real.lead") }}</p>
  <div class="pair">
    <figure><div class="named">{{ class_rows() }}<img src="{{ last }}" alt="{{ say('images.alt', label=label) }}"></div><figcaption>{{ say("samples.last", label=label) }}</figcaption></figure>
    <figure><div class="named">{{ class_rows() }}<img src="{{ real }}" alt="{{ say('samples.real_alt', data=data) }}"></div><figcaption>{{ say("samples.real", data=data) }}</figcaption></figure>
  </div>
"""

SENTENCES = {
    "en": {
        "section.real": "Next to real images",
        "section.real.lead": "The generator’s last grid and real images, in true colours and at the same scale. Cover the captions: can you tell which is which?",
        "samples.last": "The last grid: {label}",
        "samples.real": "Real images from {data}",
        "samples.real_alt": "Grid of real images from {data}",
    },
    "ko": {
        "section.real": "진짜 이미지와 나란히",
        "section.real.lead": "생성자의 마지막 샘플과 진짜 이미지를 원래 색 그대로 같은 배율로 놓았습니다. 설명을 가리고 보아도 어느 쪽이 진짜인지 구별할 수 있을까요?",
        "samples.last": "마지막 샘플: {label}",
        "samples.real": "{data}의 진짜 이미지",
        "samples.real_alt": "{data}의 진짜 이미지 모음",
    },
}

register(Section("real", 20, "section.real", values, TEMPLATE, SENTENCES))
