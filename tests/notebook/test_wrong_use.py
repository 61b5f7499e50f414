"""What cannot be meant is refused in one line that says what to do; an interrupted save harms nothing."""

from __future__ import annotations

import os
import threading

import pytest
import torch
from torch import nn

import ganvas
from ganvas.errors import GanvasError, UsageError
from ganvas.notebook.gan import GAN
from ganvas.notebook.run import Run
from learner import make_discriminator, make_generator
from notebook.test_gan import QUICK

WRONG = [None, 7, 1.5, object(), b"x", nn.Linear(1, 1), {"a": 1}, Run]
TAKES_NONE = ("recipes", "tricks", "experiment")


FUNCTIONS = ["data", "report", "doctor", "resume", "compare", "load", "sample", "recipes", "tricks", "runs"]
FUNCTIONS += ["experiment", "evaluate", "from_keras", "submit", "quiz"]
ARGUMENTS = ["tricks", "settings", "seeds", "d_loss", "g_loss", "out", "epochs", "batch", "device"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_wrong_kind_is_refused_by_every_function(name):
    for wrong in WRONG:
        if wrong is None and name in TAKES_NONE:
            continue
        with pytest.raises(GanvasError) as caught:
            getattr(ganvas, name)(wrong)
        assert "\n" not in str(caught.value) and len(str(caught.value)) < 400, (name, wrong)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_a_wrong_kind_is_refused_by_fit(name, shapes, in_tmp):
    gan = GAN(make_generator, make_discriminator)
    for wrong in ("x y", 1.5, object(), {"a": object()}):
        if (name, wrong) in [("out", "x y"), ("epochs", 1.5)]:
            continue
        with pytest.raises(UsageError) as caught:
            gan.fit(shapes, display=False, **{"kimg": None if name == "epochs" else 0.016, name: wrong})
        assert "\n" not in str(caught.value)
    assert not os.path.exists("runs")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ganvas.train({"a": 1}), "a recipe is named by a text"),
        (lambda: ganvas.train("quick", tricks=7), "give a list of names"),
        (lambda: ganvas.train("quick", settings=7), "by dotted name"),
        (lambda: GAN(make_generator, make_discriminator, recipe={"a": 1}), "a recipe is named by a text"),
        (lambda: GAN(make_generator, make_discriminator, latent_dim=1.5), "the length of z"),
        (lambda: GAN(Run, make_discriminator), r"G: Run\(\) cannot be called without arguments"),
        (lambda: GAN(make_generator, lambda width: nn.Linear(width, 1)), "D: <lambda>.* cannot be called without"),
        (lambda: Run.open(7), "by the path of its folder"),
        (lambda: ganvas.experiment("quick", vary={"g_optim.lr": 1}), "give each setting a list"),
        (lambda: ganvas.experiment("course", on=2), r"on = 2: write tcp://HOST:PORT"),
        (lambda: ganvas.experiment("course", threads=2), "threads= needs on="),
        (lambda: ganvas.experiment("course", on="local:2", jobs=2), "jobs= and on= are incompatible"),
        (lambda: ganvas.data(torch.zeros(4, 8, 8), class_names=7), "class_names = 7"),
    ],
)
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(UsageError, match=message):
        call()


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("epoch", r"fit\(\) takes no epoch=; did you mean epochs\?"),
        ("batch_size", "did you mean batch"),
        ("lr", "settings="),
    ],
)
def test_an_argument_that_fit_does_not_have(word, message, shapes):
    with pytest.raises(UsageError, match=message):
        GAN(make_generator, make_discriminator).fit(shapes, **{word: 5})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ganvas.train("quick", minute=5), r"train\(\) takes no minute=; did you mean minutes\?"),
        (lambda: ganvas.resume("x", kimgs=5), r"resume\(\) takes no kimgs=; did you mean kimg\?"),
        (lambda: ganvas.compare("a", "b", feature=["x"]), r"compare\(\) .* did you mean features\?.*lang, features"),
        (lambda: ganvas.animate("cifar10", "gif", second=1), r"animate\(\) takes no second=; did you mean seconds"),
        (lambda: ganvas.data("shapes", sise=16), r"data\(\) takes no sise=; did you mean size\?"),
        (lambda: GAN("quick", latent=16), r"GAN\(\) takes no latent=; did you mean latent_dim\? \(it takes generator"),
        (lambda: ganvas.submit("x", nme="y"), r"submit\(\) takes no nme=; did you mean name"),
        (lambda: ganvas.load("cifar10").show(16, lable="cat"), r"show\(\) takes no lable=; did you mean label\?"),
    ],
)
def test_an_argument_that_a_function_does_not_have(call, message):
    with pytest.raises(UsageError, match=message):
        call()


def test_labels_of_another_length(shapes):
    with pytest.raises(GanvasError, match=r'labels are \[10\] for 64 images: .*; labels="ignore" uses the images'):
        ganvas.data(shapes.images.images, [0, 1] * 5)
    assert ganvas.data(shapes.images.images, "ignore").images.labels is None


def test_a_kernel_interrupted_while_it_saves_keeps_the_old_checkpoint(shapes, in_tmp, monkeypatch):
    """KeyboardInterrupt at each operation of a checkpoint's write, as a notebook's stop button raises it."""
    run = GAN(make_generator, make_discriminator).fit(shapes, **QUICK)
    before, _ = run.latest_checkpoint()
    tensors = {name: (before.path / f"{name}.safetensors").read_bytes() for name in before.state["sha256"]}
    for operation in ("fsync", "rename"):

        def interrupted(*_args: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(os, operation, interrupted)
            with pytest.raises(KeyboardInterrupt):
                run.save_checkpoint(before.nimg + 16, tensors, {})
        after, problems = run.latest_checkpoint()
        assert after.nimg == before.nimg and problems == []
        assert all((after.path / f"{name}.safetensors").read_bytes() == content for name, content in tensors.items())
    run.save_checkpoint(before.nimg + 16, tensors, {})  # what was left does not stand in the way
    assert run.latest_checkpoint()[0].nimg == before.nimg + 16


def test_a_run_that_trains_in_another_thread_is_not_trained_twice(shapes, in_tmp):
    run = GAN(make_generator, make_discriminator).fit(shapes, **QUICK)
    told: list[str] = []

    def again() -> None:
        try:
            ganvas.resume(run, kimg=0.016, data=shapes.images.images, progress=False, report=False)
        except GanvasError as error:
            told.append(str(error))

    with run.writing():
        thread = threading.Thread(target=again)
        thread.start()
        thread.join()
    assert len(told) == 1 and "\n" not in told[0] and run.path.name in told[0]
