"""Does it copy? A picture to look at: fakes beside the training images that are nearest to them."""

from __future__ import annotations

import os

import numpy as np
from PIL.Image import Image

from ganvas.datasets.progress import Progress
from ganvas.errors import UsageError
from ganvas.evaluation import default_features, sources
from ganvas.evaluation.matching import match
from ganvas.evaluation.references import split_name
from ganvas.metrics import neighbours
from ganvas.metrics.extractors import registry as extractors
from ganvas.sampling import Guidance

FAKES = 10
NEIGHBOURS = 8
SCALE = 2  # so that 28 pixels can be seen


def nearest_pictures(
    target: str | os.PathLike[str],
    *,
    reference: str | None = None,
    data: str | os.PathLike[str] | None = None,
    features: str | None = None,
    n: int = FAKES,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    best_of: int = 1,
    refine: int = 0,
    rejection: bool = False,
) -> Image:
    """One row for each of n images: the image, then its nearest training images under the features, nearest first.

    Searches the training split of what the generator was trained on, or of `reference`. `best_of`, `refine` and
    `rejection` as in `evaluate`, and raises as that.
    """
    bar = Progress(progress)
    source = sources.find(
        target, seed, device, bar, None if data is None else os.fspath(data), Guidance(best_of, refine, rejection)
    )
    if reference is not None:
        reference = f"{split_name(reference)[0]}:train"
    source, training = match(source, reference, "train", bar)
    if not 1 <= n <= (source.total or n):
        raise UsageError(f"n = {n}: ask for 1 to {source.total} images")
    name = features or default_features(source, training)[0]
    extractor = extractors.find(name, training.data.name, source.shape)
    known = training.features(extractor).vectors
    fakes = np.concatenate(list(source.draw(0, n)))
    index, _ = neighbours.nearest_few(extractor.extract([fakes]).vectors, known, min(NEIGHBOURS, len(known)))
    picture = neighbours.picture(fakes, training.images.images[index])
    return picture.resize((SCALE * picture.width, SCALE * picture.height), 0)
