"""The command line, in this process: every verb as it should be, and one clear line for all that goes wrong."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

import ganvas
from conftest import TINY, flags, python, trained
from ganvas import media, models
from ganvas.cli import main as cli
from ganvas.config import AugmentConfig, BudgetConfig, Config, LossConfig, OptimConfig, PenaltyConfig, StepConfig
from ganvas.runs.run import Run
from ganvas.training import progress as console
from ganvas.training import recipe_text
from ganvas.training.loop import Event
from picture_sets import Set


class Answer(NamedTuple):
    code: int
    out: list[str]
    err: list[str]


Ganvas = Callable[..., Answer]


@pytest.fixture
def ganvas_(capfd: pytest.CaptureFixture[str], tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Ganvas:
    """Runs one command in an empty folder; its exit code and lines."""
    monkeypatch.chdir(tmp)
    capfd.readouterr()

    def run(*words: object) -> Answer:
        try:
            code = cli.main([str(word) for word in words])
        except SystemExit as leaving:  # a verb's --help
            code = int(leaving.code or 0)
        out, err = capfd.readouterr()
        return Answer(code, out.splitlines(), err.splitlines())

    return run


@pytest.fixture(scope="session")
def reference(finished: Run) -> Path:
    return finished.path


@pytest.fixture
def copy(finished: Run, tmp: Path) -> Run:
    """A run to spoil."""
    return Run(shutil.copytree(finished.path, tmp / "copy"))


@pytest.fixture
def no_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests that look at what comes before the report."""
    monkeypatch.setattr("ganvas.reports.write", lambda run, lang: run.path / "report.html")


# -- as it should be -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("--help",), ("help",), ("-h",)])
def test_overview_names_every_verb(ganvas_: Ganvas, words: tuple[str, ...]) -> None:
    code, out, err = ganvas_(*words)
    assert code == 0 and err == []
    assert [line.split()[1] for line in out if line.startswith("  ganvas ")][: len(cli.VERBS)] == list(cli.VERBS)


def test_version(ganvas_: Ganvas) -> None:
    assert ganvas_("--version") == (0, [f"ganvas {ganvas.__version__}"], [])


@pytest.mark.parametrize("verb", [*cli.VERBS, "data show", "train cifar-dcgan"])
def test_every_verb_has_help(ganvas_: Ganvas, verb: str) -> None:
    code, out, err = ganvas_(*verb.split(), "--help")
    assert code == 0 and err == [] and out[0].startswith("usage: ganvas")
    if verb.startswith("train"):
        text = " ".join(out)
        assert "--minutes" in text and "--g-optim.lr" in text and "Learning rate at the start" in text


def test_recipes(ganvas_: Ganvas) -> None:
    code, out, _ = ganvas_("recipes")
    assert code == 0 and [line.split()[0] for line in out if not line.startswith(" ")] == list(ganvas.RECIPES)
    code, out, _ = ganvas_("recipes", "cifar-dcgan-recap")
    assert code == 0 and any("ConvT 5x5 s2" in line and "1,638,400" in line for line in out)
    totals = [int(line.split()[1].replace(",", "")) for line in out if line.startswith("  total")]
    assert len(totals) == 2 and all(totals)


def test_a_recipe_is_shown_with_the_classes_that_it_is_told(ganvas_: Ganvas) -> None:
    code, out, _ = ganvas_("recipes", "quick")
    config = ganvas.RECIPES["quick"].config
    assert config.data.labels == "auto" and code == 0
    config = dataclasses.replace(config, data=dataclasses.replace(config.data, labels="use"))
    networks = models.build_generator(config, (3, 32, 32), 10), models.build_discriminator(config, (3, 32, 32), 10)
    assert sum("for 3 x 32 x 32, class-conditional (10 classes)" in line for line in out) == 2
    totals = [int(line.split()[1].replace(",", "")) for line in out if line.startswith("  total")]
    assert totals == [models.count_parameters(network) for network in networks]


