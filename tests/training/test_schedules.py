"""Adaptive strengths: how far they move, which way, and where they stop."""

from __future__ import annotations

import math

import pytest

from ganvas.training.schedules import adjust


def test_it_moves_by_a_fixed_share_towards_the_target() -> None:
    assert adjust(0.2, 0.8, 0.5, kimg=100, images=1000) == pytest.approx(0.21)
    assert adjust(0.2, 0.51, 0.5, kimg=100, images=1000) == pytest.approx(0.21)  # the same however far off
    assert adjust(0.2, 0.1, 0.5, kimg=100, images=2500) == pytest.approx(0.175)
    assert adjust(0.2, 0.5, 0.5, kimg=100, images=1000) == 0.2


def test_it_stays_between_nothing_and_everything() -> None:
    assert adjust(0.005, 0.0, 0.5, kimg=100, images=1000) == 0.0
    assert adjust(0.995, 1.0, 0.5, kimg=100, images=1000) == 1.0


def test_it_needs_kimg_images_from_nothing_to_everything() -> None:
    value, seen = 0.0, 0
    while value < 1:
        value, seen = adjust(value, 0.9, 0.5, kimg=6.4, images=64), seen + 64
    assert abs(seen - 6400) <= 64


def test_nan_moves_nothing() -> None:
    assert adjust(0.3, math.nan, 0.5, kimg=10, images=1000) == 0.3
