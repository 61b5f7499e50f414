"""Images given in Python: every kind, to the byte; as data of a training, of evaluation and of the doctor."""

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from conftest import TINY
from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets import as_images
from ganvas.diagnostics.checks import check_data
from ganvas.errors import GanvasError, UsageError

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (12, 3, 16, 16), dtype=np.uint8)
GREY = RGB[:, :1]
NHWC = RGB.transpose(0, 2, 3, 1)
LABELS = [5, 5, 2, 2, 9, 5, 2, 9, 9, 5, 2, 2]
CLASSES = [1, 1, 0, 0, 2, 1, 0, 2, 2, 1, 0, 0]


class Pairs(torch.utils.data.Dataset):
    """A torch Dataset of (image, label)."""

    def __init__(self, image, label=int):
        self.image, self.label = image, label

    def __len__(self):
        return len(RGB)

    def __getitem__(self, i):
        return self.image(i), self.label(LABELS[i])


def picture(i):
    return Image.fromarray(NHWC[i])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (RGB, RGB),
        (NHWC, RGB),
        (RGB / np.float32(255), RGB),
        (NHWC / 127.5 - 1, RGB),
        (NHWC.astype(np.float32), RGB),
        (torch.from_numpy(RGB), RGB),
        (torch.from_numpy(RGB / np.float32(127.5) - 1).requires_grad_(), RGB),
        (GREY[:, 0], GREY),
        (GREY[:, 0].reshape(12, 256), GREY),
        ([GREY[i, 0] for i in range(12)], GREY),
        (list(RGB), RGB),
        (list(torch.from_numpy(RGB / np.float32(255))), RGB),
        ([picture(i) for i in range(12)], RGB),
        ((picture(i) for i in range(12)), RGB),
        ([Image.fromarray(GREY[i, 0]) for i in range(12)], GREY),
        ([Image.fromarray(GREY[i, 0].astype(np.uint16) * 257) for i in range(12)], GREY),
        (np.repeat(GREY, 3, axis=1), np.repeat(GREY, 3, axis=1)[:, :1]),
    ],
)
def test_every_kind_gives_the_same_bytes(given, expected):
    found = as_images(given, progress=False)
    np.testing.assert_array_equal(found.images, expected)
    assert (found.name, found.labels) == ("in-memory", None)
    assert found.notes[0].startswith("given as ")


@pytest.mark.parametrize(
    "given",
    [
        Pairs(picture),
        Pairs(picture, lambda label: torch.tensor(label)),
        Pairs(lambda i: torch.from_numpy(RGB[i] / np.float32(255)), np.int64),
        Pairs(lambda i: NHWC[i]),
        torch.utils.data.TensorDataset(torch.from_numpy(RGB), torch.tensor(LABELS)),
        torch.utils.data.DataLoader(Pairs(lambda i: torch.from_numpy(RGB[i])), batch_size=5),
        [{"image": picture(i), "label": LABELS[i]} for i in range(12)],
        ((picture(i), LABELS[i]) for i in range(12)),
    ],
)
def test_datasets_bring_labels(given):
    found = as_images(given, progress=False)
    np.testing.assert_array_equal(found.images, RGB)
    assert (found.labels.tolist(), found.class_names) == (CLASSES, ("2", "5", "9"))


@pytest.mark.parametrize(
    ("labels", "names", "expected", "class_names"),
    [
        (LABELS, (), CLASSES, ("2", "5", "9")),
        (torch.tensor(CLASSES), ("ant", "bee", "cat"), CLASSES, ("ant", "bee", "cat")),
        (np.eye(3)[CLASSES], ("ant", "bee", "cat"), CLASSES, ("ant", "bee", "cat")),
        (np.array(["b", "b", "a", "a", "c", "b", "a", "c", "c", "b", "a", "a"]), (), CLASSES, ("a", "b", "c")),
    ],
)
def test_labels_given_beside(labels, names, expected, class_names):
    found = as_images(NHWC, labels, names, progress=False)
    assert (found.labels.tolist(), found.class_names) == (expected, class_names)


def test_names_of_a_dataset_are_used():
    dataset = Pairs(picture, lambda label: [2, 5, 9].index(label))
    dataset.classes = ["ant", "bee", "cat"]
    assert as_images(dataset, progress=False).class_names == ("ant", "bee", "cat")


def test_size_channels_and_limit_of_the_config():
    found = as_images(NHWC, LABELS, config=DataConfig(size=20, channels=1, limit=6), progress=False)
    assert found.images.shape == (6, 1, 20, 20)
    assert sorted(found.labels.tolist()) == [0, 0, 1, 1, 2, 2]
    again = as_images(found, config=DataConfig(size=20, channels=1, limit=6), progress=False)
    assert again.sha256 == found.sha256


