"""npz and npy: every layout that is accepted, every one that is refused with a reason."""

import pickle
import struct
import zipfile

import numpy as np
import pytest

from ganvas.datasets.arrays import npz
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (6, 20, 24), dtype=np.uint8)
RGB = RNG.integers(0, 256, (6, 3, 20, 24), dtype=np.uint8)
LABELS = np.array([5, 5, 2, 2, 9, 5])


def saved(tmp_path, **content):
    np.savez(tmp_path / "x.npz", **content)
    return tmp_path / "x.npz"


@pytest.mark.parametrize("key", ["images", "x", "x_train", "arr_0", "anything"])
def test_keys(tmp_path, key):
    raw = npz.read_npz(saved(tmp_path, **{key: GREY}), "train")
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
    raw = npz.read_npz(saved(tmp_path, x=given), "train")
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
        (np.array(3), "one number"),
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
        npz.read_npz(saved(tmp_path, images=given), "train")
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
    raw = npz.read_npz(saved(tmp_path, x=GREY, y=labels, **more), "train")
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
        npz.read_npz(saved(tmp_path, x=GREY, y=labels), "train")


def smooth(n, side):
    """Images of three colours that change slowly, uint8 [n, 3, side, side]."""
    y, x = np.mgrid[0:side, 0:side]
    planes = [np.stack([(7 * i + 3 * y + x), (90 + 2 * x + i), (200 - 3 * y - i)]) % 256 for i in range(n)]
    return np.array(planes, np.uint8)


@pytest.mark.parametrize(
    ("given", "expected", "said"),
    [
        (GREY[:, :20, :20].reshape(6, 400), GREY[:, None, :20, :20], "each row of 400 numbers is read as 20 x 20"),
        (smooth(6, 32).reshape(6, 3072), smooth(6, 32), "one colour after the other"),
        (smooth(6, 32).transpose(0, 2, 3, 1).reshape(6, 3072), smooth(6, 32), "R, G, B of each pixel together"),
        (smooth(6, 20).transpose(2, 3, 1, 0), smooth(6, 20), "[20, 20, 3, 6] is read as [h, w, c, n]"),
        (smooth(3, 20).transpose(2, 3, 1, 0), smooth(3, 20), "read as [h, w, c, n]"),
        (smooth(6, 20)[:, 0].transpose(1, 2, 0), smooth(6, 20)[:, :1], "[20, 20, 6] is read as [h, w, n]"),
    ],
)
def test_rows_of_numbers_and_matlab_order(tmp_path, given, expected, said):
    raw = npz.read_npz(saved(tmp_path, x=given), "train")
    np.testing.assert_array_equal(raw.images, expected)
    assert said in raw.notes[-1]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (RNG.integers(0, 256, (6, 3072), dtype=np.uint8), "order of the colours is unclear"),
        (GREY[:, :, :20].reshape(6, 400)[:, :399], "399 numbers make no square image"),
        (smooth(1, 32)[0].transpose(1, 2, 0), "holds one image"),
    ],
)
def test_unclear_layouts_name_what_to_save(tmp_path, given, reason):
    with pytest.raises(GanvasError, match=rf"{reason}.*save ") as caught:
        npz.read_npz(saved(tmp_path, x=given), "train")
    assert "\n" not in str(caught.value)


def test_one_hot_labels_are_classes(tmp_path):
    hot = np.eye(4)[[0, 3, 3, 1, 0, 0]]
    raw = npz.read_npz(saved(tmp_path, x=GREY, y=hot), "train")
    assert (raw.labels.tolist(), raw.class_names) == ([0, 3, 3, 1, 0, 0], ("0", "1", "2", "3"))


SEVERAL = (np.arange(6 * 14).reshape(6, 14) % 3 == 0).astype(np.uint8)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (SEVERAL, r"its labels are \[6, 14\], not one class an image: save one column"),
        (np.array([{"a": 1}] * 6, dtype=object), "its array 'y' holds Python objects, which are never opened"),
        (LABELS[:4], r"its labels are \[4\] for 6 images"),
    ],
)
def test_labels_that_do_not_fit_can_be_ignored(tmp_path, labels, reason):
    path = saved(tmp_path, x=GREY, y=labels)
    with pytest.raises(GanvasError, match=f'{reason}.*labels="ignore"'):
        npz.read_npz(path, "train")
    raw = npz.read_npz(path, "train", ignore=True)
    np.testing.assert_array_equal(raw.images, GREY[:, None])
    assert raw.labels is None and "trained without labels" in raw.notes[-1]


def test_names_of_numbers_sort_as_numbers(tmp_path):
    raw = npz.read_npz(saved(tmp_path, x=GREY, y=np.array(["10", "9", "2", "10", "9", "2"])), "train")
    assert (raw.labels.tolist(), raw.class_names) == ([2, 1, 0, 2, 1, 0], ("2", "9", "10"))


def test_medmnist(tmp_path):
    keys = {"train_images": GREY, "val_images": GREY[:3], "test_images": GREY[:2]}
    labels = {"train_labels": LABELS[:, None], "val_labels": LABELS[:3, None], "test_labels": LABELS[:2, None]}
    path = saved(tmp_path, **keys, **labels)
    assert npz.read_npz(path, "train").labels.tolist() == [1, 1, 0, 0, 2, 1]
    assert len(npz.read_npz(path, "test").images) == 2
    del keys["test_images"]
    raw = npz.read_npz(saved(tmp_path, **keys, **labels), "test")
    assert (len(raw.images), raw.labels.tolist()) == (3, [1, 1, 0])
    assert "the split val is read as test" in raw.notes