def test_how_a_recipe_learns_is_told_whatever_it_uses() -> None:
    slow = OptimConfig(lr=3e-5)
    plain = Config(d_optim=slow)
    assert recipe_text._training(plain) == [
        "update: simultaneous, batch 256; loss: bce", "optimisers: G adam 0.0001; D adam 3e-05"
    ]  # fmt: skip
    optim = OptimConfig("adamw", 2e-4, beta1=0.0, weight_decay=0.01, decay="cosine")
    rich = Config(
        step=StepConfig("alternating", d_steps=5, joint=True), loss=LossConfig("hinge", feature_matching=0.1),
        penalty=PenaltyConfig(r1=10, every=16), augment=AugmentConfig(p=0.5, mirror=True, paired=False),
        g_optim=optim, d_optim=optim,
    )  # fmt: skip
    assert recipe_text._training(rich) == [
        "update: alternating, batch 256, d_steps 5, joint; loss: hinge, feature_matching 0.1; "
        "penalty: r1 10, every 16; augment: p 0.5, mirror, no paired",
        "optimisers: G and D adamw 0.0002, beta1 0, weight_decay 0.01, decay cosine",
    ]


def test_data(ganvas_: Ganvas, tmp: Path) -> None:
    code, out, _ = ganvas_("data", "list", "--json")
    rows = {row["name"]: row for row in map(json.loads, out)}
    assert code == 0 and {"cifar10", "fashion-mnist", "shapes"} <= set(rows) and rows["shapes"]["cached"] is True
    assert "shapes" in " ".join(ganvas_("data", "list").out)
    pictures(tmp / "mine", 12)
    code, out, _ = ganvas_("data", "check", tmp / "mine")
    assert code == 0 and "12 images" in out[0]
    labels = ("--data.label-from", r"name:(\d)\d*", "--data.limit", 10)
    (check,) = ganvas_("data", "check", tmp / "mine", *labels).out[:1]
    assert "10 images" in check and "classes" in check
    checks = ganvas_("doctor", "--data", tmp / "mine", "--data.size", 16, "--recipe", "small-data").out
    assert "3 × 16 × 16" in checks[0]
    code, _, err = ganvas_("data", "check", tmp / "mine", "--data.fit", "squeeze")
    assert code == 2 and "'crop', 'pad', 'stretch'" in err[0]
    words = ("--size", 16, "--classes", "star,heart", "--out", tmp / "a" / "g.png")
    code, out, _ = ganvas_("data", "show", "shapes", *words)
    assert code == 0 and out[-1].startswith(f"{tmp}/a/g.png: ")
    assert (tmp / "a" / "g.png").read_bytes().startswith(b"\x89PNG")
    assert ganvas_("data", "fetch", "shapes").code == 0


def test_train_then_everything_else(ganvas_: Ganvas, tmp: Path) -> None:
    words = flags({"log.checkpoint_kimg": 50.0, "budget.kimg": None})
    words = [word for word in words if word not in ("--budget.kimg", "None")]
    code, out, err = ganvas_("train", "cifar-dcgan", "--kimg", 0.1, "--seed", 3, "--checkpoint-kimg", 0.064, *words)
    path = Path("runs/0001-cifar-dcgan-shapes-s3")
    assert code == 0 and out == [f"report: {path}/report.html"]
    assert err[0].startswith("shapes: 96 images, 16 x 16 RGB, split train (beside test), 10 classes: circle, square,")
    assert err[1] == f"run: {path}" and any(line.startswith("trained 112 images") for line in err)
    assert (tmp / path / "report.html").stat().st_size > 1000
    assert [at for at, _ in Run.open(path).checkpoints()] == [64, 112]

    code, out, _ = ganvas_("resume", path)
    assert code == 0 and out == [f"{path} is finished: 112 images; extend it with --minutes, --epochs or --kimg"]
    code, out, err = ganvas_("resume", path, "--kimg", 0.016, "--device", "cpu", "--lang", "ko")
    assert code == 0 and out == [f"report: {path}/report.html"]
    assert any(line.startswith("resuming at image 112; cpu, ") for line in err)
    assert '<html lang="ko"' in (tmp / path / "report.html").read_text("utf-8")

    code, out, _ = ganvas_("runs")
    assert code == 0 and out[1].split()[:3] == [str(path), "cifar-dcgan", "shapes"] and "finished" in out[1]
    code, out, err = ganvas_("runs", "--prune", "--json")
    assert err[0].startswith("freed ") and not err[0].startswith("freed 0.0")
    assert json.loads(out[0])["nimg"] == 128 and len(Run.open(path).checkpoints()) == 1
    assert ganvas_("runs", "elsewhere").out == ["no runs below elsewhere: ganvas train quick --minutes 5"]

    code, out, _ = ganvas_("sample", path, "--n", 10, "--out", "x.png")
    assert code == 0 and out[0].startswith("x.png: 10 images from runs/")
    with Image.open("x.png") as grid:
        assert grid.size == (128, 32)


