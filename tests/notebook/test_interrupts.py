"""What a kernel meets: interrupts in the middle of a save, two trainings at once, devices that are absent."""

from __future__ import annotations

import threading

import pytest
import torch

from ganvas import api
from ganvas.config import EngineConfig
from ganvas.errors import UsageError
from ganvas.notebook.gan import GAN
from ganvas.notebook.run import Run
from ganvas.runs import listing
from ganvas.runs import run as run_folder
from ganvas.training import backend
from learner import make_discriminator, make_generator
from notebook.test_gan import QUICK

SAVING = {**QUICK, "settings": {**QUICK["settings"], "log.checkpoint_kimg": 0.016}}
"""A checkpoint after each of the four updates."""


def weights(run: Run) -> dict[str, torch.Tensor]:
    return run.generator.network.state_dict()


@pytest.mark.parametrize("part", ["generator.safetensors", "state.json"])
def test_interrupted_while_it_saves_the_old_checkpoint_stays_whole_and_the_cell_goes_on(
    shapes, in_tmp, monkeypatch, part
):
    gan = GAN(make_generator, make_discriminator)
    whole = gan.fit(shapes, out="whole", **SAVING)
    write = run_folder.write_file

    def interrupted(path, content, flush=True):
        if path.name == part and path.parent.name == "000000032.part":
            write(path, content[:20], flush)
            raise KeyboardInterrupt
        write(path, content, flush)

    with monkeypatch.context() as patched:
        patched.setattr(run_folder, "write_file", interrupted)
        with pytest.raises(KeyboardInterrupt):
            gan.fit(shapes, **SAVING)
    (row,) = listing.rows(in_tmp / "runs")
    run = Run(row["run"])
    checkpoint, problems = run.latest_checkpoint()
    assert checkpoint is not None and checkpoint.nimg == 16 and problems == [] and not run.is_locked()
    assert row["state"] == "broken off" and (run.path / "checkpoints" / "000000032.part").is_dir()

    on = gan.fit(shapes, **SAVING)  # the same cell again
    assert on.path.samefile(run.path) and on.finished
    assert not list((on.path / "checkpoints").glob("*.part"))
    assert all(torch.equal(value, weights(on)[name]) for name, value in weights(whole).items())


def test_a_training_that_ended_in_nan_is_not_gone_on_with(shapes, in_tmp):
    gan = GAN(make_generator, make_discriminator)
    first = gan.fit(shapes, **SAVING)
    for event in ("stop", "nan"):
        first.event(event, 64)
        again = gan.fit(shapes, **SAVING)
        assert (again.path == first.path) == (event == "stop")


def test_what_comes_after_the_end_leaves_a_run_finished(shapes, in_tmp):
    run = GAN(make_generator, make_discriminator).fit(shapes, **QUICK)
    run.event("evaluated", 64)
    assert run.finished and listing.rows(in_tmp / "runs")[0]["state"] == "finished"


def test_a_second_training_while_one_runs_is_refused_and_leaves_nothing(shapes, in_tmp):
    gan = GAN(make_generator, make_discriminator)
    alone = gan.fit(shapes, out="alone", **QUICK)
    said: list[UsageError] = []

    def begin_another() -> None:
        try:
            gan.fit(shapes, out="another", **QUICK)
        except UsageError as error:
            said.append(error)

    def hook(event):
        if event.kind == "row":
            thread = threading.Thread(target=begin_another)
            thread.start()
            thread.join()

    run = Run(api.create_run(alone.config, shapes.images, "first").path)
    assert api.run_training(run, shapes.images, [hook])
    assert len(said) == len(run.rows("metrics")) and "already: wait for it or stop it" in str(said[0])
    assert not (in_tmp / "another").exists()
    assert all(torch.equal(value, weights(run)[name]) for name, value in weights(alone).items())
    begin_another()
    assert Run("another").finished  # once the first has ended


@pytest.mark.parametrize("given", ["made", "factory"])
def test_networks_without_values(given):
    with torch.device("meta"):
        G = make_generator()
    for network in (G, make_generator().to("meta")):
        with pytest.raises(UsageError, match="G is on the device meta, where tensors have no values"):
            GAN(network if given == "made" else lambda network=network: network, make_discriminator)


def test_a_device_that_is_not_here(shapes, in_tmp, monkeypatch):
    """As in Colab without a GPU: auto takes the CPU, cuda is refused and leaves nothing."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    gan = GAN(make_generator, make_discriminator)
    assert gan.fit(shapes, out="auto", **QUICK).rows("env")[0]["device"] == "cpu"
    with pytest.raises(UsageError, match=r"device cuda is not here \(found: 1 cpu\)"):
        gan.fit(shapes, **{**QUICK, "device": "cuda"})
    assert not (in_tmp / "runs").exists()


def test_auto_is_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert backend.resolve(EngineConfig()).device == "cuda"
