"""What the pages may read and write: the runs folder, the data that were named, trainings that were started here."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganvas.errors import GanvasError
from ganvas.runs.run import Run
from ganvas.ui.summaries import Summaries
from ganvas.ui.trainings import Trainings

LONGEST = 255
"""Bytes of a name that file systems hold."""
OF = "::"
"""Between an experiment and the folder of one of its runs, in the name of that run."""


class MissingError(GanvasError):
    """What was asked for is not there; the browser gets 404."""


class House:
    """One folder of runs and what belongs to it. Every room gets it as `request.app.state.house`."""

    def __init__(
        self, root: Path, *, lang: str = "en", data: Sequence[Path] = (), experiments: Path | None = None
    ) -> None:
        self.root = root.resolve()
        """The folder of runs."""
        if experiments is None:
            inside = (self.root / "experiment.json").is_file()  # it is the folder of one experiment
            experiments = self.root.parent / ("" if inside else "experiments")
        self.experiments = experiments.resolve()
        """The folder of experiments."""
        self.lang = lang
        """Language of pages for those who have not chosen one."""
        self.data = [path.resolve() for path in data]
        """Files and folders of the user's that trainings may read."""
        self.trainings = Trainings()
        """Those that were started here."""
        self.views: dict[tuple[Path, str], tuple[str, dict[str, Any]]] = {}
        """(run, language) -> the last page of it that was made, with its stamp."""
        self.naming = threading.Lock()
        """Held while a new run gets its name."""
        self.summaries = Summaries(self.root)
        """A short row for each run."""

    def path(self, name: str) -> Path:
        """The folder of that name below `root`, there or not. MissingError for a name that is none."""
        try:
            length = len(os.fsencode(name))
        except UnicodeEncodeError:
            length = 0
        if not 0 < length <= LONGEST or name in (".", "..") or any(c in name for c in "/\\\0"):
            raise MissingError(f"{name[:100]!r} is no name of a run")
        return self.root / name

    def run(self, name: str) -> Run:
        """The run of that name: a folder of `root`, or EXPERIMENT::FOLDER for one of an experiment.

        MissingError where there is none, GanvasError where it is unreadable or a link in it leads out of the folder.
        """
        path, root = self.path(name), self.root
        experiment, of, folder = name.partition(OF)
        if of and not path.exists():
            path, root = self.experiment(experiment) / self.path(folder).name, self.experiments
        if not path.is_dir() or not (path / "config.json").exists():
            raise MissingError(f"there is no run {name} here: it may have been deleted or renamed")
        check_inside(path, root)
        return Run.open(path)

    def experiment(self, name: str) -> Path:
        """The folder of an experiment; MissingError where there is none of that name."""
        path = self.experiments / self.path(name).name
        if not (path / "experiment.json").is_file():
            raise MissingError(f"there is no experiment {name} here")
        if not _within(path, self.experiments) or not _within(path / "experiment.json", self.experiments):
            raise GanvasError(f"{name}: a link there leads out of the folder of experiments, so it is not opened")
        return path


def check_inside(path: Path, root: Path) -> None:
    """GanvasError where the folder, or a link in it, leads out of `root`."""
    stack = [path]
    while stack:
        folder = stack.pop()
        if folder.is_symlink() and not _within(folder, root):
            raise GanvasError(f"{path.name}: a link there leads out of the runs folder, so it is not opened")
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    if entry.is_symlink() and not _within(Path(entry.path), root):
                        raise GanvasError(
                            f"{path.name}: the link {entry.name} leads out of the runs folder, so it is not opened"
                        )
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(Path(entry.path))
        except OSError as error:
            if folder == path:
                raise MissingError(f"{path.name} cannot be read: {error.strerror}") from error


def _within(path: Path, root: Path) -> bool:
    """Whether a path is in `root` once its links are followed."""
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a loop of links
        return False