def test_samples_take_three_forms(ganvas_: Ganvas, reference: Path) -> None:
    assert ganvas_("sample", reference, "--n", 4, "--columns", 2, "--seed", 5, "--out", "deep/x.png").code == 0
    assert ganvas_("sample", reference, "--n", 4, "--seed", 5, "--out", "deep/x.npz").code == 0
    assert ganvas_("sample", reference, "--n", 4, "--seed", 5, "--out", "folder").code == 0
    array = np.load("deep/x.npz")["images"]
    assert array.shape == (4, 16, 16, 3) and array.dtype == np.uint8
    with Image.open("deep/x.png") as grid:
        np.testing.assert_array_equal(media.tiles(grid, (3, 16, 16)).transpose(0, 2, 3, 1), array)
    files = sorted(Path("folder").iterdir())
    assert [file.name for file in files] == [f"{i:06d}.png" for i in range(4)]
    np.testing.assert_array_equal(np.stack([np.asarray(Image.open(file)) for file in files]), array)


def test_samples_of_classes_say_which_is_which(ganvas_: Ganvas, tmp: Path) -> None:
    run = trained(tmp / "told", {"data.labels": "use"})
    names = run.data["class_names"]
    code, out, _ = ganvas_("sample", run.path, "--columns", 3)
    assert code == 0 and out[0].startswith("told.png: 30 images from ")
    assert out[0].endswith(f"seed 0; one class per row: {', '.join(names)}")
    with Image.open("told.png") as grid:
        assert grid.size == (3 * 16, 10 * 16)
    assert ganvas_("sample", run.path, "--n", 9, "--columns", 4).out[0].endswith(": circle, square, triangle")

    assert ganvas_("sample", run.path, "--n", 40, "--out", "x.npz").code == 0
    array = np.load("x.npz")
    assert array["class_names"].tolist() == names and array["labels"].shape == (40,)
    sampler = ganvas.load(run.path)
    np.testing.assert_array_equal(array["labels"], sampler.labels(40))
    np.testing.assert_array_equal(array["images"].transpose(0, 3, 1, 2), sampler.sample(40))
    assert ganvas_("data", "check", "x.npz").out[1].startswith("classes: 10 (circle ")
    assert ganvas_("sample", run.path, "--n", 40, "--out", "folder").code == 0
    found = {path.parent.name: path for path in Path("folder").glob("*/*.png")}
    assert set(found) == {names[k] for k in array["labels"]} and len([*Path("folder").glob("*/*.png")]) == 40
    for name, path in found.items():
        i = int(path.stem)
        assert names[array["labels"][i]] == name
        np.testing.assert_array_equal(np.asarray(Image.open(path)), array["images"][i])

    code, out, _ = ganvas_("sample", run.path, "--class", "star", "--n", 4, "--out", "star.npz")
    assert code == 0 and out[0].endswith("seed 0") and set(np.load("star.npz")["labels"]) == {names.index("star")}
    assert_one_clear_line(ganvas_("sample", run.path, "--class", "stra"), 2, "no class 'stra'; did you mean star?")


def test_a_model_that_ships_is_drawn_by_its_name(
    ganvas_: Ganvas, finished: Run, tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp / "weights").mkdir()
    shutil.copy(finished.snapshots()[-1][1], tmp / "weights" / "toy-cpu-v3.safetensors")
    monkeypatch.setattr("ganvas.generator.WEIGHTS", tmp / "weights")
    code, out, err = ganvas_("sample", "toy", "--n", 2)
    assert code == 0 and err == ["toy is toy-cpu-v3"] and out[0].startswith("toy.png: 2 images from ")
    assert Path("toy.png").is_file()
    assert_one_clear_line(ganvas_("sample", "tory"), 2, "or a model that ships: toy-cpu-v3")
    code, out, err = ganvas_(
        "evaluate", "toy", "--features", "pixel_features:look", "--metrics", "kd", "--n", 20, "--sets", 1
    )
    assert code == 0 and "toy is toy-cpu-v3" in err and any("kd_custom" in line for line in out)


def test_dry_run_shows_the_difference_and_makes_nothing(ganvas_: Ganvas, tmp: Path) -> None:
    code, out, err = ganvas_("train", "cifar-dcgan", "--dry-run", "--g-optim.lr", "2e-4", "--minutes", 5, "--data.flip")
    assert code == 0 and err == []
    assert out == [
        "cifar-dcgan on cifar10, seed 0; changes to the recipe:", "  data.flip: False -> True",
        "  g_optim.lr: 0.0001 -> 0.0002", "  budget.minutes: None -> 5.0", out[-1],
    ]  # fmt: skip
    assert out[-1].startswith("cifar10: 50,000 images, 32 x 32 RGB, split train, 10 classes: airplane, automobile,")
    assert ganvas_("train", "cifar-dcgan", "--dry-run").out[-2] == "  none"
    assert list(tmp.iterdir()) == []


