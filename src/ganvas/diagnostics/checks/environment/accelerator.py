"""Whether there is a GPU, and whether torch can use it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import TIMEOUT, Installation, last_line

NVIDIA = Path("/dev/nvidia0")


def examine(installation: Installation) -> Iterator[Result]:
    """One result: the GPU works, or why it does not, or there is none."""
    if installation.torch is not None:
        yield accelerator(installation.torch)


def accelerator(torch: ModuleType) -> Result:
    """The GPU that torch sees, else the one that it should see."""
    version, cuda = str(torch.__version__), torch.version.cuda
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns if the driver is too old; our sentence says it better
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else ""
    if device:
        name = torch.cuda.get_device_name(0) if device == "cuda" else "Apple GPU"
        try:
            float(torch.ones(2, device=device).sum())
        except Exception as error:  # such as a build without kernels for this GPU
            return Result("accelerator-broken", "bad", {"name": name, "why": last_line(error)})
        return Result("accelerator", "good", {"name": name, "device": device})
    if has_nvidia_gpu():
        if not cuda:
            return Result("accelerator-unused", "advice", {"version": version})
        if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
            return Result("accelerator-hidden", "advice")
        return Result("accelerator-driver", "advice", {"version": version, "cuda": cuda})
    if platform.system() == "Darwin" and "ARM64" in platform.version():  # true also for a Python built for Intel
        return Result("accelerator-apple", "advice", {"version": version})
    if cuda:
        return Result("accelerator-absent", "advice", {"version": version})
    return Result("accelerator-none", "good")


def has_nvidia_gpu() -> bool:
    """Whether there is an NVIDIA GPU; `nvidia-smi` may be installed without one."""
    if NVIDIA.exists():
        return True
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        listed = subprocess.run([program, "-L"], capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout


SENTENCES = {
    "en": {
        "accelerator.good": "Accelerator: {name} works, and `--device auto` uses it (`{device}`).",
        "accelerator-none.good": "No GPU: training runs on the CPU; the recipe `quick` is made for that.",
        "accelerator-absent.advice": "torch {version} is the large build with CUDA, but there is no GPU. Training "
        "works on the CPU; the CPU-only build would save gigabytes (pytorch.org, “Get started”).",
        "accelerator-apple.advice": "This is an Apple chip, but torch {version} cannot use its GPU. That needs a "
        "Python built for arm64 (not for Intel) and a recent macOS: make a new environment with such a Python and run "
        "`pip install torch` there.",
        "accelerator-broken.bad": "torch sees {name} but cannot compute on it: {why}. Pass `--device cpu`, or install "
        "a build of torch for this GPU: choose your system on pytorch.org, under “Get started”.",
        "accelerator-driver.advice": "There is an NVIDIA GPU, but torch {version} cannot use it, although it is built "
        "for CUDA {cuda}. Usually the driver is too old: compare the CUDA version that `nvidia-smi` shows. Update the "
        "driver, or install the build of torch for the older CUDA (pytorch.org, “Get started”).",
        "accelerator-hidden.advice": "There is an NVIDIA GPU, but `CUDA_VISIBLE_DEVICES` hides it. Unset that "
        "variable to use it.",
        "accelerator-unused.advice": "There is an NVIDIA GPU, but torch {version} is a build without CUDA, so "
        "training runs on the CPU. Choose your system and CUDA on pytorch.org, under “Get started”, and run the pip "
        "command it shows in this environment, with `--force-reinstall`.",
    },
    "ko": {
        "accelerator.good": "가속기: {name}이(가) 작동하며, `--device auto`가 이것(`{device}`)을 사용합니다.",
        "accelerator-none.good": "GPU가 없어 CPU로 학습합니다. 레시피 `quick`은 CPU에 맞추어 만든 것입니다.",
        "accelerator-absent.advice": "torch {version}은(는) 용량이 큰 CUDA용인데 GPU가 보이지 않습니다. 학습은 CPU로 "
        "잘 됩니다. CPU 전용 torch로 바꾸면 몇 GB를 아낄 수 있습니다(pytorch.org의 ‘Get started’).",
        "accelerator-apple.advice": "Apple 칩이지만 torch {version}이(가) GPU를 사용하지 못합니다. Intel용이 아닌 "
        "arm64용 Python과 최신 macOS가 필요합니다. 그런 Python으로 새 환경을 만들고 `pip install torch`를 실행해 "
        "주세요.",
        "accelerator-broken.bad": "torch가 {name}을(를) 찾았지만 계산하지 못합니다: {why}. `--device cpu`를 붙이거나, "
        "pytorch.org의 ‘Get started’에서 시스템을 골라 이 GPU에 맞는 torch를 설치해 주세요.",
        "accelerator-driver.advice": "NVIDIA GPU가 있고 torch {version}도 CUDA {cuda}용이지만 사용하지 못합니다. "
        "드라이버가 오래된 경우가 많습니다. `nvidia-smi`에 나오는 CUDA 버전과 비교하여 드라이버를 업데이트하거나, "
        "pytorch.org의 ‘Get started’에서 더 낮은 CUDA용 torch를 설치해 주세요.",
        "accelerator-hidden.advice": "NVIDIA GPU가 있지만 `CUDA_VISIBLE_DEVICES`가 가리고 있습니다. GPU를 쓰려면 이 "
        "환경 변수를 해제해 주세요.",
        "accelerator-unused.advice": "NVIDIA GPU가 있지만 torch {version}은(는) CUDA 없이 빌드된 것이라 CPU로 "
        "학습합니다. pytorch.org의 ‘Get started’에서 시스템과 CUDA를 고르고, 표시되는 pip 명령에 "
        "`--force-reinstall`을 붙여 이 환경에서 실행해 주세요.",
    },
}

register_check(Check("accelerator", "env", 60, examine, SENTENCES))
