"""Generators for use: from a run, from a snapshot alone, from a checkpoint alone; and what is no generator."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ganvas
from conftest import tiny, trained
from ganvas import generator as sampling
from ganvas import media, process
from ganvas.config import SCHEMA_VERSION, to_dict
from ganvas.errors import GanvasError, UsageError
from ganvas.generator import Generator, load
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors, save_tensors
from ganvas.training import loop as training


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small class-conditional training on the ten shapes."""
    return trained(tmp_path_factory.mktemp("conditional") / "run", {"data.labels": "auto", "g_optim.lr": 0.01})


def test_a_run_and_its_last_snapshot_give_the_same_images(finished: Run, tmp: Path) -> None:
    newest = load(finished.path)
    assert (newest.nimg, newest.shape, newest.path) == (192, (3, 16, 16), finished.snapshots()[-1][1])
    alone = tmp / "alone.safetensors"
    shutil.copy(newest.path, alone)
    images = newest.sample(5, seed=3)
    assert images.shape == (5, 3, 16, 16) and images.dtype == np.uint8
    np.testing.assert_array_equal(load(alone).sample(5, seed=3), images)
    earlier = load(finished.snapshots()[0][1])
    assert earlier.nimg == 96 and (earlier.sample(5, seed=3) != images).any()
    assert newest.config == finished.config


def test_a_checkpoint_will_do_where_there_is_no_snapshot_or_it_is_newer(finished: Run, tmp: Path) -> None:
    run = Run(shutil.copytree(finished.path, tmp / "run"))
    expected = load(run.path).sample(4)
    run.snapshots()[-1][1].unlink()  # leaves the one at 96 images
    assert load(run.path).nimg == 192
    np.testing.assert_array_equal(load(run.path).sample(4), expected)
    shutil.rmtree(run.path / "snapshots")
    np.testing.assert_array_equal(load(run.path).sample(4), expected)
    for path in (run.path / "checkpoints").iterdir():
        (path / "state.json").unlink()
    with pytest.raises(UsageError, match="holds no generator yet: train it first"):
        load(run.path)


@pytest.mark.parametrize("snapshots", [True, False])
def test_samples_come_from_the_average_where_there_is_one(tmp: Path, snapshots: bool) -> None:
    run = trained(tmp / "run", {"step.ema_kimg": 0.1, "g_optim.lr": 0.01})
    checkpoint = run.checkpoints()[-1][1]
    average, plain = (load_tensors(checkpoint / f"{name}.safetensors")[0] for name in ("ema", "generator"))
    if not snapshots:
        shutil.rmtree(run.path / "snapshots")
    loaded = load(run.path).network.state_dict()
    assert all(torch.equal(loaded[name], average[name]) for name in average)
    assert not torch.equal(loaded["dense.weight"], plain["dense.weight"])


def test_an_image_is_a_function_of_seed_and_index(finished: Run) -> None:
    generator = load(finished.path)
    eight = generator.sample(8)
    np.testing.assert_array_equal(generator.sample(8), eight)
    assert np.abs(generator.sample(4).astype(int) - eight[:4]).max() <= 1  # another batch may round another way
    assert np.abs(generator.sample(300)[:8].astype(int) - eight).max() <= 1  # 256 are drawn at a time
    assert (generator.sample(8, seed=1) != eight).any(axis=(1, 2, 3)).all()
    assert len(np.unique(eight.reshape(8, -1), axis=0)) == 8


def test_a_grid_is_a_picture(finished: Run) -> None:
    picture = load(finished.path).grid(10, columns=4)
    assert picture.size == (64, 48) and picture.mode == "RGB"


def test_loading_leaves_training_mode_and_the_given_device(finished: Run) -> None:
    generator = ganvas.load(finished.path, device="cpu")
    assert isinstance(generator, Generator)
    generator.sample(1)
    assert not generator.network.training
    with pytest.raises(UsageError, match="device cuda:99 is not here"):
        load(finished.path, device="cuda:99")


@pytest.mark.parametrize("n", [0, -1])
def test_no_images_is_no_request(finished: Run, n: int) -> None:
    for ask in (load(finished.path).sample, load(finished.path).grid):
        with pytest.raises(UsageError, match=f"n = {n}: ask for 1 image or more"):
            ask(n)


