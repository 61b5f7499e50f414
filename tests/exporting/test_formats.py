"""Exports: what is written is the generator, and nothing of others is replaced."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ganvas
from conftest import trained
from ganvas import hub
from ganvas.cli import main as cli
from ganvas.errors import GanvasError, UsageError
from ganvas.exporting import card, hub_folder, onnx_file
from ganvas.exporting.model import Model
from ganvas.runs.run import Run

HOSTILE = [
    "<script>alert(1)</script>",
    "a|b\n---\nlicense: mit",
    "[x](http://evil.example)",
    "![p](q) `c` **b**",
    "\u202eabc",
]


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small class-conditional training."""
    return trained(tmp_path_factory.mktemp("conditional") / "run", {"data.labels": "auto", "step.ema_kimg": 0.1})


# -- ONNX ------------------------------------------------------------------------------------------------------


def test_an_onnx_file_draws_what_torch_draws(conditional: Run, tmp: Path, unchecked: None) -> None:
    import onnx
    import onnxruntime

    done = ganvas.export(conditional.path, "onnx", tmp / "g.onnx")
    assert [path.name for path in tmp.iterdir()] == ["g.onnx"]  # one file, no data beside it
    assert re.search(
        r"z float32 \[n, 8\], label int64 \[n\] -> image uint8 \[n, 16, 16, 3\]; .*: [01] of 255", done.facts
    )
    proto = onnx.load(tmp / "g.onnx")
    onnx.checker.check_model(proto, full_check=True)
    assert str(Path(ganvas.__file__).parent).encode() not in (tmp / "g.onnx").read_bytes()
    session = onnxruntime.InferenceSession(tmp / "g.onnx", providers=["CPUExecutionProvider"])
    generator = ganvas.load(conditional.path)
    z, label = np.random.default_rng(0).standard_normal((5, 8), np.float32), np.array([9, 0, 3, 3, 1])
    (image,) = session.run(None, {"z": z, "label": label})
    expected = generator.draw(z, label).transpose(0, 2, 3, 1)
    assert image.dtype == np.uint8 and np.abs(image.astype(int) - expected).max() <= 1
    assert json.loads(session.get_modelmeta().custom_metadata_map["class_names"]) == list(generator.class_names)
    assert (tmp / "g.onnx").read_bytes()[-100:].count(b"made by ganvas") == 1  # ours: it may be replaced


def test_a_file_that_differs_is_not_written(finished: Run, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_file, "_translate", lambda model: b"")
    monkeypatch.setattr(onnx_file, "largest_difference", lambda content, generator: 2)
    with pytest.raises(GanvasError, match=r"differs from torch by up to 2 of 255 grey levels, more than 1"):
        ganvas.export(finished.path, "onnx", tmp / "g.onnx")
    assert not [*tmp.iterdir()]


