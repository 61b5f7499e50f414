"""Each loss against its formula, and the accuracy rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits as torch_bce

from conftest import tiny
from ganvas.config import LossConfig
from ganvas.models.critique import Critique
from ganvas.training.batch import BatchResult
from ganvas.training.losses import (
    LOSSES,
    Targets,
    classification_loss,
    draw_targets,
    feature_matching,
    within_class_variety,
)
from ganvas.training.step import UpdateResult
from ganvas.training.train_metrics import balanced_threshold, columns, train_metrics

CPU = torch.device("cpu")


def pairs(scale: float = 1.0, n: int = 64) -> tuple[Tensor, Tensor]:
    real, fake = (torch.randn(n, generator=torch.Generator().manual_seed(i)) * scale for i in (0, 1))
    return real, fake


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


FORMULAS = {
    "bce": (lambda r, f: -np.log(sigmoid(r)) - np.log(1 - sigmoid(f)), lambda r, f: -np.log(sigmoid(f))),
    "least-squares": (lambda r, f: ((r - 1) ** 2 + f**2) / 2, lambda r, f: (f - 1) ** 2 / 2),
    "hinge": (lambda r, f: np.maximum(0, 1 - r) + np.maximum(0, 1 + f), lambda r, f: -f),
    "wasserstein": (lambda r, f: f - r, lambda r, f: -f),
    "relativistic": (lambda r, f: -np.log(sigmoid(r - f)), lambda r, f: -np.log(sigmoid(f - r))),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_says_the_truth_of_itself(name: str) -> None:
    """Measured: whether targets count, whether D's loss rises with D(fake), at which logit an image is called real."""
    loss, logits = LOSSES[name], torch.linspace(-6, 6, 49)
    real, fake = (x.flatten() for x in torch.meshgrid(logits, logits, indexing="ij"))
    soft = Targets(torch.full_like(real, 0.9), torch.full_like(real, 0.1))
    assert loss.has_targets == (not torch.equal(loss.d(real, fake, None), loss.d(real, fake, soft)))
    leaf = fake.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss.d(real, leaf, None).sum(), leaf)
    assert loss.rises_with_fake == bool((slope > 0).all())
    if loss.threshold is not None:  # there D's loss is as large for a real image as for a fake one
        at = torch.tensor([loss.threshold])
        sides = [torch.autograd.grad(loss.d(x := at.clone().requires_grad_(), at, None).sum(), x)[0],
                 torch.autograd.grad(loss.d(at, x := at.clone().requires_grad_(), None).sum(), x)[0]]  # fmt: skip
        torch.testing.assert_close(sides[0], -sides[1])


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_its_formula(name: str) -> None:
    real, fake = pairs()
    for found, formula in zip((LOSSES[name].d(real, fake, None), LOSSES[name].g(real, fake)), FORMULAS[name],
                              strict=True):  # fmt: skip
        np.testing.assert_allclose(found.numpy(), formula(real.double().numpy(), fake.double().numpy()), rtol=2e-5)


@pytest.mark.parametrize("name", LOSSES)
def test_d_wants_real_images_higher_and_g_wants_fakes_higher(name: str) -> None:
    real, fake = (torch.zeros(1, requires_grad=True) for _ in range(2))
    on_real, on_fake = torch.autograd.grad(LOSSES[name].d(real + 0.3, fake + 0.2, None).sum(), (real, fake))
    (by_g,) = torch.autograd.grad(LOSSES[name].g(real.detach() + 0.3, fake + 0.2).sum(), fake)
    assert on_real < 0 < on_fake and by_g < 0


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_says_truly_whether_g_compares(name: str) -> None:
    real, fake = pairs()
    changed = not torch.equal(LOSSES[name].g(real, fake), LOSSES[name].g(real + 1, fake))
    assert LOSSES[name].compares == changed


