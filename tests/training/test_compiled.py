"""Compiled networks and updates against the readable step: through inductor, or, without a C++ compiler, as traced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import TINY, python
from ganvas.errors import UsageError
from ganvas.training.engine.compiled import check_compiler, compiled, eager

WORKER = Path(__file__).parent / "compile_worker.py"
WIDTHS = {"generator.base": 8, "generator.widths": (8, 8), "discriminator.widths": (8, 8)}
PLAIN = {**TINY, **WIDTHS, "discriminator.dropout": 0.0, "discriminator.norms": (False, True), "step.ema_kimg": 0.1}
DRAWN = {
    **PLAIN, "discriminator.dropout": 0.3, "penalty.r1": 0.5, "penalty.gp": 1.0, "penalty.every": 2,
    "augment.p": 0.5, "augment.mirror": True, "augment.colour": 1.0, "data.labels": "use", "step.accumulate": 2,
}  # fmt: skip


def found(settings: dict[str, Any], what: str, through: str) -> dict[str, Any]:
    process = python(str(WORKER), json.dumps(settings), what, through)
    out, err = process.communicate(timeout=1500)
    assert process.returncode == 0, err
    answer: dict[str, Any] = json.loads(out.split("found ")[1])
    return answer


def backend() -> str:
    """inductor; where it finds no C++ compiler, what was traced is run as it is."""
    try:
        check_compiler("cpu")
    except UsageError:
        return "aot_eager"
    return "inductor"


def close(apart: list[float]) -> None:
    """The first update, from the same weights, up to rounding; then differences grow with the training."""
    assert apart[0] < 1e-4 and max(apart) < 1e-2, apart


@pytest.mark.slow
@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
def test_compiled_networks_are_the_readable_ones(update: str) -> None:
    answer = found({**DRAWN, "step.update": update}, "networks", backend())
    close(answer["apart"])
    assert answer["graphs"] >= 2


@pytest.mark.slow
def test_a_compiled_update_is_the_readable_one_in_one_piece() -> None:
    """Its gradients and Adam's step as well: two graphs, as the first one takes the learning rate for a constant."""
    answer = found({**PLAIN, "engine.optimiser": "foreach", "g_optim.decay": "linear"}, "step", backend())
    close(answer["apart"])
    assert answer["breaks"] == 0 and answer["graphs"] <= 2 and answer["calls"] > 200


@pytest.mark.slow
@pytest.mark.parametrize("update", ["simultaneous", "alternating"])
def test_an_update_that_draws_is_compiled_in_pieces(update: str) -> None:
    """Dropout, exact penalties and their second derivative stay outside; what is traced is run as it is."""
    answer = found({**DRAWN, "step.update": update}, "step", "aot_eager")
    close(answer["apart"])
    assert answer["breaks"] > 0 and answer["calls"] > 100


@pytest.mark.slow
def test_a_torch_that_compiles_no_gradients_is_refused_for_the_step() -> None:
    """torch 2.6, the oldest that ganvas takes, has no such setting."""
    code = (
        "import torch._dynamo, torch\n"
        "from ganvas.training.engine import compiled\n"
        "class Old: pass\n"
        "torch._dynamo.config = Old()\n"
        "compiled.compiled('step', None, None)"
    )
    process = python("-c", code)
    _, err = process.communicate(timeout=300)
    assert "UsageError: engine.compile = step: torch 2." in err and "compiles no gradients; use networks" in err


def test_off_compiles_nothing() -> None:
    assert "torch._inductor" not in subprocess.run(
        [sys.executable, "-c", "import sys, ganvas.training.trainer; print([m for m in sys.modules])"],
        capture_output=True, text=True, check=True).stdout  # fmt: skip
    network = torch.nn.Linear(1, 1)
    assert eager(network) is network
    pair = object()
    of, compute = compiled("off", close, None)  # type: ignore[arg-type]
    assert of(pair) is pair and compute is close  # type: ignore[arg-type, comparison-overlap]
