"""A run as people use it in Python: its history, pictures, diagnosis, report; and several runs of one change."""

from __future__ import annotations

import html
import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ganvas import media
from ganvas.config import Config, diff
from ganvas.errors import GanvasError, UsageError
from ganvas.media import enlarge
from ganvas.notebook.pictures import Picture
from ganvas.notebook.views import DoctorView, Evaluation, Written
from ganvas.runs.run import Run as RunFolder

if TYPE_CHECKING:
    from ganvas.datasets import ImageSet
    from ganvas.notebook.generator import Generator
    from ganvas.notebook.pictures import Images
    from ganvas.reports.facts import Facts

COURSE_KEYS = {
    "gen_loss": "loss/g",
    "disc_loss": "loss/d",
    "real_accuracy": "acc/real",
    "fake_accuracy": "acc/fake",
}
"""The names of the course notebooks' history -> columns of metrics.jsonl."""
GIF_BYTES = 300_000
"""Largest GIF: GitHub shows a notebook whose outputs are small."""
LOOKED_AT = 50
"""Newest runs among which an unfinished one is looked for."""


class Run(RunFolder):
    """A run directory that shows itself. Everything it shows is read from the folder at that moment."""

    @property
    def finished(self) -> bool:
        """Whether its budget is used up."""
        return self.last_turn() == "finish"

    @property
    def facts(self) -> Facts:
        """Everything in the folder, read once."""
        from ganvas.reports.facts import gather

        return gather(self)

    # -- what it learned -------------------------------------------------------------------------------------------

    @property
    def history(self) -> History:
        """The curves: `history["fake_accuracy"]`, `history["loss/d"]`; `history.frame()` is a pandas DataFrame."""
        return History(self.rows("metrics"), int(self.data["n"]))

    @property
    def generator(self) -> Generator:
        """The trained generator: `generator.show(16)`, `generator.sample(64)`."""
        from ganvas.notebook.generator import load

        return load(self.path)

    def sample(self, n: int | None = None, **settings: Any) -> Images:
        """New images of its generator; the arguments are those of `ganvas.sample`, such as `best_of=4`."""
        from ganvas.notebook.commands import sample

        return sample(self, n, **settings)

    def samples(self, at: int | None = None) -> Picture:
        """The sample grid after `at` images (the nearest there is; default: the last), the same z in every grid."""
        grids = self.sample_grids()
        if not grids:
            raise UsageError(f"{self.path} has no sample grid yet: train it first")
        nimg, path = grids[-1] if at is None else min(grids, key=lambda grid: abs(grid[0] - at))
        return self._picture(path, f"samples after {nimg:,} images")

    def real(self) -> Picture:
        """Real images, as many as the sample grids have."""
        return self._picture(self.path / "samples" / "real.png", "real images")

    def _picture(self, path: Path, caption: str) -> Picture:
        picture = self.picture(path)
        if picture is None:
            raise GanvasError(f"{path} is missing or damaged")
        return Picture(media.encode(enlarge(picture, int(self.data["shape"][1]))), caption)

    def gif(self, size: int = GIF_BYTES) -> Picture:
        """Its training as an animation of the sample grids.

        Where it would exceed `size` bytes it shows the grids' first sixteen images, fewer colours, and fewer frames.
        """
        from ganvas.reports import grids

        frames = [picture for _, picture in grids.frames(self.facts)]
        if not frames:
            raise UsageError(f"{self.path} has no sample grid yet: train it first")
        side = int(self.data["shape"][1])
        corners = [frame.crop((0, 0, min(frame.width, 4 * side), min(frame.height, 4 * side))) for frame in frames]
        content, shown, least = b"", 1, side
        for pictures, fewest, least, colours in (
            (frames, 20, LEAST_SIDE_OF_A_FRAME, 256), (frames, 20, side, 256),
            (corners, 20, LEAST_SIDE_OF_A_FRAME, 256), (corners, 20, LEAST_SIDE_OF_A_FRAME, 64),
            (corners, 20, side, 256), (corners, 1, side, 64),
        ):  # fmt: skip
            palette = media.shared_palette([pictures[-1]], colours)
            counts = {min(count, len(pictures)) for count in (60, 40, 30, 20, 12, 8, 4, 2, 1) if count >= fewest}
            for shown in sorted(counts, reverse=True):
                chosen = media.evenly_spaced(pictures, shown) if shown > 1 else pictures[-1:]
                content = media.gif([enlarge(frame, side, least) for frame in chosen], palette)
                if len(content) <= size:
                    return self._animation(content, shown, max(side, least))
        return self._animation(content, shown, max(side, least))

    def _animation(self, content: bytes, steps: int, side: int) -> Picture:
        """The picture of a GIF whose images have `side` pixels, shown large enough to see what is in them."""
        return Picture(content, f"training of {self.path.name}, {steps} steps", "gif", max(1, round(SEEN / side)))

    def curves(self) -> Picture:
        """Losses and accuracies by epoch."""
        from ganvas.reports import curves_png

        return Picture(curves_png.draw(self.facts), "losses and accuracies by epoch")

    def diagram(self, lang: str = "en") -> Picture:
        """The data flow of one update, drawn from its networks."""
        from ganvas import i18n
        from ganvas.reports import diagram_png
        from ganvas.reports.sections import flow  # noqa: F401 (its sentences)

        content = diagram_png.draw(self.facts, i18n.load(lang))
        if content is None:
            raise UsageError(f"{self.path} has no list of its layers (networks.json): there is nothing to draw")
        return Picture(content, "data flow of one update")

    # -- what it is worth ------------------------------------------------------------------------------------------

    def doctor(self, lang: str = "en") -> DoctorView:
        """What is wrong with the training, since when, why, and what to try."""
        from ganvas.diagnostics import diagnose_run

        return DoctorView(diagnose_run(self), lang)

    def evaluate(self, **settings: Any) -> Evaluation:
        """Scores with their intervals; the arguments are those of `ganvas.evaluate`."""
        from ganvas.evaluation import evaluate

        return Evaluation(evaluate(self.path, **settings))

    def report(self, lang: str = "en") -> Written:
        """Write report.html, curves.png, progress.gif; returns where the report is."""
        from ganvas import reports

        return Written(reports.write(self, lang), "report")

    def quiz(self, n: int = 40, out: str | os.PathLike[str] = "quiz.html", **settings: Any) -> Any:
        """A blind test of its images as a page: see `ganvas.quiz`."""
        from ganvas.notebook.submission import quiz

        return quiz(self, n, out, **settings)

    def submit(self, out: str | os.PathLike[str] = "submission", **settings: Any) -> Any:
        """Put together what the course asks to hand in: see `ganvas.submit`."""
        from ganvas.notebook.submission import submit

        return submit([self], out, **settings)

    # -- looking ---------------------------------------------------------------------------------------------------

    def line(self) -> str:
        """The run in one line."""
        facts = self.facts
        state = {"finished": "finished", "stopped": "stopped early", "nan": "stopped by NaN"}.get(facts.state, "open")
        name = str(facts.data.get("name", ""))
        return (
            f"{self.path}: {facts.config.recipe} on {name}, seed {facts.config.seed}, {facts.nimg:,} images "
            f"({facts.epochs:.1f} epochs), {facts.seconds / 60:.1f} minutes, {state}"
        )

    def __repr__(self) -> str:
        return f"Run({self.line()})"

    def _repr_html_(self) -> str:
        parts = [f"<p>{html.escape(self.line())}</p>"]
        if self.sample_grids():
            parts += [f"<div>{self.samples().html()}</div>", f"<div>{self.curves().html()}</div>"]
        return "".join(parts)

    # -- going on --------------------------------------------------------------------------------------------------

    @classmethod
    def at(cls, out: str | os.PathLike[str], config: Config, images: ImageSet) -> Run | None:
        """The run in this folder, where it is this very training, stopped early; None where the folder is free."""
        if not (Path(out) / "config.json").is_file():
            return None
        run = cls(cls.open(out).path)
        if run.finished or not run._is(config, images):
            what = "is finished" if run.finished else "holds another training"
            raise UsageError(f"{out} {what}: name another out=, or leave it out")
        return run

    @classmethod
    def unfinished(cls, config: Config, images: ImageSet, below: Path = Path("runs")) -> Run | None:
        """The newest run below a folder that is this very training, stopped or broken off, and not being written."""
        for path in sorted(below.glob("*/config.json"), key=lambda p: p.stat().st_mtime)[: -LOOKED_AT - 1 : -1]:
            run = cls(path.parent)
            try:
                begun = run.last_turn() in ("stop", "start", "resume") and bool(run.checkpoints())
                if begun and run._is(config, images) and not run.is_locked():
                    return run
            except GanvasError:
                continue
        return None

    def _is(self, config: Config, images: ImageSet) -> bool:
        """Whether this run trains by this config on these images; engine and settled labels aside."""
        changed = [name for name in diff(self.config, config) if not name.startswith("engine.")]
        return self.data.get("sha256") == images.sha256 and set(changed) <= {"data.labels"}


