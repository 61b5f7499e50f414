"""A run finds its images again: from another folder, after a move, through links; other images are refused."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

import ganvas
from conftest import trained
from ganvas.cli import main as cli
from ganvas.config import DataConfig
from ganvas.datasets import load
from ganvas.errors import GanvasError, UsageError
from ganvas.evaluation import evaluate
from ganvas.runs import images as trained_images
from ganvas.runs.run import Run

WISHES = {"features": ["pixel_features:look"], "metrics": ["fd"], "sets": 1, "n": 30, "progress": False}


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp_path_factory.getbasetemp() / "images-cache"))


def save(path: Path, n: int = 40, size: int = 16, skip: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images = load(DataConfig("shapes", size=size, limit=n + skip), progress=False).images[skip:]
    np.savez(path, images=images.transpose(0, 2, 3, 1))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with mine.npz and runs/a, which was trained on it by its relative path."""
    home = tmp_path_factory.mktemp("project") / "project"
    save(home / "mine.npz")
    before = Path.cwd()
    os.chdir(home)
    try:
        trained(Path("runs/a"), {"data.name": "mine.npz", "data.size": None, "data.limit": None})
    finally:
        os.chdir(before)
    return home


@pytest.fixture
def project(made: Path, tmp: Path) -> Path:
    """A copy of it, as if it had been made there."""
    home = Path(shutil.copytree(made, tmp / "project"))
    data = json.loads((home / "runs/a/data.json").read_text())
    for key in ("path", "real_path"):
        data[key] = str(home / "mine.npz")
    (home / "runs/a/data.json").write_text(json.dumps(data))
    return home


def more(run: Path, *words: str) -> int:
    return cli.main(["resume", str(run), "--kimg", "0.032", *words])


def test_another_folder_changes_nothing(project: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp / "elsewhere").mkdir()
    monkeypatch.chdir(tmp / "elsewhere")
    assert Run.open(project / "runs/a").config.data.name == "mine.npz"
    assert evaluate(project / "runs/a", **WISHES)[0].n_ref == 40  # type: ignore[arg-type]
    assert more(project / "runs/a") == 0
    assert Run.open(project / "runs/a").latest_checkpoint()[0].nimg == 224  # type: ignore[union-attr]
    assert cli.main(["report", str(project / "runs/a")]) == 0


def test_a_project_that_moved_as_a_whole(project: Path, tmp: Path) -> None:
    project.rename(tmp / "moved")
    assert evaluate(tmp / "moved/runs/a", **WISHES)[0].n_ref == 40  # type: ignore[arg-type]
    assert more(tmp / "moved/runs/a") == 0


def test_a_run_of_before_that_recorded_no_path(project: Path) -> None:
    data = {k: v for k, v in Run.open(project / "runs/a").data.items() if "path" not in k}
    (project / "runs/a/data.json").write_text(json.dumps(data))
    assert more(project / "runs/a") == 0


def test_a_run_with_the_name_of_its_images_is_not_taken_for_them(project: Path) -> None:
    (project / "runs/a").rename(project / "runs/mine.npz")
    run = Run.open(project / "runs/mine.npz")
    found = trained_images.locate(run.config.data, {}, run.path)
    assert found is not None and Path(found.name) == project / "mine.npz"


def test_images_that_moved_are_named(project: Path, tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "mine.npz").rename(tmp / "other.npz")
    run = project / "runs/a"
    sha = Run.open(run).data["sha256"][:12]
    for words in (["resume", str(run), "--kimg", "0.032"], ["evaluate", str(run), "--features", "pixel_features:look"]):
        assert cli.main(words) == 2
        said = capsys.readouterr().err.splitlines()[-1]
        assert f"was trained on mine.npz, which is not there (nor at {project / 'mine.npz'})" in said
        assert f"40 images of 3x16x16, SHA-256 {sha}...: name those images with --data PATH" in said
    assert evaluate(run, data=tmp / "other.npz", **WISHES)[0].n_ref == 40  # type: ignore[arg-type]
    ganvas.resume(run, data=tmp / "other.npz", kimg=0.032, report=False, progress=False)
    assert Run.open(run).data["path"] == str(tmp / "other.npz")
    assert more(run) == 0  # remembered


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"n": 39}, "39 images instead of 40"),
        ({"size": 20}, "3x20x20 instead of 3x16x16"),
        ({"skip": 40}, "the same number, size and classes, but other pixels"),
    ],
)
def test_other_images_are_refused_with_both_hashes(project: Path, tmp: Path, wrong: dict[str, int], what: str) -> None:
    run = Run.open(project / "runs/a")
    other = save(tmp / "wrong.npz", **wrong)
    found = load(DataConfig(str(other)), progress=False).sha256
    for call in (
        lambda: ganvas.resume(run, data=other, kimg=1, progress=False),
        lambda: evaluate(run.path, data=other, **WISHES),  # type: ignore[arg-type]
    ):
        with pytest.raises(GanvasError) as error:
            call()
        text = str(error.value)
        assert found[:12] in text and run.data["sha256"][:12] in text and what in text and "\n" not in text
    shutil.copy(other, project / "mine.npz")
    with pytest.raises(GanvasError, match=what):
        ganvas.resume(run, kimg=1, progress=False)
    assert run.data["path"] == str(project / "mine.npz")


def test_a_model_alone_says_what_it_needs(project: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Path(shutil.copy(Run.open(project / "runs/a").snapshots()[-1][1], tmp / "model.safetensors"))
    moved = Path(shutil.move(project / "mine.npz", tmp / "there.npz"))
    assert str(project) not in model.read_bytes()[:20000].decode("latin-1")
    with pytest.raises(UsageError, match=r"trained on mine.npz, which is not there; 40 images") as error:
        evaluate(model, **WISHES)  # type: ignore[arg-type]
    assert "or other real images with reference=" in str(error.value)
    assert evaluate(model, data=moved, **WISHES)[0].n_ref == 40  # type: ignore[arg-type]
    assert evaluate(model, reference="shapes:test", **WISHES)[0].reference == "shapes"  # type: ignore[arg-type]


def test_links_the_home_folder_and_windows_separators(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = save(tmp / "home/photos/mine.npz")
    (tmp / "link.npz").symlink_to(real)
    about = trained_images.place(str(tmp / "link.npz"))
    (tmp / "link.npz").unlink()
    found = trained_images.locate(DataConfig(str(tmp / "link.npz")), about)
    assert found is not None and found.name == str(real)
    monkeypatch.setenv("HOME", str(tmp / "home"))
    assert trained_images.place("~/photos/mine.npz")["path"] == str(real)
    found = trained_images.locate(DataConfig("~/photos/mine.npz"), {"path": "/gone"})
    assert found is not None and found.name == str(real)
    about = {"path": "C:\\me\\photos\\mine.npz"}
    found = trained_images.locate(DataConfig("photos\\mine.npz"), about, tmp / "home/runs/a")
    assert found is not None and Path(found.name) == real
    assert trained_images.place("cifar10") == {} and trained_images.locate(DataConfig("cifar10"), {}) is not None
