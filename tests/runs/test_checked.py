"""Damaged run files: what can be used is used, what cannot is one line, and one bad run hides no other."""

from __future__ import annotations

import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fuzz.harness import run as command
from ganvas.cli.main import main
from ganvas.comparison.groups import find_groups
from ganvas.errors import GanvasError
from ganvas.runs import checked, listing
from ganvas.runs.run import Run


@pytest.fixture
def run(finished: Run, tmp: Path) -> Run:
    """A run to spoil."""
    return Run(shutil.copytree(finished.path, tmp / "runs" / "bad"))


ROWS: list[tuple[str, Any, Any]] = [
    ("metrics", {"nimg": 5, "loss/d": 1.5, "note": "x"}, {"nimg": 5, "loss/d": 1.5, "note": "x"}),
    ("metrics", {"nimg": 5, "sec": "long", "img_s": True}, {"nimg": 5, "sec": None, "img_s": None}),
    ("metrics", {"nimg": 5, "loss/d": 10**400}, {"nimg": 5, "loss/d": None}),
    ("metrics", {"nimg": 5, "loss/d": 1e99, "loss/g": -1e308}, {"nimg": 5, "loss/d": 1e99, "loss/g": None}),
    ("metrics", {"nimg": "5"}, None),
    ("metrics", {"nimg": -5}, None),
    ("metrics", {"nimg": True}, None),
    ("metrics", {"nimg": 2**63}, None),
    ("metrics", {"loss/d": 1.5}, None),
    ("metrics", [1], None),
    ("metrics", 3, None),
    ("events", {"nimg": 0, "event": "start", "loss": 3}, {"nimg": 0, "event": "start", "loss": None}),
    ("events", {"nimg": 0, "event": None}, None),
    ("evals", {"nimg": 0, "metric": "fd", "by_class": []}, {"nimg": 0, "metric": "fd", "by_class": None}),
    ("evals", {"nimg": 0, "metric": ["fd"]}, None),
    ("env", {"nimg": 0, "argv": [1], "x": {"y": [float("nan")]}}, {"nimg": 0, "argv": None, "x": {"y": [None]}}),
    ("env", {"nimg": 0, "x": "a" * 9999}, {"nimg": 0, "x": "a" * checked.LONGEST + " ..."}),
]


@pytest.mark.parametrize(("log", "row", "expected"), ROWS)
def test_a_value_that_is_not_what_its_column_holds_counts_as_missing(log: str, row: Any, expected: Any) -> None:
    assert checked.row_of(log, row) == expected


def test_rows_of_a_damaged_log(run: Run) -> None:
    lines = [
        b'{"nimg": 9}',
        b"\xff\xfe",
        b"[" * 99_999,
        b'{"nimg": 3, "loss/d": NaN}',
        b"",
        b'{"nimg": 1e999}',
        b'{"nimg": 5',
    ]
    (run.path / "metrics.jsonl").write_bytes(b"\n".join(lines))
    assert run.rows("metrics") == [{"nimg": 3, "loss/d": None}, {"nimg": 9}]


ESSENTIAL = {
    "no shape": ("data.json", {"shape": None}),
    "a flat shape": ("data.json", {"shape": [3, 16]}),
    "a shape of 7 channels": ("data.json", {"shape": [7, 16, 16]}),
    "a vast shape": ("data.json", {"shape": [3, 10**6, 10**6]}),
    "no images": ("data.json", {"n": 0}),
    "a name that is none": ("data.json", {"name": ["x"]}),
    "classes that are numbers": ("data.json", {"class_names": [1]}),
    "a long recipe": ("config.json", {"recipe": {"recipe": "x" * 10_000_000}}),
    "a total of text": ("config.json", {"total_nimg": "many"}),
    "a negative total": ("config.json", {"total_nimg": -1}),
    "a huge number": ("config.json", {"config": {"seed": 10**400}}),
    "a huge rate": ("config.json", {"config": {"g_optim": {"lr": 10**400}}}),
}


@pytest.mark.parametrize("kind", ESSENTIAL)
def test_a_run_without_its_config_or_data_is_one_line(kind: str, run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    name, changes = ESSENTIAL[kind]
    values = json.loads((run.path / name).read_text())
    (run.path / name).write_text(json.dumps({**values, **changes}))
    for verb in ("report", "doctor"):
        assert main([verb, str(run.path)]) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert name in line and len(line) < 1000 and "unexpected" not in line


@pytest.mark.parametrize("name", ["networks.json", "selected.json", "part_of.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"generator": [{}]}', b'{"nimg": -1}', b"[" * 99_999])
def test_a_report_goes_without_what_is_damaged(name: str, content: bytes, run: Run) -> None:
    (run.path / name).write_bytes(content)
    assert (run.networks == {}) == (name == "networks.json")
    assert run.selected is None and run.experiment is None


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(run: Run) -> None:
    for path in ("metrics.jsonl", "samples/000000192.png", "snapshots/000000192.safetensors", "data.json"):
        (run.path / path).unlink()
        os.mkfifo(run.path / path)
    for words in (["doctor", run.path], ["sample", run.path], ["runs", run.path.parent]):
        code, err = command([str(word) for word in words])
        assert code in (0, 1) and "unexpected" not in err


@pytest.mark.parametrize(
    ("size", "mode"), [((12000, 12000), "1"), ((17, 16), "RGB"), ((16, 16 * 5000), "L"), ((1, 1), "L")]
)
def test_what_is_no_grid_is_not_decoded(size: tuple[int, int], mode: str, tmp: Path, recwarn: Any) -> None:
    Image.new(mode, size).save(tmp / "x.png")
    assert checked.read_grid(tmp / "x.png", (3, 16, 16)) is None and not recwarn.list


def test_a_grid_comes_back_and_a_damaged_one_is_none(tmp: Path) -> None:
    file = io.BytesIO()
    Image.effect_noise((32, 48), 90).save(file, "PNG")
    (tmp / "x.png").write_bytes(file.getvalue())
    grid = checked.read_grid(tmp / "x.png", (1, 16, 16))
    assert grid is not None and grid.size == (32, 48) and grid.mode == "L"
    for cut in (0, 10, 100, len(file.getvalue()) // 2):
        (tmp / "x.png").write_bytes(file.getvalue()[:cut])
        assert checked.read_grid(tmp / "x.png", (1, 16, 16)) is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 99_999, b'{"schema_version": 2, "config": 3}'])
def test_one_bad_run_hides_no_other(content: bytes, run: Run, finished: Run) -> None:
    root = run.path.parent
    shutil.copytree(finished.path, root / "good")
    (run.path / "config.json").write_bytes(content)
    rows = {Path(row["run"]).name: row["state"] for row in listing.rows(root)}
    assert rows["good"] == "finished" and rows["bad"].startswith("unreadable: ")
    groups, notes = find_groups([str(root)])
    assert [member.run.path.name for group in groups for member in group.members] == ["good"]
    (note,) = notes
    assert note.startswith(f"{run.path} is left out: ")
    with pytest.raises(GanvasError):
        _ = run.config
