"""Every kind of subject against every kind of reference, at every size, grey and RGB: right numbers or a true line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import trained
from ganvas import media
from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.errors import UsageError
from ganvas.evaluation import evaluate, sources
from ganvas.metrics import frechet
from ganvas.metrics.extractors import classifier
from ganvas.metrics.extractors import registry as extractors
from ganvas.runs.run import Run
from pixel_features import look

FEATURES = "pixel_features:look"
N = 30


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path_factory.getbasetemp() / "pairs-cache"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A conditional-free run on grey images of 28 px."""
    base = tmp_path_factory.mktemp("pairs")
    data = save_npz(base / "grey.npz", pictures(28, 1))
    return trained(base / "run", {"data.name": str(data), "data.size": None, "data.limit": None})


def pictures(side: int, channels: int, seed: int = 0) -> np.ndarray:
    """Smooth random images [N, c, side, side], the same ones at every side but for their detail."""
    coarse = np.random.default_rng(seed).integers(0, 256, (N, channels, 4, 4), np.uint8)
    tiles = [media.grid(image[None]).resize((side, side), Image.Resampling.BICUBIC) for image in coarse]
    return np.stack([np.asarray(tile).reshape(side, side, channels).transpose(2, 0, 1) for tile in tiles])


def save_npz(path: Path, images: np.ndarray) -> Path:
    np.savez(path, images=images.transpose(0, 2, 3, 1))
    return path


def save_folder(path: Path, images: np.ndarray) -> Path:
    path.mkdir()
    for i, image in enumerate(images):
        media.grid(image[None]).save(path / f"{i:03d}.png")
    return path


def fd(target: object, reference: str | None, n: int | None = None) -> float:
    (score,) = evaluate(target, reference=reference, features=[FEATURES], metrics=["fd"], sets=1, n=n)  # type: ignore[arg-type]
    assert score.real_baseline is not None and score.noise_baseline is not None
    return score.value


def by_hand(subject: np.ndarray, reference: np.ndarray) -> float:
    import torch

    return frechet.frechet_distance(*(frechet.moments(look(torch.from_numpy(x)).numpy()) for x in (subject, reference)))


def resized(images: np.ndarray, side: int, channels: int, tmp: Path) -> np.ndarray:
    """As the one door reads them."""
    path = save_npz(tmp / f"as-{len(list(tmp.iterdir()))}.npz", images)
    return load(DataConfig(str(path), size=side, channels=channels), progress=False).images


SIDES = (28, 32, 64, 128)


@pytest.mark.parametrize("save", [save_folder, save_npz], ids=["folder", "npz"])
@pytest.mark.parametrize("reference_side", SIDES)
@pytest.mark.parametrize("side", SIDES)
def test_images_against_images_of_any_size(
    save: Callable[[Path, np.ndarray], Path], side: int, reference_side: int, tmp: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    suffix = ".npz" if save is save_npz else ""
    for channels, reference_channels in ((3, 3), (1, 3), (3, 1), (1, 1)):
        name = f"{channels}{reference_channels}"
        fakes, real = pictures(side, channels, seed=1), pictures(reference_side, reference_channels)
        subject, other = save(tmp / f"f{name}{suffix}", fakes), save_npz(tmp / f"r{name}.npz", real)
        both = max(channels, reference_channels)
        expected = by_hand(np.repeat(fakes, both // channels, 1), resized(real, side, both, tmp))
        assert fd(subject, str(other)) == pytest.approx(expected, rel=1e-4)
        said = capsys.readouterr().err
        assert (f"images of {reference_side}x{reference_side} were resized to {side}x{side}" in said) is (
            side != reference_side
        )
        assert ("three equal channels" in said) is (channels != reference_channels)


@pytest.mark.parametrize("side", SIDES)
def test_a_folder_against_itself_has_distance_zero(side: int, tmp: Path) -> None:
    path = save_folder(tmp / "mine", pictures(side, 3))
    assert fd(path, str(path)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("side", (28, 64))
def test_a_known_set_is_read_at_the_subjects_size(side: int, tmp: Path) -> None:
    fakes = pictures(side, 3)
    real = load(DataConfig("shapes", "test", size=side), progress=False).images
    assert fd(save_npz(tmp / "f.npz", fakes), "shapes:test") == pytest.approx(by_hand(fakes, real), rel=1e-4)


def test_a_known_set_is_a_subject_as_well(tmp: Path) -> None:
    assert fd("shapes:test", "shapes:test") == pytest.approx(0, abs=1e-6)
    assert sources.find("shapes").total == load(DataConfig("shapes"), progress=False).images.shape[0]
    real = save_folder(tmp / "mine", pictures(64, 1))
    assert fd("shapes:test", str(real)) > 0


def test_a_grey_run_of_28_pixels_against_anything(run: Run, tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fd(run.path, None, N) > 0
    assert "resized" not in capsys.readouterr().err
    drawn = np.concatenate(list(sources.find(run.path).draw(0, N)))
    real = pictures(128, 3)
    expected = by_hand(np.repeat(drawn, 3, 1), resized(real, 28, 3, tmp))
    for reference in (save_folder(tmp / "colour", real), save_npz(tmp / "colour.npz", real)):
        assert fd(run.path, str(reference), N) == pytest.approx(expected, rel=1e-3)
    said = capsys.readouterr().err
    assert "images of 128x128 were resized to 28x28" in said and "lean is grey" not in said
    shapes = load(DataConfig("shapes", "test", size=28), progress=False).images
    assert fd(run.snapshots()[-1][1], "shapes", N) == pytest.approx(by_hand(np.repeat(drawn, 3, 1), shapes), rel=1e-3)


def test_a_model_that_ships_against_a_folder_of_another_size(tmp: Path) -> None:
    assert fd("cifar10-cpu-v1", str(save_folder(tmp / "grey", pictures(64, 1))), N) > 0


def test_rectangles_and_several_sizes_are_cropped_and_a_line_says_so(
    tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = save_folder(tmp / "mine", pictures(64, 3))
    wide = Image.open(path / "000.png").resize((90, 40))
    wide.save(path / "000.png")
    assert fd(path, str(path)) == pytest.approx(0, abs=1e-6)
    said = capsys.readouterr().err
    assert "mine: images of 64x64, 90x40 were cropped to the middle and resized to 40x40" in said


def test_the_classifier_sees_its_own_size_only(tmp: Path) -> None:
    with pytest.raises(UsageError, match=r"looks at 3x32x32 images, these are 3x64x64: use features=\[.efficientnet"):
        extractors.find("classifier", "cifar10", (3, 64, 64))
    assert classifier.fits("cifar10", (3, 32, 32)) and not classifier.fits("cifar10", (3, 64, 64))
