"""The speedrun board and the benchmark of a GPU: entries are checked, the page is theirs, parts stand alone."""

from __future__ import annotations

import copy
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conftest import SHIPPED_RECIPES
from ganvas.cli.train import configured

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "tools")]
import speedrun_board as board  # noqa: E402


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def point(nimg: int, minutes: float, value: float) -> dict[str, float]:
    return {"nimg": nimg, "cpu_min": minutes, "wall_min": minutes / 2, "value": value}


def entry(seed: int = 0, *values: float) -> dict[str, Any]:
    curve = [point(1000 * i, i, value) for i, value in enumerate(values or (400.0, 290.0, 310.0, 180.0), 1)]
    return {
        "schema": 1, "track": "cifar10", "class": "cpu-avx2", "title": "`quick`", "date": "2026-11-28", "seed": seed,
        "code": {"commit": "0123456789", "changed": []}, "command": ["quick"], "config": {},
        "data": {"name": "cifar10", "sha256": "x", "n": 50_000},
        "machine": {"cpu": "a", "cpu_capability": "AVX2", "accelerator": None, "threads": 2, "torch": "2",
                    "python": "3", "ganvas": "0"},
        "start": {"cpu_sec": 1.0, "wall_sec": 1.0},
        "evaluator": {"metric": "fd_efficientnet", "extractor": "e", "weights_hash": "h", "computation": "1.1",
                      "n": 10_000, "n_ref": 10_000, "split": "test"},
        "curve": curve, "crossings": board.crossings("cifar10", curve), "notes": "",
    }  # fmt: skip


def test_the_page_and_the_entries_are_those_of_today() -> None:
    """To make it again: python tools/speedrun_board.py"""
    assert (board.FOLDER / "README.md").read_text("utf-8") == board.page(board.load())


def test_a_crossing_is_the_first_point_beyond_a_goal() -> None:
    found = entry()["crossings"]
    assert {goal: at and at["nimg"] for goal, at in found.items()} == {
        "300": 2000,
        "200": 4000,
        "125": None,
        "75": None,
    }
    share = board.crossings("fashion-mnist", [point(2, 1.0, 0.91), point(1, 0.5, 0.9)])
    assert share == {"0.9": point(1, 0.5, 0.9)}


def test_an_entry_that_is_not_whole_is_refused() -> None:
    assert board.problems(entry()) == []
    for change, said in (
        ({"track": "x"}, "not known"),
        ({"class": "gpu"}, "do not agree"),
        ({"seed": "0"}, "seed is no"),
        ({"more": 1}, "more is not known"),
        ({"curve": []}, "every point"),
        ({"curve": [point(1, 1.0, 10.0)]}, "not those of the curve"),
        ({"data": {"name": "shapes", "sha256": "x"}}, "is of cifar10"),
        ({"code": {"commit": "a"}}, "code.changed is missing"),
    ):
        assert said in "; ".join(board.problems({**copy.deepcopy(entry()), **change})), change
    missing = entry()
    del missing["config"]
    assert "config is missing" in board.problems(missing)


def test_three_seeds_give_a_place_and_a_goal_not_reached_stays_in_the_count() -> None:
    (row,) = (line for line in board.page([entry(0), entry(1, 280.0)]).splitlines() if line.startswith("| `quick`"))
    assert (
        row
        == "| `quick` | 1.5 | 4 (1 of 2) | not reached | not reached | 2 (no place) | 230 | a, 2 threads | 0123456 |"
    )
    three = board.page([entry(0), entry(1), entry(2)])
    assert "| 3 | 180 |" in three


def test_the_switches_of_the_engine_are_read_from_the_schema() -> None:
    found = dict(script("gpu").switches())
    assert found["none"] == () and found["data=device"] == ("--engine.data", "device")
    assert not {name.split("=")[0] for name in found} & {"device", "dtype", "layout", "conv", "threads", "probe"}
    together = {name: flags for name, flags in found.items() if name.startswith("all with")}
    assert together and all(set(found["data=device"]) <= set(flags) for flags in together.values())
    for flags in found.values():
        configured(["quick", "--minutes", "1", *flags])  # none of them is refused


def test_a_part_that_fails_is_owed_and_the_others_are_kept(tmp: Path) -> None:
    gpu, calls = script("gpu"), []

    def part(name: str, figures: Any) -> Any:
        def run(plan: Any, limit: float) -> Any:
            calls.append(name)
            if isinstance(figures, Exception):
                raise figures
            return figures

        return gpu.Part(name, 5.0, run)

    plan = gpu.Plan("shapes", "cpu", True, tmp)
    todo = [
        part("recap", {"images": 96, "sec": 1.5, "notebook_sec": 2646}),
        part("smoke/lean", RuntimeError("no room")),
    ]
    owed = gpu.run_all(plan, todo, 60.0)
    assert owed == {"smoke/lean": "no room"}
    text, values = gpu.record(plan, todo, owed)
    assert "96 images: 1.5 s; the notebook reports 2,646 s" in text and "- smoke/lean: no room" in text
    assert values["figures"].keys() == {"recap"}
    todo[1] = part("smoke/lean", {"images": 3, "device": "cpu"})
    assert gpu.run_all(plan, todo, 60.0) == {} and calls == ["recap", "smoke/lean", "smoke/lean"]
    todo.append(part("machine", {}))
    assert gpu.run_all(plan, todo, 0.0) == {"machine": "the time was out"}
    assert sum(p.name.startswith("smoke/") for p in gpu.parts(plan)) >= len(SHIPPED_RECIPES)


@pytest.mark.slow
def test_in_miniature_on_a_cpu(tmp: Path) -> None:
    gpu = script("gpu")
    plan = gpu.Plan("shapes", "cpu", True, tmp, ("--engine.threads", "1", "--engine.conv", "direct"))
    wanted = ("machine", "smoke/lean", "speed/cifar-dcgan-recap/none", "speed/cifar-dcgan-recap/data=device", "recap",
              "speedrun/s0")  # fmt: skip
    todo = [part for part in gpu.parts(plan) if part.name in wanted]
    assert [part.name for part in todo] == list(wanted)
    owed = gpu.run_all(plan, todo, 900.0)
    assert owed == {}
    text, values = gpu.record(plan, todo, owed)
    speed = values["figures"]["speed/cifar-dcgan-recap/none"]
    assert speed["share_of_peak"] > 0 and speed["img_s"] > 0 and "| `cifar-dcgan-recap` | none |" in text
    assert values["figures"]["recap"]["images"] == 96
    found = json.loads((tmp / "speedrun-s0" / "entry.json").read_text())
    assert board.problems(found) == [] and str(tmp) not in json.dumps(found)
    assert found["start"]["cpu_sec"] > 0 and [p["nimg"] for p in found["curve"]] == sorted(
        p["nimg"] for p in found["curve"]
    )
