"""Damaged data: folders, archives, arrays and tables of images, cut, flipped, mislabelled, lying about their size."""

from __future__ import annotations

import gzip
import io
import os
import random
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from fuzz.run_files import flipped

NAMES = (
    "a.png", "b.PNG", "c.jpg", "caf\udce9.png", "a b.png", "-x.png", "$x_{.png", "a\nb.png", "..png", ".hidden.png",
    "한글.png", "x", "x.txt", "a" * 200 + ".png",
)  # fmt: skip
SHAPES: tuple[tuple[int, ...], ...] = (
    (12, 16, 16), (12, 16, 16, 3), (12, 3, 16, 16), (12, 784), (12, 3072), (0, 16, 16), (12,), (), (1, 1, 1),
    (2, 2, 2, 2, 2), (12, 16, 16, 7), (3, 100_000),
)  # fmt: skip
LABELS = (
    np.arange(12), np.arange(12.0), np.arange(5), np.full(12, -3), np.full(12, 2**62), np.array(["a"] * 12), np.eye(12),
)  # fmt: skip
HEADS = (
    "{'descr': '|u1', 'fortran_order': False, 'shape': (1000000000000, 32, 32, 3), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
    "{'descr': '|u1'}",
    "__import__('os').system('x')",
    "{'descr': '<f8', 'fortran_order': True, 'shape': (-5, 3), }",
    "(" * 500,
)
"""Heads of an .npy that lie."""
ENDINGS = (
    "png", "zip", "npz", "npy", "csv", "tar", "tar.gz", "mat", "parquet", "arrow", "gz", "pkl", "h5", "bin", "heic",
    "7z", "rar", "txt", "",
)  # fmt: skip


def case(chance: random.Random, folder: Path) -> list[str]:
    """A command on a data set that is wrong in some way."""
    make = chance.choice((pictures, pictures, zipped, tarred, arrays, array, idx, table, bare))
    path = make(chance, folder)
    return chance.choice((["data", "check", path], ["data", "check", path], ["doctor", "--data", path],
                          ["data", "show", path, "--out", "x.png"],
                          ["train", "quick", "--data", path, "--step.batch", "-1"]))  # fmt: skip


def image(chance: random.Random) -> bytes:
    """An image file, whole or not."""
    draw = chance.random()
    if draw < 0.08:
        return lying_png(*chance.choice(((50_000, 50_000), (100_000, 1), (0, 5), (2**31 - 1, 2**31 - 1))))
    mode, size = (
        chance.choice(("RGB", "RGB", "L", "1", "P", "RGBA", "LA", "I;16")),
        chance.choice(((16, 16), (20, 31), (1, 1), (8, 300))),
    )
    dtype = np.uint8
    pixels = np.frombuffer(chance.randbytes(3 * size[0] * size[1]), dtype).reshape(size[1], size[0], 3)
    made = Image.fromarray(pixels.copy())
    made = Image.new("I;16", size, 40_000) if mode == "I;16" else made.convert(mode)
    kind = chance.choice(("PNG", "PNG", "GIF", "BMP", "TIFF")) if mode in ("RGB", "L", "P") else "PNG"
    file = io.BytesIO()
    made.save(file, kind)
    content = file.getvalue()
    if draw < 0.3:
        return content[: chance.randrange(len(content))]
    return flipped(chance, content) if draw < 0.5 else content


