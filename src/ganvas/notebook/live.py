"""A training as it is watched: one cell of a notebook that is redrawn, or the lines of a terminal.

The cell shows progress, the newest samples beside real images, losses and accuracies, and what the doctor says. When
the training ends it becomes a still picture and an animation that need no kernel, so that they survive in a saved
notebook.
"""

from __future__ import annotations

import base64
import html
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from PIL import Image, ImageColor

from ganvas import media
from ganvas.media import enlarge
from ganvas.notebook.pictures import Picture
from ganvas.notebook.run import GIF_BYTES, Run
from ganvas.terminal import show
from ganvas.training.progress import Bar, clock, event_line, losses, show_progress

if TYPE_CHECKING:
    from ganvas.datasets import ImageSet
    from ganvas.training.loop import Event

SHARE = 0.05
"""Of the time, at most this share goes into drawing."""
SECONDS = 1.0
"""Least time between two pictures."""
COLUMNS = 4
"""Images in a row of the cell's grids."""
CURVES = (6.2, 5.2)
"""Width and height of the curves, inches at 100 pixels an inch."""
STILL_BYTES = 150_000
"""Largest still picture; the animation gets what is left of GIF_BYTES."""


class View(Protocol):
    """A hook for training events that is opened before and closed after the training."""

    def __call__(self, event: Event) -> None: ...
    def __enter__(self) -> Any: ...
    def __exit__(self, *error: object) -> None: ...


def show_training(run: Run, images: ImageSet, goes_on: bool) -> View:
    """The live cell in a notebook, else the progress of the command line."""
    sink = notebook_sink()
    return Terminal(run, images, goes_on) if sink is None else LiveCell(run, images, goes_on, sink)


class Silent:
    """Shows nothing."""

    def __call__(self, event: Event) -> None:
        pass

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *error: object) -> None:
        pass


class Terminal:
    """The progress of the command line, and a last line with where the run is."""

    def __init__(self, run: Run, images: ImageSet, goes_on: bool) -> None:
        self.run, self.bar = run, show_progress(len(images.images))
        show(f"run: {run.path}" + (" goes on" if goes_on else ", fresh networks"), file=sys.stderr, flush=True)

    def __call__(self, event: Event) -> None:
        self.bar(event)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        if isinstance(self.bar, Bar):
            self.bar.close()


class LiveCell:
    """One output of a notebook, redrawn while the training goes on. `sink(html, picture)` replaces what it shows."""

    def __init__(self, run: Run, images: ImageSet, goes_on: bool, sink: Sink) -> None:
        self.run, self.n, self.sink = run, len(images.images), sink
        self.start = "goes on" if goes_on else "fresh networks"
        self.rows: list[dict[str, Any]] = run.rows("metrics")
        self.first: tuple[int, float] | None = None
        self.line, self.notes, self.share = "starting", [], 0.0  # type: tuple[str, list[str], float]
        self.due = 0.0

    def __enter__(self) -> LiveCell:
        self.draw()
        return self

    def __call__(self, event: Event) -> None:
        match event.kind:
            case "start" | "resume":
                self.first = event.nimg, event.sec
                self.line = event_line(event) or ""
            case "row":
                self.rows.append(event.details["row"])
                self.line, self.share = self._progress(event)
            case "doctor" | "warning":
                self.notes.append(event_line(event) or "")
        if event.kind in ("untrained", "doctor") or (event.kind in ("row", "sample") and time.monotonic() >= self.due):
            self.draw()

    def __exit__(self, *error: object) -> None:
        """Leave a still picture and the animation, which need no kernel."""
        if self.run.sample_grids():
            still = self.still()
            self.sink.end(still, self.run.gif(GIF_BYTES - len(still.content)), self.run.line())

    def draw(self) -> None:
        """Redraw the cell; the next time not before it pays."""
        start = time.monotonic()
        self.sink.show(self.page())
        self.due = time.monotonic() + max(SECONDS, (time.monotonic() - start) / SHARE)

    def page(self) -> str:
        """The cell as HTML."""
        text, percent = html.escape, f"{100 * self.share:.0f}%"
        bar = (
            '<div style="background:#8884;border-radius:3px;max-width:60em">'
            f'<div style="background:#2f48c8;border-radius:3px;height:6px;width:{percent}"></div></div>'
        )
        notes = "".join(f"<div>{text(note)}</div>" for note in self.notes[-3:])
        whole = self.picture()
        shown = Picture(media.encode(whole), "newest samples, real images, curves").html() if whole else ""
        return f"<div>{text(str(self.run.path))}, {self.start}: {text(self.line)}</div>{bar}{notes}<div>{shown}</div>"

    def picture(self) -> Image.Image | None:
        """Newest samples, real images and curves side by side; None before the first samples."""
        side = int(self.run.data["shape"][1])
        grids = self.run.sample_grids()
        columns = []
        newest = self.run.picture(grids[-1][1]) if grids else None
        real = self.run.picture(self.run.path / "samples" / "real.png")
        title = f"after {grids[-1][0] / self.n:.1f} epochs" if grids else ""
        for name, picture in ((title, newest), ("real images", real)):
            if picture is not None:
                cut = picture.crop((0, 0, min(picture.width, COLUMNS * side), min(picture.height, 8 * side)))
                columns.append(_titled(enlarge(cut, side), name))
        if self.rows:
            columns.append(draw_curves(self.rows, self.n))
        return _beside(columns) if columns else None

    def still(self) -> Picture:
        """The last picture of the cell, in as many colours as fit into STILL_BYTES."""
        whole = self.picture()
        assert whole is not None  # there are samples
        content = b""
        for colours in (256, 64, 16):
            content = media.encode(_in_colours(whole, colours), optimize=True)
            if len(content) <= STILL_BYTES:
                break
        return Picture(content, self.run.line())

    def _progress(self, event: Event) -> tuple[str, float]:
        row = event.details["row"]
        done, sec = event.nimg - (self.first or (0, 0))[0], event.sec - (self.first or (0, 0.0))[1]
        share = min(event.nimg / event.total, 1.0) if event.total else 0.0
        left = f", {clock((max(event.total - event.nimg, 0)) * sec / done)} left" if event.total and done else ""
        return f"{share:.0%}{left}: {losses(row, self.n)}", share


