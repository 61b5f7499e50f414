"""What guided sampling promises of a trained run: plain when off, D's logit rises, repeatable, named everywhere."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import ganvas
from conftest import trained
from ganvas import comparison, evaluation, generator, hub, i18n
from ganvas.cli.main import main
from ganvas.config import EngineConfig
from ganvas.errors import GanvasError, UsageError
from ganvas.evaluation import sources, table
from ganvas.generator import load
from ganvas.reports import scores
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors, save_tensors
from ganvas.sampling import PLAIN, Guidance, guided
from ganvas.sampling.candidates import accepted, candidate
from ganvas.sampling.density import logits
from ganvas.sampling.refinement import refine
from ganvas.training.backend import Engine

CASES = {
    "conditional": {"data.labels": "auto", "g_optim.lr": 0.01},
    "hinge": {"loss.name": "hinge", "discriminator.spectral": True},
    "relativistic": {"loss.name": "relativistic"},
    "compares": {"discriminator.minibatch": "std"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Small trainings; D has batch norm in one block of two."""
    return {name: trained(tmp_path_factory.mktemp(name) / name, changes) for name, changes in CASES.items()}


@pytest.mark.parametrize("name", CASES)
def test_guidance_that_is_off_is_plain_sampling_bit_for_bit(runs: dict[str, Run], name: str) -> None:
    found = load(runs[name].path)
    plain = found.sample(6, seed=3, start=2)
    np.testing.assert_array_equal(found.sample(6, seed=3, start=2, best_of=1, refine=0, rejection=False), plain)
    index, own = np.arange(2, 8), found.labels(6, 3, 2)
    z = guided(found, found.discriminator, PLAIN, 3, index, own)
    np.testing.assert_array_equal(z, candidate(found, 3, 0, index))
    np.testing.assert_array_equal(found.draw(z, own), plain)


@pytest.mark.parametrize("name", CASES)
def test_best_of_keeps_the_candidate_that_d_rates_highest(runs: dict[str, Run], name: str) -> None:
    found = load(runs[name].path)
    index, own = np.arange(8), found.labels(8, 1)
    z = guided(found, found.discriminator, Guidance(best_of=3), 1, index, own)
    every = np.stack([candidate(found, 1, k, index) for k in range(3)])
    rated = np.stack([logits(found, found.discriminator, each, own) for each in every])
    np.testing.assert_array_equal(z, every[rated.argmax(0), np.arange(8)])
    assert logits(found, found.discriminator, z, own).mean() > rated[0].mean() and len(set(rated.argmax(0))) > 1
    np.testing.assert_array_equal(found.labels(8, 1), own)  # of the class that plain sampling asks for


@pytest.mark.parametrize("how", [{"best_of": 3}, {"refine": 2}, {"rejection": True}, {"best_of": 2, "refine": 1}])
def test_an_image_is_a_function_of_seed_number_and_class(runs: dict[str, Run], how: dict[str, Any]) -> None:
    found = load(runs["conditional"].path)
    together = found.sample(6, seed=1, **how)
    assert np.abs(found.sample(2, seed=1, start=3, **how).astype(int) - together[3:5]).max() <= 1  # batches round
    assert (found.sample(6, seed=2, **how) != together).any() and (found.sample(6, seed=1) != together).any()


def test_d_rates_in_evaluation_mode_and_is_left_as_it_was(runs: dict[str, Run]) -> None:
    found = load(runs["conditional"].path)
    d = found.discriminator
    assert any(isinstance(module, torch.nn.BatchNorm2d) for module in d.network.modules()) and not d.network.training
    before = {name: tensor.clone() for name, tensor in d.network.state_dict().items()}
    z, own = candidate(found, 0, 0, np.arange(5)), found.labels(5)
    alone = np.concatenate([logits(found, d, z[i : i + 1], None if own is None else own[i : i + 1]) for i in range(5)])
    assert logits(found, d, z, own) == pytest.approx(alone, abs=1e-5)  # batch statistics would mix them
    refine(found, d, z, own, 2, 0, np.arange(5))
    assert all(torch.equal(before[name], tensor) for name, tensor in d.network.state_dict().items())


