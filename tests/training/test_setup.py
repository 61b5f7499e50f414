"""From a recipe's name to a run directory: one place, checked, and no folder is left behind or shared."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import TINY, python, tiny, trained
from ganvas import api, generator
from ganvas.config import diff, recipes
from ganvas.datasets import load
from ganvas.errors import UsageError
from ganvas.training.setup import configure

START = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from conftest import tiny
from ganvas import api, generator
config = tiny()
images = api.load_data(config.data, progress=False)
print("ready", flush=True)
sys.stdin.readline()
print(api.create_run(config, images).path, flush=True)
"""


def test_tricks_come_before_settings() -> None:
    config = configure("cifar-dcgan", ["label-smoothing"], {"loss.smooth": 0.2})
    assert config.tricks == ("label-smoothing",) and config.loss.smooth == 0.2
    assert configure("cifar-dcgan") == recipes.get("cifar-dcgan").config
    assert set(diff(configure("cifar-dcgan"), tiny())) <= {*TINY}


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"recipe": "cifar-dcga"}, "did you mean cifar-dcgan"),
        ({"tricks_on": ["label-smoothin"]}, "did you mean label-smoothing"),
        ({"overrides": {"g_optim.lr": -1.0}}, r"g_optim\.lr = -1\.0: it must be more than 0"),
        ({"overrides": {"loss.name": "hing"}}, r"loss\.name = hing: no such loss; did you mean hinge"),
        ({"overrides": {"generator.family": "resnt"}}, "no such family; did you mean resnet"),
        ({"overrides": {"loss.name": "hinge", "loss.smooth": 0.1}}, "the loss hinge has no targets"),
    ],
)
def test_what_cannot_be_right_is_refused(wishes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        configure(**{"recipe": "cifar-dcgan", **wishes})  # type: ignore[arg-type]


@pytest.mark.slow
def test_trainings_that_start_together_take_folders_of_their_own(tmp: Path) -> None:
    here = str(Path(__file__).parents[1])
    started = [python("-c", START, here, stdin=-1, cwd=tmp) for _ in range(4)]
    for process in started:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in started:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    paths = [process.communicate(timeout=300)[0].strip() for process in started]
    assert sorted(paths) == [f"runs/{k:04d}-cifar-dcgan-shapes-s0" for k in range(1, 5)]


def test_no_folder_is_left_behind(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp)
    config = tiny({"data.labels": "use"})
    images = api.load_data(config.data, progress=False)
    bare = type(images)(**{**vars(images), "labels": None, "class_names": ()})
    with pytest.raises(UsageError, match="has no classes"):
        api.create_run(config, bare)
    assert not (tmp / "runs").exists()


def test_the_generator_that_training_starts_from_is_loaded_once(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = trained(tmp / "first")
    loaded, load_it = [], generator.load
    monkeypatch.setattr(generator, "load", lambda *words: loaded.append(words) or load_it(*words))
    config = configure("cifar-dcgan", overrides=TINY, init_from=first.path)
    images = load(config.data, progress=False)
    assert api.run_training(api.create_run(config, images, tmp / "second"), images)
    assert len(loaded) == 1
    assert config.init_from == str(first.snapshots()[-1][1].resolve())


def test_a_model_that_ships_is_recorded_by_its_name() -> None:
    assert configure("quick", init_from="cifar10-cpu-v1").init_from == "cifar10-cpu-v1"
    assert configure("quick", overrides={"init_from": "cifar10-cpu-v1"}).init_from == "cifar10-cpu-v1"
