"""Shapes and types are checked while the tests run; `tiny` is a training whose steps take milliseconds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from jaxtyping import install_import_hook

CHECKED = (
    "generator",
    *(f"training.{name}" for name in (
        "augment", "backend", "batch", "checkpoint", "latents", "losses", "monitor", "muon", "objective",
        "optim", "penalties", "step", "train_metrics", "trainer",
    )),
    *(f"models.{name}" for name in (
        "critique", "layer_table", "networks", "registry",
        "families.dcgan", "families.lean", "families.resnet", "families.r3",
        "layers.dropout", "layers.head", "layers.initializers", "layers.norm", "layers.spectral", "ops.resize",
    )),
    *(f"metrics.{name}" for name in (
        "diversity", "frechet", "image_statistics", "kernel", "neighbours", "prdc", "recognition",
        "extractors.base", "extractors.classifier", "extractors.custom", "extractors.efficientnet",
        "extractors.inception",
    )),
    "stats.intervals",
)  # fmt: skip
hook = install_import_hook([f"ganvas.{name}" for name in CHECKED], "beartype.beartype")

import torch  # noqa: E402

from ganvas import api  # noqa: E402
from ganvas.config import Config  # noqa: E402
from ganvas.config.recipes import RECIPES  # noqa: E402
from ganvas.config.tricks import TRICKS  # noqa: E402
from ganvas.datasets import ImageSet, load  # noqa: E402
from ganvas.runs.run import Run  # noqa: E402
from ganvas.training import backend as engine  # noqa: E402
from ganvas.training.setup import configure  # noqa: E402
from picture_sets import Set  # noqa: E402

settings.register_profile("same", derandomize=True)  # what passes here passes there (default: search anew each time)
settings.load_profile("same")
torch.set_num_threads(1)
os.environ["GANVAS_ENGINES"] = tempfile.mkdtemp(prefix="ganvas-engines-")  # not the user's own
engine.cores = lambda: 1  # a second thread only waits where layers are this small

SHIPPED_RECIPES, SHIPPED_TRICKS = tuple(RECIPES), tuple(TRICKS)
"""Names of those that ship: tests may register more, and own networks do."""
TINY: dict[str, Any] = {
    "data.name": "shapes", "data.size": 16, "data.limit": 96, "step.batch": 16, "budget.kimg": 0.192,
    "generator.latent_dim": 8, "generator.base": 16, "generator.widths": (16, 8),
    "discriminator.widths": (8, 16), "discriminator.norms": (False, True),
    "log.every": 5, "log.samples": 6, "log.checkpoint_kimg": 0.064,
    "engine.device": "cpu", "engine.dtype": "float32", "engine.layout": "channels_last", "engine.conv": "direct",
    "engine.threads": 1,
}  # fmt: skip
"""12 updates on 96 images: a pass ends within a batch's reach, a row straddles every second checkpoint."""


def tiny(changes: Mapping[str, Any] | None = None) -> Config:
    """The small training, changed by dotted names."""
    return configure("cifar-dcgan", overrides={**TINY, **(changes or {})})


def start(path: Path, changes: Mapping[str, Any] | None = None) -> tuple[Run, ImageSet]:
    """A run directory of the small training, not yet trained, and its images."""
    config = tiny(changes)
    images = load(config.data, progress=False)
    return api.create_run(config, images, path), images


def trained(path: Path, changes: Mapping[str, Any] | None = None) -> Run:
    """The small training, finished."""
    run, images = start(path, changes)
    assert api.run_training(run, images)
    return run


def flags(changes: Mapping[str, Any] | None = None) -> list[str]:
    """The small training's settings as flags of `ganvas train`."""
    words: list[str] = []
    for name, value in {**TINY, **(changes or {})}.items():
        flag = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else flag.replace(".", ".no-"))
        else:
            words += [flag, *(str(item) for item in (value if isinstance(value, tuple) else (value,)))]
    return words


def python(*words: str, **options: Any) -> subprocess.Popen[str]:
    """A Python process that finds ganvas and these helpers."""
    here = Path(__file__).parent
    path = os.pathsep.join([str(here.parent / "src"), str(here), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | options
    return subprocess.Popen([sys.executable, *words], env=environment, **pipes)


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ["GANVAS_ENGINES"], ignore_errors=True)


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished small training that every test may read and none may write."""
    return trained(tmp_path_factory.mktemp("finished") / "run", {"log.snapshot_kimg": 0.096, "step.ema_kimg": 0.1})


@pytest.fixture
def files(tmp_path: Path) -> Set:
    """An empty set of pictures, to be filled by name."""
    return Set(tmp_path / "set")


@pytest.fixture(scope="session")
def shapes():
    """Sixty-four small images as a notebook has them."""
    from ganvas.notebook.data import data

    return data("shapes", size=16, limit=64, progress=False)


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Without the checks of shapes: they would bind a network that is traced to the batch of its example."""
    import jaxtyping

    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def in_tmp(tmp_path, monkeypatch):
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def browser():
    """A real browser; None where there is none."""
    from playwright.sync_api import sync_playwright

    from browser import QUIET, chromium

    if (path := chromium()) is None:
        yield None
        return
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield opened
        opened.close()
