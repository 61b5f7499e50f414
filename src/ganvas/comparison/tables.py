"""A comparison as tables of words, and those as text, Markdown, LaTeX; the numbers behind them as CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganvas.comparison import EQUAL_BUDGET, Comparison
from ganvas.comparison.scores import Column, Evaluator
from ganvas.comparison.verdicts import ALPHA, Verdict
from ganvas.i18n import Translator, figure
from ganvas.stats.welch import LEAST_SEEDS, MOST_SEEDS, POWER

LATEX = str.maketrans(
    {c: f"\\{c}" for c in "&%$#_{}"}
    | {"±": r"$\pm$", "−": "$-$", "–": "--", "…": r"\ldots{}", "<": "$<$", ">": "$>$", "↑": r"$\uparrow$",
       "↓": r"$\downarrow$", "→": r"$\to$", "×": r"$\times$", "~": r"\~{}", "^": r"\^{}", "\\": r"\textbackslash{}"}
)  # fmt: skip
"""What a cell's characters become in LaTeX: plain old encodings print < as an upside-down exclamation mark."""


@dataclass(frozen=True)
class Table:
    """A heading, a row of column names, rows."""

    key: str
    title: str
    head: list[str]
    rows: list[list[str]]


def tables(found: Comparison, say: Translator) -> list[Table]:
    """What ran and what it got, what that says, what was changed, and every other number."""
    judged = {v.metric for v in found.verdicts}
    first = [column for column in found.columns if column.metric in judged]
    rest = [column for column in found.columns if column.metric not in judged]
    made = [_groups(found, first, say), _verdicts(found, say), _changes(found, say)]
    return [table for table in (*made, _others(found, rest, say)) if table.rows]


def _groups(found: Comparison, judged: list[Column], say: Translator) -> Table:
    head = [say(f"compare.{key}") for key in ("group", "seeds", "images", "minutes", "cpu")]
    rows = []
    for i, group in enumerate(found.groups):
        minutes, cpu = zip(*(member.cost for member in group.members), strict=True)
        few, many = group.nimg
        seen = f"{few:,}" if few == many else f"{few:,} – {many:,}"
        cells = [group.name, ", ".join(map(str, group.seeds)), seen, _median(minutes), _median(cpu)]
        rows.append([*cells, *(spread(column.of(i)) for column in judged)])
    names = [f"{c.metric} {say('compare.' + c.better)}" for c in judged]
    return Table("groups", say("compare.groups"), [*head, *names], rows)


def _verdicts(found: Comparison, say: Translator) -> Table:
    keys = ("group", "metric", "difference", "interval", "p", "verdict", "detectable", "needed")
    rows = []
    for v in found.verdicts:
        d = v.difference
        interval = "–" if d is None or math.isnan(d.low) else f"{signed(d.low)} … {signed(d.high)}"
        rows.append([
            found.groups[v.group].name, v.metric, "–" if d is None else signed(d.value), interval,
            "–" if math.isnan(v.p) else f"{v.p:.3f}" if v.p >= 0.001 else "< 0.001", say(f"compare.word.{v.word}"),
            "–" if math.isnan(v.detectable) else figure(v.detectable), _needed(v),
        ])  # fmt: skip
    title = say("compare.verdicts", first=found.groups[0].name)
    return Table("verdicts", title, [say(f"compare.{key}") for key in keys], rows)


def _needed(v: Verdict) -> str:
    if v.word != "none":
        return "–"
    return f"> {MOST_SEEDS}" if v.seeds_needed is None else str(v.seeds_needed)


def _changes(found: Comparison, say: Translator) -> Table:
    head = [say("compare.setting"), *(group.name for group in found.groups)]
    rows = [[name, *map(_plain, values)] for name, values in found.changes.items()]
    return Table("changes", say("compare.changes"), head, rows)


def _others(found: Comparison, columns: list[Column], say: Translator) -> Table:
    head = [say("compare.metric"), *(group.name for group in found.groups)]
    groups = range(len(found.groups))
    rows = [[column.metric, *(spread(column.of(i)) for i in groups)] for column in columns]
    return Table("others", say("compare.others"), head, rows)


def heading(found: Comparison, say: Translator) -> list[str]:
    """What must be known before the tables are read."""
    lines = [evaluated(e, say) for e in dict.fromkeys(column.evaluator for column in found.columns)]
    if found.unequal:
        lines.insert(0, say("compare.unequal", share=f"{EQUAL_BUDGET:.0%}"))
    if any(v.word == "few" for v in found.verdicts):
        lines.insert(0, say("compare.few", least=LEAST_SEEDS))
    return lines


def sentences(found: Comparison, say: Translator) -> list[str]:
    """The verdicts in words, a sentence for each group."""
    lines = []
    for i, group in enumerate(found.groups[1:], 1):
        told = [f"{v.metric} {say('compare.word.' + v.word)}" for v in found.verdicts if v.group == i]
        if told:
            lines.append(say("compare.sentence", group=group.name, first=found.groups[0].name, told=", ".join(told)))
    return lines