LEAST_SIDE_OF_A_FRAME = 48
"""Pixels of an image in an animation, unless that is too large a file."""
SEEN = 96
"""Pixels of an image in an animation as a notebook shows it, about."""


class Runs(Sequence[Run]):
    """Runs of one training with different seeds."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self.runs = list(runs)

    def __len__(self) -> int:
        return len(self.runs)

    def __getitem__(self, at: Any) -> Any:
        return self.runs[at]

    def __iter__(self) -> Iterator[Run]:
        return iter(self.runs)

    def submit(self, out: str | os.PathLike[str] = "submission", **settings: Any) -> Any:
        """Put together what the course asks to hand in: see `ganvas.submit`."""
        from ganvas.notebook.submission import submit

        return submit(self, out, **settings)

    def __repr__(self) -> str:
        return "\n".join(["Runs, one for each seed:", *(f"  {run.line()}" for run in self.runs)])

    def _repr_html_(self) -> str:
        return "".join(run._repr_html_() for run in self.runs)


class History(Mapping[str, np.ndarray]):
    """Curves by name, one value a row of metrics.jsonl; the course notebooks' four names work as well."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], n: int) -> None:
        self.rows, self.n = list(rows), n

    @cached_property
    def names(self) -> list[str]:
        """Columns, then the course's names for four of them, then epoch."""
        found = list(dict.fromkeys(name for row in self.rows for name in row))
        return [*found, *(own for own, column in COURSE_KEYS.items() if column in found), "epoch"]

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self.names:
            from ganvas.errors import did_you_mean

            raise KeyError(f"no curve {name!r}{did_you_mean(name, self.names)} (there are: {', '.join(self.names)})")
        if name == "epoch":
            return self["nimg"] / self.n if self.rows else np.zeros(0)
        column = COURSE_KEYS.get(name, name)
        return np.array([np.nan if row.get(column) is None else row[column] for row in self.rows], np.float64)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def frame(self) -> Any:
        """A pandas DataFrame, one row a row of metrics.jsonl; UsageError without pandas."""
        try:
            import pandas
        except ImportError:
            raise UsageError("history.frame() needs pandas: pip install pandas") from None
        return pandas.DataFrame({name: self[name] for name in self.names})

    def __repr__(self) -> str:
        return f"History of {len(self.rows)} rows: {', '.join(self.names)}"
