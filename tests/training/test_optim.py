"""Every optimiser against numpy, schedules, clipping, historical averaging, resuming, the moving average of G."""

from __future__ import annotations

import copy
import dataclasses
import math
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.config import OptimConfig
from ganvas.runs.storage import load_tensors, save_tensors
from ganvas.training.engine.reads import no_reads
from ganvas.training.optim import Optimiser, update_ema
from ganvas.training.schedules import ema_half_life, ema_weight, learning_rate_factor

SHAPES = [(3, 4), (5,), (), (4, 3, 2, 2)]


def network(seed: int = 0) -> nn.ParameterList:
    """Parameters of every shape, the kernel's in channels-last memory."""
    generator = torch.Generator().manual_seed(seed)
    tensors = [torch.randn(shape, generator=generator) for shape in SHAPES]
    tensors[3] = tensors[3].to(memory_format=torch.channels_last)
    return nn.ParameterList(tensors)


def gradients(t: int) -> list[Tensor]:
    """Those of step t, from 1e-3 to 10 in turn; the kernel's lies in memory as itself or not, by turns."""
    generator = torch.Generator().manual_seed(1000 + t)
    found = [torch.randn(shape, generator=generator) * 10.0 ** (t % 5 - 3) for shape in SHAPES]
    if t % 2:
        found[3] = found[3].to(memory_format=torch.channels_last)
    return found


def numpy_weights(config: OptimConfig, steps: int) -> list[np.ndarray]:
    """The weights after so many updates, in float64, from the update rules as the papers write them."""
    found = []
    for i, parameter in enumerate(network()):
        x = parameter.detach().numpy().astype(np.float64)
        m, v = np.zeros_like(x), np.zeros_like(x)
        for t in range(1, steps + 1):
            g = gradients(t)[i].double().numpy()
            if config.name == "sgd":
                m = config.beta1 * m + g
                x = x - config.lr * m
                continue
            m = config.beta1 * m + (1 - config.beta1) * g
            v = config.beta2 * v + (1 - config.beta2) * g**2
            if config.name == "rmsprop":
                x = x - config.lr * g / (np.sqrt(v) + config.epsilon)
                continue
            # the last lines of section 2 of Kingma & Ba, with epsilon-hat
            alpha = config.lr * math.sqrt(1 - config.beta2**t) / (1 - config.beta1**t)
            x = x - config.lr * config.weight_decay * x - alpha * m / (np.sqrt(v) + config.epsilon)
        found.append(x)
    return found


CASES = {
    "keras": OptimConfig(lr=1e-2),
    "beta1": OptimConfig(lr=1e-2, beta1=0.5),
    "no memory": OptimConfig(lr=1e-2, beta1=0.0, beta2=0.0),
    "epsilon": OptimConfig(lr=1e-2, epsilon=1e-2),  # large enough that the place of epsilon shows
    "adamw": OptimConfig("adamw", lr=1e-2, epsilon=1e-2, weight_decay=0.5),
    "adamw without decay": OptimConfig("adamw", lr=1e-2),
    "rmsprop": OptimConfig("rmsprop", lr=1e-2, beta2=0.8, epsilon=1e-2),
    "sgd": OptimConfig("sgd", lr=1e-3, beta1=0.9),
    "sgd without momentum": OptimConfig("sgd", lr=1e-3, beta1=0.0),
}


@pytest.mark.parametrize("foreach", [False, True])
@pytest.mark.parametrize("config", CASES.values(), ids=CASES)
def test_every_optimiser_is_its_papers(config: OptimConfig, foreach: bool) -> None:
    optimiser = Optimiser(ours := network(), config, foreach)
    for t in range(1, 51):
        optimiser.step(gradients(t), progress=0.0)
    for found, start, expected in zip(ours, network(), numpy_weights(config, 50), strict=True):
        assert not np.allclose(start.detach().numpy(), expected, atol=1e-3)
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5, atol=2e-6)
        assert found.grad is None


def test_the_place_of_epsilon_matters_here() -> None:
    config = CASES["epsilon"]
    others = network()
    torchs = torch.optim.Adam(others, config.lr, eps=config.epsilon)
    for t in range(1, 51):
        for parameter, gradient in zip(others, gradients(t), strict=True):
            parameter.grad = gradient
        torchs.step()
    expected = numpy_weights(config, 50)
    assert max(np.abs(p.detach().numpy() - e).max() for p, e in zip(others, expected, strict=True)) > 1e-4


