"""From noise to images: the sample grids of the whole training in a player."""

from __future__ import annotations

import math
from typing import Any

from ganvas import media
from ganvas.i18n import Translator
from ganvas.reports import charts, grids
from ganvas.reports.facts import Facts
from ganvas.reports.html import as_uri
from ganvas.reports.section import Section, register

KEY_FRAMES = 6
"""Frames with a button of their own; only these are printed."""


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """The frames, and D's mean logit before training if it is known."""
    logits = (event.get("logit") for event in facts.happened("untrained"))
    logit = next((logit for logit in logits if isinstance(logit, float)), None)
    untrained = []
    if logit is not None:
        untrained.append(say("samples.untrained", logit=f"{logit:.3f}".replace("-", "−")))
        if facts.loss.name == "bce":
            untrained.append(say("samples.untrained.p", p=f"{1 / (1 + math.exp(-logit)):.2f}"))
    return {"frames": _frames(facts, say), "untrained": untrained}


def _frames(facts: Facts, say: Translator) -> list[dict[str, Any]]:
    """Each grid as lossy WebP, with its label."""
    shown = grids.frames(facts)
    key = {at for at, _ in media.evenly_spaced(shown, KEY_FRAMES)}
    return [
        {
            "src": as_uri(media.encode_small(picture), "webp"),
            "label": grids.label(facts, at, say),
            "short": charts.compact(at),
            "key": at in key,
            "width": picture.width,
            "height": picture.height,
        }
        for at, picture in shown
    ]


TEMPLATE = """
{% from "parts.html" import class_rows with context %}
  {% if frames %}
  <p class="lead">{{ say("samples.lead") }}</p>
  <div class="player" data-play="{{ say('samples.play') }}" data-pause="{{ say('samples.pause') }}">
    <div class="named">{{ class_rows() }}<div class="stage" style="--w: {{ frames[0].width }}; --h: {{ frames[0].height }}">
      {% for frame in frames %}
      <figure class="frame{{ ' on' if loop.last }}{{ ' key' if frame.key }}">
        <img src="{{ frame.src }}" width="{{ frame.width }}" height="{{ frame.height }}" alt="{{ say('images.alt', label=frame.label) }}">
        <figcaption>{{ frame.label }}</figcaption>
      </figure>
      {% endfor %}
    </div></div>
    <div class="controls" hidden>
      <button type="button" class="play" aria-label="{{ say('samples.play') }}"><svg viewBox="0 0 20 20" aria-hidden="true"><path class="go" d="M5 3v14l12-7z"/><path class="halt" d="M4 3h4v14H4zM12 3h4v14h-4z"/></svg></button>
      <input type="range" min="0" max="{{ frames|length - 1 }}" value="{{ frames|length - 1 }}" step="1" aria-label="{{ say('samples.slider') }}">
      <output>{{ frames[-1].label }}</output>
    </div>
    <div class="moments" hidden>
      {% for frame in frames if frame.key %}
      <button type="button" aria-label="{{ frame.label }}"><span>{{ frame.short }}</span></button>
      {% endfor %}
    </div>
  </div>
  {% if untrained %}
  <p class="note">{{ untrained|join(" ") }}</p>
  {% endif %}
  <p class="note">{{ say("samples.animation")|inline }}</p>
  {% else %}
  <p class="lead">{{ say("samples.none") }}</p>
  {% endif %}
"""

SENTENCES = {
    "en": {
        "section.samples": "From noise to images",
        "samples.lead": "Samples from the same latents during training. Only G changes from frame to frame.",
        "samples.none": "There are no sample grids yet.",
        "samples.untrained": "Before training, D’s mean logit on the first grid was {logit}.",
        "samples.untrained.p": "This is a probability of p = {p} of being real.",
        "samples.animation": "The same frames as files: `progress.gif` (one palette for all frames) and `progress.webp`.",
    },
    "ko": {
        "section.samples": "노이즈에서 이미지로",
        "samples.lead": "학습하는 동안 같은 잠재 벡터로 생성한 샘플입니다. 프레임마다 달라지는 것은 생성자뿐입니다.",
        "samples.none": "아직 생성된 샘플이 없습니다.",
        "samples.untrained": "학습 전 첫 샘플에 대한 판별자의 평균 로짓: {logit}.",
        "samples.untrained.p": "진짜일 확률로 바꾸면 p = {p}입니다.",
        "samples.animation": "제출용 파일: `progress.gif`(모든 프레임이 하나의 팔레트를 공유)와 `progress.webp`.",
    },
}

register(Section("samples", 10, "section.samples", values, TEMPLATE, SENTENCES))