@pytest.mark.parametrize(("n", "words"), [(2.5, "n = 2.5: it must be a whole number"), (10**12, "GB: ask for fewer")])
def test_a_number_of_images_that_cannot_be_had(finished: Run, n: Any, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        load(finished.path)._check_number(n, 1, "n")
    with pytest.raises(UsageError, match="GB: ask for fewer"):
        load(finished.path).sample(10**12)
    with pytest.raises(UsageError, match="columns = 0: it must be 1 or more"):
        load(finished.path).grid(4, columns=0)


# -- classes ---------------------------------------------------------------------------------------------------


def test_classes_by_name_for_each_image(conditional: Run) -> None:
    generator = load(conditional.path)
    np.testing.assert_array_equal(generator.sample(2, labels=["square", 3]), generator.sample(2, labels=[1, 3]))


@pytest.mark.parametrize("labels", [5, [0.5, 1], [None, 1], [[0], [1]]])
def test_labels_that_are_no_classes(conditional: Run, labels: Any) -> None:
    with pytest.raises(UsageError, match=r"give one class, or a list of 2 names or numbers"):
        load(conditional.path)._listed(labels, 2)


def test_a_conditional_generator_knows_its_classes(conditional: Run) -> None:
    generator = load(conditional.path)
    data = conditional.data
    assert generator.class_names == tuple(data["class_names"]) and len(generator.class_names) == 10
    assert generator.class_counts == tuple(data["class_counts"]) and sum(generator.class_counts) == 96
    assert load(conditional.snapshots()[-1][1]).class_names == generator.class_names


def test_a_class_is_asked_for_by_name_or_by_number(conditional: Run) -> None:
    generator = load(conditional.path)
    star = generator.class_names.index("star")
    np.testing.assert_array_equal(generator.sample(6, labels="star"), generator.sample(6, labels=[star] * 6))
    assert (generator.sample(6, labels="star") != generator.sample(6, labels="ring")).any(axis=(1, 2, 3)).all()
    np.testing.assert_array_equal(generator.sample(2, labels="Star"), generator.sample(2, labels="star"))
    mixed = [star, 0, star, 0, 0, star]
    alone = generator.sample(6, labels="star")
    assert np.abs(generator.sample(6, labels=mixed).astype(int) - alone)[[0, 2, 5]].max() <= 1  # of one z and class
    with pytest.raises(UsageError, match=r"no class 'stra'; did you mean star\? \(there are: circle, .*pillar\)"):
        generator.sample(1, labels="stra")
    for wrong in ([0], [10, 0], [-1, 0]):
        with pytest.raises(UsageError, match="labels: expected 2 numbers from 0 to 9"):
            generator.sample(2, labels=wrong)


def test_by_default_classes_come_as_often_as_in_training(finished: Run, conditional: Run) -> None:
    generator = dataclasses.replace(load(conditional.path), class_counts=(60, 30, 10, *(0,) * 7))
    drawn = generator.labels(3000, seed=1)
    assert drawn is not None
    np.testing.assert_allclose(np.bincount(drawn, minlength=10) / 3000, [0.6, 0.3, 0.1, *(0,) * 7], atol=0.03)
    np.testing.assert_array_equal(generator.labels(100, seed=1, start=200), drawn[200:300])
    assert (generator.labels(3000, seed=2) != drawn).any()
    assert load(finished.path).labels(5) is None
    with pytest.raises(UsageError, match="was trained without classes: leave the class out"):
        load(finished.path).sample(1, labels="star")


def test_a_grid_shows_one_class_a_row(conditional: Run) -> None:
    generator = load(conditional.path)
    assert generator.grid().size == (8 * 16, 10 * 16)
    shown = media.tiles(generator.grid(columns=3, seed=2), generator.shape)
    rows = np.arange(30) // 3
    np.testing.assert_array_equal(shown, generator.sample(30, seed=2, labels=rows.tolist()))
    one = media.tiles(generator.grid(4, columns=2, labels="heart"), generator.shape)
    np.testing.assert_array_equal(one, generator.sample(4, labels="heart"))


# -- models that ship ------------------------------------------------------------------------------------------


@pytest.fixture
def weights(tmp: Path, finished: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models that ship, all of them the small training's."""
    folder = tmp / "weights"
    folder.mkdir()
    for name in ("toy-cpu-v1", "toy-cpu-v9", "toy-cpu-v10", "toy-gpu-v11", "other-v2", "toy-classifier-v12"):
        shutil.copy(finished.snapshots()[0][1], folder / f"{name}.safetensors")
    monkeypatch.setattr(sampling, "WEIGHTS", folder)
    monkeypatch.chdir(tmp)
    return folder


@pytest.mark.parametrize(
    ("name", "chosen"),
    [("toy", "toy-cpu-v10"), ("toy-cpu", "toy-cpu-v10"), ("other", "other-v2"), ("toy-gpu", "toy-gpu-v11")],
)
def test_a_name_without_its_version_is_the_newest_and_says_so(
    weights: Path, capsys: pytest.CaptureFixture[str], name: str, chosen: str
) -> None:
    assert sampling.find(name) == weights / f"{chosen}.safetensors"
    assert capsys.readouterr().err == f"{name} is {chosen}\n"


def test_a_whole_name_is_itself_and_a_path_says_so(
    weights: Path, finished: Run, tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load("toy-cpu-v9").path == weights / "toy-cpu-v9.safetensors"
    shutil.copytree(finished.path, tmp / "toy")
    assert sampling.find("./toy") == Path("toy/snapshots/000000192.safetensors")
    assert capsys.readouterr().err == ""


def test_a_name_that_nothing_has_lists_what_ships(weights: Path) -> None:
    with pytest.raises(UsageError, match=r"toi does not exist: .*: other-v2, toy-cpu-v1, toy-cpu-v10, toy-cpu-v9, .*"):
        load("toi")
    for name in ("toy-classifier-v12", "toy-classifier", "toy-cpu-v2", "toy-cpu-v", "cpu", "./toy", "to.*"):
        with pytest.raises(UsageError, match="does not exist"):
            load(name)
    for path in weights.iterdir():
        path.unlink()
    with pytest.raises(UsageError, match=r"name a run directory or a \.safetensors snapshot$"):
        load("toy")


def test_a_shipped_name_wins_over_a_folder_of_that_name(weights: Path, finished: Run) -> None:
    shutil.copytree(finished.path, "toy-cpu-v9")
    assert sampling.find("toy-cpu-v9") == weights / "toy-cpu-v9.safetensors"
    assert sampling.find("./toy-cpu-v9") == Path("toy-cpu-v9/snapshots/000000192.safetensors")


def test_what_ships_is_what_the_folder_of_weights_holds() -> None:
    assert all(load(name).nimg for name in sampling.shipped())


def snapshot(metadata: Any, drop: bool = False) -> bytes:
    config = tiny()
    state = training.models.build_generator(config, (3, 16, 16)).state_dict()
    tensors = {name: value for name, value in state.items() if not drop or name != "dense.weight"}
    good = {"schema_version": 1, "config": to_dict(config), "shape": [3, 16, 16], "nimg": 7, "ema": False}
    return save_tensors(tensors, {**good, **metadata} if isinstance(metadata, dict) else metadata)


def foreign() -> bytes:
    from safetensors.torch import save

    return save({"weight": torch.zeros(3)}, {"format": "pt"})


BROKEN: dict[str, tuple[Any, str]] = {
    "truncated": (lambda: snapshot({})[:-1], "is truncated or no safetensors file"),
    "its head only": (lambda: snapshot({})[:100], "is truncated or no safetensors file"),
    "empty": (lambda: b"", "is truncated or no safetensors file"),
    "a picture": (lambda: b"\x89PNG\r\n\x1a\n" * 9, "is truncated or no safetensors file"),
    "foreign": (foreign, "was not written by ganvas: choose a snapshot or a run directory"),
    "a list for metadata": (lambda: snapshot([1]), "was not written by ganvas"),
    "newer": (lambda: snapshot({"schema_version": SCHEMA_VERSION + 1}), "newer than this ganvas: update ganvas"),
    "a tensor is missing": (lambda: snapshot({}, drop=True), "does not hold the generator it describes .*dense.weight"),
    "another shape": (lambda: snapshot({"shape": [1, 28, 28]}), "does not hold the generator it describes"),
    "no shape at all": (lambda: snapshot({"shape": None}), "does not hold the generator it describes"),
    "half a shape": (lambda: snapshot({"shape": [3]}), "does not hold the generator it describes"),
    "no version": (lambda: snapshot({"schema_version": None}), "does not hold the generator it describes"),
    "images of a kind": (lambda: snapshot({"nimg": "many"}), "does not hold the generator it describes"),
    "an unknown setting": (lambda: snapshot({"config": {"sed": 1}}), "config.sed: no such setting; did you mean seed"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_generator_is_named_in_one_line(tmp: Path, kind: str) -> None:
    content, message = BROKEN[kind]
    (tmp / "x.safetensors").write_bytes(content())
    with pytest.raises(GanvasError, match=rf"x\.safetensors.*{message}") as caught:
        load(tmp / "x.safetensors")
    assert "\n" not in str(caught.value)


def test_a_good_snapshot_made_by_hand_loads(tmp: Path) -> None:
    (tmp / "x.safetensors").write_bytes(snapshot({}))
    assert load(tmp / "x.safetensors").sample(2).shape == (2, 3, 16, 16)


def test_the_metadata_is_json_without_times_or_paths(finished: Run) -> None:
    metadata = load_tensors(finished.snapshots()[-1][1])[1]
    assert set(metadata) == {"schema_version", "config", "shape", "nimg", "ema", "data"} and metadata["ema"] is True
    assert set(metadata["data"]) == {"name", "sha256", "n", "shape", "class_names"}  # which images, not where
    assert str(finished.path) not in json.dumps(metadata)


def test_nothing_there_is_a_request_that_cannot_be_right(tmp: Path) -> None:
    with pytest.raises(UsageError, match=r"nope does not exist: name a run directory or a \.safetensors"):
        load(tmp / "nope")
    with pytest.raises(UsageError, match="is no run directory"):
        load(tmp)


def test_loading_leaves_the_process_alone(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[object] = []
    monkeypatch.setattr(torch, "set_num_threads", calls.append)
    monkeypatch.setattr(process, "keep_freed_memory", lambda: calls.append("malloc"))
    load(finished.path).sample(1)
    assert calls == []
