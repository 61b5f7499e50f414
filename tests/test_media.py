"""Grids and animations come back as the pixels that went in."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from ganvas import media
from synthetic import pictures

SHAPES = [(3, 32, 32), (1, 28, 28), (3, 16, 16)]


def decoded(content: bytes, mode: str) -> list[np.ndarray]:
    """Every frame of an animation, in `mode`."""
    with Image.open(io.BytesIO(content)) as animation:
        frames = []
        for at in range(getattr(animation, "n_frames", 1)):
            animation.seek(at)
            frames.append(np.asarray(animation.convert(mode)))
        return frames


def frames_of(shape: tuple[int, int, int], count: int = 6) -> list[Image.Image]:
    return [media.grid(pictures(16, shape, seed), 4) for seed in range(count)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("n", "columns"), [(64, 8), (5, 3), (1, 8)])
def test_a_grid_holds_its_tiles(shape: tuple[int, int, int], n: int, columns: int) -> None:
    images = pictures(n, shape, seed=0)
    picture = media.grid(images, columns)
    assert picture.mode == ("L" if shape[0] == 1 else "RGB")
    across = min(columns, n)
    assert picture.size == (across * shape[2], -(-n // across) * shape[1])
    back = media.tiles(picture, shape)
    assert np.array_equal(back[:n], images)
    assert not back[n:].any()


@pytest.mark.parametrize("shape", [(4, 2, 8, 8), (3, 8, 8), (0, 3, 8, 8)])
def test_a_grid_refuses_what_is_no_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        media.grid(np.zeros(shape, np.uint8))
    with pytest.raises(ValueError, match="found float32"):
        media.grid(np.zeros((4, 3, 8, 8), np.float32))


@pytest.mark.parametrize("limit", [1, 2, 7, 100])
def test_evenly_spaced_items_keep_both_ends(limit: int) -> None:
    items = list(range(40))
    kept = media.evenly_spaced(items, limit)
    assert len(kept) == min(limit, 40)
    assert kept == sorted(set(kept))
    assert kept[0] == 0
    assert limit == 1 or kept[-1] == 39


def test_a_grey_gif_decodes_exactly() -> None:
    frames = frames_of((1, 28, 28))
    back = decoded(media.gif(frames, media.shared_palette(frames)), "L")
    assert all(np.array_equal(a, np.asarray(b)) for a, b in zip(back, frames, strict=True))


def test_an_rgb_gif_decodes_within_its_palette() -> None:
    """Each pixel becomes one of the palette's 256 colours, near the true one: on average within 8 of 255 levels."""
    frames = frames_of((3, 32, 32))
    palette = media.shared_palette([frames[0], frames[-1]])
    colours = {tuple(c) for c in np.array(palette.getpalette()).reshape(-1, 3)}
    for back, frame in zip(decoded(media.gif(frames, palette), "RGB"), frames, strict=True):
        assert np.abs(back.astype(int) - np.asarray(frame)).mean() < 8
        assert {tuple(c) for c in back.reshape(-1, 3)} <= colours
        assert np.ptp(back.astype(int), axis=2).max() > 50, "colours became grey"


def test_still_parts_of_a_gif_stay_still() -> None:
    frames = frames_of((3, 32, 32), 2)
    half = frames[0].copy()
    half.paste(frames[1].crop((64, 0, 128, 128)), (64, 0))
    first, second = decoded(media.gif([frames[0], half], media.shared_palette(frames)), "RGB")
    assert np.array_equal(first[:, :64], second[:, :64])


@pytest.mark.parametrize("shape", SHAPES)
def test_a_webp_decodes_near_its_frames(shape: tuple[int, int, int]) -> None:
    """Lossy: on average within 6 of 255 levels."""
    frames = frames_of(shape)
    for back, frame in zip(decoded(media.webp(frames), "RGB"), frames, strict=True):
        assert np.abs(back.astype(int) - np.asarray(frame.convert("RGB"))).mean() < 6


def test_animations_repeat_and_hold_the_last_frame() -> None:
    frames = frames_of((3, 32, 32), 3)
    for content in (media.gif(frames, media.shared_palette(frames)), media.webp(frames)):
        with Image.open(io.BytesIO(content)) as animation:
            assert animation.info["loop"] == 0
            durations = []
            for at in range(3):
                animation.seek(at)
                animation.load()
                durations.append(animation.info["duration"])
        assert durations == [media.FRAME_MS, media.FRAME_MS, media.HOLD_MS]


def test_one_frame_is_an_animation_too_and_none_is_not() -> None:
    frame = frames_of((3, 32, 32), 1)
    assert len(decoded(media.gif(frame, media.shared_palette(frame)), "RGB")) == 1
    with pytest.raises(ValueError, match="at least one frame"):
        media.gif([], media.shared_palette(frame))


def test_what_is_too_large_for_a_webp_is_reduced() -> None:
    wide = Image.new("RGB", (media.WEBP_SIDE + 1, 4), (200, 10, 10))
    for content in (media.encode_small(wide), media.webp([wide])):
        with Image.open(io.BytesIO(content)) as shown:
            assert shown.size == (8192, 2)
    whole = media.encode_small(Image.new("L", (media.WEBP_SIDE, 1)))
    with Image.open(io.BytesIO(whole)) as shown:
        assert shown.size == (media.WEBP_SIDE, 1)
