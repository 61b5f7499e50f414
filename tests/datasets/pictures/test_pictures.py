"""Pictures of every mode, and every kind of file that is none."""

import io
import os
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from ganvas.config import DataConfig
from ganvas.datasets.pictures import archives, decode
from ganvas.datasets.pictures import reader as pictures
from ganvas.datasets.pixels import luma, over_white, resize
from ganvas.datasets.progress import Progress
from ganvas.errors import GanvasError, UsageError

QUIET = Progress(show=False)


def colour(r, g, b, size=(40, 40)):
    return Image.new("RGB", size, (r, g, b))


def encoded(picture, kind="PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def decoded(content: bytes, size=16, fit="crop") -> np.ndarray:
    with decode.bombs_are_errors():
        found, file = decode.decode(content, decode.Form(size, fit))
    assert not file.problem
    return found[0]


def read(where, split="train", size=16, classes=(), limit=None, **settings):
    config = DataConfig(str(where), split, size, classes=tuple(classes), limit=limit, **settings)
    return pictures.read(where, config, QUIET)


def mean_colour(content: bytes) -> list[float]:
    return decoded(content).mean((1, 2)).tolist()


def palette_png(transparent: bool) -> bytes:
    picture = Image.new("P", (40, 40), 1)
    picture.putpalette([255, 0, 0, 0, 255, 0] + [0] * 762)
    return encoded(picture, **({"transparency": 1} if transparent else {}))


def animated_gif() -> bytes:
    frames = [colour(255, 0, 0), colour(0, 0, 255)]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)


MODES = {
    "RGB": (encoded(colour(10, 20, 30)), (10, 20, 30)),
    "grey": (encoded(Image.new("L", (40, 40), 77)), (77, 77, 77)),
    "one bit": (encoded(Image.new("1", (40, 40), 1)), (255, 255, 255)),
    "RGBA half": (encoded(Image.new("RGBA", (40, 40), (0, 0, 0, 128))), (127, 127, 127)),
    "RGBA nothing": (encoded(Image.new("RGBA", (40, 40), (9, 9, 9, 0))), (255, 255, 255)),
    "LA": (encoded(Image.new("LA", (40, 40), (0, 0))), (255, 255, 255)),
    "palette": (palette_png(False), (0, 255, 0)),
    "palette with transparency": (palette_png(True), (255, 255, 255)),
    "RGB with a transparent colour": (encoded(colour(1, 2, 3), transparency=(1, 2, 3)), (255, 255, 255)),
    "CMYK JPEG": (encoded(Image.new("CMYK", (40, 40), (0, 255, 255, 0)), "JPEG"), (254, 0, 0)),
    "animated GIF, first frame": (animated_gif(), (255, 0, 0)),
    "WebP": (encoded(colour(0, 200, 0), "WEBP", lossless=True), (0, 200, 0)),
    "BMP": (encoded(colour(5, 6, 7), "BMP"), (5, 6, 7)),
}


@pytest.mark.parametrize("mode", MODES)
def test_modes(mode):
    content, expected = MODES[mode]
    assert decoded(content).shape == (3, 16, 16)
    assert mean_colour(content) == pytest.approx(expected, abs=1.01)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation):
    """A picture that is red at the top when shown upright, stored turned in each of the eight ways."""
    upright = np.zeros((32, 32, 3), np.uint8)
    upright[:16, :, 0] = 255
    upright[:, :16, 2] = 255
    stored = Image.fromarray(upright)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that EXIF's value asks to be undone
    if orientation in undo:
        stored = stored.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(decoded(encoded(stored, exif=exif.tobytes()), 32).transpose(1, 2, 0), upright)


def test_damaged_exif_does_not_lose_the_picture(tmp_path):
    for k, name in enumerate(("a.jpg", "b.jpg")):
        exif = b"Exif\x00\x00II*\x00\xff\xff\xff\xff"
        (tmp_path / name).write_bytes(encoded(colour(50 + k, 60, 70), "JPEG", exif=exif))
    raw = read(tmp_path)
    assert raw.skipped == ()
    assert raw.images.mean((0, 2, 3)).tolist() == pytest.approx((50, 60, 70), abs=3)


def test_crop_takes_the_middle_and_resize_does_not_alias():
    wide = np.zeros((64, 192, 3), np.uint8)
    wide[:, 64:128] = np.indices((64, 64)).sum(0)[:, :, None] % 2 * 255  # a checkerboard: grey from afar
    small = decoded(encoded(Image.fromarray(wide)), 16)
    assert abs(small.astype(int) - 127.5).max() < 12


