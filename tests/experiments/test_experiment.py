"""Experiments that really train: stopped, gone on with, a cell that fails, and what is left behind."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import TINY
from ganvas import experiments
from ganvas.errors import GanvasError, UsageError
from ganvas.experiments import progress, runner, workers
from ganvas.experiments.cluster import status as cluster_status
from ganvas.experiments.plan import Plan, make_plan
from ganvas.experiments.trials import Elsewhere, Progress, list_trials
from ganvas.runs.run import Run
from report_page import page

DOOMED = {"d_optim.name": "sgd", "d_optim.lr": 900.0, "discriminator.norms": [False, False]}
SETTINGS = {key: list(v) if isinstance(v, tuple) else v for key, v in TINY.items() if not key.startswith("budget")}


def small(**changes: Any) -> Plan:
    cells = [
        {"name": "plain"}, {"name": "faster", "settings": {"g_optim.lr": 5e-4}},
        {"name": "doomed", "settings": DOOMED},
    ]  # fmt: skip
    values = {"title": "small", "recipe": "cifar-dcgan", "settings": SETTINGS, "kimg": 0.192, "n": 100, "seeds": 1}
    return make_plan("small", {**values, "cells": cells, "features": ["pixel_features:look"], **changes})


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, experiments.Result]:
    """Three cells with a seed each, run to the end."""
    folder = tmp_path_factory.mktemp("experiment") / "small"
    return folder, experiments.run(small(), folder, jobs=2)


@pytest.fixture(autouse=True, scope="module")
def own_features() -> Any:
    """The processes find the tests' own extractor."""
    before = os.environ.get("PYTHONPATH", "")
    here = str(Path(__file__).parents[1])
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [here, before]))
    yield
    os.environ["PYTHONPATH"] = before


def test_every_cell_is_trained_scored_and_compared(ran: tuple[Path, experiments.Result]) -> None:
    folder, result = ran
    assert {trial.name: trial.state for trial in result.trials} == {
        "plain-s0": "done", "faster-s0": "done", "doomed-s0": "failed"}  # fmt: skip
    assert result.finished and result.comparison is not None and result.page == folder / "compare.html"
    assert [g.name for g in result.comparison.groups] == ["plain", "faster"]
    assert result.comparison.changes == {"g_optim.lr": [1e-4, 5e-4]}
    assert all(Run.open(folder / f"{name}-s0").snapshots()[-1][0] == 192 for name in ("plain", "faster"))


def test_a_failed_cell_says_why_and_stops_nobody(ran: tuple[Path, experiments.Result]) -> None:
    doomed = ran[1].trials[2]
    assert "became NaN or infinite" in doomed.failure_reason and doomed.log.is_file()


def test_its_runs_report_which_experiment_they_are_part_of(ran: tuple[Path, experiments.Result]) -> None:
    folder, _ = ran
    about = json.loads((folder / "faster-s0" / "part_of.json").read_text())
    assert (about["experiment"], about["cell"], about["first"]) == ("small", "faster", "plain")
    read = page(Run.open(folder / "faster-s0"))
    assert "Part of the experiment small, cell faster." in read.text
    assert any(a.get("href") == "../compare.html" for a in read.all("a"))
    assert (
        "too few seeds for a verdict" in read.text
        and "In the experiment small, faster compared with plain" in read.text
    )
    assert "In the experiment" not in page(Run.open(folder / "plain-s0")).text


