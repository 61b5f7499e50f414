"""The Playground without a server: each answer beside what it must be."""

from __future__ import annotations

import io
import shutil
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from torch import nn

import ganvas
from conftest import tiny, trained
from ganvas import models
from ganvas.config import EngineConfig
from ganvas.errors import GanvasError, UsageError
from ganvas.generator import Generator
from ganvas.metrics import neighbours
from ganvas.runs.storage import load_tensors
from ganvas.training.backend import Engine
from ganvas.ui.rooms.play import asked, images, judge, near, picture, walk
from ganvas.ui.rooms.play.asked import Asked
from ganvas.ui.rooms.play.directions import ganspace, sefa
from ganvas.ui.rooms.play.model import Model, MovedOnError, Shelf

FAMILIES = {
    "dcgan": {},
    "dcgan, virtual norm": {"generator.norm": "virtual"},
    "dcgan, concatenated": {"generator.condition": "concat", "data.labels": "use"},
    "lean": {"generator.family": "lean"},
    "r3": {"generator.family": "r3", "generator.group": 8},
    "resnet": {"generator.family": "resnet"},
}


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    """A trained run with classes and a moving average."""
    changes = {"data.labels": "use", "step.ema_kimg": 0.1, "generator.latent_dim": 8}
    return trained(tmp_path_factory.mktemp("play") / "run", changes)


@pytest.fixture
def model(conditional) -> Model:
    return Shelf().newest("run", conditional)


def built(changes) -> Generator:
    """An untrained generator of a config."""
    config = tiny(changes)
    names = ("a", "b", "c") if config.data.labels == "use" else ()
    network = models.build_generator(config, (3, 16, 16), len(names))
    engine = Engine(EngineConfig("cpu", "float32", "channels_last", "direct"))
    return Generator(engine.place(network).eval(), config, (3, 16, 16), 0, Path("x"), engine, names, (1,) * len(names))


# -- directions ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)
def test_sefa_gives_the_right_singular_vectors_of_the_first_layer(changes):
    generator = built(changes)
    weight = generator.network.dense.weight.detach().numpy()[:, :8].astype(np.float64)
    _, sizes, vectors = np.linalg.svd(weight)
    found = sefa(generator)
    assert np.abs((found.vectors * vectors).sum(1)) == pytest.approx(1, abs=1e-4)
    assert found.shares == pytest.approx(sizes**2 / (sizes**2).sum(), rel=1e-4)


def test_sefa_finds_the_matrix_of_a_transposed_convolution():
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.ConvTranspose2d(8, 5, 4)
            self.last = nn.ConvTranspose2d(5, 3, 4, 4)

        def forward(self, z, labels=None):
            return self.last(torch.relu(self.first(z.view(-1, 8, 1, 1))))

    network = Own()
    weight = network.first.weight.detach().flatten(1).numpy().T
    _, sizes, vectors = np.linalg.svd(weight.astype(np.float64), full_matrices=False)
    found = sefa(replace(built({}), network=network))
    assert np.abs((found.vectors * vectors).sum(1)) == pytest.approx(1, abs=1e-4)
    assert found.shares == pytest.approx(sizes**2 / (sizes**2).sum(), rel=1e-4)


def test_a_network_without_such_a_layer_is_refused_in_one_line():
    class Strange(nn.Module):
        def forward(self, z, labels=None):
            return z[:, :3, None, None].expand(-1, -1, 16, 16)

    with pytest.raises(ganvas.GanvasError, match="no first layer"):
        ganspace(replace(built({}), network=Strange()))


def test_ganspace_of_a_linear_layer_is_the_pca_of_its_outputs():
    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Linear(8, 48, bias=False)
            with torch.no_grad():
                self.first.weight.copy_(torch.randn(48, 8) * torch.tensor([8.0, 4, 2, 1, 0.5, 0.2, 0.1, 0.05]))
            self.last = nn.Conv2d(3, 3, 1)

        def forward(self, z, labels=None):
            return self.last(self.first(z).view(-1, 3, 4, 4))

    torch.manual_seed(0)
    generator = replace(built({}), network=Linear())
    found, expected = ganspace(generator), sefa(generator)
    cosine = (found.vectors * expected.vectors).sum(1) / np.linalg.norm(found.vectors, axis=1)
    assert (np.abs(cosine[:4]) > 0.98).all()
    assert found.shares[:3] == pytest.approx(expected.shares[:3], abs=0.05)
    assert np.linalg.norm(found.vectors, axis=1) == pytest.approx(1, abs=0.2)  # a unit is a standard deviation
    assert found.latents == 1024 and found.values == 48


