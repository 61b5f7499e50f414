"""Which runs are one group, what it is called, what is refused."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from ganvas.comparison.groups import find_groups
from ganvas.config import override, recipes
from ganvas.errors import UsageError
from ganvas.runs.run import Run, stem
from synthetic import make_run


def trained(path: Path, seed: int = 0, recipe: str = "cifar-dcgan", end: str | None = "finish", **changes: Any) -> Run:
    """A finished run of 60 epochs, with a generator to its name."""
    settings = {"seed": seed, "budget.epochs": 2, **changes}
    config = override(recipes.get(recipe).config, settings)
    run = make_run(path, recipe=recipe, config=config, epochs=2, rows=8, grids=3, end=end, tiles=8)
    run.write_bytes(f"snapshots/{stem(10_000)}.safetensors", b"")
    return run


def test_runs_that_differ_in_their_seed_are_one_group(tmp_path: Path) -> None:
    for seed in (2, 0, 1):
        trained(tmp_path / f"a{seed}", seed)
        trained(tmp_path / f"b{seed}", seed, **{"g_optim.lr": 3e-4})
    groups, notes = find_groups([tmp_path])
    assert [(g.name, g.seeds) for g in groups] == [
        ("cifar-dcgan", [0, 1, 2]), ("cifar-dcgan + g_optim.lr 0.0003", [0, 1, 2])]  # fmt: skip
    assert groups[0].nimg_range == (10_000, 10_000) and notes == []


def test_where_the_arithmetic_was_done_and_what_was_logged_make_no_other_group(tmp_path: Path) -> None:
    trained(tmp_path / "a", 0)
    trained(tmp_path / "b", 1, **{"engine.threads": 3, "log.every": 7, "evaluate.every": 1000})
    assert len(find_groups([tmp_path])[0]) == 1


def test_another_budget_is_another_group_unless_they_are_called_one(tmp_path: Path) -> None:
    trained(tmp_path / "a", 0)
    trained(tmp_path / "b", 1, **{"budget.epochs": 3})
    assert [g.name for g in find_groups([tmp_path])[0]] == ["cifar-dcgan", "cifar-dcgan (2)"]
    assert [g.name for g in find_groups([f"mine={tmp_path}"])[0]] == ["mine"]


def test_a_group_takes_its_name_and_tricks_theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    trained(Path("runs/0001"), 0)
    config = dataclasses.replace(recipes.get("cifar-dcgan").config, tricks=("flip",))
    trained(Path("runs/0002"), 0, **{"data.flip": True, "tricks": ("flip",)})
    assert config.tricks == ("flip",)
    names = [g.name for g in find_groups(["before=runs/0001", "runs/*2"])[0]]
    assert names == ["before", "cifar-dcgan + flip"]
    assert [len(g.members) for g in find_groups(["cifar-dcgan"])[0]] == [1, 1]


def test_what_cannot_count_is_left_out_and_named(tmp_path: Path) -> None:
    trained(tmp_path / "a", 0)
    trained(tmp_path / "b", 0)
    trained(tmp_path / "c", 1, end=None)
    groups, notes = find_groups([tmp_path, tmp_path / "a"])
    assert [g.seeds for g in groups] == [[0]]
    assert f"{tmp_path}/b is left out: {tmp_path}/a has the same seed, 0" in notes
    assert f"{tmp_path}/c is left out: it is not finished" in notes


def test_a_group_of_unlike_runs_is_refused(tmp_path: Path) -> None:
    trained(tmp_path / "a", 0)
    trained(tmp_path / "b", 1, **{"g_optim.lr": 3e-4})
    with pytest.raises(UsageError, match=r"b does not belong to the group mine: it differs in g_optim\.lr"):
        find_groups([f"mine={tmp_path}"])


def test_other_data_are_refused(tmp_path: Path) -> None:
    trained(tmp_path / "a", 0)
    other = trained(tmp_path / "b", 1)
    data = json.loads((other.path / "data.json").read_text()) | {"sha256": "1" * 64}
    (other.path / "data.json").write_text(json.dumps(data))
    with pytest.raises(UsageError, match="different images"):
        find_groups([tmp_path])


@pytest.mark.parametrize("target", ["nowhere", "no*where", "quick", "quik"])
def test_a_target_without_runs_is_named(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="run"):
        find_groups([target])


def test_groups_may_be_given_by_their_runs_whatever_their_names_and_paths(tmp_path: Path) -> None:
    paths = [trained(tmp_path / "odd [x] = y" / f"r{seed}", seed).path for seed in range(3)]
    groups, _ = find_groups({"lr = 1": paths[:2], "[2]": paths[2:]})
    assert [(g.name, g.seeds) for g in groups] == [("lr = 1", [0, 1]), ("[2]", [2])]
