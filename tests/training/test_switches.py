"""Switches in a run: what they are refused with, what a resume says of them, what two processes make of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from test_ranks import NARROW, SMALL, apart, furthest
from test_reads import CASES, made

from conftest import start, tiny, trained
from ganvas import api
from ganvas.config import BudgetConfig, EngineConfig
from ganvas.errors import UsageError
from ganvas.training import backend, loop
from ganvas.training.compatibility import check_ranks
from ganvas.training.probe import _question


def warnings(run: Any) -> list[str]:
    return [row["what"] for row in run.rows("events") if row["event"] == "warning"]


def go_on(run: Any, **changes: Any) -> list[str]:
    """The warnings of a resume with other switches."""
    engine = dataclasses.replace(run.config.engine, **changes)
    assert loop.train(run, api.load_data(run.config.data), (), BudgetConfig(kimg=0.032), engine)
    return warnings(run)


def test_a_resume_says_which_switch_makes_it_another_run(tmp: Path) -> None:
    run = trained(tmp / "run")
    assert go_on(run, data="device", reads="row") == []
    changed = "optimiser was fused, is foreach: not bit for bit the same run"
    assert go_on(run, optimiser="foreach") == [changed]
    assert go_on(run, graph=True) == [
        changed, "engine.graph captures nothing on a CPU: every update is checked, and slower for it"]  # fmt: skip
    assert run.config.engine.optimiser == "foreach"
    assert (
        go_on(run, graph=False, optimiser="fused")[-1]
        == "optimiser was foreach, is fused: not bit for bit the same run"
    )


def test_a_run_of_a_version_without_switches_goes_on_without_a_word(tmp: Path) -> None:
    run = trained(tmp / "run")
    checkpoint, _ = run.latest_checkpoint()
    assert checkpoint is not None
    state = json.loads((checkpoint.path / "state.json").read_text())
    for name in ("data", "reads", "optimiser", "compile", "graph"):
        del state["environment"][name]
    (checkpoint.path / "state.json").write_text(json.dumps(state))
    assert go_on(run) == []


def test_another_device_keeps_the_switches() -> None:
    engine = EngineConfig("cuda", "bfloat16", "contiguous", "direct", 3, data="device", optimiser="foreach")
    assert api._moved(engine, "cpu") == EngineConfig("cpu", data="device", optimiser="foreach")


def test_a_graph_takes_the_optimiser_whose_rates_lie_on_the_device() -> None:
    assert backend.resolve(EngineConfig("cpu", graph=True)).optimiser == "foreach"


def test_switches_are_no_question_of_speed_probes() -> None:
    plain, switched = (
        _question(tiny(), engine, (3, 16, 16), 0)
        for engine in (EngineConfig("cpu"), EngineConfig("cpu", data="device", reads="row", graph=True))
    )
    assert plain == switched


def test_a_graph_of_compiled_networks_is_refused(tmp: Path) -> None:
    with pytest.raises(UsageError, match=r"engine.compile = step: it must be off with engine.graph"):
        start(tmp / "run", {"engine.graph": True, "engine.compile": "step"})


def test_without_a_compiler_there_is_one_line(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> str:
        raise RuntimeError("none found")

    monkeypatch.setattr("torch._inductor.cpp_builder.get_cpp_compiler", none)
    with pytest.raises(UsageError, match=r"engine.compile on a CPU needs a C\+\+ compiler: install g\+\+ or set CXX"):
        start(tmp / "run", {"engine.compile": "networks"})


@pytest.mark.parametrize(("name", "value"), [("compile", "networks"), ("compile", "step"), ("graph", True)])
def test_processes_together_are_neither_compiled_nor_captured(name: str, value: Any) -> None:
    config = tiny()
    config = dataclasses.replace(config, engine=dataclasses.replace(config.engine, **{name: value}))
    check_ranks(config, 1)
    with pytest.raises(UsageError, match=f"engine.{name} = {value}: sums over processes .* train in one process"):
        check_ranks(config, 2)


@pytest.mark.slow
def test_two_processes_with_the_other_switches_are_one() -> None:
    switches = {"engine.data": "device", "engine.optimiser": "foreach", "engine.reads": "row"}
    case = {"recipe": "cifar-dcgan", **SMALL, **NARROW, "data.flip": True, "step.ema_kimg": 0.1, **switches}
    found = apart({"switches": case}, 6, "float64")
    assert furthest(found["switches"]["apart"])[1] < 1e-9


# -- bfloat16 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("optimiser", ["fused", "foreach"])
@pytest.mark.parametrize("name", ["quick", *(name for name in CASES if name.startswith("everything"))])
def test_bfloat16_keeps_weights_logits_losses_and_states_in_float32(name: str, optimiser: str) -> None:
    trainer, state = made({**CASES[name], "engine.dtype": "bfloat16", "engine.optimiser": optimiser})
    networks, seen = state.networks, set()
    for network in (networks.generator, networks.discriminator):
        for module in network.modules():
            module.register_forward_hook(lambda _, given, out: seen.add(getattr(out, "dtype", None)))
    trainer(state, 0.0)
    assert torch.bfloat16 in seen  # something is computed in it
    result = trainer.last
    assert result is not None
    batch = result.batch
    kept = [*batch.d_grads, *batch.g_grads, *batch[:5], result.d_norm, result.g_norm, state.sums]
    for held in (networks.generator, networks.discriminator, *([state.ema] if state.ema else [])):
        kept += held.state_dict().values()
    kept += [*networks.g_optim.tensors().values(), *networks.d_optim.tensors().values()]
    assert {x.dtype for x in kept if x.is_floating_point()} == {torch.float32}
