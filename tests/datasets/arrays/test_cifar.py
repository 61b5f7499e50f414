"""CIFAR-10 and CIFAR-100 in every form of the author's, and what a hostile batch can do: nothing."""

import hashlib
import io
import os
import pickle
import struct
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.datasets.arrays import cifar, pickled
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
BATCHES = [f"data_batch_{k}" for k in range(1, 6)] + ["test_batch"]
IMAGES = {name: RNG.integers(0, 256, (4, 3072), dtype=np.uint8) for name in BATCHES}
LABELS = {name: RNG.integers(0, 10, 4).tolist() for name in BATCHES}
TRAIN = np.concatenate([IMAGES[name] for name in BATCHES[:5]]).reshape(-1, 3, 32, 32)
TRAIN_LABELS = np.concatenate([LABELS[name] for name in BATCHES[:5]])


def python2(value) -> bytes:
    """The opcodes with which Python 2 and NumPy wrote the published batches (pickle protocol 2)."""
    if isinstance(value, str):
        text = value.encode()
        return b"U" + bytes([len(text)]) + text
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(python2, value)) + b"e"
    if isinstance(value, dict):
        return b"}(" + b"".join(python2(k) + python2(v) for k, v in value.items()) + b"u"
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    shape = b"".join(map(python2, value.shape)) + b"\x86"
    return array + b"(K\x01" + shape + dtype + b"\x89T" + struct.pack("<i", value.size) + value.tobytes() + b"tb"


def dumped(value, how="python 2") -> bytes:
    return b"\x80\x02" + python2(value) + b"." if how == "python 2" else pickle.dumps(value, protocol=int(how))


def python_files(how="python 2"):
    files = {
        name: dumped({"batch_label": name, "labels": LABELS[name], "data": IMAGES[name], "filenames": ["x.png"]}, how)
        for name in BATCHES
    }
    return files | {"batches.meta": dumped({"num_cases_per_batch": 4, "label_names": NAMES, "num_vis": 3072}, how)}


def binary_files():
    files = {
        f"{name}.bin": np.concatenate([np.array(LABELS[name], np.uint8)[:, None], IMAGES[name]], axis=1).tobytes()
        for name in BATCHES
    }
    return files | {"batches.meta.txt": "\n".join(NAMES).encode() + b"\n\n"}


