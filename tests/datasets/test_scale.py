"""One scale for a whole set: every number type and range, with the byte that each value must become."""

import numpy as np
import pytest

from ganvas.datasets import scale

STEPS = np.arange(256, dtype=np.uint8)


@pytest.mark.parametrize(
    ("values", "expected", "said"),
    [
        (STEPS, STEPS, ""),
        (STEPS.astype(np.int64), STEPS, ""),
        (STEPS.astype(np.uint16) * 257, STEPS, ""),
        (STEPS / np.float32(255), STEPS, ""),
        (STEPS / 127.5 - 1, STEPS, "-1 is black"),
        (STEPS.astype(np.float32), STEPS, "read as 8-bit"),
        (STEPS.astype(np.uint16), STEPS, "read as 8-bit, 255 is white"),
        (np.array([0, 4095, 2047], np.uint16), [0, 255, 127], "uint16 values from 0 to 4095: read as 12-bit"),
        (np.array([0, 3000], np.uint16), [0, 187], "read as 12-bit, 4095 is white"),
        (np.array([0, 1023], np.int32), [0, 255], "read as 10-bit"),
        (np.array([0, 20_000], np.uint16), [0, 78], ""),
        (np.array([0, 65535], np.int32), [0, 255], "read as 16-bit"),
        (np.array([0.0, 4095.0]), [0, 255], "read as 12-bit"),
        (np.array([False, True]), [0, 255], "only 0 and 1"),
        (np.array([0, 1], np.uint8), [0, 255], "only 0 and 1"),
        (np.array([0, 1], np.uint16), [0, 255], "only 0 and 1"),
        (np.array([0, 1], np.int64), [0, 255], "only 0 and 1"),
        (np.array([0.0, 1.0]), [0, 255], ""),
    ],
)
def test_each_value_becomes_its_byte(values, expected, said):
    found, note = scale.to_bytes(values)
    assert found.dtype == np.uint8
    assert found.tolist() == list(expected)
    assert said in note and bool(said) == bool(note)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.array([0.0, 1.2]), r"run from 0 to 1.2: save \[0, 1\]"),
        (np.array([0.0, 16.0]), r"run from 0 to 16"),
        (np.array([-2.1, 2.6]), r"run from -2.1 to 2.6"),
        (np.array([-1, 255], np.int16), "run from -1 to 255: save uint8"),
        (np.array([0, 65536], np.int64), "run from 0 to 65536"),
        (np.array([0.5, np.nan]), "NaN"),
        (np.array(["a"]), "not numbers"),
        (np.array([], np.uint8), "empty"),
    ],
)
def test_what_is_unclear_is_refused(values, reason):
    with pytest.raises(ValueError, match=reason):
        scale.to_bytes(values)


def test_parts_of_a_set_share_one_scale():
    """A dark picture among bright ones stays dark: the scale comes from all values, and parts can be scaled alone."""
    dark, bright = np.full((2, 4, 4), 100, np.uint16), np.full((2, 4, 4), 4000, np.uint16)
    chosen = scale.choose(np.uint16, 100, 4000)
    assert chosen.to_bytes(dark).max() == 6
    assert chosen.to_bytes(bright).min() == 249
