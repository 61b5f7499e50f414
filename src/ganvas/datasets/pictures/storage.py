"""Whether numbered folders are classes, or only keep many files apart as tools and downloaders do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from ganvas.datasets.pictures.listing import Entry

MIN_DIGITS = 4
"""Digits of a storage folder's name: 00000. Folders 0 to 9 and 00 to 99 are classes, as in sorted digits."""


def are_storage(pictures: Sequence[Entry]) -> bool:
    """Whether folders such as 00000, 00001 only store pictures that are numbered through all of them.

    All names are numbers of one width, four digits or more, and either each picture's number says its folder
    (00001/img00001234.png: StyleGAN's dataset_tool, img2dataset; 01000/01234.png: FFHQ), or no file name comes twice
    and all folders but the last, which holds less, hold equally many. Numbered classes restart their count, as in
    GTSRB (00000/00000_00000.ppm).
    """
    sizes = Counter(e.folder for e in pictures)
    folders = sorted(sizes)
    if len(folders) < 2 or len({len(name) for name in folders}) > 1 or len(folders[0]) < MIN_DIGITS:
        return False
    if not all(name.isascii() and name.isdigit() for name in folders):
        return False
    counts = [sizes[name] for name in folders]
    numbered_through = len({e.path.name for e in pictures}) == len(pictures)
    return _say_their_folder(pictures) or (
        numbered_through and len(set(counts[:-1])) == 1 and counts[-1] < counts[0] and len(counts) > 2
    )


def _say_their_folder(pictures: Sequence[Entry]) -> bool:
    """Whether one power of ten turns every picture's number into its folder's."""
    pairs = []
    for entry in pictures:
        numbers = re.findall(r"\d+", entry.path.stem)
        if len(numbers) != 1:
            return False
        pairs.append((int(numbers[0]), int(entry.folder)))
    return any(
        all(number // each == folder for number, folder in pairs)
        or all(number // each * each == folder for number, folder in pairs)
        for each in (10**k for k in range(1, 8))
    )
