"""What the files of a run may hold, checked once, where they are read.

Everything behind this door may rely on types and bounds: a value of a log that is not what its column holds counts as
missing, a row without its number of images is passed over, and a file without which a run means nothing is refused in
one line.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.errors import GanvasError, shown

if TYPE_CHECKING:
    from PIL import Image

LONGEST = 4096
"""Characters of a text that are kept."""
DEEPEST = 6
"""Levels of lists and objects in a row that are kept."""
MOST = 2**62
"""Bound of whole numbers, so that they fit an int64."""
LARGEST_FLOAT = 1e100
"""Bound of other numbers, so that their squares are floats. Training computes in float32, which ends at 3.4e38."""
MOST_TILES = 4096
"""Images in a sample grid; a run has at most 1024, and those that fill its last row."""
LARGEST = 4096
"""Side of an image in pixels that is believed."""

Test = Callable[[Any], bool]


def is_whole(value: Any) -> bool:
    """Whether it is a whole number from 0 on."""
    return type(value) is int and 0 <= value < MOST


def is_finite(value: Any) -> bool:
    """Whether it is a finite number of a size that one can go on computing with."""
    return (type(value) is float and abs(value) < LARGEST_FLOAT) or (type(value) is int and abs(value) < MOST)


def is_text(value: Any) -> bool:
    """Whether it is a text of reasonable length."""
    return type(value) is str and len(value) <= LONGEST


def is_object(value: Any) -> bool:
    """Whether it is an object."""
    return type(value) is dict


def list_of(test: Test) -> Test:
    """The test of lists whose every item passes `test`."""
    return lambda value: type(value) is list and all(map(test, value))


# -- logs --------------------------------------------------------------------------------------------------------

ORDERED = ("metrics", "monitor")
"""Logs whose rows are in order of nimg."""

NEEDED = {"events": ("event",), "evals": ("metric",)}
"""Log -> columns besides nimg without which a row says nothing."""

COLUMNS: dict[str, Test] = {
    **dict.fromkeys(("nimg", "n", "sets", "n_ref", "seed", "real_baseline_n", "since", "threads", "pid"), is_whole),
    **dict.fromkeys(
        ("sec", "cpu_sec", "img_s", "value", "low", "high", "real_baseline", "noise_baseline", "logit", "total"),
        is_finite,
    ),
    **dict.fromkeys(
        ("event", "time", "signal", "finding", "confidence", "metric", "reference", "split", "extractor",
         "weights_hash", "resize", "better", "real_baseline_from", "snapshot", "source", "cpu", "accelerator", "device",
         "dtype", "layout", "conv"), is_text,
    ),
    **dict.fromkeys(("engine", "probe", "loss", "by_class"), is_object),
    "argv": list_of(is_text),
}  # fmt: skip
"""Column of any log -> what it holds; other columns may hold anything."""


def row_of(log: str, values: Any) -> dict[str, Any] | None:
    """A row of a log as the rest of the package may use it; None where it is none."""
    if not isinstance(values, dict) or not is_whole(values.get("nimg")):
        return None
    if not all(COLUMNS[key](values.get(key)) for key in NEEDED.get(log, ())):
        return None
    return {
        key[:LONGEST]: None if key in COLUMNS and not COLUMNS[key](value) else _plain(value, DEEPEST)
        for key, value in values.items()
    }


def _plain(value: Any, depth: int) -> Any:
    """A JSON value without what cannot be shown: too long, too deep, too large."""
    match value:
        case bool():
            return value
        case int() | float():
            return value if is_finite(value) else None
        case str():
            return value if len(value) <= LONGEST else f"{value[:LONGEST]} ..."
        case list():
            return [_plain(item, depth - 1) for item in value] if depth else None
        case dict():
            return {key[:LONGEST]: _plain(item, depth - 1) for key, item in value.items()} if depth else None
    return None


# -- whole files -------------------------------------------------------------------------------------------------


def is_shape(value: Any) -> bool:
    """Whether it is the shape [c, h, w] of images."""
    three = list_of(is_whole)(value) and len(value) == 3
    return three and value[0] in (1, 3) and 1 <= min(value) <= max(value) <= LARGEST


DATA: dict[str, tuple[Test, str]] = {
    "name": (is_text, "a text"),
    "shape": (is_shape, "the shape [c, h, w] of images"),
    "n": (lambda value: is_whole(value) and value > 0, "a number of images"),
    "sha256": (is_text, "a hash"),
    "class_names": (list_of(is_text), "a list of names"),
    "class_counts": (list_of(is_whole), "a list of numbers"),
    "source": (is_text, "a text"),
    "skipped": (list_of(is_text), "a list of texts"),
}
"""data.json; the first four are always there."""

SELECTED: dict[str, tuple[Test, str]] = {
    "nimg": (is_whole, "a number of images"),
    "metric": (is_text, "a name"),
    "value": (lambda value: value is None or is_finite(value), "a number"),
}

EXPERIMENT: dict[str, tuple[Test, str]] = {
    **dict.fromkeys(("experiment", "cell", "page", "first"), (is_text, "a text")),
    "seeds": (list_of(is_whole), "a list of numbers"),
    "verdicts": (list_of(is_object), "a list of objects"),
}
"""part_of.json."""


def enforce(values: Mapping[str, Any], rules: Mapping[str, tuple[Test, str]], needed: int, where: Path) -> None:
    """GanvasError naming the file where a value is not what its key holds; the first `needed` keys must be there."""
    for place, (key, (test, what)) in enumerate(rules.items()):
        if (key in values or place < needed) and not test(values.get(key)):
            found = shown(values.get(key))
            raise GanvasError(f"{where}: {key} = {found}: expected {what}; is this a whole run directory?")


def is_layer(value: Any) -> bool:
    """Whether it is a layer of networks.json: name, kind, output (its shape) and params."""
    tests = {"name": is_text, "kind": is_text, "output": list_of(is_whole), "params": is_whole}
    return is_object(value) and bool(value.get("output")) and all(test(value.get(key)) for key, test in tests.items())


NETWORKS: dict[str, tuple[Test, str]] = dict.fromkeys(
    ("generator", "discriminator"), (lambda value: bool(value) and list_of(is_layer)(value), "a list of layers")
)
"""networks.json."""


# -- pictures ----------------------------------------------------------------------------------------------------


def read_grid(path: Path, shape: tuple[int, int, int]) -> Image.Image | None:
    """A grid of images of a shape, in mode L or RGB; None if it is missing, damaged, or no such grid."""
    from PIL import Image

    _, h, w = shape
    if not path.is_file():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a picture that is too large is refused below, before it is decoded
            with Image.open(path, formats=["PNG"]) as picture:
                columns, rows = picture.width // w, picture.height // h
                if (columns * w, rows * h) != picture.size or not 0 < columns * rows <= MOST_TILES:
                    return None
                return picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    except Exception:  # decoders of damaged files raise whatever they meet
        return None
