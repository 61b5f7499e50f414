"""The proof room: one run directory in, one self-contained report.html and the pictures to hand in out."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import shlex
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from PIL import Image

from ganvas import i18n, media
from ganvas.config import to_dict
from ganvas.diagnostics import text as words
from ganvas.i18n import Translator
from ganvas.report import charts, curves, diagram, evidence, notes, quality
from ganvas.report.facts import Facts, gather
from ganvas.runs.run import Run
from ganvas.stats.trend import Trend, trend

FRAMES = 60
KEY_FRAMES = 6
TEMPLATES = Path(__file__).parent / "templates"


def write(run: Run, lang: str = "en") -> Path:
    """Write report.html, curves.png and, where there are sample grids, progress.gif and progress.webp into the run.

    Works on a run at any moment, also while it is being written; the page then says so. Returns the path of
    report.html. Raises UsageError for an unknown language, GanvasError where the run is unreadable or not writable.
    """
    say, facts = i18n.load(lang), gather(run)
    if facts.grids:
        frames = [picture for _, picture in shown(facts)]
        palette = media.shared_palette([frames[-1], *([facts.real] if facts.real else [])])
        run.write_bytes("progress.gif", media.gif(frames, palette))
        run.write_bytes("progress.webp", media.webp(frames))
    run.write_bytes("curves.png", curves.png(facts, accuracy_trend(facts)))
    return run.write_bytes("report.html", render(facts, say).encode())


def template(name: str) -> Template:
    """A page of templates/, to be filled; a blank that nobody fills is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["inline"] = notes.inline
    return environment.get_template(name)


def accuracy_trend(facts: Facts) -> Trend | None:
    """The trend over epochs of the accuracy that should come down to 0.5."""
    nimg, values = facts.column(f"acc/{facts.judged}")
    return trend(nimg / facts.n, values)


def shown(facts: Facts) -> list[tuple[int, Image.Image]]:
    """At most FRAMES of the grids that have the last one's size and mode."""
    last = facts.grids[-1][1] if facts.grids else None
    alike = [(at, grid) for at, grid in facts.grids if last and (grid.size, grid.mode) == (last.size, last.mode)]
    return media.thin(alike, FRAMES)