# -- schedules -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("constant", [4.0, 4.0, 4.0, 4.0]),
        ("linear", [4.0, 3.0, 2.0, 0.0]),
        ("cosine", [4.0, 4.0 * (2 + math.sqrt(2)) / 4, 2.0, 0.0]),
    ],
)
def test_schedules(decay: str, expected: list[float]) -> None:
    optimiser = Optimiser(network(), OptimConfig(lr=4.0, decay=decay))  # type: ignore[arg-type]
    assert [optimiser.lr(progress) for progress in (0.0, 0.25, 0.5, 1.0)] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decay", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("start", [0.0, 0.1, 0.3, 0.7])
def test_a_decay_that_begins_later_is_the_whole_of_it_in_the_rest_of_the_run(decay: str, start: float) -> None:
    late, whole = (OptimConfig(decay=decay, decay_from=share) for share in (start, 0.0))  # type: ignore[arg-type]
    assert all(learning_rate_factor(progress, late) == 1.0 for progress in np.linspace(0, start, 7).tolist())
    for share in np.linspace(0, 1, 11).tolist():
        assert learning_rate_factor(start + (1 - start) * share, late) == pytest.approx(
            learning_rate_factor(share, whole), abs=1e-12
        )
    assert learning_rate_factor(1.0, late) == (decay == "constant")  # zero to the last bit


@pytest.mark.parametrize("decay", ["constant", "linear", "cosine"])
def test_a_warm_up_rises_from_zero_and_then_leaves_the_decay_alone(decay: str) -> None:
    warm = OptimConfig(warmup=0.2, decay=decay, decay_from=0.1)  # type: ignore[arg-type]
    cold = dataclasses.replace(warm, warmup=0.0)
    assert learning_rate_factor(0.0, warm) == 0.0
    for progress in np.linspace(0, 1, 21).tolist():
        expected = learning_rate_factor(progress, cold) * min(1.0, progress / 0.2)
        assert learning_rate_factor(progress, warm) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", ["adam", "adamw", "rmsprop", "sgd"])
def test_the_schedule_reaches_the_weights(name: str) -> None:
    """At the end nothing moves, not even by weight decay; on the way a linear decay halves the first step."""
    decay = 0.1 if name == "adamw" else 0.0
    config = OptimConfig(name, lr=0.5, decay="linear", weight_decay=decay)  # type: ignore[arg-type]
    moved = {}
    for progress in (0.0, 0.5, 1.0):
        Optimiser(ours := network(), config).step(gradients(1), progress)
        moved[progress] = [(p - q).detach() for p, q in zip(ours, network(), strict=True)]
    assert all(not part.any() for part in moved[1.0])
    for whole, half in zip(moved[0.0], moved[0.5], strict=True):
        assert whole.abs().max() > 1e-4
        torch.testing.assert_close(half, whole / 2, rtol=1e-4, atol=1e-6)


# -- what happens to the gradient ------------------------------------------------------------------------------


@pytest.mark.parametrize("clip", [0.0, 0.5, 1e9])
def test_clipping_scales_the_whole_gradient_and_reports_the_norm_before(clip: float) -> None:
    config = OptimConfig(lr=1.0, beta1=0.9, clip=clip)
    optimiser, raw = Optimiser(ours := network(), config), gradients(4)
    norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in raw))
    assert norm > 1
    given = gradients(4)
    assert float(optimiser.step(given, 0.0)) == pytest.approx(norm, rel=1e-6)
    factor = min(1.0, clip / norm) if clip else 1.0
    for i, gradient in enumerate(raw):
        mean = optimiser.tensors()[f"{i}.exp_avg"]
        torch.testing.assert_close(mean, 0.1 * factor * gradient, rtol=1e-5, atol=1e-7)
        assert torch.equal(given[i], gradient)  # what was handed in is left alone
    assert all(p.isfinite().all() for p in ours)


def test_historical_averaging_pulls_towards_the_mean_of_the_past() -> None:
    """theta - lr (g + 2 weight (theta - mean of all thetas so far)), the mean computed from a list."""
    config = OptimConfig("sgd", lr=0.05, beta1=0.0, historical=0.7)
    optimiser = Optimiser(ours := network(), config)
    history = [[p.detach().double() for p in network()]]
    for t in range(1, 21):
        norm = optimiser.step(gradients(t), 0.0)
        pulls = [1.4 * (now - torch.stack(past).mean(0)) for now, *past in zip(history[-1], *history, strict=True)]
        whole = [g.double() + pull for g, pull in zip(gradients(t), pulls, strict=True)]
        assert float(norm) == pytest.approx(math.sqrt(sum(float((g**2).sum()) for g in whole)), rel=1e-5)
        history.append([x - 0.05 * g for x, g in zip(history[-1], whole, strict=True)])
    assert max(float(pull.abs().max()) for pull in pulls) > 0.1
    for found, expected in zip(ours, history[-1], strict=True):
        torch.testing.assert_close(found.detach().double(), expected, rtol=1e-5, atol=1e-5)


