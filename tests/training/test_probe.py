"""The choice of an engine: measured once, remembered for this machine, network and batch, measured again on request."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_loop import contents

from conftest import start, tiny, trained
from ganvas import api
from ganvas.config import BudgetConfig, Config, EngineConfig
from ganvas.training import probe
from ganvas.training.backend import Engine
from ganvas.training.progress import event_line

OPEN = {"engine.layout": "auto"}
Ask = Callable[..., probe.Choice]


@pytest.fixture(autouse=True)
def memory(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory of this test's own."""
    monkeypatch.setenv("GANVAS_ENGINES", str(tmp / "engines"))
    return tmp / "engines"


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Choose, where the layout named is the quickest one."""

    def choose(quickest: str, changes: dict[str, Any] | None = None, size: int = 16, classes: int = 4) -> probe.Choice:
        def measure(options: list[EngineConfig], make_step: Any) -> dict[EngineConfig, float]:
            return {option: 0.1 if option.layout == quickest else 0.2 for option in options}

        monkeypatch.setattr(probe, "measure", measure)
        return probe.choose(tiny({**OPEN, **(changes or {})}), (3, size, size), classes, lambda engine: lambda: None)

    return choose


def test_the_probe_settles_what_is_open_and_writes_it_down(tmp: Path) -> None:
    run = trained(tmp / "run", {"engine.conv": "auto", "engine.layout": "auto"})
    engine, event = run.config.engine, run.rows("events")[0]
    assert {"float32 channels_last direct", "float32 channels_last winograd"} <= set(event["probe"])
    assert event["probe"][f"float32 {engine.layout} {engine.conv}"] == min(event["probe"].values())
    assert not event["remembered"]
    assert api.run_training(run, extra=BudgetConfig(kimg=0.016))
    assert run.rows("events")[-2]["probe"] == {}  # settled is settled


def test_the_probe_leaves_the_training_as_it_would_have_been(tmp: Path) -> None:
    probed = trained(tmp / "probed", {"engine.conv": "auto"})
    fixed = trained(tmp / "fixed", {"engine.conv": probed.config.engine.conv})
    assert contents(probed)["rows"] == contents(fixed)["rows"]


def test_a_choice_is_remembered_though_another_form_is_quicker_now(ask: Ask) -> None:
    first = ask("contiguous")
    assert (first.engine.layout, first.remembered) == ("contiguous", False)
    second = ask("channels_last")
    assert (second.engine, second.seconds, second.remembered) == (first.engine, first.seconds, True)


def test_again_measures_and_is_remembered_in_turn(ask: Ask) -> None:
    ask("contiguous")
    again = ask("channels_last", {"engine.probe": "again"})
    assert (again.engine.layout, again.engine.probe, again.remembered) == ("channels_last", "auto", False)
    assert ask("contiguous").engine == again.engine


def test_a_settled_engine_asks_nobody(ask: Ask, memory: Path) -> None:
    for again in ("auto", "again"):
        choice = ask("contiguous", {"engine.layout": "channels_last", "engine.probe": again})
        assert choice == probe.Choice(dataclasses.replace(tiny().engine, probe="auto"))
    assert not memory.exists()


@pytest.mark.parametrize(
    ("changes", "size", "classes"),
    [
        ({"step.batch": 32}, 16, 4), ({"engine.threads": 2}, 16, 4), ({"generator.base": 32}, 16, 4),
        ({"discriminator.widths": (8, 8)}, 16, 4), ({"engine.conv": "auto"}, 16, 4), ({}, 17, 4), ({}, 16, 0),
    ],
)  # fmt: skip
def test_another_question_is_measured(ask: Ask, changes: dict[str, Any], size: int, classes: int) -> None:
    ask("contiguous")
    assert not ask("channels_last", changes, size, classes).remembered


def test_what_changes_no_speed_is_the_same_question(ask: Ask) -> None:
    first = ask("contiguous")
    assert ask("channels_last", {"seed": 7, "g_optim.lr": 1e-3, "budget.kimg": 9.0}).engine == first.engine


@pytest.mark.parametrize("part", ["machine", "ENGINE_VERSION"])
def test_another_machine_or_version_is_measured(ask: Ask, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("contiguous")
    monkeypatch.setattr(probe, part, 99 if part == "ENGINE_VERSION" else lambda device: {"cpu": "another one"})
    assert not ask("channels_last").remembered


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2], lambda text: "", lambda text: "{}", lambda text: "[1]",
        lambda text: "[" * 100_000, lambda text: "null",
        lambda text: text.replace("float32 contiguous direct", "float32 upside_down direct"),
        lambda text: json.dumps({**json.loads(text), "question": "?"}),
        lambda text: json.dumps({**json.loads(text), "seconds": {"a": "b"}}),
        lambda text: json.dumps({**json.loads(text), "choice": ["a"]}),
    ],
)  # fmt: skip
def test_a_damaged_memory_is_ignored_and_mended(ask: Ask, memory: Path, damage: Callable[[str], str]) -> None:
    ask("contiguous")
    (file,) = memory.glob("*.json")
    file.write_text(damage(file.read_text()))
    assert not ask("channels_last").remembered
    assert ask("contiguous").engine.layout == "channels_last"


def test_without_a_place_for_it_nothing_is_remembered(ask: Ask, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp / "file").touch()
    monkeypatch.setenv("GANVAS_ENGINES", str(tmp / "file" / "engines"))
    assert ask("contiguous").engine.layout == "contiguous"
    assert ask("channels_last").engine.layout == "channels_last"


def test_runs_that_start_together_settle_on_one_engine(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one waits for the first one's answer."""
    ask("contiguous", {"step.batch": 8})  # makes the folder
    measured, begun, go_on = [], threading.Event(), threading.Event()

    def measure(options: list[EngineConfig], make_step: Any) -> dict[EngineConfig, float]:
        measured.append(options)
        begun.set()
        assert go_on.wait(60)
        return {option: 0.1 + 0.1 * (option.layout == "channels_last") for option in options}

    monkeypatch.setattr(probe, "measure", measure)
    choices: list[probe.Choice] = []
    config: Config = tiny(OPEN)
    threads = [
        threading.Thread(target=lambda: choices.append(probe.choose(config, (3, 16, 16), 4, lambda e: lambda: None)))
        for _ in range(2)
    ]
    threads[0].start()
    assert begun.wait(60)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert len(measured) == 1 and choices[0].engine == choices[1].engine
    assert sorted(choice.remembered for choice in choices) == [False, True]


def test_the_choice_is_printed(tmp: Path) -> None:
    run, images = start(tmp / "run", OPEN)
    other, _ = start(tmp / "other", OPEN)
    lines: list[str | None] = []
    for each in (run, other):
        assert api.run_training(each, images, [lambda event: lines.append(event_line(event))])
    first, second = (line for line in lines if line and line.startswith("cpu, float32"))
    assert "(probed: float32 " in first
    assert second.endswith("1 threads (remembered; --engine.probe again measures again)")
    assert run.config.engine == other.config.engine and other.rows("events")[0]["remembered"]


def test_the_quickest_of_real_steps_is_chosen() -> None:
    made: list[Engine] = []

    def make_step(engine: Engine) -> Callable[[], None]:
        made.append(engine)
        return lambda: None

    options = probe.candidates(dataclasses.replace(tiny().engine, layout="auto"))
    assert list(probe.measure(options, make_step)) == [engine.config for engine in made] == options
