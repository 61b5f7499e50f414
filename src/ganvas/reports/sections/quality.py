"""How good are the images? The metrics of the run as tables, bars and curves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.i18n import Translator, figure
from ganvas.metrics.extractors.registry import kind
from ganvas.reports import charts, scores
from ganvas.reports.charts import Chart, Chosen, Series, Tick
from ganvas.reports.facts import Facts
from ganvas.reports.scores import Curve, Row, Selection, finite
from ganvas.reports.section import Section, register
from ganvas.stats.finite import is_number

BASIS = (
    *scores.IDENTITY, "resize", "n_ref", "seed", "n", "sets", "nimg", "snapshot", "ema", "during", "real_baseline_from",
    "real_baseline_n",
)  # fmt: skip
"""What a table's caption says once for all of its rows."""


def values(facts: Facts, say: Translator) -> dict[str, Any]:
    """Everything that evals.jsonl holds; all empty if nothing was evaluated."""
    return {
        "tables": tables(facts.evals, say),
        "meanings": meanings(facts.evals, say),
        "charts": curve_charts(facts, say),
        "bases": bases(facts.evals, say),
        "selected": selected_sentences(facts, say),
        "share": share_sentence(facts, say),
    }


# -- tables ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Bar:
    """Places in per cent on a line from the noise baseline (left) to the real baseline (right)."""

    noise: float
    real: float
    value: float
    low: float
    high: float


def bar(row: Row) -> Bar | None:
    """Where the value lies between both baselines; None if one is missing.

    Nothing is clipped: a value beyond a baseline stretches the line.
    """
    value, real, noise = (finite(row.get(name)) for name in ("value", "real_baseline", "noise_baseline"))
    if value is None or real is None or noise is None or real == noise:
        return None
    ends = [value if end is None else end for end in (finite(row.get("low")), finite(row.get("high")))]
    low, high = sorted((end - noise) / (real - noise) for end in ends)
    places = {"noise": 0.0, "real": 1.0, "value": (value - noise) / (real - noise), "low": low, "high": high}
    first, last = min(places.values()), max(places.values())
    return Bar(**{name: 100 * (place - first) / (last - first) for name, place in places.items()})


@dataclass(frozen=True)
class Line:
    """One score as the table shows it."""

    metric: str
    value: str
    interval: str
    bar: Bar | None
    real_baseline: str
    noise_baseline: str
    better: str


@dataclass(frozen=True)
class Classes:
    """Values by class: a column for each metric that has them, a row for each class."""

    heads: list[str]
    rows: list[tuple[str, list[str]]]
    caption: list[str]


@dataclass(frozen=True)
class Table:
    """Scores of the same images, with the same features and reference, which the caption names."""

    title: str
    lines: list[Line]
    caption: list[str]
    classes: Classes | None


