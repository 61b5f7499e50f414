"""What `ganvas doctor --data` looks at: number, copies, classes, values, background, colour and sizes of the images."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64, UInt8

from ganvas.config import Config, DataConfig, recipes
from ganvas.data import ImageSet, load, repeated
from ganvas.data.dataset import OWN_SIZES
from ganvas.diagnostics.finding import Check
from ganvas.metrics.image_statistics import distances, thumbnails

Images = UInt8[np.ndarray, "n c h w"]

SMALL = "small-data"
LEAST = 500
"""Images from which `small-data` is meant to work, by its title."""
FEW = 5_000
"""A tenth of CIFAR-10, where Zhao et al. 2020 (arXiv 2006.10738) find plain GANs far worse than on all of it."""
COPIES = (0.01, 0.5)
"""Shares of exact copies for advice and worse: CIFAR-10 and Fashion-MNIST hold none, shapes 0.4 %."""
LOOKED = 10_000
"""Images compared with each other at most: a second of one core."""
TOGETHER = 500
"""Neighbours that are compared together where not all are: frames of one film lie side by side."""
NEAR = 3.0
"""Levels between thumbnails, root mean square: half of CIFAR-10 lies nearer to its copies of JPEG quality 75."""
ALIKE = 0.02
"""Share of near copies for advice: shapes 0.9 %, Fashion-MNIST 0.02 %, CIFAR-10 (10,000 looked at) none."""
THIN = (50, 0.1)
"""Images of a class, and share of what an equal class has, under which it is thin: the three sets have all alike."""
UNEVEN = 5.0
"""The largest class by the smallest that is not thin; 1 in the three sets."""
SHOWN = 5
"""Classes and files that a sentence names."""
SPAN = (32, 128)
"""Levels between the lowest and highest thousandth of all values, for worse and for advice; the three sets: 255."""
FLAT = 4.0
"""Standard deviation in levels of an image that shows next to nothing: the flattest of CIFAR-10 has 7.7."""
BLANK = (0.01, 0.5)
"""Shares of such images for advice and worse; none in the three sets."""
ENDS, BINARY = 8, 0.98
"""Share of values within so many levels of black or white: CIFAR-10 5 %, Fashion-MNIST 55 %, shapes 82 %."""
FRAME, MIXED_FRAMES = 0.9, 0.05
"""Share of an image's border that makes a background, and of images whose background is the rarer of black and white:
0 in Fashion-MNIST, in which a third lie on black."""
TINT, TINTED = 3.0, 0.1
"""Levels between channels, mean of an image, up to which it is grey, and the same by its standard deviation."""
ALL_GREY, SOME_GREY = 0.99, 0.25
"""Shares of grey images for one channel, and for a mixture: CIFAR-10 1.6 %, shapes 12.5 % (a colour of 8 is white)."""
LONG = 4 / 3
"""Sides beyond which much is cut off: of a photograph of 4:3 a quarter."""
SMALLER = 0.75
"""Side, by that of training, below which an image is blurred by enlarging; 28 pixels shown at 32 are not."""
KINDS = 0.1
"""Share of the sizes that makes a remark about sizes; by sizes, not images, for that is what is kept."""


@dataclass(frozen=True)
class Subject:
    """A data set and the recipe that is to learn it."""

    where: str
    """Its name or path, as it was asked for."""
    set: ImageSet
    config: Config

    @property
    def images(self) -> Images:
        return self.set.images

    @property
    def told(self) -> bool:
        """Whether the recipe would be told the classes."""
        return self.set.labels is not None and self.config.data.labels != "ignore"


def checks(name: str, recipe: str = "quick") -> list[Check]:
    """Everything there is to say about a known set or a path, for a recipe.

    At most LOOKED images are compared with each other; all else is of every image. Raises UsageError for a recipe
    that is not there, and as `ganvas.data.load`.
    """
    config = recipes.get(recipe).config
    subject = Subject(name, load(DataConfig(name)), config)
    return [check for look in LOOKS for check in look(subject)]


def size_and_kind(subject: Subject) -> Iterator[Check]:
    """What there is, and what was skipped."""
    n, *shape = subject.images.shape
    name, count, told = subject.set.name, f"{n:,}", " × ".join(map(str, shape))
    if subject.set.labels is None:
        yield Check("data.plain", "good", {"name": name, "n": count, "shape": told})
    else:
        k = len(subject.set.class_names)
        yield Check("data.images", "good", {"name": name, "n": count, "shape": told, "classes": k})
    if skipped := subject.set.skipped:
        yield Check("data.skipped", "advice", {"n": f"{len(skipped):,}", "example": skipped[0]})


def enough(subject: Subject) -> Iterator[Check]:
    """Whether the recipe has as many images as it needs."""
    n, recipe, where = len(subject.images), subject.config.recipe, shlex.quote(subject.where)
    if n < LEAST:
        yield Check("data.few", "bad", {"n": n, "least": LEAST})
    elif n < FEW and recipe != SMALL:
        yield Check("data.few", "advice", {"n": f"{n:,}", "recipe": recipe, "few": f"{FEW:,}", "where": where})


def copies(subject: Subject) -> Iterator[Check]:
    """Exact copies among all images, near ones among those looked at that are neither copies nor blank."""
    again = repeated(subject.images)
    share, exact = float(again.mean()), f"{again.sum():,}"
    if share >= COPIES[1]:
        yield Check("data.copies", "bad", {"copies": exact, "percent": _percent(share)})
    elif share >= COPIES[0]:
        yield Check("data.copies", "advice", {"copies": exact, "percent": _percent(share)})
    looked = _some(len(subject.images))
    looked = looked[~again[looked]]
    looked = looked[_deviations(subject.images[looked]) >= FLAT]
    alike = float(_near(subject.images[looked]).mean()) if len(looked) else 0.0
    count = f"{len(looked):,}"
    if alike >= ALIKE:
        yield Check("data.near", "advice", {"percent": _percent(alike), "looked": count})
    elif share < COPIES[0]:
        yield Check("data.copies", "good", {"copies": exact, "percent": _percent(alike), "looked": count})


def classes(subject: Subject) -> Iterator[Check]:
    """Classes with hardly any images and uneven ones, where the recipe is told them."""
    if not subject.told:
        return
    names = subject.set.class_names
    counts = np.bincount(np.asarray(subject.set.labels), minlength=len(names))
    thin = counts < np.maximum(THIN[0], THIN[1] * counts.mean())
    if thin.any():
        listed = ", ".join(f"{names[k]} ({counts[k]})" for k in np.flatnonzero(thin)[:SHOWN])
        more = ", ..." if thin.sum() > SHOWN else ""
        yield Check("data.thin", "advice", {"n": int(thin.sum()), "names": listed + more})
    most, least = int(counts.argmax()), int(np.where(thin, counts.max(), counts).argmin())
    n_most, n_least = f"{counts[most]:,}", f"{counts[least]:,}"
    if counts[most] > UNEVEN * counts[least]:
        blanks = {"most": names[most], "n_most": n_most, "least": names[least], "n_least": n_least}
        yield Check("data.uneven", "advice", blanks)
    elif not thin.any():
        yield Check("data.classes", "good", {"n_most": n_most, "n_least": n_least})


def values(subject: Subject) -> Iterator[Check]:
    """How much of 0 to 255 is in use: mistakes of scaling, blank images, black and white alone."""
    counts = sum(np.bincount(part.reshape(-1), minlength=256) for part in _parts(subject.images))
    spread = np.cumsum(counts / subject.images.size)
    low, high = (int(np.searchsorted(spread, share)) for share in (0.001, 0.999))
    blank = float((_deviations(subject.images) < FLAT).mean())
    ends = float(spread[ENDS] + 1 - spread[255 - ENDS - 1])
    if high - low < SPAN[1]:
        yield Check("data.values", "bad" if high - low < SPAN[0] else "advice", {"low": low, "high": high})
    elif blank >= BLANK[0]:
        yield Check("data.blank", "bad" if blank >= BLANK[1] else "advice", {"percent": _percent(blank)})
    elif ends >= BINARY:
        yield Check("data.binary", "advice", {"percent": _percent(ends)})
    else:
        yield Check("data.values", "good", {"low": low, "high": high})


def backgrounds(subject: Subject) -> Iterator[Check]:
    """Grey images of which some lie on black and others on white, as after inverting a part of them."""
    images = subject.images
    if images.shape[1] != 1:
        return
    ends = images[:, 0, [0, -1]], images[:, 0, 1:-1][:, :, [0, -1]]
    border = np.concatenate([part.reshape(len(images), -1) for part in ends], axis=1)
    black = float(((border <= ENDS).mean(axis=1) >= FRAME).mean())
    white = float(((border >= 255 - ENDS).mean(axis=1) >= FRAME).mean())
    if min(black, white) >= MIXED_FRAMES:
        yield Check("data.inverted", "advice", {"black": _percent(black), "white": _percent(white)})


def colour(subject: Subject) -> Iterator[Check]:
    """Images in RGB that are grey, all or many of them."""
    if subject.images.shape[1] != 3:
        return
    tint = np.concatenate([_tint(part) for part in _parts(subject.images)])
    share = float((tint <= np.minimum(TINT, TINTED * _deviations(subject.images))).mean())
    if share >= ALL_GREY:
        yield Check("data.grey", "advice", {"percent": _percent(share)})
    elif share >= SOME_GREY:
        yield Check("data.mixed", "advice", {"percent": _percent(share)})


def sizes(subject: Subject) -> Iterator[Check]:
    """What cropping to a square and resizing does to one's own images."""
    own, side = np.array(subject.set.own_sizes), subject.images.shape[2]
    if (own == side).all():
        return
    long = own.max(axis=1) > LONG * own.min(axis=1) + 0.5  # rounded sides of 4:3, such as 100x75
    small = own.min(axis=1) < SMALLER * side
    if long.mean() >= KINDS:
        yield Check("data.long", "advice", {"n": int(long.sum()), "kinds": len(own), "example": _times(own[long][0])})
    if small.mean() >= KINDS:
        n, example, least = int(small.sum()), _times(own[small][0]), OWN_SIZES[0]
        blanks = {"n": n, "kinds": len(own), "example": example, "side": side, "size": least}
        yield Check("data.enlarged", "advice", blanks)
    if max(long.mean(), small.mean()) < KINDS:
        yield Check("data.sizes", "good", {"kinds": len(own), "side": side})


