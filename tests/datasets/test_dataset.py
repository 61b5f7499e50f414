"""The door: requests, selection, size and channels, what cannot be trained on, order and flips, preview."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets.cache import FileSet, Source
from ganvas.datasets.source import from_files
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
TINY_IMAGES = RNG.integers(0, 256, (40, 3, 16, 16), dtype=np.uint8)
TINY_LABELS = np.sort(np.arange(40) % 4)
TINY_CONTENT = TINY_IMAGES.tobytes()


def config(name, **fields) -> DataConfig:
    return DataConfig(name=str(name), **fields)


@pytest.fixture(autouse=True)
def cache_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tiny(monkeypatch):
    """A known set of 40 images in 4 classes, sorted by class."""
    files = FileSet(
        "tiny",
        {"tiny.bin": hashlib.sha256(TINY_CONTENT).hexdigest()},
        (
            Source(
                "a prepared folder",
                lambda folder, _: (folder / "tiny.bin").write_bytes(TINY_CONTENT) and None,
            ),
        ),
    )

    def parse(contents):
        return np.frombuffer(contents["tiny.bin"], np.uint8).reshape(-1, 3, 16, 16), TINY_LABELS

    splits = {"train": (40, ("tiny.bin",)), "test": (40, ("tiny.bin",))}
    known = from_files(files, splits, (3, 16, 16), ("ant", "bee", "cat", "dog"), parse, "matches a table", "none")
    monkeypatch.setitem(datasets.SOURCES, "tiny", known)


@pytest.fixture
def folder(tmp_path):
    for k in range(6):
        path = tmp_path / "pets" / ("cat" if k % 2 else "dog") / f"{k}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (50, 40, 3), dtype=np.uint8)).save(path)
    return tmp_path / "pets"


def test_known_set(tiny):
    found = datasets.load(config("tiny"), progress=False)
    np.testing.assert_array_equal(found.images, TINY_IMAGES)
    assert found.labels.tolist() == TINY_LABELS.tolist()
    assert (found.name, found.source) == ("tiny", "a prepared folder; verified by SHA-256")
    digest = hashlib.sha256(TINY_CONTENT + TINY_LABELS.astype("<i8").tobytes()).hexdigest()
    assert found.sha256 == digest


def test_a_corrupt_cache_is_named_and_never_trained_on(tiny, cache_folder, capsys):
    datasets.load(config("tiny"), progress=False)
    (cache_folder / "tiny" / "tiny.bin").write_bytes(TINY_CONTENT[:-1] + b"!")
    np.testing.assert_array_equal(datasets.load(config("tiny"), progress=False).images, TINY_IMAGES)
    assert "tiny.bin is corrupt" in capsys.readouterr().err


def test_fetch_and_describe(tiny):
    rows = {row.name: row for row in datasets.describe()}
    assert list(datasets.SOURCES) == list(rows)
    assert not rows["tiny"].cached
    assert rows["shapes"].cached
    assert rows["cifar10"].n == {"train": 50_000, "test": 10_000}
    assert rows["fashion-mnist"].shape == (1, 28, 28)
    assert datasets.fetch("tiny", progress=False) == "a prepared folder; verified by SHA-256"
    assert {row.name: row for row in datasets.describe()}["tiny"].cached
    assert "nothing to fetch" in datasets.fetch("shapes")


def test_nothing_reachable_is_one_message(monkeypatch):
    """Every source of a real set fails at its edge: no folder, no network, no client."""
    from ganvas.datasets import download as sources
    from ganvas.datasets.builtin import fashion_mnist
    from ganvas.datasets.cache import SourceError

    def unreachable(*_):
        raise SourceError("cannot be reached")

    monkeypatch.delenv("GANVAS_FASHION_MNIST", raising=False)
    monkeypatch.setattr(fashion_mnist, "other_caches", lambda *_: [])
    monkeypatch.setattr(fashion_mnist, "SYSTEM_FOLDER", fashion_mnist.SYSTEM_FOLDER / "none")
    monkeypatch.setattr(fashion_mnist, "download", unreachable)
    monkeypatch.setattr(sources.shutil, "which", lambda _: None)
    with pytest.raises(GanvasError) as caught:
        datasets.load(config("fashion-mnist"), progress=False)
    message = str(caught.value)
    for part in (
        "$GANVAS_FASHION_MNIST is not set",
        "no such folder",
        "cannot be reached",
        "apt-get is not installed",
        "--data shapes",
    ):
        assert part in message


@pytest.mark.parametrize("size", [8, 28, 64])
@pytest.mark.parametrize("channels", [1, 3])
def test_size_and_channels(tiny, size, channels):
    for name in ("tiny", "shapes"):
        images = datasets.load(config(name, size=size, channels=channels, limit=10), progress=False).images
        assert images.shape == (10, channels, size, size)
        assert images.dtype == np.uint8
        assert images.flags.c_contiguous


def test_shapes_have_defaults_and_any_number():
    assert datasets.load(config("shapes", split="test")).images.shape == (2000, 3, 32, 32)
    assert len(datasets.load(config("shapes", size=8, limit=10_500)).images) == 10_500
    two = datasets.load(config("shapes", size=8, classes=("star", "circle"), limit=30))
    assert two.class_names == ("circle", "star")
    assert np.bincount(two.labels).tolist() == [15, 15]


def test_classes_are_relabelled_in_the_order_of_the_set(tiny):
    found = datasets.load(config("tiny", classes=("dog", "bee")), progress=False)
    assert found.class_names == ("bee", "dog")
    assert found.labels.tolist() == [0] * 10 + [1] * 10
    np.testing.assert_array_equal(found.images[10:], TINY_IMAGES[30:])


def test_limit_is_balanced_and_a_prefix(tiny):
    found = datasets.load(config("tiny", limit=10), progress=False)
    assert found.labels.tolist() == [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    np.testing.assert_array_equal(found.images[5], TINY_IMAGES[11])
    more = datasets.load(config("tiny", limit=17), progress=False)
    np.testing.assert_array_equal(more.images[:10], found.images)
    assert len(datasets.load(config("tiny", limit=1000), progress=False).images) == 40


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "cifar100"}, "no data set or folder is named 'cifar100'.*did you mean cifar10"),
        ({"name": "shape"}, "known sets: cifar10, emoji, fashion-mnist, mnist, shapes.*did you mean shapes"),
        ({"name": "zzz"}, "known sets"),
        ({"name": "./nowhere"}, "'./nowhere' does not exist"),
        ({"name": "photos.zip"}, "'photos.zip' does not exist"),
        ({"name": "shapes", "limit": 1}, "limit must be at least 2"),
        ({"name": "shapes", "limit": -3}, "limit must be at least 2"),
        ({"name": "shapes", "limit": 10**9}, "too large"),
        ({"name": "shapes", "size": 4}, "choose 8 to 128"),
        ({"name": "shapes", "channels": 2}, "1 .grey. or 3"),
        ({"name": "shapes", "split": "val"}, "train or test"),
        ({"name": "shapes", "classes": ("stra",)}, "did you mean star"),
    ],
)
def test_requests_that_cannot_be_right(fields, message):
    with pytest.raises(UsageError, match=message) as caught:
        datasets.load(DataConfig(**fields))
    assert "\n" not in str(caught.value)


def test_own_folder(folder, capsys):
    (folder / "cat" / "broken.png").write_bytes(b"no")
    found = datasets.load(config(folder), progress=False)
    assert found.images.shape == (6, 3, 32, 32)
    assert found.name == "pets"
    assert found.class_names == ("cat", "dog")
    assert found.skipped == ("cat/broken.png: not a picture",)
    assert "1 files skipped, such as cat/broken.png: not a picture" in capsys.readouterr().err
    assert datasets.load(config(folder, size=16, channels=1), progress=False).images.shape == (6, 1, 16, 16)
    with pytest.raises(UsageError, match="16 to 128"):
        datasets.load(config(folder, size=8))


@pytest.mark.parametrize("size", [64, 96, 128])
def test_arrays_above_64_px_are_enlarged_or_kept_only_when_asked(tmp_path, size):
    images = RNG.integers(0, 256, (4, size, size, 3), dtype=np.uint8)
    np.savez(tmp_path / "x.npz", images=images)
    assert datasets.load(config(tmp_path / "x.npz"), progress=False).images.shape[2] == (64 if size == 64 else 32)
    asked = datasets.load(config(tmp_path / "x.npz", size=size), progress=False)
    np.testing.assert_array_equal(asked.images, images.transpose(0, 3, 1, 2))


def test_grey_pictures_get_one_channel(folder):
    for path in folder.rglob("*.png"):
        Image.open(path).convert("L").convert("RGB").save(path)
    assert datasets.load(config(folder), progress=False).images.shape == (6, 1, 32, 32)
    assert datasets.load(config(folder, channels=3), progress=False).images.shape == (6, 3, 32, 32)


def test_own_arrays_keep_a_suitable_size(tmp_path):
    np.savez(tmp_path / "a.npz", x=RNG.integers(0, 256, (9, 28, 28), dtype=np.uint8))
    assert datasets.load(config(tmp_path / "a.npz")).images.shape == (9, 1, 28, 28)
    np.savez(tmp_path / "b.npz", x=RNG.integers(0, 256, (9, 100, 80, 3), dtype=np.uint8))
    assert datasets.load(config(tmp_path / "b.npz", limit=4)).images.shape == (4, 3, 32, 32)


def test_a_known_name_wins_over_a_folder_of_that_name(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    folder.rename(folder.parent / "shapes")
    assert datasets.load(config("shapes", limit=10)).class_names[0] == "circle"
    assert datasets.load(config("./shapes"), progress=False).class_names == ("cat", "dog")


def test_a_file_that_is_no_set(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(UsageError, match="is no data set"):
        datasets.load(config(tmp_path / "x.txt"))


@pytest.mark.parametrize("n", [1, 7])
def test_one_or_identical_images_cannot_be_trained_on(tmp_path, n):
    np.savez(tmp_path / "x.npz", x=np.tile(TINY_IMAGES[:1], (n, 1, 1, 1)))
    with pytest.raises(GanvasError, match="one image" if n == 1 else "all 7 images of .* identical") as caught:
        datasets.load(config(tmp_path / "x.npz"))
    assert "\n" not in str(caught.value)


def test_check_counts_what_there_is(folder, tiny):
    (folder / "cat" / "copy.png").write_bytes((folder / "cat" / "1.png").read_bytes())
    (report,) = datasets.check(str(folder), progress=False)
    assert (report.n, report.shape, report.duplicates) == (7, (3, 32, 32), 1)
    assert report.classes == {"cat": 4, "dog": 3}
    train, test = datasets.check("tiny", progress=False)
    assert (train.split, test.split) == ("train", "test")
    assert train.verified == "matches a table"
    text = "\n".join(train.lines())
    assert text.startswith("tiny: 40 images, 16 x 16 RGB, split train (beside test), 4 classes: ant, bee, cat, dog")
    assert "4 (ant 10, bee 10, cat 10, dog 10)" in text


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
def test_preview_shows_true_colours(labelled, channels):
    found = datasets.load(config("shapes", limit=100, channels=channels))
    found = found if labelled else replace(found, labels=None, class_names=())
    sheet = datasets.preview(found, columns=5)
    assert sheet.mode == "RGB"
    assert sheet.height == 66 * (10 if labelled else 5)
    shown = np.asarray(sheet).reshape(-1, 3)
    blue = (30, 70, 250) if channels == 3 else (79, 79, 79)
    assert (shown == blue).all(axis=1).any()


def test_preview_draws_names_it_has_no_letters_for():
    found = replace(datasets.load(config("shapes", limit=20)), class_names=tuple("고양이강아지새말소양"))
    assert datasets.preview(found).height == 660


@pytest.mark.parametrize("n", [1, 7, 1000])
def test_every_pass_is_a_permutation_of_its_own(n):
    passes = [datasets.order(3, p * n, n, n) for p in range(4)]
    for found in passes:
        np.testing.assert_array_equal(np.sort(found), np.arange(n))
    if n == 1000:
        assert all((passes[0] != other).any() for other in passes[1:])
        assert (datasets.order(4, 0, n, n) != passes[0]).any()


def test_slices_of_the_order_equal_the_whole_and_wrap_into_the_next_pass():
    whole = datasets.order(0, 0, 100, 17)
    assert whole.dtype == np.int64
    for start in range(0, 60, 7):
        for count in (0, 1, 5, 40):
            np.testing.assert_array_equal(datasets.order(0, start, count, 17), whole[start : start + count])
    far = 10**12
    np.testing.assert_array_equal(datasets.order(0, far, 20, 17)[5:], datasets.order(0, far + 5, 15, 17))


def test_order_may_be_changed_by_its_caller():
    first = datasets.order(0, 0, 5, 5)
    first[:] = 0
    np.testing.assert_array_equal(np.sort(datasets.order(0, 0, 5, 5)), np.arange(5))


@pytest.mark.parametrize("wrong", [(0, 0, 5, 0), (0, -1, 5, 5), (0, 0, -1, 5)])
def test_order_refuses_nonsense(wrong):
    with pytest.raises(ValueError, match="expected n >= 1"):
        datasets.order(*wrong)


def test_flips_are_fair_and_slices_equal_the_whole():
    whole = datasets.flips(0, 0, 40_000)
    assert whole.dtype == np.bool_
    assert abs(whole.mean() - 0.5) < 5 * 0.5 / 200
    np.testing.assert_array_equal(datasets.flips(0, 123, 456), whole[123 : 123 + 456])
    assert (datasets.flips(1, 0, 100) != whole[:100]).any()


def test_importing_data_is_light():
    heavy = ("torch", "PIL", "rich", "urllib.request")
    code = f"import sys, ganvas.datasets; print([name for name in {heavy} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


def test_the_other_split_of_your_own_pictures_is_unseen(files):
    files.add(*(f"train/{name}/{k}.png" for name in ("a", "b") for k in range(4)), "val/a/1.png", "val/b/1.png")
    found = datasets.unseen(config(files.at, size=16), 40)
    assert len(found.images) == 2 and found.class_names == ("a", "b") and found.found.split == "val"
    assert datasets.unseen(config(files.at / "train", size=16), 40) is None


def test_a_lone_test_folder_is_not_unseen(files):
    """Its pictures are those that are trained on."""
    files.add(*(f"test/{name}/{k}.png" for name in ("a", "b") for k in range(4)))
    assert len(datasets.load(config(files.at), progress=False).images) == 8
    assert datasets.unseen(config(files.at), 40) is None
    assert [report.n for report in datasets.check(str(files.at), progress=False)] == [8]


def test_one_line_says_what_was_read(files):
    files.add(*(f"train/{name}/{k}.png" for name in ("cat", "dog") for k in range(2)), "val/cat/1.png")
    wide = Image.fromarray(RNG.integers(0, 256, (20, 40, 3), dtype=np.uint8))
    wide.save(files.at / "train" / "cat" / "wide.png")
    line = datasets.load(config(files.at, fit="pad"), progress=False).summary()
    assert line == (
        "set: 5 images, 32 x 32 RGB (from 16 x 16 to 40 x 20; 1 rectangle padded with white), split train "
        "(beside val), 2 classes by folder: cat, dog"
    )


def test_runs_of_before_keep_the_order_of_their_classes(files):
    """Number folders were numbered as text once, 10 before 2: the bytes are found again by the names in data.json."""
    from ganvas.datasets.dataset import in_class_order

    files.add(*(f"{k}/{i}.png" for k in (1, 2, 10) for i in range(2)))
    found = datasets.load(config(files.at), progress=False)
    before = in_class_order(found, ["1", "10", "2"])
    paths = sorted(files.at.rglob("*.png"), key=lambda path: path.relative_to(files.at).parts)
    as_text = [sorted(["1", "2", "10"]).index(path.parent.name) for path in paths]
    assert before.labels.tolist() == as_text and before.class_names == ("1", "10", "2")
    digest = hashlib.sha256(found.images.tobytes() + np.array(as_text, "<i8").tobytes()).hexdigest()
    assert before.sha256 == digest != found.sha256
    assert in_class_order(found, ["1", "2", "3"]) is found


def test_the_line_quotes_class_names_with_commas_as_they_are_typed(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 16, 16), dtype=np.uint8)
    np.savez(tmp_path / "mine.npz", images=images, labels=["salt, pepper", "sugar"])
    line = datasets.load(DataConfig(str(tmp_path / "mine.npz")), progress=False).summary()
    assert line.endswith('2 classes: "salt, pepper", sugar')


def _npz(at: Path, images: np.ndarray) -> None:
    np.savez(at, x_train=images, x_test=255 - images)


def _csv(at: Path, images: np.ndarray) -> None:
    for path, part in ((at, images), (at.with_name("my_test.csv"), 255 - images)):
        path.write_text("\n".join(",".join(map(str, image[..., 0].reshape(-1))) for image in part))


def _mat(at: Path, images: np.ndarray) -> None:
    for path, part in ((at, images), (at.with_name("my_test.mat"), 255 - images)):
        savemat(path, {"X": part.transpose(1, 2, 3, 0)})


@pytest.mark.parametrize(("write", "ending"), [(_npz, "npz"), (_csv, "csv"), (_mat, "mat")])
def test_the_other_split_of_your_own_arrays_is_unseen(tmp: Path, write: Callable[..., None], ending: str) -> None:
    """So that evaluate compares with images that training never saw, as it does for folders."""
    images = np.random.default_rng(0).integers(0, 256, (5, 20, 20, 3), dtype=np.uint8)
    write(tmp / f"my_train.{ending}", images)
    wanted = config(tmp / f"my_train.{ending}", size=20)
    found, other = datasets.load(wanted, progress=False), datasets.unseen(wanted, 5)
    assert ", split train (beside test)" in found.summary()
    assert other is not None and (other.images[:, 0] == 255 - images[..., 0]).all()
