"""Precision, recall, density and coverage: small cases by hand, every case by brute force, expectations by theory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.errors import GanvasError, UsageError
from ganvas.metrics import prdc
from ganvas.metrics.prdc import precision_recall_density_coverage, radii


def brute_force(fake: np.ndarray, real: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """The definitions, image by image."""

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.sqrt(np.sum((a - b) ** 2)))

    def radius(x: np.ndarray, i: int) -> float:
        return sorted(distance(x[i], x[j]) for j in range(len(x)) if j != i)[k - 1]

    real_radii, fake_radii = ([radius(x, i) for i in range(len(x))] for x in (real, fake))
    holds = [[distance(x, y) <= r for y in fake] for x, r in zip(real, real_radii, strict=True)]
    precision = sum(any(row[j] for row in holds) for j in range(len(fake))) / len(fake)
    found = sum(any(distance(x, y) <= r for y, r in zip(fake, fake_radii, strict=True)) for x in real)
    density = sum(map(sum, holds)) / (k * len(fake))
    return precision, found / len(real), density, sum(map(any, holds)) / len(real)


def test_by_hand() -> None:
    """Reals at 0, 1, 3 reach 1, 1, 2 far with k = 1. Of the fakes at 2, 5, 9, 9.5 the second touches only a surface."""
    real = np.array([[0.0], [1.0], [3.0]])
    fake = np.array([[2.0], [5.0], [9.0], [9.5]])
    found = precision_recall_density_coverage(fake, real, k=1)
    # 2 is in the balls of 1 (its surface) and 3; 5 in that of 3. Fakes reach 3, 3, 0.5, 0.5: all reals lie in 2's ball
    assert found == (2 / 4, 1.0, 3 / 4, 2 / 3)


@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 9999), n=st.integers(2, 12), m=st.integers(2, 12), d=st.integers(1, 4), k=st.integers(1, 5),
    grid=st.integers(2, 6),
)  # fmt: skip
def test_ties_and_duplicates(seed: int, n: int, m: int, d: int, k: int, grid: int) -> None:
    """On a small grid nearly every distance is a tie and many images are duplicates."""
    rng, k = np.random.default_rng(seed), min(k, n - 1, m - 1)
    fake, real = rng.integers(0, grid, (n, d)).astype(float), rng.integers(0, grid, (m, d)).astype(float)
    assert precision_recall_density_coverage(fake, real, k) == pytest.approx(brute_force(fake, real, k))


@pytest.mark.parametrize(("rows", "columns"), [(1, 7), (8, 3), (512, 2048)])
def test_blocks_and_order_change_nothing(monkeypatch: pytest.MonkeyPatch, rows: int, columns: int) -> None:
    monkeypatch.setattr(prdc, "ROWS", rows)
    monkeypatch.setattr(prdc, "COLUMNS", columns)
    rng = np.random.default_rng(0)
    fake, real = rng.normal(0.3, 0.9, (45, 3)).astype(np.float32), rng.standard_normal((38, 3)).astype(np.float32)
    found = precision_recall_density_coverage(fake, real, 3)
    assert found == pytest.approx(brute_force(fake.astype(float), real.astype(float), 3))
    assert found == precision_recall_density_coverage(rng.permutation(fake), rng.permutation(real), 3)


def odd_sets(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    fake, real = rng.normal(size=(40, 6)), rng.normal(size=(50, 6))
    if kind == "ties":
        fake, real = np.round(fake), np.round(real)
    elif kind == "collapsed":
        fake[:] = fake[0]
    elif kind == "copies":
        fake = real[rng.integers(0, 50, 40)]
    elif kind == "constant features":
        fake[:, ::2] = real[:, ::2] = 7
    elif kind == "an outlier":
        fake[0] *= 1e6
    size = {"tiny": 1e-18, "huge": 1e15}.get(kind, 1.0)
    return (fake * size).astype(np.float32), (real * size).astype(np.float32)


KINDS = ("plain", "ties", "collapsed", "copies", "constant features", "an outlier", "tiny", "huge")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("open_share", [prdc.OPEN, 0.0, 1.0])
def test_float32_changes_no_count(monkeypatch: pytest.MonkeyPatch, kind: str, open_share: float) -> None:
    """Doubtful pairs as usual, all in whole blocks of float64, and each measured by itself."""
    monkeypatch.setattr(prdc, "OPEN", open_share)
    monkeypatch.setattr(prdc, "ROWS", 16)
    for seed in range(3):
        fake, real = odd_sets(kind, seed)
        found = precision_recall_density_coverage(fake, real, 3)
        assert found == pytest.approx(brute_force(fake.astype(float), real.astype(float), 3), rel=1e-12)


@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_copies_lie_on_the_surface(offset: float) -> None:
    """Fakes that are the reals: each ball holds its centre and its k neighbours, whatever the rounding says."""
    real = (np.random.default_rng(0).standard_normal((300, 64)) + offset).astype(np.float32)
    assert precision_recall_density_coverage(real[::-1], real, 5) == (1.0, 1.0, 6 / 5, 1.0)


def test_a_real_set_of_duplicates() -> None:
    """Each real five times: radii of zero hold their copies and nothing else."""
    real = np.repeat(np.random.default_rng(0).standard_normal((20, 32)).astype(np.float32) * 30, 5, axis=0)
    found = precision_recall_density_coverage(np.concatenate([real[:5], real[:5] + 1]), real, 4)
    assert found.precision == 0.5
    assert found.density == pytest.approx(5 * 5 / (4 * 10))
    assert found.coverage == 5 / 100


def test_expectations_for_one_source() -> None:
    """Density 1; coverage 1 - C(m - 1, k) / C(n + m - 1, k) (Naeem et al., lemmas 1 and 2)."""
    rng, n, m, k = np.random.default_rng(1), 120, 80, 4
    pairs = ((rng.standard_normal((n, 3)), rng.standard_normal((m, 3))) for _ in range(60))
    found = np.array([precision_recall_density_coverage(fake, real, k) for fake, real in pairs])
    error = found.std(axis=0) / np.sqrt(60)
    missed = np.prod([(m - 1 - i) / (n + m - 1 - i) for i in range(k)])
    assert found[:, 2].mean() == pytest.approx(1, abs=3 * error[2])
    assert found[:, 3].mean() == pytest.approx(1 - missed, abs=3 * error[3])


def test_few_modes_cost_diversity_and_noise_costs_fidelity() -> None:
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(10) * 20, 30, axis=0)
    real, few = (centres + rng.standard_normal(centres.shape) for _ in range(2))
    few = np.concatenate([few[:60]] * 5)
    noise = rng.uniform(-20, 40, centres.shape)
    collapsed, lost = (precision_recall_density_coverage(fake, real) for fake in (few, noise))
    assert collapsed.precision > 0.7
    assert collapsed.coverage < 0.25
    assert collapsed.recall < 0.25
    assert lost.precision == lost.density == lost.coverage == 0


def test_what_is_refused() -> None:
    x = np.ones((5, 3), np.float32)
    with pytest.raises(UsageError, match="k = 5 neighbours among 6 fakes and 5 reals"):
        precision_recall_density_coverage(np.ones((6, 3), np.float32), x, k=5)
    with pytest.raises(UsageError, match="k = 0"):
        precision_recall_density_coverage(x, x, k=0)
    with pytest.raises(GanvasError, match="of 2 and of 3 dimensions"):
        precision_recall_density_coverage(x[:, :2], x, k=1)
    with pytest.raises(GanvasError, match="fake features: NaN"):
        precision_recall_density_coverage(np.full_like(x, np.inf), x, k=1)


def test_radii_made_once_give_the_same() -> None:
    rng = np.random.default_rng(3)
    real, fake = rng.normal(size=(60, 4)).astype(np.float32), rng.normal(size=(50, 4)).astype(np.float32)
    once = precision_recall_density_coverage(fake, real, 3, radii(real, 3))
    assert once == precision_recall_density_coverage(fake, real, 3)
    with pytest.raises(UsageError, match="k = 60 neighbours among 60 reals"):
        radii(real, 60)
