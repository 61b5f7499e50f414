"""The loss against torch's, and the accuracy rule."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as torch_bce

from ganvas.losses import LOSSES, Critique, bce
from ganvas.step import STATISTICS, Outcome, statistics


def critique(logits: Tensor) -> Critique:
    return Critique(logits, logits[:, None])


@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0])
def test_bce_is_cross_entropy_on_logits(scale: float) -> None:
    real, fake = (torch.randn(64, generator=torch.Generator().manual_seed(i)) * scale for i in (0, 1))
    d_loss, g_loss = bce(critique(real), critique(fake))
    ones, zeros = torch.ones(64), torch.zeros(64)
    expected = torch_bce(real, ones, reduction="none") + torch_bce(fake, zeros, reduction="none")
    torch.testing.assert_close(d_loss, expected)
    torch.testing.assert_close(g_loss, torch_bce(fake, ones, reduction="none"))


def test_bce_stays_finite_and_keeps_its_gradient_where_d_is_sure() -> None:
    fake = torch.tensor([-1e4, 1e4], requires_grad=True)
    d_loss, g_loss = bce(critique(torch.tensor([-1e4, 1e4])), critique(fake))
    assert d_loss.tolist() == [1e4, 1e4] and g_loss.tolist() == [1e4, 0.0]
    (gradient,) = torch.autograd.grad(g_loss.sum(), fake)
    assert gradient.tolist() == [-1.0, 0.0]  # non-saturating: G learns most where D rejects it


def test_accuracy_counts_logits_above_zero_as_real_and_the_notebooks_above_a_half() -> None:
    real, fake = torch.tensor([-1.0, 0.0, 0.4, 0.5, 0.6]), torch.tensor([-1.0, 0.0, 0.4, 0.5, 0.6])
    d_loss, g_loss = bce(critique(real), critique(fake))
    outcome = Outcome(critique(real), critique(fake), d_loss, g_loss, torch.tensor(2.0), torch.tensor(3.0))
    found = dict(zip(STATISTICS, statistics(outcome, LOSSES["bce"]).tolist(), strict=True))
    assert found["acc/real"] == pytest.approx(3 / 5)
    assert found["acc/fake"] == pytest.approx(2 / 5)  # a logit of 0 is not called real
    assert found["acc/real_0.5"] == pytest.approx(1 / 5)
    assert found["acc/fake_0.5"] == pytest.approx(3 / 5)
    assert found["logit/real"] == found["logit/fake"] == pytest.approx(0.1)
    assert (found["grad/d"], found["grad/g"]) == (2.0, 3.0)
    assert found["loss/d"] == pytest.approx(float(d_loss.mean()))
    assert found["loss/g"] == pytest.approx(float(g_loss.mean()))