class Sink(Protocol):
    """Where a live cell is shown."""

    def show(self, page: str) -> None:
        """Replace what is shown by a page of HTML."""

    def end(self, still: Picture, animation: Picture, line: str) -> None:
        """Replace it by the still picture, for good, and show the animation below it."""


class IPythonSink:
    """One display of IPython: Jupyter, Colab, VS Code."""

    def __init__(self) -> None:
        self.handle: Any = None

    def _replace(self, bundle: dict[str, Any]) -> None:
        from IPython.display import display

        if self.handle is None:
            self.handle = display(bundle, raw=True, display_id=True)
        else:
            self.handle.update(bundle, raw=True)

    def show(self, page: str) -> None:
        self._replace({"text/html": page, "text/plain": "training"})

    def end(self, still: Picture, animation: Picture, line: str) -> None:
        from IPython.display import display

        self._replace({"image/png": base64.b64encode(still.content).decode(), "text/plain": line})
        display(animation)


class MarimoSink:
    """The output of a marimo cell."""

    def show(self, page: str) -> None:
        import marimo

        marimo.output.replace(marimo.Html(page))

    def end(self, still: Picture, animation: Picture, line: str) -> None:
        self.show(f"<div>{html.escape(line)}</div><div>{still.html()}</div><div>{animation.html()}</div>")


def notebook_sink() -> Sink | None:
    """Where to show a live cell: the notebook that runs this code; None in a script or a terminal."""
    marimo: Any = sys.modules.get("marimo")
    if marimo is not None and marimo.running_in_notebook():
        return MarimoSink()
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return IPythonSink() if shell is not None and getattr(shell, "kernel", None) is not None else None


def draw_curves(rows: list[dict[str, Any]], n: int) -> Image.Image:
    """Losses above accuracies, by epoch; neither touches pyplot's state."""
    import io

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from ganvas.reports.curves_png import COLOURS

    figure = Figure(CURVES, dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    panels = (("loss", (("loss/d", "d", "D"), ("loss/g", "g", "G"))), ("accuracy of D", _accuracies(rows)))
    for i, (title, columns) in enumerate(panels):
        axes = figure.add_subplot(2, 1, i + 1)
        for name, colour, label in columns:
            points = [(row["nimg"] / n, row[name]) for row in rows if row.get(name) is not None]
            if points:
                axes.plot(*zip(*points, strict=True), color=COLOURS[colour], linewidth=1.4, label=label)
        if i:
            axes.axhline(0.5, color="#888", linewidth=0.8, linestyle=(0, (4, 4)))
            axes.set_ylim(-0.02, 1.02)
            axes.set_xlabel("epoch")
        axes.set_title(title, loc="left", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=9)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    with Image.open(file) as picture:
        return picture.convert("RGB")


def _accuracies(rows: list[dict[str, Any]]) -> tuple[tuple[str, str, str], ...]:
    if rows and "acc/pair" in rows[-1]:
        return (("acc/fake", "d", "balanced threshold"), ("acc/pair", "g", "pairs with D(real) > D(fake)"))
    return (("acc/real", "d", "on real images"), ("acc/fake", "g", "on fakes"))


def _in_colours(picture: Image.Image, colours: int) -> Image.Image:
    """The picture in so many colours, those of the curves among them: noisy samples would take them all."""
    from ganvas.reports.curves_png import COLOURS

    own = [*ImageColor.getrgb("white"), *ImageColor.getrgb("black")]
    own += [level for colour in COLOURS.values() for level in ImageColor.getrgb(colour)]
    most = colours - len(own) // 3
    found = picture.quantize(most, dither=Image.Dither.NONE).getpalette() or []
    palette = Image.new("P", (1, 1))
    palette.putpalette(own + found[: 3 * most])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def _titled(picture: Image.Image, title: str, height: int = 22) -> Image.Image:
    from PIL import ImageDraw, ImageFont

    whole = Image.new("RGB", (picture.width, picture.height + height), "white")
    whole.paste(picture.convert("RGB"), (0, height))
    ImageDraw.Draw(whole).text((0, 4), title, fill="black", font=ImageFont.load_default(14))
    return whole


def _beside(pictures: list[Image.Image], gap: int = 12) -> Image.Image:
    whole = Image.new(
        "RGB", (sum(p.width for p in pictures) + gap * (len(pictures) - 1), max(p.height for p in pictures)), "white"
    )
    x = 0
    for picture in pictures:
        whole.paste(picture, (x, 0))
        x += picture.width + gap
    return whole
