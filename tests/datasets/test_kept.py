"""Decoded sets in the cache, and images that stand on disk: the same as from memory, whatever goes wrong."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import trained
from ganvas import datasets
from ganvas.cli.main import main
from ganvas.config import DataConfig
from ganvas.datasets import ImageSet, cache, kept, scratch
from ganvas.datasets.pictures import gather, worker
from ganvas.datasets.pictures import reader as pictures
from ganvas.datasets.pictures.decode import Form
from ganvas.datasets.scratch import Mapped
from ganvas.diagnostics.checks.run import check_data

N = 40


@pytest.fixture(autouse=True)
def _small_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every set here is a large one: on disk, read from it a few images at a time."""
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))
    for module in (scratch, kept):
        monkeypatch.setattr(module, "IN_MEMORY", 1000)
    monkeypatch.setattr(scratch, "RESIDENT", 4000)
    monkeypatch.setattr(scratch, "SPARE", 0)
    yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for k in range(N):
        path = tmp_path / "set" / "ab"[k % 2] / f"{k:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (20, 18, 3), dtype=np.uint8)).save(path)
    (tmp_path / "set" / "a" / "broken.png").write_bytes(b"no")
    return tmp_path / "set"


def load(folder: Path, **fields: Any) -> ImageSet:
    return datasets.load(DataConfig(str(folder), **{"size": 16, **fields}), progress=False)


def in_memory(folder: Path, monkeypatch: pytest.MonkeyPatch, **fields: Any) -> ImageSet:
    """The same set as it is read without any file of ours."""
    with monkeypatch.context() as patch:
        for module in (scratch, kept):
            patch.setattr(module, "IN_MEMORY", 1 << 30)
        patch.setattr(kept, "find", lambda key: None)
        found = load(folder, **fields)
    assert not isinstance(found.images, Mapped)
    return found


def assert_same(a: ImageSet, b: ImageSet) -> None:
    np.testing.assert_array_equal(a.images, b.images)
    np.testing.assert_array_equal(a.labels, b.labels)  # type: ignore[arg-type]
    for name in ("name", "class_names", "sha256", "source", "skipped", "own_sizes", "notes", "found", "fit"):
        assert getattr(a, name) == getattr(b, name), name


def no_reading(*_: object) -> None:
    raise AssertionError("it was read again")


@pytest.mark.parametrize(
    "fields", [{}, {"channels": 1}, {"classes": ("b",)}, {"limit": 20}, {"fit": "pad"}, {"size": 32}]
)
def test_the_second_start_maps_what_the_first_one_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fields: dict[str, Any]
) -> None:
    expected = in_memory(folder, monkeypatch, **fields)
    first = load(folder, **fields)
    assert isinstance(first.images, Mapped)
    assert_same(first, expected)
    capsys.readouterr()
    monkeypatch.setattr(pictures, "read", no_reading)
    second = load(folder, **fields)
    assert isinstance(second.images, Mapped)
    assert_same(second, expected)
    if not fields:
        assert "1 files skipped, such as a/broken.png" in capsys.readouterr().err


def test_grey_pictures_on_disk_get_one_channel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in folder.rglob("[0-9]*.png"):
        Image.open(path).convert("L").save(path)
    assert load(folder).images.shape == (N, 1, 16, 16)
    assert_same(load(folder), in_memory(folder, monkeypatch))


def test_any_change_of_the_files_or_of_the_request_is_read_again(folder: Path) -> None:
    keys = {kept.key_of(folder, DataConfig(str(folder)), "pictures").name}

    def changed(**fields: Any) -> bool:
        before = len(keys)
        keys.add(kept.key_of(folder, DataConfig(str(folder), **fields), "pictures").name)
        return len(keys) > before

    assert not changed(flip=True, held_out=0.1, labels="auto") or not changed(labels="use")
    for field in (
        {"size": 20},
        {"channels": 1},
        {"split": "test"},
        {"limit": 9},
        {"classes": ("a",)},
        {"frames": "all"},
    ):
        assert changed(**field), field
    path = folder / "a" / "00.png"
    os.utime(path, ns=(1, 1))
    assert changed()
    path.rename(folder / "a" / "zz.png")
    assert changed()
    (folder / "b" / "new.png").write_bytes(b"")
    assert changed()
    (folder / "b" / ".DS_Store").write_bytes(b"")
    assert not changed()


