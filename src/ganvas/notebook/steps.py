"""A training, update by update, open to be looked at: the same code as in `fit`, without a run directory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import Tensor, nn

from ganvas import models
from ganvas.config import Config
from ganvas.datasets import ImageSet
from ganvas.errors import UsageError
from ganvas.training import backend
from ganvas.training.backend import Engine
from ganvas.training.batch import Batch
from ganvas.training.budget import budget_end
from ganvas.training.checkpoint import fresh_state
from ganvas.training.initial import fit_eigenimages
from ganvas.training.setup import settle_labels
from ganvas.training.step import UpdateResult
from ganvas.training.trainer import Trainer


@dataclass(frozen=True)
class Step:
    """What one update saw, and the networks after it. Logits are those before the update."""

    number: int
    """1 for the first update."""
    nimg: int
    """Real images that D has seen."""
    G: nn.Module
    D: nn.Module
    images: Tensor
    """The real images of the update, [n, c, h, w] in [-1, 1]; with several steps of D, of the last."""
    z: Tensor
    """What G made its fakes from, [n, z]."""
    real: Tensor
    """D's logits of the real images, [n]."""
    fake: Tensor
    """D's logits of the fakes, [n]."""
    d_loss: float
    g_loss: float
    d_gradients: dict[str, Tensor]
    """Parameter -> gradient of D's loss, penalties included."""
    g_gradients: dict[str, Tensor]

    def __repr__(self) -> str:
        return (
            f"Step {self.number}: D's loss {self.d_loss:.3f}, G's loss {self.g_loss:.3f}, D calls "
            f"{(self.real > 0).float().mean():.0%} of the real images real and {(self.fake <= 0).float().mean():.0%} "
            "of the fakes fake"
        )


def walk(config: Config, images: ImageSet) -> Iterator[Step]:
    """Yield a Step after each update, to the end of the budget, which is in images."""
    config = settle_labels(config, images)
    engine_config = backend.resolve(replace(config.engine, dtype="float32", layout="channels_last", conv="direct"))
    engine = Engine(engine_config)
    n = len(images.images)
    total, deadline = budget_end(config.budget, n, 0, 0.0)
    if total is None or deadline is not None:
        raise UsageError("steps() takes its budget in epochs")
    state = fresh_state(config, images.images.shape[1:], engine, models.num_classes(config, images.class_names))
    fit_eigenimages(state, config, images)
    trainer, number = Trainer(config, images, engine), 0
    while state.nimg < total:
        trainer(state, min(state.nimg / total, 1.0))
        result, drawn = trainer.last, trainer.last_batch
        assert result is not None and drawn is not None
        number += 1
        yield _step(number, state.nimg, state.networks.generator, state.networks.discriminator, drawn, result)


def _step(number: int, nimg: int, G: nn.Module, D: nn.Module, drawn: Batch, result: UpdateResult) -> Step:
    batch = result.batch
    return Step(
        number=number,
        nimg=nimg,
        G=G,
        D=D,
        images=drawn.real,
        z=drawn.z,
        real=batch.real.detach(),
        fake=batch.fake.detach(),
        d_loss=float(batch.d_loss.mean()),
        g_loss=float(batch.g_loss.mean()),
        d_gradients=dict(zip((name for name, _ in D.named_parameters()), batch.d_grads, strict=True)),
        g_gradients=dict(zip((name for name, _ in G.named_parameters()), batch.g_grads, strict=True)),
    )
