"""Trainings that are started from a page: what is asked for is checked, what runs is the command line."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import SHIPPED_RECIPES, SHIPPED_TRICKS, python
from ganvas.cli import train as cli
from ganvas.config.recipes import RECIPES
from ganvas.config.tricks import TRICKS
from ganvas.runs.run import Run
from ganvas.ui import trainings
from ganvas.ui.house import House
from ganvas.ui.rooms import start
from ganvas.ui.trainings import Training
from served import Served, serve
from synthetic import make_run

ORDER: dict[str, Any] = {"recipe": "quick", "data": "shapes", "minutes": 0.1, "seed": 3, "tricks": ["ema"]}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Served]:
    """A server of an empty folder that may read one file."""
    (tmp_path / "mine").mkdir()
    yield from serve(House(tmp_path / "runs", data=[tmp_path / "mine"]))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[str], dict[str, Any]]]:
    """What processes would have been started; each sleeps instead."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    real = trainings.subprocess.Popen

    def popen(words: list[str], **options: Any) -> Any:
        found.append((words, options))
        return real([words[0], "-c", "import time; print('reading data', flush=True); time.sleep(60)"], **options)

    monkeypatch.setattr(trainings.subprocess, "Popen", popen)
    return found


def wait(training: Training, state: str, seconds: float = 120) -> None:
    """Wait until its process is in that state."""
    end = time.monotonic() + seconds
    while training.state != state:
        assert time.monotonic() < end, (training.state, training.line)
        time.sleep(0.05)


WRONG = [
    {"recipe": "nothing"}, {"recipe": "--help"}, {"recipe": ["quick"]}, {"recipe": None},
    {"data": "/etc"}, {"data": "../secret"}, {"data": "own:7"}, {"data": "--data"}, {"data": 3},
    {"minutes": 0}, {"minutes": -1}, {"minutes": 1e9}, {"minutes": "5"}, {"minutes": None}, {"minutes": True},
    {"seed": -1}, {"seed": 0.5}, {"seed": "0"}, {"seed": 2**40}, {"seed": True},
    {"tricks": "ema"}, {"tricks": ["nothing"]}, {"tricks": ["--out", "/tmp"]}, {"tricks": [["ema"]]}, {"tricks": None},
]  # fmt: skip


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_only_choices_of_the_form_start_anything(own: Served, asked: list[Any], change: dict[str, Any]) -> None:
    for path in ("/api/start", "/api/start/check"):
        found = own.post(path, ORDER | change)
        assert found.status == 400 and "\n" not in found.json["error"]
    assert asked == [] and not own.house.root.exists()


