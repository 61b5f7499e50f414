"""Sampling that a discriminator guides: which latents a generator draws its images from, off by default."""

from ganvas.sampling.discriminator import Discriminator, discriminator_of
from ganvas.sampling.guidance import PLAIN, Guidance, guided

__all__ = ["PLAIN", "Discriminator", "Guidance", "discriminator_of", "guided"]
