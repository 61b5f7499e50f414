"""Generators for use: from a run, from a snapshot alone, from a checkpoint alone; and what is no generator."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import ganvas
from conftest import tiny, trained
from ganvas import training
from ganvas.config import SCHEMA_VERSION, to_dict
from ganvas.disk import load_tensors, save_tensors
from ganvas.errors import GanvasError, UsageError
from ganvas.run import Run
from ganvas.sampler import Sampler, load


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
    loaded = load(run.path).generator.state_dict()
    assert all(torch.equal(loaded[name], average[name]) for name in average)
    assert not torch.equal(loaded["dense.weight"], plain["dense.weight"])


def test_an_image_is_a_function_of_seed_and_index(finished: Run) -> None:
    sampler = load(finished.path)
    eight = sampler.sample(8)
    np.testing.assert_array_equal(sampler.sample(8), eight)
    assert np.abs(sampler.sample(4).astype(int) - eight[:4]).max() <= 1  # another batch may round another way
    assert np.abs(sampler.sample(300)[:8].astype(int) - eight).max() <= 1  # 256 are drawn at a time
    assert (sampler.sample(8, seed=1) != eight).any(axis=(1, 2, 3)).all()
    assert len(np.unique(eight.reshape(8, -1), axis=0)) == 8


def test_a_grid_is_a_picture(finished: Run) -> None:
    picture = load(finished.path).grid(10, columns=4)
    assert picture.size == (64, 48) and picture.mode == "RGB"


def test_loading_leaves_training_mode_and_the_given_device(finished: Run) -> None:
    sampler = ganvas.load(finished.path, device="cpu")
    assert isinstance(sampler, Sampler)
    sampler.sample(1)
    assert not sampler.generator.training
    with pytest.raises(UsageError, match="device cuda:99 is not here"):
        load(finished.path, device="cuda:99")


@pytest.mark.parametrize("n", [0, -1])
def test_no_images_is_no_request(finished: Run, n: int) -> None:
    with pytest.raises(UsageError, match=f"n = {n}: ask for 1 image or more"):
        load(finished.path).sample(n)


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
    assert set(metadata) == {"schema_version", "config", "shape", "nimg", "ema"} and metadata["ema"] is True
    assert str(finished.path) not in json.dumps(metadata)


def test_nothing_there_is_a_request_that_cannot_be_right(tmp: Path) -> None:
    with pytest.raises(UsageError, match=r"nope does not exist: name a run directory or a \.safetensors"):
        load(tmp / "nope")
    with pytest.raises(UsageError, match="is no run directory"):
        load(tmp)


def test_loading_leaves_the_threads_of_a_training_alone(finished: Run) -> None:
    torch.set_num_threads(2)
    try:
        load(finished.path).sample(1)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)
