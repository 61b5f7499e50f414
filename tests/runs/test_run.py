"""A run directory: whole after a crash at any file operation, readable at any moment, written by one process."""

from __future__ import annotations

import builtins
import errno
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conftest import python
from ganvas.config import SCHEMA_VERSION, Config
from ganvas.errors import GanvasError, UsageError
from ganvas.files import try_lock, writing_to
from ganvas.runs import listing
from ganvas.runs.run import FolderTakenError, Layer, Run, next_path, stem
from ganvas.runs.storage import load_tensors

DATA = {"name": "shapes", "sha256": "0", "n": 4, "shape": [1, 8, 8]}
SLEEPER = """
import sys, time
from ganvas.runs.run import Run
with Run(sys.argv[1]).writing():
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def run(tmp: Path) -> Run:
    return Run.create(tmp / "run", Config(), Config(), DATA)


def save(run: Run, nimg: int) -> None:
    content = str(nimg).encode() * 100
    run.save_checkpoint(nimg, {"generator": content, "discriminator": content + b"d"}, {"sec": nimg / 2})


def latest(run: Run) -> tuple[int | None, list[str]]:
    checkpoint, problems = run.latest_checkpoint()
    return checkpoint.nimg if checkpoint else None, problems


def test_the_last_two_checkpoints_are_kept_and_the_selected_one(run: Run) -> None:
    for nimg in (100, 200, 300, 400):
        save(run, nimg)
        if nimg == 200:
            run.select(nimg, "fd_classifier", 1.0)
    assert [nimg for nimg, _ in run.checkpoints()] == [200, 300, 400]
    run.select(400, "fd_classifier", 0.5)
    save(run, 500)
    assert [nimg for nimg, _ in run.checkpoints()] == [400, 500]
    assert latest(run) == (500, [])


class Crash(BaseException):
    """Not an Exception: nothing may catch it and tidy up, as after kill -9."""


class CrashAt:
    """Lets `allowed` file operations happen, then dies in the middle of the next."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
        self.allowed = allowed
        operations = [(os, name) for name in ("fsync", "rename", "replace", "mkdir", "unlink", "rmdir")]
        for module, name in (*operations, (shutil, "rmtree"), (builtins, "open")):
            monkeypatch.setattr(module, name, self.counted(getattr(module, name), name == "fsync"))

    def counted(self, function: Callable[..., Any], cut: bool) -> Callable[..., Any]:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if self.allowed == 0:
                if cut and os.fstat(args[0]).st_size > 1 and not os.path.isdir(f"/proc/self/fd/{args[0]}"):
                    os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)  # what was not flushed is lost
                raise Crash
            self.allowed -= 1
            return function(*args, **kwargs)

        return wrapper


# -- checkpoints -----------------------------------------------------------------------------------------------