def test_without_the_packages_one_line_says_so(finished: Run, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    with pytest.raises(GanvasError, match=r"ONNX needs the packages onnxscript: pip install 'ganvas\[export\]'"):
        ganvas.export(finished.path, "onnx", tmp / "g.onnx")


# -- safetensors and the hub -----------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["safetensors", "hub"])
def test_what_was_exported_is_the_generator_bit_for_bit(conditional: Run, tmp: Path, to: str) -> None:
    out = tmp / "new" / f"model.{to}"
    for _ in "ab":  # the second time it is ours to replace
        done = ganvas.export(conditional.path, to, out)
    first = done.files[0].read_bytes()
    assert first == conditional.snapshots()[-1][1].read_bytes()
    np.testing.assert_array_equal(ganvas.load(out).sample(6), ganvas.load(conditional.path).sample(6))
    assert {path.name for path in (tmp / "new").rglob("*") if path.is_file()} == {file.name for file in done.files}


def test_a_hub_folder_says_what_was_measured(finished: Run, tmp: Path) -> None:
    run = Run(shutil.copytree(finished.path, tmp / "run"))
    row = {
        "metric": "fd_x",
        "value": 12.34,
        "low": 11.5,
        "high": 13.5,
        "n": 500,
        "reference": "shapes",
        "split": "test",
    }
    for nimg, value, more in ((96, 99.0, {}), (192, 77.0, {"during": True}), (192, 12.34, {})):
        run.append("evals", {**row, "nimg": nimg, "value": value, **more})
    ganvas.export(run.path, "hub", tmp / "hub")
    assert {path.name for path in (tmp / "hub").iterdir()} == set(hub_folder.FILES)
    readme = (tmp / "hub" / "README.md").read_text()
    head = readme.split("---\n")[1]
    assert "library_name: ganvas" in head and "license: apache-2.0" in head
    assert "| 12.34 | 11.5 to 13.5 |" in readme and "| 99 |" not in readme and "| 77 |" not in readme
    assert "192 (2.0 passes over 96)" in readme and "moving average" in readme and "drawn by ganvas" in readme
    with Image.open(tmp / "hub" / "samples.png") as picture:
        assert picture.size == (8 * 64, 8 * 64)
    assert json.loads((tmp / "hub" / "config.json").read_text())["shape"] == [3, 16, 16]


def test_the_app_draws_without_gradio(conditional: Run, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ganvas.export(conditional.path, "hub", tmp / "hub")
    described = importlib.util.spec_from_file_location("exported_app", tmp / "hub" / "app.py")
    assert described is not None and described.loader is not None
    app = importlib.util.module_from_spec(described)
    described.loader.exec_module(app)
    assert app.choices()[:2] == ["any class", "circle"] and len(app.choices()) == 11
    assert app.draw(3, 8, "star").size == (8 * 64, 64)
    assert app.draw(-1, 10**9, "any class").size == (8 * 64, 8 * 64)
    built: list[Any] = []
    names = ("Number", "Slider", "Dropdown", "Image")
    gradio: Any = SimpleNamespace(
        **dict.fromkeys(names, lambda *words, **more: more), Interface=lambda *words, **more: built.append(words)
    )
    monkeypatch.setitem(sys.modules, "gradio", gradio)
    app.page()
    assert len(built[0][1]) == 3


def test_hostile_names_are_plain_text_on_the_card(conditional: Run) -> None:
    model = Model.load(conditional.path)
    object.__setattr__(model.generator, "class_names", tuple(HOSTILE))
    object.__setattr__(model.generator.config, "recipe", HOSTILE[0])
    text = card.text(model, "x.safetensors")
    assert "<script" not in text and "http:" not in text and "![p" not in text and "`c`" not in text
    assert "\u202e" not in text and text.count("license:") == 1 and text.count("\n---\n") == 1
    assert "&#60;script&#62;" in text


# -- what stands in the way ------------------------------------------------------------------------------------


@pytest.mark.parametrize("to", ["onnx", "safetensors", "hub"])
def test_what_others_made_stays(finished: Run, tmp: Path, to: str) -> None:
    out = tmp / f"x.{to}"
    blocked = out
    if to == "hub":
        out.mkdir()
        (out / "notes.txt").write_text("mine")
        blocked = out / "README.md"
    blocked.write_text("mine")
    with pytest.raises(UsageError, match="exists and was not made by ganvas: choose another out=, or"):
        ganvas.export(finished.path, to, out)
    assert blocked.read_text() == "mine" and len([*tmp.rglob("*")]) == (3 if to == "hub" else 1)
    if to != "onnx":
        ganvas.export(finished.path, to, out, force=True)
        assert blocked.read_bytes() != b"mine" and len([*tmp.rglob("*")]) == (7 if to == "hub" else 2)
        assert to != "hub" or (out / "notes.txt").read_text() == "mine"


def test_a_run_directory_is_never_written_into(finished: Run, tmp: Path) -> None:
    run = Path(shutil.copytree(finished.path, tmp / "run"))
    with pytest.raises(UsageError, match="is a run directory: choose another --out"):
        ganvas.export(Run(run), "hub", run, force=True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "onx"), "; did you mean onnx?"),
        (("--to", "onnx", "--out", "x.png"), "--out x.png: name a .onnx file"),
        ((), "required: --to"),
    ],
)
def test_usage_errors_are_one_line(
    finished: Run, in_tmp: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert cli.main(["export", str(finished.path), *words]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line


def test_the_verb_writes_beside_where_it_runs(finished: Run, in_tmp: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", str(finished.path), "--to", "safetensors"]) == 0
    assert capfd.readouterr().out.startswith("run.safetensors: ")
    assert {path.name for path in in_tmp.iterdir()} == {"run.safetensors", "run.md"}


# -- from the hub ----------------------------------------------------------------------------------------------


def client(path: Path, size: int | None = None, fails: Exception | None = None, kept: Any = None) -> Any:
    """A stand-in for huggingface_hub that gives one file and notes what it is asked."""
    asked: list[Any] = []

    def metadata(url: Any) -> Any:
        asked.append(url)
        if fails is not None:
            raise fails
        return SimpleNamespace(size=path.stat().st_size if size is None else size, commit_hash="c0ffee")

    def download(repository: str, name: str, revision: str | None) -> str:
        asked.append((repository, name, revision))
        return str(path)

    return SimpleNamespace(
        asked=asked, get_hf_file_metadata=metadata, hf_hub_download=download,
        hf_hub_url=lambda repository, name, revision: (repository, name, revision),
        try_to_load_from_cache=lambda repository, name, revision: kept,
    )  # fmt: skip


def test_a_generator_from_the_hub(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    path = finished.snapshots()[-1][1]
    stand_in = client(path)
    monkeypatch.setitem(sys.modules, "huggingface_hub", stand_in)
    np.testing.assert_array_equal(ganvas.load("hf://me/gan@v1").sample(3), ganvas.load(path).sample(3))
    assert stand_in.asked == [("me/gan", "model.safetensors", "v1"), ("me/gan", "model.safetensors", "c0ffee")]
    monkeypatch.setitem(sys.modules, "huggingface_hub", client(path, fails=OSError("offline"), kept=str(path)))
    assert hub.fetch("hf://me/gan") == path


@pytest.mark.parametrize(
    ("size", "fails", "said"),
    [
        (hub.MOST_BYTES + 1, None, "model.safetensors is of 1,000 MB; at most 1,000 MB are fetched"),
        ("7", None, "of unknown size"),
        (1, OSError("no network"), r"cannot be fetched \(no network\)"),
    ],
)
def test_what_is_not_fetched(
    finished: Run, monkeypatch: pytest.MonkeyPatch, size: Any, fails: Exception | None, said: str
) -> None:
    stand_in = client(finished.snapshots()[-1][1], size, fails)
    monkeypatch.setitem(sys.modules, "huggingface_hub", stand_in)
    with pytest.raises(GanvasError, match=said):
        ganvas.load("hf://me/gan")
    assert len(stand_in.asked) == 1


def test_without_the_client_and_without_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(GanvasError, match="needs the package huggingface_hub: pip install huggingface_hub"):
        ganvas.load("hf://me/gan")
    for wrong in ("hf://gan", "hf://a/b/c", "hf://a/b@", "hf://../b", "hf://a/b@../c", "hf://a b/c"):
        with pytest.raises(UsageError, match="expected hf://OWNER/NAME"):
            ganvas.load(wrong)
