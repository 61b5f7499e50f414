"""Runs on their way between machines: whole, checked, never back in time, never outside their folder."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from conftest import python, trained
from ganvas.errors import GanvasError, UsageError
from ganvas.experiments.cluster import cell, images, link, packing
from ganvas.runs.run import Run


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with two checkpoints; read only."""
    return trained(tmp_path_factory.mktemp("packing") / "a-s0").path


@pytest.fixture
def run(whole: Path, tmp: Path) -> Path:
    return shutil.copytree(whole, tmp / "e" / "a-s0")


def tar(*members: tuple[str, bytes] | tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                file.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                file.addfile(info, io.BytesIO(member[1]))
    return out.getvalue()


def link_to(kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo("config.json")
    info.type, info.linkname = kind, target
    return info


def contents(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_run_comes_back_as_it_went(run: Path, tmp: Path) -> None:
    content = packing.pack_run(run, whole=True)
    packing.unpack_run(io.BytesIO(content), tmp / "there", "w")
    before = contents(run)
    del before[".lock"]
    assert contents(tmp / "there") == before and packing.pack_run(run, whole=True) == content


def test_events_are_no_newer_than_the_checkpoint(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A training that finishes while it is packed: the older checkpoint would be resumed, and finish twice."""
    Run(run).event("before", 0)
    listed = packing._run_files

    def finish_meanwhile(path: Path) -> list[str]:
        Run(path).event("finish", 10**6)
        return listed(path)

    monkeypatch.setattr(packing, "_run_files", finish_meanwhile)
    with tarfile.open(fileobj=io.BytesIO(packing.pack_run(run))) as tar:
        file = tar.extractfile("events.jsonl")
        assert file is not None
        events = [json.loads(line)["event"] for line in file.read().splitlines()]
    assert events[-1] == "before"


def test_while_it_is_trained_only_the_newest_checkpoint_travels(run: Path, tmp: Path) -> None:
    newest = Run(run).checkpoints()[-1][0]
    (run / "checkpoints" / "000000999.part").mkdir()
    (run / "checkpoints" / "000000999.part" / "log.safetensors").write_bytes(b"half")
    packing.unpack_run(io.BytesIO(packing.pack_run(run)), tmp / "there", "w")
    assert len(Run(run).checkpoints()) == 2
    assert [nimg for nimg, _ in Run(tmp / "there").checkpoints()] == [newest] == [packing.newest_nimg(run)]
    damaged = Run(run).checkpoints()[-1][1] / "generator.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    packing.unpack_run(io.BytesIO(packing.pack_run(run)), tmp / "older", "w")
    assert [nimg for nimg, _ in Run(tmp / "older").checkpoints()] == [Run(run).checkpoints()[0][0]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (tar(("../out", b"x")), "the file name '../out'"),
        (tar(("/etc/out", b"x")), "the file name '/etc/out'"),
        (tar(("a/../../out", b"x")), "the file name"),
        (tar(("a\\..\\out", b"x")), "the file name"),
        (tar(("/".join("d" * 40), b"x")), "the file name"),
        (tar(("a", b"x"), ("a", b"y")), "the name 'a' twice"),
        (tar(link_to(tarfile.SYMTYPE, "/etc/passwd")), "'config.json', which is no plain file"),
        (tar(link_to(tarfile.LNKTYPE, "/etc/passwd")), "which is no plain file"),
        (tar(link_to(tarfile.FIFOTYPE, "")), "which is no plain file"),
        (tar(link_to(tarfile.CHRTYPE, "")), "which is no plain file"),
        (tar(link_to(tarfile.GNUTYPE_SPARSE, "")), "no"),
        (b"no tar at all" * 100, "no whole tar"),
        (tar(("a", b"x" * 5000))[:3000], "no whole tar"),
        (tar(("a", b"x" * 9216), ("b", b"y"))[: tarfile.RECORDSIZE], "no whole tar"),
        (b"", "no whole tar"),
    ],
)
def test_hostile_content_is_refused_and_leaves_nothing(content: bytes, words: str, tmp: Path) -> None:
    (tmp / "base").mkdir()
    with pytest.raises(packing.RefusedError, match="worker w sent") as caught:
        packing.unpack(io.BytesIO(content), tmp / "base" / "new", "worker w")
    assert words in str(caught.value) and "\n" not in str(caught.value)
    assert [path.name for path in tmp.rglob("*")] == ["base"]


def test_a_size_beyond_the_tar_is_refused(tmp: Path) -> None:
    info = tarfile.TarInfo("bomb")
    info.size = 10**15
    content = info.tobuf().ljust(tarfile.RECORDSIZE, b"\0")
    with pytest.raises(packing.RefusedError, match="a file larger than all that came"):
        packing.unpack(io.BytesIO(content), tmp / "new", "w")
    assert not (tmp / "new").exists()


def test_what_comes_back_replaces_what_is_here_at_once(run: Path, whole: Path, tmp: Path) -> None:
    content = packing.pack_run(whole, whole=True)
    first = Run(run).checkpoints()[0][0]
    Run(run).drop_after(first)
    (run / packing.OURS).write_text((run / packing.OURS).read_text().replace("shapes", "shapes "))
    ours = (run / packing.OURS).read_bytes()
    assert packing.install_run(run, content, "w")
    assert packing.newest_nimg(run) == packing.newest_nimg(whole) > first
    assert (run / packing.OURS).read_bytes() == ours
    assert [path.name for path in run.parent.iterdir()] == ["a-s0"]


def test_nothing_goes_back_in_time(run: Path) -> None:
    before = contents(run)
    older = shutil.copytree(run, run.parent.parent / "older")
    Run(older).drop_after(Run(older).checkpoints()[0][0])
    assert not packing.install_run(run, packing.pack_run(older), "w")
    assert contents(run) == before and [path.name for path in run.parent.iterdir()] == ["a-s0"]


def test_another_training_and_half_a_run_are_refused(run: Path, tmp: Path) -> None:
    before = contents(run)
    other = shutil.copytree(run, tmp / "other")
    config = (other / "config.json").read_text().replace('"seed": 0', '"seed": 1', 1)
    (other / "config.json").write_text(config)
    with pytest.raises(packing.RefusedError, match="w sent another training than a-s0"):
        packing.install_run(run, packing.pack_run(other, whole=True), "w")
    with pytest.raises(packing.RefusedError, match="what w sent is no whole run"):
        packing.install_run(run, tar(("config.json", b"{")), "w")
    assert contents(run) == before


def test_an_exchange_that_was_killed_half_done_is_undone(run: Path) -> None:
    before = contents(run)
    (run.parent / ".incoming").mkdir()
    os.rename(run, run.parent / ".incoming" / "a-s0.old")
    packing.recover(run.parent)
    assert contents(run) == before and [path.name for path in run.parent.iterdir()] == ["a-s0"]
    packing.recover(run.parent)
    assert contents(run) == before


# -- on a worker -------------------------------------------------------------------------------------------------


class Worker:
    """As much of a Dask worker as cell.py asks for."""

    def __init__(self, folder: Path) -> None:
        self.local_directory = str(folder)


def test_pieces_arrive_whole_or_are_refused(tmp: Path) -> None:
    content = b"abc" * 1000
    name, worker = packing.digest(content), Worker(tmp)
    assert cell.put(name, 0, content[:1000], False, worker) == cell.put(name, 1000, content[1000:], True, worker) == ""
    assert (tmp / "ganvas" / name).read_bytes() == content
    refused = cell.put("0" * 64, 0, content, True, worker)
    assert "another SHA-256" in refused and [p.name for p in (tmp / "ganvas").iterdir()] == [name]


def job(run: Path, room: Path, **changes: Any) -> dict[str, Any]:
    content = packing.pack_run(run)
    room.mkdir(parents=True)
    (room / packing.digest(content)).write_bytes(content)
    data = {"name": "shapes", "sha256": "", "file": ""}
    return {
        "key": "k", "experiment": "e", "name": run.name, "run": packing.digest(content), "data": data, "features": [],
        "n": 10, "threads": 1, "plugins": {}, "patience": 60.0, **changes,
    }  # fmt: skip


def test_a_full_disk_is_the_workers_fault(run: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell, "_room", lambda worker=None: tmp / "room")
    given = job(run, tmp / "room")

    def full(*words: object, **named: object) -> None:
        raise OSError(28, "No space left on device", "where")

    monkeypatch.setattr(packing, "unpack_run", full)
    answer = cell.run_cell(given)
    assert (answer["outcome"], answer["reason"]) == ("worker", "where: No space left on device")
    assert not list((tmp / "room").glob("cell-*")) and cell.RUNNING == {}


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("import sys; print('ganvas: bad luck'); sys.exit(1)", "failed", "bad luck"),
        ("import sys; print('cannot write x: No space left on device'); sys.exit(1)", "worker", "No space left"),
        ("import os; os.kill(os.getpid(), 9)", "worker", "its process was ended by SIGKILL"),
        ("import time, signal; signal.signal(15, lambda *_: exit(0)); time.sleep(60)", "stopped", ""),
    ],
)
def test_how_a_cell_can_end(
    code: str, outcome: str, reason: str, run: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Run(run).path.joinpath("events.jsonl").unlink()  # not finished
    monkeypatch.setattr(cell, "_room", lambda worker=None: tmp / "room")
    popen = subprocess.Popen
    monkeypatch.setattr(cell.subprocess, "Popen", lambda argv, **more: popen([sys.executable, "-c", code], **more))
    monkeypatch.setattr(cell, "POLL_SECONDS", 0.01)
    answer = cell.run_cell(job(run, tmp / "room", patience=0.5 if outcome == "stopped" else 60.0))
    assert answer["outcome"] == outcome and reason in answer["reason"] and str(tmp) not in answer["reason"]
    assert packing.unpack_run(io.BytesIO(answer["run"]), tmp / "back", "w") is None
    assert packing.newest_nimg(tmp / "back") == packing.newest_nimg(run)


def test_images_that_are_not_here_are_asked_for_and_used(run: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cell, "_room", lambda worker=None: tmp / "room")
    (tmp / "mine").mkdir()
    (tmp / "mine" / "a.txt").write_text("x")
    parcels = images.Parcels()
    parcel = parcels.of(str(tmp / "mine"))
    assert parcel is not None and parcel.entry == "mine" and parcels.of(str(tmp / "mine")) is parcel
    given = job(run, tmp / "room", data={"name": "x", "sha256": parcel.sha256, "file": parcel.entry})
    assert cell.run_cell(given)["outcome"] == "data"
    (tmp / "room" / parcel.sha256).write_bytes(parcel.file.read_bytes())
    assert cell._missing_data(given, tmp / "room") == ""
    assert (tmp / "room" / "data" / parcel.sha256 / "mine" / "a.txt").read_text() == "x"
    assert parcels.of("shapes") is None
    parcels.remove()
    assert not parcel.file.exists()


def test_a_training_ends_with_its_worker(tmp: Path) -> None:
    code = (
        "import threading, time; from ganvas.experiments.cluster import guarded;"
        "threading.Thread(target=guarded._end_with_starter, daemon=True).start();"
        "print('up', flush=True); time.sleep(60)"
    )
    process = python("-c", code, stdin=subprocess.PIPE)
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "up\n" and process.poll() is None
    process.stdin.close()
    assert process.wait(30) == -15
    process.stdout.close()
    assert process.stderr is not None
    process.stderr.close()


# -- addresses ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "on",
    ["", "local", "local:0", "local:257", "local:-1", "tcp://", "tcp://host", "tcp://host:0", "tcp://host:65536",
     "http://host:80", "tcp://host:1/x", "tcp://a b:1", "slurm", "tcp://[::1:1"],
)  # fmt: skip
def test_what_names_no_cluster_is_refused(on: str) -> None:
    with pytest.raises(UsageError, match=r"tcp://HOST:PORT or tls://HOST:PORT .* local:N"):
        link.check_address(on)


def test_what_names_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link.importlib.util, "find_spec", lambda name: object())
    assert [link.check_address(on) for on in ("local:4", "tcp://10.0.0.1:8786", "tls://[::1]:1")] == [4, 0, 0]
    monkeypatch.setattr(link.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'ganvas\[cluster\]'"):
        link.check_address("local:4")


def test_a_scheduler_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(GanvasError, match=rf"no scheduler answers at tcp://127.0.0.1:{port} .*dask scheduler"):
        link._check_answers(f"tcp://127.0.0.1:{port}")
    monkeypatch.setattr(link, "CONNECT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # such as one that waits for TLS
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        held: list[socket.socket] = []
        threading.Thread(target=lambda: held.append(silent.accept()[0]), daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(GanvasError, match="does not answer as a Dask scheduler"):
            link._check_answers(address)
        assert time.monotonic() - begun < 20
        [connection.close() for connection in held]
