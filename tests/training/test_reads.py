"""Between rows nothing reads a value from the device: a guard that raises on a CPU, over every recipe and update."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from test_ranks import option_cases, recipe_cases

from conftest import start, trained
from ganvas import api, models
from ganvas.config import Config
from ganvas.datasets import ImageSet, load
from ganvas.errors import GanvasError
from ganvas.training import backend, loop
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.engine.reads import HostReadError, no_reads
from ganvas.training.loop import _row
from ganvas.training.setup import configure, settle_labels
from ganvas.training.trainer import Trainer

READS: dict[str, Callable[[torch.Tensor], object]] = {
    "item": lambda x: x[0].item(),
    "float": lambda x: float(x[0]),
    "int": lambda x: int(x[0]),
    "bool": lambda x: bool(x[0] > 0),
    "if": lambda x: 1 if x.sum() > 0 else 0,
    "tolist": lambda x: x.tolist(),
    "numpy": lambda x: x.numpy(),
    "cpu": lambda x: x.cpu(),
    "a scalar argument": lambda x: torch.add(x, x, alpha=x[0]),
    "nonzero": lambda x: x.nonzero(),
    "mask": lambda x: x[x > 0],
    "a write by a mask": lambda x: x.clone().__setitem__(x > 0, x[:2]),
    "equal": lambda x: torch.equal(x, x),
    "unique": lambda x: x.unique(),
    "a new constant": lambda x: torch.tensor([1.0, 2.0]),
    "repeats": lambda x: torch.repeat_interleave(x, torch.arange(4)),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_the_guard_sees_a_read(read: Callable[[torch.Tensor], object]) -> None:
    x = torch.tensor([1.0, -2.0, 3.0, -4.0])
    read(x)
    with pytest.raises(HostReadError, match="makes the host wait for the device"), no_reads():
        read(x)
    read(x)


def test_the_guard_sees_reads_in_the_backward_pass() -> None:
    class Reads(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            return x * 2

        @staticmethod
        def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
            return gradient * gradient.sum().item()

    x = torch.ones(3, requires_grad=True)
    with pytest.raises(HostReadError), no_reads():
        torch.autograd.grad(Reads.apply(x).sum(), x)


def made(settings: Mapping[str, Any]) -> tuple[Trainer, TrainState]:
    """A trainer and a fresh state; settings by dotted name, with the recipe as "recipe"."""
    given = dict(settings)
    config = configure(given.pop("recipe", "cifar-dcgan"), given.pop("tricks", ()), given)
    images = load(config.data, progress=False)
    config = settle_labels(config, images)
    return of(config, images)


def of(config: Config, images: ImageSet) -> tuple[Trainer, TrainState]:
    engine = Engine(backend.resolve(config.engine))
    state = fresh_state(config, images.images.shape[1:], engine, models.num_classes(config, images.class_names))
    return Trainer(config, images, engine), state


CASES = recipe_cases()
CONTROLS = {
    "penalty.r1": 0.5, "penalty.gp": 1.0, "penalty.adapt": 0.1, "penalty.adapt_kimg": 0.05, "data.held_out": 0.2,
    "augment.adapt": 0.5, "augment.adapt_kimg": 0.05, "augment.mirror": True, "augment.colour": 1.0,
    "augment.cutout": 0.3, "augment.translate": 0.2, "augment.noise": 0.1, "data.labels": "use", "step.ema_kimg": 0.1,
    "g_optim.clip": 0.5, "g_optim.historical": 0.01, "g_optim.muon": 0.01, "loss.feature_matching": 0.1,
}  # fmt: skip
for update in ("simultaneous", "alternating"):
    CASES[f"everything, {update}"] = {**CASES["cifar-dcgan"], **CONTROLS, "step.update": update}
CASES["everything, several of D"] = {**CASES["everything, alternating"], "step.d_steps": 2}
one_stage = next(case for name, case in option_cases().items() if name.startswith("one-stage lazy 4 parts 2 ada True"))
CASES["everything, one-stage"] = {**one_stage, "penalty.adapt": 0.1, "penalty.adapt_kimg": 0.05}
CASES["virtual norm, spectral"] = {
    **CASES["cifar-dcgan"], "generator.norm": "virtual", "discriminator.spectral": True, "d_optim.name": "rmsprop",
    "g_optim.name": "sgd", "loss.smooth": 0.1, "loss.flip": 0.1, "engine.dtype": "bfloat16", "engine.conv": "patches",
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    torch.set_num_threads(1)
    yield


QUICK = ("quick", "everything", "virtual")
SLOW = {name: [] if name.startswith(QUICK) else [pytest.mark.slow] for name in CASES}
PARAMETERS = [pytest.param(case, id=name, marks=SLOW[name]) for name, case in CASES.items()]


@pytest.mark.parametrize("case", PARAMETERS)
def test_no_update_reads_a_value(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows may, and the controllers move there; nothing between them does."""
    monkeypatch.setattr("ganvas.training.trainer.overfitting", lambda *_: 1.0)
    trainer, state = made(case)
    controlled = bool(trainer.config.augment.adapt)
    for update in range(2 + 2 * controlled):
        with no_reads():
            trainer(state, update / 4)
        if controlled:
            _row(state, trainer, update / 4, 1.0)
    assert (state.augment_p > 0) == controlled


# -- the loop ------------------------------------------------------------------------------------------------------


def looks(tmp: Path, monkeypatch: pytest.MonkeyPatch, reads: str) -> list[int]:
    """At which images a training of 12 updates looks at its values."""
    seen: list[int] = []
    monkeypatch.setattr(loop, "_stop_if_not_finite", lambda run, state, config, saved: seen.append(state.nimg))
    trained(tmp / reads, {"engine.reads": reads, "log.every": 4, "log.checkpoint_kimg": 0.08})
    return seen


def test_values_are_read_for_rows_and_checkpoints_alone(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looks(tmp, monkeypatch, "row") == [64, 80, 128, 160, 192, 192]
    assert looks(tmp, monkeypatch, "auto") == [*range(16, 193, 16), 192]


def test_when_values_are_read_changes_no_result(tmp: Path) -> None:
    rows = [trained(tmp / reads, {"engine.reads": reads}).rows("metrics") for reads in ("row", "update")]
    for row in (*rows[0], *rows[1]):
        for key in ("sec", "cpu_sec", "img_s"):
            del row[key]
    assert rows[0] == rows[1]


def test_nan_is_found_at_the_next_row(tmp: Path) -> None:
    run, images = start(tmp / "run", {"engine.reads": "row", "d_optim.lr": 1e2, "d_optim.name": "sgd",
                                      "penalty.r1": 1e9, "log.every": 4, "log.checkpoint_kimg": 10.0})  # fmt: skip
    with pytest.raises(GanvasError, match="within 64 images before image 64; the last good checkpoint is"):
        api.run_training(run, images)
