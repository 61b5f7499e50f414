"""Several processes train as one: the same results, resumed by any number of them, a clear line where one is lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import SHIPPED_RECIPES, TINY, flags, python, start, tiny
from ganvas import ranks
from ganvas.errors import GanvasError, UsageError
from ganvas.ranks import World
from ganvas.runs.run import Run
from ganvas.runs.storage import load_tensors
from ganvas.training.compatibility import check_ranks
from ganvas.training.setup import configure

WORKER = Path(__file__).parent / "rank_worker.py"
SMALL = {name: value for name, value in TINY.items() if name.split(".")[0] in ("data", "step", "engine", "log")}
NARROW = {"generator.latent_dim": 8, "generator.width": 0.125, "discriminator.width": 0.125}
LONG = {"budget.kimg": 100.0, "log.checkpoint_kimg": 0.16}


def on_ranks(words: Sequence[str], size: int = 2, port: int = 0, **options: Any) -> list[subprocess.Popen[str]]:
    """A Python program as each of `size` ranks."""
    port = port or free_port()
    given = options.pop("env", {})
    common = {"WORLD_SIZE": str(size), "LOCAL_WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1"}
    common |= {"MASTER_PORT": str(port), "OMP_NUM_THREADS": "1", **given}
    before = dict(os.environ)
    started = []
    try:
        for rank in range(size):
            os.environ.update(common, RANK=str(rank), LOCAL_RANK=str(rank))
            started.append(python(*words, **options))
    finally:
        os.environ.clear()
        os.environ.update(before)
    return started


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def ended(processes: Sequence[subprocess.Popen[str]], seconds: float = 120) -> list[tuple[int, str, str]]:
    """Exit code, stdout and stderr of each; read side by side, as one that nobody reads makes the others wait."""
    with ThreadPoolExecutor(len(processes)) as pool:
        read = list(pool.map(lambda process: process.communicate(timeout=seconds), processes))
    return [(process.returncode, out, err) for process, (out, err) in zip(processes, read, strict=True)]


def apart(cases: Mapping[str, Mapping[str, Any]], updates: int, kind: str) -> dict[str, dict[str, Any]]:
    """Of each case: how far two ranks and one process lie apart after so many updates, and what was exchanged."""
    found: dict[str, dict[str, Any]] = {}
    for code, out, err in ended(on_ranks([str(WORKER), json.dumps(cases), str(updates), kind]), 2400):
        assert code == 0, err
        found |= json.loads(out.split("found ")[1])
    return found


def furthest(found: Mapping[str, float]) -> tuple[str, float]:
    return max(found.items(), key=lambda pair: pair[1])


# -- two ranks are one process -------------------------------------------------------------------------------------

EVERYTHING = {
    "recipe": "cifar-dcgan", **SMALL, **NARROW, "data.labels": "use", "data.flip": True, "data.held_out": 0.2,
    "discriminator.norms": (False, True), "discriminator.minibatch": "std", "discriminator.dropout": 0.3,
    "loss.feature_matching": 0.5, "loss.smooth": 0.1, "loss.flip": 0.1, "penalty.r1": 0.5, "penalty.r2": 0.5,
    "penalty.gp": 1.0, "penalty.share": 0.5, "penalty.every": 2, "penalty.adapt": 0.1, "penalty.adapt_kimg": 0.1,
    "augment.adapt": 0.5, "augment.adapt_kimg": 0.1, "augment.mirror": True, "augment.translate": 0.2,
    "augment.colour": 1.0, "augment.noise": 0.1, "augment.paired": False, "step.accumulate": 2, "step.ema_kimg": 0.1,
    "g_optim.clip": 0.5, "g_optim.historical": 0.01,
}  # fmt: skip
NAMED = {
    "recipe": "quick", **SMALL, **NARROW, "discriminator.minibatch": "features", "step.joint": False,
    "penalty.share": 1.0, "step.accumulate": 2,
}  # fmt: skip


def test_two_ranks_compute_what_one_process_does() -> None:
    found = apart({"everything": EVERYTHING, "quick": NAMED}, 10, "float64")
    for name, case in found.items():
        assert furthest(case["apart"])[1] < 1e-9, (name, furthest(case["apart"]))
    # batch norm of D and G, minibatch layers and feature matching make it no more than these sums
    assert found["quick"]["calls"] > 20


def recipe_cases() -> dict[str, dict[str, Any]]:
    wider = {"r3-small": {"generator.width": 0.25, "discriminator.width": 0.25}}
    wider["r3-pyramid"] = {"generator.group": 8, "discriminator.group": 8}
    wider["mafda-dcgan"] = {"generator.strides": (1, 2, 2, 2)}  # four halvings leave nothing of 16 px
    return {name: {"recipe": name, **SMALL, **NARROW, **wider.get(name, {})} for name in SHIPPED_RECIPES}


@pytest.mark.slow
def test_two_ranks_equal_one_process_in_every_recipe() -> None:
    for name, case in apart(recipe_cases(), 50, "float64").items():
        assert furthest(case["apart"])[1] < 1e-5, (name, furthest(case["apart"]))


def option_cases() -> dict[str, dict[str, Any]]:
    """The three updates x lazy penalty x accumulation x ADA x EMA."""
    cases = {}
    for update, lazy, parts, ada, ema in product(
        ("simultaneous", "alternating", "one-stage"), (0, 4), (1, 2), (False, True), (False, True)
    ):
        settings: dict[str, Any] = {"recipe": "cifar-dcgan", **SMALL, **NARROW, "step.update": update}
        settings |= {"penalty.r1": 0.5, "penalty.gp": 1.0, "penalty.every": lazy} if lazy else {}
        settings |= {"step.accumulate": parts} | ({"step.ema_kimg": 0.1} if ema else {})
        if ada:
            settings |= {"data.held_out": 0.2, "augment.adapt": 0.5, "augment.adapt_kimg": 0.2}
            settings |= {"augment.mirror": True, "augment.colour": 1.0, "augment.cutout": 0.3}
        cases[f"{update} lazy {lazy} parts {parts} ada {ada} ema {ema}"] = settings
    return cases


@pytest.mark.slow
def test_two_ranks_equal_one_process_whatever_the_update_and_its_options() -> None:
    cases = option_cases()
    assert len(cases) == 48
    for name, case in apart(cases, 50, "float64").items():
        assert furthest(case["apart"])[1] < 1e-5, (name, furthest(case["apart"]))


# -- runs ----------------------------------------------------------------------------------------------------------


def command(out: Path, changes: Mapping[str, Any] | None = None) -> list[str]:
    return ["-m", "ganvas", "train", "cifar-dcgan", *flags(changes), "--out", str(out)]


def tensors(run: Path) -> dict[str, torch.Tensor]:
    checkpoint, problems = Run(run).latest_checkpoint()
    assert checkpoint is not None and not problems
    files = sorted(checkpoint.path.glob("*.safetensors"))
    return {f"{file.stem}.{name}": tensor for file in files for name, tensor in load_tensors(file)[0].items()}


def lines(*texts: str) -> list[str]:
    return [line for text in texts for line in text.splitlines() if line.startswith("ganvas: ")]


def until(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_rank_leaves_a_run_that_goes_on_in_any_number_of_processes(tmp: Path) -> None:
    changes = {"budget.kimg": 100.0, "log.checkpoint_kimg": 0.16}
    first, second = on_ranks(command(tmp / "run", changes))
    until(lambda: len(Run(tmp / "run").checkpoints()) == 2)
    second.kill()
    since = time.monotonic()
    code, _, err = ended([first])[0]
    assert time.monotonic() - since < 30
    assert code == 1
    line = "another process of this training ended or does not answer: go on from the last checkpoint with ganvas"
    assert lines(err) == [f"ganvas: {line} resume {tmp / 'run'}"]
    assert "Traceback" not in err
    second.communicate()

    before = Run(tmp / "run").checkpoints()[-1][0]
    config = json.loads((tmp / "run" / "config.json").read_text())
    config["total_nimg"] = before + 64
    (tmp / "run" / "config.json").write_text(json.dumps(config))
    process = python("-m", "ganvas", "resume", str(tmp / "run"))
    code, _, err = ended([process])[0]
    assert code == 0, err
    assert "ranks was 2, is 1: not bit for bit the same run" in err
    assert Run(tmp / "run").rows("metrics")[-1]["nimg"] == before + 64
    assert [row["ranks"] for row in Run(tmp / "run").rows("env")] == [2, 1]


@pytest.mark.slow
def test_runs_in_two_processes_stop_and_go_on_in_any_number_with_the_same_result(tmp: Path) -> None:
    whole = ended(on_ranks(command(tmp / "whole")))
    assert [code for code, _, _ in whole] == [0, 0], whole
    assert whole[1][1:] == ("", "")  # rank 0 alone speaks
    assert ended([python(*command(tmp / "again"), "--processes", "2")])[0][0] == 0
    assert ended([python(*command(tmp / "one"))])[0][0] == 0

    pair = on_ranks(command(tmp / "changing", {"log.checkpoint_kimg": 0.032, "budget.kimg": 100.0}))
    until(lambda: len(Run(tmp / "changing").rows("metrics")) > 0)
    pair[1].send_signal(signal.SIGTERM)  # rank 1 alone: all stop at the same update
    assert [code for code, _, _ in ended(pair)] == [143, 143]
    assert Run(tmp / "changing").rows("events")[-1]["signal"] == "SIGTERM"

    alike, again, one = (tensors(tmp / name) for name in ("whole", "again", "one"))
    assert all(torch.equal(alike[name], again[name]) for name in alike)
    for name, value in one.items():  # noise that batch norm removes is all that moves a bias before it
        if name != "discriminator.blocks.1.conv.bias" and "norm.running_mean" not in name:
            assert torch.allclose(value.double(), alike[name].double(), rtol=1e-5, atol=1e-5), name


@pytest.mark.slow
@pytest.mark.parametrize("turns", [(2, 1, 2), (2, 2, 2)])
def test_a_run_goes_on_in_another_number_of_processes(tmp: Path, turns: tuple[int, ...]) -> None:
    run, _ = start(tmp / "run")
    for count, total in zip(turns, (64, 128, 192), strict=True):
        config = json.loads((run.path / "config.json").read_text())
        (run.path / "config.json").write_text(json.dumps({**config, "total_nimg": total}))
        code, _, err = ended([python("-m", "ganvas", "resume", str(run.path), "--processes", str(count))])[0]
        assert code == 0, err
    assert [row["ranks"] for row in run.rows("env")] == list(turns)
    if turns == (2, 2, 2):  # no change of number: bit for bit
        assert ended([python(*command(tmp / "whole"), "--processes", "2")])[0][0] == 0
        other = tensors(tmp / "whole")
        assert all(torch.equal(value, other[name]) for name, value in tensors(run.path).items())
    else:
        assert ended([python(*command(tmp / "one"))])[0][0] == 0
        other = tensors(tmp / "one")
        for name, value in tensors(run.path).items():
            if name != "discriminator.blocks.1.conv.bias" and "norm.running_mean" not in name:
                assert torch.allclose(value.double(), other[name].double(), rtol=1e-5, atol=1e-5), name


@pytest.mark.slow
def test_a_budget_in_minutes_becomes_one_number_of_images_on_all_ranks(tmp: Path) -> None:
    words = command(tmp / "run")
    at = words.index("--budget.kimg")
    results = ended(on_ranks([*words[:at], "--budget.minutes", "0.1", *words[at + 2 :]]))
    assert [code for code, _, _ in results] == [0, 0], results
    run = Run(tmp / "run")
    settled = [row["total"] for row in run.rows("events") if row["event"] == "budget"]
    last = run.rows("metrics")[-1]
    assert settled and run.total_nimg == settled[-1]
    assert settled[-1] <= last["nimg"] < settled[-1] + 16 and 3 < last["sec"] < 30
    assert last["cpu_sec"] > last["sec"] / 10  # of both ranks: on a busy machine far less than twice the seconds


@pytest.mark.slow
def test_torchrun_trains_and_stops_when_a_rank_is_killed(tmp: Path) -> None:
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    code, _, err = ended([python(*words, *command(tmp / "whole"))])[0]
    assert code == 0, err
    assert Run(tmp / "whole").last_turn() == "finish"
    launcher = python(*words, *command(tmp / "killed", LONG))
    until(lambda: len(Run(tmp / "killed").checkpoints()) == 2)
    os.kill(Run(tmp / "killed").rows("env")[0]["pid"], signal.SIGKILL)  # rank 0
    code, _, err = ended([launcher])[0]
    assert code == 1
    assert len(lines(err)) == 1 and "ended or does not answer" in err
    assert Run(tmp / "killed").latest_checkpoint()[0] is not None


@pytest.mark.slow
def test_a_rank_that_hangs_is_given_up(tmp: Path) -> None:
    first, second = on_ranks(command(tmp / "run", LONG), env={"GANVAS_ANSWER_SECONDS": "3"})
    until(lambda: len(Run(tmp / "run").rows("metrics")) > 1)
    second.send_signal(signal.SIGSTOP)
    try:
        code, _, err = ended([first], 30)[0]
    finally:
        second.kill()
        second.communicate()
    assert (code, len(lines(err))) == (1, 1), err


# -- what cannot be right ------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_ranks_that_disagree_say_on_what_and_leave_nothing(tmp: Path) -> None:
    for changes, what in (
        ({"step.batch": 32}, "step.batch is '32' on rank 1 and '16' on rank 0"),
        ({"data.limit": 90}, "data.limit is '90' on rank 1 and '96' on rank 0"),
    ):
        port = free_port()
        pair = [on_one(0, command(tmp / "run"), port), on_one(1, command(tmp / "run", changes), port)]
        found = ended(pair)
        assert [code for code, _, _ in found] == [1, 1]
        assert lines(*(err for _, _, err in found)) == [
            f"ganvas: the processes disagree: {what}; start all with the same command and data"
        ]
        assert not (tmp / "run").exists()


def on_one(rank: int, words: Sequence[str], port: int, **env: str) -> subprocess.Popen[str]:
    """One rank of two."""
    common = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": str(rank), **env}
    before = dict(os.environ)
    os.environ.update(common)
    try:
        return python(*words)
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.mark.slow
def test_a_number_that_does_not_fit_is_one_line(tmp: Path) -> None:
    found = ended(on_ranks(command(tmp / "run"), 3))
    assert [code for code, _, _ in found] == [2, 2, 2]
    line = "step.batch = 16: 3 processes cannot share these images equally; 1, 2, 4, 8, 16 can"
    assert lines(*(err for _, _, err in found)) == [f"ganvas: {line}"]
    assert not (tmp / "run").exists()


@pytest.mark.slow
def test_nobody_at_the_address_is_one_line(tmp: Path) -> None:
    patience, port = {"GANVAS_JOIN_SECONDS": "2"}, free_port()
    for rank, line in ((0, "the other processes did not come"), (1, "process 1 of 2 reaches nobody")):
        code, _, err = ended([on_one(rank, command(tmp / "run"), port, **patience)])[0]
        assert code == 1
        assert lines(err) == [
            f"ganvas: {line} at 127.0.0.1:{port} (MASTER_ADDR, MASTER_PORT) within 2 s: start all processes together, "
            "and check the address"
        ]
        assert len(err.splitlines()) == 1, err


def test_numbers_of_processes_that_fit() -> None:
    check_ranks(tiny(), 16)
    for size in (3, 32):
        with pytest.raises(UsageError, match=r"1, 2, 4, 8, 16 can"):
            check_ranks(tiny(), size)
    with pytest.raises(UsageError, match=r"in 4 parts: 8 processes .*; 1, 2, 4 can"):
        check_ranks(tiny({"step.accumulate": 4}), 8)
    with pytest.raises(UsageError, match=r"penalties of 8: 16 processes .*; 1, 2, 4, 8 can"):
        check_ranks(configure("quick"), 16)
    check_ranks(configure("quick"), 8)


def test_devices_that_several_processes_cannot_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.distributed.is_nccl_available", lambda: False)
    with pytest.raises(GanvasError, match=r"no NCCL.*--device cpu"):
        World(0, 2).use(torch.device("cuda"))
    monkeypatch.setattr("torch.distributed.is_nccl_available", lambda: True)
    with pytest.raises(UsageError, match=r"2 processes on a machine with 0 GPUs"):
        World(0, 2, 2).use(torch.device("cuda"))
    for device in ("mps", "cuda:1"):
        with pytest.raises(UsageError, match="trains in one process"):
            World(0, 2).use(torch.device(device))


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "x"}, "MASTER_PORT is not"),
        ({"WORLD_SIZE": "2", "RANK": "2", "MASTER_ADDR": "x", "MASTER_PORT": "1"}, "ranks are 0 to"),
        ({"WORLD_SIZE": "two", "RANK": "0", "MASTER_ADDR": "x", "MASTER_PORT": "1"}, "whole numbers"),
    ],
)
def test_an_environment_that_cannot_be_right(
    environment: dict[str, str], line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ranks.NEEDED:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=line):
        ranks.join()


def test_a_difference_between_ranks_names_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(0, 2)
    monkeypatch.setattr(world, "texts", lambda text, patiently: [text, json.dumps({"generator": "a", "ema": "c"})])
    with pytest.raises(GanvasError, match="rank 1 has ema c, not b"):
        world.check_equal({"generator": "a", "ema": "b"}, lambda *found: "rank {} has {} {}, not {}".format(*found))
    world.check_equal({"generator": "a", "ema": "c"}, lambda *_: "")


def test_a_flag_starts_processes() -> None:
    from ganvas.cli.processes import asked

    assert asked(["train", "quick", "--processes", "4", "--seed", "1"]) == (["train", "quick", "--seed", "1"], 4)
    assert asked(["resume", "a", "--processes=2"]) == (["resume", "a"], 2)
    assert asked(["train", "quick"]) == (["train", "quick"], 1)
    for words in (["--processes"], ["--processes", "0"], ["--processes", "x"], ["--processes=1", "--processes=2"]):
        with pytest.raises(UsageError, match="--processes"):
            asked(words)
