"""The images that a run or a generator was trained on: where they are now, and whether they are still the same."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PureWindowsPath
from typing import Any

from ganvas import datasets
from ganvas.config import DataConfig
from ganvas.datasets import ImageSet
from ganvas.datasets.dataset import in_class_order
from ganvas.errors import GanvasError, UsageError, option, shape_text
from ganvas.runs.run import Run

DIGITS = 12  # of a hash, in messages


def place(name: str) -> dict[str, str]:
    """What finds images again that were named by a path: it as absolute path, and where its links lead."""
    if name in datasets.SOURCES or name == datasets.IN_MEMORY:
        return {}
    path = Path(name).expanduser().absolute()
    return {"path": os.fspath(path), "real_path": os.path.realpath(path)}


def locate(config: DataConfig, about: Mapping[str, Any], home: Path | None = None) -> DataConfig | None:
    """The config with the path at which its images probably are now; None where nothing is there.

    `about`: a run's data.json or what a generator file says of its data; `home`: the run directory.
    """
    if config.name in datasets.SOURCES:
        return config
    found = next(_candidates(config.name, about, home), None)
    return None if found is None else replace(config, name=os.fspath(found))


def load_again(
    config: DataConfig, about: Mapping[str, Any], home: Path | None = None, moved: str | None = None,
    progress: bool = True, whose: str = "",
) -> tuple[DataConfig, ImageSet]:  # fmt: skip
    """The images of a run once more, and the config with their path; `moved` is the user's word on where they are now.

    Raises UsageError where they are nowhere, GanvasError where other images are there: with both hashes and what
    differs.
    """
    whose = whose or os.fspath(home or "this generator")
    if moved is not None:
        places = [moved]
    elif config.name in datasets.SOURCES:
        places = [config.name]
    else:
        places = [os.fspath(path) for path in _candidates(config.name, about, home)]
        if config.name == datasets.IN_MEMORY and not places:
            datasets.find_source(config.name)  # says that they were given in Python
    if not places:
        raise UsageError(needs(config, about, whose))
    wrong = ""
    for name in places:
        here = replace(config, name=name)
        images = datasets.load(here, progress)
        if (found := _in_its_order(images, about) or _at_its_size(here, images, about, progress)) is not None:
            return here, found
        wrong = wrong or _differs(name, images, about, whose)
    raise GanvasError(wrong)


def of_run(run: Run, moved: str | None = None, progress: bool = True) -> ImageSet:
    """The images of a run, loaded and compared by hash; raises as `load_again`."""
    return load_again(run.config.data, run.data, run.path, moved, progress)[1]


def check_same(run: Run, images: ImageSet) -> ImageSet:
    """The images, in the class order of the run; GanvasError, with both hashes and what differs, for other images."""
    found = _in_its_order(images, run.data)
    if found is None:
        raise GanvasError(_differs(images.name, images, run.data, os.fspath(run.path)))
    return found


def _at_its_size(config: DataConfig, images: ImageSet, about: Mapping[str, Any], progress: bool) -> ImageSet | None:
    """The images at the size that they had then: where none is set, older versions made 32 px of equal squares too."""
    side = (about.get("shape") or images.images.shape)[-1]
    if config.size is not None or config.name in datasets.SOURCES or side == images.images.shape[3]:
        return None
    return _in_its_order(datasets.load(replace(config, size=side), progress), about)


def _in_its_order(images: ImageSet, about: Mapping[str, Any]) -> ImageSet | None:
    """The images as they were then, whose classes an older version may have numbered otherwise; None for others."""
    if images.sha256 == about.get("sha256", images.sha256):
        return images
    ordered = in_class_order(images, about.get("class_names", ()))
    return ordered if ordered.sha256 == about["sha256"] else None


def remember(run: Run, name: str) -> None:
    """Write into the run where its images are now."""
    run.write_json("data.json", {**run.data, **place(name)})


def needs(config: DataConfig, about: Mapping[str, Any], whose: str) -> str:
    """One line: which images a run or generator needs, and how to name them."""
    at = about.get("path")
    where = f"{config.name}, which is not there" + (f" (nor at {at})" if at and at != config.name else "")
    return f"{whose} was trained on {where}{_facts(about)}: name those images with {option('--data PATH')}"


def _facts(about: Mapping[str, Any]) -> str:
    if "sha256" not in about:
        return ""
    return f"; {about['n']:,} images of {shape_text(about['shape'])}, SHA-256 {about['sha256'][:DIGITS]}..."


def _differs(name: str, images: ImageSet, about: Mapping[str, Any], whose: str) -> str:
    here = {"n": len(images.images), "shape": shape_text(images.images.shape[1:]), "classes": list(images.class_names)}
    then = {
        "n": about.get("n"), "shape": shape_text(about.get("shape", ())), "classes": list(about.get("class_names", ())),
    }  # fmt: skip
    parts = []
    if here["n"] != then["n"]:
        parts.append(f"{here['n']:,} images instead of {then['n']:,}")
    if here["shape"] != then["shape"]:
        parts.append(f"{here['shape']} instead of {then['shape']}")
    if here["classes"] != then["classes"]:
        parts.append(f"classes {_names(here['classes'])} instead of {_names(then['classes'])}")
    what = ", ".join(parts) or "the same number, size and classes, but other pixels or another order"
    return (
        f"{name} is no longer what {whose} was trained on (SHA-256 {images.sha256[:DIGITS]}..., not "
        f"{about['sha256'][:DIGITS]}...): {what}; restore those images, "
        f"name them with {option('--data')}, or start a new run"
    )


def _names(names: Any) -> str:
    return "(" + ", ".join(names[:5]) + (", ..." if len(names) > 5 else "") + ")" if names else "(none)"


def _candidates(name: str, about: Mapping[str, Any], home: Path | None) -> Iterator[Path]:
    """Paths that exist and may hold the images: as recorded, as typed, below a folder above the run."""
    typed = [Path(name).expanduser()]
    if "\\" in name and os.sep != "\\":  # typed on Windows
        typed.append(Path(PureWindowsPath(name).as_posix()))
    recorded = [Path(about[key]) for key in ("path", "real_path") if about.get(key)]
    above = home.absolute().parents if home is not None else ()
    below = [folder / path for path in typed if not path.is_absolute() for folder in above]
    seen = set() if home is None else {os.path.realpath(home)}  # a run may have the name of its images
    for path in (*recorded, *typed, *below):
        real = os.path.realpath(path)
        if real not in seen and path.exists():
            seen.add(real)
            yield path
