"""What a learner's networks may look like, and what is said of those that do not fit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganvas.errors import UsageError
from ganvas.notebook.check import inspect
from learner import make_discriminator, make_generator

SHAPE = (3, 16, 16)


class Permuted(nn.Module):
    """A network whose images are channels-last."""

    def __init__(self, network: nn.Module, comes_in: bool) -> None:
        super().__init__()
        self.network, self.comes_in = network, comes_in

    def forward(self, x):
        return self.network(x.permute(0, 3, 1, 2)) if self.comes_in else self.network(x).permute(0, 2, 3, 1)


def ends_in(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(*list(make_generator())[:-1], *layers)


def test_networks_as_the_course_writes_them():
    found = inspect(make_generator(), make_discriminator(), None, SHAPE)
    assert (found.latent_dim, found.latent, found.shape) == (10, (10,), SHAPE)
    assert (found.g_layout, found.d_layout) == ("nchw", "nchw")
    assert not (found.unit_range or found.probabilities or found.float32 or found.notes)


def test_channels_last_networks_are_seen_as_such():
    found = inspect(Permuted(make_generator(), False), Permuted(make_discriminator(), True), None, SHAPE)
    assert (found.g_layout, found.d_layout, found.shape) == ("nhwc", "nhwc", SHAPE)


def test_a_latent_with_height_and_width():
    G = nn.Sequential(nn.ConvTranspose2d(12, 8, 4), nn.ReLU(), nn.ConvTranspose2d(8, 3, 4, 4), nn.Tanh())
    found = inspect(G, make_discriminator(), None, SHAPE)
    assert (found.latent_dim, found.latent) == (12, (12, 1, 1))
    assert found.generator(G)(torch.randn(2, 12)).shape == (2, *SHAPE)


@pytest.mark.parametrize("last", [nn.Identity(), nn.Unflatten(1, (1, 1, 1))])
def test_any_shape_of_one_number_an_image(last):
    D = nn.Sequential(*make_discriminator(), last)
    found = inspect(make_generator(), D, None, SHAPE)
    assert found.discriminator(D)(torch.zeros(5, *SHAPE)).logits.shape == (5,)


def test_a_sigmoid_is_noticed_from_the_outputs_and_undone():
    plain = make_discriminator().eval()
    found = inspect(make_generator(), nn.Sequential(plain, nn.Sigmoid()), None, SHAPE)
    assert found.probabilities and found.float32 and "sigmoid" in found.notes[0]
    x = torch.randn(8, *SHAPE)
    logits = found.discriminator(nn.Sequential(plain, nn.Sigmoid()))(x).logits
    torch.testing.assert_close(logits, plain(x).flatten(), atol=1e-4, rtol=1e-4)


def test_images_in_the_unit_range_are_brought_to_ours():
    G = ends_in(nn.Sigmoid())
    found = inspect(G, make_discriminator(), None, SHAPE)
    assert found.unit_range and "[0, 1]" in found.notes[0]
    z = torch.randn(4, 10)
    torch.testing.assert_close(found.generator(G)(z), G(z) * 2 - 1)


class Conditional(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.classes, self.rest = nn.Embedding(3, 10), make_generator()

    def forward(self, z, labels):
        return self.rest(z + self.classes(labels))


def test_a_generator_that_takes_labels():
    found = inspect(Conditional(), make_discriminator(), 10, SHAPE, classes=3)
    assert found.conditional == (True, False)
    with pytest.raises(UsageError, match=r"G takes labels .* the data have no classes"):
        inspect(Conditional(), make_discriminator(), 10, SHAPE)


@pytest.mark.parametrize(
    ("G", "D", "message"),
    [
        (ends_in(nn.Upsample(scale_factor=2), nn.Tanh()), make_discriminator(), "of 3x32x32, the data are 3x16x16"),
        (ends_in(nn.Conv2d(3, 1, 1), nn.Tanh()), make_discriminator(), "G makes images of 1x16x16"),
        (ends_in(nn.Conv2d(3, 5, 1), nn.Tanh()), make_discriminator(), "1 .grey. or 3 .RGB. channels"),
        (ends_in(nn.Flatten()), make_discriminator(), r"images are \[n, c, h, w\]"),
        (make_generator(), nn.Sequential(nn.Flatten(), nn.Linear(768, 10)), r"D returns \[16, 10\] for 16 images"),
        (make_generator(), nn.Sequential(nn.Flatten(), nn.Linear(100, 1)),
         r"D cannot be called with images of 3x16x16: .*; a Linear layer made for 100 numbers gets 768: make it nn\.L"),
        (make_generator(), nn.Sequential(nn.Conv2d(1, 4, 3)), "made for 1 channels gets 3: build G and D for the same"),
        (make_generator(), nn.Unflatten(1, (5, 5)), r"; call D\(torch\.zeros\(16, 3, 16, 16\)\) and print x\.shape"),
        (nn.Sequential(nn.Linear(10, 7), nn.Unflatten(1, (3, 16, 16))), make_discriminator(), "G cannot be called"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(G, D, message):
    with pytest.raises(UsageError, match=message):
        inspect(G, D, None, SHAPE)


def test_images_beyond_the_range_are_refused():
    class Big(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = make_generator()

        def forward(self, z):
            return self.inner(z) * 0 + z.view(len(z), 10, 1, 1)[:, :3] * 5

    G = nn.Sequential(Big(), nn.Upsample(scale_factor=1))
    with pytest.raises(UsageError, match="end G with tanh"):
        inspect(G, make_discriminator(), 10, SHAPE)


def test_a_latent_length_that_the_first_layer_does_not_tell():
    class Shift(nn.Module):
        def forward(self, z):
            return z.mean(1).view(-1, 1, 1, 1).expand(-1, *SHAPE).tanh()

    assert inspect(Shift(), make_discriminator(), 7, SHAPE).latent_dim == 7