def rows(found: Comparison) -> list[dict[str, Any]]:
    """The verdicts as JSON values; what could not be computed is null."""
    values = {column.metric: column for column in found.columns}
    made = []
    for v in found.verdicts:
        d, column = v.difference, values[v.metric]
        ends = (None,) * 3 if d is None else (d.value, _or_none(d.low), _or_none(d.high))
        made.append({
            "group": found.groups[v.group].name, "first": found.groups[0].name, "metric": v.metric, "verdict": v.word,
            "values": column.of(v.group), "first_values": column.of(0), "difference": ends[0], "low": ends[1],
            "high": ends[2], "p": _or_none(v.p), "detectable": _or_none(v.detectable), "seeds_needed": v.seeds_needed,
            **column.evaluator._asdict(),
        })  # fmt: skip
    return made


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def told(found: Comparison, name: str) -> dict[str, Any]:
    """What the verdicts say of one group, as JSON for the reports of its runs."""
    keys = ("metric", "verdict", "difference", "low", "high", "p")
    verdicts = [{key: row[key] for key in keys} for row in rows(found) if row["group"] == name]
    members = next((group.members for group in found.groups if group.name == name), ())
    seeds = [len(found.groups[0].members), len(members)]
    return {"first": found.groups[0].name, "seeds": seeds, "verdicts": verdicts}


def method(found: Comparison, say: Translator) -> list[str]:
    """How to read the tables."""
    tests = sum(not math.isnan(v.p) for v in found.verdicts)
    lines = [say("compare.method.spread")]
    if tests:
        lines.append(say("compare.method.test", tests=tests, alpha=f"{ALPHA:.0%}", power=f"{POWER:.0%}"))
    return lines


def evaluated(e: Evaluator, say: Translator) -> str:
    """One evaluator in a sentence."""
    return say(
        "compare.evaluator", extractor=e.extractor, weights=e.weights_hash[:12], n=f"{e.n:,}", sets=e.sets,
        reference=f"{e.reference}:{e.split}", n_ref=f"{e.n_ref:,}", resize=e.resize,
    )  # fmt: skip


# -- cells -----------------------------------------------------------------------------------------------------


def spread(values: Sequence[float]) -> str:
    """Mean ± standard deviation between seeds (n); a single value alone."""
    if not values:
        return "–"
    if len(values) == 1:
        return f"{figure(values[0])} (1)"
    mean, deviation = float(np.mean(values)), float(np.std(values, ddof=1))
    digits = 0 if deviation == 0 else max(0, 1 - math.floor(math.log10(deviation)))
    digits = min(digits, 6)
    cells = (f"{mean:.{digits}f}", f"{deviation:.{digits}f}") if deviation else (figure(mean), "0")
    return f"{cells[0]} ± {cells[1]} ({len(values)})"


def signed(value: float) -> str:
    """With its sign, a minus as long as the plus."""
    return f"{'−' if value < 0 else '+'}{figure(abs(value))}"


def _median(values: Sequence[float]) -> str:
    there = [value for value in values if not math.isnan(value)]
    return f"{np.median(there):.1f}" if there else "–"


def _plain(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return "(" + ", ".join(map(_plain, value)) + ")"
    return f"{value:g}" if isinstance(value, float) else str(value)


# -- forms -----------------------------------------------------------------------------------------------------


def text(found: Comparison, say: Translator) -> str:
    """For the terminal."""
    parts = [*sentences(found, say), *heading(found, say), ""]
    for table in tables(found, say):
        every = [table.head, *table.rows]
        widths = [max(len(row[i]) for row in every) for i in range(len(table.head))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in every]
        parts += [table.title, *(f"  {line}" for line in lines), ""]
    return "\n".join([*parts, *method(found, say), *found.notes])


def markdown(found: Comparison, say: Translator) -> str:
    """For a README: what stands in it was read from the runs."""
    parts = [*(f"**{line}**\n" for line in sentences(found, say)), *(f"{line}\n" for line in heading(found, say))]
    for table in tables(found, say):
        rows = [table.head, ["---"] * len(table.head), *table.rows]
        lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
        parts += [f"### {table.title}\n", "\n".join(lines) + "\n"]
    return "\n".join([*parts, *(f"{line}\n" for line in (*method(found, say), *found.notes))])


def latex(found: Comparison, say: Translator) -> str:
    """Tabulars for a report; needs no package."""
    parts = []
    for table in tables(found, say):
        columns = "l" + "r" * (len(table.head) - 1)
        lines = [" & ".join(cell.translate(LATEX) for cell in row) + r" \\" for row in (table.head, *table.rows)]
        body = "\n".join([lines[0], r"\hline", *lines[1:]])
        parts.append(f"% {table.title}\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n")
    return "\n".join(parts)


def comma_separated(found: Comparison) -> str:
    """Every value that went into the tables, a line each."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["group", "run", "seed", "nimg", "metric", "value", "better", "real_baseline", *Evaluator._fields])
    for column in found.columns:
        for group, values in zip(found.groups, column.values, strict=True):
            for member, value in zip(group.members, values, strict=True):
                if value is not None:
                    about = [group.name, str(member.run.path), member.seed, member.snapshot]
                    floor = "" if column.real_baseline is None else column.real_baseline
                    writer.writerow([*about, column.metric, value, column.better, floor, *column.evaluator])
    return file.getvalue()