@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0])
@pytest.mark.parametrize("targets", [None, Targets(torch.full((64,), 0.9), torch.full((64,), 0.2))])
def test_bce_is_cross_entropy_on_logits(scale: float, targets: Targets | None) -> None:
    real, fake = pairs(scale)
    t_real, t_fake = targets or (torch.ones(64), torch.zeros(64))
    expected = torch_bce(real, t_real, reduction="none") + torch_bce(fake, t_fake, reduction="none")
    torch.testing.assert_close(LOSSES["bce"].d(real, fake, targets), expected)
    torch.testing.assert_close(LOSSES["bce"].g(real, fake), torch_bce(fake, torch.ones(64), reduction="none"))


def test_least_squares_aims_at_its_targets() -> None:
    targets = Targets(torch.tensor([0.9]), torch.tensor([0.2]))
    at_targets = LOSSES["least-squares"].d(torch.tensor([0.9]), torch.tensor([0.2]), targets)
    assert at_targets.item() == 0


@pytest.mark.parametrize("name", ["bce", "relativistic"])
def test_a_loss_stays_finite_and_keeps_its_gradient_where_d_is_sure(name: str) -> None:
    fake = torch.tensor([-1e4, 1e4], requires_grad=True)
    real = torch.zeros(2)
    assert LOSSES[name].d(real, fake, None).isfinite().all()
    (gradient,) = torch.autograd.grad(LOSSES[name].g(real, fake).sum(), fake)
    assert gradient.tolist() == [-1.0, 0.0]  # non-saturating: G learns most where D rejects it


def test_targets_are_smooth_soft_and_now_and_then_the_wrong_way_round() -> None:
    def drawn(**settings: float) -> Targets:
        found = draw_targets(LossConfig(**settings), 4000, torch.Generator().manual_seed(0), CPU)
        assert found is not None
        return found

    assert draw_targets(LossConfig(), 4, torch.Generator(), CPU) is None
    smooth = drawn(smooth=0.1)
    assert smooth.real.tolist() == pytest.approx([0.9] * 4000) and not smooth.fake.any()
    soft = drawn(soft=0.3)
    assert 0.7 <= soft.real.min() < 0.701 and 0.999 < soft.real.max() <= 1
    assert 0 <= soft.fake.min() < 0.001 and 0.299 < soft.fake.max() <= 0.3
    flipped = drawn(flip=0.05)
    for wrong in ((flipped.real == 0), (flipped.fake == 1)):
        assert abs(wrong.float().mean().item() - 0.05) < 4 * math.sqrt(0.05 * 0.95 / 4000)
    assert not torch.equal(flipped.real == 0, flipped.fake == 1)


def test_a_margin_stops_the_loss_of_classes_that_are_right() -> None:
    logits = torch.tensor([[2.0, 0.5, -1.0], [0.2, 0.0, 0.1], [1.0, 3.0, -2.0]], requires_grad=True)
    labels = torch.tensor([0, 2, 0])
    lacking = classification_loss(Critique(torch.zeros(3), torch.zeros(3, 4), logits), labels, 1.5)
    p = logits.detach().softmax(1)
    torch.testing.assert_close(lacking, torch.tensor([0.0, -p[1, 2].log(), -p[2, 0].log()]))
    (pull,) = torch.autograd.grad(lacking.sum(), logits)
    torch.testing.assert_close(pull, (p - torch.eye(3)[labels]) * torch.tensor([[0.0], [1.0], [1.0]]))


def test_without_class_logits_the_classification_loss_is_0() -> None:
    silent = Critique(torch.zeros(2), torch.zeros(2, 4))
    assert (
        classification_loss(silent, torch.tensor([0, 1])) == classification_loss(silent, torch.tensor([0, 1]), 1.0) == 0
    )
    critique = Critique(torch.zeros(2), torch.zeros(2, 4), torch.eye(2))
    assert classification_loss(critique, None) == classification_loss(critique, None, 1.0) == 0


def test_feature_matching_is_the_squared_distance_of_means() -> None:
    real, fake = torch.tensor([[1.0, 2.0], [3.0, 2.0]]), torch.tensor([[0.0, 1.0], [0.0, 3.0]])
    assert feature_matching(real, fake).item() == pytest.approx(4.0)  # means (2, 2) and (0, 2)


