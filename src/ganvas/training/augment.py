"""Differentiable augmentations of what D sees, real and fake, and the sign by which ADA adapts how often they happen.

Zhao et al. 2020 ("DiffAugment", arXiv 2006.10738); Karras et al. 2020 ("ADA", arXiv 2006.06676). All randomness is in
`Augment.draw`; applying a draw is an affine map of the pixels, differentiable to every order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import pad

from ganvas.config import AugmentConfig

Images = Float[Tensor, "n c h w"]


@dataclass(frozen=True)
class Draws:
    """What happens to each of n images, in this order. A part that is off for all of them is empty: [n, 0]."""

    colour: Float[Tensor, "n _"]
    """Brightness (added), saturation and contrast (factors); 0, 1, 1 = as it was."""
    mirror: Bool[Tensor, "n _"]
    """Left to right."""
    shift: Int[Tensor, "n _"]
    """Down and to the right, in pixels; what comes in from outside is zero (grey)."""
    hole: Int[Tensor, "n _"]
    """Row and column of the top left pixel of the square that is set to zero; it may reach, or lie, outside."""
    noise: Float[Tensor, "n ..."]
    """[n, c, h, w], added."""

    def __len__(self) -> int:
        return len(self.colour)

    def __getitem__(self, index: slice | Tensor) -> Draws:
        return Draws(*(part[index] for part in vars(self).values()))

    @staticmethod
    def join(several: Sequence[Draws]) -> Draws:
        """One after the other; RuntimeError where a part is off in some of them only."""
        return Draws(*(torch.cat(parts) for parts in zip(*(vars(draws).values() for draws in several), strict=True)))


class Augment:
    """The augmentations of `config` for images of `shape` [c, h, w], h = w. Not `active`: nothing is ever done."""

    def __init__(self, config: AugmentConfig, shape: tuple[int, int, int]) -> None:
        self.config, self.shape = config, shape
        parts = config.mirror or config.translate or config.cutout or config.colour
        self.active = bool(config.noise or (parts and (config.p or config.adapt)))
        self.reach, self.hole = (int(share * shape[1] + 0.5) for share in (config.translate, config.cutout))

    def p(self, progress: float, adapted: float) -> float:
        """The probability of each part at `progress` in [0, 1] of the run: as `adapted`, or risen over `ramp`."""
        if self.config.adapt:
            return adapted
        return self.config.p * min(progress / self.config.ramp, 1.0) if self.config.ramp else self.config.p

    def draw(self, n: int, p: float, progress: float, rng: torch.Generator) -> Draws:
        """What happens to n images, on the generator's device.

        Each part happens to each image with probability p, independently; of the images chosen to be mirrored, half
        are. Noise is in all of them; its standard deviation falls to 0 as `progress` goes to 1.
        """
        config, device, side = self.config, rng.device, self.shape[1]

        def chosen(probability: float) -> Tensor:
            return torch.rand(n, 1, generator=rng, device=device) < probability

        def pixels(first: int, last: int) -> Tensor:
            return torch.randint(first, last + 1, (n, 2), generator=rng, device=device)

        colour = noise = torch.empty(n, 0, device=device)
        mirror, shift, hole = colour.bool(), colour.long(), colour.long()
        if p > 0 and config.colour:
            most, kept = torch.full((3,), config.colour, device=device), torch.ones(3, device=device)
            most[::2].mul_(0.5)  # made on the device: the host would wait until its values were there
            kept[:1].zero_()
            change = most * (2 * torch.rand(n, 3, generator=rng, device=device) - 1)
            colour = kept + change * chosen(p)
        if p > 0 and config.mirror:
            mirror = chosen(p / 2)
        if p > 0 and self.reach:
            shift = pixels(-self.reach, self.reach) * chosen(p)
        if p > 0 and self.hole:
            corner = pixels(-(self.hole // 2), side - (self.hole + 1) // 2)  # centres everywhere alike, up to the edge
            hole = torch.where(chosen(p), corner, side)
        if (sigma := config.noise * (1 - progress)) > 0:
            noise = sigma * torch.randn(n, *self.shape, generator=rng, device=device)
        return Draws(colour, mirror, shift, hole, noise)

    def __call__(self, images: Images, draws: Draws) -> Images:
        """The images as D sees them, dtype and memory format kept; the very same tensor where every part is off.

        Raises ValueError where there is not one draw for each image.
        """
        if len(draws) != len(images):
            raise ValueError(f"{len(draws)} draws for {len(images)} images")
        if not any(part.numel() for part in vars(draws).values()):
            return images
        channels_last = not images.is_contiguous() and images.is_contiguous(memory_format=torch.channels_last)
        out = images.contiguous()  # with channels last, every pass below would walk in threes
        if draws.colour.numel():
            out = _recolour(out, draws.colour.to(out.dtype))
        if draws.mirror.numel() or draws.shift.numel() or draws.hole.numel():
            source = self._source(draws)[:, None].expand(-1, out.shape[1], -1)
            out = pad(out.flatten(2), (0, 1)).gather(2, source).view_as(out)
        if draws.noise.numel():
            out = out + draws.noise.to(out.dtype)
        return out.contiguous(memory_format=torch.channels_last) if channels_last else out

    def _source(self, draws: Draws) -> Int[Tensor, "n pixels"]:
        """Which pixel each pixel is read from, counted row by row; side * side, one past the last, where it is zero."""
        n, side = len(draws), self.shape[1]
        nowhere = side * side
        at = torch.arange(side, device=draws.hole.device).expand(n, side)
        row, column = at, at
        if draws.shift.numel():
            row, column = at - draws.shift[:, :1], at - draws.shift[:, 1:]
        down = (side * row).where(_within(row, side), nowhere)
        along = column.where(_within(column, side), nowhere)
        if draws.mirror.numel():
            along = torch.where(draws.mirror & (along < nowhere), side - 1 - along, along)
        source = (down[:, :, None] + along[:, None]).clamp_(max=nowhere)
        if draws.hole.numel():
            rows, columns = (_within(at - corner, self.hole) for corner in (draws.hole[:, :1], draws.hole[:, 1:]))
            source = source.masked_fill_(rows[:, :, None] & columns[:, None], nowhere)
        return source.flatten(1)


def overfitting(real: float, held_out: float, fake: float) -> float:
    """How far the mean logit of held-out images has gone from that of training images to that of generated ones.

    0 = not at all, 1 = all the way: D has memorised its training images (Karras et al. 2020, arXiv 2006.06676, eq. 1,
    r_v). Clipped to [0, 1]; 0 too where D does not rate training images above generated ones, or a mean is NaN.
    """
    return min(max(0.0, (real - held_out) / (real - fake)), 1.0) if real > fake else 0.0


def _recolour(images: Images, colour: Float[Tensor, "n 3"]) -> Images:
    """Brightness, saturation and contrast, one after the other, as one affine map.

    x + b; then its distance from the pixel's mean over channels times s; then from the image's mean times k. A grey
    pixel is its own mean, so that s does nothing to grey images.
    """
    b, s, k = colour[:, :, None, None, None].unbind(1)
    pixel = images.sum(1, keepdim=True) / images.shape[1]  # not mean(): it divides its gradient at full size
    image = pixel.mean((2, 3), keepdim=True)
    return torch.addcmul(k * (1 - s) * pixel + (1 - k) * image + b, images, k * s)


def _within(at: Int[Tensor, "n side"], size: int) -> Bool[Tensor, "n side"]:
    return (at >= 0) & (at < size)
