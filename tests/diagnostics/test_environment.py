"""The checks of an installation, each on a machine that is faked or broken, and on one where all is well."""

from __future__ import annotations

import ast
import inspect
import json
import os
import platform
import shutil
import string
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conftest import python
from ganvas import datasets
from ganvas.diagnostics.checks import CHECKS, Check, Result, check_environment
from ganvas.diagnostics.checks.environment import (
    accelerator,
    bfloat16,
    cache,
    companions,
    cpu,
    memory,
    runs,
    system,
    threads,
    torch_version,
    weights,
)
from ganvas.diagnostics.checks.environment import (
    python as python_check,
)
from ganvas.diagnostics.checks.environment.system import Installation
from ganvas.metrics.extractors import classifier
from ganvas.training import backend

ROOT = Path(__file__).parent.parent.parent
GIGABYTE = 10**9


NO_TORCH = Installation(None)


def only(results: Iterator[Result]) -> Result:
    """The one result of a check."""
    (result,) = results
    return result


def name_and_state(result: Result) -> tuple[str, str]:
    return result.name, result.state


@pytest.fixture
def proc(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Empty stand-ins for /proc and the control groups, and no card: proc / "../cgroup" is the latter."""
    monkeypatch.setattr(system, "PROC", tmp / "proc")
    monkeypatch.setattr(system, "CGROUP", tmp / "cgroup")
    monkeypatch.setattr(accelerator, "NVIDIA", tmp / "nvidia0")
    (tmp / "proc" / "self").mkdir(parents=True)
    (tmp / "cgroup").mkdir()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    for name in ("OMP_NUM_THREADS", "ATEN_CPU_CAPABILITY", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    return tmp / "proc"


def torch_like(
    version: str = "2.13.0",
    capability: str = "AVX2",
    known: dict[str, Any] | None = None,
    cuda: str | None = None,
    cards: int = 0,
    mps: bool = False,
    works: bool = True,
) -> Any:
    """What the checks ask of torch, with the answers of some other machine."""

    def ones(n: int, device: str) -> Any:
        if not works:
            raise RuntimeError("CUDA error: no kernel image is available\nfor execution on the device")
        return SimpleNamespace(sum=lambda: float(n))

    found = ModuleType("torch")
    vars(found).update(
        __version__=version,
        version=SimpleNamespace(cuda=cuda),
        cpu=SimpleNamespace(get_capabilities=lambda: known or {}) if known is not None else SimpleNamespace(),
        backends=SimpleNamespace(
            cpu=SimpleNamespace(get_cpu_capability=lambda: capability), mps=SimpleNamespace(is_available=lambda: mps)
        ),
        cuda=SimpleNamespace(is_available=lambda: cards > 0, get_device_name=lambda index: "H200"),
        get_num_threads=lambda: 4,
        ones=ones,
    )
    return found


# -- the whole ---------------------------------------------------------------------------------------------------


def test_here_nothing_is_bad_and_every_kind_is_reported() -> None:
    found = check_environment()
    assert [check for check in found if check.state == "bad"] == []
    names = {check.name.split("-")[0] for check in found}
    assert {"python", "torch", "accelerator", "runs", "cache", "weights"} <= names
    assert "unexpected" not in {check.name for check in found}
    assert len({check.name for check in found}) == len(found)
    assert json.dumps([dict(check.blanks) for check in found])


def test_a_check_that_fails_names_itself_and_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def examine(installation: Installation) -> Iterator[Result]:
        raise RuntimeError("a strange machine\nwith two lines")

    expected = [result.name for result in check_environment()]
    monkeypatch.setitem(CHECKS, ("env", "weights"), Check("weights", "env", 110, examine, {}))
    *others, last = check_environment()
    assert [result.name for result in others] == expected[:-1]
    assert last == Result("unexpected", "advice", {"what": "weights", "why": "with two lines"})


def test_a_check_of_torch_that_fails_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "cpu_name", lambda: 1 / 0)
    failed = [check for check in check_environment() if check.name == "unexpected"]
    assert [check.blanks["what"] for check in failed] == ["cpu"]


# -- Python and torch --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10), "bad"), ((3, 11), "good"), ((3, 13), "good"), ((3, 14), "advice")]
)
def test_python(version: tuple[int, int], state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert name_and_state(only(python_check.examine(NO_TORCH))) == ("python", state)


def test_bounds_are_those_of_the_package() -> None:
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert f'"torch>={".".join(map(str, torch_version.OLDEST))}"' in project
    assert f'requires-python = ">={".".join(map(str, python_check.OLDEST))}"' in project
    first, last = (".".join(map(str, version)) for version in (python_check.OLDEST, python_check.NEWEST))
    assert f"Python {first} to {last}" in (ROOT / "constraints.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("version", "state"), [("2.13.0+cpu", "good"), ("2.6.0+cu124", "good"), ("3.0.0a0+git1", "good"), ("2.5.1", "bad")]
)
def test_version_of_torch(version: str, state: str) -> None:
    assert name_and_state(only(torch_version.examine(Installation(torch_like(version))))) == ("torch", state)


def in_a_process(folder: Path, block: str = "") -> list[str]:
    """name, state and why of each check, made where `folder` comes first among the places to import from."""
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r}); {block}\n"
        "from ganvas.diagnostics.checks import check_environment\n"
        "for check in check_environment(): print(check.name, check.state, check.blanks.get('why', ''))"
    )
    process = python("-c", code)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.splitlines()


def test_torch_that_does_not_import(tmp: Path) -> None:
    (tmp / "torch.py").write_text("raise OSError('libtorch_cpu.so: cannot open shared object file')")
    lines = in_a_process(tmp)
    assert "torch-broken bad libtorch_cpu.so: cannot open shared object file" in lines
    assert any(line.startswith("weights good") for line in lines)
    assert not any("unexpected" in line or line.split()[0] in ("torch", "threads") for line in lines)


def test_torch_that_is_absent(tmp: Path) -> None:
    block = (
        "import importlib.util as u; f = u.find_spec; u.find_spec = lambda n, *a: None if n == 'torch' else f(n, *a)"
    )
    lines = in_a_process(tmp, block)
    assert any(line.startswith("torch-absent bad") for line in lines)


# -- companions --------------------------------------------------------------------------------------------------


@pytest.fixture
def companion(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(tmp)
    yield tmp / "torchvision.py"
    assert "torchvision" not in sys.modules


def test_a_companion_that_does_not_import(companion: Path) -> None:
    companion.write_text("raise RuntimeError('operator torchvision::nms does not exist')")
    (companion.parent / "torchvision-0.9.dist-info").mkdir()
    (companion.parent / "torchvision-0.9.dist-info" / "METADATA").write_text("Name: torchvision\nVersion: 0.9\n")
    check = only(companions.examine(NO_TORCH))
    assert check == Result("companion", "advice", {
        "name": "torchvision", "version": "0.9", "why": "RuntimeError: operator torchvision::nms does not exist",
    })  # fmt: skip


def test_a_companion_that_takes_its_process_with_it(companion: Path) -> None:
    companion.write_text("import os; os._exit(7)")
    assert companions.import_error("torchvision") == "exit status 7"


def test_a_companion_that_hangs(companion: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    companion.write_text("import time; time.sleep(60)")
    monkeypatch.setattr(companions, "TIMEOUT", 1.0)
    assert companions.import_error("torchvision") == "no answer in 1 s"


def test_companions_that_work_or_are_absent(companion: Path) -> None:
    assert companions.import_error("torchvision_that_nobody_has") == ""
    companion.write_text("")
    assert companions.import_error("torchvision") == ""


# -- processor ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capability", "machine", "held", "flags", "expected"),
    [
        ("AVX2", "x86_64", None, "avx avx2", ("cpu", "good")),
        ("AVX512", "AMD64", None, "avx2 avx512f", ("cpu", "good")),
        ("DEFAULT", "x86_64", None, "sse4_2 avx", ("cpu", "advice")),
        ("DEFAULT", "arm64", None, "", ("cpu", "good")),
        ("DEFAULT", "x86_64", "default", "avx2", ("cpu-held", "advice")),
        ("AVX2", "x86_64", "avx2", "avx2 avx512f", ("cpu-held", "advice")),
        ("AVX2", "x86_64", "avx2", "avx2", ("cpu", "good")),
    ],
)
def test_cpu(
    capability: str, machine: str, held: str | None, flags: str, expected: tuple[str, str],
    proc: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    (proc / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    monkeypatch.setattr(platform, "machine", lambda: machine)
    if held:
        monkeypatch.setenv("ATEN_CPU_CAPABILITY", held)
    assert name_and_state(only(cpu.examine(Installation(torch_like(capability=capability))))) == expected


@pytest.mark.parametrize(
    ("known", "cpuinfo", "expected"),
    [
        ({"avx2": True, "avx512_bf16": True}, "", "bfloat16"),
        ({"neon": True, "bf16": True, "sve_max_length": 16}, "", "bfloat16"),
        ({"avx2": True, "avx512_bf16": False}, "flags\t: avx2\n", "float32"),
        (None, "flags\t: avx2 amx_bf16\n", "bfloat16"),
        (None, "Features\t: fp asimd bf16\n", "bfloat16"),
        (None, "flags\t: avx2 avx512f\n", "float32"),
        (None, "", None),
        ({"architecture": "arm64"}, "", None),
    ],
)
def test_bfloat16(known: dict[str, Any] | None, cpuinfo: str, expected: str | None, proc: Path) -> None:
    (proc / "cpuinfo").write_text(cpuinfo)
    results = bfloat16.examine(Installation(torch_like(known=known)))
    assert [name_and_state(result) for result in results] == ([(expected, "good")] if expected else [])


def test_bfloat16_without_proc(proc: Path) -> None:
    assert list(bfloat16.examine(Installation(torch_like()))) == []


def test_threads(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "cores", lambda: 8)
    assert name_and_state(only(threads.examine(Installation(torch_like())))) == ("threads", "good")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert name_and_state(only(threads.examine(Installation(torch_like())))) == ("threads", "good")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert name_and_state(only(threads.examine(Installation(torch_like())))) == ("omp", "advice")


@pytest.mark.parametrize(
    ("own", "limits", "quota"),
    [
        ("/", {"": "150000 100000"}, "1.5"),
        ("/a/b", {"a": "400000 100000", "a/b": "max 100000"}, "4"),
        ("/a/b", {"a": "50000 100000", "a/b": "200000 100000"}, "0.5"),
        ("/../elsewhere", {"": "200000 100000"}, "2"),
        ("/", {"": "max 100000"}, None),
        ("/", {"": "nonsense"}, None),
        ("/a", {}, None),
    ],
)
def test_quota_of_a_container(
    own: str, limits: dict[str, str], quota: str | None, proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "cores", lambda: 8)
    (proc / "self" / "cgroup").write_text(f"0::{own}\n")
    for group, text in limits.items():
        folder = system.CGROUP / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(f"{text}\n")
    check = only(threads.examine(Installation(torch_like())))
    assert name_and_state(check) == (("threads", "good") if quota is None else ("quota", "advice"))
    if quota is not None:
        assert (check.blanks["quota"], check.blanks["threads"]) == (quota, max(1, int(float(quota))))


# -- accelerator -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("torch", "card", "expected"),
    [
        (torch_like(), False, ("accelerator-none", "good")),
        (torch_like(cuda="13.0", cards=1), True, ("accelerator", "good")),
        (torch_like(mps=True), False, ("accelerator", "good")),
        (torch_like(cuda="13.0", cards=1, works=False), True, ("accelerator-broken", "bad")),
        (torch_like("2.13.0+cpu"), True, ("accelerator-unused", "advice")),
        (torch_like(cuda="13.0"), True, ("accelerator-driver", "advice")),
        (torch_like(cuda="13.0"), False, ("accelerator-absent", "advice")),
    ],
)
def test_accelerator(torch: Any, card: bool, expected: tuple[str, str], proc: Path) -> None:
    if card:
        accelerator.NVIDIA.touch()
    assert name_and_state(accelerator.accelerator(torch)) == expected


def test_a_card_that_is_hidden(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    accelerator.NVIDIA.touch()
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert name_and_state(accelerator.accelerator(torch_like(cuda="13.0"))) == ("accelerator-hidden", "advice")
    assert name_and_state(accelerator.accelerator(torch_like())) == ("accelerator-unused", "advice")


def test_an_apple_chip_that_is_not_used(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "version", lambda: "Darwin Kernel Version 25.1: xnu/RELEASE_ARM64_T8132")
    assert name_and_state(accelerator.accelerator(torch_like())) == ("accelerator-apple", "advice")


@pytest.mark.parametrize(
    ("script", "there"),
    [("echo 'GPU 0: NVIDIA H200'", True), ("echo 'no devices were found'", False), ("echo GPU; exit 9", False)],
)
def test_the_program_that_lists_cards(
    script: str, there: bool, proc: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program))
    assert accelerator.has_nvidia_gpu() is there


def test_a_program_that_hangs_lists_no_card(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*words: Any, **options: Any) -> Any:
        raise subprocess.TimeoutExpired("nvidia-smi", 1)

    monkeypatch.setattr(shutil, "which", lambda name: "nvidia-smi")
    monkeypatch.setattr(subprocess, "run", hang)
    assert not accelerator.has_nvidia_gpu()


# -- memory, disk, data, weights ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("free", "state"), [(1, "bad"), (2, "advice"), (8, "good")])
def test_memory(free: int, state: str, proc: Path) -> None:
    (proc / "meminfo").write_text(f"MemTotal: 16000000 kB\nMemAvailable:    {free * GIGABYTE // 1024} kB\n")
    check = only(memory.examine(NO_TORCH))
    assert name_and_state(check) == ("memory", state)
    assert check.blanks["free"] == f"{free}.0 GB"


def test_memory_of_a_container(proc: Path) -> None:
    (proc / "meminfo").write_text(f"MemAvailable: {64 * GIGABYTE // 1024} kB\n")
    (system.CGROUP / "memory.max").write_text(f"{4 * GIGABYTE}\n")
    (system.CGROUP / "memory.current").write_text(f"{3 * GIGABYTE}\n")
    assert only(memory.examine(NO_TORCH)).blanks["free"] == "1.0 GB"
    (system.CGROUP / "memory.stat").write_text(f"anon 1\ninactive_file {GIGABYTE}\n")
    assert only(memory.examine(NO_TORCH)).blanks["free"] == "2.0 GB"


def test_memory_where_the_system_does_not_tell(proc: Path) -> None:
    assert list(memory.examine(NO_TORCH)) == []


def with_space(free: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=int(free)))


@pytest.mark.parametrize(("free", "state"), [(0.1, "bad"), (0.5, "advice"), (5, "good")])
def test_space_for_runs(free: float, state: str, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp)
    with_space(free * GIGABYTE, monkeypatch)
    check = only(runs.examine(NO_TORCH))
    assert (name_and_state(check), check.blanks["folder"]) == (("runs", state), str(tmp / "runs"))


def test_runs_where_nothing_can_be_written(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp)
    (tmp / "runs").write_text("a file in its place")
    assert name_and_state(only(runs.examine(NO_TORCH))) == ("runs-unwritable", "bad")


def fill(folder: Path, *names: str) -> None:
    """Files of the right names, which is all that is looked at."""
    for name in names:
        (folder / name).mkdir(parents=True)
        for file in datasets.SOURCES[name].files.sha256:
            (folder / name / file).touch()


def test_cache(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "data"))
    with_space(5 * GIGABYTE, monkeypatch)
    assert name_and_state(only(cache.examine(NO_TORCH))) == ("cache-empty", "good")
    assert not (tmp / "data").exists()
    fill(tmp / "data", "cifar10")
    check = only(cache.examine(NO_TORCH))
    assert (name_and_state(check), check.blanks["sets"]) == (("cache", "good"), "cifar10")
    with_space(0.5 * GIGABYTE, monkeypatch)
    check = only(cache.examine(NO_TORCH))
    assert (name_and_state(check), check.blanks["missing"]) == (("cache", "advice"), "emoji, fashion-mnist, mnist")
    fill(tmp / "data", "emoji", "fashion-mnist", "mnist")
    assert name_and_state(only(cache.examine(NO_TORCH))) == ("cache", "good")


def test_cache_that_cannot_be_written(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "file" / "data"))
    (tmp / "file").touch()
    assert name_and_state(only(cache.examine(NO_TORCH))) == ("cache-unwritable", "bad")
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "data"))
    fill(tmp / "data", "cifar10", "emoji", "fashion-mnist", "mnist")
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert name_and_state(only(cache.examine(NO_TORCH))) == ("cache-read-only", "advice")


def test_weights(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sorted(weights.CLASSIFIED) == sorted(classifier.SHIPPED)
    assert only(weights.examine(NO_TORCH)) == Result("weights", "good", {"n": len([*weights.WEIGHTS.glob("*.safe*")])})
    shipped = {path.name: path.read_bytes() for path in weights.WEIGHTS.glob("*-classifier-*")}
    monkeypatch.setattr(weights, "WEIGHTS", tmp)
    check = only(weights.examine(NO_TORCH))
    assert (name_and_state(check), check.blanks["sets"]) == (("weights-absent", "bad"), "cifar10, fashion-mnist")
    for name, content in shipped.items():
        (tmp / name).write_bytes(content)
    assert name_and_state(only(weights.examine(NO_TORCH))) == ("weights", "good")
    for content in (shipped[name][:-1], b"version https://git-lfs.github.com/spec/v1\n", b""):
        (tmp / name).write_bytes(content)
        check = only(weights.examine(NO_TORCH))
        assert (name_and_state(check), check.blanks["file"]) == (("weights", "bad"), str(tmp / name))


# -- sentences ---------------------------------------------------------------------------------------------------


def possible(module: ModuleType) -> Iterator[tuple[str, set[str], set[str]]]:
    """(name, states, blanks) of each Result(...) in a module's source; a state that is computed may be any."""
    for scope in ast.walk(ast.parse(inspect.getsource(module))):
        if not isinstance(scope, ast.FunctionDef):
            continue
        dicts = {node.targets[0].id: node.value for node in ast.walk(scope)
                 if isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict)
                 and isinstance(node.targets[0], ast.Name)}  # fmt: skip
        for node in ast.walk(scope):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Result":
                name, state, *rest = node.args
                words = {leaf.value for leaf in ast.walk(state) if isinstance(leaf, ast.Constant)}
                states = words & {"good", "advice", "bad"} or {"good", "advice", "bad"}
                yield ast.literal_eval(name), states, keys(rest[0], dicts) if rest else set()


def keys(node: ast.expr, dicts: dict[str, ast.Dict]) -> set[str]:
    """Keys of a dict, written in place or under a name, with those of dicts that it contains."""
    found = dicts[node.id] if isinstance(node, ast.Name) else node
    assert isinstance(found, ast.Dict)
    inner = (
        keys(v, dicts) if k is None else {ast.literal_eval(k)} for k, v in zip(found.keys, found.values, strict=True)
    )
    return set().union(*inner)


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: f"{check.group}.{check.name}")
def test_every_result_has_its_sentence(check: Check) -> None:
    made = [(f"{name}.{state}", blanks) for name, states, blanks in possible(inspect.getmodule(check.examine))
            for state in states]  # fmt: skip
    assert made
    for sentences in check.sentences.values():
        for key, blanks in made:
            assert {name for _, name, _, _ in string.Formatter().parse(sentences[key]) if name} <= blanks, key
        assert sentences.keys() == {key for key, _ in made}
