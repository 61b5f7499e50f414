"""Every form of the table in docs/data.md: a small file of that form, its command, and what is read.

A new form is a row of the table and a function here under the same name, with what must come out.
"""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import shlex
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from pyarrow import parquet
from scipy.io import savemat

from ganvas import datasets
from ganvas.cli.train import configured

DOCS = Path(__file__).parents[2] / "docs" / "data.md"
RNG = np.random.default_rng(0)


@dataclass(frozen=True)
class Form:
    """How to make a small file of a form at a path, and what is read from it."""

    make: Callable[[Path], None]
    n: int
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    split: str = ""


FORMS: dict[str, Form] = {}


def form(name: str, **expected: object) -> Callable[[Callable[[Path], None]], Callable[[Path], None]]:
    """Register the function that makes a small file of this form."""

    def add(make: Callable[[Path], None]) -> Callable[[Path], None]:
        FORMS[name] = Form(make, **expected)  # type: ignore[arg-type]
        return make

    return add


def noise(size: tuple[int, int] = (20, 20)) -> Image.Image:
    """A picture that no other equals."""
    return Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))


def png(size: tuple[int, int] = (20, 20)) -> bytes:
    """The same as the bytes of a PNG file."""
    file = io.BytesIO()
    noise(size).save(file, "PNG")
    return file.getvalue()


def fill(at: Path, *names: str) -> None:
    """Pictures of these names below a folder."""
    for name in names:
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        (at / name).write_bytes(png())


def zipped(at: Path, *names: str) -> None:
    """Pictures of these names in a zip file."""
    with zipfile.ZipFile(at, "w") as archive:
        for name in names:
            archive.writestr(name, png())


