"""What ganvas wrote is deleted; what is a user's, and what a link points to, stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ganvas.runs.cleanup import NAMES, is_checkpoint, is_part, remove


def checkpoint(folder: Path, **sizes: int) -> Path:
    """A checkpoint with tensor files of these sizes."""
    folder.mkdir(parents=True)
    for name, size in sizes.items():
        (folder / f"{name}.safetensors").write_bytes(b"x" * size)
    (folder / "state.json").write_text(json.dumps({"sha256": dict.fromkeys(sizes, "")}))
    return folder


@pytest.mark.parametrize("name", ["000000010.part", "1000000000.part", "000000040.png.part", "000000040.png.77.part"])
def test_unfinished_files_are_known_by_their_names(name: str) -> None:
    assert is_part(Path("samples") / name)


@pytest.mark.parametrize("name", ["mine.part", "00000010.part", "000000010.part.txt", "x000000010.part", "000000010"])
def test_other_names_are_a_users(name: str) -> None:
    assert not is_part(Path("000000010.part") / name)


def test_a_checkpoint_is_a_folder_with_a_state_that_names_its_files(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "000000010", generator=1)
    (tmp_path / "link").symlink_to(whole)
    assert is_checkpoint(whole) and not is_checkpoint(tmp_path / "link") and not is_checkpoint(tmp_path)
    for state in ("{}", '{"sha256": 3}', '{"sha256": {}}', "{", "[]"):
        (whole / "state.json").write_text(state)
        assert not is_checkpoint(whole), state


def test_a_checkpoint_is_removed_whole_and_its_bytes_are_counted(tmp_path: Path) -> None:
    whole = checkpoint(tmp_path / "000000010", generator=300, other=70)
    size = (whole / "state.json").stat().st_size
    assert remove(whole) == (370 + size, [])
    assert not whole.exists()
    (tmp_path / "empty").mkdir()
    assert remove(tmp_path / "empty") == (0, []) and not (tmp_path / "empty").exists()


def test_an_unfinished_file_is_removed_and_a_link_is_not(tmp_path: Path) -> None:
    part, link = tmp_path / "000000010.png.part", tmp_path / "000000020.png.part"
    part.write_bytes(b"x" * 12)
    link.symlink_to(part)
    assert remove(link) == (0, [link]) and link.is_symlink() and part.exists()
    assert remove(part) == (12, []) and not part.exists()


@pytest.mark.parametrize("state", [None, "{", '{"sha256": 3}'])
def test_without_a_readable_state_the_usual_tensor_files_are_removed(tmp_path: Path, state: str | None) -> None:
    folder = checkpoint(tmp_path / "000000010", **dict.fromkeys(NAMES, 10), mine=5)
    (folder / "state.json").unlink()
    if state:
        (folder / "state.json").write_text(state)
    kept = tmp_path / "000000010.kept" / "mine.safetensors"
    assert remove(folder) == (10 * len(NAMES) + len(state or ""), [kept])
    assert list(kept.parent.iterdir()) == [kept] and not folder.exists()


def test_a_users_files_stay_in_a_folder_of_another_name(tmp_path: Path) -> None:
    for name in ("000000010.kept", "000000010.kept1", "000000010.kept2"):
        folder = checkpoint(tmp_path / "000000010", generator=3)
        (folder / "why.md").write_text("mine")
        (folder / "discriminator.safetensors").mkdir()
        (folder / "ema.safetensors").symlink_to(folder / "why.md")
        size = 3 + (folder / "state.json").stat().st_size
        stay = [tmp_path / name / each for each in ("discriminator.safetensors", "ema.safetensors", "why.md")]
        assert remove(folder) == (size, stay)
        assert sorted((tmp_path / name).iterdir()) == stay and stay[2].read_text() == "mine" and not folder.exists()
    assert len(list(tmp_path.iterdir())) == 3
