"""A learner's networks, trained as everything else is: fresh each time, resumable, comparable."""

from __future__ import annotations

import copy
import functools
import signal

import numpy as np
import pytest
import torch
from torch import nn

import ganvas
from ganvas.errors import UsageError
from ganvas.notebook.fresh import FreshNetwork
from ganvas.notebook.gan import GAN
from ganvas.notebook.register import own_loss
from ganvas.notebook.run import Run, Runs
from learner import make_discriminator, make_generator

QUICK = {
    "kimg": 0.064, "batch": 16, "display": False,
    "settings": {
        "engine.dtype": "float32", "engine.conv": "direct", "engine.layout": "channels_last", "engine.threads": 1,
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def first(shapes, tmp_path_factory):
    where = tmp_path_factory.mktemp("first")
    return GAN(make_generator, make_discriminator).fit(shapes, out=where / "run", **QUICK)


def test_it_trains_and_everything_reads_the_run(first):
    assert isinstance(first, Run) and first.finished
    assert first.rows("metrics")[-1]["nimg"] == 64
    rows = first.networks["discriminator"]
    assert [row.kind for row in rows] == ["Conv 5x5 s2", "LeakyReLU 0.3", "Dropout 0.3", "Flatten", "Dense"]
    assert first.generator.sample(4).shape == (4, 3, 16, 16)
    assert "own-" in first.config.recipe and first.config.step.batch == 16
    assert first.report().path.is_file()


def test_the_networks_that_were_given_stay_untouched(shapes, in_tmp):
    G, D = make_generator(), make_discriminator()
    before = [p.clone() for p in (*G.parameters(), *D.parameters())]
    gan = GAN(G, D)
    run, again = gan.fit(shapes, **QUICK), gan.fit(shapes, **QUICK)
    assert all(torch.equal(a, b) for a, b in zip(before, (*G.parameters(), *D.parameters()), strict=True))
    assert run.path != again.path  # a finished training is not gone on with: fresh networks, the same weights
    a, b = run.generator.network.state_dict(), again.generator.network.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a["network.0.weight"], G.state_dict()["0.weight"])


def test_seeds_draw_other_weights_from_a_factory(shapes, in_tmp):
    runs = GAN(make_generator, make_discriminator).fit(shapes, seeds=2, **QUICK)
    assert isinstance(runs, Runs) and [run.config.seed for run in runs] == [0, 1]
    weights = [run.generator.network.state_dict()["network.0.weight"] for run in runs]
    assert not torch.equal(*weights)
    assert runs[0].config.recipe == runs[1].config.recipe  # so they are one group to compare


def test_seeds_of_a_module_need_layers_that_can_begin_again(shapes, in_tmp):
    runs = GAN(make_generator(), make_discriminator()).fit(shapes, seeds=[3, 4], **QUICK)
    assert [run.config.seed for run in runs] == [3, 4]

    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner, self.gain = make_generator(), nn.Parameter(torch.ones(1))

        def forward(self, z):
            return (self.inner(z) * self.gain).tanh()

    with pytest.raises(UsageError, match="give the functions that make your networks"):
        GAN(Own(), make_discriminator()).fit(shapes, seeds=2, **QUICK)


def test_stopped_the_same_call_goes_on_bit_for_bit(shapes, in_tmp, monkeypatch):
    """With dropout, which draws from torch's global generator."""
    gan = GAN(make_generator, make_discriminator)
    whole = gan.fit(shapes, out="whole", **QUICK)

    from ganvas.training.trainer import Trainer

    update, calls = Trainer.__call__, []

    def stop_at_second(self, *args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            signal.raise_signal(signal.SIGINT)
        return update(self, *args, **kwargs)

    monkeypatch.setattr(Trainer, "__call__", stop_at_second)
    stopped = gan.fit(shapes, **QUICK)  # no KeyboardInterrupt: saved and returned
    assert not stopped.finished and "stopped early" in repr(stopped)
    torch.manual_seed(99)  # the learner's own draws in between change nothing
    torch.rand(3)
    on = gan.fit(shapes, **QUICK)
    assert on.path == stopped.path and on.finished
    a, b = whole.generator.network.state_dict(), on.generator.network.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_training_leaves_the_global_generator_alone(shapes, in_tmp):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    GAN(make_generator, make_discriminator).fit(shapes, **QUICK)
    assert torch.equal(torch.get_rng_state(), before)


def test_own_losses_are_the_ones_that_train(shapes, in_tmp):
    bce = nn.functional.binary_cross_entropy_with_logits

    def d_loss(real, fake):
        return bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))

    def g_loss(fake):
        return bce(fake, torch.ones_like(fake))

    gan = GAN(make_generator, make_discriminator)
    ours = gan.fit(shapes, out="ours", **QUICK)
    theirs = gan.fit(shapes, out="theirs", d_loss=d_loss, g_loss=g_loss, **QUICK)
    assert theirs.config.loss.name.startswith("own-")
    np.testing.assert_allclose(theirs.history["loss/d"], ours.history["loss/d"], rtol=1e-4)
    twice = gan.fit(shapes, out="twice", d_loss=lambda real, fake: 2 * d_loss(real, fake), **QUICK)
    np.testing.assert_allclose(twice.history["loss/d"][:1], 2 * ours.history["loss/d"][:1], rtol=0.1)
    with pytest.raises(UsageError, match=r"d_loss returns \[2\]"):
        gan.fit(shapes, out="wrong", d_loss=lambda real, fake: real[:2], **QUICK)
    with pytest.raises(UsageError, match="d_loss returns a float"):
        gan.fit(shapes, out="wrong2", d_loss=lambda real, fake: 0.0, **QUICK)


