"""Which worker gets which cell, and what becomes of cells whose worker is gone; on a cluster that is simulated."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ganvas.errors import GanvasError
from ganvas.experiments.cluster import dispatch
from ganvas.experiments.cluster.link import Facts

sys.path.insert(0, str(Path(__file__).parents[2] / "tools"))

from cluster_study import Simulated, Trial, read_durations, run, simulate


def cluster(tmp: Path, seconds: list[float], workers: int = 2, threads: int = 1, **changes: object) -> Simulated:
    trials = [Trial(f"c{i}", each, tmp) for i, each in enumerate(seconds)]
    return Simulated(trials, {f"w{i}": Facts(threads, {}) for i in range(workers)}, **changes)  # type: ignore[arg-type]


def at(*moments: tuple[float, object]) -> object:
    """What happens when: (second, function of the cluster)."""
    left = list(moments)

    def on_tick(link: Simulated) -> None:
        while left and link.time >= left[0][0]:
            left.pop(0)[1](link)  # type: ignore[operator]

    return on_tick


def kill(name: str) -> object:
    return lambda link: link.there.pop(name)


def test_every_cell_ends_once_and_workers_are_kept_busy(tmp: Path) -> None:
    link = cluster(tmp, [100.0] * 6, workers=3)
    run(link)
    assert [t.state for t in link.trials] == ["done"] * 6 and {t.ended for t in link.trials} == {1}
    assert link.time < 210  # two rounds of 100 s


def test_a_dead_workers_cell_goes_on_elsewhere_from_what_came_back(
    tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Checkpoints are made at 60, 120, 180 s and fetched every 100: at its death, at 170 s, the one of 60 s is here."""
    link = cluster(tmp, [300.0], workers=1)
    link.on_tick = at((170, kill("w0")), (171, lambda link: link.there.update(w1=Facts(1, {}))))  # type: ignore[assignment]
    run(link, fetch_seconds=100)
    trial = link.trials[0]
    assert trial.state == "done" and trial.ended == 1 and trial.moves == 1
    assert link.time == pytest.approx(171 + 240, abs=4)
    assert "c0: worker w0 on host of w0 is gone; it goes on from image 60" in capsys.readouterr().err


