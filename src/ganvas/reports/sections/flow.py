"""The data flow of one update as a diagram, drawn from the run's own networks."""

from __future__ import annotations

from typing import Any

from ganvas.errors import UsageError
from ganvas.i18n import Translator
from ganvas.reports import diagram
from ganvas.reports.facts import Facts
from ganvas.reports.section import Section, register


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """The drawing for wide and for narrow pages, and what it leaves out; no drawing without networks.json."""
    if not facts.networks:
        return {"drawings": []}
    return {
        "drawings": [("broad", diagram.draw(facts, say, wide=True)), ("narrow", diagram.draw(facts, say, wide=False))],
        "update": "simultaneous" if falls_back(facts) else facts.config.step.update,
        "remarks": remarks(facts, say),
        "totals": {name: f"{diagram.total(layers):,}" for name, layers in facts.networks.items()},
    }


def falls_back(facts: Facts) -> bool:
    """Whether one-stage was asked for where one backward pass cannot tell both gradients."""
    if facts.config.step.update != "one-stage":
        return False
    from ganvas.training.objective import one_pass_tells_both

    try:
        return not one_pass_tells_both(facts.config)
    except UsageError:  # a loss or networks of one's own, not at hand here
        return False


def remarks(facts: Facts, say: Translator) -> list[str]:
    """What the drawing leaves out, a sentence each."""
    config, found = facts.config, []
    if falls_back(facts):
        found.append(say("flow.falls_back"))
    if config.step.d_steps > 1:
        found.append(say("flow.d_steps", steps=config.step.d_steps))
    if config.penalty.r1 or config.penalty.r2 or config.penalty.gp:
        found.append(say(f"flow.penalty.{config.penalty.form}"))
    if config.penalty.every > 1:
        found.append(say("flow.penalty.every", every=config.penalty.every))
    if config.penalty.adapt:
        found.append(say("flow.penalty.adapt", lead=f"{config.penalty.adapt:g}"))
    if config.augment.adapt:
        found.append(say("flow.augment.adapt", adapt=f"{config.augment.adapt:g}"))
    elif config.augment.p and diagram.augmentation(facts, say):
        found.append(say("flow.augment.p", p=f"{config.augment.p:g}"))
    if config.step.ema_kimg:
        found.append(say("flow.ema", images=f"{1000 * config.step.ema_kimg:,.0f}"))
    return found


TEMPLATE = """
{% macro drawing(art, name) %}
<svg viewBox="0 0 {{ art.width }} {{ art.height }}" role="img" aria-label="{{ say('flow.described') }}">
  <defs>
    {% for kind in ("flow", "d", "g") %}
    <marker id="{{ name }}-{{ kind }}" class="head {{ kind }}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>
    {% endfor %}
  </defs>
  {% for l in art.lines %}<path class="{{ l.style }}" d="{{ l.d }}" marker-end="url(#{{ name }}-{{ l.style.split()[-1] }})"/>
  {% endfor %}
  {% for b in art.boxes %}<rect class="{{ b.style }}" x="{{ b.x }}" y="{{ b.y }}" width="{{ b.width }}" height="{{ b.height }}" rx="6"/>
  {% endfor %}
  {% for f in art.faces %}<path class="face {{ f.style }}" d="{{ f.d }}"/>
  {% endfor %}
  {% for t in art.texts %}<text class="{{ t.style }}" x="{{ t.x }}" y="{{ t.y }}">{{ t.text }}</text>
  {% endfor %}
</svg>
{% endmacro %}
  {% if drawings %}
  <p class="lead">{{ say("flow.caption." ~ update) }}</p>
  {% for name, art in drawings %}
  <div class="drawing {{ name }}">{{ drawing(art, name) }}</div>
  {% endfor %}
  {% if remarks %}<p class="note">{{ remarks|join(" ") }}</p>{% endif %}
  <p class="note">{{ say("flow.totals", g=totals.generator, d=totals.discriminator, batch=facts.config.step.batch) }}</p>
  {% else %}
  <p>{{ say("flow.none") }}</p>
  {% endif %}
"""

