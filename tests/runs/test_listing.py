"""`ganvas runs --prune` deletes only what ganvas wrote, of runs that nobody is writing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from conftest import trained
from ganvas.runs import cleanup, listing
from ganvas.runs.run import Run


@pytest.fixture
def run(tmp: Path) -> Run:
    """A finished run with two checkpoints."""
    made = trained(tmp / "runs" / "one")
    assert len(made.checkpoints()) == 2
    return made


def test_the_last_checkpoint_stays(run: Run) -> None:
    assert listing.prune(run.path.parent).freed > 0
    assert [nimg for nimg, _ in run.checkpoints()] == [192]


def test_the_selected_checkpoint_stays(run: Run) -> None:
    old = run.checkpoints()[0][0]
    run.select(old, "fd_classifier", 1.0)
    assert listing.prune(run.path.parent).freed == 0
    assert [nimg for nimg, _ in run.checkpoints()] == [old, 192]


def test_a_run_that_is_being_written_is_left_alone(run: Run) -> None:
    with run.writing():
        assert listing.prune(run.path.parent).freed == 0
    assert len(run.checkpoints()) == 2


@pytest.mark.parametrize("link", ["run", "checkpoints", "checkpoint", "state.json", "generator.safetensors"])
def test_links_are_not_followed(run: Run, tmp: Path, link: str) -> None:
    old = run.checkpoints()[0][1]
    path = {"run": run.path, "checkpoints": run.path / "checkpoints", "checkpoint": old}.get(link, old / link)
    outside = tmp / "outside"
    shutil.move(path, outside)
    path.symlink_to(outside)
    kept = sorted(outside.rglob("*")), outside.is_file() and outside.read_bytes()
    notes = listing.prune(tmp / "runs").notes
    assert (sorted(outside.rglob("*")), outside.is_file() and outside.read_bytes()) == kept
    assert [line for line in notes if "stays: a link" in line and path.name in line]


def test_what_ganvas_did_not_write_stays_and_is_named(run: Run) -> None:
    old = run.checkpoints()[0][1]
    own = [
        run.path / "checkpoints" / "000000001" / "thesis.txt",
        run.path / "checkpoints" / "notes.txt",
        run.path / "checkpoints" / "best" / "000000064" / "generator.safetensors",
        run.path / "samples" / "mine.part",
    ]
    inside = [old / "why.md", old / "plots" / "loss.png", old / "mine.safetensors"]
    for path in (*own, *inside):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (run.path / "samples" / "000000096.png.77.part").write_text("ours")
    freed, notes = listing.prune(run.path.parent)
    assert freed > 1000, notes
    assert not (run.path / "samples" / "000000096.png.77.part").exists()
    assert [nimg for nimg, _ in run.checkpoints()] == [1, 192]
    moved = [old.with_name(f"{old.name}.kept") / path.relative_to(old) for path in inside]
    assert all(path.read_text() == "mine" for path in (*own, *moved))
    assert sorted(moved[0].parent.rglob("*.*")) == sorted(moved)
    for name in ("000000001", "notes.txt", "best", "why.md", "plots", "mine.safetensors"):
        assert [line for line in notes if line.split(" stays")[0].endswith(name)], name
    assert listing.prune(run.path.parent).freed == 0


def test_a_state_that_names_files_elsewhere_leads_to_nothing_elsewhere(run: Run, tmp: Path) -> None:
    old = run.checkpoints()[0][1]
    secret = tmp / "secret.safetensors"
    secret.write_text("mine")
    state = json.loads((old / "state.json").read_text())
    state["sha256"] |= {"../../../../secret": "", str(secret.with_suffix("")): ""}
    (old / "state.json").write_text(json.dumps(state))
    listing.prune(run.path.parent)
    assert secret.read_text() == "mine" and len(run.checkpoints()) == 1


def test_the_rest_is_deleted_after_an_error(run: Run, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = Run(shutil.copytree(run.path, run.path.with_name("two")))
    remove = cleanup.remove

    def refuse(path: Path) -> tuple[int, list[Path]]:
        if path.is_relative_to(run.path):
            raise PermissionError(13, "Permission denied", str(path))
        return remove(path)

    monkeypatch.setattr(cleanup, "remove", refuse)
    freed, notes = listing.prune(run.path.parent)
    assert freed > 0 and len(run.checkpoints()) == 2 and len(other.checkpoints()) == 1
    assert notes == [f"{run.checkpoints()[0][1]} cannot be deleted: Permission denied"]


def test_a_resume_and_a_new_checkpoint_leave_a_users_files_too(run: Run) -> None:
    own = [run.checkpoints()[0][1] / "why.md", run.path / "checkpoints" / "mine.part"]
    for path in own:
        path.write_text("mine")
    run.drop_after(0)
    assert run.checkpoints() == []
    kept = own[0].parent.with_name(f"{own[0].parent.name}.kept") / "why.md"
    assert kept.read_text() == own[1].read_text() == "mine"