@pytest.mark.parametrize("changes", FAMILIES.values(), ids=FAMILIES)
def test_ganspace_works_for_every_family(changes):
    found = ganspace(built(changes))
    assert found.vectors.shape == (8, 8) and np.isfinite(found.vectors).all()
    assert (np.diff(found.shares) <= 1e-9).all() and 0 < found.shares.sum() <= 1 + 1e-9


# -- images ----------------------------------------------------------------------------------------------------------


def test_a_seed_gives_the_images_of_generator_sample(model):
    some = images.draw(model, Asked(seed=3, n=6, columns=3))
    assert np.array_equal(some, model.generator.sample(6, 3, labels=[0, 0, 0, 1, 1, 1]))


def test_sliders_at_zero_and_psi_1_change_nothing_bit_for_bit(model):
    plain = Asked(seed=1, n=5)
    still = replace(plain, moves=(("sefa", 0, 0.0), ("ganspace", 2, 0.0)), psi=1.0)
    assert np.array_equal(images.z_of(model, plain), images.z_of(model, still))
    assert np.array_equal(images.draw(model, plain), images.draw(model, still))


def test_activations_that_are_not_finite_have_no_directions():
    generator = built({})
    with torch.no_grad():
        generator.network.dense.weight.fill_(3e38)  # finite, unlike what they give
    with pytest.raises(GanvasError, match="not finite"):
        ganspace(generator)


def test_sliders_add_up_along_their_directions(model):
    z = images.z_of(model, Asked(seed=1, n=3))
    moved = images.z_of(model, Asked(seed=1, n=3, psi=0.5, moves=(("sefa", 0, 1.5), ("ganspace", 1, -2.0))))
    a, b = (images.directions(model, method, "ema").vectors for method in ("sefa", "ganspace"))
    assert moved == pytest.approx(0.5 * z + 1.5 * a[0] - 2 * b[1], abs=1e-6)


def test_moved_latents_stay_on_their_sphere(tmp):
    model = Shelf().newest("run", trained(tmp / "run", {"generator.latent": "sphere"}))
    z = images.z_of(model, Asked(n=4, moves=(("sefa", 0, 3.0),)))
    assert np.linalg.norm(z, axis=1) == pytest.approx(8**0.5, rel=1e-5)


def test_the_average_and_g_itself_have_their_own_weights(model, conditional):
    checkpoint, _ = conditional.latest_checkpoint()
    for weights, name in (("ema", "ema"), ("raw", "generator")):
        expected, _ = load_tensors(checkpoint.path / f"{name}.safetensors")
        held = model.of(weights).network.state_dict()
        assert all(torch.equal(held[key], value) for key, value in expected.items())
    one, other = (images.draw(model, Asked(n=4, weights=w)) for w in ("ema", "raw"))
    assert not np.array_equal(one, other)


def test_a_model_that_ships_has_no_weights_but_its_own():
    model = Shelf().newest("fashion-mnist-cpu-v1", None)
    assert model.discriminator is None and model.missing == ("shipped", "")
    with pytest.raises(UsageError, match="no weights of G beside"):
        model.of("raw")


# -- walks -----------------------------------------------------------------------------------------------------------


def test_a_walk_ends_at_its_ends(model):
    first, last = Asked(seed=4, start=2, label=0), Asked(seed=9, start=2, label=0)
    frames = walk.walk(model, first, last, 7)
    ends = model.generator.draw(
        np.concatenate([images.z_of(model, first), images.z_of(model, last)]), np.zeros(2, np.int64)
    )
    assert np.abs(frames[[0, -1]].astype(int) - ends).max() <= 1  # batches of another size may round otherwise
    assert not np.array_equal(frames[3], frames[0])


def test_a_walk_between_classes_ends_at_its_classes_and_leaves_g_as_it_was(model):
    before = {name: value.clone() for name, value in model.generator.network.state_dict().items()}
    first, last = Asked(seed=4, label=1), Asked(seed=4, label=3)
    frames = walk.walk(model, first, last, 5)
    z = np.repeat(images.z_of(model, first), 2, 0)
    ends = model.generator.draw(z, np.array([1, 3]))
    assert np.abs(frames[[0, -1]].astype(int) - ends).max() <= 1
    assert all(torch.equal(before[name], value) for name, value in model.generator.network.state_dict().items())


@pytest.mark.parametrize("kind", walk.KINDS)
def test_a_saved_walk_goes_there_and_back(model, kind):
    frames = walk.walk(model, Asked(seed=0, label=0), Asked(seed=1, label=2), 6)
    with Image.open(io.BytesIO(walk.animation(frames, kind))) as shown:
        assert shown.size == (256, 256) and shown.info["loop"] == 0
        times = []
        for frame in range(shown.n_frames):  # equal ones in a row are one
            shown.seek(frame)
            shown.load()
            times.append(shown.info["duration"])
    assert sum(times) == 10 * walk.FRAME_MS