SENTENCES = {
    "en": {
        "section.flow": "Data flow of one update",
        "flow.augment": "augmentation",
        "flow.augment.adapt": "The augmentation probability adapts so that D’s overfitting on held-out images stays near {adapt}.",
        "flow.augment.p": "Each augmentation is applied to an image with probability {p}.",
        "flow.caption.alternating": "One alternating update: first D is updated on a batch (grey dashes), then G is updated against the new D (blue dashes). G’s gradient passes through D but does not change D’s weights.",
        "flow.caption.one-stage": "One update in one stage: both gradients (dashes: grey for D, blue for G) come from the same weights and one backward pass through D; G’s gradient is D’s, rescaled for each image. Then both optimisers step.",
        "flow.caption.separate": "One update in three steps: D is updated on real images, then on fakes that G makes as for samples (grey dashes), then G is updated against the new D (blue dashes). G’s gradient passes through D but does not change D’s weights.",
        "flow.caption.simultaneous": "One simultaneous update, with one batch of z and one batch of real images: both gradients (dashes: grey for D, blue for G) are computed from the same weights, then both optimisers step. G’s gradient passes through D but does not change D’s weights.",
        "flow.class": "class",
        "flow.class_detail": "one of {count}",
        "flow.classification": "classification loss",
        "flow.d": "Discriminator D · {params} parameters",
        "flow.d_loss": "loss of D",
        "flow.d_steps": "D is updated on {steps} batches for each update of G.",
        "flow.described": "Data flow of one update: the generator’s layers turn z into fake images; the discriminator’s layers turn real and fake images into a logit. Both losses are computed from the logit, and their gradients go back to D and G.",
        "flow.ema": "Samples are drawn from a moving average of G whose half-life is {images} images.",
        "flow.fake": "fake images",
        "flow.falls_back": "step.update one-stage was asked for; with these losses one backward pass through D does not tell both gradients, so the update is simultaneous and saves nothing.",
        "flow.g": "Generator G · {params} parameters",
        "flow.g_loss": "loss of G",
        "flow.logit": "logit",
        "flow.logit.balanced": "higher: more real",
        "flow.logit.threshold": "above {threshold}: real",
        "flow.matching": "feature matching",
        "flow.rebuild": "rebuilt thumbnails",
        "flow.none": "No diagram: this run has no list of its layers (networks.json).",
        "flow.penalty.adapt": "The penalty starts at 0 and grows while D’s lead (the sum of its two accuracies minus 1) is above {lead}; it never falls.",
        "flow.penalty.every": "It is computed on every {every}th update, with {every} times the weight.",
        "flow.penalty.exact": "The penalty on D’s gradient is exact (second derivatives).",
        "flow.penalty.finite": "The penalty on D’s gradient is estimated by finite differences: D’s outputs for images with a little noise added.",
        "flow.real": "real images",
        "flow.totals": "Parameters are counted as in Keras: weights and the running statistics of BatchNorm. G {g}, D {d}. Batch {batch}; images are scaled to [−1, 1]. To the right of each layer: its output shape (channels × height × width) and its parameters.",
        "flow.z.normal": "{dim} numbers ~ N(0, 1)",
        "flow.z.sphere": "{dim} numbers, on a sphere",
        "augment.colour": "colour",
        "augment.cutout": "cutout",
        "augment.mirror": "mirror",
        "augment.noise": "noise",
        "augment.translate": "shift",
        "penalty.centring": "centring {weight}",
        "penalty.gp": "gradient penalty, λ = {weight}",
        "penalty.r1": "R1, γ = {weight}",
        "penalty.r2": "R2, γ = {weight}",
    },
    "ko": {
        "section.flow": "업데이트 한 번의 데이터 흐름",
        "flow.augment": "데이터 증강",
        "flow.augment.adapt": "떼어 둔 이미지에서 측정한 판별자의 과적합이 {adapt} 부근에 머물도록 증강 확률을 조절합니다.",
        "flow.augment.p": "증강의 각 변환은 이미지마다 {p}의 확률로 적용됩니다.",
        "flow.caption.alternating": "교대 업데이트: 먼저 판별자 D가 배치 하나로 학습하고(회색 점선), 이어서 방금 갱신된 D를 상대로 생성자 G가 학습합니다(파란 점선). G의 그래디언트는 D를 지나가지만 D의 가중치는 바꾸지 않습니다.",
        "flow.caption.one-stage": "단일 단계 업데이트: 두 그래디언트(점선, 회색은 D, 파란색은 G)를 모두 갱신 전 가중치에서, D의 역전파 한 번으로 구합니다. G의 그래디언트는 D의 그래디언트에 이미지마다 배율을 곱한 것입니다. 그런 다음 두 옵티마이저가 함께 갱신합니다.",
        "flow.caption.separate": "세 단계 업데이트: 판별자 D가 먼저 진짜 이미지로, 다음에는 생성자 G가 샘플을 뽑듯이 만든 가짜 이미지로 학습하고(회색 점선), 이어서 방금 갱신된 D를 상대로 G가 학습합니다(파란 점선). G의 그래디언트는 D를 지나가지만 D의 가중치는 바꾸지 않습니다.",
        "flow.caption.simultaneous": "동시 업데이트: z 한 배치와 진짜 이미지 한 배치를 사용합니다. 두 그래디언트(점선, 회색은 D, 파란색은 G)를 모두 갱신 전 가중치에서 구한 뒤 두 옵티마이저가 함께 갱신합니다. G의 그래디언트는 D를 지나가지만 D의 가중치는 바꾸지 않습니다.",
        "flow.class": "클래스",
        "flow.class_detail": "{count}개 중 하나",
        "flow.classification": "분류 손실",
        "flow.d": "판별자 D · 파라미터 {params}개",
        "flow.d_loss": "D의 손실",
        "flow.d_steps": "G를 한 번 갱신할 때마다 D는 {steps}개의 배치로 학습합니다.",
        "flow.described": "업데이트 한 번의 데이터 흐름: z가 생성자의 층을 지나 가짜 이미지가 되고, 진짜와 가짜 이미지가 판별자의 층을 지나 로짓이 됩니다. 로짓에서 두 손실을 계산하고 그래디언트가 D와 G로 돌아갑니다.",
        "flow.ema": "샘플은 G의 이동평균(EMA)으로 그리며, 반감기는 이미지 {images}장입니다.",
        "flow.fake": "가짜 이미지",
        "flow.falls_back": "step.update one-stage를 골랐지만, 이 손실들에서는 D의 역전파 한 번으로 두 그래디언트를 모두 구할 수 없어 동시 업데이트를 했습니다. 아끼는 계산은 없습니다.",
        "flow.g": "생성자 G · 파라미터 {params}개",
        "flow.g_loss": "G의 손실",
        "flow.logit": "로짓",
        "flow.logit.balanced": "높을수록 진짜",
        "flow.logit.threshold": "{threshold}보다 크면 진짜",
        "flow.matching": "특징 매칭",
        "flow.rebuild": "축소 이미지 복원",
        "flow.none": "이 실행에는 층 목록(networks.json)이 없어 구조도를 그릴 수 없습니다.",
        "flow.penalty.adapt": "페널티는 0에서 시작하여 판별자의 우세(두 정확도의 합에서 1을 뺀 값)가 {lead}보다 큰 동안 커지며, 한번 커지면 줄어들지 않습니다.",
        "flow.penalty.every": "페널티는 업데이트 {every}회마다 한 번, 가중치를 {every}배로 하여 계산합니다.",
        "flow.penalty.exact": "D의 그래디언트에 대한 페널티는 2차 미분으로 정확하게 계산합니다.",
        "flow.penalty.finite": "D의 그래디언트에 대한 페널티는 유한 차분, 즉 노이즈를 조금 더한 이미지에 대한 D의 출력 차이로 근사합니다.",
        "flow.real": "진짜 이미지",
        "flow.totals": "파라미터 수는 Keras와 같은 방식으로, 가중치와 BatchNorm의 이동 통계를 더해 셉니다. G {g}개, D {d}개. 배치 크기는 {batch}, 이미지 값의 범위는 [−1, 1]입니다. 각 층의 오른쪽에 출력 형태(채널 × 높이 × 너비)와 파라미터 수를 적었습니다.",
        "flow.z.normal": "N(0, 1)에서 뽑은 {dim}개의 수",
        "flow.z.sphere": "구면 위의 수 {dim}개",
        "augment.colour": "색",
        "augment.cutout": "컷아웃",
        "augment.mirror": "좌우 반전",
        "augment.noise": "노이즈",
        "augment.translate": "이동",
        "penalty.centring": "로짓 중심화 {weight}",
        "penalty.gp": "그래디언트 페널티, λ = {weight}",
        "penalty.r1": "R1, γ = {weight}",
        "penalty.r2": "R2, γ = {weight}",
    },
}

register(Section("flow", 70, "section.flow", values, TEMPLATE, SENTENCES, wide=True))
