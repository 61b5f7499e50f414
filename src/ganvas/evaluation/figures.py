"""Figures that depend on nothing but their key: computed once, then kept. Those of the built-in data sets ship."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ganvas.evaluation import references
from ganvas.metrics.registry import Metric

SHIPPED = Path(__file__).parent.parent / "weights" / "baselines.json"
"""tools/make_baselines.py writes it: digest of a key -> what it is of, and the figures."""
COMPUTATION_VERSION = 2  # raised when baselines are drawn in another way, so that older figures are not used

Figures = dict[str, float]
Make = Callable[[list[str]], dict[str, Figures]]
"""Names of metrics -> the figures of each."""


def by_metric(key: Mapping[str, Any], metrics: Mapping[str, Metric], make: Make) -> Figures:
    """The figures of all these metrics under one key; only those that neither ship nor are kept are computed."""
    keys = {name: {**key, "metric": name} | _version(metric) for name, metric in metrics.items()}
    found = {name: _known(own) for name, own in keys.items()}
    if absent := [name for name, figures in found.items() if figures is None]:
        made = make(absent)
        for name in absent:
            found[name] = made.get(name, {})
            _keep(keys[name], made.get(name, {}))
    return {name: value for figures in found.values() for name, value in (figures or {}).items()}


def _version(metric: Metric) -> dict[str, int]:
    """Of a metric's computation; what was kept before versions were is of version 1."""
    return {"metric_version": metric.version} if metric.version > 1 else {}


def digest(key: Mapping[str, Any]) -> str:
    """32 hex digits that stand for a key and for this version of the computations."""
    text = json.dumps({**key, "ganvas": COMPUTATION_VERSION}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def shipped() -> dict[str, Any]:
    """The figures that ship, by digest."""
    try:
        values: dict[str, Any] = json.loads(SHIPPED.read_bytes())
    except (OSError, ValueError):
        return {}
    return values


def _known(key: Mapping[str, Any]) -> Figures | None:
    try:
        kept = shipped().get(digest(key)) or json.loads(_path(key).read_bytes())
        return {str(name): float(value) for name, value in kept["figures"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _keep(key: Mapping[str, Any], figures: Figures) -> None:
    references.keep(_path(key), json.dumps({"figures": figures, "of": dict(key)}).encode())


def _path(key: Mapping[str, Any]) -> Path:
    return references.folder() / f"{digest(key)}.json"