def test_a_rectangle_is_cropped_padded_or_stretched():
    """A picture twice as wide as high: black, red, red, black in quarters of its width."""
    wide = np.zeros((32, 64, 3), np.uint8)
    wide[:, 16:48, 0] = 255
    file = encoded(Image.fromarray(wide))
    crop, pad, stretch = (decoded(file, 32, fit) for fit in ("crop", "pad", "stretch"))
    assert crop.reshape(3, -1).T.tolist() == [[255, 0, 0]] * 1024
    assert (pad[:, :8] == 255).all() and (pad[:, 24:] == 255).all()
    assert pad[:, 16, 1].tolist() == [0, 0, 0] and pad[:, 16, 16].tolist() == [255, 0, 0]
    assert stretch[:, 0, 1].tolist() == [0, 0, 0] and stretch[:, 31, 16].tolist() == [255, 0, 0]
    as_array = wide.transpose(2, 0, 1)[None]
    np.testing.assert_array_equal(resize(as_array, 32, "pad")[0], pad)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (7, 5), (16, 16), (2000, 1500)])
def test_any_shape_comes_out_square(shape):
    assert mean_colour(encoded(colour(9, 99, 199, shape))) == [9, 99, 199]


def test_a_large_jpeg_keeps_its_look():
    x = np.linspace(0, 255, 1024).astype(np.uint8)
    across = np.tile(x, (1024, 1))
    gradient = Image.fromarray(np.stack([across, across.T, np.zeros_like(across)], 2))
    from_jpeg, from_png = decoded(encoded(gradient, "JPEG", quality=95)), decoded(encoded(gradient))
    np.testing.assert_allclose(from_jpeg.astype(int), from_png.astype(int), atol=4)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb_png(width=20_000, height=20_000) -> bytes:
    header = chunk(b"IHDR", struct.pack(">2I5B", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
BAD = {
    "truncated.png": (encoded(Image.fromarray(NOISE))[:3000], "truncated"),
    "truncated.jpg": (encoded(Image.fromarray(NOISE), "JPEG")[:1500], "truncated"),
    "text.png": (b"I am no picture at all", "not a picture"),
    "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "not a picture"),
    "empty.png": (b"", "empty file"),
    "header.png": (encoded(Image.fromarray(NOISE))[:20], "not a picture|truncated"),
    "bomb.png": (bomb_png(), "exceeds limit"),
    "smaller-bomb.png": (bomb_png(10_000, 10_000), "exceeds limit"),
    "float.tif": (encoded(Image.new("F", (20, 20), -5.0), "TIFF"), "values run from -5"),
    "notes.txt": (b"hello", "a kind of file that is not read"),
    "movie.mp4": (b"\0" * 100, "a kind of file that is not read"),
}


@pytest.fixture
def folder(tmp_path):
    for k, name in enumerate(["b/2.png", "b/deep/er/1.png", "a/x.jpg", "a/y.png", "c/z.gif"]):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(NOISE, k)).save(path)
    return tmp_path / "set"


def test_bad_files_are_named_with_their_reason_and_the_rest_goes_on(folder):
    for name, (content, _) in BAD.items():
        (folder / "a" / name).write_bytes(content)
    (folder / "a" / "dead.png").symlink_to(folder / "nowhere.png")
    raw = read(folder)
    assert len(raw.images) == 5
    reasons = dict(line.split(": ", 1) for line in raw.skipped)
    assert sorted(reasons) == sorted([f"a/{name}" for name in BAD] + ["a/dead.png"])
    for name, (_, reason) in BAD.items():
        assert re.search(reason, reasons[f"a/{name}"], re.IGNORECASE), (name, reasons[f"a/{name}"])


def test_class_folders_become_labels(folder):
    raw = read(folder)
    assert raw.images.shape == (5, 3, 16, 16)
    assert raw.class_names == ("a", "b", "c")
    assert raw.labels.tolist() == [0, 0, 1, 1, 2]
    assert raw.source == f"{folder}: 5 pictures, 64x64"


def test_hidden_files_are_ignored(folder):
    for name in (".DS_Store", "a/._x.png", ".git/q.png", "__MACOSX/a/x.png", "a/Thumbs.db"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"hidden")
    raw = read(folder)
    assert len(raw.images) == 5
    assert raw.skipped == ()


def test_a_wrapping_folder_is_stepped_into(folder):
    (folder.parent / "README.md").write_text("about")
    raw = read(folder.parent)
    assert raw.class_names == ("a", "b", "c")
    assert raw.skipped == ("README.md: a kind of file that is not read",)


def test_flat_folders_have_no_labels(folder):
    raw = read(folder / "b" / "deep" / "..")
    assert raw.labels is None
    assert raw.class_names == ()


def test_pictures_beside_class_folders_are_told(folder):
    Image.fromarray(NOISE).save(folder / "loose.png")
    raw = read(folder)
    assert len(raw.images) == 6
    assert raw.labels is None
    assert raw.notes == ("1 pictures beside its folders: all are taken without labels",)


def test_files_without_suffix_are_tried_where_there_are_no_others(tmp_path):
    for k in range(3):
        (tmp_path / f"hash{k}").write_bytes(encoded(Image.fromarray(np.roll(NOISE, k))))
    assert len(read(tmp_path).images) == 3


def test_links_between_folders_end(folder):
    (folder / "a" / "loop").symlink_to(folder)
    assert len(read(folder).images) == 5


def test_splits(folder):
    for split in ("train", "test"):
        (folder.parent / "both" / split).mkdir(parents=True)
    (folder / "a").rename(folder.parent / "both" / "train" / "a")
    (folder / "b").rename(folder.parent / "both" / "test" / "b")
    (folder / "c").rename(folder.parent / "both" / "train" / "c")
    assert read(folder.parent / "both").class_names == ("a", "c")
    assert len(read(folder.parent / "both", "test").images) == 2
    with pytest.raises(UsageError, match="no split 'test'"):
        read(folder.parent / "both" / "train", "test")


def test_chosen_classes_and_limit(folder):
    raw = read(folder, classes=("c", "b"))
    assert raw.class_names == ("b", "c")
    assert raw.labels.tolist() == [0, 0, 1]
    assert read(folder, limit=3).labels.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(read(folder, limit=4).images[:3], read(folder, limit=3).images)
    with pytest.raises(UsageError, match=r"no class 'bb' \(it has: a, b, c\); did you mean b\?"):
        read(folder, classes=("bb",))
    with pytest.raises(UsageError, match="has no classes"):
        read(folder / "a", classes=("b",))


def test_a_skipped_file_leaves_its_place_to_the_next(folder):
    (folder / "a" / "0.png").write_bytes(b"broken")
    raw = read(folder, limit=4)
    assert len(raw.images) == 4
    assert raw.skipped == ("a/0.png: not a picture",)


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_pictures_name_the_first_reasons(tmp_path, n):
    for k in range(n):
        Image.fromarray(NOISE).save(tmp_path / f"good{k}.png")
    (tmp_path / "bad.png").write_bytes(b"")
    with pytest.raises(GanvasError, match=r"bad\.png: empty file.*at least 2") as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_empty_folder(tmp_path):
    with pytest.raises(GanvasError, match="no picture that can be read"):
        read(tmp_path)


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_zip_follows_the_same_rules(folder, tmp_path):
    files = {f"wrap/{p.relative_to(folder)}": p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    files["__MACOSX/wrap/a/._x.png"] = b"hidden"
    files["wrap/a/bad.png"] = b"text"
    raw, plain = read(zipped(tmp_path / "x.zip", files)), read(folder)
    assert raw.class_names == plain.class_names
    np.testing.assert_array_equal(raw.images, plain.images)
    assert raw.skipped == ("wrap/a/bad.png: not a picture",)


def test_zip_names_that_lead_outside_are_refused(tmp_path):
    good = {f"{k}.png": encoded(Image.fromarray(np.roll(NOISE, k))) for k in range(3)}
    evil = {"../../evil.png": good["0.png"], "/abs.png": good["1.png"], "..\\win.png": good["2.png"]}
    raw = read(zipped(tmp_path / "x.zip", good | evil))
    assert len(raw.images) == 3
    assert sorted(line.split(": ")[1] for line in raw.skipped) == ["a path that is not read"] * 3
    assert sorted(os.listdir(tmp_path)) == ["x.zip"]


def test_zip_members_that_unpack_to_too_much_are_skipped(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LARGEST_FILE", 1 << 20)
    files = {f"{k}.png": encoded(Image.fromarray(np.roll(NOISE, k))) for k in range(2)}
    raw = read(zipped(tmp_path / "x.zip", files | {"huge.png": b"\0" * (3 << 20)}))
    assert raw.skipped == ("huge.png: unpacks to 3 MiB, more than 1",)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no zip"])
def test_what_is_no_zip_is_one_line(tmp_path, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(GanvasError, match=r"x\.zip is not a zip file that can be read"):
        read(tmp_path / "x.zip")


def test_a_damaged_zip_member_is_skipped(tmp_path):
    files = {f"{k}.png": encoded(Image.fromarray(np.roll(NOISE, k))) for k in range(3)}
    path = zipped(tmp_path / "x.zip", files)
    content = bytearray(path.read_bytes())
    content[5000] ^= 255
    path.write_bytes(content)
    raw = read(path)
    assert len(raw.images) == 2
    assert raw.skipped[0].startswith("0.png: ")


def test_luma_and_white_are_exact():
    rgb = NOISE.transpose(2, 0, 1)[None]
    np.testing.assert_array_equal(luma(rgb)[0, 0], np.asarray(Image.fromarray(NOISE).convert("L")))
    rgba = np.array([[0, 0, 0, 0], [10, 20, 30, 255], [0, 100, 255, 51]], np.uint8).reshape(3, 4, 1, 1)
    assert over_white(rgba).reshape(3, 3).tolist() == [[255, 255, 255], [10, 20, 30], [204, 224, 255]]


def test_resize_of_arrays_equals_resize_of_pictures():
    as_array = resize(NOISE.transpose(2, 0, 1)[None], 16)[0]
    np.testing.assert_array_equal(as_array, decoded(encoded(Image.fromarray(NOISE))))