def test_kmnist(tmp_path):
    for split, n in (("train", 6), ("test", 3)):
        np.savez(tmp_path / f"kmnist-{split}-imgs.npz", GREY[:n])
        np.savez(tmp_path / f"kmnist-{split}-labels.npz", LABELS[:n])
    for path in (tmp_path, tmp_path / "kmnist-train-imgs.npz"):
        assert npz.accepts(path)
        assert npz.read_npz(path, "train").labels.tolist() == [1, 1, 0, 0, 2, 1]
        assert npz.read_npz(path, "test").labels.tolist() == [1, 1, 0]


def test_folders_of_npy(tmp_path):
    """One array a class, one array an image in folders, one image a file without classes."""
    for name, part in (("cat", slice(0, 2)), ("dog", slice(2, 6))):
        np.save(tmp_path / f"{name}.npy", RGB[part].transpose(0, 2, 3, 1))
    raw = npz.read_folder(tmp_path)
    np.testing.assert_array_equal(raw.images, RGB)
    assert (raw.labels.tolist(), raw.class_names) == ([0, 0, 1, 1, 1, 1], ("cat", "dog"))

    folder = tmp_path / "one"
    for k in range(12):
        (folder / str(k)).mkdir(parents=True)
        np.save(folder / str(k) / "0.npy", GREY[k % 6])
    raw = npz.read_folder(folder)
    assert raw.class_names == tuple(map(str, range(12))) and raw.labels.tolist() == list(range(12))
    np.testing.assert_array_equal(raw.images[7], GREY[1:2])
    assert npz.accepts(folder)

    folder = tmp_path / "flat"
    folder.mkdir()
    for k in range(4):
        np.save(folder / f"{k}.npy", RGB[k, :, :, :20] / np.float32(255))
    raw = npz.read_folder(folder)
    np.testing.assert_array_equal(raw.images, RGB[:4, :, :, :20])
    assert raw.labels is None


@pytest.mark.parametrize(("n", "side"), [((20, 20), 28), ((20, 9), 28), ((20, 9), 32)])
def test_folders_of_rows_hold_an_image_a_row(tmp_path, n, side):  # as the files of Quick, Draw!
    rows = np.random.default_rng(0).integers(0, 256, (2, 20, side * side), dtype=np.uint8)
    np.save(tmp_path / "apple.npy", rows[0, : n[0]])
    np.save(tmp_path / "bus.npy", rows[1, : n[1]])
    found = npz.read_folder(tmp_path)
    assert found.class_names == ("apple", "bus") and np.bincount(found.labels).tolist() == list(n)
    np.testing.assert_array_equal(found.images[n[0] :, 0], rows[1, : n[1]].reshape(-1, side, side))


def test_folders_of_npy_share_one_scale(tmp_path):
    np.save(tmp_path / "0.npy", np.full((4, 4), 100, np.uint16))
    np.save(tmp_path / "1.npy", np.full((4, 4), 4000, np.uint16))
    assert npz.read_folder(tmp_path).images.reshape(2, -1)[:, 0].tolist() == [6, 249]
    np.save(tmp_path / "2.npy", np.zeros((4, 5), np.uint16))
    with pytest.raises(GanvasError, match=r"2.npy cannot be used: it holds uint16 \[4, 5\], the first file"):
        npz.read_folder(tmp_path)


def test_too_few_class_names(tmp_path):
    with pytest.raises(GanvasError, match="run from 2 to 9 for 2 class names"):
        npz.read_npz(saved(tmp_path, x=GREY, y=LABELS, class_names=np.array(["a", "b"])), "train")


def test_splits_of_one_file(tmp_path):
    path = saved(tmp_path, x_train=GREY, y_train=LABELS, x_test=GREY[:2], y_test=LABELS[1:3])
    assert len(npz.read_npz(path, "train").images) == 6
    assert npz.read_npz(path, "test").labels.tolist() == [1, 0]
    with pytest.raises(UsageError, match="no split 'test'"):
        npz.read_npz(saved(tmp_path, x=GREY), "test")
    with pytest.raises(GanvasError, match="no array named x_train"):
        npz.read_npz(saved(tmp_path, p=GREY, q=GREY), "train")


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
        npz.read_npz(path, "train")
    assert "opened" not in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x05\x06" + b"\0" * 18, b"\x93NUMPY\x01\x00"])
def test_what_is_no_npz_is_one_line(tmp_path, content):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(GanvasError, match="cannot be used") as caught:
        npz.read_npz(tmp_path / "x.npz", "train")
    assert "\n" not in str(caught.value)


def test_truncated_npz(tmp_path):
    path = saved(tmp_path, x=GREY)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(GanvasError, match="cannot be used"):
        npz.read_npz(path, "train")


def test_an_npz_that_unpacks_to_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(npz, "LARGEST", 1 << 20)
    np.savez_compressed(tmp_path / "x.npz", x=np.zeros((2000, 32, 32), np.uint8))
    with pytest.raises(GanvasError, match="unpacks to"):
        npz.read_npz(tmp_path / "x.npz", "train")


def test_a_header_that_promises_the_moon(tmp_path):
    header = "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000, 1000, 1000), }".ljust(117) + "\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("images.npy", npy + b"\0" * 100)
    with pytest.raises(GanvasError, match="cannot be used"):
        npz.read_npz(tmp_path / "x.npz", "train")
