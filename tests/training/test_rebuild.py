"""G that rebuilds images from their eigenimages: which z hold codes, what it costs G, and that runs stay exact."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import tiny, trained
from ganvas import api, generator
from ganvas.errors import UsageError
from ganvas.models.critique import Critique
from ganvas.models.layers.eigenimages import Eigenimages
from ganvas.training import initial, setup
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.losses import thumbnail_distance
from ganvas.training.setup import settle_labels
from ganvas.training.trainer import Trainer

DRAFTS = {
    "generator.family": "resnet",
    "generator.widths": (8, 8),
    "generator.eigenimages": 4,
    "loss.rebuild": 3.0,
    "step.update": "alternating",
}


def trainer(changes: dict[str, Any]) -> tuple[Trainer, TrainState]:
    config = tiny(DRAFTS | changes)
    images = api.load_data(config.data)
    config = settle_labels(config, images)
    engine = Engine(config.engine)
    classes = len(images.class_names) if config.data.labels == "use" else 0
    state = fresh_state(config, images.images.shape[1:], engine, classes)
    initial.fit_eigenimages(state, config, images)
    return Trainer(config, images, engine), state


@pytest.mark.parametrize("labels", ["use", "ignore"])
def test_every_second_z_holds_the_code_of_its_image(labels: str) -> None:
    step, state = trainer({"data.labels": labels})
    G = state.networks.generator
    (drafts,) = (part for part in G.modules() if isinstance(part, Eigenimages))
    batch = step.batch(0, 0.25, 0.0)
    coded = step.coded(batch, G, 0.25)
    torch.testing.assert_close(coded.z[1::2], batch.z[1::2], rtol=0, atol=0)
    torch.testing.assert_close(coded.z[:, 4:], batch.z[:, 4:], rtol=0, atol=0)
    torch.testing.assert_close(coded.z[::2, :4], drafts.encode(batch.real, batch.labels)[::2])
    assert coded.rebuild is not None
    n = len(batch.z)
    assert coded.rebuild.tolist() == pytest.approx([3.0, 0.0] * (n // 2))  # 2 * 3 * (1 - 0.25 / 0.5)
    assert step.coded(batch, G, 0.5) is batch  # from half of the run on G learns from what it will be sampled from


def test_the_loss_of_g_grows_by_the_distance_of_the_thumbnails() -> None:
    step, state = trainer({})
    batch = step.coded(step.batch(0, 0.0, 0.0), state.networks.generator, 0.0)
    fake = state.networks.generator(batch.z, batch.labels).detach()
    critique = Critique(torch.randn(len(fake)), torch.randn(len(fake), 3))
    without = step.objective.g_loss(critique, critique, step.batch(0, 0.0, 0.0), fake)
    loss = step.objective.g_loss(critique, critique, batch, fake)
    assert batch.rebuild is not None
    torch.testing.assert_close(loss - without, batch.rebuild * thumbnail_distance(fake, batch.real))
    assert (loss - without)[::2].min() > 0 and (loss - without)[1::2].abs().max() == 0


def test_one_backward_pass_gives_what_two_give() -> None:
    """The gradient of the distance reaches G beside the one that is read off D's loss."""
    found = {}
    for update in ("one-stage", "simultaneous"):
        changes = {"step.update": update, "loss.name": "wasserstein", "loss.g_weight": 2.0}
        step, state = trainer({**changes, "discriminator.norms": (False, False)})
        assert step.objective.one_pass == (update == "one-stage")
        step(state, 0.25)
        found[update] = step.last.batch
    one, two = found.values()
    torch.testing.assert_close(one.g_loss, two.g_loss)
    for mine, theirs in zip(one.g_grads + one.d_grads, two.g_grads + two.d_grads, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


def test_thumbnails_differ_by_their_mean_absolute_difference() -> None:
    x, y = torch.zeros(2, 3, 32, 32), torch.zeros(2, 3, 32, 32)
    y[1, :, :16] = 0.5
    y[0, :, ::2, ::2], y[0, :, 1::2, 1::2] = 1.0, -1.0  # invisible at 16 px
    assert thumbnail_distance(x, y).tolist() == pytest.approx([0.0, 0.25])
    assert thumbnail_distance(x[..., :9, :9], x[..., :9, :9] - 1).tolist() == pytest.approx([1.0, 1.0])


def test_g_learns_to_rebuild(tmp: Any) -> None:
    """After training the fakes of codes are nearer to their images than those of other images' codes."""
    step, state = trainer({"g_optim.lr": 2e-3})
    for at in range(40):
        step(state, at / 160)
    G = state.networks.generator.eval()
    batch = step.coded(step.batch(0, 0.0, 0.0), G, 0.0)
    with torch.no_grad():
        fake = G(batch.z, batch.labels)[::2]
    real = batch.real[::2]
    assert thumbnail_distance(fake, real).mean() < 0.8 * thumbnail_distance(fake, real.roll(1, 0)).mean()


def test_the_samples_of_a_run_keep_its_eigenimages(tmp: Path) -> None:
    """They are fitted before the first sample grid, and in the snapshot that a generator is loaded from."""
    run = trained(tmp / "run", DRAFTS)
    kept = generator.load(run.path, "cpu").network.state_dict()
    assert kept["drafted.eigenimages.weights"].abs().max() > 0
    _, state = trainer({})
    expected = state.networks.generator.state_dict()
    for name in (name for name in kept if "eigenimages" in name):
        torch.testing.assert_close(kept[name], expected[name], rtol=1e-5, atol=1e-6)
    assert state.sec > 0 and state.cpu_sec > 0  # fitting is training time


@pytest.mark.parametrize("changes", [{"generator.eigenimages": 0}, {"generator.family": "dcgan"}])
def test_without_eigenimages_nothing_is_coded(changes: dict[str, Any]) -> None:
    step, state = trainer(changes)
    batch = step.batch(0, 0.0, 0.0)
    assert step.coded(batch, state.networks.generator, 0.0) is batch


def test_there_are_no_more_eigenimages_than_numbers_of_z() -> None:
    _, state = trainer({"generator.eigenimages": 1000})
    (drafts,) = (part for part in state.networks.generator.modules() if isinstance(part, Eigenimages))
    assert drafts.count == 8


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"generator.eigenimages": -1}, "generator.eigenimages"),
        ({"step.fresh": True}, "step.fresh"),
        ({"step.update": "alternating", "step.fresh": True}, "loss.rebuild"),
        ({"loss.rebuild": -1.0}, "loss.rebuild"),
    ],
)
def test_what_does_not_fit_is_said(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        setup.configure("quick", overrides={**DRAFTS, **changes})
