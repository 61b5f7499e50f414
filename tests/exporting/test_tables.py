"""Parquet and event files: what was exported reads back as it was."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import ganvas
from conftest import trained
from ganvas.cli import main as cli
from ganvas.cli.export import NAMES
from ganvas.config import DataConfig
from ganvas.datasets import load as load_data
from ganvas.errors import UsageError
from ganvas.exporting import FORMATS
from ganvas.files import is_ours
from ganvas.runs.run import Run
from ganvas.trackers import recorded
from trackers.test_trackers import read


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A small class-conditional training."""
    return trained(tmp_path_factory.mktemp("conditional") / "run", {"data.labels": "auto", "g_optim.lr": 0.01})


def test_samples_are_a_data_set(conditional: Run, tmp: Path) -> None:
    done = ganvas.export(conditional, "parquet", tmp / "s.parquet", n=1100, seed=5)
    assert done.facts == "1,100 samples of seed 5, as PNG" and is_ours(done.path)
    generator = ganvas.load(conditional.path)
    back = load_data(DataConfig(name=str(tmp / "s.parquet"), size=16), progress=False)
    assert back.class_names == generator.class_names
    np.testing.assert_array_equal(back.images, generator.sample(1100, 5))
    np.testing.assert_array_equal(back.labels, generator.labels(1100, 5))
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp / "s.parquet")
    assert table.schema.names == ["image", "label", "seed", "number"]
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert features["label"] == {"names": list(generator.class_names), "_type": "ClassLabel"}
    assert table["image"][1099].as_py()["path"] == "5-001099.png" and table["number"][1099].as_py() == 1099
    ganvas.export(conditional, "parquet", tmp / "s.parquet", n=2)  # ours: it may be replaced


def test_without_classes_there_is_no_label(finished: Run, tmp: Path) -> None:
    import pyarrow.parquet

    ganvas.export(finished, "parquet", tmp / "s.parquet", n=3)
    assert pyarrow.parquet.read_table(tmp / "s.parquet").schema.names == ["image", "seed", "number"]


def test_rows_of_a_run(finished: Run, tmp: Path) -> None:
    import pyarrow.parquet

    run = Run(shutil.copytree(finished.path, tmp / "run"))
    run.append("metrics", {"nimg": 193, "new": 1.5})
    ganvas.export(run, "parquet", tmp / "m.parquet", what="metrics")
    rows = pyarrow.parquet.read_table(tmp / "m.parquet").to_pylist()
    assert [{k: v for k, v in row.items() if v is not None} for row in rows] == run.rows("metrics")
    with pytest.raises(UsageError, match="has no evals yet: ganvas evaluate measures them"):
        ganvas.export(run, "parquet", tmp / "e.parquet", what="evals")
    for value in (1.0, 2.0):
        run.append("evals", {"nimg": 193, "metric": "fd", "value": value, "during": True, "odd": [1]})
    run.append("evals", {"nimg": 193, "metric": "fd", "value": 3.0, "seed": 7})
    ganvas.export(run, "parquet", tmp / "e.parquet", what="evals")
    table = pyarrow.parquet.read_table(tmp / "e.parquet")
    assert table["value"].to_pylist() == [1.0, 2.0, 3.0] and table["seed"].to_pylist() == [None, None, 7]
    assert "odd" not in table.schema.names and is_ours(tmp / "e.parquet")


def test_events_of_a_finished_run(finished: Run, tmp: Path) -> None:
    run = Run(shutil.copytree(finished.path, tmp / "run"))
    run.append("evals", {"nimg": 192, "metric": "fd", "value": 3.5, "reference": "shapes", "split": "test"})
    for _ in "ab":  # the second time it is ours to replace
        done = ganvas.export(run, "tensorboard", tmp / "log")
    assert re.match(r"[\d,]+ numbers, \d+ grids; .*tensorboard --logdir", done.facts)
    (path,) = (tmp / "log").iterdir()
    events = [*read(path)]
    assert [step for step, _, _ in events] == sorted(step for step, _, _ in events)
    rows = {step: values for step, values, _ in events if "loss/d" in values}
    for row in run.rows("metrics"):
        expected = {k: np.float32(v) for k, v in row.items() if k not in recorded.ASIDE}
        assert rows[row["nimg"]] == expected
    assert [step for step, _, picture in events if picture] == [nimg for nimg, _ in run.sample_grids()]
    assert [values for _, values, _ in events if "eval/fd" in values] == [{"eval/fd": 3.5}]


def test_the_help_names_every_format() -> None:
    assert NAMES == FORMATS


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "parquet", "--what", "metric"), "choose samples, metrics, evals; did you mean metrics?"),
        (("--to", "parquet", "--n", "0"), "n = 0: ask for 1 image or more"),
        (("--to", "parquet", "--seed", "-1"), "--seed must be 0 or more"),
        (("--to", "hub", "--n", "5"), "n is an option of --to parquet, not of --to hub"),
        (("--to", "parquet", "--out", "x.png"), "--out x.png: name a .parquet file"),
    ],
)
def test_usage_errors_are_one_line(
    finished: Run, in_tmp: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert cli.main(["export", str(finished.path), *words]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert said in line and not [*in_tmp.iterdir()]


def test_a_model_has_no_rows(in_tmp: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "cifar10-cpu-v1", "--to", "tensorboard"]) == 2
    assert "is no run directory" in capfd.readouterr().err