def render(facts: Facts, say: Translator) -> str:
    """The page as HTML."""
    slope = accuracy_trend(facts)
    sections = notes.sections(facts.notes)
    seen = facts.diagnosis
    items = evidence.rubric(facts, slope, say)
    values = {
        "say": say,
        "facts": facts,
        "figures": _figures(facts, say),
        "frames": _frames(facts, shown(facts), say),
        "last": _embedded(facts.grids[-1][1]) if facts.grids else "",
        "real": _embedded(facts.real) if facts.real else "",
        "charts": charts.charts(facts, slope, say),
        "scores": quality.tables(facts.evals, say),
        "meanings": quality.meanings(facts.evals, say),
        "scored": quality.drawn(facts, say),
        "bases": quality.bases(facts.evals, say),
        "selected": quality.selected_sentences(facts, say),
        "share": quality.share_sentence(facts, say),
        "slope": slope,
        "doctor_head": words.head(seen, say) if seen else "",
        "findings": words.told(seen, say) if seen else [],
        "fake_accuracy": words.accuracy(seen, say) if seen else None,
        "trend_numbers": evidence.trend_sentence(facts, slope, say) if slope else "",
        "accuracy": say(f"accuracy.{facts.judged}"),
        "rules": _rules(facts, say),
        "balanced": evidence.balanced_sentence(facts, say),
        "drawings": [diagram.draw(facts, say, wide) for wide in (True, False)] if facts.networks else [],
        "beside": diagram.beside(facts, say),
        "totals": {name: f"{diagram.total(rows):,}" for name, rows in facts.networks.items()},
        "items": items,
        "points": evidence.reviewers(facts, items, sections, say),
        "notes": sections,
        "config": _flat(to_dict(facts.config)),
        "settled": ", ".join(f"{name} = {plain(value)}" for name, value in facts.settled.items()),
        "events": [_event(event, say) for event in facts.events],
        "environment": _environment(facts),
        "code": _code(facts),
        "typed": _typed(facts),
        "untrained": next((e["logit"] for e in facts.happened("untrained") if isinstance(e.get("logit"), float)), None),
        "date": next((str(event.get("time", ""))[:10] for event in reversed(facts.events)), ""),
        "plain": plain,
        "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    }
    return template("report.html").render(values)


def _figures(facts: Facts, say: Translator) -> list[tuple[str, str, str]]:
    """(label, number, remark) of the headline."""
    c, h, w = facts.shape
    env = facts.env[-1] if facts.env else {}
    machine = [env.get("accelerator") or env.get("cpu") or say("unknown"), env.get("dtype")]
    speed = facts.column("img_s")[1]
    pace = say("figure.speed", speed=f"{speed.mean():,.0f}") if len(speed) else ""
    kind = [facts.data.get("name", ""), f"{w}×{h}", say("rgb" if c == 3 else "grey")]
    if facts.conditional:
        kind.append(say("figure.classes", count=len(facts.data.get("class_names") or [])))
    return [
        (say("figure.images"), f"{facts.nimg:,}", say("figure.of", total=f"{facts.total:,}") if facts.total else ""),
        (say("figure.epochs"), f"{facts.epochs:.1f}", say("figure.least")),
        (say("figure.minutes"), f"{facts.seconds / 60:.1f}", pace),
        (say("figure.seed"), str(facts.config.seed), say("figure.one_run")),
        (say("figure.data"), f"{facts.n:,}", " · ".join(kind)),
        (say("figure.device"), str(env.get("device", say("unknown"))).upper(), " · ".join(filter(None, machine))),
    ]


def _frames(facts: Facts, grids: list[tuple[int, Image.Image]], say: Translator) -> list[dict[str, Any]]:
    """Each grid once, as lossy WebP, with its words; the key ones also stand in print."""
    key = {at for at, _ in media.thin(grids, KEY_FRAMES)}
    frames = []
    for at, picture in grids:
        words = {"images": f"{at:,}", "epochs": f"{at / facts.n:.1f}"}
        frames.append({
            "src": as_uri(media.small(picture), "webp"),
            "label": say("frame.untrained") if at == 0 else say("frame.label", **words),
            "short": charts.compact(at),
            "key": at in key,
            "width": picture.width,
            "height": picture.height,
        })  # fmt: skip
    return frames


def _rules(facts: Facts, say: Translator) -> list[tuple[str, str, str, int]]:
    """(rule, real, fake, rows): mean accuracies over the last tenth of the rows, where there are both rules."""
    table: list[tuple[str, str, str, int]] = []
    if not len(facts.column("acc/fake_0.5")[1]):
        return table
    for rule, ending in (("rule.zero", ""), ("rule.half", "_0.5")):
        real, fake = facts.column(f"acc/real{ending}")[1], facts.column(f"acc/fake{ending}")[1]
        rows = -(-min(len(real), len(fake)) // 10)
        if rows:
            table.append((say(rule), f"{real[-rows:].mean():.3f}", f"{fake[-rows:].mean():.3f}", rows))
    return table


def _code(facts: Facts) -> str:
    """This run in a few lines of Python, changed settings included."""
    amounts = {k: v for k, v in dataclasses.asdict(facts.config.budget).items() if v is not None} or {"epochs": 50}
    budget = ", ".join(f"{unit}={amount:g}" for unit, amount in amounts.items())
    names = facts.config.recipe, facts.config.data.name, f"runs/{facts.name}"
    recipe, data, run = (json.dumps(name, ensure_ascii=False) for name in names)
    lines = ["import ganvas"]
    extra = ""
    if facts.ideas:
        lines.append(f"settings = { ({name: facts.changes[name][1] for name in facts.ideas})!r}")
        extra = ", settings=settings"
    if facts.config.origin:
        extra += f", origin={json.dumps(facts.config.origin, ensure_ascii=False)}"
    lines.append(f"ganvas.train({recipe}, data={data}, {budget}, seed={facts.config.seed}{extra})")
    return "\n".join([*lines, f"images = ganvas.load({run}).sample(16)"])


def _typed(facts: Facts) -> list[str]:
    """The commands as they were typed, one for each start of the process."""
    lines = [[str(word) for word in row.get("argv") or []] for row in facts.env]
    return [shlex.join([Path(words[0]).name, *words[1:]]) for words in lines if words]


def _event(event: dict[str, Any], say: Translator) -> dict[str, Any]:
    """One line of the events table."""
    kind = str(event.get("event"))
    details = {k: v for k, v in event.items() if k not in ("time", "nimg", "event") and v is not None}
    nimg = event.get("nimg")
    return {
        "time": str(event.get("time", "")).replace("T", " ")[:19],
        "images": f"{nimg:,}" if isinstance(nimg, int) else "",
        "what": say(f"event.{kind}") if f"event.{kind}" in say else kind,
        "details": " · ".join(f"{k} {v}" for k, v in _flat(details).items()),
        "bad": kind in ("warning", "nan"),
    }


def _environment(facts: Facts) -> dict[str, list[str]]:
    """Name -> its value at each start of the process."""
    starts = [_flat({k: v for k, v in row.items() if k != "argv"}) for row in facts.env]
    return {name: [start.get(name, "–") for start in starts] for name in {k: None for start in starts for k in start}}


def plain(value: Any) -> str:
    """A JSON value as a reader would write it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(plain, value)) or "()"
    if isinstance(value, float):
        return f"{value:g}"
    return "–" if value is None else str(value)


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, str]:
    rows: dict[str, str] = {}
    for key, value in values.items():
        rows |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: plain(value)}
    return rows


def _embedded(picture: Image.Image) -> str:
    return as_uri(media.still(picture), "png")


def as_uri(content: bytes, kind: str) -> str:
    """A picture inside a page; `kind`: png, webp."""
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