LOOKS = (size_and_kind, enough, copies, classes, values, backgrounds, colour, sizes)


def _some(n: int) -> Int64[np.ndarray, "_"]:
    """The positions of at most LOOKED images: runs of TOGETHER neighbours, spread over all."""
    if n <= LOOKED:
        return np.arange(n)
    starts = np.linspace(0, n - TOGETHER, LOOKED // TOGETHER).astype(np.int64)
    return (starts[:, None] + np.arange(TOGETHER)).reshape(-1)


def _near(images: Images, block: int = 1024) -> Bool[np.ndarray, "n"]:
    """Whether an image has another within NEAR."""
    small = thumbnails(images).astype(np.float32)
    small -= small.mean(axis=0)  # smaller numbers, smaller errors of rounding
    near = np.zeros(len(small), bool)
    for at in range(0, len(small), block):
        away = distances(small[at : at + block], small)
        away[np.arange(len(away)), at + np.arange(len(away))] = np.inf
        near[at : at + block] = away.min(axis=1) < NEAR
    return near


def _deviations(images: Images) -> Float64[np.ndarray, "n"]:
    """The standard deviation of each image's values about the means of its channels, in levels."""
    each = [part.var(axis=(2, 3), dtype=np.float32).mean(axis=1) for part in _parts(images)]
    return np.sqrt(np.concatenate([np.empty(0), *each]))  # type: ignore[no-any-return]


def _tint(images: Images) -> Float64[np.ndarray, "n"]:
    """How far the channels of each image lie apart, in levels, on average."""
    apart: UInt8[np.ndarray, "n h w"] = images.max(axis=1) - images.min(axis=1)
    return apart.mean(axis=(1, 2), dtype=np.float64)  # type: ignore[no-any-return]


def _parts(images: Images) -> Iterator[Images]:
    """In parts, for the sake of memory."""
    return (images[at : at + 1024] for at in range(0, len(images), 1024))


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _times(size: Int64[np.ndarray, "2"]) -> str:
    return f"{size[0]}x{size[1]}"
