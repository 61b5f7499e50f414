"""What `ganvas doctor --env` looks at: Python, torch, the processor and accelerator, memory, disk, data and weights.

Nothing here imports torch before it is known to import, and no check raises: one that cannot be made says so.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Literal

from ganvas import data
from ganvas.data import cache
from ganvas.diagnostics.finding import Check

PYTHONS = ((3, 11), (3, 13))
"""The first and the last Python that the checks run with (constraints.txt)."""
LEAST_TORCH = (2, 11)
"""The oldest torch that the package takes (pyproject.toml)."""
MEMORY = (1.5e9, 3e9)
"""Bytes: below the first a training may not fit (`make bench` on CIFAR-10 peaks at 1.33 GB), below the second little
is left for an evaluation beside it (1.06 GB for a Fréchet distance of 50,000 images)."""
RUNS = (0.2e9, 1e9)
"""Bytes: below the first not two runs fit, below the second not ten (the larger of ours take 94 MB)."""
FETCH = 1e9
"""Bytes: twice what fetching CIFAR-10 takes for a while (an archive of 170 MB, unpacked 180 MB) and some to spare."""
PATIENCE = 60.0
"""Seconds that another program gets to answer: torch took five to import on two busy cores."""
COMPANIONS = ("torchvision", "torchaudio")
"""Packages that have to be built for the very torch beside them."""
PROC, CGROUP, NVIDIA = Path("/proc"), Path("/sys/fs/cgroup"), Path("/dev/nvidia0")
WEIGHTS = Path(__file__).parent.parent / "weights"


def checks() -> list[Check]:
    """Everything there is to say about this installation, in the order in which it is read."""
    torch = _torch()
    looks: list[Callable[[], Check | None]] = [_python]
    if isinstance(torch, Check):
        looks.append(lambda: torch)
    else:
        looks += [partial(look, torch) for look in (_version, _cpu, _bfloat16, _threads, _accelerator)]
    looks += [*(partial(_companion, name) for name in COMPANIONS), _memory, _runs, _cache, _weights]
    return [check for look in looks if (check := _made(look)) is not None]


def _made(look: Callable[[], Check | None]) -> Check | None:
    """The check, or one that says that it could not be made."""
    try:
        return look()
    except Exception as error:  # whatever a strange machine may raise
        name = getattr(getattr(look, "func", look), "__name__", "").strip("_")
        return Check("env.unexpected", "advice", {"what": name, "why": _line(error)})


# -- Python and torch --------------------------------------------------------------------------------------------


def _python() -> Check:
    version, here = platform.python_version(), sys.version_info[:2]
    first, last = (".".join(map(str, bound)) for bound in PYTHONS)
    if here < PYTHONS[0]:
        return Check("env.python", "bad", {"version": version, "first": first})
    if here > PYTHONS[1]:
        return Check("env.python", "advice", {"version": version, "first": first, "last": last})
    return Check("env.python", "good", {"version": version})


def _torch() -> ModuleType | Check:
    """torch, or why there is none."""
    least = _dotted(LEAST_TORCH)
    try:
        if importlib.util.find_spec("torch") is None:
            return Check("env.torch-absent", "bad", {"least": least})
        return importlib.import_module("torch")
    except Exception as error:  # a library that is missing, a build for another system, half an installation
        return Check("env.torch-broken", "bad", {"why": _line(error), "least": least})


def _version(torch: ModuleType) -> Check:
    version = str(torch.__version__)
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < LEAST_TORCH:
        return Check("env.torch", "bad", {"version": version, "least": _dotted(LEAST_TORCH)})
    return Check("env.torch", "good", {"version": version})


def _companion(name: str) -> Check | None:
    """One that is installed and does not import; tried in a process of its own, for it may take this one with it."""
    if importlib.util.find_spec(name) is None:
        return None
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "ignore", "-c", f"import {name}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=PATIENCE, check=False)
        why = _last(done.stderr) or f"exit status {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        why = f"no answer in {PATIENCE:.0f} s"
    version = next((found.version for found in importlib.metadata.distributions(name=name)), "?")
    return Check("env.companion", "advice", {"name": name, "version": version, "why": why}) if why else None


# -- processor ---------------------------------------------------------------------------------------------------


def _cpu(torch: ModuleType) -> Check:
    """Which instructions torch computes with. On ARM "DEFAULT" is as it should be."""
    from ganvas.training.backend import cpu_name

    name, used, there = cpu_name(), torch.backends.cpu.get_cpu_capability(), _instructions(torch)
    held = os.environ.get("ATEN_CPU_CAPABILITY")
    better = {"DEFAULT": {"avx2"}, "NO AVX": {"avx2"}, "AVX2": {"avx512_f", "avx512f"}}.get(used, set())
    if held and better & there:
        return Check("env.cpu-held", "advice", {"cpu": name, "used": used, "variable": f"ATEN_CPU_CAPABILITY={held}"})
    if used in ("DEFAULT", "NO AVX") and platform.machine().lower() in ("x86_64", "amd64"):
        return Check("env.cpu", "advice", {"cpu": name})
    return Check("env.cpu", "good", {"cpu": name, "used": used})


def _bfloat16(torch: ModuleType) -> Check | None:
    """Whether the processor computes in bfloat16 or only imitates it; None where that cannot be known."""
    there = _instructions(torch)
    if not there:
        return None
    own = any(name.endswith("bf16") for name in there) or "avx_ne_convert" in there
    return Check("env.bfloat16", "good") if own else Check("env.float32", "good")


def _instructions(torch: ModuleType) -> set[str]:
    """Names of the instruction sets, as torch and as Linux spell them."""
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    line = re.search(r"^(?:flags|Features)\s*:(.*)$", _text(PROC / "cpuinfo"), re.MULTILINE)
    return {name for name, there in known.items() if there is True} | set(line[1].split() if line else ())


def _threads(torch: ModuleType) -> Check:
    """Cores against what a container grants and what a variable asks for; a training sets its own threads."""
    from ganvas.training import backend as engine

    cores, quota, asked = engine.cores(), _quota(), os.environ.get("OMP_NUM_THREADS", "")
    if quota is not None and quota < cores:
        return Check("env.quota", "advice", {"cores": cores, "quota": f"{quota:g}", "threads": max(1, int(quota))})
    if asked and asked != str(cores):
        return Check("env.omp", "advice", {"asked": asked, "cores": cores})
    return Check(
        "env.threads", "good", {"cores": cores, "all": os.cpu_count() or cores, "torch": torch.get_num_threads()}
    )


def _quota() -> float | None:
    """CPUs that control groups (version 2) grant this process: the least on the way up from its own."""
    granted = []
    for group in _groups():
        limit, _, period = _text(group / "cpu.max").partition(" ")
        if limit.isdecimal() and period.strip().isdecimal():
            granted.append(int(limit) / int(period))
    return round(min(granted), 2) if granted else None


def _groups() -> list[Path]:
    """This process's control group and those above it."""
    own = re.search(r"^0::/(.*)$", _text(PROC / "self" / "cgroup"), re.MULTILINE)
    below = CGROUP / own[1] if own else CGROUP
    return [group for group in (below, *below.parents) if group == CGROUP or CGROUP in group.parents]


