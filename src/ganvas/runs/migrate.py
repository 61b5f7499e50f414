"""What older versions wrote, in today's words: configs by schema version, rows of logs by their keys."""

from __future__ import annotations

from typing import Any

SETTINGS = {"origin": "init_from"}
"""Schema 1: settings that have another name since schema 2."""

LOGS = {"monitor": "vitals"}
"""Logs that had another name in schema 1."""

COLUMNS = {
    "monitor": {
        "eval_logit/train": "eval_logit/train",
        "eval_logit/held_out": "eval_logit/held_out",
        "eval_logit/fake": "eval_logit/fake",
        "auc/fake": "auc/fake",
        "auc/held_out": "auc/held_out",
        "update_ratio/g": "update_ratio/g",
        "update_ratio/d": "update_ratio/d",
        "label/n": "label/n",
        "label/auc": "label/auc",
        "label/accuracy": "label/accuracy",
        "judged": "n_rated",
        "moved": "sample_change",
        "copies": "nearest_train",
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