def test_dry_run_looks_at_your_own_pictures(ganvas_: Ganvas, files: Set) -> None:
    files.add(*(f"train/{name}/{k}.png" for name in ("cat", "dog") for k in range(50)), "test/cat/1.png")
    code, out, _ = ganvas_("train", "cifar-dcgan", "--dry-run", "--data", files.at, "--limit", 90)
    assert code == 0
    assert out[-1] == (
        "set: 90 images, 16 x 16 RGB, split train (beside test), 2 classes by folder: cat, dog; "
        "the first 64 were looked at"
    )
    code, _, err = ganvas_("train", "quick", "--dry-run", "--data", files.at / "train" / "cat", "--data.labels", "use")
    assert code == 2 and "has no classes to use" in err[-1]
    code, _, err = ganvas_("train", "quick", "--dry-run", "--data", files.at.parent / "none")
    assert code == 2 and "does not exist" in err[-1]


REPEATED = {
    (
        "--data",
        "a",
        "--data",
        "b",
    ): "--data is given twice: a training reads one set",
    ("--seed", 1, "--seed=2"): "--seed is given twice: give it once",
    ("--g-optim.lr", 1, "--g_optim.lr", 2): "--g-optim.lr is given twice",
    ("--size", 16, "--data.size", 20): "--data.size is given twice, once by its short name",
}


@pytest.mark.parametrize("words", REPEATED, ids=map(str, REPEATED))
def test_a_flag_that_is_given_twice(ganvas_: Ganvas, words: tuple[Any, ...]) -> None:
    code, _, err = ganvas_("train", "quick", "--dry-run", *words)
    assert code == 2 and REPEATED[words] in err[-1] and len(err) == 1
    assert ganvas_("evaluate", "x", "--metrics", "fd", "--metrics", "kd").code == 2


def test_a_class_name_with_a_comma(ganvas_: Ganvas, files: Set) -> None:
    files.add(*(f"{name}/{k}.png" for name in ("salt, pepper", "sugar", "flour") for k in range(2)))
    words = ("train", "quick", "--dry-run", "--data", files.at, "--classes", '"salt, pepper",sugar')
    assert ganvas_(*words).out[-1].endswith('2 classes by folder: "salt, pepper", sugar')


def test_flags_that_hold_several_values(ganvas_: Ganvas) -> None:
    words = ("--generator.widths", 64, 32, "--seed", 7, "--classes", "cat, dog", "--size", 16, "--limit", 99)
    out = ganvas_("train", "cifar-dcgan", "--dry-run", *words).out
    assert "  generator.widths: [128, 64] -> [64, 32]" in out and "  data.classes: [] -> ['cat', 'dog']" in out
    assert "  seed: 0 -> 7" in out and "  data.size: None -> 16" in out and "  data.limit: None -> 99" in out


def test_the_library_trains_and_draws(tmp: Path) -> None:
    settings = {name: value for name, value in TINY.items() if not name.startswith(("budget", "data.name"))}
    run = ganvas.train("cifar-dcgan", data="shapes", epochs=1, seed=4, out=tmp / "run", device="cpu", settings=settings)
    assert isinstance(run, ganvas.Run) and run.config.seed == 4 and run.config.budget == BudgetConfig(epochs=1)
    assert run.total_nimg == 96 and ganvas.load(run.path).sample(3).shape == (3, 3, 16, 16)
    with pytest.raises(AttributeError, match="has no attribute 'trian'"):
        ganvas.trian  # noqa: B018


# -- what goes wrong -------------------------------------------------------------------------------------------


def pictures(folder: Path, n: int, same: bool = False) -> Path:
    folder.mkdir(parents=True)
    for i in range(n):
        level = 0 if same else 20 * i
        Image.new("RGB", (16, 16), (level, 90, 255 - level)).save(folder / f"{i}.png")
    return folder