def tables(rows: Sequence[Row], say: Translator) -> list[Table]:
    """The latest scores, a table for each basis."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in scores.latest(rows):
        groups.setdefault(scores.fields(row, BASIS), []).append(row)
    return [
        Table(
            say("quality.through", extractor=scores.text(group[0].get("extractor"))),
            [_line(row, say) for row in group],
            _caption(group[0], say),
            _classes(group, say),
        )
        for group in groups.values()
    ]


def _line(row: Row, say: Translator) -> Line:
    way = f"better.{row.get('better')}"
    return Line(
        metric=row["metric"], value=figure(row.get("value")), interval=scores.interval(row, say), bar=bar(row),
        real_baseline=figure(row.get("real_baseline")), noise_baseline=figure(row.get("noise_baseline")),
        better=say(way) if way in say else scores.text(row.get("better")),
    )  # fmt: skip


def _classes(group: list[Row], say: Translator) -> Classes | None:
    columns = {kind(row["metric"]): parts for row in group if (parts := scores.by_class(row))}
    names = dict.fromkeys(name for parts in columns.values() for name in parts)
    known = {what: f"quality.of_class.{what}" for what in columns if f"quality.of_class.{what}" in say}
    heads = [say(known[what]) if what in known else what for what in columns]
    rows = [(name, [f"{parts[name]:.3f}" if name in parts else "–" for parts in columns.values()]) for name in names]
    return Classes(heads, rows, [say(f"{key}.text") for key in known.values()]) if rows else None


def _caption(row: Row, say: Translator) -> list[str]:
    """How the table's values were measured, a sentence each."""
    when = "quality.during" if row.get("during") else "quality.after"
    sentences = [say(when, images=scores.count(row.get("nimg")), snapshot=scores.text(row.get("snapshot")))]
    if row.get("ema"):
        sentences.append(say("quality.ema"))
    sentences.append(say("quality.sample", sample=scores.sample(row, say), seed=scores.text(row.get("seed"))))
    sentences.append(say("quality.features", features=scores.features(row), resize=scores.text(row.get("resize"))))
    sentences.append(say("quality.reference", reference=scores.reference(row), n=scores.count(row.get("n_ref"))))
    sentences.append(
        say(
            "quality.marks",
            source=scores.text(row.get("real_baseline_from")),
            n=scores.count(row.get("real_baseline_n")),
        )
    )
    return sentences


def meanings(rows: Sequence[Row], say: Translator) -> list[tuple[list[str], str]]:
    """(metrics, what they measure) for all metrics that have a sentence, each sentence once."""
    found: dict[str, list[str]] = {}
    for row in scores.latest(rows):
        names = found.setdefault(kind(row["metric"]), [])
        names.extend({row["metric"]} - {*names})
    return [(names, say(f"metric.{name}")) for name, names in found.items() if f"metric.{name}" in say]


# -- curves ------------------------------------------------------------------------------------------------------


def curve_charts(facts: Facts, say: Translator) -> list[Chart]:
    """A chart for each curve: the fakes' line, real images dashed, the selected checkpoint marked."""
    chosen = scores.selection(facts.selected, facts.evals)
    return [_chart(facts, at, curve, chosen, say) for at, curve in enumerate(scores.curves(facts.evals))]


def _chart(facts: Facts, at: int, curve: Curve, selected: Selection | None, say: Translator) -> Chart:
    nimg, values, real = curve.nimg, curve.values, curve.real_baseline
    if selected and not 0 <= selected.nimg <= facts.nimg:
        selected = None
    again = selected.fresh.get(curve.metric) if selected else None
    if again and scores.fields(again, scores.IDENTITY) != scores.fields(curve.rows[-1], scores.IDENTITY):
        again = None
    every = [*values, *([real] if real is not None else []), *([again["value"]] if again else [])]
    low, high = charts.aired(min(every), max(every))

    def place(x: Any, y: Any) -> list[tuple[float, float]]:
        return charts.placed(x, y, max(facts.nimg, 1), low, high)

    points = place(nimg, values)
    guide = chosen = None
    if real is not None:
        guide = Tick(100 * (high - real) / (high - low), say("chart.floor", floor=figure(real)))
    if selected:
        there = nimg == selected.nimg
        chosen = Chosen(
            at=100 * selected.nimg / max(facts.nimg, 1),
            dot=charts.dots(place(nimg[there], values[there])),
            fresh=charts.dots(place([selected.nimg], [again["value"]])) if again else "",
        )
    meaning = f"metric.{kind(curve.metric)}"
    name = say("series.scored")
    return Chart(
        key=f"scored-{at}",
        title=curve.metric,
        text=say(meaning) if meaning in say else "",
        series=[Series(name, nimg, values, values, charts.dots(points), charts.path(points), "a scored")],
        x_ticks=charts.x_ticks(facts),
        y_ticks=[Tick(100 * (high - v) / (high - low), label) for v, label in charts.ticks(low, high)],
        guide=guide,
        marks=[],
        rows_per_dot=1,
        described=say("chart.described", name=name, first=figure(values[0]), last=figure(values[-1]),
                      low=figure(values.min()), high=figure(values.max())),
        chosen=chosen,
        hover=[{"name": name, "x": nimg.tolist(), "y": [float(charts.short(v)) for v in values]}],
    )  # fmt: skip


