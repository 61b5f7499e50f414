"""Costs by hand arithmetic: of products one by one, of updates of networks of dense layers."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import ganvas
from conftest import SHIPPED_RECIPES, flags, tiny
from ganvas.cli.main import main
from ganvas.cost import Cost, Subject, cost_of, subject_of
from ganvas.cost.counter import Counter
from ganvas.cost.measured import measure
from ganvas.cost.table import overview, overview_lines
from ganvas.errors import UsageError

DOCS = Path(__file__).parents[2] / "docs"
Z, HIDDEN, PIXELS, BATCH = 4, (8, 6), 3 * 8 * 8, 16
G1 = Z * 8
G = G1 + 8 * 6 + 6 * PIXELS
D1 = PIXELS * 8
D = D1 + 8
"""Multiplications of one image in the first layer and in all layers of G and D."""
DENSE = {
    "generator.family": "mlp", "generator.latent_dim": Z, "generator.base": 8, "generator.widths": (6,),
    "generator.norm": "none", "discriminator.family": "mlp", "discriminator.widths": (8,), "discriminator.norms": (),
    "discriminator.dropout": 0.0, "step.batch": BATCH, "engine.conv": "auto",
}  # fmt: skip
SUBJECT = Subject("none", (3, 8, 8), 0, 100)


def dense(changes: dict[str, object] | None = None) -> Cost:
    return cost_of(tiny({**DENSE, **(changes or {})}), SUBJECT)


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions_forward_and_backward_have_the_products_of_their_weights(groups: int, transposed: bool) -> None:
    x, weight = torch.randn(5, 4, 8, 8, requires_grad=True), torch.randn(4, 6 // groups, 3, 3, requires_grad=True)
    if not transposed:
        weight = torch.randn(6, 4 // groups, 3, 3, requires_grad=True)
    convolve = F.conv_transpose2d if transposed else F.conv2d
    with Counter() as forward:
        y = convolve(x, weight, stride=2, padding=1, groups=groups)
    pixels = 8 * 8 if transposed else 4 * 4
    by_hand = 2 * 5 * pixels * weight.numel()  # every weight once at each pixel of the smaller side
    assert forward.flop == by_hand
    with Counter() as both:
        torch.autograd.grad(y.sum(), (x, weight))
    assert both.flop == 2 * by_hand
    with Counter() as one:
        torch.autograd.grad(convolve(x, weight, stride=2, padding=1, groups=groups).sum(), weight)
    assert one.flop == 2 * by_hand


def test_matrices_and_vectors() -> None:
    with Counter() as counter:
        nn.Linear(3, 5)(torch.zeros(7, 3))
        torch.zeros(4, 6) @ torch.zeros(6)
        torch.relu(torch.zeros(9)) + 1
    assert counter.flop == 2 * (7 * 3 * 5 + 4 * 6)


def test_bytes_alive_and_the_most_of_them() -> None:
    with Counter() as counter:
        kept = torch.zeros(100)
        for _ in range(3):
            passing = kept + 1  # the new one is there before the old one goes
            passing.add_(1)
            passing.view(10, 10)
        assert counter.bytes == 2 * 400
        del passing
    assert (counter.bytes, counter.most_bytes) == (400, 3 * 400)


def test_networks_of_dense_layers() -> None:
    cost = dense()
    assert (cost.g_params, cost.d_params) == (G + 8 + 6 + PIXELS, D + 8 + 1)
    assert (cost.g_forward, cost.d_forward) == (2 * G, 2 * D)
    assert (cost.images, cost.budget, cost.updates) == (BATCH, 192, 12)
    params = cost.g_params + cost.d_params
    assert (cost.weights, cost.averages) == (4 * params, 0)
    assert cost.optimiser == 8 * params + 4 * (6 + 4) + 2 * 8  # Adam's moments, a step for each tensor, its own count
    assert dense({"step.ema_kimg": 1.0}).averages == 4 * cost.g_params
    assert dense({"g_optim.name": "sgd", "g_optim.beta1": 0.0}).optimiser == 8 * cost.d_params + 4 * 4 + 2 * 8


@pytest.mark.parametrize(
    ("update", "products"),
    [
        ("simultaneous", (G + 2 * D) + (2 * G - G1 + D) + 2 * (2 * D - D1)),
        ("one-stage", (G + 2 * D) + (2 * G - G1) + (2 * D - D1) + 2 * D),
        ("alternating", (G + 2 * D) + 2 * (2 * D - D1) + D + (D + 2 * G - G1)),
    ],
)
def test_an_update_of_each_kind(update: str, products: int) -> None:
    """Forward; backward by weights and, but for the first layer, by inputs; G's gradient passes D, not its weights."""
    settings = {"step.update": update}
    assert dense(settings).update == 2 * BATCH * products
    assert dense({**settings, "step.accumulate": 2}).update == 2 * BATCH * products
    adaptive = {**settings, "augment.mirror": True, "augment.adapt": 0.5, "data.held_out": 0.1}
    assert dense(adaptive).update == 2 * BATCH * products


