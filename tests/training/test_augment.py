"""Augmentations against loops over pixels; draws against the frequencies they promise."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ganvas.config import AugmentConfig
from ganvas.training.augment import Augment, Draws, overfitting

ALL = AugmentConfig(p=0.8, mirror=True, translate=0.125, cutout=0.5, colour=1.0, noise=0.1)
PARTS: dict[str, dict[str, Any]] = {
    "colour": {"colour": 1.0},
    "mirror": {"mirror": True},
    "shift": {"translate": 0.25},
    "hole": {"cutout": 0.4},
    "noise": {"noise": 0.2},
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(augment: Augment, n: int, p: float = 1.0, progress: float = 0.0, seed: int = 0) -> Draws:
    return augment.draw(n, p, progress, generator(seed))


def images(n: int = 6, channels: int = 3, side: int = 16, dtype: torch.dtype = torch.float64) -> Tensor:
    return 2 * torch.rand(n, channels, side, side, generator=generator(99), dtype=dtype) - 1


def slowly(augment: Augment, image: np.ndarray, draw: Draws) -> np.ndarray:
    """One image [c, h, w], augmented by one draw as the words say it, pixel by pixel."""
    c, h, w = image.shape
    out = image.copy()
    if draw.colour.numel():
        brightness, saturation, contrast = draw.colour[0].tolist()
        out = out + brightness
        for y in range(h):
            for x in range(w):
                grey = sum(out[:, y, x]) / c
                out[:, y, x] = [grey + saturation * (value - grey) for value in out[:, y, x]]
        mean = out.sum() / out.size
        out = mean + contrast * (out - mean)
    if draw.mirror.numel() and draw.mirror[0, 0]:
        out = np.stack([[row[::-1] for row in plane] for plane in out])
    if draw.shift.numel():
        down, right = draw.shift[0].tolist()
        moved = np.zeros_like(out)
        for y in range(h):
            for x in range(w):
                if 0 <= y - down < h and 0 <= x - right < w:
                    moved[:, y, x] = out[:, y - down, x - right]
        out = moved
    if draw.hole.numel():
        top, left = draw.hole[0].tolist()
        side = math.floor(augment.config.cutout * h + 0.5)
        for y in range(top, top + side):
            for x in range(left, left + side):
                if 0 <= y < h and 0 <= x < w:
                    out[:, y, x] = 0
    if draw.noise.numel():
        out = out + draw.noise[0].double().numpy()
    return out


@pytest.mark.parametrize("side", [16, 28])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("part", [*PARTS, "all"])
def test_every_part_does_what_a_loop_over_pixels_does(part: str, channels: int, side: int) -> None:
    config = ALL if part == "all" else AugmentConfig(p=0.8, **PARTS[part])
    augment, real = Augment(config, (channels, side, side)), images(8, channels, side)
    draws = drawn(augment, 8, p=0.8)
    done = augment(real, draws)
    assert not torch.equal(done, real)
    for i in range(8):
        expected = slowly(augment, real[i].numpy(), draws[i : i + 1])
        np.testing.assert_allclose(done[i].numpy(), expected, atol=1e-12)


def test_only_the_part_that_is_on_is_drawn() -> None:
    for part, settings in PARTS.items():
        draws = drawn(Augment(AugmentConfig(p=1, **settings), (3, 16, 16)), 4)
        assert {name for name, value in vars(draws).items() if value.numel()} == {part}


def test_sizes_are_those_of_the_paper_at_32_pixels() -> None:
    augment = Augment(ALL, (3, 32, 32))
    draws = drawn(augment, 4000)
    assert (draws.shift.min().item(), draws.shift.max().item()) == (-4, 4)
    brightness, saturation, contrast = draws.colour.T
    for values, low, high in ((brightness, -0.5, 0.5), (saturation, 0, 2), (contrast, 0.5, 1.5)):
        assert low <= values.min() < low + 0.01 * (high - low) and high >= values.max() > high - 0.01 * (high - low)
    cutout = Augment(AugmentConfig(p=1, cutout=0.5), (1, 32, 32))
    hidden = (cutout(torch.ones(4000, 1, 32, 32), drawn(cutout, 4000)) == 0).sum((1, 2, 3))
    assert (hidden.min().item(), hidden.max().item()) == (8 * 8, 16 * 16)  # at a corner, a quarter of the square


def test_colour_is_scaled_by_its_setting() -> None:
    full, tenth = (drawn(Augment(AugmentConfig(p=1, colour=c), (3, 8, 8)), 50).colour for c in (1.0, 0.1))
    still = torch.tensor([0.0, 1.0, 1.0])
    torch.testing.assert_close(tenth - still, 0.1 * (full - still), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(("cutout", "side"), [(0.5, 16), (0.3, 16), (0.5, 17), (1.0, 16)])
def test_holes_and_shifts_are_uniform_and_have_no_side_they_prefer(cutout: float, side: int) -> None:
    n, augment = 20_000, Augment(AugmentConfig(p=1, cutout=cutout, translate=0.25), (1, side, side))
    draws = drawn(augment, n)
    size = math.floor(cutout * side + 0.5)
    centre = draws.hole + (size - 1) / 2 - (side - 1) / 2
    for values in (*centre.T, *draws.shift.T.double()):
        found, counts = values.unique(return_counts=True)
        assert torch.equal(found, -found.flip(0)) and torch.equal(found.diff(), torch.ones(len(found) - 1))
        assert len(found) >= side // 2
        share = 1 / len(found)
        assert ((counts / n - share).abs() < 5 * math.sqrt(share * (1 - share) / n)).all()
    assert centre.max() in ((side - 1) / 2, side / 2)  # the centre goes to the very edge


def happened(draws: Draws) -> dict[str, Tensor]:
    return {
        "colour": (draws.colour != torch.tensor([0.0, 1.0, 1.0])).any(1),
        "mirror": draws.mirror[:, 0],
        "shift": (draws.shift != 0).any(1),
        "hole": (draws.hole != 32).any(1),
    }


@pytest.mark.parametrize("p", [0.15, 0.6, 1.0])
def test_every_part_happens_with_probability_p_and_regardless_of_the_others(p: float) -> None:
    n, m = 20_000, 9  # a shift by nothing is one of its m * m values
    expected = {"colour": p, "mirror": p / 2, "shift": p * (1 - 1 / m**2), "hole": p}
    seen = happened(drawn(Augment(dataclasses.replace(ALL, noise=0.0), (3, 32, 32)), n, p=p))

    def close(share: Tensor, q: float) -> bool:
        return abs(share.item() - q) <= 5 * math.sqrt(q * (1 - q) / n) + 1e-12

    for one, q in expected.items():
        assert close(seen[one].double().mean(), q), one
        for other, r in expected.items():
            assert one == other or close((seen[one] & seen[other]).double().mean(), q * r), (one, other)


def test_what_was_not_chosen_stays_as_it_was() -> None:
    augment = Augment(dataclasses.replace(ALL, noise=0.0), (3, 32, 32))
    real, draws = images(200, side=32), drawn(augment, 200, p=0.2)
    untouched = ~torch.stack(list(happened(draws).values())).any(0)
    same = (augment(real, draws) == real).all(dim=(1, 2, 3))
    assert 40 < untouched.sum() < 160
    assert torch.equal(same, untouched)


def test_nothing_gives_back_the_very_same_tensor() -> None:
    real = images(4)
    augment = Augment(ALL, (3, 16, 16))
    assert augment(real, drawn(augment, 4, p=0.0, progress=1.0)) is real
    off = Augment(AugmentConfig(), (3, 16, 16))
    assert not off.active and off(real, drawn(off, 4)) is real


@pytest.mark.parametrize("progress", [0.0, 0.75])
def test_noise_falls_to_zero_over_the_run_and_does_not_ask_for_p(progress: float) -> None:
    augment = Augment(AugmentConfig(noise=0.4), (3, 32, 32))
    draws, real = drawn(augment, 40, p=0.0, progress=progress), images(40, side=32)
    added = augment(real, draws) - real
    sigma = 0.4 * (1 - progress)
    assert added.std().item() == pytest.approx(sigma, rel=0.02)
    assert abs(added.mean().item()) < 5 * sigma / math.sqrt(added.numel())
    assert not torch.allclose(added[0], added[1])


def test_a_seed_decides_every_draw() -> None:
    augment = Augment(ALL, (3, 16, 16))
    first, again, other = drawn(augment, 5, seed=1), drawn(augment, 5, seed=1), drawn(augment, 5, seed=2)
    for name, value in vars(first).items():
        assert torch.equal(value, getattr(again, name))
    assert not torch.equal(augment(images(5), first), augment(images(5), other))


def test_a_moved_image_is_treated_as_the_image_was() -> None:
    augment, real = Augment(ALL, (3, 16, 16)), images(6)
    draws, move = drawn(augment, 6), images(6).roll(1, 0)
    here, there, further = (augment(real + step * move, draws) for step in (0, 1, 2))
    torch.testing.assert_close(further - here, 2 * (there - here))
    assert torch.equal(augment(real, draws), here)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("channels_last", [False, True])
def test_gradients_are_right_to_the_second_order(channels: int, channels_last: bool) -> None:
    augment = Augment(dataclasses.replace(ALL, translate=0.3), (channels, 3, 3))
    draws, real = drawn(augment, 2), images(2, channels, 3)
    draws = dataclasses.replace(draws, mirror=torch.tensor([[True], [False]]))
    real = real.contiguous(memory_format=torch.channels_last if channels_last else torch.contiguous_format)
    real.requires_grad_()

    def curved(x: Tensor) -> Tensor:  # the augmentation itself is affine: alone, its second derivative is zero
        return (augment(torch.sin(x), draws) ** 3).sum((1, 2, 3))

    assert torch.autograd.gradcheck(lambda x: augment(x, draws), real)
    assert torch.autograd.gradcheck(curved, real)
    assert torch.autograd.gradgradcheck(curved, real)


def test_the_gradient_flows_back_through_the_pixels_that_were_seen_and_no_others() -> None:
    augment = Augment(AugmentConfig(p=1, translate=0.25, cutout=0.5), (3, 16, 16))
    real, draws = images(6).requires_grad_(), drawn(augment, 6)
    done = augment(real, draws)
    (gradient,) = torch.autograd.grad(done.sum(), real)
    assert set(gradient.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(gradient.sum((1, 2, 3)), (done != 0).sum((1, 2, 3)).double())


def test_draws_cut_and_joined_treat_images_as_the_whole_does() -> None:
    augment, real = Augment(ALL, (3, 16, 16)), images(7)
    draws = drawn(augment, 7)
    whole = augment(real, draws)
    torch.testing.assert_close(augment(real[2:5], draws[2:5]), whole[2:5])
    order = torch.tensor([6, 0, 0, 3])
    torch.testing.assert_close(augment(real[order], draws[order]), whole[order])
    mask = torch.arange(7) % 2 == 0
    torch.testing.assert_close(augment(real[mask], draws[mask]), whole[mask])
    joined = Draws.join([draws[4:], draws[:4]])
    assert (len(draws), len(draws[2:5]), len(joined)) == (7, 3, 7)
    torch.testing.assert_close(augment(torch.cat([real[4:], real[:4]]), joined), torch.cat([whole[4:], whole[:4]]))
    nothing = drawn(Augment(AugmentConfig(), (3, 16, 16)), 7)
    assert len(Draws.join([nothing[1:3], nothing[order]])) == 6


def test_draws_that_do_not_fit_are_refused() -> None:
    augment = Augment(ALL, (3, 16, 16))
    draws = drawn(augment, 4)
    with pytest.raises(ValueError, match="4 draws for 3 images"):
        augment(images(3), draws)
    with pytest.raises(RuntimeError):
        Draws.join([draws, drawn(augment, 4, p=0.0)])


@pytest.mark.parametrize("part", [*PARTS, "all"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dtype_and_memory_format_are_kept(part: str, dtype: torch.dtype) -> None:
    config = ALL if part == "all" else AugmentConfig(p=1, **PARTS[part])
    augment = Augment(config, (3, 16, 16))
    draws, real = drawn(augment, 5), images(5, dtype=dtype)
    done = {}
    for layout in (torch.contiguous_format, torch.channels_last):
        given = real.contiguous(memory_format=layout)
        done[layout] = augment(given, draws)
        assert done[layout].stride() == given.stride() and done[layout].dtype == dtype
    assert torch.equal(done[torch.contiguous_format], done[torch.channels_last])


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [16, 64])
def test_a_batch_of_one_at_any_size(channels: int, side: int) -> None:
    augment = Augment(ALL, (channels, side, side))
    done = augment(images(1, channels, side, torch.float32), drawn(augment, 1))
    assert done.shape == (1, channels, side, side) and done.isfinite().all()


def test_grey_images_keep_their_channel_whatever_the_saturation() -> None:
    augment, real = Augment(AugmentConfig(p=1, colour=1.0), (1, 16, 16)), images(5, 1)
    draws = drawn(augment, 5)
    other = dataclasses.replace(draws, colour=draws.colour * torch.tensor([1.0, 0.1, 1.0]))
    torch.testing.assert_close(augment(real, draws), augment(real, other))


def test_p_rises_over_the_ramp_and_stays() -> None:
    def p(progress: float, **settings: float) -> float:
        return Augment(AugmentConfig(p=0.6, mirror=True, **settings), (3, 8, 8)).p(progress, adapted=0.9)

    assert [p(at) for at in (0.0, 0.5, 1.0)] == [0.6, 0.6, 0.6]
    assert [p(at, ramp=0.5) for at in (0.0, 0.25, 0.5, 0.9)] == pytest.approx([0.0, 0.3, 0.6, 0.6])
    assert p(1.0, ramp=1.0) == pytest.approx(0.6)


def test_p_that_adapts_is_what_it_was_adapted_to() -> None:
    augment = Augment(AugmentConfig(p=0.1, mirror=True, adapt=0.5, ramp=0.5), (3, 8, 8))
    assert [augment.p(progress, 0.37) for progress in (0.0, 0.2, 1.0)] == [0.37] * 3
    assert augment.p(1.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("settings", "active"),
    [
        ({}, False),
        ({"p": 1.0}, False),
        ({"colour": 1.0}, False),
        ({"adapt": 0.5}, False),
        ({"p": 0.1, "cutout": 0.5}, True),
        ({"adapt": 0.5, "mirror": True}, True),
        ({"noise": 0.1}, True),
    ],
)
def test_it_is_active_where_it_may_ever_do_something(settings: dict[str, Any], active: bool) -> None:
    augment = Augment(AugmentConfig(**settings), (3, 16, 16))
    assert augment.active is active
    p = augment.p(0.5, 0.5)
    draws = drawn(augment, 3, p=p)
    assert any(value.numel() for value in vars(draws).values()) is active


def test_overfitting_is_how_far_held_out_images_have_gone_from_training_images_to_generated_ones() -> None:
    assert overfitting(3.0, 2.0, -1.0) == 0.25
    assert overfitting(-1.0, -4.0, -5.0) == 0.75
    assert overfitting(3.0, 3.0, -1.0) == 0.0
    assert overfitting(3.0, -1.0, -1.0) == 1.0
    assert overfitting(3.0, 9.0, -1.0) == 0.0  # rated above training images
    assert overfitting(3.0, -9.0, -1.0) == 1.0  # below generated ones


@pytest.mark.parametrize(
    ("real", "held_out", "fake"),
    [
        (2.0, 2.0, 2.0),
        (2.0, 1.0, 2.0),
        (0.0, 0.5, 1.0),
        (math.nan, 1.0, 0.0),
        (1.0, math.nan, 0.0),
        (1.0, 0.5, math.nan),
        (math.inf, 1.0, 0.0),
        (1.0, 0.5, -math.inf),
    ],
)
def test_overfitting_is_zero_where_logits_say_nothing(real: float, held_out: float, fake: float) -> None:
    assert overfitting(real, held_out, fake) == 0.0