def test_pictures_of_many_sizes_become_one():
    pictures = [Image.fromarray(RNG.integers(0, 256, (30 + i, 40, 3), dtype=np.uint8)) for i in range(4)]
    assert as_images(pictures, progress=False).images.shape == (4, 3, 32, 32)
    assert as_images(pictures, config=DataConfig(size=24), progress=False).images.shape == (4, 3, 24, 24)


def test_one_line_says_what_was_read(capsys):
    as_images(NHWC / np.float32(255))
    said = "in-memory: given as float32 [12, 16, 16, 3], values from 0 to 1, read as [n, c, h, w] [12, 3, 16, 16]"
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "error", "reason"),
    [
        (7, UsageError, "data is a int: give a path, an array"),
        ([], UsageError, "there is no image"),
        ({"image": RGB}, UsageError, "a dict of image: give one of them"),
        ([object()], UsageError, "item 0 holds a object"),
        ([RGB[0], RGB[1][:, :8]], GanvasError, "shapes differ.*pictures of Pillow"),
        (RGB.astype(np.float32) / 5, GanvasError, r"run from 0 to 51: save \[0, 1\]"),
        (RGB[:, :2], GanvasError, r"\[12, 2, 16, 16\]"),
        ([(picture(0), 1), (picture(1), None)], GanvasError, "1 of 2 images have no label"),
    ],
)
def test_what_is_unclear_is_one_line(given, error, reason):
    with pytest.raises(error, match=reason) as caught:
        as_images(given, progress=False)
    assert "\n" not in str(caught.value)


def test_labels_that_do_not_fit_are_an_error():
    with pytest.raises(GanvasError, match=r"labels are \[3\] for 12 images"):
        as_images(RGB, [1, 2, 3], progress=False)
    with pytest.raises(UsageError, match="go with images given in Python"):
        as_images("shapes", [1, 2, 3], progress=False)


SMALL = {**TINY, "data.limit": None, "data.labels": "auto", "step.batch": 4}


def test_train_and_resume(tmp_path, capsys):
    """A run of images given in Python goes on with the same images, and with no others."""
    out = tmp_path / "run"
    settings = {**SMALL, "budget.kimg": 0.04}
    del settings["data.name"]
    run = ganvas.train("cifar-dcgan", data=NHWC, labels=LABELS, out=out, settings=settings, report=False)
    assert (run.config.data.name, run.data["class_names"]) == ("in-memory", ["2", "5", "9"])
    assert "in-memory: given as uint8" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"given in Python.*ganvas.resume\(run, data=...\)"):
        ganvas.resume(out, kimg=0.04, report=False)
    with pytest.raises(GanvasError, match="no longer what"):
        ganvas.resume(out, data=NHWC[::-1], labels=LABELS, kimg=0.04, report=False)
    before = run.latest_checkpoint()[0].nimg
    again = ganvas.resume(out, data=RGB / np.float32(255), labels=LABELS, kimg=0.04, report=False, progress=False)
    assert again.latest_checkpoint()[0].nimg > before
    assert datasets.IN_MEMORY not in datasets.SOURCES
    with pytest.raises(UsageError, match="labels and class_names go with data"):
        ganvas.train("cifar-dcgan", labels=LABELS)


def test_evaluate_takes_them_on_either_side(tmp_path, monkeypatch):
    """The same scores as from a file of the same images."""
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path / "cache"))
    shapes = datasets.load(DataConfig("shapes", limit=400), progress=False).images
    fakes, real = shapes[:200], shapes[200:]
    np.savez(tmp_path / "fakes.npz", fakes)
    np.savez(tmp_path / "real.npz", real)
    wishes = {"features": ["pixel_features:look"], "metrics": ["fd"], "sets": 1, "progress": False}
    (from_file,) = ganvas.evaluate(tmp_path / "fakes.npz", reference=str(tmp_path / "real.npz"), **wishes)
    (given,) = ganvas.evaluate(
        fakes.transpose(0, 2, 3, 1), reference=torch.from_numpy(real / np.float32(255)), **wishes
    )
    assert given.value == from_file.value and given.n == from_file.n
    assert (given.source, given.reference) == ("in-memory", "in-memory")


def test_the_doctor_reads_them():
    results = check_data(RGB)
    assert results and all(result.state in ("good", "advice", "bad") for result in results)


def test_while_available_they_have_one_split():
    images = as_images(RGB, LABELS, progress=False)
    with datasets.available(images):
        assert datasets.load(DataConfig(datasets.IN_MEMORY), progress=False).sha256 == images.sha256
        with pytest.raises(UsageError, match="no split 'test'"):
            datasets.load(DataConfig(datasets.IN_MEMORY, split="test"), progress=False)
        assert datasets.unseen(DataConfig(datasets.IN_MEMORY), 3) is None
    with pytest.raises(UsageError, match="given in Python"):
        datasets.load(DataConfig(datasets.IN_MEMORY), progress=False)
