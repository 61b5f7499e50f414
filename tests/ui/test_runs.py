"""The list and one run: broken, hostile and vanishing ones included; notes; nothing outside the folder is shown."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from ganvas.runs.run import Run
from ganvas.ui.house import House
from ganvas.ui.pages import link
from ganvas.ui.rooms import run as room
from served import Served, serve
from synthetic import make_run

EVIL = "<img src=x onerror=alert(1)>\"'`${alert(1)}</script><script>alert(1)</script>"
SMALL = {"rows": 3, "grids": 2, "tiles": 4, "epochs": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder of runs, with a secret beside it."""
    (tmp_path / "secret.txt").write_text("the secret")
    (tmp_path / "runs").mkdir()
    return tmp_path / "runs"


@pytest.fixture
def own(folder: Path) -> Iterator[Served]:
    """A server of that folder."""
    yield from serve(House(folder))


def states(served: Served) -> dict[str, str]:
    """Name -> state of every row."""
    return {row["name"]: row["state"] for row in served.get("/api/runs").json["rows"]}


# -- the list ----------------------------------------------------------------------------------------------------


def test_newest_first_and_live_ones_are_marked(own: Served, folder: Path) -> None:
    for i, name in enumerate(("a", "b", "c")):
        made = make_run(folder / name, **SMALL, end=["finish", "stop", None][i])
        for file in made.path.glob("*.json*"):
            os.utime(file, (1000 + i, 1000 + i))
    rows = own.get("/api/runs").json["rows"]
    assert [(row["name"], row["state"]) for row in rows] == [("c", "broken off"), ("b", "stopped"), ("a", "finished")]
    assert (
        rows[2] | {"recipe": "cifar-dcgan-recap", "data": "cifar10", "seed": 0, "nimg": 5000, "total": 5000} == rows[2]
    )
    with Run(folder / "a").writing():
        assert states(own)["a"] == "live"
    assert states(own)["a"] == "finished"


