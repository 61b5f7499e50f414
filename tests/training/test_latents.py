"""What G is given: functions of seed and index, with the distributions they claim."""

from __future__ import annotations

import numpy as np
import pytest

from ganvas.config import GeneratorConfig
from ganvas.training.latents import ROW, draw_labels, draw_z, grid_labels


@pytest.mark.parametrize("latent", ["normal", "sphere"])
def test_a_latent_belongs_to_its_index(latent: str) -> None:
    config = GeneratorConfig(latent_dim=10, latent=latent)  # type: ignore[arg-type]
    every = draw_z(config, 3, "z", np.arange(100))
    np.testing.assert_array_equal(every[40:60], draw_z(config, 3, "z", np.arange(40, 60)))
    assert not np.array_equal(every, draw_z(config, 4, "z", np.arange(100)))
    assert not np.array_equal(every, draw_z(config, 3, "sample", np.arange(100)))


def test_the_sphere_has_the_length_of_a_typical_normal_draw() -> None:
    lengths = {
        latent: np.linalg.norm(draw_z(GeneratorConfig(latent_dim=64, latent=latent), 0, "z", np.arange(500)), axis=1)
        for latent in ("normal", "sphere")
    }
    assert lengths["sphere"] == pytest.approx(np.full(500, 8.0), rel=1e-5)
    assert abs(lengths["normal"].mean() - 8) < 0.15 and lengths["normal"].std() > 0.5


def test_a_grid_has_one_class_a_row_and_begins_again() -> None:
    labels = grid_labels(5 * ROW, 3).reshape(5, ROW)
    assert (labels == np.array([0, 1, 2, 0, 1])[:, None]).all()


def test_classes_come_as_often_as_in_the_data_and_empty_ones_never() -> None:
    labels = draw_labels((30, 0, 60, 10), 0, np.arange(8000))
    shares = np.bincount(labels, minlength=4) / 8000
    assert shares == pytest.approx([0.3, 0, 0.6, 0.1], abs=0.02) and shares[1] == 0
    np.testing.assert_array_equal(labels[100:200], draw_labels((30, 0, 60, 10), 0, np.arange(100, 200)))
