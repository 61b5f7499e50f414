"""Which features there are, and what a number made with them may be called.

`classifier`: ours, for CIFAR-10 and Fashion-MNIST; `efficientnet-lite0`: ImageNet's, `efficientnet-lite2` a second
opinion of its kind; `inception`: what published FIDs are made with; a path or package.module:function: the user's own.
Nothing here needs torch until one is loaded.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from ganvas.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from ganvas.metrics.extractors.base import Extractor

USUAL = ("classifier", "efficientnet-lite0", "inception")
"""What `all` asks for."""
NAMES = (*USUAL, "efficientnet-lite2")
SUFFIXES = (".pt", ".ts", ".pth", ".torchscript")

Kind = Literal["fd", "kd", "is"]
PUBLISHED = {"fd": "fid", "kd": "kid", "is": "is"}
KINDS = {published: own for own, published in PUBLISHED.items()}
SHORT = {"classifier": "classifier", "efficientnet-lite0": "efficientnet", "efficientnet-lite2": "efficientnet_lite2"}


def metric_name(kind: Kind, extractor_name: str) -> str:
    """What a Fréchet distance (fd), kernel distance (kd) or Inception Score (is) made with these features is called.

    Only the 2015 Inception network gives the FID, KID and IS of the literature; every other name says what made it.
    """
    return PUBLISHED[kind] if extractor_name == "inception" else f"{kind}_{SHORT.get(extractor_name, 'custom')}"


def distance_name(extractor_name: str) -> str:
    """What a Fréchet distance made with these features is called: fid, fd_classifier, fd_efficientnet or fd_custom."""
    return metric_name("fd", extractor_name)


def name_under(name: str, extractor_name: str) -> str:
    """The full name of a number: fid, fid_infinity, fd_classifier, precision_efficientnet, gan_test_accuracy, ..."""
    first, _, rest = name.partition("_")
    if first in PUBLISHED:
        return "_".join(filter(None, (metric_name(cast(Kind, first), extractor_name), rest)))
    if name == "gan_test_accuracy":
        return name
    suffix = SHORT.get(extractor_name, extractor_name if extractor_name == "inception" else "custom")
    return f"{name}_{suffix}"


def kind(metric: str) -> str:
    """What a number measures, whatever its features, from its full name: fd for fd_classifier and fid."""
    plain = re.sub(rf"_({'|'.join((*SHORT.values(), 'inception', 'custom'))})(?=_infinity$|$)", "", metric)
    first, _, rest = plain.partition("_")
    return "_".join(filter(None, (KINDS.get(first, first), rest)))


def find(name: str, data_name: str, shape: tuple[int, int, int]) -> Extractor:
    """The extractor of that name, loaded; `classifier` is chosen by data set and image shape (c, h, w).

    Raises UsageError for a name that is none of NAMES, no file and no package.module:function, and GanvasError where
    the features are known but cannot be had here.
    """
    if name == "classifier":
        from ganvas.metrics.extractors import classifier

        return classifier.load(data_name, shape)
    if name in ("efficientnet-lite0", "efficientnet-lite2"):
        from ganvas.metrics.extractors import efficientnet

        return efficientnet.load(efficientnet.VARIANTS[name])
    if name == "inception":
        from ganvas.metrics.extractors import inception

        return inception.load()
    from ganvas.metrics.extractors import custom, inception

    if not (custom.FUNCTION.fullmatch(name) or _names_a_file(name)):
        raise UsageError(
            f"no features are called '{name}': choose {', '.join(NAMES)}, a TorchScript file,"
            f" or package.module:function{did_you_mean(name, NAMES)}"
        )
    return inception.load(Path(name)) if Path(name).name == inception.FILE else custom.load(name)


def _names_a_file(name: str) -> bool:
    return name.endswith(SUFFIXES) or os.sep in name or "/" in name or Path(name).is_file()
