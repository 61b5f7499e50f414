"""Adam against numpy, schedules, clipping, and the moving average's half-life."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas.config import OptimConfig
from ganvas.optim import Adam, update_ema

SHAPES = [(3, 4), (5,), ()]


def parameters(seed: int = 0) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(seed)
    return [nn.Parameter(torch.randn(shape, generator=generator)) for shape in SHAPES]


def gradients(t: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(1000 + t)
    return [torch.randn(shape, generator=generator) * 10.0 ** (t % 5 - 3) for shape in SHAPES]


def numpy_adam(config: OptimConfig, steps: int) -> list[np.ndarray]:
    """The last lines of section 2 of Kingma & Ba: alpha_t = alpha sqrt(1 - b2^t) / (1 - b1^t), epsilon-hat."""
    x = [p.detach().numpy().astype(np.float64) for p in parameters()]
    m, v = [np.zeros_like(p) for p in x], [np.zeros_like(p) for p in x]
    for t in range(1, steps + 1):
        alpha = config.lr * math.sqrt(1 - config.beta2**t) / (1 - config.beta1**t)
        for i, g in enumerate(gradients(t)):
            m[i] = config.beta1 * m[i] + (1 - config.beta1) * g.double().numpy()
            v[i] = config.beta2 * v[i] + (1 - config.beta2) * g.double().numpy() ** 2
            x[i] = x[i] - alpha * m[i] / (np.sqrt(v[i]) + config.epsilon)
    return x


@pytest.mark.parametrize(
    "config",
    [
        OptimConfig(lr=1e-2),
        OptimConfig(lr=1e-2, beta1=0.5),
        OptimConfig(lr=1e-2, beta1=0.0, beta2=0.0),
        OptimConfig(lr=1e-2, epsilon=1e-2),  # large enough that the place of epsilon shows
    ],
    ids=["keras", "beta1", "no memory", "epsilon"],
)
def test_adam_is_the_papers_epsilon_hat_form(config: OptimConfig) -> None:
    ours = parameters()
    adam = Adam(ours, config)
    for t in range(1, 51):
        adam.step(gradients(t), progress=0.0)
    for found, expected in zip(ours, numpy_adam(config, 50), strict=True):
        np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-6, atol=1e-6)
        assert found.grad is None


def test_the_place_of_epsilon_matters_here() -> None:
    config = OptimConfig(lr=1e-2, epsilon=1e-2)
    others = parameters()
    torchs = torch.optim.Adam(others, config.lr, eps=config.epsilon)
    for t in range(1, 51):
        for parameter, gradient in zip(others, gradients(t), strict=True):
            parameter.grad = gradient
        torchs.step()
    expected = numpy_adam(config, 50)
    assert max(np.abs(p.detach().numpy() - e).max() for p, e in zip(others, expected, strict=True)) > 1e-4


@pytest.mark.parametrize(
    ("decay", "expected"),
    [
        ("constant", [4.0, 4.0, 4.0, 4.0]),
        ("linear", [4.0, 3.0, 2.0, 0.0]),
        ("cosine", [4.0, 4.0 * (2 + math.sqrt(2)) / 4, 2.0, 0.0]),
    ],
)
def test_schedules(decay: str, expected: list[float]) -> None:
    adam = Adam(parameters(), OptimConfig(lr=4.0, decay=decay))  # type: ignore[arg-type]
    assert [adam.lr(progress) for progress in (0.0, 0.25, 0.5, 1.0)] == pytest.approx(expected, abs=1e-12)


def test_the_schedule_reaches_the_weights() -> None:
    ours = parameters()
    before = [p.detach().clone() for p in ours]
    Adam(ours, OptimConfig(lr=0.5, decay="linear")).step(gradients(1), progress=1.0)
    assert all(torch.equal(p, b) for p, b in zip(ours, before, strict=True))


@pytest.mark.parametrize("clip", [0.0, 0.5, 1e9])
def test_clipping_scales_the_whole_gradient_and_reports_the_norm_before(clip: float) -> None:
    config = OptimConfig(lr=1.0, beta1=0.9, clip=clip)
    adam, raw = Adam(ours := parameters(), config), gradients(4)
    norm = math.sqrt(sum(float((g.double() ** 2).sum()) for g in raw))
    assert norm > 1
    assert float(adam.step(gradients(4), 0.0)) == pytest.approx(norm, rel=1e-6)
    factor = min(1.0, clip / norm) if clip else 1.0
    for i, gradient in enumerate(raw):
        mean = adam.tensors()[f"{i}.exp_avg"]
        torch.testing.assert_close(mean, 0.1 * factor * gradient, rtol=1e-5, atol=1e-7)
    assert all(p.isfinite().all() for p in ours)


def test_the_state_comes_back_whole() -> None:
    config = OptimConfig(lr=1e-2)
    one, other = parameters(), parameters()
    first, second = Adam(one, config), Adam(other, config)
    for t in range(1, 4):
        first.step(gradients(t), 0.0)
    with torch.no_grad():
        for kept, new in zip(other, one, strict=True):
            kept.copy_(new)
    second.load({name: tensor.clone() for name, tensor in first.tensors().items()})
    for t in range(4, 7):
        first.step(gradients(t), 0.0)
        second.step(gradients(t), 0.0)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert all(torch.equal(value, second.tensors()[name]) for name, value in first.tensors().items())


@pytest.mark.parametrize(("batch", "half_life", "steps"), [(100, 1000.0, 10), (250, 1000.0, 4), (1000, 1000.0, 1)])
def test_after_a_half_life_of_images_half_of_the_average_is_new(batch: int, half_life: float, steps: int) -> None:
    ema, model = (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)) for _ in range(2))
    for tensor in [*ema.parameters(), *(b for b in ema.buffers() if b.is_floating_point())]:
        nn.init.zeros_(tensor)
    for tensor in [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]:
        nn.init.ones_(tensor)
    model[1].num_batches_tracked += 7
    for _ in range(steps):
        update_ema(ema, model, batch, half_life)
    for name, value in ema.state_dict().items():
        expected = 7.0 if "num_batches" in name else 0.5
        assert value.double().flatten().tolist() == pytest.approx([expected] * value.numel(), abs=1e-6), name