def test_of_a_bf16_engine_logits_are_float32_and_close(runs: dict[str, Run]) -> None:
    found = load(runs["conditional"].path, "cpu")
    half = replace(found, engine=Engine(EngineConfig("cpu", "bfloat16", "channels_last", "direct")))
    z, own = candidate(found, 0, 0, np.arange(8)), found.labels(8)
    low = logits(half, found.discriminator, z, own)
    assert low.dtype == np.float32 and low == pytest.approx(logits(found, found.discriminator, z, own), abs=0.1)
    assert half.sample(4, best_of=2, refine=1).shape == (4, 3, 16, 16)


def test_what_a_logit_means_decides_about_rejection(runs: dict[str, Run]) -> None:
    index = np.arange(4)
    hinge, relativistic = load(runs["hinge"].path), load(runs["relativistic"].path)
    with pytest.raises(UsageError, match="needs a density ratio, and D's logit is none under the loss hinge: use"):
        accepted(hinge, hinge.discriminator, 0, index, None)
    with pytest.raises(UsageError, match="the loss hinge"):
        hinge.sample(4, rejection=True)
    assert accepted(relativistic, relativistic.discriminator, 0, index, None).shape == (4, 8)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"best_of": 0}, "best_of = 0: it must be a whole number from 1 to 1,000"),
        ({"best_of": 2.5}, "best_of = 2.5"),
        ({"best_of": True}, "best_of = True"),
        ({"refine": -1}, "refine = -1: it must be a whole number from 0 to 10,000"),
        ({"rejection": "yes"}, "it must be True or False"),
        ({"rejection": True, "best_of": 2}, "both choose candidates: leave one out"),
    ],
)
def test_values_that_mean_nothing_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Guidance(**values)


def test_its_name_says_what_was_done() -> None:
    assert Guidance().text == "" and not Guidance()
    assert Guidance(4, 10).text == "best of 4 by D, refined by D in 10 steps"
    assert Guidance(rejection=True, refine=1).text == "rejection by D, refined by D in 1 step"


def test_files_of_samples_say_how_they_were_chosen(runs: dict[str, Run], tmp: Path, capsys: Any) -> None:
    run = str(runs["conditional"].path)
    for out, how in (("plain", []), ("best", ["--best-of", "2"])):
        assert main(["sample", run, "--n", "10", "--out", str(tmp / f"{out}.png"), *how]) == 0
        assert main(["sample", run, "--n", "3", "--out", str(tmp / f"{out}.npz"), *how]) == 0
        assert main(["sample", run, "--n", "2", "--out", str(tmp / out), *how]) == 0
    assert capsys.readouterr().out.count(", best of 2 by D after 192 images") == 3
    pictures = [tmp / "best.png", *(tmp / "best").rglob("*.png")]
    assert [Image.open(path).text["Sampling"] for path in pictures] == ["best of 2 by D"] * 3
    assert "Sampling" not in Image.open(tmp / "plain.png").text
    assert str(np.load(tmp / "best.npz")["sampling"]) == "best of 2 by D"
    assert "sampling" not in np.load(tmp / "plain.npz")


def test_scores_say_how_their_samples_were_chosen_and_others_leave_them_out(runs: dict[str, Run], tmp: Path) -> None:
    run = ganvas.Run(shutil.copytree(runs["conditional"].path, tmp / "run"))
    settings: Any = {
        "features": "pixel_features:look", "metrics": "fd", "n": 20, "sets": 1, "progress": False,
    }  # fmt: skip
    plain = evaluation.evaluate(run.path, **settings)[0]
    best = evaluation.evaluate(run.path, best_of=2, **settings)[0]
    assert (plain.sampling, best.sampling) == ("", "best of 2 by D") and plain.value != best.value
    assert "cifar-dcgan, best of 2 by D, after 192 images: 20 images" in table.text([best])
    rows = run.rows("evals")
    assert [row["sampling"] for row in rows] == ["", "best of 2 by D"]
    assert [row["value"] for row in scores.latest(rows)] == [plain.value, best.value]
    other = shutil.copytree(run.path, tmp / "other")
    found = comparison.compare({"a": [run.path], "b": [other]}, make=False, progress=False)
    assert [each.values for each in found.scores] == [((plain.value,), (plain.value,))]
    assert "set of 20 images (best of 2 by D)" in scores.rests_on(rows[1], i18n.load("en"))
    samples = run.sample(4, best_of=2)
    assert samples.sampling == "best of 2 by D" and samples.caption.endswith(", best of 2 by D")
    samples.save(tmp / "x.png")
    assert Image.open(tmp / "x.png").text["Sampling"] == "best of 2 by D"


