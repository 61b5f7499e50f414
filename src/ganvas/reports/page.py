"""report.html: the header with the run's figures, then every registered section."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ganvas import i18n, media
from ganvas.files import utf8
from ganvas.i18n import Translator
from ganvas.plugins import discover
from ganvas.reports import curves_png, grids, html, section, sections
from ganvas.reports.facts import Facts, gather
from ganvas.reports.sections import rubric
from ganvas.runs.run import Run

discover(sections)


def write(run: Run, lang: str = "en") -> Path:
    """Write report.html and curves.png into the run, and progress.gif and progress.webp if it has sample grids.

    Works at any moment, also while the run is being written; the page then says so. Returns the path of report.html.
    Raises UsageError for an unknown language, GanvasError if the run is unreadable or not writable.
    """
    written = {name: run.write_bytes(name, content) for name, content in files(gather(run), i18n.load(lang)).items()}
    return written["report.html"]


def files(facts: Facts, say: Translator) -> dict[str, bytes]:
    """Name -> content of every file that `write` writes, report.html last."""
    found = {}
    if facts.grids:
        frames = [picture for _, picture in grids.frames(facts)]
        palette = media.shared_palette([frames[-1], *([facts.real] if facts.real else [])])
        found["progress.gif"] = media.gif(frames, palette)
        found["progress.webp"] = media.webp(frames)
    found["curves.png"] = curves_png.draw(facts)
    return found | {"report.html": utf8(render(facts, say))}


def render(facts: Facts, say: Translator) -> str:
    """The page as HTML."""
    values = {
        "say": say,
        "facts": facts,
        "plain": html.plain,
        "date": next((str(event.get("time", ""))[:10] for event in reversed(facts.events)), ""),
        "figures": figures(facts, say),
        "items": rubric.items(facts, say),
        "sections": [body for part in section.in_order() if (body := section.render(part, facts, say)) is not None],
    }
    return html.page("report.html", values)


def figures(facts: Facts, say: Translator) -> list[tuple[str, str, str]]:
    """(label, number, remark) of the header."""
    c, h, w = facts.shape
    env: dict[str, Any] = facts.env[-1] if facts.env else {}
    machine = [env.get("accelerator") or env.get("cpu") or say("unknown"), env.get("dtype")]
    speed = facts.column("img_s")[1]
    mean_speed = say("figure.speed", speed=f"{speed.mean():,.0f}") if len(speed) else ""
    kind = [facts.data.get("name", ""), f"{w}×{h}", say("rgb" if c == 3 else "grey")]
    if facts.conditional:
        kind.append(say("figure.classes", count=len(facts.data.get("class_names") or [])))
    return [
        (say("figure.images"), f"{facts.nimg:,}", say("figure.of", total=f"{facts.total:,}") if facts.total else ""),
        (say("figure.epochs"), f"{facts.epochs:.1f}", say("figure.least")),
        (say("figure.minutes"), f"{facts.seconds / 60:.1f}", mean_speed),
        (say("figure.seed"), str(facts.config.seed), say("figure.one_run")),
        (say("figure.data"), f"{facts.n:,}", " · ".join(kind)),
        (say("figure.device"), str(env.get("device", "–")).upper(), " · ".join(filter(None, machine))),
    ]