def tarred(at: Path, files: dict[str, bytes]) -> None:
    """A tar of these files, compressed if its name says so."""
    with tarfile.open(at, "w:gz" if at.suffix == ".gz" else "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


PETS = ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png", "dog/more/3.png")


@form("Folder of pictures", n=3)
def _(at: Path) -> None:
    fill(at, "a.png", "b.png", "deeper/c.png")


@form("One folder a class", n=5, classes=("cat", "dog"), counts=(2, 3))
def _(at: Path) -> None:
    fill(at, *PETS)


@form("Zip of pictures", n=5, classes=("cat", "dog"), counts=(2, 3))
def _(at: Path) -> None:
    zipped(at, *PETS)


@form("Tar of pictures", n=5, classes=("cat", "dog"), counts=(2, 3))
def _(at: Path) -> None:
    tarred(at, {name: png() for name in PETS})


@form("Split folders", n=5, classes=("cat", "dog"), counts=(2, 3), split="train")
def _(at: Path) -> None:
    fill(at, *(f"{split}/{name}" for split in ("train", "val", "test") for name in PETS))


@form("Splits within classes", n=4, classes=("cat", "dog"), counts=(2, 2), split="train")
def _(at: Path) -> None:
    fill(at, *(f"{name}/{split}/{k}.png" for name in ("cat", "dog") for split in ("train", "test") for k in range(2)))


@form("Class folders beside a test folder", n=5, classes=("cat", "dog"), counts=(2, 3), split="train")
def _(at: Path) -> None:
    fill(at, *PETS, "test/cat/1.png")


@form("Table of labels", n=3, classes=("cat", "dog"), counts=(1, 2))
def _(at: Path) -> None:
    fill(at, "1.png", "2.png", "3.png")
    (at / "labels.csv").write_text("file;class\n1.png;dog\n2.png;cat\n3.png;dog\n")


@form("Hugging Face image folder", n=2, classes=("cat", "dog"), counts=(1, 1), split="train")
def _(at: Path) -> None:
    for split in ("train", "test"):
        fill(at / split, "1.png", "2.png")
        rows = ('{"file_name": "1.png", "label": "dog"}', '{"file_name": "2.png", "label": "cat"}')
        (at / split / "metadata.jsonl").write_text("\n".join(rows))


@form("Table by name", n=2, classes=("2", "10"), counts=(1, 1))
def _(at: Path) -> None:
    fill(at, "1.png", "2.png")
    Path("mine.csv").write_text("id,digit\n1,10\n2,2\n")


@form("Labels in file names", n=3, classes=("cat", "dog"), counts=(2, 1))
def _(at: Path) -> None:
    fill(at, "cat_1.png", "cat_2.png", "dog_1.png")


@form("StyleGAN's dataset_tool", n=3, classes=("6", "7"), counts=(1, 2))
def _(at: Path) -> None:
    names = ("00000/img00000000.png", "00000/img00000001.png", "00001/img00001000.png")
    zipped(at, *names)
    with zipfile.ZipFile(at, "a") as archive:
        labels = [[name, label] for name, label in zip(names, (7, 6, 7), strict=True)]
        archive.writestr("dataset.json", json.dumps({"labels": labels}))


@form("img2dataset folder", n=3)
def _(at: Path) -> None:
    for key in ("00000/000000000", "00000/000000007", "00001/000010001"):
        fill(at, f"{key}.png")
        (at / f"{key}.json").write_text('{"caption": "a cat", "url": "none"}')


@form("webdataset shards", n=4, classes=("0", "1"), counts=(2, 2), split="train")
def _(at: Path) -> None:
    at.mkdir()
    for split in ("train", "val"):
        for shard in range(2):
            keys = [f"{shard}{k}" for k in range(2)]
            files = {f"{key}.png": png() for key in keys} | {f"{key}.cls": key[-1].encode() for key in keys}
            tarred(at / f"{split}-{shard:06d}.tar", files)


@form("Zip from Korean, Japanese or Chinese Windows", n=4, classes=("강아지", "고양이"), counts=(2, 2))
def _(at: Path) -> None:
    names = [f"{name}/{k}.png" for name in ("고양이", "강아지") for k in range(2)]
    codes = [name.encode("cp949") for name in names]
    zipped(at, *(f"{i}" * len(code) for i, code in enumerate(codes)))
    content = at.read_bytes()
    for i, code in enumerate(codes):
        content = content.replace(f"{i}".encode() * len(code), code)
    at.write_bytes(content)


def in_turn(at: Path, kind: str, values: list[np.ndarray]) -> None:
    """A picture file for each of the arrays."""
    at.mkdir()
    for i, pixels in enumerate(values):
        Image.fromarray(pixels).save(at / f"{i}.{kind}")


@form("TIFF of many pages", n=6)
def _(at: Path) -> None:
    at.mkdir()
    for name in ("a.tif", "b.tiff"):
        noise().save(at / name, save_all=True, append_images=[noise(), noise()])


@form("Animations", n=6)
def _(at: Path) -> None:
    at.mkdir()
    for name in ("a.gif", "b.webp"):
        noise().save(at / name, save_all=True, append_images=[noise(), noise()], duration=50)


@form("16-bit pictures", n=4)
def _(at: Path) -> None:
    in_turn(at, "png", [RNG.integers(0, 4096, (20, 20)).astype(np.uint16) for _ in range(4)])


@form("Float and 32-bit TIFF", n=4)
def _(at: Path) -> None:
    in_turn(at, "tif", [RNG.random((20, 20), np.float32) for _ in range(4)])


@form("Masks of 0 and 1", n=4)
def _(at: Path) -> None:
    in_turn(at, "png", [RNG.integers(0, 2, (20, 20)).astype(np.uint8) for _ in range(4)])


X = RNG.integers(0, 256, (6, 20, 20, 3), dtype=np.uint8)
Y = np.array([0, 1, 1, 0, 1, 1])


@form("npz", split="train", n=6, classes=("cat", "dog"), counts=(2, 4))
def _(at: Path) -> None:
    np.savez(at, x_train=X / np.float32(255), y_train=np.eye(2)[Y], x_test=X, class_names=np.array(["cat", "dog"]))


@form("npz of MedMNIST", split="train", n=6, classes=("0", "1"), counts=(2, 4))
def _(at: Path) -> None:
    np.savez(at, train_images=X, train_labels=Y[:, None], val_images=X[:2], val_labels=Y[:2, None])


@form("Files of KMNIST", n=6, classes=("0", "1"), counts=(2, 4))
def _(at: Path) -> None:
    np.savez(at, X[..., 0])
    np.savez("kmnist-train-labels.npz", Y)


@form("npy", n=6)
def _(at: Path) -> None:
    np.save(at, X)


@form("Folder of npy, one array a class", n=6, classes=("cat", "dog"), counts=(2, 4))
def _(at: Path) -> None:
    at.mkdir()
    np.save(at / "cat.npy", X[:2])
    np.save(at / "dog.npy", X[2:])


@form("Folder of npy, one array an image", n=6, classes=("cat", "dog"), counts=(2, 4))
def _(at: Path) -> None:
    for i, image in enumerate(X):
        (at / ("cat", "dog")[Y[i]]).mkdir(parents=True, exist_ok=True)
        np.save(at / ("cat", "dog")[Y[i]] / f"{i}.npy", image)


@form("Rows of numbers", n=6, classes=("0", "1"), counts=(2, 4))
def _(at: Path) -> None:
    np.savez(at, x=X[..., 0].reshape(6, 400), y=Y)


def idx(at: Path, values: np.ndarray) -> None:
    """An IDX file, packed if its name says so."""
    content = (
        bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes() + values.astype(np.uint8).tobytes()
    )
    at.write_bytes(gzip.compress(content) if at.suffix == ".gz" else content)


@form("IDX files", split="train", n=6, classes=("0", "1"), counts=(2, 4))
def _(at: Path) -> None:
    at.mkdir()
    for split in ("train", "t10k"):
        idx(at / f"{split}-images-idx3-ubyte", X[..., 0])
        idx(at / f"{split}-labels-idx1-ubyte", Y)


@form("EMNIST", n=6, classes=("A", "B"), counts=(2, 4))
def _(at: Path) -> None:
    idx(at, X[..., 0])
    idx(at.with_name(at.name.replace("images-idx3", "labels-idx1")), Y + 1)
    Path("emnist-letters-mapping.txt").write_text("1 65 97\n2 66 98\n")


PIXELS = RNG.integers(0, 256, (6, 3072), dtype=np.uint8)


@form("CIFAR-10", n=6, classes=("cat", "dog"), counts=(2, 4))
def _(at: Path) -> None:
    batch = {"data_batch_1": {"data": PIXELS, "labels": Y.tolist()}, "batches.meta": {"label_names": ["cat", "dog"]}}
    tarred(at, {f"cifar-10-batches-py/{name}": pickle.dumps(held, 2) for name, held in batch.items()})


@form("CIFAR-100", n=6, classes=("fish", "trees"), counts=(2, 4))
def _(at: Path) -> None:
    at.mkdir()
    names = {"fine_label_names": ["shark", "ray", "oak"], "coarse_label_names": ["fish", "trees"]}
    train = {"data": PIXELS, "fine_labels": [0, 2, 2, 1, 2, 2], "coarse_labels": Y.tolist()}
    for name, held in (("meta", names), ("train", train)):
        (at / name).write_bytes(pickle.dumps(held, 2))


@form("Table of pixels", n=6, classes=("0", "1"), counts=(2, 4))
def _(at: Path) -> None:
    lines = [",".join(map(str, [y, *x.reshape(-1)])) for y, x in zip(Y, X[..., 0], strict=True)]
    at.write_text("\n".join([",".join(["label", *(f"pixel{i}" for i in range(400))]), *lines]))


def hugging_face() -> pa.Table:
    """A table of pictures and labels with the names of its classes."""
    about = {"info": {"features": {"label": {"names": ["cat", "dog"]}}}}
    table = pa.table({"image": [{"bytes": png(), "path": None} for _ in Y], "label": Y})
    return table.replace_schema_metadata({"huggingface": json.dumps(about)})


@form("Parquet", n=6, classes=("cat", "dog"), counts=(2, 4), split="train")
def _(at: Path) -> None:
    (at / "data").mkdir(parents=True)
    for split in ("train", "test"):
        parquet.write_table(hugging_face(), at / "data" / f"{split}-00000-of-00001.parquet")


@form("Arrow (`save_to_disk`)", n=6, classes=("cat", "dog"), counts=(2, 4), split="train")
def _(at: Path) -> None:
    for split in ("train", "test"):
        (at / split).mkdir(parents=True)
        table = hugging_face()
        with pa.ipc.new_stream(at / split / "data-00000-of-00001.arrow", table.schema) as writer:
            writer.write_table(table)


@form("SVHN, other .mat", n=6, classes=("0", "1"), counts=(2, 4))
def _(at: Path) -> None:
    savemat(at, {"X": X.transpose(1, 2, 3, 0), "y": Y[:, None]})


def rows() -> Iterator[tuple[str, str]]:
    """(form, command) of each row of the table."""
    for line in DOCS.read_text("utf-8").split("## Forms")[1].split("\n## ")[0].splitlines():
        if line.startswith("| ") and not line.startswith("| Form |"):
            cells = [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)]
            yield cells[1], cells[2].strip("`")


def test_the_table_and_the_tests_name_the_same_forms() -> None:
    names = [name for name, _ in rows()]
    assert sorted(names) == sorted(FORMS)


@pytest.mark.parametrize(("name", "command"), [*rows()], ids=[name for name, _ in rows()])
def test_form(name: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small file is made under the name that the command gives it; the command's settings read it."""
    monkeypatch.chdir(tmp_path)
    program, verb, *words = shlex.split(command)
    assert (program, verb) == ("ganvas", "train")
    config = configured(words).data
    FORMS[name].make(Path(config.name))
    found, expected = datasets.load(config, progress=False), FORMS[name]
    assert (len(found.images), found.class_names) == (expected.n, expected.classes)
    counts = () if found.labels is None else tuple(np.bincount(found.labels, minlength=len(found.class_names)).tolist())
    assert counts == expected.counts
    assert found.found.split == expected.split
