"""Tiny networks of a learner, and a data set that costs nothing."""

from __future__ import annotations

import pytest
from torch import nn

from ganvas.notebook.data import data


def make_generator() -> nn.Module:
    return nn.Sequential(
        nn.Linear(10, 8 * 4 * 4, bias=False), nn.BatchNorm1d(8 * 4 * 4), nn.LeakyReLU(0.3), nn.Unflatten(1, (8, 4, 4)),
        nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.LeakyReLU(0.3), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip


def make_discriminator() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, 2, 2), nn.LeakyReLU(0.3), nn.Dropout(0.3), nn.Flatten(), nn.Linear(8 * 8 * 8, 1)
    )


@pytest.fixture(scope="session")
def shapes():
    return data("shapes", size=16, limit=64, progress=False)


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path