TRAIN = ("train", "cifar-dcgan")
SHAPES = (*TRAIN, "--data", "shapes", "--limit", 9)
USAGE: dict[str, tuple[tuple[Any, ...], str]] = {
    "unknown command": (("tran",), "unknown command 'tran'; did you mean train? (ganvas --help)"),
    "unknown recipe": (("train", "cifar-dcgn"), "unknown recipe 'cifar-dcgn'; did you mean cifar-dcgan?"),
    "unknown recipe shown": (("recipes", "xyzzy"), "'xyzzy' (ganvas recipes lists them)"),
    "no recipe": (("train",), "name a recipe first: ganvas train RECIPE"),
    "flags before the recipe": (("train", "--minutes", 5), "name a recipe first"),
    "unknown flag": ((*TRAIN, "--minuts", 5), "unknown flag --minuts; did you mean --minutes?"),
    "unknown setting": ((*TRAIN, "--g-optim.learn", 5), "unknown flag --g-optim.learn; did you mean --g-optim."),
    "unknown flag of resume": (("resume", "x", "--minutess", 5), "unknown flag --minutess; did you mean --minutes?"),
    "unknown flag of sample": (("sample", "x", "--out", "y", "--nn", 5), "unknown flag --nn; did you mean --n?"),
    "a word too many": ((*TRAIN, "cifar10"), "cifar10"),
    "two runs": (("report", "a", "b"), "unknown argument b"),
    "no number": ((*TRAIN, "--minutes", "five"), "argument --minutes: invalid float value: 'five'"),
    "no value": ((*TRAIN, "--minutes"), "argument --minutes: expected one argument"),
    "no setting's number": ((*TRAIN, "--g-optim.lr", "fast"), "--g-optim.lr"),
    "not among the choices": ((*TRAIN, "--step.update", "now"), "--step.update"),
    "out of range": ((*TRAIN, "--discriminator.dropout", 1.5), "discriminator.dropout = 1.5: it must be in [0, 1)"),
    "no time": ((*TRAIN, "--minutes", 0), "budget = 0.0: it must be more than 0"),
    "endless": ((*TRAIN, "--minutes", "inf"), "budget.minutes = inf: it must be a finite number"),
    "two budgets": ((*TRAIN, "--minutes", 1, "--kimg", 1), "it must be one of epochs, kimg, minutes and cpu_minutes"),
    "negative seed": ((*TRAIN, "--seed", -1), "seed = -1: it must be 0 or more"),
    "missing data": ((*TRAIN, "--data", "./nope"), "'./nope' does not exist"),
    "misspelt data": ((*TRAIN, "--data", "cifar-10"), "no data set or folder is named 'cifar-10'"),
    "wrong data": ((*TRAIN, "--data", "{tmp}/text.txt"), "text.txt is no data set"),
    "wrong size": ((*TRAIN, "--data", "shapes", "--size", 4), "size 4 does not suit shapes"),
    "unknown class": ((*TRAIN, "--data", "shapes", "--classes", "stra"), "stra"),
    "one image of many": ((*TRAIN, "--data", "shapes", "--limit", 1), "limit must be at least 2 images"),
    "absent device": ((*SHAPES, "--device", "cuda:99"), "device cuda:99 is not here (found:"),
    "no device": ((*SHAPES, "--device", "tpu"), "engine.device = 'tpu': choose auto, cpu"),
    "half a device": ((*SHAPES, "--device", "cpu:"), "device = 'cpu:': choose auto"),
    "strides too many": ((*SHAPES, "--generator.strides", 4, 4, 4), "shrink 32 px"),
    "out is not empty": ((*SHAPES, "--out", "{tmp}"), "is not empty: choose another --out"),
    "out is a file": ((*SHAPES, "--out", "{tmp}/text.txt"), "exists and is not empty"),
    "resume nothing": (("resume", "nope"), "nope is no run directory (no config.json there; `ganvas runs` lists runs)"),
    "resume without a run": (("resume",), "the following arguments are required: RUN"),
    "resume by two budgets": (("resume", "{run}", "--kimg", 1, "--epochs", 1), "give one of --minutes, --epochs"),
    "resume for no time": (("resume", "{run}", "--minutes", -1), "and --kimg, more than 0"),
    "resume on no device": (("resume", "{run}", "--kimg", 1, "--device", "cuda:99"), "device cuda:99 is not here"),
    "report of nothing": (("report", "nope"), "nope is no run directory"),
    "report in no language": (("report", "{run}", "--lang", "xx"), "argument --lang: invalid choice: 'xx'"),
    "sample of nothing": (("sample", "nope", "--out", "x.png"), "nope does not exist"),
    "sample a class of none": (("sample", "{run}", "--class", "star", "--out", "x.png"), "was trained without classes"),
    "sample to a bad suffix": (("sample", "{run}", "--out", "x.jpg"), "--out x.jpg: name a .png, a .npz or a folder"),
    "sample none": (("sample", "{run}", "--n", 0, "--out", "x.png"), "n = 0: ask for 1 image or more"),
    "sample in no columns": (("sample", "{run}", "--columns", 0, "--out", "x.png"), "--columns must be 1 or more"),
    "sample on no device": (("sample", "{run}", "--device", "cuda:99", "--out", "x.png"), "device cuda:99 is not here"),
    "no data command": (("data",), "the following arguments are required: list | fetch | check | show"),
    "wrong data command": (("data", "lst"), "invalid choice: 'lst'"),
    "fetch of a path": (("data", "fetch", "{tmp}"), "there is nothing to fetch"),
    "check of nothing": (("data", "check", "{tmp}/nope"), "does not exist"),
}  # fmt: skip
FAILURES: dict[str, tuple[tuple[Any, ...], str]] = {
    "one image": ((*TRAIN, "--data", "{one}"), "a GAN needs at least 2, and hundreds to learn from"),
    "identical images": ((*TRAIN, "--data", "{same}"), "all 3 images of "),
    "no image": ((*TRAIN, "--data", "{empty}"), "empty"),
    "out below a file": ((*SHAPES, "--out", "{tmp}/text.txt/run"), "Not a directory; choose"),
    "unwritable folder": ((*SHAPES, "--out", "/proc/ganvas/run"), "cannot write /proc/ganvas"),
    "sample below a file": (("sample", "{run}", "--n", 1, "--out", "{tmp}/text.txt/x.png"), "choose another folder"),
    "sample into a file": (("sample", "{run}", "--n", 1, "--out", "{tmp}/text"), "{tmp}/text: File exists; choose"),
    "sheet below a file": (("data", "show", "shapes", "--out", "{tmp}/text.txt/x.png"), "choose another folder"),
    "foreign snapshot": (("sample", "{tmp}/text.txt", "--out", "x.png"), "is truncated or no safetensors file"),
}  # fmt: skip