def test_a_second_call_finds_nothing_to_do_and_more_seeds_may_be_added(
    ran: tuple[Path, experiments.Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = ran
    started: list[str] = []
    monkeypatch.setattr(workers, "_start_process", lambda trial, *_: started.append(trial.name))
    assert experiments.run(small(), folder, jobs=1).finished and started == []
    more = list_trials(small(seeds=2), folder, 1)
    assert [t.name for t in more if t.state == "waiting"] == ["plain-s1", "faster-s1", "doomed-s1"]


def test_another_experiment_does_not_go_into_the_same_folder(ran: tuple[Path, experiments.Result]) -> None:
    with pytest.raises(UsageError, match=r"another experiment \(different: budget\)"):
        experiments.run(small(kimg=0.3), ran[0])
    with pytest.raises(UsageError, match="not empty"):
        experiments.run(small(), ran[0] / "plain-s0")


def test_an_experiment_of_an_older_version_is_resumed(ran: tuple[Path, experiments.Result], tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    values = json.loads((ran[0] / "experiment.json").read_text())
    for cell in values["cells"]:
        cell["about"] = "other words"
        cell["config"]["origin"] = cell["config"].pop("init_from")  # its name in schema 1
    (tmp_path / "old" / "experiment.json").write_text(json.dumps(values))
    runner._save_plan(small(), tmp_path / "old")
    assert "init_from" in json.loads((tmp_path / "old" / "experiment.json").read_text())["cells"][0]["config"]
    values["cells"][0]["config"]["step"]["batch"] = 7
    (tmp_path / "old" / "experiment.json").write_text(json.dumps(values))
    with pytest.raises(UsageError, match=r"another experiment \(different: cells\)"):
        runner._save_plan(small(), tmp_path / "old")


def test_a_broken_run_does_not_stop_the_rest(ran: tuple[Path, experiments.Result], tmp_path: Path) -> None:
    shutil.copytree(ran[0], tmp_path / "copy")
    (tmp_path / "copy" / "plain-s0" / "config.json").write_text("{")
    states = {trial.name: trial.state for trial in list_trials(small(), tmp_path / "copy", 1)}
    assert states == {"plain-s0": "failed", "faster-s0": "done", "doomed-s0": "failed"}
    assert "config.json cannot be read" in list_trials(small(), tmp_path / "copy", 1)[0].failure_reason


def test_a_resume_that_ends_nothing_is_not_begun_for_ever(ran: tuple[Path, experiments.Result], tmp_path: Path) -> None:
    shutil.copytree(ran[0], tmp_path / "copy")
    log = tmp_path / "copy" / "plain-s0" / "events.jsonl"
    log.write_text("".join(line + "\n" for line in log.read_text().splitlines() if '"finish"' not in line))
    trial = list_trials(small(), tmp_path / "copy", 1)[0]
    argv = trial.next_step()
    assert trial.state == "training" and argv is not None and argv[0] == "resume"
    assert not trial.finish_step(argv, 0)
    assert trial.state == "failed" and trial.failure_reason == "ganvas resume ended without the end of the training"


def test_two_processes_do_not_run_one_experiment(ran: tuple[Path, experiments.Result]) -> None:
    with runner._locked(ran[0]), pytest.raises(GanvasError, match="another process"):
        experiments.run(small(), ran[0])


def test_the_live_table_shows_cells_seeds_and_what_is_left(ran: tuple[Path, experiments.Result]) -> None:
    from rich.console import Console

    plan = small()
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(progress.table(plan, list_trials(plan, ran[0], 1), set(), 61.0))
    said = console.export_text()
    assert "plain" in said and "done" in said and "became NaN" in said and "3 of 3 done, 1:01" in said


def test_any_terminal_sees_how_far_it_is_here_and_elsewhere(
    ran: tuple[Path, experiments.Result], tmp_path: Path
) -> None:
    folder = shutil.copytree(ran[0], tmp_path / "copy")
    (folder / "faster-s0" / "events.jsonl").unlink()
    assert runner.status(folder).endswith("\nnobody runs it: the same command resumes it")
    trials = list_trials(small(), folder, 1)
    trials[1].elsewhere, trials[1].moves = Elsewhere("attic", Progress(96, 192, 1234.0)), 2
    cluster_status.write(folder, trials, "tcp://h:1", 7)
    with runner._locked(folder):
        said = runner.status(folder)
    assert "small   2 of 3 done" in said and said.endswith("\nit runs on 7 workers of tcp://h:1")
    assert re.search(r"faster +│ 50% 1,234 img/s \(moved 2x\)", said), said
    (folder / "cluster.json").write_text('{"running": [], "moves": {}}')
    with runner._locked(folder):
        assert runner.status(folder).endswith("\nit runs")


def test_jobs_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.training.backend.cores", lambda: 8)
    assert workers.split_cores(None, 24) == (8, 1) and workers.split_cores(2, 24) == (2, 4)
    assert workers.split_cores(None, 3) == (3, 2) and workers.split_cores(99, 24) == (8, 1)


@pytest.mark.slow
def test_stopped_and_called_again_it_goes_on_bit_for_bit(tmp_path: Path) -> None:
    toml = tmp_path / "two.toml"
    lines = [f"{json.dumps(k)} = {json.dumps(v)}" for k, v in SETTINGS.items()]
    toml.write_text(
        "title = 'two'\nrecipe = 'cifar-dcgan'\nkimg = 1.6\nn = 100\nseeds = 1\nfeatures = ['pixel_features:look']\n"
        "vary = { 'g_optim.lr' = [1e-4, 5e-4] }\n[settings]\n" + "\n".join(lines)
    )
    words = [sys.executable, "-m", "ganvas", "experiment", str(toml), "--jobs", "1", "--out"]

    def started(out: Path) -> subprocess.Popen[str]:
        return subprocess.Popen([*words, str(out)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    whole = started(tmp_path / "whole")
    broken = started(tmp_path / "broken")
    first = tmp_path / "broken" / "g-optim.lr-0.0001-s0" / "metrics.jsonl"
    patience = time.monotonic() + 240
    while not first.is_file() and time.monotonic() < patience:
        time.sleep(0.05)
    broken.send_signal(signal.SIGINT)
    said, _ = broken.communicate(timeout=240)
    assert broken.returncode == 130 and "the same command resumes it" in said, said
    again, _ = started(tmp_path / "broken").communicate(timeout=480)
    assert "comparison:" in again, again
    whole.communicate(timeout=480)
    for name in ("g-optim.lr-0.0001-s0", "g-optim.lr-0.0005-s0"):
        one, other = (Run.open(tmp_path / folder / name) for folder in ("whole", "broken"))
        assert one.snapshots()[-1][1].read_bytes() == other.snapshots()[-1][1].read_bytes()
    assert any(row["event"] == "stop" for row in Run.open(first.parent).rows("events"))
