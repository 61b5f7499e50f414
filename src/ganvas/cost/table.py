"""The cost of a recipe as rows, each of which says how its number was got, and as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ganvas.config import Config
from ganvas.config.recipes import RECIPES
from ganvas.cost.cost import Cost, cost_of
from ganvas.cost.measured import Measured, measure
from ganvas.cost.subject import Subject, subject_of, usual
from ganvas.terminal import printable

COLUMNS = ("recipe", "g_params", "d_params", "g_mflop", "d_mflop", "image_gflop", "update_gflop", "batch", "memory_mb")
HEAD = (
    "recipe", "G, weights", "D, weights", "G, MFLOP", "D, MFLOP", "training, GFLOP an image", "an update, GFLOP",
    "images of it", "memory, MB",
)  # fmt: skip
Row = dict[str, Any]


def rows(config: Config, subject: Subject, cost: Cost, measured: Measured | None, tflops: float | None) -> list[Row]:
    """Quantity, value, unit, and how it was got."""
    p = config.penalty
    seconds = _budget_seconds(config)
    found = [
        _row("weights of G", cost.g_params, "", "counted, trainable"),
        _row("weights of D", cost.d_params, "", "counted, trainable"),
        _row("one image through G", cost.g_forward / 1e6, "MFLOP", _forward(cost.g_forward)),
        _row("one image through D", cost.d_forward / 1e6, "MFLOP", _forward(cost.d_forward)),
        _row("one update", float(cost.update) / 1e9, "GFLOP", _kind(config)),
    ]
    if cost.penalty:
        lazy = f"; in one of {p.every} D steps" if p.every > 1 else ""
        grows = ", at their full weight" if p.adapt else ""
        found.append(_row("of that, penalties in a D step", cost.penalty / 1e9, "GFLOP", f"counted{grows}{lazy}"))
    found += [
        _row("for each real image", float(cost.per_image) / 1e9, "GFLOP", f"one update / {cost.images} real images"),
        _row("memory of the weights", cost.weights / 1e6, "MB", "exact: weights and statistics of G and D"),
        _row("memory of the optimisers", cost.optimiser / 1e6, "MB", f"exact: {_names(config)}"),
        _row("memory of the moving average", cost.averages / 1e6, "MB", "exact"),
        _row("memory of an update", cost.working / 1e6, "MB", _working(config)),
    ]
    if cost.budget is not None:
        source = "budget" if config.budget.epochs or config.budget.kimg else "50 epochs, as no budget is given"
        found += [
            _row("the whole training", cost.budget, "images", f"{source}; {subject.name} has {subject.n:,}"),
            _row("updates", cost.updates, "", "images / images of an update"),
            _row("arithmetic", float(cost.update) * (cost.updates or 0) / 1e12, "TFLOP", "updates x one update"),
        ]
    if tflops is not None:
        found.append(_at_rate(cost, tflops, seconds))
    if measured is not None:
        found += _here(cost, measured, seconds)
    return found


def _row(quantity: str, value: float | int | None, unit: str, how: str) -> Row:
    return {"quantity": quantity, "value": value, "unit": unit, "how": how}


def _kind(config: Config) -> str:
    step = config.step
    kind = f"{step.update}, {step.d_steps} D step{'s' * (step.d_steps > 1)} of {step.batch} images"
    parts = f" in {step.accumulate} parts" if step.accumulate > 1 else ""
    return f"counted: {kind}{parts}"


def _forward(flop: int) -> str:
    return f"counted: {number(flop / 2e6)} million multiplications with their additions (MAC), 2 FLOP each"


def _names(config: Config) -> str:
    g, d = config.g_optim, config.d_optim
    names = [o.name + (" and muon" if o.muon else "") for o in (g, d)]
    return names[0] if names[0] == names[1] else f"G {names[0]}, D {names[1]}"


def _working(config: Config) -> str:
    dtype = "float32" if config.engine.dtype == "auto" else config.engine.dtype
    return f"counted: the most alive at one time beside the above, {dtype}; libraries take more"


def _budget_seconds(config: Config) -> float | None:
    minutes = config.budget.minutes or config.budget.cpu_minutes
    return None if minutes is None else 60 * minutes


def _at_rate(cost: Cost, tflops: float, seconds: float | None) -> Row:
    how = f"arithmetic / {tflops:g} TFLOP/s, if it is sustained: a small share of a GPU's peak"
    if seconds is not None:
        return _row("images in the budget", round(seconds * tflops * 1e12 / float(cost.per_image)), "images", how)
    return _row("time at that rate", float(cost.update) * (cost.updates or 0) / (tflops * 1e12), "s", how)


def _here(cost: Cost, measured: Measured, seconds: float | None) -> list[Row]:
    e = measured.engine
    where = f"{e.device}, {e.threads} thread{'s' * (e.threads > 1)}, {e.dtype}, with whatever else runs"
    rate = float(cost.update) / measured.seconds / 1e12
    found = [
        _row("one update here", measured.seconds, "s", f"measured: median of {measured.updates}; {where}"),
        _row("rate here", rate, "TFLOP/s", "one update / its time"),
    ]
    if seconds is None:
        found.append(_row("time here", measured.seconds * (cost.updates or 0), "s", "updates x one update here"))
    else:
        images = round(seconds / measured.seconds) * cost.images
        found.append(_row("images in the budget here", images, "images", "budget / one update here, wall-clock time"))
    return found


def of_config(config: Config, tflops: float | None = None, measured: bool = False) -> tuple[Subject, list[Row]]:
    """What a training of `config` is of, and what it costs; `measured`: with a few updates on this machine.

    Raises UsageError where the data, the networks or the engine cannot be right.
    """
    config, subject = subject_of(config)
    cost = cost_of(config, subject)
    return subject, rows(config, subject, cost, measure(config, subject) if measured else None, tflops)


def text(name: str, subject: Subject, found: Sequence[Mapping[str, Any]]) -> str:
    """The rows as the command line prints them."""
    classes = f", {subject.classes} classes" if subject.classes else ", no classes"
    lines = [f"{name} on {subject.name}: {' x '.join(map(str, subject.shape))}{classes}"]
    values = [f"{number(row['value'])} {with_time(row)}".strip() for row in found]
    wide, width = (max(map(len, column)) for column in (values, [row["quantity"] for row in found]))
    for row, value in zip(found, values, strict=True):
        lines.append(f"  {row['quantity']:{width}}  {value:{wide}}  {row['how']}".rstrip())
    return "\n".join(map(printable, lines))


def number(value: float | int | None) -> str:
    """A count whole, a measure with three digits."""
    if value is None:
        return "-"
    if isinstance(value, int) or value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def with_time(row: Mapping[str, Any]) -> str:
    """The unit; of long times hours as well."""
    value = row["value"]
    return f"s ({value / 3600:.1f} h)" if row["unit"] == "s" and value and value >= 3600 else str(row["unit"])


# -- all recipes -----------------------------------------------------------------------------------------------


def overview(names: Sequence[str] | None = None) -> list[Row]:
    """A row for each recipe (default: all) at 3 x 32 x 32 with ten classes."""
    return [_overview(name) for name in (RECIPES if names is None else names)]


def _overview(name: str) -> Row:
    cost = cost_of(*usual(RECIPES[name].config))
    memory = cost.weights + cost.optimiser + cost.averages + cost.working
    values = (
        name, cost.g_params, cost.d_params, cost.g_forward / 1e6, cost.d_forward / 1e6, float(cost.per_image) / 1e9,
        float(cost.update) / 1e9, cost.images, memory / 1e6,
    )  # fmt: skip
    return dict(zip(COLUMNS, values, strict=True))


def overview_lines(found: Sequence[Row], markdown: bool = False) -> list[str]:
    """The overview as a table, head first."""
    cells = [[str(row["recipe"]), *(number(row[name]) for name in COLUMNS[1:])] for row in found]
    if markdown:
        lines = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
        return lines + [f"| `{row[0]}` | " + " | ".join(row[1:]) + " |" for row in cells]
    table = [list(HEAD), *cells]
    widths = [max(len(row[i]) for row in table) for i in range(len(HEAD))]
    return ["  ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))])
            for row in table]  # fmt: skip
