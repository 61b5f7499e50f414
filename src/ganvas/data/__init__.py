"""Images: known sets, a procedural set and the user's own files, in memory and in order. No torch here."""

from ganvas.data.dataset import KNOWN, NAMES, ImageSet, fetch, load, unseen
from ganvas.data.inspect import check, describe, preview, repeated
from ganvas.data.order import flips, order

__all__ = [
    "KNOWN", "NAMES", "ImageSet", "check", "describe", "fetch", "flips", "load", "order", "preview", "repeated",
    "unseen",
]  # fmt: skip
