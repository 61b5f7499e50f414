"""The scripts that made what is stored still run."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from conftest import trained
from ganvas import generator as sampler

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import damage_study
import doctor_pictures
import doctor_suite
import ship_model


def test_the_study_of_damages_runs(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "cache"))
    monkeypatch.setattr(damage_study, "TRAINING", 100)
    out = tmp / "table.md"
    words = ["damage_study.py", "shapes", "pixel_features:look", str(out), "--n", "100", "--only", "colour"]
    monkeypatch.setattr(sys, "argv", words)
    damage_study.main()
    text = out.read_text()
    assert "### shapes through pixel_features:look" in text
    assert any(line.startswith("| colour | fd_") and line.endswith("| up | hit |") for line in text.splitlines())


def test_a_model_ships_as_halves_and_draws_nearly_the_same(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained(tmp / "run", {"data.labels": "use"})
    (tmp / "weights").mkdir()
    for module in (ship_model, sampler):
        monkeypatch.setattr(module, "WEIGHTS", tmp / "weights")
    monkeypatch.setattr(sys, "argv", ["ship_model.py", str(run.path), "shapes-cpu-v1"])
    ship_model.main()
    assert "192 images seen" in capsys.readouterr().out
    shipped, whole = sampler.load("shapes"), sampler.load(run.path)
    assert shipped.class_names == whole.class_names and len(shipped.class_names) > 1
    apart = np.abs(shipped.sample(8).astype(int) - whole.sample(8).astype(int))
    assert apart.max() <= 2
    snapshot = run.snapshots()[-1][1]
    assert (tmp / "weights" / "shapes-cpu-v1.safetensors").stat().st_size < 0.8 * snapshot.stat().st_size


def test_the_doctors_suite_trains_reads_and_draws(
    tmp: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = {"generator.width": 0.25, "discriminator.width": 0.25, "step.batch": 32, "engine.conv": "direct"}
    kinds = {
        "tiny-batch": doctor_suite.Kind("lean", ("tiny-batch",), small | {"step.batch": 2}, kimg=0.01),
        "nan": doctor_suite.Kind("lean", ("nan",), small | {"g_optim.lr": 900.0, "d_optim.lr": 900.0}, kimg=2.0),
        "lean": doctor_suite.Kind("lean", settings=small, kimg=0.064),
    }
    for module in (doctor_suite, doctor_pictures):
        monkeypatch.setattr(module, "KINDS", kinds)
    monkeypatch.setattr(doctor_suite, "DATA", ("shapes",))
    for run in doctor_suite.runs(tmp / "suite", seeds=(0,)):
        doctor_suite._train((tmp / "suite", *run))
    doctor_suite.report(tmp / "suite", "both")
    said = capsys.readouterr().out
    assert "found: 2 of 2" in said and "false: 0 of 1" in said
    monkeypatch.setattr(sys, "argv", ["doctor_pictures.py", str(tmp / "suite"), str(tmp / "out")])
    doctor_pictures.main()
    assert {path.name for path in (tmp / "out").iterdir()} == {"tiny-batch.png", "nan.png"}
