"""npz, npy and IDX: every layout that is accepted, every one that is refused with a reason."""

import gzip
import pickle
import struct
import zipfile

import numpy as np
import pytest

from ganvas.data.files import arrays, idx
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 20, 24), dtype=np.uint8)
RGB = RNG.integers(0, 256, (6, 3, 20, 24), dtype=np.uint8)
LABELS = np.array([5, 5, 2, 2, 9, 5])


def npz(tmp_path, **content):
    np.savez(tmp_path / "x.npz", **content)
    return tmp_path / "x.npz"


@pytest.mark.parametrize("key", ["images", "x", "x_train", "arr_0", "anything"])
def test_keys(tmp_path, key):
    raw = arrays.read_npz(npz(tmp_path, **{key: GREY}), "train")
    np.testing.assert_array_equal(raw.images, GREY[:, None])
    assert raw.labels is None
    assert raw.source == f"{tmp_path / 'x.npz'}, array '{key}'"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (GREY[..., None], GREY[:, None]),
        (RGB, RGB),
        (RGB.transpose(0, 2, 3, 1), RGB),
        (np.concatenate([RGB, np.full_like(RGB[:, :1], 255)], 1), RGB),
        (GREY > 127, (GREY[:, None] > 127) * np.uint8(255)),
        (GREY.astype(np.uint16) * 257, GREY[:, None]),
        (GREY.astype(np.int64), GREY[:, None]),
        (GREY.astype(np.float32), GREY[:, None]),
        ((GREY > 127).astype(np.uint8), (GREY[:, None] > 127) * np.uint8(255)),
        (GREY / np.float32(255), GREY[:, None]),
        (GREY / 127.5 - 1, GREY[:, None]),
        (np.asfortranarray(RGB), RGB),
    ],
)
def test_layouts_and_ranges(tmp_path, given, expected):
    raw = arrays.read_npz(npz(tmp_path, x=given), "train")
    assert raw.images.dtype == np.uint8
    np.testing.assert_array_equal(raw.images, expected)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (GREY[0], r"its images are \[20, 24\]"),
        (GREY.reshape(6, -1), r"its images are \[6, 480\]"),
        (RGB[:, :2], r"\[6, 2, 20, 24\]"),
        (np.zeros((6, 3, 20, 3), np.uint8) + GREY[:, :1, :20, None], r"\[6, 3, 20, 3\]|\[6, 1"),
        (np.zeros((0, 20, 20), np.uint8), "empty"),
        (GREY.astype(np.float32) / 5, r"run from 0 to 51: save \[0, 1\]"),
        (GREY.astype(np.int32) - 200, "run from -200"),
        (GREY.astype(np.uint32) * 300, "save uint8"),
        (np.where(GREY > 9, np.nan, 0.5), "NaN or infinite"),
        (GREY.astype(complex), "complex128, not numbers"),
        (GREY.astype(str), "not numbers"),
    ],
)
def test_unclear_arrays_are_refused_in_one_line(tmp_path, given, reason):
    with pytest.raises(GanvasError, match=reason) as caught:
        arrays.read_npz(npz(tmp_path, images=given), "train")
    assert str(caught.value).startswith(f"{tmp_path / 'x.npz'} cannot be used: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "names", "expected", "expected_names"),
    [
        (LABELS, None, [1, 1, 0, 0, 2, 1], ("2", "5", "9")),
        (LABELS[:, None], None, [1, 1, 0, 0, 2, 1], ("2", "5", "9")),
        (LABELS.astype(np.float32), None, [1, 1, 0, 0, 2, 1], ("2", "5", "9")),
        (np.array(list("bbaabc")), None, [1, 1, 0, 0, 1, 2], ("a", "b", "c")),
        (
            np.array([0, 1, 0, 1, 0, 2]),
            np.array(["cat", "dog", "owl"]),
            [0, 1, 0, 1, 0, 2],
            ("cat", "dog", "owl"),
        ),
    ],
)
def test_labels(tmp_path, labels, names, expected, expected_names):
    more = {} if names is None else {"class_names": names}
    raw = arrays.read_npz(npz(tmp_path, x=GREY, y=labels, **more), "train")
    assert raw.labels.tolist() == expected
    assert raw.labels.dtype == np.int64
    assert raw.class_names == expected_names


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (LABELS[:4], r"labels are \[4\] for 6"),
        (LABELS + 0.5, "not whole"),
        (LABELS.astype(complex), "complex128"),
    ],
)
def test_labels_that_do_not_fit(tmp_path, labels, reason):
    with pytest.raises(GanvasError, match=reason):
        arrays.read_npz(npz(tmp_path, x=GREY, y=labels), "train")