# -- accelerator -------------------------------------------------------------------------------------------------


def _accelerator(torch: ModuleType) -> Check:
    version, cuda = str(torch.__version__), torch.version.cuda
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a driver that is too old warns: the sentence says it better
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else ""
    if device:
        name = torch.cuda.get_device_name(0) if device == "cuda" else "Apple GPU"
        try:
            float(torch.ones(2, device=device).sum())
        except Exception as error:  # such as a build without kernels for this card
            return Check("env.accelerator-broken", "bad", {"name": name, "why": _line(error)})
        return Check("env.accelerator", "good", {"name": name, "device": device})
    if _nvidia():
        if not cuda:
            return Check("env.accelerator-unused", "advice", {"version": version})
        if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
            return Check("env.accelerator-hidden", "advice")
        return Check("env.accelerator-driver", "advice", {"version": version, "cuda": cuda})
    if platform.system() == "Darwin" and "ARM64" in platform.version():  # so too where Python is one for Intel
        return Check("env.accelerator-apple", "advice", {"version": version})
    if cuda:
        return Check("env.accelerator-absent", "advice", {"version": version})
    return Check("env.accelerator-none", "good")


def _nvidia() -> bool:
    """Whether there is a card; the program that lists cards may well be there without one."""
    if NVIDIA.exists():
        return True
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout


