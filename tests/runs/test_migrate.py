"""What older versions wrote reads as today's, and going on with an old run leaves one file of each log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from ganvas import api
from ganvas.config import BudgetConfig, Config, to_dict
from ganvas.runs.migrate import migrate_config, migrate_row
from ganvas.runs.run import Run

OLD = Path(__file__).parents[1] / "old_runs" / "schema-1"
VITALS = {
    "nimg": 64, "distance": 0.5, "logit/learnt": 1.0, "logit/unseen": 0.5, "logit/made": -1.0, "above/made": 0.9,
    "above/unseen": 0.6, "pace/g": 0.01, "pace/d": 0.02, "label/asked": 64.0, "label/right": 0.7, "label/named": 0.4,
    "judged": 16.0, "moved": 0.1, "copies": 0.5,
}  # fmt: skip


def old_run(tmp: Path) -> Run:
    run = Run.open(shutil.copytree(OLD, tmp / "old"))
    (run.path / "vitals.jsonl").write_text(json.dumps(VITALS) + "\n")
    return run


def test_the_columns_of_old_rows_have_todays_names(tmp: Path) -> None:
    (row,) = old_run(tmp).rows("monitor")
    assert list(row) == [
        "nimg", "distance", "eval_logit/train", "eval_logit/held_out", "eval_logit/fake", "auc/fake", "auc/held_out",
        "update_ratio/g", "update_ratio/d", "label/n", "label/auc", "label/accuracy", "n_rated", "sample_change",
        "nearest_train",
    ]  # fmt: skip
    assert list(row.values()) == list(VITALS.values())
    assert migrate_row("metrics", {"moved": 1}) == {"moved": 1}  # of other logs nothing is renamed
    assert migrate_row("monitor", row) == row


def test_an_old_run_goes_on_in_one_log(tmp: Path) -> None:
    run = old_run(tmp)
    assert api.run_training(run, extra=BudgetConfig(kimg=0.032))
    assert not (run.path / "vitals.jsonl").exists()
    assert [row["nimg"] for row in run.rows("monitor")] == [64, 96]


def test_what_came_after_the_checkpoint_is_dropped_from_an_old_log_too(tmp: Path) -> None:
    run = old_run(tmp)
    late = json.dumps({**VITALS, "nimg": 900})
    (run.path / "vitals.jsonl").write_text(json.dumps(VITALS) + "\n" + late + "\n")
    run.drop_after(500)
    assert [row["nimg"] for row in run.rows("monitor")] == [64] and not (run.path / "vitals.jsonl").exists()


def test_a_setting_that_was_renamed_is_read() -> None:
    values = {key if key != "init_from" else "origin": value for key, value in to_dict(Config()).items()}
    assert migrate_config({**values, "origin": "cifar10-cpu-v1"})["init_from"] == "cifar10-cpu-v1"
    assert migrate_config(values) == to_dict(Config())
    assert migrate_config(None) is None