def test_too_few_class_names(tmp_path):
    with pytest.raises(GanvasError, match="run from 2 to 9 for 2 class names"):
        arrays.read_npz(npz(tmp_path, x=GREY, y=LABELS, class_names=np.array(["a", "b"])), "train")


def test_splits_of_one_file(tmp_path):
    path = npz(tmp_path, x_train=GREY, y_train=LABELS, x_test=GREY[:2], y_test=LABELS[1:3])
    assert len(arrays.read_npz(path, "train").images) == 6
    assert arrays.read_npz(path, "test").labels.tolist() == [1, 0]
    with pytest.raises(UsageError, match="no split 'test'"):
        arrays.read_npz(npz(tmp_path, x=GREY), "test")
    with pytest.raises(GanvasError, match="no array named x_train"):
        arrays.read_npz(npz(tmp_path, p=GREY, q=GREY), "train")


class Evil:
    def __reduce__(self):
        return print, ("opened",)


@pytest.mark.parametrize("kind", ["npz of objects", "npy of objects", "plain pickle"])
def test_pickles_are_never_opened(tmp_path, kind, capsys):
    path = tmp_path / "x.npz"
    objects = np.array([Evil(), Evil()], dtype=object)
    if kind == "npz of objects":
        np.savez(path, images=objects)
    elif kind == "npy of objects":
        path = tmp_path / "x.npy"
        np.save(path, objects, allow_pickle=True)
    else:
        path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(GanvasError, match=r"pickled objects|neither an npz"):
        arrays.read_npz(path, "train")
    assert "opened" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x05\x06" + b"\0" * 18, b"\x93NUMPY\x01\x00"])
def test_what_is_no_npz_is_one_line(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(GanvasError, match="cannot be used") as caught:
        arrays.read_npz(tmp_path / "x.npz", "train")
    assert "\n" not in str(caught.value)


def test_truncated_npz(tmp_path):
    path = npz(tmp_path, x=GREY)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(GanvasError, match="cannot be used"):
        arrays.read_npz(path, "train")


def test_an_npz_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "LARGEST", 1 << 20)
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((2000, 32, 32), np.uint8))
    with pytest.raises(GanvasError, match="unpacks to"):
        arrays.read_npz(tmp_path / "x.npz", "train")


def test_a_header_that_promises_the_moon(tmp_path):
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 1000, 1000), }".ljust(117) + "\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("images.npy", npy + b"\0" * 100)
    with pytest.raises(GanvasError, match="cannot be used"):
        arrays.read_npz(tmp_path / "x.npz", "train")


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
    assert arrays.is_idx(folder)
    raw = arrays.read_idx(folder, "train")
    np.testing.assert_array_equal(raw.images, GREY[:, None])
    assert raw.labels.tolist() == [1, 1, 0, 0, 2, 1]
    assert len(arrays.read_idx(folder, "test").images) == 3


def test_idx_file_alone(tmp_path):
    (tmp_path / "my-images-idx3-ubyte").write_bytes(idx_bytes(GREY))
    assert arrays.is_idx(tmp_path / "my-images-idx3-ubyte")
    assert arrays.read_idx(tmp_path / "my-images-idx3-ubyte", "train").labels is None
    with pytest.raises(UsageError, match="one file without a split"):
        arrays.read_idx(tmp_path / "my-images-idx3-ubyte", "test")
    with pytest.raises(UsageError, match="0 IDX image files for the split 'test'"):
        arrays.read_idx(tmp_path, "test")


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
        arrays.read_idx(path, "train")


def test_damaged_and_bottomless_gzip(tmp_path):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(idx_bytes(GREY))[:-20])
    with pytest.raises(GanvasError, match=r"damaged gzip|promises"):
        arrays.read_idx(path, "train")
    path.write_bytes(gzip.compress(idx_bytes(GREY) + b"\0" * 50_000_000))
    with pytest.raises(ValueError, match="which is not 2881 bytes"):
        idx.read(path)
