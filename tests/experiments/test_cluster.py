"""Experiments on real Dask workers over TCP: the results of one machine, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from conftest import TINY
from ganvas import experiments
from ganvas.errors import GanvasError
from ganvas.experiments.cluster import cell, link
from ganvas.experiments.plan import Plan, make_plan
from ganvas.runs.run import Run

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from cluster_study import experiment, scheduler, worker

pytestmark = pytest.mark.slow
SETTINGS = {key: list(v) if isinstance(v, tuple) else v for key, v in TINY.items() if not key.startswith("budget")}
TLS = Path(__file__).parent / "tls"
PATIENCE = 400.0


@pytest.fixture(autouse=True, scope="module")
def own_features() -> Iterator[None]:
    """The processes find the tests' own extractor."""
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), before]))
    yield
    os.environ["PYTHONPATH"] = before


def plan(kimg: float, **changes: Any) -> Plan:
    values = {"title": "two", "recipe": "cifar-dcgan", "settings": SETTINGS, "kimg": kimg, "n": 50, "seeds": 1}
    values |= {"features": ["pixel_features:look"], "vary": {"g_optim.lr": [1e-4, 5e-4]}}
    return make_plan("two", {**values, **changes})


def wait_until(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def came_back(out: Path) -> list[Path]:
    """Runs of which a checkpoint came back that is no first one."""
    return [p.parents[1] for p in out.glob("*-s0/checkpoints/0*") if int(p.name) > 0]


def same_runs(one: Path, other: Path) -> None:
    """The last checkpoint, the snapshot and the scores of every run are the same, and each run ended once."""
    names = sorted(path.name for path in one.glob("*-s0"))
    assert names == sorted(path.name for path in other.glob("*-s0")) and len(names) == 2
    for name in names:
        a, b = Run.open(one / name), Run.open(other / name)
        assert a.snapshots()[-1][1].read_bytes() == b.snapshots()[-1][1].read_bytes()
        states = [run.checkpoints()[-1][1] for run in (a, b)]
        for file in ("discriminator", "d_optim", "g_optim", "log"):
            assert len({(state / f"{file}.safetensors").read_bytes() for state in states}) == 1, file
        scores = [[(r["metric"], r["value"], r["nimg"]) for r in run.rows("evals")] for run in (a, b)]
        assert scores[0] == scores[1] and scores[0]
        assert [sum(row["event"] == "finish" for row in run.rows("events")) for run in (a, b)] == [1, 1]
        rows = [[(r["nimg"], r["loss/d"]) for r in run.rows("metrics")] for run in (a, b)]
        assert rows[0] == rows[1]


def test_a_worker_killed_in_the_middle_changes_nothing(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with scheduler(tmp) as (address, _), ExitStack() as stack:
        workers = {f"w{i}": stack.enter_context(worker(tmp, f"w{i}", address)) for i in range(2)}
        out = tmp / "out"

        def kill_one() -> None:
            wait_until(lambda: len(set(came_back(out))) == 2)
            os.killpg(workers["w0"].pid, signal.SIGKILL)
            stack.enter_context(worker(tmp, "w2", address))

        killer = threading.Thread(target=kill_one)
        killer.start()
        result = experiments.run(plan(6.4), out, on=address, fetch_seconds=0.3)
        killer.join()
    assert {trial.state for trial in result.trials} == {"done"} and result.comparison is not None
    assert sum(trial.moves for trial in result.trials) == 1
    said = capsys.readouterr().err
    assert re.search(r"s0: worker tcp://\S+ on \S+ is gone; it goes on from image [1-9]", said), said
    assert not [path for path in out.iterdir() if path.name in (".incoming", "cluster.json")]
    experiments.run(plan(6.4), tmp / "alone", jobs=1)
    same_runs(tmp / "alone", out)


def test_interrupted_and_killed_clients_are_gone_on_with_on_images_of_ones_own(tmp: Path) -> None:
    for i in range(48):
        (tmp / "mine" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (5 * i, 255 - 5 * i, 90)).save(tmp / "mine" / "ab"[i % 2] / f"{i}.png")
    toml = tmp / "two.toml"
    lines = [f"{json.dumps(k)} = {json.dumps(v)}" for k, v in SETTINGS.items() if not k.startswith("data")]
    toml.write_text(
        f"title = 'two'\nrecipe = 'cifar-dcgan'\nkimg = 9.6\nn = 40\nseeds = 1\ndata = {str(tmp / 'mine')!r}\n"
        "features = ['pixel_features:look']\nvary = { 'g_optim.lr' = [1e-4, 5e-4] }\n[settings]\n" + "\n".join(lines)
    )
    out = tmp / "out"
    with scheduler(tmp) as (address, _), worker(tmp, "w0", address), worker(tmp, "w1", address):
        words = ("--on", address, "--fetch-seconds", "0.3")
        first = experiment(toml, out, *words)
        wait_until(lambda: bool(came_back(out)) or first.poll() is not None)
        status = experiment(toml, out, "--status")
        assert "it runs on 2 workers of tcp://" in status.communicate(timeout=PATIENCE)[0]
        first.send_signal(signal.SIGINT)
        said, _ = first.communicate(timeout=PATIENCE)
        assert first.returncode == 130 and "the same command resumes it" in said, said
        reached = {path: max(int(p.name) for p in path.glob("checkpoints/0*")) for path in came_back(out)}
        assert reached and "nobody runs it" in experiment(toml, out, "--status").communicate(timeout=PATIENCE)[0]
        second = experiment(toml, out, *words)
        further = lambda: any(int(p.name) > reached[q] for q in reached for p in q.glob("checkpoints/0*"))  # noqa: E731
        wait_until(lambda: further() or second.poll() is not None)
        second.kill()
        second.communicate()
        third = experiment(toml, out, *words)
        said, _ = third.communicate(timeout=PATIENCE)
        assert third.returncode == 0 and "comparison:" in said, said
    alone = experiment(toml, tmp / "alone", "--jobs", str(os.cpu_count()))
    alone.communicate(timeout=PATIENCE)
    same_runs(tmp / "alone", out)
    assert Run.open(came_back(out)[0]).data["path"] == str(tmp / "mine")


def test_a_worker_with_another_ganvas_is_refused_by_name(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    package = shutil.copytree(Path(cell.__file__).parents[2], tmp / "old" / "ganvas")
    source = (package / "__init__.py").read_text()
    (package / "__init__.py").write_text(re.sub(r'__version__ = ".*"', '__version__ = "0.0.1"', source))
    (tmp / "none" / "ganvas").mkdir(parents=True)
    (tmp / "none" / "ganvas" / "__init__.py").write_text("__version__ = '0.0.0'\n")
    with (
        scheduler(tmp) as (address, _),
        worker(tmp, "w0", address, PYTHONPATH=str(tmp / "old")),
        worker(tmp, "w1", address, PYTHONPATH=str(tmp / "none")),
        link.connected(address) as connected,
    ):
        wait_until(lambda: len(connected.workers()) == 2)
        with pytest.raises(GanvasError, match=rf"no worker at {address} can be used") as caught:
            experiments.run(plan(0.2), tmp / "out", on=address)
    assert re.search(r"has ganvas 0\.0\.1 \(code \w{8}\), not \S+ \(code \w{8}\): install the same", str(caught.value))
    assert re.search(r"has no ganvas \S+ \(.*No module named 'ganvas.experiments'.*\): install", str(caught.value))
    assert capsys.readouterr().err.count("it is not used") == 2


def test_tls_is_used_and_refuses_those_without_it(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dask

    def certificates(name: str) -> list[str]:
        pem = str(TLS / f"{name}.pem")
        return ["--tls-ca-file", pem, "--tls-cert", pem, "--tls-key", pem]

    def client(name: str) -> Any:
        pem = str(TLS / f"{name}.pem")
        keys = ("ca-file", "client.cert", "client.key")
        return dask.config.set({f"distributed.comm.tls.{key}": pem for key in keys})

    with (
        scheduler(tmp, "--protocol", "tls", *certificates("ours")) as (address, _),
        worker(tmp, "w0", address, *certificates("ours")),
    ):
        assert address.startswith("tls://")
        with pytest.raises(GanvasError, match=r"TLS with the scheduler at .* failed \(no certificates are set\)"):
            link.Link(address)
        with client("theirs"), pytest.raises(GanvasError, match=r"TLS with the scheduler at .* failed \(.*CERTIFICATE"):
            link.Link(address)
        monkeypatch.setattr(link, "CONNECT_SECONDS", 3.0)
        with pytest.raises(GanvasError, match="does not answer as a Dask scheduler: check port and protocol"):
            link.Link(address.replace("tls", "tcp"))
        monkeypatch.undo()
        with client("ours"), link.connected(address) as connected:
            wait_until(lambda: len(connected.workers()) == 1)
            (there,) = connected.workers()
            assert there.startswith("tls://") and connected.ask(there, cell.about)["code"] == cell.code_digest()


def test_workers_here_for_as_long_as_the_experiment(tmp: Path) -> None:
    result = experiments.run(plan(0.192), tmp / "out", on="local:2")
    assert {trial.state for trial in result.trials} == {"done"} and result.comparison is not None
    assert experiments.run(plan(0.192), tmp / "out", on="tcp://127.0.0.1:1").comparison is not None  # nothing is left
