"""One tiny run of every schema version ever released, kept for ever: it opens, reports, samples and goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ganvas import api, reports
from ganvas.config import SCHEMA_VERSION, BudgetConfig
from ganvas.generator import load
from ganvas.runs.run import Run

RUNS = Path(__file__).parents[1] / "old_runs"
VERSIONS = sorted(path.name for path in RUNS.iterdir())


def test_every_version_is_kept() -> None:
    assert [f"schema-{version}" for version in range(1, SCHEMA_VERSION + 1)] == VERSIONS


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_run_still_works(version: str, tmp: Path) -> None:
    run = Run.open(shutil.copytree(RUNS / version, tmp / version))
    assert run.config.recipe == "cifar-dcgan" and run.rows("metrics")[-1]["nimg"] == 64
    assert load(run.path).sample(3).shape == (3, 3, 16, 16)
    assert reports.write(run).stat().st_size > 10_000
    assert api.run_training(run, extra=BudgetConfig(kimg=0.032))
    assert (run.total_nimg, run.rows("metrics")[-1]["nimg"]) == (96, 96)
    assert load(run.path).nimg == 96