def test_a_start_is_the_command_line(own: Served, asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = own.post("/api/start?lang=ko", ORDER | {"out": "/tmp/elsewhere", "settings": {"engine.threads": 99}})
    assert found.json == {"at": "/runs/0001-quick-shapes-s3"}
    ((words, options),) = asked
    out = str(own.house.root / "0001-quick-shapes-s3")
    expected = ["quick", "--data", "shapes", "--minutes", "0.1", "--seed", "3", "--out", out, "--lang", "ko"]
    assert words[1:] == ["-m", "ganvas", "train", *expected, "--with", "ema"]
    assert "shell" not in options and options["start_new_session"]
    config = cli.configured(words[4:])
    assert (config.recipe, config.data.name, config.seed, config.budget.minutes) == ("quick", "shapes", 3, 0.1)
    assert own.post("/api/start", ORDER).json["at"] == "/runs/0002-quick-shapes-s3" or own.house.trainings.most == 1


def test_own_data_are_chosen_by_their_place_in_the_list(own: Served, asked: list[Any]) -> None:
    assert "own:0" in own.get("/start").text
    assert own.post("/api/start", ORDER | {"data": "own:0"}).status == 200
    assert asked[0][0][asked[0][0].index("--data") + 1] == str(own.house.data[0])


def test_a_page_shows_what_tricks_change(own: Served) -> None:
    changes = own.post("/api/start/check", ORDER | {"recipe": "cifar-dcgan"}).json["changes"]
    assert ["step.ema_kimg", "0", "20"] in changes
    plain = own.post("/api/start/check", ORDER | {"tricks": []})
    assert plain.json == {"changes": []}
    refused = own.post("/api/start/check", ORDER | {"recipe": "cifar-dcgan", "tricks": ["hinge", "soft-labels"]})
    assert refused.status == 400 and "soft-labels" in refused.json["error"]


def test_a_training_that_has_no_run_yet_is_shown_and_stopped(own: Served, asked: list[Any]) -> None:
    at = own.post("/api/start", ORDER).json["at"]
    name = at.rpartition("/")[2]
    (row,) = own.get("/api/runs").json["rows"]
    assert row["name"] == name and row["state"] == "starting"
    assert own.get(at).status == 200
    found = own.get(f"/api{at}").json
    assert found["view"] is None and found["process"]["state"] == "running"
    assert own.post(f"/api{at}/stop").status == 200
    wait(own.house.trainings.all[0], "failed")  # this one did not know how to save itself
    assert own.get("/api/runs").json["rows"][0]["state"] == "failed"
    assert own.post(f"/api{at}/dismiss").status == 200 and own.get("/api/runs").json["rows"] == []
    assert own.post(f"/api{at}/stop").status == 400


def test_notes_typed_before_the_run_is_there_are_saved_in_it(own: Served, asked: list[Any]) -> None:
    at = own.post("/api/start", ORDER).json["at"]
    seen = re.search(r'data-seen="(\w+)"', own.get(at).text)
    assert seen is not None
    quick = RECIPES["quick"].config
    run = Run.create(own.house.root / at.rpartition("/")[2], quick, quick, {"name": "shapes"})
    assert own.post(f"/api{at}/notes", {"text": "typed early", "seen": seen[1]}).status == 200
    assert (run.path / "notes.md").read_text() == "typed early"


def test_recipes_and_tricks_are_told_in_korean(own: Served) -> None:
    page = own.get("/start?lang=ko").text
    shipped = [*(RECIPES[name] for name in SHIPPED_RECIPES), *(TRICKS[name] for name in SHIPPED_TRICKS)]
    assert all(one.korean and one.korean in page for one in shipped)
    assert RECIPES["lean"].title in own.get("/start?lang=en").text


def test_so_many_at_a_time(own: Served, asked: list[Any]) -> None:
    own.house.trainings.most = 1
    assert own.post("/api/start", ORDER).status == 200
    found = own.post("/api/start", ORDER)
    assert found.status == 400 and "run already" in found.json["error"] and len(asked) == 1


def test_resume_is_the_command_line(own: Served, asked: list[Any]) -> None:
    run = make_run(own.house.root / "a", rows=3, grids=2, tiles=4, epochs=1, end="stop")
    for minutes in (0, -1, "5", 1e9, True, [1]):
        assert own.post("/api/runs/a/resume", {"minutes": minutes}).status == 400
    assert own.post("/api/runs/a/resume", {"minutes": 2}).status == 200
    assert asked[0][0][3:] == ["resume", str(run.path), "--lang", "en", "--minutes", "2"]
    assert own.post("/api/runs/a/resume").status == 400  # it runs already
    with Run(run.path).writing():
        own.house.trainings.stop_all(10)
        assert "in training already" in own.post("/api/runs/a/resume").json["error"]


def test_another_process_is_not_stopped(own: Served) -> None:
    run = make_run(own.house.root / "a", rows=3, grids=2, tiles=4, epochs=1, end=None)
    (run.path / ".lock").write_text(str(os.getpid()))
    with run.writing():
        found = own.post("/api/runs/a/stop")
        assert found.status == 400 and "not started here" in found.json["error"]
        assert own.get("/api/runs/a").json["live"]


def test_a_training_that_was_killed_says_so(own: Served, asked: list[Any]) -> None:
    assert own.post("/api/start", ORDER).status == 200
    training = own.house.trainings.all[0]
    while training.line != "reading data":
        time.sleep(0.01)
    training.process.kill()
    wait(training, "failed")
    assert training.line == "Killed: reading data"


SERVER = r"""
import signal, subprocess, sys, tempfile
signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup and in the background they are ignored
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from ganvas.ui.house import House
from ganvas.ui.server import serve
from ganvas.ui.trainings import Training
house = House(Path(sys.argv[1]))
words = "import time\ntry: print(flush=True); time.sleep(60)\nexcept KeyboardInterrupt: open('saved', 'w')"
options = {"cwd": sys.argv[1], "stdout": subprocess.PIPE, "start_new_session": True}
process = subprocess.Popen([sys.executable, "-c", words], **options)
process.stdout.readline()
house.trainings.all.append(Training("a", process, tempfile.TemporaryFile()))
serve(house, "127.0.0.1", 0, None, False)
"""


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(other, marks=pytest.mark.slow) for other in (signal.SIGINT, signal.SIGHUP))],
)
def test_however_the_server_ends_trainings_are_saved(tmp: Path, number: signal.Signals) -> None:
    server = python("-c", SERVER, str(tmp))
    assert server.stdout is not None
    found = re.match(r"ganvas ui: http://127\.0\.0\.1:(\d+)/", server.stdout.readline())
    assert found is not None
    end = time.monotonic() + 60
    while True:  # until it listens
        with socket.socket() as sock:
            if not sock.connect_ex(("127.0.0.1", int(found[1]))):
                break
        assert time.monotonic() < end
        time.sleep(0.05)
    server.send_signal(number)
    out, err = server.communicate(timeout=60)
    assert (server.returncode, err) == (0, "")
    assert out.startswith("saving 1 training ...\nstopped: a (") and (tmp / "saved").exists()


@pytest.mark.slow
def test_a_real_training_is_stopped_saved_and_resumed(own: Served) -> None:
    at = own.post("/api/start", ORDER | {"minutes": 3, "tricks": []}).json["at"]
    training, path = own.house.trainings.all[0], own.house.root / at.rpartition("/")[2]
    end = time.monotonic() + 500
    while not (path / "metrics.jsonl").exists():
        assert training.state == "running" and time.monotonic() < end, training.line
        time.sleep(0.2)
    assert own.get("/api/runs").json["rows"][0]["state"] == "live"
    assert own.post(f"/api{at}/stop").status == 200
    wait(training, "ended")
    run = Run.open(path)
    assert run.last_turn() == "stop" and run.checkpoints()
    saved = run.rows("metrics")[-1]["nimg"]
    assert own.post(f"/api{at}/resume").status == 200
    end = time.monotonic() + 500
    while run.rows("metrics")[-1]["nimg"] <= saved:
        assert time.monotonic() < end, own.house.trainings.all[-1].line
        time.sleep(0.2)
    assert own.house.trainings.stop_all() and run.last_turn() == "stop"


@pytest.mark.slow
def test_a_training_that_fails_says_why(own: Served) -> None:
    own.post("/api/start", ORDER | {"data": "own:0"})  # an empty folder
    training = own.house.trainings.all[0]
    wait(training, "failed")
    assert "mine" in training.line and training.line.startswith("ganvas: ")
    assert own.get("/api/runs").json["rows"][0]["error"] == training.line
    assert start.FIRST in own.get("/start").text
