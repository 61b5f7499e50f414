"""The model card: Markdown with a YAML head, from what the run recorded. Nothing in it is a guess."""

from __future__ import annotations

import json
from typing import Any

from ganvas import __version__
from ganvas.datasets import SOURCES
from ganvas.exporting.model import Model
from ganvas.files import MARK
from ganvas.terminal import printable

LONGEST = 80
"""Characters of a name."""
MOST_CLASSES = 100
LICENCES = {"shapes": "apache-2.0", "fashion-mnist": "mit"}
"""Data set -> what the hub calls the terms of a model of it; of others the user must decide."""
PLAIN = " ,'"
WORDS = {"lower": "lower is better", "higher": "higher is better", "real": "like real is better"}


def text(model: Model, file: str, picture: bool = False) -> str:
    """The card of a model that lies beside it as `file`, or in a folder with samples.png."""
    sections = [_head(model), _title(model, picture), _use(model, file), _scores(model), _training(model), _data(model)]
    return "\n\n".join(sections) + f"\n\n<!-- {MARK} {__version__} -->\n"


def escaped(value: object) -> str:
    """A text of a user as Markdown that shows it as it is, in one line: no markup, no link, no end of a table cell."""
    line = printable(value)
    line = line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."
    return "".join(c if c.isalnum() or c in PLAIN else f"&#{ord(c)};" for c in line)


def _head(model: Model) -> str:
    """YAML; texts as JSON, which is YAML."""
    licence = LICENCES.get(str(model.data["name"]), "other")
    lines = ["library_name: ganvas", f"license: {licence}"]
    if licence == "other":
        lines.append("license_name: see-the-terms-of-the-images")
    tags = ["gan", "image-generation", "conditional" if model.generator.class_names else "unconditional"]
    lines += ["pipeline_tag: unconditional-image-generation", f"tags: {json.dumps(tags)}"]
    return "\n".join(["---", *lines, "---"])


def _title(model: Model, picture: bool) -> str:
    generator = model.generator
    c, h, w = generator.shape
    kind = f"{w} x {h} pixels, {'grey' if c == 1 else 'RGB'}"
    lines = [f"# {escaped(generator.config.recipe)} on {escaped(model.data['name'])}", ""]
    lines.append(f"A generator of small images ({kind}), after {generator.nimg:,} real images of training.")
    if picture:
        rows = ", one class a row" if generator.class_names else ""
        lines += ["", "![samples](samples.png)", "", f"*Uncurated: the first images of seed 0{rows}.*"]
    if generator.class_names:
        names = [escaped(name) for name in generator.class_names[:MOST_CLASSES]]
        more = len(generator.class_names) - len(names)
        lines += ["", f"Classes: {'; '.join(names)}{f'; and {more} more' if more else ''}."]
    return "\n".join(lines)


def _use(model: Model, file: str) -> str:
    place = file if file != "." else "path/to/this/folder"
    shape = ", ".join(map(str, (16, *model.generator.shape)))
    return f"""## Use

```python
import ganvas

model = ganvas.load({json.dumps(place)})  # or "hf://OWNER/NAME" once it is on the hub
images = model.sample(16)  # uint8 [{shape}]
model.grid(64).save("grid.png")
```

The weights are safetensors: loading them runs no code."""


def _scores(model: Model) -> str:
    rows = {}
    for row in model.run.rows("evals") if model.run else ():
        final = row["nimg"] == model.generator.nimg and not row.get("during") and not row.get("selected")
        if final and isinstance(row.get("value"), int | float):
            rows[tuple(str(row.get(key)) for key in ("metric", "reference", "split", "n", "sampling"))] = row
    if not rows:
        return "## Scores\n\nNone were recorded with this generator. `ganvas evaluate` measures them."
    lines = ["| metric | value | 95 % interval | real images | noise | against | |", "|---|---|---|---|---|---|---|"]
    for row in rows.values():
        cells = [
            escaped(row["metric"]), _number(row["value"]),
            f"{_number(row['low'])} to {_number(row['high'])}" if _known(row, "low", "high") else "",
            _number(row.get("real_baseline")), _number(row.get("noise_baseline")),
            f"{row.get('n') or 0:,} samples{_how(row)}, {escaped(row.get('reference'))} {escaped(row.get('split'))}",
            WORDS.get(str(row.get("better")), ""),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    note = "Intervals: 95 %. Real images: the same score of real images, the best that can be expected."
    return "\n".join(["## Scores", "", *lines, "", note])


def _how(row: dict[str, Any]) -> str:
    """How D guided the sampling, where it did."""
    return f" ({escaped(row['sampling'])})" if row.get("sampling") else ""


def _known(row: dict[str, Any], *keys: str) -> bool:
    return all(isinstance(row.get(key), int | float) for key in keys)


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, int | float) else ""


def _training(model: Model) -> str:
    generator, config = model.generator, model.generator.config
    weights = sum(weight.numel() for weight in generator.network.parameters())
    n = model.data.get("n")
    passes = f" ({generator.nimg / n:,.1f} passes over {n:,})" if n else ""
    tricks = escaped(", ".join(config.tricks)) or "none"
    average = f"moving average over {config.step.ema_kimg:g} thousand images" if model.averaged else "the last ones"
    rows = [
        ("recipe", f"{escaped(config.recipe)}, seed {config.seed}, tricks: {tricks}"),
        ("images seen", f"{generator.nimg:,}{passes}"),
        ("generator", f"{escaped(config.generator.family)}, {weights:,} weights"),
        ("weights", average),
    ]
    metrics = [row for row in model.run.rows("metrics") if row["nimg"] <= generator.nimg] if model.run else []
    if metrics and _known(metrics[-1], "sec"):
        rows.append(("time", f"{metrics[-1]['sec'] / 60:,.1f} minutes"))
    starts = [row for row in model.run.rows("events") if row.get("event") in ("start", "resume")] if model.run else []
    machine = starts[-1].get("accelerator") or starts[-1].get("cpu") if starts else None
    if machine:
        rows.append(("machine", escaped(machine)))
    rows.append(("made with", f"ganvas; this card by version {__version__}"))
    return "\n".join(["## Training", "", "| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _data(model: Model) -> str:
    name = str(model.data["name"])
    known = SOURCES.get(name)
    if known is None:
        terms = "ganvas does not know the terms of these images: state them and choose the licence before you publish."
    else:
        terms = f"Licence of the data: {known.licence}."
        if name not in LICENCES:
            terms += " Decide whether your use is allowed, and say where the images come from."
    hashed = model.data.get("sha256")
    of = f" (SHA-256 of the pixels: {escaped(hashed)})" if hashed else ""
    return f"## Data\n\nTrained on {escaped(name)}{of}. {terms}"