# -- memory, disk, data, weights ---------------------------------------------------------------------------------


def _memory() -> Check | None:
    """What is free, or what the container leaves of it; None where the system does not tell."""
    free = re.search(r"^MemAvailable:\s*(\d+) kB", _text(PROC / "meminfo"), re.MULTILINE)
    if free is None:
        return None
    left = [int(free[1]) * 1024]
    for group in _groups():
        limit, used = (_text(group / f"memory.{name}").strip() for name in ("max", "current"))
        cached = re.search(r"^inactive_file (\d+)", _text(group / "memory.stat"), re.MULTILINE)
        if limit.isdecimal() and used.isdecimal():
            left.append(int(limit) - int(used) + (int(cached[1]) if cached else 0))
    room = min(left)
    return Check("env.memory", _state(room, MEMORY), {"free": _gigabytes(room)})


def _runs() -> Check:
    folder = str(Path.cwd() / "runs")
    room = _room(Path(folder))
    if room is None:
        return Check("env.runs-unwritable", "bad", {"folder": folder})
    return Check("env.runs", _state(room, RUNS), {"folder": folder, "free": _gigabytes(room)})


def _cache() -> Check:
    """Which known sets are there whole by name (content is verified when read), and whether the others could come."""
    folder = str(cache.root())
    fetched = [name for name, source in data.SOURCES.items() if source.files is not None]
    here = [name for name in fetched if data.SOURCES[name].present]
    sets, missing = ", ".join(here), ", ".join(name for name in fetched if name not in here)
    room = _room(Path(folder))
    if room is None:
        unwritable = Check("env.cache-unwritable", "bad", {"folder": folder, "missing": missing})
        return unwritable if missing else Check("env.cache-read-only", "advice", {"folder": folder, "sets": sets})
    if missing and room < FETCH:
        return Check("env.cache", "advice", {"folder": folder, "missing": missing, "free": _gigabytes(room)})
    if not here:
        return Check("env.cache-empty", "good", {"folder": folder, "missing": missing})
    return Check("env.cache", "good", {"folder": folder, "sets": sets})


def _weights() -> Check:
    """Whether the files that ship are there and as long as their headers say."""
    from safetensors import SafetensorError, safe_open

    files = sorted(WEIGHTS.glob("*.safetensors"))
    absent = [
        name
        for name, source in data.SOURCES.items()
        if source.files is not None and not any(path.name.startswith(f"{name}-classifier-") for path in files)
    ]
    if absent:
        return Check("env.weights-absent", "bad", {"folder": str(WEIGHTS), "sets": ", ".join(absent)})
    for path in files:
        try:
            with safe_open(path, "np") as file:
                file.keys()
        except (SafetensorError, OSError) as error:
            return Check("env.weights", "bad", {"file": str(path), "why": _line(error)})
    return Check("env.weights", "good", {"n": len(files)})


def _room(folder: Path) -> int | None:
    """Bytes free where a folder is or would be made; None where nothing can be written."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    writable = there.is_dir() and os.access(there, os.W_OK | os.X_OK)
    return shutil.disk_usage(there).free if writable else None


def _state(room: float, bounds: tuple[float, float]) -> Literal["good", "advice", "bad"]:
    return "bad" if room < bounds[0] else "advice" if room < bounds[1] else "good"


def _text(path: Path) -> str:
    """What a file of the system says; nothing where it is not there."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _line(error: BaseException) -> str:
    return _last(str(error)) or type(error).__name__


def _last(text: str) -> str:
    """The last line, which in what programs and libraries say is the one that tells."""
    return (text.strip().splitlines() or [""])[-1].strip()[:200]


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _gigabytes(n: float) -> str:
    return f"{n / 1e9:.1f} GB"
