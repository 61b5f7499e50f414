"""Animations: their frames are the training's grids, closed ways between latents, ways between classes."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence

import ganvas
from conftest import trained
from ganvas import media
from ganvas.cli import main as cli
from ganvas.errors import GanvasError, UsageError
from ganvas.exporting import motion
from ganvas.files import is_ours
from ganvas.generator import load
from ganvas.runs.run import Run


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small class-conditional training."""
    return trained(tmp_path_factory.mktemp("conditional") / "run", {"data.labels": "auto", "g_optim.lr": 0.01})


def length(path: Path) -> tuple[int, int]:
    """(frames, milliseconds) of a GIF or WebP."""
    with Image.open(path) as picture:
        times = []
        for i in range(getattr(picture, "n_frames", 1)):
            picture.seek(i)
            picture.load()
            times.append(picture.info["duration"])
    return len(times), sum(times)


@pytest.mark.parametrize("to", ["gif", "webp"])
def test_a_training_through_time(conditional: Run, tmp: Path, to: str) -> None:
    done = ganvas.animate(conditional, to, tmp / f"t.{to}", seconds=2)
    grids = conditional.sample_grids()
    assert done.frames == len(grids) > 1 and length(done.path) == (len(grids), 2000)
    assert is_ours(done.path) and [path.name for path in tmp.iterdir()] == [f"t.{to}"]
    if to == "gif":  # of 256 colours: near the grid, the last one at the end
        with Image.open(done.path) as picture:
            last = np.asarray([frame.convert("RGB") for frame in ImageSequence.Iterator(picture)][-1], int)
        newest = conditional.picture(grids[-1][1])
        assert newest is not None
        assert np.abs(last - np.asarray(media.enlarge(newest, 16))).mean() < 8
    ganvas.animate(conditional, to, tmp / f"t.{to}", seconds=1)  # ours: it may be replaced
    assert length(done.path)[1] == 1000


def test_frames_are_the_grids_of_the_run(finished: Run) -> None:
    frames, shows = motion.training(finished, 100)
    for frame, (_, path) in zip(frames, finished.sample_grids(), strict=True):
        with Image.open(path) as grid:
            np.testing.assert_array_equal(np.asarray(frame), np.asarray(media.enlarge(grid, 16)))
    assert shows == "the same latents from image 0 to image 192 of the training"
    assert len(motion.training(finished, 2)[0]) == 2


def test_a_walk_is_closed_and_passes_the_images_of_the_seed(finished: Run) -> None:
    generator = load(finished.path)
    z = generator.loop(4, 40, seed=5, first=8)
    from ganvas.training import latents

    stops = latents.draw_z(generator.config.generator, 5, "sample", np.arange(8, 12))
    np.testing.assert_allclose(z[::10], stops, atol=1e-6)
    steps = np.linalg.norm(np.diff(z, axis=0, append=z[:1]), axis=1)
    assert steps.max() < 0.3 * np.linalg.norm(stops[0] - stops[1])  # the last one leads to the first, no jump
    assert np.linalg.norm(z, axis=1).min() > 0.9 * np.linalg.norm(stops, axis=1).min()
    frames, _ = motion.latent_walk(generator, 8, 0)
    assert len(frames) == 8 and frames[0].size == (4 * 96, 4 * 96)
    np.testing.assert_array_equal(
        np.asarray(frames[0].resize((64, 64), Image.Resampling.NEAREST)),
        np.asarray(media.grid(generator.draw(np.stack([generator.loop(4, 8, 0, 4 * i)[0] for i in range(16)])), 4)),
    )


def test_a_morph_is_the_class_at_each_class(conditional: Run) -> None:
    generator = load(conditional.path)
    frames, shows = motion.class_morph(generator, 20, 3)
    assert shows.startswith("16 latents through 10 classes and back")
    for k in range(10):
        pure = media.grid(generator.sample(16, 3, labels=[k] * 16), 4)
        small = frames[2 * k].resize((64, 64), Image.Resampling.NEAREST)
        assert np.abs(np.asarray(small, int) - np.asarray(pure)).max() <= 1
        between = np.asarray(frames[2 * k + 1], int)
        assert (between != np.asarray(frames[2 * k])).any()
    assert generator.network.state_dict().keys() == load(conditional.path).network.state_dict().keys()


def test_a_video_is_as_long_as_asked(conditional: Run, tmp: Path) -> None:
    import imageio_ffmpeg

    done = ganvas.animate(conditional.path, "mp4", tmp / "v.mp4", interpolate="classes", seconds=1)
    about = next(imageio_ffmpeg.read_frames(str(done.path)))
    assert about["size"] == (4 * 96, 4 * 96) and about["fps"] == 20 and abs(about["duration"] - 1) < 0.06
    assert is_ours(done.path) and [path.name for path in tmp.iterdir()] == ["v.mp4"]
    assert imageio_ffmpeg.count_frames_and_secs(str(done.path))[0] == 20


def test_without_an_encoder_one_line_says_so(finished: Run, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(GanvasError, match=r"mp4 needs the package imageio-ffmpeg: pip install 'ganvas\[video\]'"):
        ganvas.animate(finished.path, "mp4", tmp / "v.mp4")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "gfi"), r"--to gfi: choose gif, webp, mp4; did you mean gif\?"),
        (("--to", "gif", "--interpolate", "class"), "choose latents or classes; did you mean classes"),
        (("--to", "gif", "--seconds", "0"), "--seconds 0: choose 0.5 to 30"),
        (("--to", "gif", "--seconds", "nan"), "--seconds nan: choose 0.5 to 30"),
        (("--to", "gif", "--out", "x.png"), "--out x.png: name a .gif file"),
        (("--to", "gif", "--interpolate", "classes"), "was trained without classes: use --interpolate latents"),
        (("--to", "gif", "--seed", "-1"), "--seed must be 0 or more"),
    ],
)
def test_usage_errors_are_one_line(
    finished: Run, in_tmp: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert cli.main(["animate", str(finished.path), *words]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert re.search(said, line) and not [*in_tmp.iterdir()]


def test_what_is_no_run_and_what_others_made(finished: Run, tmp: Path) -> None:
    with pytest.raises(UsageError, match="is no run: its training cannot be shown; use --interpolate latents"):
        ganvas.animate("cifar10-cpu-v1", "gif", tmp / "a.gif")
    (tmp / "a.gif").write_bytes(b"mine")
    with pytest.raises(UsageError, match="was not made by ganvas"):
        ganvas.animate(finished.path, "gif", tmp / "a.gif")
    assert (tmp / "a.gif").read_bytes() == b"mine"
    empty = Run(shutil.copytree(finished.path, tmp / "run"))
    shutil.rmtree(empty.path / "samples")
    with pytest.raises(UsageError, match="has no sample grid yet"):
        ganvas.animate(empty, "gif", tmp / "b.gif")
