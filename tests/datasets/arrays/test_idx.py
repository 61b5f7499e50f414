"""IDX files: folders, files alone, damage, and the names under which known sets and other libraries keep them."""

import gzip
import struct

import numpy as np
import pytest

from ganvas.datasets.arrays import idx
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 20, 24), dtype=np.uint8)
LABELS = np.array([5, 5, 2, 2, 9, 5])


def idx_bytes(values: np.ndarray) -> bytes:
    return struct.pack(f">4B{values.ndim}I", 0, 0, 8, values.ndim, *values.shape) + values.tobytes()


def idx_folder(tmp_path, pack=False):
    for name, values in {
        "train-images-idx3-ubyte": GREY,
        "train-labels-idx1-ubyte": LABELS.astype(np.uint8),
        "t10k-images-idx3-ubyte": GREY[:3],
        "t10k-labels-idx1-ubyte": LABELS[:3].astype(np.uint8),
    }.items():
        content = idx_bytes(values)
        (tmp_path / (f"{name}.gz" if pack else name)).write_bytes(gzip.compress(content) if pack else content)
    return tmp_path


@pytest.mark.parametrize("pack", [False, True])
def test_idx_folder(tmp_path, pack):
    folder = idx_folder(tmp_path, pack)
    assert idx.accepts(folder)
    raw = idx.read_set(folder, "train")
    np.testing.assert_array_equal(raw.images, GREY[:, None])
    assert raw.labels.tolist() == [1, 1, 0, 0, 2, 1]
    assert len(idx.read_set(folder, "test").images) == 3


def test_idx_file_alone(tmp_path):
    (tmp_path / "my-images-idx3-ubyte").write_bytes(idx_bytes(GREY))
    assert idx.accepts(tmp_path / "my-images-idx3-ubyte")
    assert idx.read_set(tmp_path / "my-images-idx3-ubyte", "train").labels is None
    with pytest.raises(UsageError, match="one file without a split"):
        idx.read_set(tmp_path / "my-images-idx3-ubyte", "test")
    with pytest.raises(UsageError, match="0 IDX image files for the split 'test'"):
        idx.read_set(tmp_path, "test")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an IDX file"),
        (b"text, not numbers", "not an IDX file"),
        (b"\0\0\x0d\x03" + b"\0" * 12, "other values"),
        (b"\0\0\x08\x03\0\0", "cut short"),
        (idx_bytes(GREY)[:-1], "promises"),
        (idx_bytes(GREY) + b"\0", "promises"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "more than 8 GiB"),
        (idx_bytes(LABELS.astype(np.uint8)), r"its images are \[6\]"),
    ],
)
def test_damaged_idx(tmp_path, content, reason):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(GanvasError, match=reason):
        idx.read_set(path, "train")


def test_damaged_and_bottomless_gzip(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(GREY))[:-20])
    with pytest.raises(GanvasError, match=r"damaged gzip|promises"):
        idx.read_set(path, "train")
    path.write_bytes(gzip.compress(idx_bytes(GREY) + b"\0" * 50_000_000))
    with pytest.raises(ValueError, match="which is not 2881 bytes"):
        idx.read(path)


def test_the_other_split_of_one_file_lies_beside_it(tmp_path):
    folder = idx_folder(tmp_path)
    assert len(idx.read_set(folder / "train-images-idx3-ubyte", "test").images) == 3


def test_a_cache_of_torchvision(tmp_path):
    """FashionMNIST/raw below a folder, with the packed files beside the plain ones."""
    raw = tmp_path / "data" / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    idx_folder(raw)
    idx_folder(raw, pack=True)
    for path in (tmp_path / "data", tmp_path / "data" / "FashionMNIST", raw):
        assert idx.accepts(path)
        assert idx.read_set(path, "train").labels.tolist() == [1, 1, 0, 0, 2, 1]


def test_emnist_is_turned_upright_and_named(tmp_path):
    for split, n in (("train", 6), ("test", 2)):
        path = tmp_path / f"emnist-letters-{split}-images-idx3-ubyte.gz"
        path.write_bytes(gzip.compress(idx_bytes(GREY[:n].transpose(0, 2, 1))))
        labels = np.array([1, 2, 2, 1, 3, 3], np.uint8)[:n]
        path.with_name(path.name.replace("images-idx3", "labels-idx1")).write_bytes(gzip.compress(idx_bytes(labels)))
    (tmp_path / "emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n3 67 99\n")
    raw = idx.read_set(tmp_path / "emnist-letters-train-images-idx3-ubyte.gz", "train")
    np.testing.assert_array_equal(raw.images, GREY[:, None])
    assert (raw.labels.tolist(), raw.class_names) == ([0, 1, 1, 0, 2, 2], ("A", "B", "C"))
    assert "turned upright" in raw.notes[-1]
    assert len(idx.read_set(tmp_path, "test").images) == 2


def test_labels_that_do_not_fit_can_be_ignored(tmp_path):
    folder = idx_folder(tmp_path)
    (folder / "train-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS[:2].astype(np.uint8)))
    with pytest.raises(GanvasError, match=r"labels are \[2\] for 6 images"):
        idx.read_set(folder, "train")
    assert idx.read_set(folder, "train", ignore=True).labels is None
