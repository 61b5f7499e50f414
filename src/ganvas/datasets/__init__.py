"""Images: known sets, a procedural set and the user's own files, in memory and in order. No torch here."""

from ganvas.datasets.dataset import IN_MEMORY, ImageSet, fetch, find_source, load, unseen
from ganvas.datasets.inspect import cache_lines, check, describe, glance, preview, repeated
from ganvas.datasets.memory import as_images, available
from ganvas.datasets.order import flips, order
from ganvas.datasets.source import SOURCES, DataSource, register_data

__all__ = [
    "IN_MEMORY", "SOURCES", "DataSource", "ImageSet", "as_images", "available", "cache_lines", "check", "describe",
    "fetch", "find_source", "flips", "glance", "load", "order", "preview", "register_data", "repeated", "unseen",
]  # fmt: skip
