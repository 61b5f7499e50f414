"""Animations of a training and of a generator: frames, and the files that hold them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ganvas import media
from ganvas.errors import GanvasError, UsageError, did_you_mean, first_line
from ganvas.exporting.motion import class_morph as morph
from ganvas.exporting.motion import latent_walk, training
from ganvas.files import MARK, check_replaceable, replace_file, writing_to
from ganvas.generator import load
from ganvas.runs.run import Run

KINDS = ("gif", "webp", "mp4")
MOTIONS = ("latents", "classes")
RATE = 20
"""Frames a second of a walk and of every mp4; a GIF's clock has steps of 10 ms."""
SECONDS = 6.0
LONGEST = 30.0
HOLD = 0.25
"""Share of the time for which the last frame of a training stands still."""


@dataclass(frozen=True)
class Animation:
    """What was written where."""

    path: Path
    frames: int
    seconds: float
    shows: str

    def __repr__(self) -> str:
        size = self.path.stat().st_size
        return f"{self.path}: {self.shows}; {self.frames} frames, {self.seconds:g} s, {size:,} bytes"


def animate(
    target: str | os.PathLike[str],
    to: str,
    out: str | os.PathLike[str] | None = None,
    interpolate: str | None = None,
    seconds: float = SECONDS,
    seed: int = 0,
    force: bool = False,
) -> Animation:
    """A "gif", "webp" or "mp4" of `seconds` seconds; `out` is NAME.gif and so on by default.

    Without `interpolate`: the sample grids of a run, all of the same z, from the first to the last. "latents": images
    on closed ways through latents. "classes": the same latents through all classes and back to the first. Raises
    UsageError for what cannot be asked, GanvasError where mp4 has no encoder.
    """
    if to not in KINDS:
        raise UsageError(f"--to {to}: choose {', '.join(KINDS)}{did_you_mean(to, KINDS)}")
    if interpolate is not None and interpolate not in MOTIONS:
        raise UsageError(
            f"--interpolate {interpolate}: choose {' or '.join(MOTIONS)}{did_you_mean(interpolate, MOTIONS)}"
        )
    if not 0.5 <= seconds <= LONGEST:
        raise UsageError(f"--seconds {seconds:g}: choose 0.5 to {LONGEST:g}")
    path = Path(out if out is not None else f"{Path(target).absolute().name.removesuffix('.safetensors')}.{to}")
    if path.suffix != f".{to}":
        raise UsageError(f"--out {path}: name a .{to} file")
    check_replaceable(path, force)
    encode = {"gif": _gif, "webp": _webp, "mp4": _mp4}[to]
    if to == "mp4":
        _encoder()
    count = max(2, round(seconds * RATE))
    if interpolate is None:
        frames, shows = training(_run(target), count)
        hold = HOLD * seconds if len(frames) > 1 else seconds
        each = (seconds - hold) / max(1, len(frames) - 1)
        times = [each] * (len(frames) - 1) + [hold]
    else:
        generator = load(target)
        frames, shows = (latent_walk if interpolate == "latents" else morph)(generator, count, seed)
        times = [1 / RATE] * count
    with writing_to(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        check_replaceable(path, force)
        encode(path, frames, times)
    return Animation(path, len(frames), seconds, shows)


def _run(target: str | os.PathLike[str]) -> Run:
    """The run whose training is shown; UsageError where there is only a model."""
    if not Path(target).is_dir():
        raise UsageError(f"{os.fspath(target)} is no run: its training cannot be shown; use --interpolate latents")
    return Run.open(target)


def _milliseconds(times: Sequence[float]) -> list[int]:
    """Durations of frames in whole hundredths of a second, so that their sum stays right; none is below 20 ms."""
    ends = np.round(np.cumsum(times) * 100).astype(int)
    return [max(2, int(step)) * 10 for step in np.diff(ends, prepend=0)]


def _gif(path: Path, frames: Sequence[Image.Image], times: Sequence[float]) -> None:
    palette = media.shared_palette(media.evenly_spaced(frames, 12))
    replace_file(path, media.gif(frames, palette, _milliseconds(times)))


def _webp(path: Path, frames: Sequence[Image.Image], times: Sequence[float]) -> None:
    replace_file(path, media.webp(frames, durations=_milliseconds(times)))


def _encoder() -> Callable[..., object]:
    """What writes mp4; GanvasError where it is not installed."""
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise GanvasError("mp4 needs the package imageio-ffmpeg: pip install 'ganvas[video]'") from error
    write: Callable[..., object] = imageio_ffmpeg.write_frames
    return write


def _mp4(path: Path, frames: Sequence[Image.Image], times: Sequence[float]) -> None:
    """H.264 with every frame as long as asked, in pixels that players of all kinds know (4:2:0, even sides)."""
    w, h = (-(-side // 2) * 2 for side in frames[0].size)
    ends = np.round(np.cumsum(times) * RATE).astype(int)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent))
    try:
        file = aside / "video.mp4"
        writer = _encoder()(
            str(file), (w, h), fps=RATE, codec="libx264", macro_block_size=2, quality=8, ffmpeg_log_level="error",
            output_params=["-metadata", f"comment={MARK}"],
        )  # fmt: skip
        writer.send(None)  # type: ignore[attr-defined]
        for frame, repeats in zip(frames, np.diff(ends, prepend=0), strict=True):
            picture = Image.new("RGB", (w, h))
            picture.paste(frame.convert("RGB"))
            for _ in range(repeats):
                writer.send(picture.tobytes())  # type: ignore[attr-defined]
        writer.close()  # type: ignore[attr-defined]
        replace_file(path, file.read_bytes())
    except OSError:
        raise
    except Exception as error:  # of the encoder
        raise GanvasError(f"{path}: the video cannot be written ({first_line(error)}): choose gif or webp") from error
    finally:
        for left in aside.iterdir():
            left.unlink()
        aside.rmdir()