def bases(rows: Sequence[Row], say: Translator) -> list[str]:
    """How the points of the curves were measured; one sentence if it is the same for all."""
    last = (curve.rows[-1] for curve in scores.curves(rows))
    return list(dict.fromkeys(
        say("quality.points", basis=scores.rests_on(row, say), source=scores.text(row.get("real_baseline_from"))) for row in last
    ))  # fmt: skip


def selected_sentences(facts: Facts, say: Translator) -> list[str]:
    """The selected checkpoint, why its score is too optimistic, and its score on new images; empty if there is none."""
    chosen = scores.selection(facts.selected, facts.evals)
    if chosen is None:
        return []
    again = chosen.fresh.get(chosen.metric)
    fresh = "quality.selected_fresh" if again else "quality.selected_once"
    return [
        say("quality.selected", images=f"{chosen.nimg:,}", metric=chosen.metric, value=figure(chosen.value)),
        say(fresh, value=scores.with_interval(again, say), basis=scores.rests_on(again, say)) if again else say(fresh),
        say("quality.selected_use"),
    ]


def share_sentence(facts: Facts, say: Translator) -> str:
    """How much of the run's time the evaluations took; empty if unknown."""
    event: Row = next(reversed(facts.happened("evaluated")), {})
    if not all(is_number(event.get(name)) for name in ("times", "sec", "share")):
        return ""
    return say("quality.share", times=scores.count(event["times"]), sec=figure(event["sec"]),
               share=figure(100 * event["share"]))  # fmt: skip


TEMPLATE = """
{% from "parts.html" import chart with context %}
{% macro bar(b) %}
<svg class="bar" viewBox="0 0 124 14" aria-hidden="true">
  {% macro x(place) %}{{ '%.1f'|format(6 + 1.12 * place) }}{% endmacro %}
  <path class="rail" d="M{{ x(0) }} 7H{{ x(100) }}"/>
  <path class="noise" d="M{{ x(b.noise) }} 4v6"/><path class="real" d="M{{ x(b.real) }} 1v12"/>
  <path class="span" d="M{{ x(b.low) }} 7H{{ x(b.high) }}"/><path class="here" d="M{{ x(b.value) }} 7h0"/>
</svg>
{% endmacro %}
{% macro breakable(name) %}{% for part in name.split("_") %}{{ "_" if not loop.first }}{% if not loop.first %}<wbr>{% endif %}{{ part }}{% endfor %}{% endmacro %}
{% macro scoreboard(table, name) %}
<h3>{{ table.title }}</h3>
<div class="scroll"><table class="numbers scores" aria-describedby="{{ name }}">
  <thead><tr>{% for name in ("metric", "value", "scale", "floor", "ceiling", "better") %}<th scope="col">{{ say("quality.head." ~ name) }}</th>{% endfor %}</tr></thead>
  <tbody>
  {% for l in table.lines %}
  <tr><th scope="row"><code>{{ breakable(l.metric) }}</code></th><td><strong>{{ l.value }}</strong>{% if l.interval %}<small>{{ l.interval }}</small>{% endif %}</td><td>{% if l.bar %}{{ bar(l.bar) }}{% endif %}</td><td>{{ l.real_baseline }}</td><td>{{ l.noise_baseline }}</td><td>{{ l.better }}</td></tr>
  {% endfor %}
  </tbody>
</table></div>
<p class="note" id="{{ name }}">{{ table.caption|join(" ") }}</p>
{% if table.classes %}
<div class="scroll"><table class="numbers classes">
  <caption>{{ table.classes.caption|join(" ") }}</caption>
  <thead><tr><th scope="col">{{ say("quality.head.class") }}</th>{% for head in table.classes.heads %}<th scope="col">{{ head }}</th>{% endfor %}</tr></thead>
  <tbody>{% for name, figures in table.classes.rows %}<tr><th scope="row">{{ name }}</th>{% for figure in figures %}<td>{{ figure }}</td>{% endfor %}</tr>{% endfor %}</tbody>
</table></div>
{% endif %}
{% endmacro %}
  {% if tables or charts %}
  <p class="lead">{{ say("quality.lead") }}</p>
  {% for table in tables %}{{ scoreboard(table, "scores-%d"|format(loop.index)) }}{% endfor %}
  {% if tables %}<p class="note">{{ say("quality.reading") }}</p>{% endif %}
  {% if meanings %}
  <h3>{{ say("quality.meanings") }}</h3>
  <dl class="meanings">{% for names, sentence in meanings %}<div><dt>{% for name in names %}<code>{{ name }}</code>{{ ", " if not loop.last }}{% endfor %}</dt><dd>{{ sentence }}</dd></div>{% endfor %}</dl>
  {% endif %}
  {% if charts %}
  <h3>{{ say("quality.while") }}</h3>
  {% for sentence in bases %}<p class="note">{{ sentence }}</p>{% endfor %}
  <div class="charts scored">{% for item in charts %}{{ chart(item) }}{% endfor %}</div>
  {% if selected %}<p>{{ selected|join(" ") }}</p>{% endif %}
  {% if share %}<p class="note">{{ share }}</p>{% endif %}
  {% endif %}
  {% else %}
  <p class="lead">{{ say("quality.none", name=facts.name)|inline }}</p>
  {% endif %}
"""

