"""A full disk leaves the old file, and a file that ganvas did not make is replaced only when asked to."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import python
from ganvas import comparison, files, media
from ganvas.cli.main import main
from ganvas.errors import GanvasError, UsageError
from ganvas.files import check_replaceable, is_ours, replace_file, write_file
from ganvas.runs.run import Run
from synthetic import make_run

Fail = Callable[[], None]


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Fail:
    """From its call on, every file takes a few bytes, then the disk is full."""

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> int:
            self.file.write(content[:10])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def opened(path: Path, mode: str) -> Any:
        file = path.open(mode)
        return Full(file) if "w" in mode else file

    def fail() -> None:
        monkeypatch.setattr(files, "open", opened, raising=False)

    return fail


def test_a_write_that_fails_midway_leaves_the_old_file_and_nothing_else(tmp: Path, full_disk: Fail) -> None:
    replace_file(tmp / "x", b"old")
    full_disk()
    with pytest.raises(OSError, match="No space left"):
        replace_file(tmp / "x", b"new" * 10)
    assert (tmp / "x").read_bytes() == b"old" and [path.name for path in tmp.iterdir()] == ["x"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has it")
def test_the_full_device_of_linux_is_an_error() -> None:
    with pytest.raises(OSError, match="No space left"):
        write_file(Path("/dev/full"), b"new" * 10)


@pytest.mark.parametrize("out", ["x.png", "x.npz"])
def test_sample_on_a_full_disk_keeps_the_good_file(
    finished: Run, tmp: Path, full_disk: Fail, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    words = ["sample", str(finished.path), "--n", "4", "--device", "cpu", "--out", str(tmp / out)]
    assert main(words) == 0
    good = (tmp / out).read_bytes()
    full_disk()
    assert main([*words, "--seed", "1"]) == 1
    assert "No space left on device; free some space" in capsys.readouterr().err
    assert (tmp / out).read_bytes() == good and [path.name for path in tmp.iterdir()] == [out]


def test_a_real_limit_of_the_system_keeps_the_good_file(tmp: Path) -> None:
    (tmp / "x").write_bytes(b"good")
    code = f"""
import resource, pathlib
from ganvas.files import replace_file
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
replace_file(pathlib.Path({str(tmp / "x")!r}), bytes(5000))
"""
    if os.name == "posix":
        process = python("-c", code)
        assert "File too large" in process.communicate()[1] and process.returncode == 1
        assert (tmp / "x").read_bytes() == b"good" and [path.name for path in tmp.iterdir()] == ["x"]


# -- what is ours


@pytest.mark.parametrize("out", ["x.png", "x.npz", "folder"])
def test_sample_replaces_its_own_files_and_others_only_by_force(
    finished: Run, tmp: Path, capsys: pytest.CaptureFixture[str], out: str
) -> None:
    words = ["sample", str(finished.path), "--n", "2", "--device", "cpu", "--out", str(tmp / out)]
    assert main(words) == 0 == main([*words, "--seed", "1"])
    target = next((tmp / out).rglob("000001.png")) if out == "folder" else tmp / out
    assert is_ours(target)
    if out == "x.npz":
        with np.load(target, allow_pickle=False) as arrays:
            assert arrays["images"].shape == (2, 16, 16, 3)
    target.write_bytes(b"a thesis")
    capsys.readouterr()
    assert main(words) == 2
    told = capsys.readouterr().err
    assert str(target) in told and "--force" in told and len(told.splitlines()) == 1
    assert target.read_bytes() == b"a thesis"
    assert main([*words, "--force"]) == 0 and is_ours(target)


def test_a_contact_sheet_replaces_its_own_file_and_others_only_by_force(tmp: Path) -> None:
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp / "x.png")
    good = (tmp / "x.png").read_bytes()
    words = ["data", "show", "shapes", "--size", "16", "--out", str(tmp / "x.png")]
    assert main(words) == 2 and (tmp / "x.png").read_bytes() == good
    assert main([*words, "--force"]) == 0 == main(words)


def test_a_comparison_replaces_its_own_files_and_others_only_by_force(tmp: Path, full_disk: Fail) -> None:
    groups = {name: [make_run(tmp / name, rows=20, grids=2, evals="all").path] for name in ("a", "b")}
    for paths in groups.values():
        Run(paths[0]).write_bytes("snapshots/000300000.safetensors", b"")
    found = comparison.compare(groups, make=False)
    out = tmp / "out"
    out.mkdir()
    (out / "compare.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"compare\.csv exists and was not made by ganvas.*force=True"):
        comparison.write(found, out)
    assert [path.name for path in out.iterdir()] == ["compare.csv"]
    page = comparison.write(found, out, force=True)
    assert comparison.write(found, out) == page
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    full_disk()
    with pytest.raises(GanvasError, match="No space left"):
        comparison.write(found, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_folder_is_never_replaced_and_a_broken_link_is_not_ours(tmp: Path) -> None:
    with pytest.raises(UsageError, match="is a folder"):
        check_replaceable(tmp, force=True)
    (tmp / "link").symlink_to(tmp / "nowhere")
    with pytest.raises(UsageError, match="force=True"):
        check_replaceable(tmp / "link")
    check_replaceable(tmp / "new")
    replace_file(tmp / "picture", media.marked_png(media.grid(np.zeros((1, 1, 4, 4), np.uint8))))
    check_replaceable(tmp / "picture")
