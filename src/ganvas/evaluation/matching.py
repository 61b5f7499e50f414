"""One shape for both sides of a comparison: the subject's size, and RGB where either side is RGB."""

from __future__ import annotations

from dataclasses import replace

from ganvas.datasets.progress import Progress
from ganvas.errors import UsageError, option
from ganvas.evaluation.references import Reference, Split, names_split, parse
from ganvas.evaluation.sources import ImageSource, fitted


def match(source: ImageSource, reference: str | None, split: Split, bar: Progress) -> tuple[ImageSource, Reference]:
    """The source and real images of its shape: those of `reference`, else what the source was trained on.

    `split` counts where `reference` names none; a data set without a test split gives its training split. The real
    images are read at the source's size; a line says so where that changes them. Grey images are repeated to RGB where
    the other side is RGB. Raises UsageError where there is nothing to compare with.
    """
    if reference is None and source.needs:
        raise UsageError(f"{source.needs}, or other real images with {option('--reference')}")
    data = replace(parse(reference, source.data, split), size=source.shape[1])
    found = Reference(data, bar)
    if not names_split(reference) and found.only_training:
        found = Reference(replace(data, split="train"), bar)
    if (line := fitted(found.images)) is not None:
        bar.say(line)
    channels = found.images.images.shape[1]
    if channels == source.shape[0]:
        return source, found
    grey, rgb = (source.name, found.label) if channels == 3 else (found.label, source.name)
    bar.say(f"{grey} is grey and {rgb} is RGB: grey images are compared as RGB with three equal channels")
    if channels == 3:
        return source.as_rgb(), found
    return source, Reference(replace(found.data, channels=3), bar)
