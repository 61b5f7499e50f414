"""Files are data: models, runs and images run no code. Plugins, module:function and TorchScript are the exceptions."""

from __future__ import annotations

import ast
import json
import pickle
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from comparison.test_groups import trained
from ganvas import comparison
from ganvas.cli.main import main
from synthetic import make_run, score

SOURCES = sorted((Path(__file__).parents[1] / "src" / "ganvas").rglob("*.py"))
SAFE = {"np.load": ("allow_pickle", False), "torch.load": ("weights_only", True)}
"""Calls that are allowed with this argument alone."""
EXECUTES = {"eval", "exec", "compile", "pickle.load", "pickle.loads", "yaml.load", "os.system", "runpy.run_path",
            "torch.jit.load", "importlib.import_module"}  # fmt: skip
ALLOWED = {
    "__init__.py": "our own names", "plugins.py": "documented", "cli/main.py": "our own verbs",
    "metrics/extractors/custom.py": "documented", "diagnostics/checks/environment/system.py": "torch by its name",
}  # fmt: skip


def test_only_the_documented_places_can_run_code() -> None:
    base, found = Path(__file__).parents[1] / "src" / "ganvas", []
    for path in SOURCES:
        name = path.relative_to(base).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in SAFE:
                key, value = SAFE[called]
                given = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
                if given.get(key) is not value:
                    found.append(f"{name}:{node.lineno}: {called} without {key}={value}")
            elif (called in EXECUTES or called.endswith("exec_module")) and name not in ALLOWED:
                found.append(f"{name}:{node.lineno}: {called}")
    assert not found


class Bomb:
    """Unpickled, it makes a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("verb", ["sample", "evaluate", "check", "report", "resume"])
@pytest.mark.parametrize("form", ["pickle", "torch", "npz", "npy"])
def test_a_bomb_in_a_file_does_not_go_off(tmp: Path, verb: str, form: str, capsys: pytest.CaptureFixture[str]) -> None:
    fuse, bomb = tmp / "fuse", tmp / f"x.{form if form.startswith('np') else 'safetensors'}"
    if form == "pickle":
        bomb.write_bytes(pickle.dumps(Bomb(fuse)))
    elif form == "torch":
        torch.save(Bomb(fuse), bomb)
    elif form == "npz":
        np.savez(bomb, images=np.array([Bomb(fuse)], object))
    else:
        np.save(bomb, np.array([Bomb(fuse)], object))
    words = {"evaluate": ["evaluate", str(bomb), "--reference", "shapes"], "check": ["data", "check", str(bomb)]}
    assert main(words.get(verb, [verb, str(bomb)])) != 0
    assert not fuse.exists()
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_bomb_in_a_run_does_not_go_off(tmp: Path) -> None:
    run = make_run(tmp / "run", rows=20, grids=2)
    for name in ("snapshots/000300000.safetensors", "checkpoints/000300000/generator.safetensors"):
        (run.path / name).parent.mkdir(exist_ok=True)
        (run.path / name).write_bytes(pickle.dumps(Bomb(tmp / "fuse")))
    (run.path / "checkpoints" / "000300000" / "state.json").write_text(
        json.dumps({"schema_version": 1, "nimg": 300000})
    )
    for words in (["sample", str(run.path)], ["report", str(run.path)], ["doctor", str(run.path)]):
        main(words)
    assert not (tmp / "fuse").exists()


def test_a_module_that_a_run_names_is_not_imported(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Sequence[str]] = []
    monkeypatch.setattr("ganvas.evaluation.evaluate", lambda target, **kwargs: asked.append(kwargs["features"]))
    for seed, lr in enumerate((1e-4, 2e-4)):
        run = trained(tmp / f"run{seed}", seed, **{"g_optim.lr": lr})
        (run.path / "evals.jsonl").unlink(missing_ok=True)
    run.append("evals", score("fd_custom", 10_000, extractor="bomb:see"))
    found = comparison.compare([tmp / "run0", tmp / "run1"], progress=False)
    assert not asked
    assert any("run0 is not scored by bomb:see, which a run names" in note for note in found.notes)
    comparison.compare([tmp / "run0", tmp / "run1"], features=["bomb:see"], progress=False)
    assert asked == [["bomb:see"]]
