"""Comparisons and experiments in the browser: the same verdicts and tables, and lines where there are none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from ganvas.config import BudgetConfig
from ganvas.experiments import runner, saved
from ganvas.experiments.plan import Cell, Plan
from ganvas.experiments.trials import list_trials
from ganvas.runs.run import Run, stem
from ganvas.training.setup import configure
from ganvas.ui.house import House
from served import Served, serve
from synthetic import make_run, score

EVIL = "<img src=x onerror=alert(1)>"
SMALL = {"rows": 10, "grids": 2, "tiles": 4, "epochs": 1, "evals": "none"}


def finished(path: Path, seed: int = 0, lr: float = 1e-4, fd: float | None = None, end: str | None = "finish") -> Run:
    """A run with that score of its final generator."""
    config = configure("cifar-dcgan", (), {"seed": seed, "g_optim.lr": lr, "budget.epochs": 1.0})
    run = make_run(path, config=config, end=end, **SMALL)
    run.write_bytes(f"snapshots/{stem(5000)}.safetensors", b"")
    if fd is not None:
        run.append("evals", score("fd_classifier", 5000, value=fd))
    return run


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    """A server of an empty folder of runs and one of experiments."""
    (tmp_path / "runs").mkdir()
    yield from serve(House(tmp_path / "runs"))


def compared(own: Served, *names: str, **more: str) -> str:
    """The page of a comparison."""
    found = own.get("/compare?" + urlencode([*(("run", name) for name in names), *more.items()]))
    assert found.status == 200, found.text
    return found.text


def test_verdicts_are_those_of_the_command_line(own: Served) -> None:
    for i, values in enumerate(([50.0, 52.0, 51.0], [40.0, 41.0, 39.5])):
        for seed, fd in enumerate(values):
            finished(own.house.root / f"{EVIL[:4]}{i}-{seed}", seed, 1e-4 * (i + 1), fd)
    names = [path.name for path in sorted(own.house.root.iterdir())]
    page = compared(own, *names)
    assert "fd_classifier better" in page and 'id="lacking"' not in page
    assert page.count('class="forest better"') == 1 and 'class="status' not in page
    assert f'href="runs/{urlencode({"": names[0]})[1:]}"' in page  # a link to the page of a run
    assert not re.search(r"<[^>]*\sstyle=", page) and "data-style=" in page
    turned = re.findall(r'<a href="(\?run=[^"]+)">', page)
    assert "fd_classifier worse" in own.get("/compare" + turned[0].replace("&amp;", "&")).text
    assert "더 좋음" in compared(own, *names, lang="ko")


def test_runs_without_scores_are_shown_without_a_verdict(own: Served) -> None:
    finished(own.house.root / "a")
    finished(own.house.root / "b", lr=2e-4, end=None)  # still in training
    page = compared(own, "a", "b")
    assert (
        'id="lacking"' in page and 'id="score"' in page and "g_optim.lr" in page and page.count('class="overlay"') >= 3
    )


@pytest.mark.parametrize("seed", [0, 1])
def test_runs_of_one_group_are_compared_one_by_one(own: Served, seed: int) -> None:
    finished(own.house.root / "a", 0, fd=50.0)
    finished(own.house.root / "b", seed, fd=40.0)
    page = compared(own, "a", "b")
    assert "Compared with a" in page and "too few seeds" in page


def test_what_cannot_be_compared_is_one_line(own: Served) -> None:
    finished(own.house.root / "a")
    other = finished(own.house.root / "b", lr=2e-4)
    other.write_json("data.json", other.data | {"sha256": "1" * 64})
    assert own.get("/compare?run=a").status == 400
    found = own.get("/compare?run=a&run=b")
    assert found.status == 400 and "different images" in found.text
    assert own.get("/compare?run=a&run=nothing").status == 404
    assert own.get("/compare?" + "&".join(f"run={i}" for i in range(99))).status == 400
    for runs in (None, "a", [], ["a", "a"], [1, 2], ["a"] * 99, ["../a", "b"]):
        assert own.post("/api/compare/score", {"runs": runs}).status in (400, 404)
    assert own.get("/api/compare/score/nothing").status == 404 and not own.house.trainings.all


def test_without_runs_they_are_chosen(own: Served) -> None:
    finished(own.house.root / "a")
    assert '"name": "a"' in own.get("/compare").text and 'href="/start"' not in own.get("/compare").text


# -- experiments -------------------------------------------------------------------------------------------------


def experiment(own: Served, done: int) -> Path:
    """Two cells with two seeds, `done` of them finished and scored; one more in training."""
    cells = (Cell("plain", configure("cifar-dcgan")), Cell(EVIL, configure("cifar-dcgan", ["ema"])))
    plan = Plan("e", f"About {EVIL}", cells, 2, BudgetConfig(minutes=10), ("classifier",), n=2000)
    base = own.house.experiments / "e"
    runner._save_plan(plan, base)
    for i, trial in enumerate(list_trials(plan, base, 1)[: done + 1]):
        run = make_run(trial.path, config=trial.config, end="finish" if i < done else None, **SMALL)
        run.write_config(trial.config, trial.config, 10_000 if i == done else 5000)
        run.write_bytes(f"snapshots/{stem(5000)}.safetensors", b"")
        if i < done:
            run.append("evals", score("fd_classifier", 5000, value=50.0 - i))
    return base


def test_cells_and_what_is_left(own: Served) -> None:
    base = experiment(own, 2)
    (found,) = own.get("/api/experiments").json["experiments"]
    states = {(trial["cell"], trial["seed"]): trial["state"] for trial in found["trials"]}
    assert states == {("plain", 0): "done", (EVIL, 0): "done", ("plain", 1): "interrupted", (EVIL, 1): "waiting"}
    assert (found["done"], found["total"], found["running"], found["left"]) == (2, 4, False, "")
    with runner._locked(base):
        (found,) = own.get("/api/experiments").json["experiments"]
    assert found["running"] and found["left"] == "15:00"  # half of one, and one that waits, ten minutes each
    assert [trial["state"] for trial in found["trials"] if trial["seed"] == 1] == ["training", "waiting"]
    assert own.get("/experiments").status == 200 and EVIL not in own.get("/experiments").text
    at = found["trials"][0]["at"]
    assert at == "/runs/e%3A%3Aplain-s0" and own.get(at).status == 200
    assert own.get(f"/api{at}").json["view"]["nimg"] == 5000
    assert own.post(f"/api{at}/resume").status == 400
    page = own.get(found["compare"])
    assert page.status == 200 and EVIL not in page.text and "Compared with plain" in page.text


def test_reading_an_experiment_writes_nothing(own: Served) -> None:
    base = experiment(own, 2)
    (base / "plain-s0" / "config.json").write_text("{")
    before = sorted(path for path in base.rglob("*"))
    (found,) = own.get("/api/experiments").json["experiments"]
    assert found["trials"][0]["state"] == "failed" and "config.json" in found["trials"][0]["line"]
    assert sorted(base.rglob("*")) == before


def test_a_broken_experiment_is_a_line(own: Served) -> None:
    base = experiment(own, 0)
    whole = json.loads((base / saved.PLAN_FILE).read_text())
    for broken in ("{", "[]", json.dumps(whole | {"cells": 3}), json.dumps(whole | {"n": "x"}),
                   json.dumps(whole | {"budget": None}), json.dumps(whole | {"seeds": 10**9})):  # fmt: skip
        (base / saved.PLAN_FILE).write_text(broken)
        (found,) = own.get("/api/experiments").json["experiments"]
        assert "error" in found or found["total"] <= 600
        assert own.get("/experiments").status == 200
        assert own.get("/compare?experiment=e").status == 400
    secret = own.house.root.parent / "secret"
    experiment_elsewhere = own.house.experiments / "link"
    secret.mkdir()
    (secret / saved.PLAN_FILE).write_text(json.dumps(whole))
    experiment_elsewhere.symlink_to(secret)
    assert [row["name"] for row in own.get("/api/experiments").json["experiments"]] == ["e"]
    assert own.get("/compare?experiment=link").status == 400
