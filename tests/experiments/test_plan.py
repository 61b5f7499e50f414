"""What an experiment is to run: files, lines, recipes without a part; what is refused."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ganvas.cli import main as cli
from ganvas.cli.experiment import _parse_vary
from ganvas.config import BudgetConfig, diff, override, recipes
from ganvas.errors import GanvasError, UsageError
from ganvas.experiments import plan as plans
from ganvas.experiments.ablate import PARTS, ablation
from ganvas.experiments.named import find_plan
from ganvas.experiments.plan import make_plan
from ganvas.experiments.runner import run

CELLS = [{"name": "a", "recipe": "cifar-dcgan"}, {"name": "b", "settings": {"g_optim.lr": 1e-4}, "tricks": ["flip"]}]


def test_cells_take_what_stands_above_them() -> None:
    plan = make_plan("mine", {"data": "shapes", "recipe": "quick", "settings": {"step.batch": 16}, "cells": CELLS})
    a, b = plan.cells
    assert (a.config.recipe, b.config.recipe) == ("cifar-dcgan", "quick")
    assert {c.config.data.name for c in plan.cells} == {"shapes"} and {c.config.step.batch for c in plan.cells} == {16}
    assert b.config.data.flip and b.config.tricks == ("flip",) and b.config.g_optim.lr == 1e-4
    assert plan.seeds == 3 and plan.budget == BudgetConfig(minutes=10.0)


def test_what_is_said_on_the_line_counts_more() -> None:
    values = {"minutes": 5, "seeds": 2, "cells": CELLS, "data": "cifar10"}
    plan = make_plan("mine", values, {"kimg": 3.0, "minutes": None, "seeds": 4, "data": "shapes", "n": None})
    assert plan.budget == BudgetConfig(kimg=3.0) and plan.seeds == 4 and plan.n == 10_000
    assert plan.cells[0].config.data.name == "shapes"


def test_a_run_has_its_seed_budget_and_threads() -> None:
    plan = make_plan("mine", {"cells": CELLS, "kimg": 7})
    config = plan.trial_config(plan.cells[1], 5, 2)
    assert (config.seed, config.budget, config.engine.threads) == (5, BudgetConfig(kimg=7.0), 2)


def test_minutes_on_the_cpu_are_those_of_its_cores() -> None:
    plan = make_plan("mine", {"cells": CELLS, "minutes": 7, "settings": {"engine.device": "cpu"}})
    assert plan.trial_config(plan.cells[0], 0, 2).budget == BudgetConfig(cpu_minutes=14.0)


def test_a_run_for_another_machine_asks_for_no_device_of_this_one() -> None:
    plan = make_plan("mine", {"cells": CELLS, "minutes": 7})
    config = plan.trial_config(plan.cells[0], 0, 2, elsewhere=True)
    assert (config.engine.device, config.budget) == ("cpu", BudgetConfig(cpu_minutes=14.0))
    plan = make_plan("mine", {"cells": CELLS, "minutes": 7, "settings": {"engine.device": "cuda:77"}})
    config = plan.trial_config(plan.cells[0], 0, 2, elsewhere=True)
    assert (config.engine.device, config.budget) == ("cuda:77", BudgetConfig(minutes=7.0))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--on", "local:2", "--jobs", "2"], "--jobs and --on are incompatible"),
        (["--threads", "2"], "--threads needs --on"),
        (["--fetch-seconds", "9"], "--fetch-seconds needs --on"),
        (["--on", "local:2", "--threads", "0"], "--threads must be more than 0"),
        (["--on", "local:2", "--fetch-seconds", "nan"], "--fetch-seconds must be more than 0"),
        (["--on", "nowhere"], "--on nowhere: write tcp://HOST:PORT"),
        (["--status"], "no experiment was begun in experiments/course"),
    ],
)
def test_where_it_runs_is_checked_first(
    words: list[str], message: str, in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["experiment", "course", *words]) == 2
    assert message in capsys.readouterr().err and not list(in_tmp.iterdir())


def test_every_combination_of_varied_values_is_a_cell() -> None:
    plan = make_plan("mine", {"vary": {"g_optim.lr": [1e-4, 5e-4], "loss.name": ["hinge", "bce"]}})
    assert [c.name for c in plan.cells][:2] == [
        "g_optim.lr 0.0001, loss.name hinge", "g_optim.lr 0.0001, loss.name bce"]  # fmt: skip
    assert len({c.slug for c in plan.cells}) == 4


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "has nothing to run"),
        ({"cells": CELLS, "sedes": 3}, "did you mean seeds"),
        ({"cells": CELLS, "metrics": ["fd", "coverge"]}, "did you mean coverage"),
        ({"cells": [{"name": "a", "recpie": "quick"}]}, "did you mean recipe"),
        ({"cells": [{"recipe": "quick"}]}, "needs a name"),
        ({"cells": [{"name": "a", "recipe": "quik"}]}, "cell 'a': unknown recipe 'quik'; did you mean quick?"),
        ({"cells": [{"name": "a", "settings": {"g_optim.rl": 1.0}}]}, "did you mean g_optim.lr"),
        ({"cells": [{"name": "a", "tricks": ["flop"]}]}, "did you mean flip"),
        ({"cells": [{"name": "a"}, {"name": "b"}]}, "the cells 'a' and 'b' are the same"),
        ({"cells": [{"name": "A!"}, {"name": "a", "tricks": ["flip"]}]}, "are the same"),
        ({"cells": CELLS, "vary": {"seed": [1, 2]}}, "cannot be combined"),
        ({"vary": {"g_optim.lr": [1e-4]}}, "two or more values"),
        ({"vary": {"g_optim.lr": 1e-4}}, "two or more values"),
        ({"cells": CELLS, "seeds": 0}, "seeds must be 1 to 10,000"),
        ({"cells": CELLS, "seeds": 2.5}, "expected int"),
        ({"cells": CELLS, "minutes": 0}, "minutes = 0: it must be more than 0"),
        ({"cells": CELLS, "minutes": 1, "kimg": 1}, "one of epochs, kimg, minutes and cpu_minutes"),
        ({"cells": "all"}, "expected list"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_plan("mine", values)
    assert words in str(caught.value)


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("cells = [")
    for name in ("x.toml", "absent.toml"):
        with pytest.raises(GanvasError, match=f"{name} is not a readable TOML file"):
            plans.read_toml(tmp_path / name)


@pytest.mark.parametrize("name", sorted(plans.builtin()))
def test_what_ships_can_be_run(name: str) -> None:
    plan = make_plan(name, plans.read_toml(plans.builtin()[name]))
    assert plan.title and all(cell.config.data.name == "cifar10" for cell in plan.cells)
    assert {"course", "ladder"} <= set(plans.builtin())


def test_the_course_tries_what_the_notebooks_tried() -> None:
    cells = {c.name: c.config for c in make_plan("course", plans.read_toml(plans.builtin()["course"])).cells}
    assert [cells[f"batch {n}"].step.batch for n in (64, 1024)] == [64, 1024]
    assert cells["cifar-dcgan"].step.batch == 256
    assert cells["slower D"].d_optim.lr == cells["slower D"].g_optim.lr / 10
    assert cells["deeper G"].generator.extra == (128, 32)
    recap, decayed = cells["Recap GAN"], cells["Recap GAN with decay"]
    assert sorted(diff(recap, decayed)) == ["d_optim.decay", "g_optim.decay"]


def test_the_ladder_ends_at_quick() -> None:
    cells = make_plan("ladder", plans.read_toml(plans.builtin()["ladder"])).cells
    assert diff(recipes.get("quick").config, cells[-1].config) == {}
    lean = [cell for cell in cells if cell.config.recipe == "quick"]
    left = [len(diff(recipes.get("quick").config, cell.config)) for cell in lean]
    assert left == sorted(left, reverse=True) and left[-1] == 0


@pytest.mark.parametrize("recipe", sorted(recipes.RECIPES))
def test_an_ablation_leaves_out_one_part_that_is_there(recipe: str) -> None:
    whole = recipes.get(recipe).config
    rows = ablation(recipe)["cells"]
    assert rows[0] == {"name": recipe, "recipe": recipe}
    for row in rows[1:]:
        changed = diff(whole, override(whole, row["settings"]))
        assert changed and row["name"].removeprefix("without ") in PARTS


def test_quick_can_be_had_without_each_of_its_parts() -> None:
    names = [cell.name for cell in make_plan("x", ablation("quick")).cells]
    for part in ("classes", "spectral norm", "decay", "moving average", "two learning rates", "eigenimages"):
        assert f"without {part}" in names


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("g-optim.lr=1e-4,5e-4", ("g_optim.lr", [1e-4, 5e-4])),
        ("loss.name=hinge,bce", ("loss.name", ["hinge", "bce"])),
        ("generator.widths=[64, 32],[32, 16]", ("generator.widths", [[64, 32], [32, 16]])),
        ("data.flip=true,false", ("data.flip", [True, False])),
    ],
)
def test_values_on_the_line(word: str, expected: tuple[str, list[Any]]) -> None:
    assert _parse_vary(word) == expected


def test_the_verb_lists_describes_and_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["experiment"]) == 0
    assert "course" in capsys.readouterr().out
    assert cli.main(["experiment", "course", "--dry-run", "--minutes", "2", "--seeds", "4"]) == 0
    out = capsys.readouterr().out
    assert "8 cells x 4 seeds = 32 runs of 2 minutes" in out and "batch 64: cifar-dcgan (step.batch 64)" in out
    for words, message in (
        (["cours"], "did you mean course"), (["quick"], "--vary"), (["ablate"], "name the recipe"),
        (["course", "quick"], "unknown argument quick"), (["quick", "--vary", "g_optim.lr"], "SETTING=A,B"),
        (["course", "--jobs", "0"], "--jobs must be 1 or more"),
    ):  # fmt: skip
        assert cli.main(["experiment", *words]) == 2
        assert message in capsys.readouterr().err


def test_an_unknown_metric_costs_no_training(tmp_path: Path) -> None:
    plan = replace(make_plan("mine", {"cells": CELLS}), metrics=("unknown",))
    with pytest.raises(UsageError, match="no metric is called 'unknown'"):
        run(plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    words = ["experiment", "quick", "--vary", "g_optim.lr=1e-4,5e-4", "--metrics", "unknown", "--out", f"{tmp_path}/o"]
    assert cli.main(words) == 2 and not (tmp_path / "o").exists()


def test_the_plans_of_the_quality_harness_compare_with_quick() -> None:
    folder = Path(__file__).parents[2] / "benchmarks" / "quality"
    screen, confirm = (make_plan(*find_plan(str(folder / f"{name}.toml"))) for name in ("screen", "confirm"))
    assert [cell.name for cell in screen.cells] == [cell.name for cell in confirm.cells]
    assert screen.cells[0].config == recipes.get("quick").config
    assert (screen.seeds, screen.budget.minutes, confirm.seeds, confirm.budget.minutes) == (3, 5, 5, 20)
    assert not {"efficientnet-lite2"} & set(screen.features) and confirm.features[0] == "efficientnet-lite2"


def test_a_price_is_a_ratio_to_the_first_cell_of_the_same_round(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(__file__).parents[2] / "benchmarks" / "quality" / "price.py"
    spec = importlib.util.spec_from_file_location("price", path)
    assert spec is not None and spec.loader is not None
    price = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(price)
    now = 0.0
    monkeypatch.setattr(price.time, "process_time", lambda: now)

    def update(seconds: float) -> Callable[[], None]:
        def run() -> None:
            nonlocal now
            now += seconds

        return run

    found = price.prices({"base": (update(0.032), 32), "idea": (update(0.032), 64)}, rounds=4)
    assert found["base"] == (pytest.approx(1.0), [1.0] * 4)
    assert found["idea"] == (pytest.approx(0.5), [pytest.approx(0.5)] * 4)
