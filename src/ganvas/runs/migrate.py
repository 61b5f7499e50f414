"""What older versions wrote, in today's words: configs by schema version, rows of logs by their keys."""

from __future__ import annotations

from typing import Any

SETTINGS = {"origin": "init_from"}
"""Schema 1: settings that have another name since schema 2."""

LOGS = {"monitor": "vitals"}
"""Logs that had another name in schema 1."""

COLUMNS = {
    "monitor": {
        "logit/learnt": "eval_logit/train",
        "logit/unseen": "eval_logit/held_out",
        "logit/made": "eval_logit/fake",
        "above/made": "auc/fake",
        "above/unseen": "auc/held_out",
        "pace/g": "update_ratio/g",
        "pace/d": "update_ratio/d",
        "label/asked": "label/n",
        "label/right": "label/auc",
        "label/named": "label/accuracy",
        "judged": "n_rated",
        "moved": "sample_change",
        "copies": "nearest_train",
    },
    "evals": {
        "floor": "real_baseline",
        "floor_n": "real_baseline_n",
        "floor_from": "real_baseline_from",
        "ceiling": "noise_baseline",
        "subject": "source",
    },
}
"""Log -> columns that had another name in schema 1."""


def migrate_config(values: Any) -> Any:
    """The values of a config of any schema version, as today's; what is no config is left for its reader to refuse."""
    if not isinstance(values, dict):
        return values
    return {SETTINGS.get(key, key): value for key, value in values.items()}


def migrate_row(log: str, row: dict[str, Any]) -> dict[str, Any]:
    """A row of a log of any version, with today's columns."""
    renamed = COLUMNS.get(log, {})
    return {renamed.get(key, key): value for key, value in row.items()}