def put(folder, files, archive=None):
    """The files in a folder, or in a tar archive beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    if archive is None:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder
    with tarfile.open(folder.parent / archive, "w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(f"{folder.name}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return folder.parent / archive


@pytest.mark.parametrize("how", ["python 2", "2", "4", "binary"])
@pytest.mark.parametrize("archived", [False, True])
def test_cifar10(tmp_path, how, archived):
    version = "binary" if how == "binary" else "python"
    files = binary_files() if how == "binary" else python_files(how)
    folder = "cifar-10-batches-bin" if how == "binary" else "cifar-10-batches-py"
    path = put(tmp_path / folder, files, f"cifar-10-{version}.tar.gz" if archived else None)
    for place in (path, tmp_path):
        if place.is_dir() and archived:
            continue
        found = load(DataConfig(str(place)), progress=False)
        np.testing.assert_array_equal(found.images, TRAIN)
        np.testing.assert_array_equal(found.labels, TRAIN_LABELS)
        assert found.class_names == tuple(NAMES)
    test = load(DataConfig(str(path), split="test"), progress=False)
    np.testing.assert_array_equal(test.images.reshape(4, 3072), IMAGES["test_batch"])
    assert "not the published files (data_batch_1" in found.source


def test_the_published_files_are_recognised(tmp_path, monkeypatch):
    files = python_files()
    md5 = {name: hashlib.md5(files[name]).hexdigest() for name in BATCHES}
    monkeypatch.setattr(cifar, "FORMS", (replace(cifar.FORMS[0], md5=md5), *cifar.FORMS[1:]))
    folder = put(tmp_path / "cifar-10-batches-py", files)
    assert cifar.read(folder, "train").source.endswith("5 batches; verified: the published files")
    (folder / "data_batch_2").write_bytes(files["data_batch_1"])
    assert cifar.read(folder, "train").source.endswith("not the published files (data_batch_2)")
    assert "verified" in cifar.read(folder, "test").source


@pytest.mark.parametrize("binary", [False, True])
def test_cifar100_fine_and_coarse(tmp_path, binary):
    fine, coarse = [0, 99, 5, 7], [3, 19, 0, 3]
    fine_names, coarse_names = [f"fine{k}" for k in range(100)], [f"coarse{k}" for k in range(20)]
    pixels = IMAGES["test_batch"]
    if binary:
        records = np.concatenate([np.array([coarse, fine], np.uint8).T, pixels], axis=1).tobytes()
        names = {"fine_label_names.txt": fine_names, "coarse_label_names.txt": coarse_names}
        files = {name: "\n".join(lines).encode() for name, lines in names.items()}
        files |= {"train.bin": records, "test.bin": records}
    else:
        batch = dumped({"fine_labels": fine, "coarse_labels": coarse, "data": pixels, "filenames": ["x"]})
        meta = dumped({"fine_label_names": fine_names, "coarse_label_names": coarse_names})
        files = {"train": batch, "test": batch, "meta": meta}
    path = put(tmp_path / "cifar-100-python", files)
    raw = cifar.read(path, "train")
    assert (raw.labels.tolist(), raw.class_names) == (fine, tuple(fine_names))
    raw = cifar.read(path, "test", "coarse")
    assert (raw.labels.tolist(), raw.class_names) == (coarse, tuple(coarse_names))
    with pytest.raises(UsageError, match="no labels 'colour' \\(it has: coarse, fine\\)"):
        cifar.read(path, "train", "colour")


def test_a_split_that_is_not_there(tmp_path):
    files = python_files()
    del files["test_batch"]
    with pytest.raises(UsageError, match="has no split 'test'"):
        cifar.read(put(tmp_path / "cifar-10-batches-py", files), "test")


class Calls:
    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call[0], self.call[1:]


HOSTILE = {
    "os.system": lambda p: pickle.dumps(Calls(os.system, f"touch {p}"), 2),
    "inside a dict": lambda p: pickle.dumps({b"data": Calls(os.system, f"touch {p}"), b"labels": [0]}, 2),
    "stack global": lambda p: pickle.dumps({"data": Calls(os.system, f"touch {p}")}, 4),
    "eval": lambda p: pickle.dumps(Calls(eval, f"open({str(p)!r}, 'w')"), 0),
    "instance": lambda p: b"(S'touch " + str(p).encode() + b"'\nios\nsystem\n.",
    "object": lambda p: b"(cos\nsystem\nS'touch " + str(p).encode() + b"'\no.",
    "through an allowed module": lambda p: b"cnumpy.core.multiarray\nos.system\nS'touch x'\n\x85R.",
    "through an attribute": lambda p: b"\x80\x04\x8c\x05numpy\x8c\x10ndarray.__init__\x93.",
    "a call of what is on the stack": lambda p: b"\x80\x02}U\x01a\x85R.",
    "a change of a class": lambda p: b"\x80\x02cnumpy\ndtype\n}U\x04fillU\x01xsb.",
    "a change of a function": lambda p: b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n}U\x08__code__U\x01xsb.",
    "new object": lambda p: b"\x80\x02cnumpy\nndarray\n)\x81.",
    "extension": lambda p: b"\x80\x02\x82\x01.",
    "persistent id": lambda p: b"Pwhatever\n.",
    "an array of objects": lambda p: pickle.dumps({"data": np.array([None]), "labels": [0]}, 2),
    "a memo without end": lambda p: b"\x80\x02}r\xff\xff\xff\x7f" + b"(" * 50,
    "deep nesting": lambda p: b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b".",
    "cut short": lambda p: dumped({"data": IMAGES["test_batch"]})[:-100],
    "no pickle": lambda p: b"hello",
    "empty": lambda p: b"",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_in_a_batch_runs(tmp_path, name):
    touched = tmp_path / "touched"
    before = dict(pickled.STAND_INS)
    content = HOSTILE[name](touched)
    with pytest.raises(ValueError):
        pickled.load(content)
    folder = put(tmp_path / "cifar-10-batches-py", {"data_batch_1": content})
    with pytest.raises(GanvasError, match="cannot be used: ") as caught:
        cifar.read(folder, "train")
    assert "\n" not in str(caught.value)
    assert not touched.exists()
    assert before == pickled.STAND_INS and pickled._Dtype().fill(()) is None


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        ({"labels": [1]}, "no array 'data'"),
        ({"data": IMAGES["test_batch"][:, :3000], "labels": [1] * 4}, "no array 'data'"),
        ({"data": IMAGES["test_batch"], "labels": [1]}, "no labels 'label' for its 4 images"),
        ({"data": IMAGES["test_batch"], "labels": [1, 2, 3, 10]}, "labels run to 10 for 10 class names"),
        ({"data": IMAGES["test_batch"], "labels": [1, 2, 3, -1]}, "no class numbers"),
    ],
)
def test_batches_that_do_not_fit(tmp_path, batch, reason):
    with pytest.raises(GanvasError, match=reason):
        cifar.read(put(tmp_path / "cifar-10-batches-py", {"data_batch_1": dumped(batch)}), "train")


@pytest.mark.parametrize("use", ["key", "value", "name", "type", "encoding"])
def test_a_value_that_holds_itself_2_to_the_60_takes_no_time(use):
    twice = b"".join(b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) for i in range(60))
    value = b"U\x01a\x85q\x00" + twice
    content = {
        "key": b"}" + value + b"K\x01s", "value": b"}U\x06labels" + value + b"s", "name": value + b"h\x00\x93",
        "type": b"cnumpy\ndtype\n" + value + b"\x85R",
        "encoding": b"c_codecs\nencode\nX\x00\x00\x00\x00" + value + b"\x86R",
    }[use]  # fmt: skip
    with pytest.raises(ValueError):
        pickled.load(b"\x80\x02" + content + b".")


def test_damaged_archives_and_records(tmp_path):
    path = put(tmp_path / "cifar-10-batches-py", python_files(), "cifar-10-python.tar.gz")
    path.write_bytes(path.read_bytes()[:20_000])
    with pytest.raises(GanvasError, match="cannot be used"):
        cifar.read(path, "train")
    files = binary_files()
    files["data_batch_3.bin"] = files["data_batch_3.bin"][:-1]
    with pytest.raises(GanvasError, match="not a whole number of records"):
        cifar.read(put(tmp_path / "bin", files), "train")