@pytest.mark.slow
def test_more_d_steps_and_penalties() -> None:
    plain = dense({"step.update": "alternating"})
    d_step = G + 2 * D + 2 * (2 * D - D1)
    three = {"step.update": "alternating", "step.d_steps": 3}
    assert (dense(three).update, dense(three).images) == (plain.update + 2 * 2 * BATCH * d_step, 3 * BATCH)

    quarter = {"penalty.r1": 1.0, "penalty.r2": 1.0, "penalty.form": "finite", "penalty.share": 0.25}
    noisy = 2 * (2 * BATCH // 4) * (D + 2 * D - D1)  # a quarter of real and of fake images once more
    cost = dense({**three, **quarter})
    assert (cost.penalty, cost.plain_update, cost.update) == (
        noisy,
        dense(three).update,
        dense(three).update + 3 * noisy,
    )
    lazy = dense({**three, **quarter, "penalty.every": 4})
    assert (lazy.penalty, lazy.update) == (noisy, dense(three).update + Fraction(3 * noisy, 4))
    assert dense({**three, **quarter, "penalty.adapt": 0.5}).update == cost.update  # at its full weight

    # Exact: forward, the gradient by the images, and the gradient of that by the weights: twice each of the two before
    exact = dense({**three, "penalty.r1": 1.0}).penalty
    assert 2 * BATCH * (3 * D) < exact <= 2 * BATCH * 6 * D


def test_memory_of_an_update_grows_with_the_images_that_are_in_work_at_one_time() -> None:
    one, two, parts = (dense(s).working for s in ({}, {"step.batch": 2 * BATCH}, {"step.accumulate": 4}))
    image = 4 * PIXELS
    assert BATCH * 2 * image < one < two < 2 * one
    assert parts < one


def test_what_it_is_trained_on() -> None:
    config = tiny({"data.name": "cifar10", "data.limit": None, "data.size": None, "data.labels": "auto"})
    settled, subject = subject_of(config)
    assert settled.data.labels == "use"
    assert subject == Subject("cifar10", (3, 32, 32), 10, 50_000)
    some = replace(config, data=replace(config.data, classes=("cat", "dog"), size=16, channels=1, limit=300))
    assert subject_of(some)[1] == Subject("cifar10", (1, 16, 16), 2, 300)
    one = replace(config, data=replace(config.data, classes=("cat",)))
    assert subject_of(one)[1] == Subject("cifar10", (3, 32, 32), 0, 5_000)
    with pytest.raises(UsageError, match="size 3 "):
        subject_of(replace(config, data=replace(config.data, size=3)))


def test_the_command_says_how_each_number_was_got(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["recipes", "cifar-dcgan", "--cost", *flags(), "--tflops", "0.001"]
    assert main([*argv, "--measure", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(row["how"] and row["recipe"] == "cifar-dcgan" for row in rows)
    by_name = {row["quantity"]: row["value"] for row in rows}
    assert by_name["updates"] == 12
    seconds = 12 * by_name["one update"] / 1000 / 0.001
    assert by_name["time at that rate"] == pytest.approx(seconds)
    assert by_name["time here"] == pytest.approx(12 * by_name["one update here"])
    assert main(argv) == 0
    text = capsys.readouterr().out
    assert text.startswith("cifar-dcgan on shapes: 3 x 16 x 16, no classes\n") and "MAC" in text

    for wrong, said in (
        (["quick", "--json"], "belong to --cost"),
        (["--cost", "--tflops", "3"], "name a recipe"),
        (["quick", "--cost", "--tflops", "0"], "above 0"),
        (["quick", "--costs"], "unknown flag --costs; did you mean --cost?"),
        (["quick", "--cost", "--g-optim.lrr", "1"], "unknown flag --g-optim.lrr"),
    ):
        assert main(["recipes", *wrong]) == 2
        assert said in capsys.readouterr().err


def test_in_python() -> None:
    settings = {"step.batch": 4, "generator.width": 0.1, "discriminator.width": 0.1, "budget.minutes": 2.0}
    found = ganvas.recipes("cifar-dcgan", cost=True, data="shapes", settings=settings, tflops=0.1)
    values = {row["quantity"]: row["value"] for row in found}
    assert values["images in the budget"] == round(120 * 0.1e12 / (values["for each real image"] * 1e9))
    assert "whole training" not in str(values)
    with pytest.raises(UsageError, match="cost=True"):
        ganvas.recipes("quick", data="shapes")


def test_time_here_is_of_a_few_real_updates() -> None:
    found = measure(tiny(), Subject("none", (3, 16, 16), 0, 96))
    assert found.seconds > 0 and 2 <= found.updates <= 10 and found.engine.threads == 1


QUICK_TO_COUNT = ("cifar-dcgan", "cifar-dcgan-recap")


@pytest.mark.parametrize("names", [QUICK_TO_COUNT, pytest.param(SHIPPED_RECIPES, marks=pytest.mark.slow)])
def test_the_table_of_the_page_is_that_of_today(names: tuple[str, ...]) -> None:
    """To make it again: python tools/cost_table.py"""
    wanted = overview_lines(overview(names), markdown=True)
    for page in (DOCS / "recipes.md", DOCS / "ko" / "recipes.md"):
        lines = page.read_text("utf-8").splitlines()
        assert set(wanted[2:]) <= set(lines), page
        assert sum(line.startswith(f"| `{name}` |") and line.count("|") == 10 for line in lines for name in
                   SHIPPED_RECIPES) == len(SHIPPED_RECIPES)  # fmt: skip
