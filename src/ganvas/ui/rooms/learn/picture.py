"""What is drawn of a toy: fakes, D's field, the way that G's loss falls at each fake, places that are covered."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganvas.training.batch import Batch
from ganvas.training.losses import get_loss
from ganvas.training.train_metrics import balanced_threshold
from ganvas.ui.rooms.learn import points
from ganvas.ui.rooms.learn.toy import Toy

SIDE = 1.2
"""The picture shows [-SIDE, SIDE] in both directions."""
FIELD = 40
"""Logits of D a side."""
SHOWN_REAL = 512
ARROWS = 64
"""Fakes with an arrow."""


def real(toy: Toy) -> list[list[float]]:
    """Real points, as D gets them."""
    return _rounded(toy.images.images[:SHOWN_REAL, :, 0, 0] / 127.5 - 1)


def picture(toy: Toy, rows: int = 0) -> dict[str, Any] | None:
    """What a page draws; rows of the curves from number `rows` on. None where a network is no longer finite.

    field: D's logits [FIELD * FIELD], rows from the top; threshold: the logit between real and fake; fakes [n][x, y];
    arrows [ARROWS][x, y]: minus the gradient of G's loss by the place of a fake.
    """
    fakes, at_grid = toy.fakes(), toy.logits(_grid())
    reals = toy.engine.images(torch.from_numpy(toy.images.images[: len(fakes)]))
    on_real, on_fake = toy.logits(reals), toy.logits(fakes)
    arrows = descent(toy, reals[:ARROWS], fakes[:ARROWS])
    if not all(torch.isfinite(values).all() for values in (fakes, at_grid, arrows)):
        return None
    limit = get_loss(toy.config.loss.name).threshold
    middle = balanced_threshold(on_real, on_fake).item() if limit is None else limit
    places = fakes.flatten(1).numpy()
    count, share = points.covered(toy.settings.data, places)
    return {
        "updates": toy.updates,
        "fakes": _rounded(places),
        "field": _rounded(at_grid.numpy()),
        "threshold": round(middle, 4),
        "logits": {"real": round(on_real.mean().item(), 4), "fake": round(on_fake.mean().item(), 4)},
        "arrows": _rounded(arrows.flatten(1).numpy()),
        "covered": count,
        "places": len(points.POINT_SETS[toy.settings.data].places),
        "share": round(share, 3),
        "outside": int((np.abs(places) > SIDE).any(1).sum()),
        "rows": [{name: round(v, 5) for name, v in row.items()} for row in toy.rows[rows:]],
        "total_rows": len(toy.rows),
    }


def descent(toy: Toy, reals: Tensor, fakes: Tensor) -> Tensor:
    """Minus the gradient of G's loss by each fake [n, 2, 1, 1]: where G is pulled. Nothing of the training changes."""
    objective, n = toy.trainer.objective, len(fakes)
    draws = toy.trainer.augment.draw(n, 0.0, 0.0, torch.Generator())
    batch = Batch(reals, toy.z[:n], None, None, (draws, draws), 0.0, 0.0, 0.0, torch.Generator())
    leaf = fakes.detach().requires_grad_()
    on_real, on_fake = objective.for_g(toy.state.networks.discriminator.eval(), batch, leaf)
    loss = objective.g_weight * objective.g_loss(on_real, on_fake, batch, leaf)
    return -torch.autograd.grad(loss.sum(), leaf)[0]


@cache
def _grid() -> Tensor:
    """The places of the field as images, the top row first; each in the middle of its square."""
    side = ((np.arange(FIELD) + 0.5) / FIELD * 2 - 1) * SIDE
    x, y = np.meshgrid(side, side[::-1])
    return torch.from_numpy(np.stack([x.ravel(), y.ravel()], 1).astype(np.float32))[:, :, None, None]


def _rounded(values: np.ndarray) -> list[Any]:
    found: list[Any] = np.round(values.astype(float), 4).tolist()
    return found