def test_a_row_is_read_again_when_a_file_changes(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", **SMALL, end=None)
    assert states(own) == {"a": "broken off"}
    run.append("metrics", {"nimg": 6000, "sec": 1.0})
    run.event("nan", 6000)
    (row,) = own.get("/api/runs").json["rows"]
    assert row["state"] == "nan" and row["nimg"] == 6000
    shutil.rmtree(run.path)
    assert own.get("/api/runs").json == {"rows": []}
    assert own.get("/api/runs/a").status == 404 and "deleted or renamed" in own.get("/runs/a").text


BROKEN = {
    "empty": b"", "cut": b'{"config": {"rec', "list": b"[]", "null": b"null", "number": b'{"config": 3}',
    "deep": b"[" * 50_000,
    "other": b'{"schema_version": 1, "config": {"recipe": {}, "data": {"name": 3}, "seed": "x"}}',
    "bytes": b"\xff\x00\xfe", "newer": b'{"schema_version": 99, "config": {}}',
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_run_is_a_row_and_a_line(own: Served, folder: Path, what: str) -> None:
    make_run(folder / "whole", **SMALL)
    (folder / "broken").mkdir()
    (folder / "broken" / "config.json").write_bytes(BROKEN[what])
    assert states(own) == {"whole": "finished", "broken": "unreadable"}
    row = next(row for row in own.get("/api/runs").json["rows"] if row["name"] == "broken")
    assert row["error"] and "\n" not in row["error"]
    for path in ("/api/runs/broken", "/runs/broken/report", "/api/runs/broken/thumb", "/api/runs/broken/samples/0"):
        assert own.get(path).status in (400, 404), path
    assert own.post("/api/runs/broken/resume").status == 400
    assert own.get("/compare?run=broken&run=whole").status == 400


@pytest.mark.parametrize("file", ["data.json", "metrics.jsonl", "events.jsonl", "evals.jsonl", "notes.md", "env.jsonl"])
@pytest.mark.parametrize("content", [b"", b"\xff\x00{", b'{"nimg": "x"}\n', None], ids=str)
def test_a_damaged_file_of_a_run_is_no_failure_of_the_server(
    own: Served, folder: Path, file: str, content: bytes | None
) -> None:
    run = make_run(folder / "a", **SMALL)
    if content is None:
        (run.path / file).unlink()
        (run.path / file).mkdir()
    else:
        (run.path / file).write_bytes(content)
    for path in ("/", "/api/runs", "/runs/a", "/api/runs/a", "/api/runs/a/thumb", "/runs/a/report"):
        assert own.get(path).status in (200, 400, 404), path


@pytest.mark.parametrize("value", [1e308, -1e99, 5e-324, float("nan")], ids=str)
def test_numbers_of_any_size_are_drawn_or_passed_over(own: Served, folder: Path, value: float) -> None:
    run = make_run(folder / "a", **{**SMALL, "rows": 0}, evals="none")
    for i in range(20):
        run.append("metrics", {"nimg": 250 * i, **dict.fromkeys(("loss/d", "loss/g", "acc/fake", "img_s"), i * value)})
    assert own.get("/api/runs/a").status == 200 and own.get("/runs/a/report").status == 200


def test_a_grid_that_is_too_wide_for_a_webp_is_in_the_report(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", **SMALL)
    Image.new("RGB", (32 * 600, 32)).save(run.sample_grids()[-1][1])
    assert own.get("/runs/a/report").status == 200


def test_a_folder_that_is_no_run_and_a_folder_that_is_missing(own: Served, folder: Path) -> None:
    (folder / "thing").mkdir()
    (folder / "file").write_text("x")
    assert own.get("/api/runs").json == {"rows": []}
    shutil.rmtree(folder)
    assert own.get("/api/runs").json == {"rows": []} and own.get("/").status == 200


# -- one run -----------------------------------------------------------------------------------------------------


def test_a_view_has_the_charts_and_figures_of_the_report(served: Served) -> None:
    found = served.get("/api/runs/0001-colour").json
    view = found["view"]
    assert view["title"] == "cifar-dcgan-recap on cifar10" and view["nimg"] == view["total"] == 300_000
    assert [chart["key"] for chart in view["charts"]][:3] == ["acc", "loss", "logit"]
    loss = view["charts"][1]
    assert [one["name"] for one in loss["series"]] == ["D", "G"] and len(loss["hover"][0]["x"]) == 60
    assert view["grids"] == [0, 75_000, 150_000, 225_000, 300_000] and view["classes"] == ["cat", "dog"]
    assert len(view["figures"]) == 6 and view["events"][0]["what"] == "started"
    again = served.get(f"/api/runs/0001-colour?seen={found['stamp']}").json
    assert "view" not in again and again["stamp"] == found["stamp"]
    korean = served.get("/api/runs/0001-colour?lang=ko").json["view"]
    assert korean["title"] == "cifar-dcgan-recap · cifar10" and korean["charts"][1]["title"] != loss["title"]


def test_a_view_grows(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", **SMALL, end=None)
    first = own.get("/api/runs/a").json
    run.append("metrics", {**run.rows("metrics")[-1], "nimg": 7000})
    second = own.get(f"/api/runs/a?seen={first['stamp']}").json
    assert second["stamp"] != first["stamp"] and second["view"]["nimg"] == 7000
    assert len(second["view"]["charts"][0]["hover"][0]["x"]) == 1 + len(first["view"]["charts"][0]["hover"][0]["x"])


def test_samples_are_pictures_of_the_run(served: Served, runs: Path) -> None:
    found = served.get("/api/runs/0001-colour/samples/75000")
    assert found.headers["content-type"] == "image/png" and found.content[:4] == b"\x89PNG"
    assert served.get("/api/runs/0001-colour/samples/real").status == 200
    assert served.get("/api/runs/0001-colour/thumb").headers["content-type"] == "image/webp"
    for at in ("1", "x", "-1", "..%2F..%2Fconfig.json", "9" * 40, "real.png", "%00"):
        assert served.get(f"/api/runs/0001-colour/samples/{at}").status == 404, at


def test_the_report_opens_whole(served: Served) -> None:
    found = served.get("/runs/0002-grey/report")
    assert found.status == 200 and "data:image/webp" in found.text
    assert "sha256-" in found.headers["content-security-policy"]


# -- notes -------------------------------------------------------------------------------------------------------


def test_notes_are_kept_and_never_overwrite_what_was_not_seen(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", **SMALL)
    (run.path / "notes.md").write_text("## Keep\r\nfirst")
    page = own.get("/runs/a").text
    seen = re.findall(r'data-seen="(\w+)"', page)[0]
    assert "## Keep\nfirst</textarea>" in page
    found = own.post("/api/runs/a/notes", {"text": f"한글 {EVIL}\r\n", "seen": seen})
    assert found.status == 200 and (run.path / "notes.md").read_text("utf-8") == f"한글 {EVIL}\n"
    assert own.post("/api/runs/a/notes", {"text": "other", "seen": seen}).status == 409
    assert own.post("/api/runs/a/notes", {"text": "third", "seen": found.json["seen"]}).status == 200
    assert (run.path / "notes.md").read_text() == "third"
    assert sorted(path.name for path in run.path.glob("notes*")) == ["notes.md"]


def test_notes_come_with_a_run_that_the_page_waited_for(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", **SMALL)
    first = own.get("/api/runs/a").json
    assert first["notes"]["text"].startswith("## Keep") and first["notes"]["seen"] in own.get("/runs/a").text
    (run.path / "notes.md").write_text("by another editor")
    found = own.get(f"/api/runs/a?seen={first['stamp']}").json
    assert found["notes"]["text"] == "by another editor"
    assert own.post("/api/runs/a/notes", {"text": "x", "seen": found["notes"]["seen"]}).status == 200


def test_notes_are_bounded_text(served: Served) -> None:
    for text in (None, 3, ["a"], "한" * (room.NOTES // 2)):
        assert served.post("/api/runs/0001-colour/notes", {"text": text, "seen": ""}).status in (409, 413)
    assert served.post("/api/runs/nothing/notes", {"text": "x", "seen": ""}).status == 404


# -- hostile folders ---------------------------------------------------------------------------------------------

OUTSIDE = [
    "..", ".", "%2e%2e", "..%2f..%2fetc", "%2e%2e%2fsecret.txt", "..%5c..", "%00", "a%00b", "%2fetc%2fpasswd",
    "x" * 300, "..%2fsecret.txt", "%252e%252e%252fsecret.txt", "..::..", "experiments::..%2f..", "~", "%F0%28%8C%28",
    "%EA%B0%80" * 90, "%EA%B0%80" * 250,
]  # fmt: skip


@pytest.mark.parametrize("name", OUTSIDE)
def test_no_path_leads_out_of_the_folder(own: Served, folder: Path, name: str) -> None:
    make_run(folder.parent / "outside", **SMALL)
    make_run(folder / "a", **SMALL)
    for path in (f"/runs/{name}", f"/api/runs/{name}", f"/api/runs/{name}/samples/0", f"/runs/{name}/report",
                 f"/api/runs/a/samples/{name}", f"/static/{name}/{name}", f"/compare?experiment={name}",
                 f"/compare?run={name}&run=a"):  # fmt: skip
        found = own.get(path)
        assert found.status in (400, 404) and b"the secret" not in found.content, path
    for what in ("notes", "stop", "resume"):
        assert own.post(f"/api/runs/{name}/{what}", {"text": "x", "seen": room.digest("")}).status in (400, 404)
    assert not own.house.trainings.all


def test_a_run_that_is_a_link_to_elsewhere_is_not_opened(own: Served, folder: Path) -> None:
    outside = make_run(folder.parent / "outside", **SMALL)
    (folder / "link").symlink_to(outside.path)
    assert states(own) == {"link": "unreadable"}
    for path in (
        "/runs/link",
        "/api/runs/link",
        "/api/runs/link/samples/0",
        "/api/runs/link/thumb",
        "/runs/link/report",
    ):
        assert own.get(path).status == 400 and "leads out" in own.get(path).text
    assert own.post("/api/runs/link/notes", {"text": "x", "seen": room.digest("")}).status == 400
    assert own.post("/api/runs/link/resume").status == 400


@pytest.mark.parametrize(
    "name", ["notes.md", "metrics.jsonl", "samples/real.png", "samples", "config.json", "snapshots/x"]
)
def test_a_link_inside_a_run_that_leads_out_is_not_followed(own: Served, folder: Path, name: str) -> None:
    run = make_run(folder / "a", **SMALL)
    target = run.path / name
    secret = folder.parent / "secret.txt"
    if target.is_dir():
        shutil.rmtree(target)
        secret = folder.parent
    target.unlink(missing_ok=True)
    target.symlink_to(secret)
    for path in (
        "/",
        "/api/runs",
        "/runs/a",
        "/api/runs/a",
        "/api/runs/a/samples/real",
        "/runs/a/report",
        "/compare?run=a&run=a",
    ):
        found = own.get(path)
        assert b"the secret" not in found.content and found.status in (200, 400, 404), path
    assert own.get("/runs/a").status == 400
    assert own.post("/api/runs/a/notes", {"text": "overwritten", "seen": room.digest("the secret")}).status == 400
    assert (folder.parent / "secret.txt").read_text() == "the secret"


def test_a_loop_of_links_is_not_followed_for_ever(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", **SMALL)
    (run.path / "loop").symlink_to(run.path / "loop")
    (run.path / "self").symlink_to(run.path)
    assert own.get("/runs/a").status in (200, 400)


def test_a_pipe_does_not_block(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", **SMALL)
    for name in ("metrics.jsonl", "notes.md"):
        (run.path / name).unlink()
        os.mkfifo(run.path / name)
    for path in ("/api/runs", "/runs/a", "/api/runs/a"):
        assert own.get(path).status in (200, 400), path


def test_names_of_folders_classes_recipes_and_notes_are_text(own: Served, folder: Path) -> None:
    """What a page holds of them is escaped; scripts put them into the page as text."""
    name = EVIL.replace("/", "")
    run = make_run(folder / name, **SMALL, classes=(EVIL, "b"))
    (run.path / "notes.md").write_text(f"</textarea>{EVIL}")
    values = json.loads((run.path / "config.json").read_text())
    values["config"]["recipe"] = values["recipe"]["recipe"] = EVIL
    values["config"]["data"]["name"] = EVIL
    (run.path / "config.json").write_text(json.dumps(values))
    make_run(folder / "b", **SMALL)
    assert name in states(own)
    for path in ("/", link("runs", name), link("runs", name) + "/report", "/compare"):
        found = own.get(path)
        assert found.status == 200, found.text[-500:]
        for start in ("<img src=x", "<script>alert", "</script><script>"):
            assert start not in found.text, path
    view = own.get(link("api", "runs", name)).json["view"]
    assert EVIL.split("/")[-1] in view["title"]


def test_a_name_that_is_no_utf8_is_a_row(own: Served, folder: Path) -> None:
    raw = os.fsencode(folder) + b"/caf\xe9"
    shutil.copytree(make_run(folder / "a", **SMALL).path, os.fsdecode(raw))
    rows = own.get("/api/runs").json["rows"]
    assert {row["title"] for row in rows} == {"a", r"caf\udce9"}
    assert own.get("/").status == 200
    assert own.get(next(row["at"] for row in rows if row["name"] != "a")).status in (200, 404)


def test_a_run_that_stopped_before_its_first_values_shows_what_it_saw(own: Served, folder: Path) -> None:
    run = make_run(folder / "a", rows=3, grids=2, tiles=4, epochs=1, end=None)
    (run.path / "metrics.jsonl").unlink()
    (run.path / "events.jsonl").write_text('{"event": "stop", "nimg": 160}\n')
    (row,) = own.get("/api/runs").json["rows"]
    assert (row["state"], row["nimg"]) == ("stopped", 160)