def assert_one_clear_line(answer: Answer, code: int, message: str) -> None:
    assert answer.code == code, answer
    assert answer.err[-1].startswith("ganvas: ") and message in answer.err[-1], answer.err
    assert len(answer.err[-1]) < 500 and not any("Traceback" in line for line in answer.err + answer.out)


@pytest.mark.parametrize("case", [*USAGE, *FAILURES])
def test_one_clear_line(ganvas_: Ganvas, tmp: Path, reference: Path, case: str) -> None:
    words, message = (USAGE | FAILURES)[case]
    (tmp / "text.txt").write_text("no image, no tensor")
    (tmp / "text").write_text("a file without a suffix")
    if any("{one}" in str(w) or "{same}" in str(w) or "{empty}" in str(w) for w in words):
        pictures(tmp / "one", 1), pictures(tmp / "same", 3, same=True), pictures(tmp / "empty", 0)
    places = {"tmp": tmp, "run": reference, "one": tmp / "one", "same": tmp / "same", "empty": tmp / "empty"}
    before, listing = stamps(reference), sorted(tmp.rglob("*"))
    answer = ganvas_(*(str(word).format(**places) for word in words))
    assert_one_clear_line(answer, 2 if case in USAGE else 1, message.format(**places))
    assert stamps(reference) == before
    assert sorted(tmp.rglob("*")) == listing  # no half-made run is left behind


def stamps(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != ".lock" and path.is_file()}


def newer(run: Run) -> None:
    config = run.read_json("config.json")
    run.write_json("config.json", config | {"schema_version": 99})


def newer_checkpoint(run: Run) -> None:
    path = run.checkpoints()[-1][1] / "state.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"schema_version": 99}))