def test_a_table_of_labels_elsewhere_counts(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    names = set()
    for text in ("file,label", "file,label\n1,a"):
        table.write_text(text)
        names.add(kept.key_of(folder, DataConfig(str(folder), label_from=str(table)), "pictures").name)
    assert len(names) == 2


def test_a_set_that_moved_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(folder)
    moved = folder.rename(folder.with_name("moved"))
    monkeypatch.setattr(pictures, "read", no_reading)
    second = load(moved)
    assert (second.name, second.sha256) == ("moved", first.sha256)
    assert second.source.startswith(f"{moved}: ")


@pytest.mark.parametrize("damage", ["flip", "cut", "facts", "labels"])
def test_a_damaged_set_is_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    load(folder)
    ((home, _, _),) = kept.listed()
    content = bytearray((home / "images.u8").read_bytes())
    content[5000] ^= 1
    if damage == "flip":
        (home / "images.u8").write_bytes(content)
    elif damage == "cut":
        (home / "images.u8").write_bytes(content[:-1])
    elif damage == "facts":
        (home / "facts.json").write_text('{"shape": [1, 2]}')
    else:
        (home / "labels.npy").unlink()
    capsys.readouterr()
    second = load(folder)
    assert "is damaged" in capsys.readouterr().err
    assert_same(second, in_memory(folder, monkeypatch))
    assert len(kept.listed()) == 1


@pytest.mark.parametrize("fault", ["file in the way", "full when opened", "full while writing", "cannot be kept"])
def test_without_room_on_disk_images_stay_in_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    expected = in_memory(folder, monkeypatch)

    def full(*_: object) -> Any:
        raise OSError(28, "No space left on device")

    if fault == "file in the way":
        cache.root().write_text("no folder")
    elif fault == "full when opened":
        monkeypatch.setattr(scratch, "SPARE", 1 << 60)
    elif fault == "full while writing":
        monkeypatch.setattr(gather, "AT_ONCE", 16)
        put, calls = scratch.Store.put, iter((False, True, False, False, False, False))

        def failing(store: scratch.Store, at: int, images: np.ndarray) -> None:
            if next(calls, False) and store.file is not None:
                store._to_memory(at, OSError(28, "No space left on device"))
            put(store, at, images)

        monkeypatch.setattr(scratch.Store, "put", failing)
    else:
        monkeypatch.setattr(kept, "_write", full)
    capsys.readouterr()
    found = load(folder)
    assert "memory" in (said := capsys.readouterr().err) or "not kept" in said
    assert_same(found, expected)


def test_the_set_that_was_not_used_for_longest_makes_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for size in (16, 20, 24):
        load(folder, size=size)
    ages = {facts["shape"][-1]: home / "facts.json" for home, _, facts in kept.listed()}
    for age, size in enumerate((20, 24, 16)):
        os.utime(ages[size], (1000 + age, 1000 + age))
    monkeypatch.setattr(kept, "LIMIT", sum(size for _, size, _ in kept.listed()))
    load(folder, size=16)  # in use again
    load(folder, size=18)
    assert sorted(facts["shape"][-1] for _, _, facts in kept.listed()) == [16, 18, 24]
    assert "leave the data cache" in capsys.readouterr().err


def test_what_dead_processes_left_is_removed(folder: Path) -> None:
    left = scratch.scratch_folder() / "999999999-x.u8"
    left.write_bytes(b"0" * 100)
    own = scratch.scratch_folder() / f"{os.getpid()}-y.u8"
    own.write_bytes(b"0" * 100)
    load(folder)
    assert not left.exists() and own.exists()
    assert [path.name for path in scratch.scratch_folder().iterdir()] == [own.name]


def test_the_command_lists_and_clears(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load(folder)
    capsys.readouterr()
    assert main(["data", "cache"]) == 0
    said = capsys.readouterr().out
    assert f"{folder}: {N} x 3 x 16 x 16" in said and "at most 20 GiB" in said
    assert main(["data", "cache", "--clear"]) == 0
    assert kept.listed() == []


def test_training_on_mapped_images_is_bit_for_bit_the_same(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "data.name": str(folder),
        "data.size": 16,
        "data.limit": None,
        "data.labels": "auto",
        "data.held_out": 0.5,
    }
    run = trained(tmp_path / "mapped", changes)
    for module in (scratch, kept):
        monkeypatch.setattr(module, "IN_MEMORY", 1 << 30)
    monkeypatch.setattr(kept, "find", lambda key: None)
    plain = trained(tmp_path / "plain", changes)
    assert run.data == plain.data
    for name in ("metrics", "monitor"):
        rows, expected = run.rows(name), plain.rows(name)
        assert [{k: v for k, v in row.items() if k not in ("sec", "cpu_sec", "img_s")} for row in rows] == [
            {k: v for k, v in row.items() if k not in ("sec", "cpu_sec", "img_s")} for row in expected
        ]


def test_whole_sets_are_looked_at_in_parts(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    get = Mapped.__getitem__

    def watched(images: Mapped, index: Any) -> Any:
        found = get(images, index)
        taken.append(len(found) if found.ndim == 4 else 1)
        return found

    monkeypatch.setattr("ganvas.datasets.pixels.PART", 8)
    monkeypatch.setattr(Mapped, "__getitem__", watched)
    found = load(folder)
    (report,) = datasets.check(str(folder))
    assert max(taken) == 8
    values = np.array(found.images)
    assert (report.n, report.low, report.high, report.duplicates) == (N, values.min(), values.max(), 0)
    assert check_data(str(folder))
    assert datasets.preview(found).size[0] > 0


@pytest.mark.parametrize(
    "index",
    [np.array([3, 0, 39, 3]), np.array([-1, 5]), np.array([[1, 2], [38, 0]]), np.arange(0), np.arange(40) % 3 == 0],
)
def test_mapped_images_are_taken_as_from_an_array(folder: Path, index: np.ndarray) -> None:
    images = load(folder).images
    values = np.array(images)
    assert isinstance(images, Mapped) and type(images[index]) is np.ndarray
    np.testing.assert_array_equal(images[index], values[index])
    images[index][:] = 0  # a copy
    np.testing.assert_array_equal(images[3], values[3])
    with pytest.raises(IndexError):
        images[np.array([0, N])]


def test_many_pictures_are_decoded_by_processes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = in_memory(folder, monkeypatch)
    monkeypatch.setattr(gather, "MANY", 1)
    monkeypatch.setattr(gather, "AT_ONCE_EACH", 7)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    started: list[worker.Worker] = []
    begin = worker.Worker.__init__
    monkeypatch.setattr(worker.Worker, "__init__", lambda self, form: (begin(self, form), started.append(self))[0])
    assert_same(load(folder), expected)
    assert len(started) == 2 and all(w.process.poll() is not None for w in started)


def test_a_file_that_ends_its_process_is_skipped(folder: Path) -> None:
    """The third file of five kills the decoder; halving finds it."""
    contents = [path.read_bytes() for path in sorted(folder.rglob("[0-9]*.png"))[:5]]
    one = worker.Worker(Form(16))
    ask = worker.Worker._ask

    def killed(self: worker.Worker, some: list[bytes]) -> Any:
        if contents[2] in some:
            self.process.kill()
            self.process.wait()
        return ask(self, some)

    try:
        one._ask = killed.__get__(one)  # type: ignore[method-assign]
        part = one.decode(contents)
    finally:
        one.close()
    assert [file.n for file in part.files] == [1, 1, 0, 1, 1]
    assert part.files[2].problem == "its decoder crashed" and len(part.images) == 4


def test_deep_pictures_and_scales_through_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k, value in enumerate((0, 2048, 4095)):
        (tmp_path / "deep").mkdir(exist_ok=True)
        Image.fromarray(np.full((16, 16), value, np.uint16)).save(tmp_path / "deep" / f"{k}.png")
    monkeypatch.setattr(gather, "MANY", 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    raw = load(tmp_path / "deep")
    assert raw.images[:, 0, 0, 0].tolist() == [0, 128, 255]


def test_files_beside_a_file_belong_to_what_is_kept(tmp_path: Path) -> None:
    """Labels and the other split, in files of their own, may change while the file that is named does not."""
    images = np.random.default_rng(0).integers(0, 256, (4, 20, 20), dtype=np.uint8)
    path = tmp_path / "kmnist-train-imgs.npz"
    np.savez(path, images)
    before: dict[str, list[Any]] = {}
    for labels, test in (([0, 1, 0, 1], images), ([0, 1, 0, 1], images[::-1]), ([1, 1, 0, 0], images)):
        for name, values in (("train-labels", np.array(labels)), ("test-imgs", test)):
            if (written := values.tolist()) != before.get(name):
                np.savez(tmp_path / f"kmnist-{name}.npz", values)
            before[name] = written
        assert load(path, size=20).labels.tolist() == labels
        np.testing.assert_array_equal(load(path, size=20, split="test").images[:, 0], test)