def test_weights_that_stay_feel_no_past() -> None:
    """Its first gradient is zero, and stays so where nothing else moves the weights."""
    optimiser = Optimiser(ours := network(), OptimConfig("sgd", lr=0.1, historical=5.0))
    for _ in range(3):
        assert float(optimiser.step([torch.zeros(shape) for shape in SHAPES], 0.0)) == 0
    assert all(torch.equal(p, q) for p, q in zip(ours, network(), strict=True))


# -- resuming --------------------------------------------------------------------------------------------------


RESUMED = {
    **CASES,
    "everything": OptimConfig(
        "adamw", lr=1e-2, weight_decay=0.1, muon=0.02, decay="cosine", decay_from=0.25, clip=0.5, historical=0.1
    ),
    "muon beside sgd": OptimConfig("sgd", lr=1e-3, muon=0.02),
    "muon beside rmsprop": OptimConfig("rmsprop", lr=1e-3, beta1=0.0, muon=0.02, historical=1.0),
}


def convolutions(seed: int) -> nn.Module:
    """Hidden convolutions, a transposed one and one in groups among them, and the rest; channels last."""
    torch.manual_seed(seed)
    layers = [nn.Conv2d(3, 16, 3), nn.Conv2d(16, 24, 3), nn.BatchNorm2d(24), nn.ConvTranspose2d(24, 16, 4),
              nn.Conv2d(32, 32, 3, groups=2), nn.Linear(16, 4)]  # fmt: skip
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("config", RESUMED.values(), ids=RESUMED)
@pytest.mark.parametrize("stop", [0, 4])
def test_a_resumed_optimiser_goes_on_to_the_last_bit(config: OptimConfig, stop: int, tmp: Path) -> None:
    def train(trained: nn.Module, optimiser: Optimiser, steps: range) -> None:
        for t in steps:
            generator = torch.Generator().manual_seed(t)
            optimiser.step([torch.randn(p.shape, generator=generator) for p in trained.parameters()], t / 7)

    unbroken = Optimiser(whole := convolutions(0), config)
    train(whole, unbroken, range(8))
    first = Optimiser(begun := convolutions(0), config)
    train(begun, first, range(stop))
    (tmp / "state.safetensors").write_bytes(save_tensors(first.tensors(), {}))
    (tmp / "weights.safetensors").write_bytes(save_tensors(begun.state_dict(), {}))
    resumed = Optimiser(fresh := convolutions(1), config)
    fresh.load_state_dict(load_tensors(tmp / "weights.safetensors")[0])
    resumed.load(load_tensors(tmp / "state.safetensors")[0])
    train(fresh, resumed, range(stop, 8))

    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), fresh.parameters(), strict=True))
    expected, found = unbroken.tensors(), resumed.tensors()
    assert expected.keys() == found.keys()
    assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert all(not torch.equal(a, b) for a, b in zip(whole.parameters(), convolutions(0).parameters(), strict=True))


def test_adams_state_keeps_the_names_that_checkpoints_have() -> None:
    optimiser = Optimiser(network(), OptimConfig())
    assert optimiser.tensors().keys() == {"t"}
    optimiser.step(gradients(1), 0.0)
    names = {f"{i}.{key}" for i in range(len(SHAPES)) for key in ("step", "exp_avg", "exp_avg_sq")}
    assert optimiser.tensors().keys() == {"t"} | names


@pytest.mark.parametrize("setting", ["muon", "historical"])
def test_a_state_without_what_a_setting_needs_is_refused(setting: str) -> None:
    poorer = Optimiser(convolutions(0), OptimConfig())
    richer = Optimiser(convolutions(0), dataclasses.replace(poorer.config, **{setting: 0.1}))
    with pytest.raises(KeyError):
        richer.load(poorer.tensors())


# -- foreach: rates and counters on the device ------------------------------------------------------------------

VARIED = {
    **{name: dataclasses.replace(config, warmup=0.2, decay="cosine") for name, config in CASES.items()},
    "linear, clipped, historical": OptimConfig(lr=1e-2, decay="linear", decay_from=0.3, clip=0.5, historical=0.1),
    "muon": OptimConfig(lr=1e-2, muon=0.1, decay="cosine", weight_decay=0.1, name="adamw"),
}