# -- the discriminator -----------------------------------------------------------------------------------------------


def test_a_logit_is_the_one_of_d(model):
    some = images.draw(model, Asked(n=3, label=2))
    labels = np.array([2, 2, 2])
    with torch.no_grad():
        floats = torch.from_numpy(some).float() / 127.5 - 1
        expected = model.discriminator.network(floats, torch.from_numpy(labels)).logits.numpy()
    assert judge.logits(model, some, labels) == pytest.approx(expected, abs=1e-5)
    assert judge.by_class(model, some[0])[2] == pytest.approx(expected[0], abs=1e-5)


def test_d_is_that_of_the_checkpoint(model, conditional):
    checkpoint, _ = conditional.latest_checkpoint()
    expected, _ = load_tensors(checkpoint.path / "discriminator.safetensors")
    held = model.discriminator.network.state_dict()
    assert all(torch.equal(held[key], value) for key, value in expected.items())
    assert model.discriminator.nimg == checkpoint.nimg


def test_a_d_that_compares_a_batch_rates_each_image_beside_the_same_samples(tmp):
    model = Shelf().newest("run", trained(tmp / "run", {"discriminator.minibatch": "std"}))
    some = images.draw(model, Asked(seed=5, n=3))
    alone = np.concatenate([judge.logits(model, image[None], None) for image in some])
    assert judge.logits(model, some, None) == pytest.approx(alone, abs=1e-6)
    beside = np.concatenate([some[:1], images.draw(model, Asked(n=judge.COMPANY))])
    with torch.no_grad():
        expected = model.discriminator.network(torch.from_numpy(beside).float() / 127.5 - 1, None).logits[0].item()
    assert alone[0] == pytest.approx(expected, abs=1e-5)


def test_without_a_checkpoint_there_is_no_d_and_a_reason(tmp):
    run = trained(tmp / "run")
    shutil.rmtree(run.path / "checkpoints")
    model = Shelf().newest("run", run)
    assert model.discriminator is None and model.missing[0] == "no_checkpoint"
    with pytest.raises(UsageError, match="no discriminator"):
        judge.logits(model, images.draw(model, Asked()), None)


# -- pictures --------------------------------------------------------------------------------------------------------


