"""Tiny networks as a learner writes them."""

from __future__ import annotations

from torch import nn


def make_generator() -> nn.Module:
    return nn.Sequential(
        nn.Linear(10, 8 * 4 * 4, bias=False), nn.BatchNorm1d(8 * 4 * 4), nn.LeakyReLU(0.3), nn.Unflatten(1, (8, 4, 4)),
        nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.LeakyReLU(0.3), nn.ConvTranspose2d(8, 3, 4, 2, 1), nn.Tanh(),
    )  # fmt: skip


def make_discriminator() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 5, 2, 2), nn.LeakyReLU(0.3), nn.Dropout(0.3), nn.Flatten(), nn.Linear(8 * 8 * 8, 1)
    )
