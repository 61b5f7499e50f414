"""`ganvas runs --prune` deletes only what ganvas wrote, of runs that nobody is writing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from conftest import trained
from ganvas.runs import listing
from ganvas.runs.run import Run


@pytest.fixture
def run(tmp: Path) -> Run:
    """A finished run with two checkpoints."""
    made = trained(tmp / "runs" / "one")
    assert len(made.checkpoints()) == 2
    return made


def test_the_last_checkpoint_stays(run: Run) -> None:
    assert listing.prune(run.path.parent) > 0
    assert [nimg for nimg, _ in run.checkpoints()] == [192]


def test_a_run_that_is_being_written_is_left_alone(run: Run) -> None:
    with run.writing():
        assert listing.prune(run.path.parent) == 0
    assert len(run.checkpoints()) == 2


@pytest.mark.parametrize("link", ["run", "checkpoints", "checkpoint"])
def test_links_are_not_followed(run: Run, tmp: Path, link: str) -> None:
    old = run.checkpoints()[0][1]
    path = {"run": run.path, "checkpoints": run.path / "checkpoints", "checkpoint": old}[link]
    outside = tmp / "outside"
    shutil.move(path, outside)
    path.symlink_to(outside)
    kept = sorted(outside.rglob("*"))
    listing.prune(tmp / "runs")
    assert sorted(outside.rglob("*")) == kept


def test_what_ganvas_did_not_write_stays(run: Run) -> None:
    own = run.path / "checkpoints" / "000000001"
    own.mkdir()
    (own / "thesis.txt").write_text("mine")
    (run.path / "samples" / "mine.part").write_text("mine")
    (run.path / "samples" / "000000096.png.77.part").write_text("ours")
    listing.prune(run.path.parent)
    assert (own / "thesis.txt").read_text() == (run.path / "samples" / "mine.part").read_text() == "mine"
    assert not (run.path / "samples" / "000000096.png.77.part").exists()