def test_a_crash_at_any_operation_leaves_the_previous_checkpoint(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    save(run, 10)
    save(run, 20)
    outcomes = []
    for allowed in range(100):
        with monkeypatch.context() as patched:
            operations = CrashAt(patched, allowed)
            try:
                save(run, 30)
                finished = operations.allowed > 0
            except Crash:
                finished = False
        outcomes.append(latest(run))
        assert outcomes[-1] in [(20, []), (30, [])]
        if finished:
            break
        run.drop_after(20)
        assert latest(run) == (20, [])
        assert not list(run.path.rglob("*.part"))
        if len(run.checkpoints()) < 2:
            save(run, 10)
    assert finished and len(outcomes) > 12
    assert (30, []) in outcomes[:-1]  # some crash came after the rename
    assert [nimg for nimg, _ in run.checkpoints()] == [20, 30]


def test_a_crash_while_writing_a_file_leaves_the_old_one(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (run.path / "config.json").read_bytes()
    for allowed in range(3):
        with monkeypatch.context() as patched, pytest.raises(Crash):
            CrashAt(patched, allowed)
            run.write_config(Config(seed=5), Config(), 7)
        assert (run.path / "config.json").read_bytes() == before
    run.write_config(Config(seed=5), Config(), 7)
    assert run.config.seed == 5 and run.total_nimg == 7


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def alter(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1] + b"x")


DAMAGE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "truncated": (lambda c: truncate(c / "generator.safetensors"), "generator.safetensors is truncated or altered"),
    "altered": (lambda c: alter(c / "discriminator.safetensors"), "discriminator.safetensors is truncated or altered"),
    "a file is missing": (lambda c: (c / "generator.safetensors").unlink(), "No such file"),
    "no state": (lambda c: (c / "state.json").unlink(), "No such file"),
    "half a state": (lambda c: truncate(c / "state.json"), "Expecting"),
    "an empty state": (lambda c: (c / "state.json").write_bytes(b""), "Expecting value"),
    "no UTF-8": (lambda c: (c / "state.json").write_bytes(b"\xff\xfe\xfa"), "codec can't decode"),
    "foreign": (lambda c: (c / "state.json").write_text('{"step": 3}'), "state.json was not written by ganvas"),
    "a foreign list": (lambda c: (c / "state.json").write_text("[1]"), "state.json was not written by ganvas"),
    "another moment's": (lambda c: shutil.copytree(c.parent / stem(10), c, dirs_exist_ok=True), "belongs to 10 images"),
    "an empty folder": (lambda c: [f.unlink() for f in c.iterdir()], "No such file"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_with_a_line(run: Run, kind: str) -> None:
    save(run, 10)
    save(run, 20)
    damage, why = DAMAGE[kind]
    damage(run.checkpoints()[-1][1])
    found, problems = latest(run)
    assert found == 10
    assert len(problems) == 1 and stem(20) in problems[0] and why in problems[0] and "\n" not in problems[0]
    damage, why = DAMAGE["no state"]
    damage(run.checkpoints()[0][1])
    assert latest(run)[0] is None and len(latest(run)[1]) == 2


def test_a_checkpoint_from_a_newer_ganvas_is_an_error(run: Run) -> None:
    save(run, 10)
    path = run.checkpoints()[0][1] / "state.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"schema_version": SCHEMA_VERSION + 1}))
    with pytest.raises(GanvasError, match=f"version {SCHEMA_VERSION + 1}, newer than this ganvas: update ganvas"):
        run.latest_checkpoint()


def test_the_last_two_checkpoints_stay(run: Run) -> None:
    for nimg in (1, 2, 3, 3, 1_000_000_000):
        save(run, nimg)
    assert [nimg for nimg, _ in run.checkpoints()] == [3, 1_000_000_000]
    assert latest(run) == (1_000_000_000, [])


def test_the_selected_checkpoint_stays_beside_the_last_two(run: Run) -> None:
    save(run, 10)
    save(run, 20)
    run.select(20, "fd", 3.5)
    for nimg in (30, 40, 50):
        save(run, nimg)
    assert [nimg for nimg, _ in run.checkpoints()] == [20, 40, 50]
    assert run.selected == {"nimg": 20, "metric": "fd", "value": 3.5}
    run.drop_after(20)
    assert run.selected is not None and [nimg for nimg, _ in run.checkpoints()] == [20]
    run.drop_after(19)
    assert run.selected is None and run.checkpoints() == []


def test_a_checkpoint_makes_the_folder_that_it_needs(run: Run) -> None:
    (run.path / "checkpoints").rmdir()
    save(run, 10)
    assert latest(run) == (10, [])


def test_checkpoints_that_a_writer_replaced_meanwhile_are_looked_for_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(run, 20)
    there, gone = run.checkpoints(), [(10, run.path / "checkpoints" / stem(10))]
    answers = [gone, there, there]
    monkeypatch.setattr(run, "checkpoints", lambda: answers.pop(0) if answers else there)
    assert latest(run) == (20, [])


@pytest.mark.parametrize("changes", [{"environment": 3}, {"sha256": {"../generator": ""}}, {"sha256": 3}])
def test_a_state_of_other_values_is_passed_over(run: Run, changes: dict[str, Any]) -> None:
    save(run, 10)
    path = run.checkpoints()[0][1] / "state.json"
    state = json.loads(path.read_bytes())
    assert (state["schema_version"], state["nimg"], state["sec"]) == (SCHEMA_VERSION, 10, 5.0)
    path.write_text(json.dumps(state | {"environment": {}}))
    assert latest(run) == (10, [])
    path.write_text(json.dumps(state | changes))
    assert latest(run) == (None, [f"{path.parent}: state.json was not written by ganvas"])


# -- rows ------------------------------------------------------------------------------------------------------


def test_a_log_is_a_row_a_line_as_it_was_given(run: Run) -> None:
    for nimg in (1, 2):
        run.append("evals", {"nimg": nimg, "metric": "점"})
    path = run.path / "evals.jsonl"
    whole = '{"nimg": 1, "metric": "점"}\n{"nimg": 2, "metric": "점"}\n'.encode()
    assert path.read_bytes() == whole
    path.write_bytes(whole[:-1])
    run.append("evals", {"nimg": 3, "metric": "x"})
    assert path.read_bytes() == whole + b'{"nimg": 3, "metric": "x"}\n'


def test_curves_are_in_order_of_images_and_events_in_order_of_time(run: Run) -> None:
    for nimg in (3, 1, 2):
        run.append("metrics", {"nimg": nimg})
        run.event("note", nimg, words=nimg * 2)
    assert [row["nimg"] for row in run.rows("metrics")] == [1, 2, 3]
    assert [(row["event"], row["nimg"], row["words"]) for row in run.rows("events")] == [
        ("note", 3, 6), ("note", 1, 2), ("note", 2, 4)]  # fmt: skip
    assert all(time.strptime(row["time"], "%Y-%m-%dT%H:%M:%S%z") for row in run.rows("events"))


def test_a_line_that_is_no_object_is_passed_over(run: Run) -> None:
    (run.path / "metrics.jsonl").write_bytes(b'[1]\n3\nnull\n{"loss": 1}\n{"nimg": 4}\n\n')
    assert run.rows("metrics") == [{"nimg": 4}]


def test_files_that_cannot_be_read_are_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.append("metrics", {"nimg": 1})

    def refuse(path: Path) -> Any:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(GanvasError, match=r"metrics\.jsonl cannot be read \(Permission denied\): is this a whole run"):
        run.rows("metrics")
    with pytest.raises(GanvasError, match=r"samples cannot be read \(Permission denied\): is this a whole run"):
        run.sample_grids()


def test_rows_come_back_and_what_is_no_number_is_null(run: Run) -> None:
    run.append("metrics", {"nimg": 1, "loss/d": float("nan"), "loss/g": float("inf"), "note": "점"})
    assert run.rows("metrics") == [{"nimg": 1, "loss/d": None, "loss/g": None, "note": "점"}]
    assert run.rows("evals") == []


@pytest.mark.parametrize("cut", [1, 2, 9, 18])
def test_a_row_cut_short_is_passed_over_and_spoils_no_other(run: Run, cut: int) -> None:
    for nimg in (1, 2):
        run.append("metrics", {"nimg": nimg, "text": "é"})
    path = run.path / "metrics.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    whole = [1, 2] if cut == 1 else [1]  # without its line end alone, a row is whole
    assert [row["nimg"] for row in run.rows("metrics")] == whole
    run.append("metrics", {"nimg": 3})
    assert [row["nimg"] for row in run.rows("metrics")] == [*whole, 3]


def test_drop_after_forgets_what_came_later(run: Run) -> None:
    for nimg in (10, 20, 30):
        run.append("metrics", {"nimg": nimg})
        run.append("evals", {"nimg": nimg, "metric": "fd"})
        run.event("row", nimg)
        run.write_bytes(f"samples/{stem(nimg)}.png", b"png")
        run.write_bytes(f"snapshots/{stem(nimg)}.safetensors", b"")
        save(run, nimg)
    run.write_bytes("samples/real.png", b"png")
    with open(run.path / "metrics.jsonl", "ab") as file:
        file.write(b'{"nimg": 4')
    (run.path / "samples" / "000000040.png.1.part").write_bytes(b"")
    (run.path / "checkpoints" / "000000040.part").mkdir()
    run.drop_after(20)
    assert [row["nimg"] for row in run.rows("metrics")] == [row["nimg"] for row in run.rows("evals")] == [10, 20]
    assert (run.path / "metrics.jsonl").read_bytes() == b'{"nimg": 10}\n{"nimg": 20}\n'
    assert len(run.rows("events")) == 3
    assert [at for at, _ in run.sample_grids()] == [at for at, _ in run.snapshots()] == [10, 20]
    assert [at for at, _ in run.checkpoints()] == [20]
    assert (run.path / "samples" / "real.png").exists()
    assert not list(run.path.rglob("*.part"))


# -- reading while writing -------------------------------------------------------------------------------------

WRITER = """
import sys
from ganvas.config import Config
from ganvas.runs.run import Run
run = Run(sys.argv[1])
with run.writing():
    for nimg in range(1, 2000):
        run.append("metrics", {"nimg": nimg, "text": "x" * 300})
        run.write_bytes(f"samples/{nimg % 7:09d}.png", b"p" * 5000)
        run.write_config(Config(seed=nimg), Config(), nimg)
        if nimg % 20 == 0:
            run.save_checkpoint(nimg, {"generator": b"g" * 200_000}, {"sec": 0.0})
            print(nimg, flush=True)
"""


def test_a_run_can_be_read_while_another_process_writes_it(run: Run) -> None:
    writer = python("-c", WRITER, str(run.path))
    try:
        assert writer.stdout is not None and writer.stdout.readline() == "20\n"
        last, until = 0, time.monotonic() + 1.5
        while time.monotonic() < until:
            rows = run.rows("metrics")
            assert [row["nimg"] for row in rows] == list(range(1, len(rows) + 1))
            found, problems = latest(run)
            assert found is not None and found >= last, problems
            last = found
            assert run.config.seed > 0
            assert all(path.read_bytes() == b"p" * 5000 for _, path in run.sample_grids())
            assert run.is_locked()
            assert listing.rows(run.path.parent)[0]["state"] in ("writing", "broken off")
        assert last > 20
    finally:
        writer.kill()
        writer.communicate()
    assert not run.is_locked()
    assert latest(run)[1] == []


# -- the lock --------------------------------------------------------------------------------------------------


def test_two_processes_cannot_write_one_run_and_a_killed_one_lets_go(run: Run) -> None:
    other = python("-c", SLEEPER, str(run.path))
    try:
        assert other.stdout is not None and other.stdout.readline() == "locked\n"
        assert run.is_locked()
        with pytest.raises(GanvasError, match=rf"being written by another process \(pid {other.pid}\)"), run.writing():
            pass
    finally:
        other.kill()
        other.communicate()
    assert not run.is_locked()
    with run.writing():
        assert run.is_locked()
        with pytest.raises(GanvasError, match="being written"), Run(run.path).writing():
            pass


def test_looking_at_the_lock_keeps_nobody_from_writing(run: Run) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            run.is_locked()

    lookers = [threading.Thread(target=look) for _ in range(2)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(50):
            with run.writing():
                pass
    finally:
        done.set()
        for looker in lookers:
            looker.join()


def test_those_who_look_do_not_see_each_other(run: Run) -> None:
    with run.writing():
        pass
    with open(run.path / ".lock", "r+b") as file:
        assert try_lock(file.fileno(), shared=True)
        assert not run.is_locked()


def test_the_lock_names_its_holder_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not run.is_locked()  # no file yet
    (run.path / ".lock").write_text("1234567890123456")  # of one who was killed
    with run.writing():
        assert (run.path / ".lock").read_text() == str(os.getpid())
    monkeypatch.setattr("ganvas.runs.run.LOCK_SECONDS", 0.01)
    (run.path / ".lock").write_text("")
    with open(run.path / ".lock", "r+b") as file:
        assert try_lock(file.fileno())
        with pytest.raises(GanvasError, match=r"\(pid unknown\): wait or stop it$"), run.writing():
            pass


# -- making, opening, failing ----------------------------------------------------------------------------------


def test_a_run_is_made_below_folders_that_are_not_there_yet(tmp: Path) -> None:
    made = Run.create(tmp / "a" / "b", Config(), Config(seed=4), DATA)
    assert sorted(p.name for p in made.path.iterdir()) == [
        "checkpoints", "config.json", "data.json", "notes.md", "samples", "snapshots"]  # fmt: skip
    assert made.networks == {} and made.recipe.seed == 4 and made.config.seed == Config().seed
    layers = [Layer("conv", "Conv", (8, 4, 4), 80), Layer("out", "Dense", (1,), 129)]
    drawn = Run.create(tmp / "c", Config(), Config(), DATA, {"discriminator": layers, "generator": layers[:1]})
    assert drawn.networks == {"discriminator": layers, "generator": layers[:1]}


def test_of_two_who_make_the_same_run_one_succeeds(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mkdir = Path.mkdir

    def twice(path: Path, *args: Any, **kwargs: Any) -> None:
        mkdir(path, *args, **kwargs)
        if path.name == "samples":  # the other one's, a moment before
            mkdir(path, *args, **kwargs)

    monkeypatch.setattr(Path, "mkdir", twice)
    with pytest.raises(FolderTakenError, match=r"run exists and is not empty: choose another out=$"):
        Run.create(tmp / "run", Config(), Config(), DATA)
    assert [p.name for p in (tmp / "run").iterdir()] == ["samples"]  # what the other one made stays


@pytest.mark.parametrize("missing", DATA)
def test_data_without_name_hash_number_or_shape_are_damaged(run: Run, missing: str) -> None:
    run.write_json("data.json", {key: value for key, value in DATA.items() if key != missing})
    with pytest.raises(GanvasError, match=rf"data\.json: {missing} = "):
        assert run.data


def test_create_leaves_a_readable_run_and_takes_no_folder_twice(tmp: Path, run: Run) -> None:
    assert Run.open(run.path).config == Config() and run.total_nimg is None and run.data == DATA
    with pytest.raises(UsageError, match=r"exists and is not empty: choose another out=, or `ganvas.resume"):
        Run.create(run.path, Config(), Config(), DATA)
    (tmp / "mine").mkdir()
    Run.create(tmp / "mine", Config(), Config(), DATA)  # an empty folder will do
    (tmp / "photos").mkdir()
    (tmp / "photos" / "cat.png").write_bytes(b"")
    with pytest.raises(UsageError, match=r"choose another out=$"):
        Run.create(tmp / "photos", Config(), Config(), DATA)
    assert [p.name for p in (tmp / "photos").iterdir()] == ["cat.png"]


def test_a_run_that_cannot_be_made_whole_leaves_nothing(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(GanvasError, match="No space left on device; free some space"):
            Run.create(tmp / "run", Config(), Config(), DATA)
    assert not (tmp / "run").exists()
    Run.create(tmp / "run", Config(), Config(), DATA)


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("operation", "what"), [("fsync", "checkpoint"), ("rename", "checkpoint"), ("replace", "config")]
)
def test_a_full_disk_leaves_the_old_files_and_says_so(
    run: Run, monkeypatch: pytest.MonkeyPatch, operation: str, what: str
) -> None:
    save(run, 10)
    with monkeypatch.context() as patched:
        patched.setattr(os, operation, full)
        with pytest.raises(GanvasError, match="No space left on device; free some space"):
            save(run, 20) if what == "checkpoint" else run.write_config(Config(seed=1), Config())
    assert latest(run) == (10, [])
    assert run.config.seed == 0
    assert not list(run.path.rglob("*.part"))


def test_a_failed_write_says_where_and_what_to_do(tmp: Path) -> None:
    (tmp / "file").write_bytes(b"")
    with pytest.raises(GanvasError, match=r"cannot write .*file.*Not a directory; choose another folder"):
        Run.create(tmp / "file" / "run", Config(), Config(), DATA)
    with pytest.raises(GanvasError, match="here: Permission denied; choose another folder"), writing_to(Path("here")):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (None, UsageError, "is no run directory"),
        ("{}", UsageError, "was not written by ganvas"),
        ('{"schema_version": "1"}', UsageError, "was not written by ganvas"),
        ("[]", GanvasError, "is not a JSON object"),
        ('{"schema_version": 1', GanvasError, "config.json cannot be read"),
        ('{"schema_version": 99}', GanvasError, "schema version 99, this ganvas knows up to 2: update ganvas"),
        ('{"schema_version": 1}', GanvasError, "expected an object"),
        (
            '{"schema_version": 1, "config": {"sed": 1}}',
            GanvasError,
            "config.json: config.sed: no such setting; did you mean seed",
        ),
        ('{"schema_version": 1, "config": {}, "total_nimg": "9"}', GanvasError, "total_nimg = '9'"),
    ],
)
def test_what_is_no_run_is_named(tmp: Path, content: str | None, kind: type[Exception], message: str) -> None:
    (tmp / "run").mkdir()
    if content is not None:
        (tmp / "run" / "config.json").write_text(content)
    with pytest.raises(kind) as caught:
        opened = Run.open(tmp / "run")
        assert opened.config and opened.total_nimg
    assert message in str(caught.value)
    if content is not None:
        assert listing.rows(tmp)[0]["state"].startswith("unreadable")


def test_run_names_count_on(tmp: Path) -> None:
    assert next_path(tmp / "runs", Config()).name == "0001-cifar-dcgan-cifar10-s0"
    (tmp / "runs" / "0041-x").mkdir(parents=True)
    (tmp / "runs" / "notes").mkdir()
    own = Config(seed=3, data=Config().data.__class__(name="/home/me/my cats.zip"))
    assert next_path(tmp / "runs", own).name == "0042-cifar-dcgan-my-cats-s3"
    assert next_path(tmp, Config(data=Config().data.__class__(name="점"))).name == "0001-cifar-dcgan-data-s0"


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}", b"PK\3\4 no tensors", b"\xff" * 64])
def test_tensors_of_others_are_refused(tmp: Path, content: bytes) -> None:
    (tmp / "x.safetensors").write_bytes(content)
    with pytest.raises(GanvasError, match=r"x\.safetensors (is truncated or no safetensors|was not written by ganvas)"):
        load_tensors(tmp / "x.safetensors")
