"""What the command line does, in Python, by the same names."""

from __future__ import annotations

import importlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import ganvas
from ganvas import experiments
from ganvas.cli.main import VERBS, main
from ganvas.errors import UsageError
from ganvas.notebook.run import Run

SMALL = {"step.batch": 16, "data.size": 16, "generator.width": 0.25, "engine.conv": "direct"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("commands") / "run"
    return ganvas.train("quick", data="shapes", kimg=0.1, out=out, settings=SMALL, progress=False)


def test_every_command_is_a_function_of_the_same_name():
    assert {*VERBS} <= {*ganvas.__all__}
    for name in VERBS:
        assert callable(getattr(ganvas, name)), name


def test_the_names_stay_after_packages_are_imported():
    for package in ("datasets", "reports", "runs.listing", "experiments", "evaluation", "comparison"):
        importlib.import_module(f"ganvas.{package}")
    assert ganvas.data.__name__ == "data" and ganvas.report.__name__ == "report"
    assert ganvas.runs("nowhere") == [] and "no runs below nowhere" in repr(ganvas.runs("nowhere"))


def test_train_returns_a_run_that_shows_itself(run):
    assert isinstance(run, ganvas.Run) and run.finished and "<img" in run._repr_html_()
    assert ganvas.resume(run).path == run.path  # finished: as it is


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures") / "mine"
    folder.mkdir()
    for i in range(20):
        Image.new("RGB", (16, 16), (i, 255 - i, 9)).save(folder / f"{i}.png")
    return str(folder)


def test_train_says_what_it_read(mine, tmp_path, capfd):
    ganvas.train("quick", data=mine, kimg=0.016, out=tmp_path / "a", settings=SMALL, report=False)
    python = [line for line in capfd.readouterr().err.splitlines() if line.startswith("mine: 20 images")]
    flags = [f"--{name}={value}".replace("_", "-") for name, value in SMALL.items()]
    assert main(["train", "quick", "--data", mine, "--kimg", "0.016", "--out", str(tmp_path / "b"), *flags]) == 0
    command = [line for line in capfd.readouterr().err.splitlines() if line.startswith("mine: 20 images")]
    assert len(python) == 1 and python == command


def test_report_and_doctor_take_a_run_or_its_path(run):
    assert os.path.samefile(ganvas.report(run), run.path / "report.html")
    assert repr(ganvas.doctor(run)) == repr(ganvas.doctor(str(run.path))) == repr(run.doctor())
    assert repr(ganvas.doctor(run, lang="ko")) != repr(ganvas.doctor(run))


def test_doctor_checks_data_and_the_installation(mine, shapes, capsys):
    for checks in (ganvas.doctor(shapes), ganvas.doctor(data=shapes.images.images)):
        assert "images" in repr(checks) and "<table>" in checks._repr_html_()
    few = repr(ganvas.doctor(ganvas.data("shapes", limit=600, size=16)))
    assert few.lstrip().startswith("ok  shapes: 600 images") and "`ganvas train small-data --data shapes`" in few
    given = repr(ganvas.doctor(ganvas.data(np.repeat(shapes.images.images, 10, axis=0), progress=False)))
    assert "`ganvas.train('small-data', data=...)`" in given  # there is no name for the command line
    rare = ganvas.data(np.repeat(shapes.images.images, 10, axis=0), [0] * 635 + [1] * 5, progress=False)
    assert 'with `classes=`, or train without classes (`labels="ignore"`)' in repr(ganvas.doctor(rare))
    assert any(row.name == "torch" for row in ganvas.doctor(env=True))
    of_mine = ganvas.doctor(data=mine)
    assert main(["doctor", "--data", mine]) == (0 if of_mine.ok else 1)
    assert capsys.readouterr().out.strip() == repr(of_mine).strip()
    for wrong in ({}, {"data": mine, "env": True}):
        with pytest.raises(UsageError, match="takes one of"):
            ganvas.doctor(**wrong)


def test_data_check_is_what_the_command_prints(mine, capsys):
    assert main(["data", "check", mine]) == 0
    reports = ganvas.data(mine).check()
    assert repr(reports) == capsys.readouterr().out.strip() and reports[0].n == 20


def test_images_in_memory_are_checked_as_well(shapes):
    images = np.concatenate([shapes.images.images[:9], shapes.images.images[:1]])
    (report,) = ganvas.data(images, progress=False).check()
    assert report.n == 10 and report.duplicates == 1 and "duplicates: 1" in repr(ganvas.data(images).check())


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["recipes", "quick"], lambda: ganvas.recipes("quick")),
        (["tricks", "label-smoothing"], lambda: ganvas.tricks("label-smoothing")),
        (["tricks", "--recipe", "quick"], lambda: ganvas.tricks(recipe="quick")),
        (["experiment"], lambda: ganvas.experiment()),
    ],
)
def test_texts_are_those_of_the_command(words, value, capsys):
    assert main(words) == 0
    assert capsys.readouterr().out.strip("\n") == repr(value()).strip("\n")
    assert value()._repr_html_().startswith("<")


def test_tables_hold_a_row_for_each(run):
    assert [row["recipe"] for row in ganvas.recipes()] == [*ganvas.RECIPES]
    assert "quick" in repr(ganvas.recipes()) and "<td" in ganvas.recipes()._repr_html_()
    (row,) = ganvas.runs(run.path.parent)
    assert row["recipe"] == "quick" and row["state"] == "finished"
    assert str(run.path) in repr(ganvas.runs(run.path.parent))


def test_sample_draws_as_the_command_does(run, tmp_path):
    images = ganvas.sample(run, 4, seed=3, out=tmp_path / "x.png")
    np.testing.assert_array_equal(images.array[0], ganvas.sample(run.generator, 4, seed=3).array[0])
    assert (tmp_path / "x.png").is_file() and len(images) == 4
    names = run.generator.class_names
    assert len(ganvas.sample(run)) == 8 * (len(names) or 8)


def test_an_experiment_from_python(tmp_path, monkeypatch):
    asked = []

    def pretend(plan, folder, jobs, retry, lang, *cluster):
        asked.append((plan, folder, jobs, retry, lang, *cluster))
        return experiments.Result([], None, None)

    monkeypatch.setattr(experiments, "run", pretend)
    result = ganvas.experiment("quick", vary={"g_optim.lr": [1e-4, 5e-4]}, seeds=2, kimg=1, tricks=["spectral-norm"])
    ((plan, folder, jobs, retry, lang, *cluster),) = asked
    assert cluster == [None, None, None]
    assert [cell.config.g_optim.lr for cell in plan.cells] == [1e-4, 5e-4] and plan.seeds == 2
    assert all(cell.config.tricks == ("spectral-norm",) for cell in plan.cells) and plan.budget.kimg == 1
    assert (folder, jobs, retry, lang) == (Path("experiments/quick-g_optim.lr"), None, False, "en")
    assert result.finished and result.runs == [] and "0 of 0 runs" in repr(result)
    with pytest.raises(UsageError, match="which setting of quick to vary"):
        ganvas.experiment("quick")


@pytest.mark.parametrize("call", [ganvas.report, ganvas.doctor, ganvas.resume, ganvas.evaluate, ganvas.sample])
@pytest.mark.parametrize("wrong", [7, [1.5], object(), Run])
def test_a_wrong_kind_is_refused_in_one_line(call, wrong):
    with pytest.raises(UsageError) as caught:
        call(wrong)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 250
