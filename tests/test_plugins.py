"""A user's own file: its parts can be trained, and what is wrong with it is said in one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import flags
from ganvas import plugins
from ganvas.cli.main import main
from ganvas.config.recipes import RECIPES
from ganvas.errors import GanvasError, UsageError
from ganvas.runs.run import Run
from ganvas.training.losses import LOSSES

EXAMPLE = Path(__file__).parent.parent / "examples" / "my_parts.py"


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The registries, modules and environment as they were."""
    monkeypatch.delenv(plugins.VARIABLE, raising=False)
    kept = [(registry, dict(registry)) for registry in (LOSSES, RECIPES)]
    yield
    for registry, before in kept:
        registry.clear()  # type: ignore[attr-defined]
        registry.update(before)  # type: ignore[attr-defined]
    for name in [name for name in sys.modules if name.startswith("ganvas_plugin_")]:
        del sys.modules[name]
    os.environ.pop(plugins.VARIABLE, None)


def test_the_example_is_trained_from_the_command_line(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["train", "my-dcgan", "--plugin", str(EXAMPLE), "--out", str(tmp / "run"), *flags()]
    assert main(words) == 0
    assert "running the code of plugin" in capsys.readouterr().err
    run = Run.open(tmp / "run")
    assert run.config.loss.name == "squared-hinge" and run.rows("metrics")[-1]["nimg"] == 192
    assert run.recipe.recipe == "my-dcgan"


def test_a_loss_that_is_not_registered_is_named(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "cifar-dcgan", "--out", str(tmp / "run"), *flags({"loss.name": "squared-hinge"})]) == 2
    message = capsys.readouterr().err
    assert "loss.name = squared-hinge" in message and "\n" not in message.strip()
    assert not (tmp / "run").exists()


def test_a_file_is_run_once(tmp: Path) -> None:
    file = tmp / "counting.py"
    file.write_text("import sys\nsys.ganvas_count = getattr(sys, 'ganvas_count', 0) + 1\n")
    plugins.load(str(file))
    plugins.load(str(file))
    assert sys.ganvas_count == 1  # type: ignore[attr-defined]
    del sys.ganvas_count  # type: ignore[attr-defined]


def test_what_is_wrong_with_a_file_is_said(tmp: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        plugins.load(str(tmp / "absent.py"))
    (tmp / "parts.txt").write_text("")
    with pytest.raises(UsageError, match=r"must end in \.py"):
        plugins.load(str(tmp / "parts.txt"))
    (tmp / "broken.py").write_text("1 / 0\n")
    with pytest.raises(GanvasError, match=r"broken\.py failed: ZeroDivisionError"):
        plugins.load(str(tmp / "broken.py"))


def test_the_flag_needs_a_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--plugin"]) == 2
    assert "--plugin needs the path" in capsys.readouterr().err
