"""Whatever ends a command is one line on stderr; a terminal of any encoding shows what it can."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
import tempfile
from pathlib import Path

import pytest

from conftest import flags, python
from ganvas import generator, media
from ganvas.cli import failure, main, streams
from ganvas.errors import GanvasError, UsageError
from ganvas.runs.run import Run

LIMITS = {
    "memory": [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you"),
        RuntimeError("Storage size calculation overflowed with sizes=[4611686018427387904]"),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
    ],
    "ulimit -u": [RuntimeError("can't start new thread"), BlockingIOError(errno.EAGAIN, "Resource unavailable")],
    "ulimit -n": [OSError(errno.EMFILE, "Too many open files", "x.png"), ImportError("x.so: Too many open files")],
    "free some space": [OSError(errno.ENOSPC, "No space left on device", "runs/x")],
}


def ended_by(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> int:
    """The exit code of a command that raises."""

    def verb(_: list[str]) -> int:
        raise error

    monkeypatch.setattr(main, "verb", lambda name: verb)
    return main.main(["runs"])


@pytest.mark.parametrize(("hint", "error"), [(hint, error) for hint, errors in LIMITS.items() for error in errors])
def test_a_limit_of_the_system_is_one_line(
    hint: str, error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended_by(error, monkeypatch) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("ganvas: ") and hint in line and "unexpected" not in line


@pytest.mark.parametrize(
    "error", [ValueError("first\nsecond"), RecursionError(), KeyError("nimg"), Exception("x" * 9999)]
)
def test_what_nobody_expected_is_one_line_and_a_file(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp))
    assert ended_by(error, monkeypatch) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"ganvas: unexpected error: {type(error).__name__}") and len(line) < 600
    saved = re.search(r"details in (\S+);", line)
    assert saved is not None and "Traceback (most recent call last)" in Path(saved[1]).read_text()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp / "none"))  # nowhere to keep it: the line comes all the same
    assert ended_by(error, monkeypatch) == 1 and "--debug" in capsys.readouterr().err


def test_debug_raises_what_nobody_expected(monkeypatch: pytest.MonkeyPatch) -> None:
    def verb(_: list[str]) -> int:
        raise ValueError("x")

    monkeypatch.setattr(main, "verb", lambda name: verb)
    with pytest.raises(ValueError, match="x"):
        main.main(["runs", "--debug"])


@pytest.mark.parametrize(
    ("error", "code"), [(GanvasError("x"), 1), (UsageError("x"), 2), (KeyboardInterrupt(), 130), (BrokenPipeError(), 1)]
)
def test_expected_ends_leave_no_file(
    error: BaseException, code: int, monkeypatch: pytest.MonkeyPatch, tmp: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp))
    monkeypatch.setattr(streams, "discard", lambda: None)
    assert failure.tell(error) == code and not list(tmp.iterdir())


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "latin-1", "utf-8"])
def test_a_stream_of_any_encoding_takes_any_text(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    streams.prepare()
    print("a – b × 한글 \udcff")
    streams.flush()
    text = raw.getvalue().decode(encoding)
    assert text.startswith("a ") and text.endswith("\\udcff\n")
    assert ("- b x \\ud55c\\uae00" in text) == (encoding == "ascii")


def test_closed_streams_are_no_error() -> None:
    code = "import sys; sys.stdout = sys.stderr = None; from ganvas.cli.main import main; sys.exit(main([%r]))"
    for verb, expected in (("recipes", 0), ("nix", 2)):
        process = python("-c", code % verb)
        assert process.communicate(timeout=300) == ("", "") and process.returncode == expected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        process = python("-m", "ganvas", "recipes", stdout=full)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1 and err.splitlines() == [
        "ganvas: input/output: No space left on device; free some space"
    ]


@pytest.fixture
def bytes_folder(tmp: Path) -> Path:
    """A folder whose name is not UTF-8."""
    folder = os.fsdecode(os.fsencode(tmp) + b"/caf\xe9 $x_{$")
    os.mkdir(folder)
    return Path(folder)


def test_a_name_that_is_not_utf8_goes_through_everything(
    bytes_folder: Path, finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = bytes_folder / "data", bytes_folder / "run"
    data.mkdir()
    for i, image in enumerate(generator.load(finished.path).sample(20)):
        (data / os.fsdecode(b"im\xff%d.png" % i)).write_bytes(media.encode(media.grid(image[None])))
    small = {"data.name": str(data), "data.limit": 16, "budget.kimg": 0.032, "step.batch": 8}
    assert main.main(["train", "cifar-dcgan", *flags(small), "--out", str(out)]) == 0
    assert Run.open(out).config.data.name == str(data)
    (out / "config.json").read_text("utf-8")
    for words in (["report", out], ["runs", bytes_folder], ["doctor", out], ["sample", out, "--out", out / "x.png"]):
        assert main.main([str(word) for word in words]) == 0
    assert "unexpected" not in capsys.readouterr().err
