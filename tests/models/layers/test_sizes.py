"""Sizes, channels and blocks of the maps."""

from itertools import pairwise

import pytest
import torch

from ganvas.errors import UsageError
from ganvas.models.layers.sizes import fit_blocks, fit_large, fit_widths, map_sizes, scale_channels, strided_sizes
from ganvas.models.ops.resize import downsample, upsample


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (16, [4, 8, 16]),
        (20, [5, 10, 20]),
        (28, [4, 7, 14, 28]),
        (32, [4, 8, 16, 32]),
        (48, [6, 12, 24, 48]),
        (64, [4, 8, 16, 32, 64]),
    ],
)
def test_sides_climb_from_a_few_pixels_to_the_image(size: int, expected: list[int]) -> None:
    assert map_sizes(size) == expected


@pytest.mark.parametrize("size", range(7, 130))
def test_a_map_doubled_covers_the_next_and_the_next_halved_is_the_map(size: int) -> None:
    maps = map_sizes(size)
    assert 4 <= maps[0] < 8 and maps[-1] == size
    for small, large in pairwise(maps):
        assert upsample(torch.zeros(1, 1, small, small), large).shape[-1] == large
        assert downsample(torch.zeros(1, 1, large, large)).shape[-1] == small


def test_images_too_small_to_climb_to_are_refused() -> None:
    with pytest.raises(UsageError, match="6 px"):
        map_sizes(6)


def test_ladder_divides_by_each_stride_rounding_up() -> None:
    assert strided_sizes(28, (1, 2, 2)) == [28, 14, 7, 7]
    assert strided_sizes(28, (2, 2, 2)) == [28, 14, 7, 4]
    with pytest.raises(UsageError, match="shrink"):
        strided_sizes(16, (2, 2, 2, 2))


def test_widths_are_dropped_or_halved_at_the_large_end() -> None:
    assert fit_widths((256, 128, 64), 3) == [256, 128, 64]
    assert fit_widths((256, 128, 64), 2) == [256, 128]
    assert fit_widths((256, 128, 64), 5) == [256, 128, 64, 32, 16]
    assert fit_widths((256, 40), 5) == [256, 40, 20, 16, 16]
    assert fit_widths((8,), 2) == [8, 8]


@pytest.mark.parametrize("size", [16, 28, 32, 64, 96])
def test_up_to_five_maps_numbers_stay_as_they_are(size: int) -> None:
    assert fit_large(size, 0, (128, 64), (1, 0)) == ((128, 64), (1, 0))


def test_above_64_px_the_smallest_map_is_repeated() -> None:
    assert fit_large(128, 0, (128, 128, 64, 32)) == ((128, 128, 128, 64, 32, 16), ())
    assert fit_large(128, 1, (128, 128, 64), (1, 1, 0)) == ((128, 128, 128, 64, 32), (1, 1, 1, 0, 0))
    assert fit_large(128, 0, (9, 8, 7, 6, 5, 4), (1,)) == ((9, 8, 7, 6, 5, 4), (1,))


def test_the_last_number_of_blocks_holds_for_further_maps() -> None:
    assert fit_blocks((2, 1), 4) == [2, 1, 1, 1]
    assert fit_blocks((2, 1, 0), 2) == [2, 1]


def test_the_dial_rounds_to_multiples_and_leaves_one_alone() -> None:
    assert scale_channels(100, 1.0) == 100
    assert [scale_channels(100, factor) for factor in (0.01, 0.5, 2.0)] == [8, 48, 200]
    assert [scale_channels(64, factor, 16) for factor in (0.1, 0.3, 1.5)] == [16, 16, 96]
    assert scale_channels(64, 0.01, 4) == 8