def lying_png(width: int, height: int) -> bytes:
    """A PNG whose head promises a size that its data do not have."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100)) + chunk(b"IEND", b"")
    )


def pictures(chance: random.Random, folder: Path) -> str:
    """A folder of them, perhaps in classes."""
    base = folder / chance.choice(("data", "caf\udce9", "$x_{", "a b"))
    for i in range(chance.choice((0, 1, 2, 8, 12))):
        place = base / chance.choice(("", "cat", "dog", "..", "train", "test/cat", "\x1b[1m", "a" * 200))
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{i}{chance.choice(NAMES)}").write_bytes(image(chance))
    base.mkdir(exist_ok=True)
    if chance.random() < 0.3:
        extra = base / "extra.png"
        chance.choice(
            (lambda: extra.symlink_to(extra), lambda: extra.symlink_to(base), lambda: os.mkfifo(extra), extra.mkdir)
        )()
    if chance.random() < 0.2:
        text = chance.choice(("", "file,label\n0a.png,cat\n", "\0", "a,b,c\n1", "filename,class\nnix.png,x\n"))
        (base / chance.choice(("labels.csv", "metadata.csv", "labels.txt"))).write_text(text)
    return str(base)


def zipped(chance: random.Random, folder: Path) -> str:
    """A zip of images."""
    path = folder / "data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(chance.choice((0, 2, 10))):
            name = chance.choice(
                (f"cat/{i}.png", f"dog/{i}.png", f"../{i}.png", f"/{i}.png", f"{i}.png", f"x{i}.zip", f"a\n{i}.png")
            )
            archive.writestr(name, image(chance))
        if chance.random() < 0.1:
            archive.writestr("bomb.png", b"\0" * 50_000_000, zipfile.ZIP_DEFLATED)
    return spoiled(chance, path)


def tarred(chance: random.Random, folder: Path) -> str:
    """A tar of images, perhaps compressed."""
    ending = chance.choice(("", ".gz"))
    path = folder / f"data.tar{ending}"
    with tarfile.open(path, f"w:{ending[1:]}") as archive:
        for i in range(chance.choice((0, 2, 10))):
            content = image(chance)
            info = tarfile.TarInfo(chance.choice((f"cat/{i}.png", f"../{i}.png", f"/{i}.png", f"{i}.png")))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        if chance.random() < 0.3:
            link = tarfile.TarInfo("x.png")
            link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(link)
    return spoiled(chance, path)


def _numbers(chance: random.Random) -> np.ndarray:
    shape = chance.choice(SHAPES)
    kind = chance.choice(("u1", "u1", "u1", "f4", "f8", "i8", "u2", "?", "c8", "U3", "i1", "M8[s]"))
    n = int(np.prod(shape))
    raw = np.frombuffer(chance.randbytes(n), np.uint8).reshape(shape)
    made = raw.astype(kind) if kind != "M8[s]" else raw.astype("i8").astype(kind)
    if made.dtype.kind == "f" and made.size and chance.random() < 0.6:
        made.flat[0] = chance.choice((np.nan, np.inf, -1e30, 1e-30))
    return made


def arrays(chance: random.Random, folder: Path) -> str:
    """An .npz."""
    path = folder / "data.npz"
    held = {"images": _numbers(chance)}
    if chance.random() < 0.5:
        labels = chance.choice(
            (
                np.arange(12),
                np.arange(12.0),
                np.arange(5),
                np.full(12, -3),
                np.full(12, 2**62),
                np.array(["a"] * 12),
                np.eye(12),
            )
        )
        held[chance.choice(("labels", "y", "train_labels"))] = labels
    if chance.random() < 0.3:
        held[chance.choice(("class_names", "x_test", "meta"))] = chance.choice(
            (np.array(["a", "b"]), np.array([1.5]), _numbers(chance))
        )
    if chance.random() < 0.1:
        held["images"] = np.array([None, {}], object)
    np.savez_compressed(path, **held)
    return spoiled(chance, path)


def array(chance: random.Random, folder: Path) -> str:
    """An .npy, perhaps with a head that lies."""
    path = folder / "data.npy"
    np.save(path, _numbers(chance))
    if chance.random() < 0.4:
        head = chance.choice(HEADS)
        text = head.ljust(117) + "\n"
        path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + b"\0" * 100)
    return spoiled(chance, path)


def idx(chance: random.Random, folder: Path) -> str:
    """IDX files, the form of MNIST."""
    n = chance.choice((0, 2, 12, 2**31))
    images = struct.pack(">IIII", chance.choice((2051, 2049, 2050, 0)), n, chance.choice((16, 28, 0, 2**30)), 16)
    content = images + chance.randbytes(min(n, 12) * 16 * 16)
    path = folder / chance.choice(("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz", "x-idx3-ubyte"))
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    if chance.random() < 0.5:
        labels = struct.pack(">II", 2049, chance.choice((n, 5))) + bytes(
            chance.randrange(256) for _ in range(min(n, 12))
        )
        (folder / "train-labels-idx1-ubyte").write_bytes(labels)
    spoiled(chance, path)
    return chance.choice((str(path), str(folder)))


def table(chance: random.Random, folder: Path) -> str:
    """A .csv of pixels, or of something else."""
    path = folder / chance.choice(("data.csv", "data.csv.gz"))
    width = chance.choice((785, 784, 257, 3, 1))
    strange = (0, 3, 255, 256, -1, 1e400, "x", "", "nan")

    def cell() -> str:
        return str(chance.choice(strange) if chance.random() < 0.01 else chance.randrange(256))

    lines = [",".join(cell() for _ in range(width)) for _ in range(chance.choice((0, 1, 6)))]
    if chance.random() < 0.5:
        lines.insert(0, ",".join(["label", *(f"pixel{i}" for i in range(width - 1))]))
    if chance.random() < 0.2:
        lines.append("1," * 200_000)
    content = "\n".join(lines).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return spoiled(chance, path)


def bare(chance: random.Random, folder: Path) -> str:
    """Bytes under a name that promises a format."""
    ending = chance.choice(ENDINGS)
    path = folder / f"data.{ending}"
    contents = (
        b"",
        b"\0" * 1000,
        chance.randbytes(500),
        b"PK\x03\x04" + chance.randbytes(50),
        image(chance),
        b"\x80\x04\x95" + b"." * 20,
        b"PAR1" + b"\0" * 50 + b"PAR1",
        b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + chance.randbytes(80),
    )
    path.write_bytes(chance.choice(contents))
    return str(path)


def spoiled(chance: random.Random, path: Path) -> str:
    """The file, in half of the cases cut or with bytes changed."""
    draw, content = chance.random(), path.read_bytes()
    if draw < 0.25:
        path.write_bytes(content[: chance.randrange(len(content) + 1)])
    elif draw < 0.5:
        path.write_bytes(flipped(chance, content))
    return str(path)
