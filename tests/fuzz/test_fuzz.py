"""Settings, run files and data files that are wrong in every way: each command ends in 0, 1 or 2, with one line.

A case is named by its kind and number, which decide all of it: `failure(KIND, CASE, NUMBER, ...)` repeats it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import trained
from fuzz import data_files, run_files, settings
from fuzz.harness import failures
from ganvas.cli import train as train_verb
from ganvas.runs.run import Run

QUICK, SLOW = 30, 330
PARTS = 3
"""Tests that a kind's slow cases are split into."""

EACH = (SLOW - QUICK) // PARTS
SLOW_RANGES = [range(start, start + EACH) for start in range(QUICK, SLOW, EACH)]

numbers = pytest.mark.parametrize(
    "chosen",
    [range(QUICK), *(pytest.param(chosen, marks=pytest.mark.slow) for chosen in SLOW_RANGES)],
    ids=lambda chosen: f"{chosen.start}-{chosen.stop - 1}",
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two finished runs that differ in a setting, with scores, so that every verb has something to read."""
    base = tmp_path_factory.mktemp("pair")
    paths = []
    for name, rate in (("good", 1e-4), ("other", 3e-4)):
        run = trained(
            base / name, {"budget.kimg": 0.048, "log.checkpoint_kimg": 0.016, "data.limit": 32, "g_optim.lr": rate}
        )
        score = {
            "metric": "fd_x", "value": 3.0, "low": 1.0, "high": 4.0, "n": 20, "sets": 5, "reference": "shapes",
            "split": "train", "n_ref": 32, "seed": 0, "extractor": "x", "weights_hash": "0", "resize": "none",
            "better": "lower", "real_baseline": 0.1, "real_baseline_n": 10, "real_baseline_from": "held out",
            "noise_baseline": 9.0, "nimg": 48, "by_class": {"circle": 0.5},
        }  # fmt: skip
        for during in (False, True):
            run.append("evals", {**score, "during": during})
        run.select(48, "fd_x", 3.0)
        place = {"experiment": "e", "cell": "c", "page": "../compare.html", "first": "f", "seeds": [1, 1]}
        verdict = {"metric": "fd_x", "verdict": "better", "difference": 1.0, "low": 0.5, "high": 2.0, "p": 0.01}
        run.write_json("part_of.json", {**place, "verdicts": [verdict]})
        paths.append(run.path)
    return paths[0], paths[1]


@numbers
def test_settings(chosen: range, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    train = train_verb._train

    def tiny_only(run: Run, images: object, lang: str, *rest: object) -> int:
        """Trains what is tiny for certain; of the others the run folder is all that is wanted."""
        return train(run, images, lang, *rest) if run.config.budget.kimg == 0.032 else 0  # type: ignore[arg-type]

    monkeypatch.setattr(train_verb, "_train", tiny_only)
    found = failures("settings", settings.case, chosen, tmp, monkeypatch)
    assert not found, "\n".join(found)


@numbers
def test_run_files(chosen: range, pair: tuple[Path, Path], tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = failures("run files", run_files.case_of(*pair), chosen, tmp, monkeypatch)
    assert not found, "\n".join(found)


@numbers
def test_data_files(chosen: range, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = failures("data files", data_files.case, chosen, tmp, monkeypatch)
    assert not found, "\n".join(found)
