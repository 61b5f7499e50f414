""".mat files: SVHN's order of axes and its digit 0, other layouts, and version 7.3."""

import sys

import numpy as np
import pytest
from scipy.io import savemat

from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 3, 32, 32), dtype=np.uint8)
DIGITS = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 1], np.uint8)


def svhn(path, part=slice(0, 12)):
    savemat(path, {"X": RGB[part].transpose(2, 3, 1, 0), "y": DIGITS[part, None]})


def read(path, **fields):
    return load(DataConfig(str(path), labels="use", **fields), progress=False)


def test_svhn(tmp_path):
    svhn(tmp_path / "train_32x32.mat")
    svhn(tmp_path / "test_32x32.mat", slice(2, 6))
    for path in (tmp_path, tmp_path / "train_32x32.mat"):
        found = read(path)
        np.testing.assert_array_equal(found.images, RGB)
        assert found.class_names == tuple("0123456789")
        assert found.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1]
        np.testing.assert_array_equal(read(path, split="test").images, RGB[2:6])


def test_other_variables(tmp_path):
    savemat(tmp_path / "x.mat", {"faces": RGB[:, 0], "about": "ten faces"})
    found = read(tmp_path / "x.mat", split="train")
    np.testing.assert_array_equal(found.images, RGB[:, :1])
    savemat(tmp_path / "x.mat", {"a": RGB, "b": RGB})
    with pytest.raises(GanvasError, match=r"none of its variables \(a, b\) is named X"):
        read(tmp_path / "x.mat")
    with pytest.raises(UsageError, match="0 files for the split 'test'"):
        read(tmp_path / "x.mat", split="test")


def test_damage_and_version_7_3(tmp_path, monkeypatch):
    path = tmp_path / "x.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(512))
    with pytest.raises(GanvasError, match=r"MATLAB version 7.3 \(HDF5\), which is not read: save\('x.mat', '-v7'\)"):
        read(path)
    for content in (b"", b"nothing", b"MATLAB 5.0 MAT-file".ljust(300)):
        path.write_bytes(content)
        with pytest.raises(GanvasError, match="cannot be used") as caught:
            read(path)
        assert "\n" not in str(caught.value)
    svhn(path)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(GanvasError, match="cannot be used"):
        read(path)
    monkeypatch.setitem(sys.modules, "scipy.io", None)
    with pytest.raises(UsageError, match=r"needs SciPy: pip install 'ganvas\[data\]'"):
        read(path)