# -- accuracy rules


def update_result(real: Tensor, fake: Tensor, name: str = "bce") -> UpdateResult:
    loss = LOSSES[name]
    found = BatchResult(real, fake, loss.d(real, fake, None), loss.g(real, fake), torch.tensor(0.25))
    return UpdateResult(found, torch.tensor(2.0), torch.tensor(3.0))


def row(real: Tensor, fake: Tensor, name: str) -> dict[str, float]:
    config = tiny({"loss.name": name, "penalty.r1": 1.0})
    return dict(zip(columns(config), train_metrics(update_result(real, fake, name), config).tolist(), strict=True))


def test_accuracy_counts_logits_above_zero_as_real_and_the_notebooks_above_a_half() -> None:
    logits = torch.tensor([-1.0, 0.0, 0.4, 0.5, 0.6])
    found = row(logits, logits, "bce")
    assert found["acc/real"] == pytest.approx(3 / 5)
    assert found["acc/fake"] == pytest.approx(2 / 5)  # a logit of 0 is not called real
    assert found["acc/real_0.5"] == pytest.approx(1 / 5)
    assert found["acc/fake_0.5"] == pytest.approx(3 / 5)
    assert found["logit/real"] == found["logit/fake"] == pytest.approx(0.1)
    assert (found["grad/d"], found["grad/g"], found["penalty"]) == (2.0, 3.0, 0.25)
    assert found["loss/d"] == pytest.approx(float(LOSSES["bce"].d(logits, logits, None).mean()))
    assert found["loss/g"] == pytest.approx(float(LOSSES["bce"].g(logits, logits).mean()))
    assert "acc/pair" not in found


def test_least_squares_is_right_above_a_half() -> None:
    found = row(torch.tensor([0.4, 0.6]), torch.tensor([0.45, 0.7]), "least-squares")
    assert (found["acc/real"], found["acc/fake"]) == (0.5, 0.5)
    assert "acc/real_0.5" not in found


@pytest.mark.parametrize("name", ["relativistic", "wasserstein"])
def test_losses_that_compare_count_pairs_and_balance_the_rest(name: str) -> None:
    real, fake = torch.tensor([5.0, 6.0, 7.0, 8.0]), torch.tensor([4.0, 6.5, 5.5, 9.0])
    found = row(real, fake, name)
    assert found["acc/pair"] == 0.5
    assert found["acc/real"] == found["acc/fake"] == 0.5
    shifted = row(real + 100, fake + 100, name)
    assert {key: shifted[key] for key in found if key.startswith("acc/")} == {
        key: found[key] for key in found if key.startswith("acc/")
    }


def test_the_balanced_threshold_errs_alike_on_both_sides() -> None:
    for seed in range(20):
        real, fake = torch.randn(2, 33, generator=torch.Generator().manual_seed(seed))
        limit = balanced_threshold(real + 0.7, fake)
        assert (real + 0.7 > limit).sum() == (fake <= limit).sum()


def test_variety_is_the_spread_of_fakes_within_their_classes_over_that_of_real_images() -> None:
    real, fake = (torch.randn(9, 2, 3, 3, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    labels = torch.tensor([0, 1, 2, 1, 1, 0, 3, 2, 1])  # class 3 is there once: no spread

    def spread(images: Tensor) -> float:
        rows = images.numpy().reshape(9, -1).astype(np.float64)
        of = [rows[labels.numpy() == k] for k in range(4)]
        return math.sqrt(sum(((x - x.mean(0)) ** 2).sum() for x in of))

    assert within_class_variety(real, fake, labels).item() == pytest.approx(spread(fake) / spread(real), rel=1e-5)
    assert within_class_variety(real, 3 * real + labels[:, None, None, None], labels).item() == pytest.approx(
        3, rel=1e-5
    )
    assert within_class_variety(real, real[labels], labels).item() == pytest.approx(0, abs=1e-3)
    assert within_class_variety(real, fake, torch.arange(9)).item() == 1
