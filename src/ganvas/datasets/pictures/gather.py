"""The pictures of many files: several at a time, each in its place, with one scale for the whole set."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from queue import SimpleQueue

import numpy as np

from ganvas.config import DataConfig
from ganvas.datasets import scale
from ganvas.datasets.pictures.decode import File, Form, Part, Span, bombs_are_errors, content_of, decode_files, side_of
from ganvas.datasets.pictures.listing import Entry
from ganvas.datasets.pictures.worker import OnDisk, Worker
from ganvas.datasets.pixels import Images, in_parts
from ganvas.datasets.progress import Progress
from ganvas.datasets.reader import OWN_SIZE, own_side
from ganvas.datasets.scratch import Store, take

THREADS = 4
"""Threads that decode; each may hold one of the largest pictures."""
MANY = 4000
"""Pictures from which on processes decode: they take half a second to start."""
PROCESSES = 8
AT_ONCE, AT_ONCE_EACH = 16, 128
"""Files that a thread, and a process, decodes before it hands them over."""
TRIED = 16
"""Files whose size is looked for before reading, until one says it."""


@dataclass
class Gathered:
    """images [n, 3, size, size]; for each the number of its file and its own (width, height); what else to say."""

    images: Images
    files: list[int] = field(default_factory=list)
    shapes: list[tuple[int, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class _UnlikeError(Exception):
    """A picture is not of the size that all were thought to have."""


def gather_as(config: DataConfig, pictures: Sequence[Entry], progress: Progress, where: str) -> Gathered:
    """As `gather`, at the size that the config names, else at the own size of equally large squares, else at OWN_SIZE.

    The first picture says which size that may be. Where another one then differs, all are read again.
    """
    form = Form(config.size or OWN_SIZE, config.fit, config.frames)
    if config.size is None:
        with bombs_are_errors():
            sides = (side_of(content_of(entry.open)) for entry in pictures[:TRIED])
            side = own_side(next((side for side in sides if side), 0))
        if side != OWN_SIZE:
            with suppress(_UnlikeError):
                return gather(pictures, replace(form, size=side), config.limit, progress, where, alike=True)
    return gather(pictures, form, config.limit, progress, where)


def gather(
    pictures: Sequence[Entry], form: Form, limit: int | None, progress: Progress, where: str, alike: bool = False
) -> Gathered:
    """Every picture of the files, in their order; a file that cannot be read leaves its place to the next.

    Deep pictures (16 bits and more) are decoded twice: for the values that the whole set uses, then by the scale that
    these give. `limit` stops after so many pictures, unless a file holds several: then all are read.
    `alike`: raise _UnlikeError at the first picture that is not of the size of `form`.
    """
    wanted = len(pictures) if limit is None else min(limit, len(pictures))
    store = Store((3, form.size, form.size), wanted)
    found: list[File] = []
    with bombs_are_errors():
        with progress.bar(f"reading {where}", wanted, "pictures") as advance:
            for part in _parts(pictures, form):
                if alike and any(shape != (form.size, form.size) for file in part.files for shape in file.shapes):
                    raise _UnlikeError
                store.append(part.images)
                found += part.files
                advance(sum(file.n > 0 for file in part.files))
                if limit is not None and store.n >= limit:
                    break
        if limit is not None and any(file.n > 1 for file in found):
            return gather(pictures, form, None, progress, where, alike)
        scales, refused, notes = _scales(found)
        deep = [i for i, file in enumerate(found) if file.spans and i not in refused]
        _again(store, pictures, found, deep, replace(form, scales=scales))
        images = store.finish()
        if _only_0_and_1(images):
            store = Store(images.shape[1:], len(images))
            for some in in_parts(images):
                store.append(some)
            _again(store, pictures, found, range(len(found)), replace(form, scales=scales, mask=True))
            images, notes = store.finish(), [*notes, scale.choose(bool, 0, 1).note]
    return _named(images, pictures, found, refused, notes, limit)


def _named(
    images: Images, pictures: Sequence[Entry], found: Sequence[File], refused: dict[int, str], notes: list[str],
    limit: int | None,
) -> Gathered:  # fmt: skip
    """The images of the files that are not refused, each with the number of its file."""
    files = [i for i, file in enumerate(found) for _ in range(file.n)]
    shapes = [shape for file in found for shape in file.shapes]
    rows = [row for row, i in enumerate(files) if i not in refused][:limit]
    if len(rows) < len(images):
        images = images[: len(rows)] if rows[-1:] == [len(rows) - 1] else take(images, np.array(rows, np.int64))
    last = files[rows[-1]] if limit is not None and len(rows) == limit else len(found)
    problems = [refused.get(i, file.problem) for i, file in enumerate(found[: last + 1])]
    return Gathered(
        images,
        [files[row] for row in rows],
        [shapes[row] for row in rows],
        [f"{pictures[i].name}: {problem}" for i, problem in enumerate(problems) if problem],
        [*notes, *_several(found)],
    )


def _several(found: Sequence[File]) -> Iterator[str]:
    """What was done with files of several pictures, in one line each."""
    if left_out := [file.left_out for file in found if file.left_out]:
        yield (
            f"of {len(left_out):,} animations the first frame is read: data.frames = all reads the other "
            f"{sum(left_out):,} frames too"
        )
    for kind, pages in (("files of several pages", True), ("animations", False)):
        if several := [file.n for file in found if file.n > 1 and file.pages == pages]:
            each = "pages" if pages else "frames"
            yield f"{len(several):,} {kind}: each of their {sum(several):,} {each} is a picture"


def _scales(found: Sequence[File]) -> tuple[dict[str, scale.Scale], dict[int, str], list[str]]:
    """(scale of each number type, files that have none with the reason, what the user must know)."""
    scales: dict[str, scale.Scale] = {}
    refused: dict[int, str] = {}
    by_type: dict[str, dict[int, Span]] = {}
    for i, file in enumerate(found):
        for span in file.spans:
            before = by_type.setdefault(span.dtype, {}).get(i, span)
            by_type[span.dtype][i] = _joint([before, span])
    for dtype, spans in by_type.items():
        try:
            scales[dtype] = _scale(spans.values())
        except ValueError:  # because of some files, perhaps: the others must not suffer
            for i, span in spans.items():
                try:
                    _scale([span])
                except ValueError as error:
                    refused[i] = str(error)
            if rest := [span for i, span in spans.items() if i not in refused]:
                scales[dtype] = _scale(rest)
    return scales, refused, [s.note for s in scales.values() if s.note]


def _scale(spans: Iterable[Span]) -> scale.Scale:
    return scale.choose(*_joint(spans))


def _joint(spans: Iterable[Span]) -> Span:
    dtypes, lows, highs = zip(*spans, strict=True)
    return Span(dtypes[0], min(lows), max(highs))


def _again(store: Store, pictures: Sequence[Entry], found: Sequence[File], chosen: Sequence[int], form: Form) -> None:
    """Decode the chosen files again in another form, each in its place."""
    starts = np.cumsum([0, *(file.n for file in found)])
    at = 0
    for part in _parts([pictures[i] for i in chosen], form):
        row = 0
        for file in part.files:
            store.put(int(starts[chosen[at]]), part.images[row : row + file.n])
            row, at = row + file.n, at + 1


def _only_0_and_1(images: Images) -> bool:
    """Whether these are masks whose white is 1."""
    return len(images) > 0 and all(part.max() <= 1 for part in in_parts(images)) and any(map(np.any, in_parts(images)))


def _parts(pictures: Sequence[Entry], form: Form) -> Iterator[Part]:
    """The files a few at a time, in order; some are read ahead."""
    with ExitStack() as stack:
        workers = _start_workers(len(pictures), form, stack)
        idle: SimpleQueue[Worker] = SimpleQueue()
        for worker in workers:
            idle.put(worker)

        def decode(some: Sequence[Entry]) -> Part:
            if not workers:
                return decode_files([content_of(entry.open) for entry in some], form)
            contents = [OnDisk(e.on_disk) if e.on_disk else content_of(e.open) for e in some]
            worker = idle.get()
            try:
                return worker.decode(contents)
            finally:
                idle.put(worker)

        at_once = AT_ONCE_EACH if workers else AT_ONCE
        threads = len(workers) + 1 if workers else THREADS  # one more reads files while the others wait
        pool = stack.enter_context(ThreadPoolExecutor(threads))
        waiting: deque[Future[Part]] = deque()
        stack.callback(lambda: [future.cancel() for future in waiting])
        for start in range(0, len(pictures), at_once):
            waiting.append(pool.submit(decode, pictures[start : start + at_once]))
            if len(waiting) > 2 * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _start_workers(n: int, form: Form, stack: ExitStack) -> list[Worker]:
    """One for each core where there is much to do; none where that is not possible."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers: list[Worker] = []
    if n >= MANY and cores > 1 and sys.executable:
        try:
            for _ in range(min(cores, PROCESSES)):
                workers.append(Worker(form))
                stack.callback(workers[-1].close)
        except OSError:
            return []
    return workers