def test_what_was_never_fetched_begins_again(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = cluster(tmp, [300.0], workers=2)
    link.on_tick = at((30, lambda link: link.there.pop(link.tasks[0].worker)))  # type: ignore[assignment]
    run(link, fetch_seconds=100)
    assert link.trials[0].ended == 1 and "it goes on from its beginning" in capsys.readouterr().err


def test_a_cell_that_ends_every_worker_is_given_up(tmp: Path) -> None:
    """Each is gone within ten seconds of its beginning."""
    link = cluster(tmp, [300.0, 50.0], workers=1)
    number = iter(range(1, 99))

    def on_tick(link: Simulated) -> None:
        if any(task.trial.name == "c0" and link.time - task.begun > 10 for task in link.tasks):
            link.there.clear()
            link.there[f"w{next(number)}"] = Facts(1, {})

    link.on_tick = on_tick  # type: ignore[assignment]
    run(link)
    assert [t.state for t in link.trials] == ["failed", "done"]
    assert link.trials[0].reason.startswith(f"{dispatch.MOST_MOVES + 1} workers in a row did not get it further")


def test_workers_that_die_under_every_cell_are_not_the_fault_of_one(tmp: Path) -> None:
    """Four cells lose their workers five times before any checkpoint; then workers live."""
    link = cluster(tmp, [50.0] * 4, workers=4)
    number = iter(range(4, 99))

    def on_tick(link: Simulated) -> None:
        ready = [task for task in link.tasks if not task.done() and task.worker in link.there]
        if len(ready) == 4 and all(link.time - task.begun > 10 for task in ready) and link.trials[0].moves < 5:
            link.there = {f"w{next(number)}": Facts(1, {}) for _ in range(4)}

    link.on_tick = on_tick  # type: ignore[assignment]
    run(link)
    assert [t.state for t in link.trials] == ["done"] * 4 and {t.moves for t in link.trials} == {5}


def test_two_cells_that_end_every_worker_are_given_up_in_the_end(tmp: Path) -> None:
    link = cluster(tmp, [300.0, 300.0, 50.0], workers=2)
    number = iter(range(2, 99))

    def on_tick(link: Simulated) -> None:
        for task in link.tasks:
            if task.trial.name != "c2" and task.worker in link.there and link.time - task.begun > 10:
                del link.there[task.worker]
                link.there[f"w{next(number)}"] = Facts(1, {})

    link.on_tick = on_tick  # type: ignore[assignment]
    run(link)
    assert [t.state for t in link.trials] == ["failed", "failed", "done"]
    assert all(t.moves <= dispatch.MOST_MOVES_AMONG_OTHERS + 1 for t in link.trials)


def test_other_versions_are_refused_by_name(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    about = {
        "w0": {"host": "attic", "version": "0.0.1", "code": "1" * 64},
        "w1": Exception("ModuleNotFoundError(\"No module named 'ganvas'\")"),  # as Dask gives it back
    }
    link = cluster(tmp, [10.0] * 3, workers=3, about=about)
    run(link)
    said = capsys.readouterr().err
    assert "worker w0 on attic has ganvas 0.0.1 (code 11111111), not" in said and "it is not used" in said
    assert "worker w1 has no ganvas" in said and "No module named 'ganvas'" in said
    assert {t.state for t in link.trials} == {"done"} and {task.worker for task in link.tasks} <= {"w2"}
    del link.there["w2"]
    link.trials[0].state, link.trials[0].reached = "training", 0.0
    with pytest.raises(GanvasError, match=r"no worker at tcp://simulated:1 can be used: worker w0 on attic has ganvas"):
        run(link)


def test_threads_cpu_and_gpu_say_how_many_cells_a_worker_takes(tmp: Path) -> None:
    link = cluster(tmp, [100.0] * 12, workers=0)
    link.there = {"big": Facts(8, {}), "half": Facts(8, {"cpu": 4.0}), "small": Facts(1, {})}
    most: dict[str, int] = {}

    def on_tick(link: Simulated) -> None:
        for name in link.there:
            running = sum(task.worker == name and not task.done() for task in link.tasks)
            most[name] = max(most.get(name, 0), running)

    link.on_tick = on_tick  # type: ignore[assignment]
    run(link, threads=2)
    assert most == {"big": 4, "half": 2, "small": 0}

    link = cluster(tmp, [100.0] * 3, workers=0)
    for trial in link.trials:
        trial.device = "cuda"
    link.there = {"cards": Facts(8, {"gpu": 2.0}), "none": Facts(8, {})}
    most, link.on_tick = {}, on_tick  # type: ignore[assignment]
    run(link)
    assert most == {"cards": 2, "none": 0}
    link.trials[0].state, link.trials[0].reached = "training", 0.0
    del link.there["cards"]
    with pytest.raises(GanvasError, match="worker none on host of none has not 1 thread and the resource gpu"):
        run(link)


def test_a_full_disk_sends_the_cell_elsewhere_and_nothing_more_there(
    tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    link = cluster(tmp, [10.0] * 4, workers=2, outcomes={"w0": "worker"})
    run(link)
    assert {t.state for t in link.trials} == {"done"} and sum(t.moves for t in link.trials) == 1
    assert "worker w0 on host of w0 cannot go on (as the test says); it is not used" in capsys.readouterr().err


def test_a_scheduler_that_comes_back_gets_the_cells_again(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = cluster(tmp, [300.0] * 2)

    def lose(link: Simulated) -> None:
        link.lost = True
        link.tasks.clear()

    def back(link: Simulated) -> None:
        link.lost = False

    link.on_tick = at((150, lose), (200, back))  # type: ignore[assignment]
    run(link, fetch_seconds=50)
    said = capsys.readouterr().err
    assert {t.state for t in link.trials} == {"done"} and {t.ended for t in link.trials} == {1}
    assert "waiting for it" in said and "answers again" in said
    assert link.time == pytest.approx(200 + 180, abs=4)  # 120 s were here
    link = cluster(tmp, [300.0])
    link.on_tick = at((10, lose))  # type: ignore[assignment]
    with pytest.raises(GanvasError, match="does not answer for 10 minutes: start the scheduler"):
        run(link)


def test_without_workers_it_says_how_to_start_one(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = cluster(tmp, [10.0], workers=0)
    link.on_tick = at((30, lambda link: link.there.update(w=Facts(1, {}))))  # type: ignore[assignment]
    run(link)
    said = capsys.readouterr().err
    assert said.count("waiting for workers: dask worker tcp://simulated:1 --nthreads 1") == 1
    assert link.trials[0].state == "done"


def test_stopped_cells_save_and_come_back(tmp: Path) -> None:
    from cluster_study import simulated

    link = cluster(tmp, [300.0] * 3)
    found = run(link, until=100)
    with simulated(link.trials):
        found.stop(lambda: False)
    assert [t.reached for t in link.trials] == [60.0, 60.0, 0.0] and not found.attempts
    assert {t.moves for t in link.trials} == {0} and {t.state for t in link.trials} == {"training"}


def test_many_workers_that_die() -> None:
    found = simulate(cells=30, workers=10, durations=[200.0, 400.0], hours_to_death=0.3, seed=1)
    assert found["failed"] == found["ended_more_than_once"] == 0 and found["deaths"] > 3
    assert found["over_least"] < 0.8


def test_the_study_takes_recorded_durations(tmp_path: Path) -> None:
    recorded = Path(__file__).parents[2] / "records" / "2026-11-29-durations.json"
    rows = json.loads(recorded.read_text("utf-8"))
    assert read_durations(recorded) == [row["seconds"] for row in rows]
    assert all((recorded.parent / row["record"]).is_file() for row in rows)
    file = tmp_path / "durations.json"
    file.write_text("[200.0, 400]")
    assert read_durations(file) == [200.0, 400.0]
    for bad in ("[]", "[0]"):
        file.write_text(bad)
        with pytest.raises(SystemExit, match="seconds above 0 are needed"):
            read_durations(file)