def png(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def test_a_picture_of_the_right_size_is_read_as_it_is():
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    found = picture.read(png(Image.fromarray(pixels)), (3, 16, 16))
    assert np.array_equal(found.image, pixels.transpose(2, 0, 1)) and found.done == ()


def test_what_was_done_to_a_picture_is_told():
    drawn = Image.new("RGBA", (40, 30), (255, 0, 0, 0))
    found = picture.read(png(drawn), (1, 16, 16))
    assert found.image.shape == (1, 16, 16) and (found.image == 255).all()
    assert [word for word, _ in found.done] == ["white", "crop", "resize", "grey"]
    opaque = picture.read(png(Image.new("RGBA", (16, 16), (9, 9, 9, 255))), (3, 16, 16))
    assert opaque.done == ()
    frames = [Image.new("L", (16, 16), level) for level in (10, 200)]
    moving = picture.read(png(frames[0], "GIF", save_all=True, append_images=frames[1:]), (3, 16, 16))
    assert ("frame", {}) in moving.done and (moving.image == 10).all()


def test_frames_are_not_counted(monkeypatch):
    """A GIF of 8 MiB may have half a million: counting them takes seconds."""
    frames = [Image.new("L", (16, 16), level) for level in range(10)]
    sought = []
    seek = GifImageFile._seek
    monkeypatch.setattr(
        GifImageFile, "_seek", lambda self, frame, *rest: (sought.append(frame), seek(self, frame, *rest))
    )
    picture.read(png(frames[0], "GIF", save_all=True, append_images=frames[1:]), (3, 16, 16))
    assert max(sought) == 1  # whether there is a second one


def test_a_picture_of_16_bits_is_read_by_its_depth():
    deep = Image.fromarray(np.linspace(0, 65535, 256).reshape(16, 16).astype(np.uint16))
    found = picture.read(png(deep), (1, 16, 16))
    assert found.image.min() == 0 and found.image.max() == 255


def bomb(width: int, height: int) -> bytes:
    """A PNG of few bytes that says that it has many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content).to_bytes(4, "big")
        return len(content).to_bytes(4, "big") + kind + content + check

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\0" * 1000)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no picture"),
        (b"hello", "no picture"),
        (b"\x80\x04\x95cos\nsystem\n", "no picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no picture"),
        (png(Image.new("L", (64, 64)))[:60], "cannot be read"),
        (png(Image.new("L", (64, 64)), "TIFF"), "no picture"),
        (bomb(30_000, 30_000), "pixels|cannot be read"),
        (bomb(5000, 5000), "25000000|pixels"),
        (b"\0" * (picture.MOST_BYTES + 1), "MB"),
    ],
)
def test_hostile_pictures_are_refused_in_one_line(content, why):
    with pytest.raises(UsageError, match=why) as caught:
        picture.read(content, (3, 16, 16))
    assert "\n" not in str(caught.value)


# -- neighbours ------------------------------------------------------------------------------------------------------


def test_the_nearest_images_are_those_of_a_full_search(model):
    training = near.read(model)
    sample = images.draw(model, Asked(seed=7))[0]
    among = training.images.images.reshape(len(training.images.images), -1)
    index, distance = neighbours.nearest_few(
        sample.reshape(1, -1).astype(np.float32), among.astype(np.float32), near.COUNT
    )
    found = near.by_pixels(sample, training)
    assert found.index.tolist() == index[0].tolist()
    assert found.distance == pytest.approx(distance[0] / sample.size**0.5, rel=1e-6)


def test_a_copy_is_found_at_distance_0(model):
    training = near.read(model)
    found = near.by_pixels(training.images.images[17], training)
    assert found.index[0] == 17 and found.distance[0] == 0
    assert near.by_features(training.images.images[17], training) is None


def test_nothing_is_downloaded(monkeypatch, tmp):
    monkeypatch.setenv("GANVAS_DATA", str(tmp))
    with pytest.raises(UsageError, match="ganvas data fetch fashion-mnist"):
        near.read(Shelf().newest("fashion-mnist-cpu-v1", None))
    assert not list(tmp.iterdir())


def test_images_of_ones_own_are_read_only_where_they_were_named(tmp):
    folder = tmp / "mine"
    folder.mkdir()
    for i in range(12):
        pixels = np.random.default_rng(i).integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{i}.png")
    run = trained(tmp / "run", {"data.name": str(folder), "data.limit": None, "step.batch": 4, "budget.kimg": 0.02})
    model = Shelf().newest("run", run)
    with pytest.raises(UsageError, match="--data"):
        near.read(model, [tmp / "runs"])
    assert len(near.read(model, [folder.resolve()]).images.images) == 12


# -- what is kept, what is asked -------------------------------------------------------------------------------------


def test_a_run_that_trains_on_gives_its_newest_weights_and_says_so(tmp):
    run = trained(tmp / "run", {"log.snapshot_kimg": 0.064})
    late = run.snapshots()[-1][1]
    aside = tmp / "later"
    late.rename(aside)
    for _, path in run.checkpoints():
        shutil.rmtree(path)
    shelf = Shelf(most=1)
    first = shelf.newest("run", run)
    assert shelf.newest("run", run) is first
    aside.rename(late)
    second = shelf.newest("run", run)
    assert second.generator.nimg > first.generator.nimg
    with pytest.raises(MovedOnError):
        shelf.same("run", run, first.token)
    assert shelf.same("run", run, second.token) is second


@pytest.mark.parametrize(
    "query",
    [
        {"seed": "-1"}, {"seed": "1e3"}, {"seed": "99999999999"}, {"seed": "٣"}, {"n": "0"}, {"n": "101"},
        {"n": "9" * 400}, {"columns": "0"}, {"class": "10"}, {"class": "cat"}, {"psi": "nan"}, {"psi": "inf"},
        {"psi": "3"}, {"psi": "x" * 1000}, {"weights": "other"}, {"moves": "sefa.0"}, {"moves": "pca.0.1"},
        {"moves": "sefa.12.1"}, {"moves": "sefa.0.11"}, {"moves": "sefa.0.nan"}, {"moves": "sefa.0.1," * 500},
    ],
)  # fmt: skip
def test_what_is_out_of_bounds_is_refused_in_one_line(model, query):
    with pytest.raises(UsageError) as caught:
        asked.read(query, model)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_a_query_is_read(model):
    query = {"seed": "7", "n": "4", "columns": "2", "class": "3", "psi": "0.5", "moves": "sefa.1.-1.5,ganspace.0.2"}
    expected = Asked(7, 0, 4, 2, 3, 0.5, (("sefa", 1, -1.5), ("ganspace", 0, 2.0)), "raw")
    assert asked.read({**query, "weights": "raw"}, model) == expected
