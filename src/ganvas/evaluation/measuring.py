"""Which metrics are measured, and their values for every set of fakes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ganvas.errors import UsageError, did_you_mean
from ganvas.metrics.classes import Classes
from ganvas.metrics.registry import METRICS, Fakes, Metric, MetricInputs, Value


def measure_sets(sets: Iterable[Fakes], metrics: Mapping[str, Metric], inputs: MetricInputs) -> dict[str, list[Value]]:
    """Every number of every metric, once for each set."""
    found: dict[str, list[Value]] = {}
    for fakes in sets:
        for metric in metrics.values():
            for name, value in metric.measure(fakes, inputs).items():
                found.setdefault(name, []).append(value)
    return found


def choose_metrics(
    names: tuple[str, ...], inputs: MetricInputs, n: int, intended: Classes | None
) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics to measure, and why others are left out; UsageError where one that was asked for is impossible."""
    for name in names:
        if name not in METRICS:
            raise UsageError(f"no metric is called '{name}': choose {', '.join(METRICS)}{did_you_mean(name, METRICS)}")
    measured, left_out = {}, {}
    for name in names or METRICS:
        if (reason := METRICS[name].missing(inputs, n, intended)) is None:
            measured[name] = METRICS[name]
        elif name in names:
            raise UsageError(f"{name} under {inputs.extractor.name}: {reason}")
        else:
            left_out[name] = reason
    return measured, left_out