SENTENCES = {
    "en": {
        "section.quality": "How good are the images?",
        "quality.after": "The generator after {images} images ({snapshot}).",
        "quality.during": "Scored during training, after {images} images ({snapshot}).",
        "quality.ema": "It uses the moving average of the weights (EMA).",
        "quality.features": "Features: {features}, images {resize}.",
        "quality.head.better": "better",
        "quality.head.ceiling": "noise baseline",
        "quality.head.class": "class",
        "quality.head.floor": "real baseline",
        "quality.head.metric": "metric",
        "quality.head.scale": "noise → real",
        "quality.head.value": "value, 95 % interval",
        "quality.lead": "A grid shows a few dozen images; these metrics score thousands of new ones. Compare each value with two baselines: the value for real images and the value for pure noise.",
        "quality.marks": "Real baseline: {source}, {n} images per set; noise baseline: uniform noise.",
        "quality.meanings": "What each metric measures",
        "quality.none": "Not measured yet. `ganvas evaluate runs/{name}` compares the generator with real images; then write the report again.",
        "quality.of_class.class_distance": "share of all fakes",
        "quality.of_class.class_distance.text": "Share of all fakes: how many of all fakes the classifier assigns to the class.",
        "quality.of_class.class_recall": "recall within class",
        "quality.of_class.class_recall.text": "Recall within class: the share of the class’s real images that lie among the class’s fakes.",
        "quality.of_class.gan_test_accuracy": "recognised",
        "quality.of_class.gan_test_accuracy.text": "Recognised: the share of the class’s fakes that the classifier assigns to the class.",
        "quality.points": "Each point: {basis}. Dashed: real images, {source}.",
        "quality.reading": "In each bar, the tall mark is real images, the short mark is noise, and the dot is these images, with its interval. With five or more sets, the interval comes from the spread between sets; otherwise from the metric’s own error estimate, if it has one.",
        "quality.reference": "Reference: {reference}, {n} images.",
        "quality.sample": "Scored: {sample}, seed {seed}.",
        "quality.selected": "Selected: the checkpoint after {images} images, which had the best {metric} during training, {value}. It was chosen by this score, so the score is too optimistic.",
        "quality.selected_fresh": "On new images it scores {value} ({basis}).",
        "quality.selected_once": "It has not been scored on new images yet.",
        "quality.selected_use": "Comparisons and records use the last generator instead.",
        "quality.share": "Evaluations during training: {times}, {sec} s in total, {share} % of the run’s time.",
        "quality.through": "Features from {extractor}",
        "quality.while": "During training",
    },
    "ko": {
        "section.quality": "이미지가 얼마나 좋은가",
        "quality.after": "이미지 {images}장을 학습한 생성자({snapshot}).",
        "quality.during": "학습 중, 이미지 {images}장 시점에 평가한 값({snapshot}).",
        "quality.ema": "가중치는 이동평균(EMA)입니다.",
        "quality.features": "특징: {features}, 이미지 크기 조정: {resize}.",
        "quality.head.better": "좋은 방향",
        "quality.head.ceiling": "노이즈 기준선",
        "quality.head.class": "클래스",
        "quality.head.floor": "진짜 기준선",
        "quality.head.metric": "지표",
        "quality.head.scale": "노이즈 → 진짜",
        "quality.head.value": "값, 95% 신뢰구간",
        "quality.lead": "샘플 그림에는 수십 장만 보이지만, 아래의 지표는 새로 생성한 이미지 수천 장을 평가한 것입니다. 각 값을 두 기준선과 비교해 주세요. 하나는 진짜 이미지의 값이고, 다른 하나는 순수한 노이즈의 값입니다.",
        "quality.marks": "진짜 기준선: {source}, 묶음당 {n}장. 노이즈 기준선: 균등 분포 노이즈.",
        "quality.meanings": "각 지표의 의미",
        "quality.none": "아직 측정하지 않았습니다. `ganvas evaluate runs/{name}`로 진짜 이미지와 비교해 평가한 뒤 보고서를 다시 만들어 보세요.",
        "quality.of_class.class_distance": "전체 가짜 중 비율",
        "quality.of_class.class_distance.text": "전체 가짜 중 비율: 전체 가짜 가운데 분류기가 이 클래스로 분류한 비율입니다.",
        "quality.of_class.class_recall": "클래스 안의 recall",
        "quality.of_class.class_recall.text": "클래스 안의 recall: 이 클래스의 진짜 가운데 이 클래스의 가짜들 사이에 놓인 비율입니다.",
        "quality.of_class.gan_test_accuracy": "인식률",
        "quality.of_class.gan_test_accuracy.text": "인식률: 이 클래스로 생성한 가짜 가운데 분류기가 그 클래스로 분류한 비율입니다.",
        "quality.points": "점 하나: {basis}. 점선: 진짜 이미지({source}).",
        "quality.reading": "막대에서 긴 표시는 진짜 이미지, 짧은 표시는 노이즈, 점은 생성된 이미지이고 점 뒤의 띠는 신뢰구간입니다. 신뢰구간은 묶음이 다섯 이상이면 묶음 사이의 편차에서 구하고, 그보다 적으면 지표 자체의 오차를 알 수 있을 때만 표시합니다.",
        "quality.reference": "기준 데이터: {reference}, {n}장.",
        "quality.sample": "평가한 이미지: {sample}, 시드 {seed}.",
        "quality.selected": "선택(selected)된 체크포인트는 이미지 {images}장 시점이며, 학습 중의 {metric} 값({value})이 가장 좋았습니다. 바로 이 점수로 골랐기 때문에 실제보다 좋게 나온 값입니다.",
        "quality.selected_fresh": "새로 생성한 이미지로 다시 평가한 값은 {value}입니다({basis}).",
        "quality.selected_once": "새로 생성한 이미지로는 아직 다시 평가하지 않았습니다.",
        "quality.selected_use": "비교와 기록에는 이것이 아니라 마지막 생성자를 사용합니다.",
        "quality.share": "학습 중의 평가 {times}회에 모두 {sec}초가 걸렸으며, 전체 시간의 {share}%입니다.",
        "quality.through": "특징 추출기: {extractor}",
        "quality.while": "학습 중의 변화",
    },
}

register(Section("quality", 30, "section.quality", values, TEMPLATE, SENTENCES, wide=True))