def truncated(run: Run) -> None:
    for _, path in run.checkpoints():
        content = (path / "discriminator.safetensors").read_bytes()
        (path / "discriminator.safetensors").write_bytes(content[: len(content) // 2])


def foreign(run: Run) -> None:
    """Whole checkpoints, but of wider networks."""
    other = trained(run.path.with_name("other"), {"generator.base": 8})
    shutil.rmtree(run.path / "checkpoints")
    shutil.copytree(other.path / "checkpoints", run.path / "checkpoints")


def cut_config(run: Run) -> None:
    content = (run.path / "config.json").read_bytes()
    (run.path / "config.json").write_bytes(content[:50])


def other_data(run: Run) -> None:
    run.write_json("data.json", run.data | {"sha256": "0" * 64})


SPOILT: dict[str, tuple[Callable[[Run], None], tuple[str, ...], str]] = {
    "newer config": (newer, ("resume {run} --kimg 1", "sample {run} --out x.png", "report {run}"), "schema version 99"),
    "newer checkpoint": (newer_checkpoint, ("resume {run} --kimg 1",), "newer than this ganvas: update ganvas"),
    "truncated checkpoints": (truncated, ("resume {run} --kimg 1",), "is truncated or altered"),
    "foreign checkpoints": (foreign, ("resume {run} --kimg 1",), "does not fit the networks of this run"),
    "cut config": (cut_config, ("resume {run}", "sample {run} --out x.png", "report {run}"), "json cannot be read"),
    "other images": (other_data, ("resume {run} --kimg 1",), "restore those images"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_run_is_named_and_left_as_it_is(ganvas_: Ganvas, copy: Run, kind: str) -> None:
    spoil, commands, message = SPOILT[kind]
    spoil(copy)
    before = stamps(copy.path)
    for command in commands:
        assert_one_clear_line(ganvas_(*command.format(run=copy.path).split()), 1, message)
    assert stamps(copy.path) == before
    code, out, err = ganvas_("runs", copy.path.parent)
    assert code == 0 and err == [] and ("unreadable" in " ".join(out)) == (kind in ("newer config", "cut config"))


@pytest.mark.usefixtures("no_report")
def test_one_truncated_checkpoint_is_passed_over(ganvas_: Ganvas, copy: Run) -> None:
    (copy.checkpoints()[-1][1] / "generator.safetensors").write_bytes(b"")
    code, out, err = ganvas_("resume", copy.path)
    assert code == 0 and out[-1] == f"report: {copy.path}/report.html"
    assert any(line.startswith("warning: checkpoint passed over") for line in err)
    assert copy.checkpoints()[-1][0] == 192


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize("operation", ["fsync", "rename", "replace"])
def test_a_full_disk_keeps_the_old_checkpoint(
    ganvas_: Ganvas, copy: Run, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    before = copy.latest_checkpoint()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, operation, full)
        answer = ganvas_("resume", copy.path, "--kimg", 0.1)
    assert_one_clear_line(answer, 1, "No space left on device; free some space")
    assert copy.latest_checkpoint() == before and not copy.is_locked()
    assert ganvas_("resume", copy.path, "--kimg", 0.1).code == 0


def test_a_run_that_is_being_written(ganvas_: Ganvas, copy: Run) -> None:
    with copy.writing():
        answer = ganvas_("resume", copy.path, "--kimg", 1)
        assert_one_clear_line(answer, 1, f"is being written by another process (pid {os.getpid()}): wait or stop it")
        assert ganvas_("sample", copy.path, "--n", 1, "--out", "x.png").code == 0
        assert ganvas_("report", copy.path).out == [f"report: {copy.path}/report.html"]
    assert '<html lang="en"' in (copy.path / "report.html").read_text("utf-8")


def test_debug_shows_the_traceback(ganvas_: Ganvas) -> None:
    with pytest.raises(ganvas.UsageError):
        ganvas_("resume", "nope", "--debug")


@pytest.mark.usefixtures("no_report")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_has_its_exit_code(
    ganvas_: Ganvas, copy: Run, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int
) -> None:
    def press(event: Event) -> None:
        if event.kind == "row":
            signal.raise_signal(number)

    monkeypatch.setattr(console, "show_progress", lambda n: press)
    answer = ganvas_("resume", copy.path, "--kimg", 10)
    assert answer[:2] == (code, [f"report: {copy.path}/report.html"])
    assert len(answer.err) == 2 and answer.err[0].startswith("shapes: 96 images")
    assert answer.err[1] == f"continue with: ganvas resume {copy.path}"
    assert copy.checkpoints()[-1][0] == copy.rows("metrics")[-1]["nimg"] < copy.total_nimg


def test_a_key_press_ends_quietly(ganvas_: Ganvas, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(words: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("ganvas.cli.recipes.recipes", interrupted)
    assert ganvas_("recipes") == (130, [], ["ganvas: interrupted"])


def test_a_folder_that_cannot_be_read_is_named(ganvas_: Ganvas, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(words: list[str]) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", "/secret")

    monkeypatch.setattr("ganvas.cli.recipes.recipes", refused)
    assert ganvas_("recipes") == (1, [], ["ganvas: /secret: Permission denied"])


# -- what is seen while training -------------------------------------------------------------------------------


def test_progress_on_a_terminal_and_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row = {"nimg": 96, "loss/d": 1.25, "loss/g": 0.5, "acc/real": 0.75, "acc/fake": 1.0, "img_s": 99.6}
    engine = {"device": "cpu", "dtype": "float32", "layout": "channels_last", "conv": "direct", "threads": 2}
    events = [
        Event("start", 0, 192, 0.0, {"engine": engine, "probe": {"direct": 0.5}}),
        Event("untrained", 0, 192, 0.0, {"logit": -0.01, "n": 6}),
        Event("budget", 16, 192, 1.0, {"img_s": 20.0, "total": 192}),
        Event("row", 0, 192, 1.0, {"row": row}), Event("row", 96, None, 2.0, {"row": row}),
        Event("row", 192, 192, 4.0, {"row": row}), Event("sample", 96, 192, 2.0),
        Event("warning", 96, 192, 2.0, {"what": "mind this"}), Event("finish", 192, 192, 3700.0),
    ]  # fmt: skip
    monkeypatch.setattr(console, "PLAIN_SECONDS", 0.0)
    for live in (console.Lines(96), console.Bar(96)):
        for event in events:
            live(event)
        err = capsys.readouterr().err
        for part in (
            "cpu, float32, channels_last, direct convolutions, 2 threads (probed: direct 500 ms)",
            "D's mean logit on 6 untrained samples is -0.0100",
            "20 img/s: the budget is 192 images",
            "epoch 1.00  D 1.250  G 0.500",
            "warning: mind this",
            "trained 192 images in 1:01:40",
        ):
            assert part in " ".join(err.split()) or part in err, (type(live), part)
    assert isinstance(console.show_progress(96), console.Lines)


def test_a_discriminator_that_only_compares_is_told_by_its_pairs() -> None:
    row = {"nimg": 48, "loss/d": 1.25, "loss/g": 0.5, "acc/real": 0.62, "acc/fake": 0.62, "img_s": 99.6}
    assert console.losses(row, 96) == "epoch 0.50  D 1.250  G 0.500  real 62%  fake 62%  100 img/s"
    told = console.losses({**row, "acc/pair": 0.71}, 96)
    assert told == "epoch 0.50  D 1.250  G 0.500  pairs 71%  real = fake 62%  100 img/s"


# -- real processes --------------------------------------------------------------------------------------------


def test_a_real_process_answers_errors_with_its_exit_code(tmp: Path) -> None:
    process = python("-m", "ganvas", "resume", "nope", cwd=tmp)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out) == (2, "") and len(err.splitlines()) == 1
    process = python("-m", "ganvas", "resume", "nope", "--debug", cwd=tmp)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1 and err.startswith("Traceback")


def test_help_loads_nothing_that_takes_long(tmp: Path) -> None:
    """`make bench` measures its time, on an idle machine."""
    heavy = ("torch", "numpy", "scipy", "PIL", "matplotlib", "jinja2", "rich")
    code = "import sys; from ganvas.cli.main import main; main(['--help']); "
    code += f"print([name for name in {heavy} if name in sys.modules])"
    process = python("-c", code, cwd=tmp)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, err) == (0, "") and "ganvas train" in out and out.splitlines()[-1] == "[]"


def test_a_closed_pipe_is_no_error(tmp: Path) -> None:
    script = f"{sys.executable} -m ganvas recipes | head -1; exit ${{PIPESTATUS[0]}}"
    source = str(Path(__file__).parents[2] / "src")
    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, "PYTHONPATH": source}, capture_output=True, text=True
    )
    assert "Traceback" not in done.stderr and done.returncode in (0, 1)


def test_every_class_has_a_folder_of_its_own() -> None:
    from ganvas.cli.runs import _folder_names

    assert _folder_names(("a/b", "a-b", "A:B", "..")) == ["a-b", "a-b-1", "A-B-2", "class-3"]


@pytest.mark.parametrize("name", ["..", "../../outside", "/outside", "a\\b", ". .", "line\nbreak"])
def test_a_class_name_never_leads_out_of_the_folder(name: str, tmp: Path) -> None:
    from ganvas.cli.runs import _folder_name

    folder = (tmp / "out" / _folder_name(name, 3)).resolve()
    assert folder.parent == (tmp / "out").resolve() and "\n" not in folder.name
    assert _folder_name("T-shirt/top", 0) == "T-shirt-top"
