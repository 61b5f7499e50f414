"""Tars and webdataset shards: as a folder would be read, nothing written, nothing followed."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ganvas.datasets.pictures import archives
from ganvas.errors import GanvasError
from picture_sets import Set, by_class, png, read

NAMES = [f"{name}/{k}.png" for name in ("cat", "dog") for k in range(3)]


def tar(at: Path, files: dict[str, bytes], mode: str = "w", extra: list[tarfile.TarInfo] | None = None) -> Path:
    with tarfile.open(at, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in extra or []:
            archive.addfile(info)
    return at


@pytest.mark.parametrize(("suffix", "mode"), [
    (".tar", "w"), (".tar.gz", "w:gz"), (".tgz", "w:gz"), (".tar.xz", "w:xz"), (".tar.bz2", "w:bz2"),
])  # fmt: skip
def test_a_tar_is_read_as_a_folder(files: Set, tmp_path: Path, suffix: str, mode: str) -> None:
    files.add(*NAMES, "cat/.hidden.png")
    with tarfile.open(tmp_path / f"x{suffix}", mode) as archive:
        archive.add(files.at, "./wrap")
    before = sorted(os.listdir(tmp_path))
    raw, plain = read(tmp_path / f"x{suffix}"), files.read()
    np.testing.assert_array_equal(raw.images, plain.images)
    np.testing.assert_array_equal(raw.labels, plain.labels)
    assert raw.class_names == plain.class_names and raw.skipped == ()
    assert sorted(os.listdir(tmp_path)) == before


def test_hostile_members_are_skipped_with_their_reason(tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(png())
    links = {"link.png": tarfile.SYMTYPE, "hard.png": tarfile.LNKTYPE}
    others = {"pipe.png": tarfile.FIFOTYPE, "null.png": tarfile.CHRTYPE}
    extra = []
    for name, kind in (links | others).items():
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, str(secret)
        extra.append(info)
    files = {f"{k}.png": png() for k in range(3)} | {"../../evil.png": png(), "/abs.png": png()}
    raw = read(tar(tmp_path / "x.tar", files, extra=extra))
    assert len(raw.images) == 3
    reasons = dict(line.split(": ", 1) for line in raw.skipped)
    expected = dict.fromkeys(links, f"a link (to {secret}), which is not followed")
    expected |= dict.fromkeys(others, "a device or pipe, which is not read")
    assert reasons == expected | dict.fromkeys(("../../evil.png", "/abs.png"), "a path that is not read")


@pytest.mark.parametrize("name", ["x.tar", "x.tar.gz", "x.tar.xz", "x.tgz"])
@pytest.mark.parametrize("content", [b"no tar at all" * 99, b"\x1f\x8b\x08\0 cut"])
def test_what_is_no_tar_is_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(GanvasError, match=r"is not a tar file that can be read") as caught:
        read(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_tar_that_was_cut_short(tmp_path: Path) -> None:
    path = tar(tmp_path / "x.tar.gz", {f"{k}.png": png() for k in range(5)}, "w:gz")
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(GanvasError, match=r"x\.tar\.gz is not a tar file that can be read"):
        read(path)


def test_a_bomb_ends_at_a_multiple_of_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SMALL_TAR", 1 << 20)
    path = tar(tmp_path / "x.tar.gz", {"zero.png": b"\0" * (8 << 20)}, "w:gz")
    with pytest.raises(GanvasError, match="more than 200 times its size"):
        read(path)


def shards(at: Path, *names: str, label: bool = True) -> Set:
    """Webdataset shards of two samples each, whose class is 0, 1 or 10."""
    for i, name in enumerate(names):
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        content: dict[str, bytes] = {}
        for k in range(2):
            content[f"{i:03d}{k}.cls" if label else f"{i:03d}{k}.txt"] = str((0, 1, 10)[(i + k) % 3]).encode()
            content[f"{i:03d}{k}.png"] = png()
        tar(at / name, content)
    return Set(at)


def test_webdataset_shards(tmp_path: Path) -> None:
    raw = shards(tmp_path / "wds", "shard-000000.tar", "shard-000001.tar", "shard-000002.tar").read()
    assert by_class(raw) == {"0": 2, "1": 2, "10": 2}
    assert raw.found.labels == "in the .cls file beside each" and raw.skipped == ()
    raw = shards(tmp_path / "captions", "00000.tar", "00001.tar", label=False).read()
    assert raw.labels is None and len(raw.images) == 4 and raw.skipped == ()


def test_splits_of_shards(tmp_path: Path) -> None:
    for name in ("{}/0000.tar", "set-{}-0000.tar", "{}_0000.tar"):
        names = [name.format(word).replace("0000", f"000{k}") for k, word in enumerate(("train", "val", "train"))]
        at = shards(tmp_path / name.replace("/", "_"), *names)
        assert (len(at.read().images), len(at.read("test").images)) == (4, 2)


def test_one_shard_alone(tmp_path: Path) -> None:
    shards(tmp_path, "one.tar")
    raw = read(tmp_path / "one.tar")
    assert by_class(raw) == {"0": 1, "1": 1}