@pytest.mark.parametrize("config", VARIED.values(), ids=VARIED)
def test_numbers_of_the_device_make_the_updates_that_numbers_of_the_host_make(config: OptimConfig) -> None:
    fused, foreach = (Optimiser(convolutions(0), config, kind) for kind in (False, True))
    for t in range(12):
        norms, given = [], [torch.full_like(p, 0.1 * (t + 1)).mul_(p.detach().cos()) for p in fused.parameters]
        for optimiser, progress in ((fused, t / 12), (foreach, torch.tensor(t / 12, dtype=torch.float64))):
            with no_reads() if optimiser is foreach else nullcontext():
                norms.append(optimiser.step(given, progress))
        torch.testing.assert_close(*norms)
    for a, b, start in zip(fused.parameters, foreach.parameters, convolutions(0).parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
        assert not torch.equal(a, start)


@pytest.mark.parametrize("config", VARIED.values(), ids=VARIED)
@pytest.mark.parametrize("before", [False, True])
def test_a_state_goes_on_in_the_other_kind(config: OptimConfig, before: bool) -> None:
    unbroken, first = (Optimiser(convolutions(0), config, before) for _ in range(2))
    train_in_place(unbroken, range(8))
    train_in_place(first, range(5))
    other = Optimiser(convolutions(1), config, not before)
    for mine, theirs in zip(other.parameters, first.parameters, strict=True):
        mine.data.copy_(theirs.data)
    saved = first.tensors()
    other.load({name: value.clone() for name, value in saved.items()})
    assert {name: value.tolist() for name, value in other.tensors().items()} == {
        name: value.tolist() for name, value in saved.items()
    }
    train_in_place(other, range(5, 8))
    for a, b in zip(unbroken.parameters, other.parameters, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def train_in_place(optimiser: Optimiser, steps: range) -> None:
    for t in steps:
        optimiser.step([torch.full_like(p, 0.1).mul_((p.detach() + t).cos()) for p in optimiser.parameters], t / 8)


def test_the_average_may_take_its_weight_from_the_device() -> None:
    ema, model = averaged_and_model(3)
    other = copy.deepcopy(ema)
    update_ema(ema, model, 0.25)
    with no_reads():
        update_ema(other, model, torch.full((), 0.25, dtype=torch.float64))
    for a, b in zip(ema.state_dict().values(), other.state_dict().values(), strict=True):
        torch.testing.assert_close(a, b)


# -- the moving average of G -----------------------------------------------------------------------------------


def averaged_and_model(seed: int) -> tuple[nn.Module, nn.Module]:
    """Two networks of different weights and statistics."""
    torch.manual_seed(seed)
    ema, model = (nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3)) for _ in range(2))
    for tensor in (*ema.state_dict().values(), *model.state_dict().values()):
        if tensor.is_floating_point():
            tensor.copy_(torch.randn(tensor.shape))
    model[1].num_batches_tracked += 7
    return ema, model


@pytest.mark.parametrize(("batch", "images", "steps"), [(100, 1000.0, 10), (250, 1000.0, 4), (1000, 1000.0, 1)])
def test_after_a_half_life_of_images_half_of_the_average_is_new(batch: int, images: float, steps: int) -> None:
    ema, model = averaged_and_model(0)
    before = {name: value.clone() for name, value in ema.state_dict().items()}
    for _ in range(steps):
        update_ema(ema, model, ema_weight(batch, images))
    for name, value in model.state_dict().items():
        expected = value if "num_batches" in name else (value + before[name]) / 2
        torch.testing.assert_close(ema.state_dict()[name], expected, rtol=1e-5, atol=1e-6)


def test_the_average_is_each_tensors_lerp_to_the_last_bit() -> None:
    ema, model = averaged_and_model(1)
    expected = {k: v.clone() for k, v in ema.state_dict().items()}
    update_ema(ema, model, ema_weight(64, 500.0))
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            expected[name].lerp_(value, 1 - 0.5 ** (64 / 500.0))
            assert torch.equal(ema.state_dict()[name], expected[name])


def test_without_a_half_life_the_average_is_the_model() -> None:
    ema, model = averaged_and_model(2)
    update_ema(ema, model, ema_weight(64, 0.0))
    assert all(torch.equal(value, ema.state_dict()[name]) for name, value in model.state_dict().items())


def test_the_half_life_warms_up_with_the_images_seen() -> None:
    assert [ema_half_life(nimg, 10.0, 0.05) for nimg in (0, 100, 200_000, 10**6)] == [0.0, 5.0, 10_000.0, 10_000.0]
    assert ema_half_life(0, 10.0, 0.0) == ema_half_life(10**6, 10.0, 0.0) == 10_000.0
