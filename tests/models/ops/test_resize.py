"""Upsampling and downsampling against plain formulas."""

import torch

from ganvas.models.ops.resize import downsample, upsample


def test_upsample_repeats_pixels_and_crops() -> None:
    x = torch.randn(2, 3, 4, 4)
    expected = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert torch.equal(upsample(x, 8), expected)
    assert torch.equal(upsample(x, 7), expected[:, :, :7, :7])


def test_downsample_averages_what_there_is() -> None:
    x = torch.arange(9.0).view(1, 1, 3, 3)
    assert torch.equal(downsample(x), torch.tensor([[[[2.0, 3.5], [6.5, 8.0]]]]))