class Scaled(nn.Module):
    """The same layers, whatever it does with them."""

    def __init__(self, scale):
        super().__init__()
        self.inner, self.scale = make_generator(), scale

    def forward(self, z):
        return torch.tanh(self.scale * self.inner(z))


class Shifted(Scaled):
    def forward(self, z):
        return torch.tanh(self.scale + self.inner(z))


def test_networks_with_the_same_layers_are_told_apart_by_what_they_do():
    def text(make):
        return FreshNetwork(make, "G").text.replace("Shifted", "Scaled")

    texts = [text(lambda: Scaled(1.0)), text(lambda: Scaled(2.0)), text(lambda: Shifted(1.0))]
    assert len(set(texts)) == 3 and text(lambda: Scaled(1.0)) == texts[0]


def weighted(weight, form=torch.sigmoid):
    return lambda real, fake: weight * form(fake - real).mean()


def test_losses_with_the_same_text_are_told_apart_by_their_values():
    losses = [weighted(1.0), weighted(2.0), functools.partial(weighted(1.0)), weighted(1.0)]
    names = [own_loss("bce", loss, None) for loss in losses]
    assert names[0] != names[1] and names[0] == names[3]
    bare = [eval(f"lambda real, fake: torch.{name}(fake - real).mean()", {"torch": torch}) for name in ("sin", "cos")]
    assert len({own_loss("bce", loss, None) for loss in bare}) == 2  # without a source


@pytest.mark.parametrize("seeds", [0, -2, [], [1, 1]])
def test_seeds_that_are_none_or_twice(shapes, in_tmp, seeds):
    with pytest.raises(UsageError, match="give how many, 1 or more, or different ones"):
        GAN(make_generator, make_discriminator).fit(shapes, seeds=seeds, **QUICK)


def test_trained_networks_are_refused(shapes):
    G = make_generator()
    G(torch.randn(4, 10))  # in training mode: its batch normalisation has seen images
    with pytest.raises(UsageError, match="G has been trained or called in training mode"):
        GAN(G, make_discriminator())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("quick", make_discriminator), "is a recipe with both networks"),
        ((make_generator,), "needs both networks"),
        ((make_generator, 3), "D is a int"),
        ((make_generator, lambda: "no network"), "D made a str"),
        (("qick",), "did you mean quick"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(UsageError, match=message):
        GAN(*arguments)


def test_settings_of_the_data_are_those_by_which_it_is_read(shapes, in_tmp):
    read = GAN("quick").fit("shapes", **{**QUICK, "settings": {**QUICK["settings"], "data.limit": 40, "data.size": 16}})
    assert read.data["n"] == 40 and read.config.data.limit == 40
    with pytest.raises(UsageError, match=r"data\.limit = 30: these images were read already; give ganvas\.data"):
        GAN("quick").fit(shapes, settings={"data.limit": 30})


def test_a_recipe_by_name(shapes, in_tmp, capsys):
    small = {"generator.width": 0.125, "discriminator.width": 0.125, "evaluate.final": 0}
    gan = GAN("cifar-dcgan")
    run = gan.fit(shapes, **{**QUICK, "settings": {**QUICK["settings"], **small}})
    assert run.config.recipe == "cifar-dcgan" and run.finished
    gan.summary(shapes)
    out = capsys.readouterr().out
    assert "generator" in out and "1,455,552" not in out  # the whole one is for 32 px


def test_summary_counts_as_keras_does(capsys):
    GAN("fashion-dcgan").summary()
    assert "2,330,944" in capsys.readouterr().out


def test_steps_are_the_training_of_fit(first, shapes):
    gan = GAN(make_generator, make_discriminator)
    seen = list(gan.steps(shapes, epochs=1, settings={"step.batch": 16, "engine.threads": 1}))
    assert [step.number for step in seen] == [1, 2, 3, 4] and seen[-1].nimg == 64
    step = seen[-1]
    assert set(step.g_gradients) == {name for name, _ in step.G.named_parameters()}
    assert step.real.shape == (16,) and "D's loss" in repr(step)
    a, b = step.G.state_dict(), first.generator.network.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)


def test_a_step_shows_the_images_and_z_that_it_learned_from(shapes):
    gan = GAN(make_generator, lambda: nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 1)))  # no dropout
    steps = gan.steps(shapes, settings={"step.batch": 16, "engine.threads": 1})
    before = next(steps)
    G, D = copy.deepcopy(before.G), copy.deepcopy(before.D)
    step = next(steps)
    assert step.images.shape == (16, 3, 16, 16) and step.images.min() >= -1 and step.z.shape == (16, 10)
    torch.testing.assert_close(D(step.images).logits, step.real)
    torch.testing.assert_close(D(G(step.z)).logits, step.fake)


def test_public_names():
    assert ganvas.GAN is GAN and issubclass(Run, ganvas.runs.run.Run)
