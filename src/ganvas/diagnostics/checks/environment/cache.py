"""The data cache: which data sets are there, and whether the others can be downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ganvas import datasets
from ganvas.datasets import cache
from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import Installation, free_space, gigabytes

DOWNLOAD = 1e9
"""Bytes: twice what downloading CIFAR-10 needs at a time (an archive of 170 MB, unpacked 180 MB) and some to spare."""


def examine(installation: Installation) -> Iterator[Result]:
    """Looks at file names only; the content is verified when it is read."""
    folder = str(cache.root())
    fetched = {name: source for name, source in datasets.SOURCES.items() if source.files is not None}
    here = [name for name, source in fetched.items() if source.present]
    sets, missing = ", ".join(here), ", ".join(name for name in fetched if name not in here)
    free = free_space(Path(folder))
    if free is None and missing:
        yield Result("cache-unwritable", "bad", {"folder": folder, "missing": missing})
    elif free is None:
        yield Result("cache-read-only", "advice", {"folder": folder, "sets": sets})
    elif missing and free < DOWNLOAD:
        yield Result("cache", "advice", {"folder": folder, "missing": missing, "free": gigabytes(free)})
    elif not here:
        yield Result("cache-empty", "good", {"folder": folder, "missing": missing})
    else:
        yield Result("cache", "good", {"folder": folder, "sets": sets})


SENTENCES = {
    "en": {
        "cache.good": "Data cache {folder} contains {sets}.",
        "cache.advice": "Data cache {folder}: {missing} still to download, but only {free} is free. Free some space, "
        "or set `GANVAS_DATA` to another folder.",
        "cache-empty.good": "Data cache {folder} is empty. {missing}: downloaded on first use, or with `ganvas data "
        "fetch NAME`.",
        "cache-read-only.advice": "The data cache {folder} is not writable. {sets} can be used, but features of real "
        "images are computed again at every evaluation, unless you set `GANVAS_DATA` to a folder that you can write "
        "to.",
        "cache-unwritable.bad": "The data cache {folder} is not writable, so {missing} cannot be downloaded. Set "
        "`GANVAS_DATA` to a folder that you can write to.",
    },
    "ko": {
        "cache.good": "데이터 캐시 {folder}: {sets} 있음.",
        "cache.advice": "데이터 캐시 {folder}: 아직 받지 않은 데이터가 있는데({missing}) 남은 공간이 {free}뿐입니다. "
        "공간을 비우거나 `GANVAS_DATA`를 다른 폴더로 설정해 주세요.",
        "cache-empty.good": "데이터 캐시 {folder}: 아직 비어 있습니다. {missing}: 처음 사용할 때 받으며, `ganvas data "
        "fetch NAME`으로 미리 받을 수도 있습니다.",
        "cache-read-only.advice": "데이터 캐시 {folder}에 쓸 수 없습니다. 안에 있는 데이터({sets})는 쓸 수 있지만, "
        "진짜 이미지의 특징을 저장하지 못해 평가할 때마다 다시 계산합니다. 필요하면 `GANVAS_DATA`를 쓸 수 있는 폴더로 "
        "설정해 주세요.",
        "cache-unwritable.bad": "데이터 캐시 {folder}에 쓸 수 없어 데이터를 받을 수 없습니다({missing}). "
        "`GANVAS_DATA`를 쓸 수 있는 폴더로 설정해 주세요.",
    },
}

register_check(Check("cache", "env", 100, examine, SENTENCES))
