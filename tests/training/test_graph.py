"""Captured updates: the stand-in computes what the readable step does, and sees what a CUDA graph would not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from test_reads import CASES, made

from ganvas.errors import GanvasError
from ganvas.training.checkpoint import _parts
from ganvas.training.engine.graph import Graphs
from ganvas.training.engine.reads import HostReadError
from ganvas.training.loop import _row

UPDATES = 6


def results(case: dict[str, Any], **engine: Any) -> tuple[dict[str, torch.Tensor], Any]:
    """All tensors and rows after a few updates, and what computed them."""
    trainer, state = made({**case, **{f"engine.{name}": value for name, value in engine.items()}})
    rows = []
    for update in range(UPDATES):
        trainer(state, update / UPDATES)
        if update % 2:
            row = _row(state, trainer, update / UPDATES, 1.0)
            rows.append([value for name, value in row.items() if "sec" not in name and name != "img_s"])
    parts = {f"{part}.{name}": value for part, values in _parts(state).items() for name, value in values.items()}
    return {"rows": torch.tensor(rows, dtype=torch.float64), **parts}, trainer.compute


QUICK = ("quick", "everything, alternating", "everything, one-stage")
PARAMETERS = [
    pytest.param(case, id=name, marks=[] if name in QUICK else [pytest.mark.slow]) for name, case in CASES.items()
]


@pytest.mark.parametrize("case", PARAMETERS)
def test_captured_updates_are_those_of_the_readable_step(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.training.trainer.overfitting", lambda *_: 1.0)
    plain, _ = results(case, optimiser="foreach")
    captured, graphs = results(case, graph=True)
    assert isinstance(graphs, Graphs) and 1 <= len(graphs.kinds) < UPDATES
    assert plain.keys() == captured.keys()
    for name, value in plain.items():
        torch.testing.assert_close(captured[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_latents_of_g_alone_are_new_in_every_captured_update() -> None:
    case = {**CASES["cifar-dcgan"], "step.update": "alternating", "step.fresh": True}
    plain, captured_ones = results(case, optimiser="foreach")[0], results(case, graph=True)[0]
    for name, value in plain.items():
        torch.testing.assert_close(captured_ones[name], value, rtol=1e-4, atol=1e-5, msg=name)


def test_lazy_penalties_are_two_kinds_of_update() -> None:
    _, graphs = results({**CASES["cifar-dcgan"], "penalty.r1": 1.0, "penalty.every": 3}, graph=True)
    assert len(graphs.kinds) == 2


def captured(changes: dict[str, Any] | None = None) -> tuple[Any, Any]:
    return made({**CASES["cifar-dcgan"], "step.ema_kimg": 0.1, "engine.graph": True, **(changes or {})})


def test_a_value_of_python_that_changes_is_seen() -> None:
    trainer, state = captured()
    trainer(state, 0.0)
    trainer(state, 0.5)
    trainer.objective.config = made({**CASES["cifar-dcgan"], "loss.g_weight": 2.0})[0].config
    with pytest.raises(GanvasError, match=r"kernel \d+ of an update .* aten.mul.Tensor gets 2.0 instead of 1.0"):
        trainer(state, 0.5)


def test_a_tensor_that_moves_is_seen() -> None:
    trainer, state = captured()
    trainer(state, 0.0)
    weight = state.networks.generator.dense.weight
    weight.data = weight.data.clone()
    with pytest.raises(GanvasError, match="unseen by a captured one"):
        trainer(state, 0.5)


def test_an_update_that_does_less_is_seen() -> None:
    trainer, state = captured()
    trainer(state, 0.0)
    state.ema, kept = None, state.ema
    with pytest.raises(GanvasError, match="unseen by a captured one"):
        trainer(state, 0.5)
    state.ema = kept


def test_an_update_that_reads_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, state = captured()
    monkeypatch.setattr("ganvas.training.trainer.train_metrics", lambda result, _: result.d_norm * float(result.d_norm))
    with pytest.raises(HostReadError, match="__float__ makes the host wait"):
        trainer(state, 0.0)
