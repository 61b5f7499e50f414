"""The cache: verified, locked, whole files only; every way a source can fail."""

import errno
import hashlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from ganvas.datasets import cache
from ganvas.datasets.cache import FileSet, NotOfferedError, Source, SourceError
from ganvas.datasets.progress import Progress
from ganvas.errors import GanvasError

CONTENT = {"a.bin": b"first" * 100, "b.bin": b"second" * 100}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
QUIET = Progress(show=False)


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


def good(folder: Path, progress: Progress) -> None:
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)


def wrong(folder: Path, progress: Progress) -> None:
    good(folder, progress)
    (folder / "b.bin").write_bytes(b"not the second")


def partial(folder: Path, progress: Progress) -> None:
    (folder / "a.bin").write_bytes(CONTENT["a.bin"])


def failing(error: BaseException):
    def get(folder: Path, progress: Progress) -> None:
        (folder / "a.bin").write_bytes(b"half")
        raise error

    return get


def tiny(*gets) -> FileSet:
    return FileSet("tiny", SHA256, tuple(Source(f"source {k}", get) for k, get in enumerate(gets)), "Do this.")


def leftovers(root: Path) -> list[str]:
    return sorted(p.name for p in root.iterdir() if p.name.startswith("."))


def test_fetch_then_read(root, capsys):
    contents, origin = cache.read(tiny(good), ["b.bin"], QUIET)
    assert contents == {"b.bin": CONTENT["b.bin"]}
    assert origin == "source 0; verified by SHA-256"
    assert sorted(p.name for p in (root / "tiny").iterdir()) == ["a.bin", "b.bin", "source.txt"]
    assert leftovers(root) == []
    assert capsys.readouterr().err == ""


def test_a_full_cache_asks_no_source(root):
    cache.fetch(tiny(good), QUIET)
    assert cache.present(tiny())
    assert cache.fetch(tiny(failing(AssertionError())), QUIET).startswith("source 0")
    assert cache.read(tiny(failing(AssertionError())), list(SHA256), QUIET)[0] == CONTENT


def test_files_placed_by_hand_are_taken_when_right(root):
    (root / "tiny").mkdir(parents=True)
    good(root / "tiny", QUIET)
    assert cache.fetch(tiny(), QUIET) == "placed in the cache by hand; verified by SHA-256"


@pytest.mark.parametrize("damage", [b"", b"FIRST" * 100, b"first" * 99])
def test_a_corrupt_file_is_named_and_fetched_again(root, capsys, damage):
    cache.fetch(tiny(good), QUIET)
    (root / "tiny" / "a.bin").write_bytes(damage)
    contents, _ = cache.read(tiny(good), ["a.bin"], QUIET)
    assert contents == {"a.bin": CONTENT["a.bin"]}
    warning = capsys.readouterr().err
    assert warning.startswith("warning: ")
    assert str(root / "tiny" / "a.bin") in warning
    assert "corrupt" in warning
    assert "b.bin" not in warning


def test_a_corrupt_file_is_never_returned(root):
    cache.fetch(tiny(good), QUIET)
    (root / "tiny" / "a.bin").write_bytes(b"something else")
    with pytest.raises(GanvasError, match=r"a\.bin corrupt"):
        cache.read(tiny(failing(SourceError("is closed"))), ["a.bin"], QUIET)


@pytest.mark.parametrize("bad", [wrong, partial, failing(SourceError("is closed")), failing(OSError("odd"))])
def test_a_bad_source_is_refused_and_the_next_one_tried(root, capsys, bad):
    assert cache.fetch(tiny(bad, good), Progress()) == "source 1; verified by SHA-256"
    assert "not from source 0" in capsys.readouterr().err
    assert cache.read(tiny(), list(SHA256), QUIET)[0] == CONTENT


def test_all_fail_lists_each_source_its_reason_and_what_to_do(root):
    files = tiny(wrong, partial, failing(SourceError("cannot be reached")), failing(NotOfferedError("$X is not set")))
    with pytest.raises(GanvasError) as caught:
        cache.fetch(files, QUIET)
    lines = str(caught.value).splitlines()
    assert lines[0] == "tiny could not be fetched; tried in order:"
    assert lines[1] == f"  - the cache: not in {root / 'tiny'}"
    assert lines[2].startswith("  - source 0: gives a wrong b.bin (SHA-256 ")
    assert lines[3:] == [
        "  - source 1: gives no b.bin",
        "  - source 2: cannot be reached",
        "  - source 3: $X is not set",
        "Do this.",
    ]
    assert not (root / "tiny").exists()
    assert leftovers(root) == []


def test_an_interrupt_leaves_nothing(root):
    with pytest.raises(KeyboardInterrupt):
        cache.fetch(tiny(failing(KeyboardInterrupt())), QUIET)
    assert not (root / "tiny").exists()
    assert leftovers(root) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_full_or_read_only_disk_is_one_clear_line(root, code):
    with pytest.raises(GanvasError, match=r"cannot write in the data cache .*set GANVAS_DATA") as caught:
        cache.fetch(tiny(failing(OSError(code, "No space left on device")), good), QUIET)
    assert "\n" not in str(caught.value)
    assert leftovers(root) == []


def test_a_cache_folder_that_cannot_be_made_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "file" / "cache"))
    with pytest.raises(GanvasError, match="cannot write in the data cache") as caught:
        cache.fetch(tiny(good), QUIET)
    assert "\n" not in str(caught.value)


def test_root_follows_the_environment(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("GANVAS_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.root() == tmp_path / "ganvas"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache.root() == Path.home() / ".cache" / "ganvas"


SCRIPT = """
import hashlib, os, signal, sys, time
from pathlib import Path
from ganvas.datasets import cache
from ganvas.datasets.progress import Progress

CONTENT = {"a.bin": b"first" * 100, "b.bin": b"second" * 100}

def get(folder, progress):
    with open(os.environ["GANVAS_DATA"] + ".log", "a") as log:
        log.write("fetched\\n")
    (folder / "a.bin").write_bytes(CONTENT["a.bin"])
    if sys.argv[1] == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.5)
    (folder / "b.bin").write_bytes(CONTENT["b.bin"])

sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()}
files = cache.FileSet("tiny", sha256, (cache.Source("slow", get),))
contents, _ = cache.read(files, list(sha256), Progress())
assert contents == CONTENT
"""


def start(how: str) -> subprocess.Popen:
    command = [sys.executable, "-c", textwrap.dedent(SCRIPT), how]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_processes_that_fetch_at_the_same_moment_fetch_once(root):
    processes = [start("live") for _ in range(3)]
    said = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert root.with_name("cache.log").read_text() == "fetched\n"
    assert leftovers(root) == []


def test_a_killed_fetch_leaves_no_file_and_no_lock(root, capsys):
    killed = start("die")
    killed.communicate(timeout=300)
    assert killed.returncode < 0
    assert not (root / "tiny").exists()
    assert len(leftovers(root)) == 1
    cache.fetch(tiny(good), Progress())
    assert "waiting" not in capsys.readouterr().err
    assert leftovers(root) == []
    assert cache.read(tiny(), list(SHA256), QUIET)[0] == CONTENT