def test_images_are_scored_as_they_are() -> None:
    with pytest.raises(UsageError, match="images are scored as they are: best of 2 by D is for a run"):
        sources.find("shapes:test", guidance=Guidance(best_of=2))
    with pytest.raises(UsageError, match="images are scored as they are"):
        sources.find(np.zeros((9, 8, 8, 3), np.uint8), guidance=Guidance(refine=2))


def test_d_is_that_of_the_generators_checkpoint_else_of_the_newest(runs: dict[str, Run], tmp: Path) -> None:
    run = Run(shutil.copytree(runs["conditional"].path, tmp / "run"))
    assert [nimg for nimg, _ in run.checkpoints()] == [128, 192]
    assert load(run.snapshots()[-1][1]).discriminator.nimg == 192
    assert load(run.checkpoints()[0][1] / "generator.safetensors").discriminator.nimg == 128
    (run.checkpoints()[1][1] / "discriminator.safetensors").write_bytes(b"")
    assert load(run.snapshots()[-1][1]).discriminator.nimg == 128
    shutil.rmtree(run.path / "checkpoints")
    with pytest.raises(UsageError, match="has no discriminator: it holds no whole checkpoint"):
        load(run.path).sample(2, best_of=2)


@pytest.mark.parametrize("to", ["safetensors", "hub"])
def test_an_export_keeps_d_as_float16_where_asked_for(runs: dict[str, Run], to: str, tmp: Path) -> None:
    run = load(runs["conditional"].path)
    target = tmp / "out" / ("x.safetensors" if to == "safetensors" else "x")
    target.parent.mkdir()
    ganvas.export(run.path, to, target)
    with pytest.raises(UsageError, match=r"has no discriminator: no run around it, no \S*discriminator.safetensors"):
        load(target).sample(2, best_of=2)
    found = ganvas.export(run.path, to, target, discriminator=True)
    file = next(path for path in found.files if path.name.endswith("discriminator.safetensors"))
    assert (file.name == hub.DISCRIMINATOR) == (to == "hub")
    tensors, about = load_tensors(file)
    assert about["nimg"] == 192 and {t.dtype for t in tensors.values() if t.is_floating_point()} == {torch.float16}
    kept = load(target)
    z, own = candidate(run, 0, 0, np.arange(6)), run.labels(6)
    assert logits(kept, kept.discriminator, z, own) == pytest.approx(logits(run, run.discriminator, z, own), abs=0.02)
    np.testing.assert_array_equal(kept.sample(4), run.sample(4))
    file.write_bytes(save_tensors({"x": torch.zeros(3)}, {"nimg": 192}))
    with pytest.raises(GanvasError, match="does not hold the discriminator"):
        load(target).sample(2, best_of=2)
    file.write_bytes(save_tensors(tensors, {}))
    with pytest.raises(GanvasError, match="does not say how many images"):
        load(target).sample(2, best_of=2)
    with pytest.raises(UsageError, match="discriminator is an option of --to safetensors and hub, not of --to onnx"):
        ganvas.export(run.path, "onnx", tmp / "x.onnx", discriminator=True)


def test_a_file_of_d_is_no_model_that_ships(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a-cpu-v1", "a-cpu-v1.discriminator", "a-classifier-v1"):
        (tmp / f"{name}.safetensors").write_bytes(b"")
    monkeypatch.setattr(generator, "WEIGHTS", tmp)
    assert generator.shipped() == ["a-cpu-v1"]


def test_evaluate_in_a_terminal_names_it(runs: dict[str, Run], tmp: Path, capsys: Any) -> None:
    run = shutil.copytree(runs["hinge"].path, tmp / "run")
    words = ["--features", "pixel_features:look", "--metrics", "fd", "--n", "20", "--sets", "1", "--refine", "1"]
    assert main(["evaluate", str(run), *words, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["sampling"] == "refined by D in 1 step" and row["source"] == "cifar-dcgan, refined by D in 1 step"
    assert main(["evaluate", str(run), *words, "--best-of", "0"]) == 2
    assert capsys.readouterr().err.count("\n") <= 2
