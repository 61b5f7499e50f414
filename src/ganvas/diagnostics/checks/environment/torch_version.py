"""Whether torch imports and is new enough."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import Installation, dotted

OLDEST = (2, 6)
"""The oldest torch that the package accepts (pyproject.toml): the first with `torch.nn.utils.get_total_norm`."""


def examine(installation: Installation) -> Iterator[Result]:
    """Absent, broken, too old, or good."""
    if installation.torch is None and not installation.error:
        yield Result("torch-absent", "bad", {"least": dotted(OLDEST)})
    elif installation.torch is None:
        yield Result("torch-broken", "bad", {"why": installation.error, "least": dotted(OLDEST)})
    else:
        version = str(installation.torch.__version__)
        if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < OLDEST:
            yield Result("torch", "bad", {"version": version, "least": dotted(OLDEST)})
        else:
            yield Result("torch", "good", {"version": version})


SENTENCES = {
    "en": {
        "torch.good": "torch {version} imports.",
        "torch.bad": "torch {version} is too old: ganvas needs {least} or newer. Run `pip install --upgrade "
        "'torch>={least}'` in this environment.",
        "torch-absent.bad": "torch is not installed in this environment; training needs it. Run `pip install "
        "'torch>={least}'`.",
        "torch-broken.bad": "torch is installed but does not import: {why}. Install it again: `pip install "
        "--force-reinstall 'torch>={least}'`.",
    },
    "ko": {
        "torch.good": "torch {version}을(를) 불러올 수 있습니다.",
        "torch.bad": "torch {version}은(는) 너무 오래되었습니다. ganvas에는 {least} 이상이 필요합니다. 이 환경에서 "
        "`pip install --upgrade 'torch>={least}'`를 실행해 주세요.",
        "torch-absent.bad": "이 환경에 torch가 설치되어 있지 않아 학습할 수 없습니다. `pip install "
        "'torch>={least}'`를 실행해 주세요.",
        "torch-broken.bad": "torch가 설치되어 있지만 불러올 수 없습니다: {why}. `pip install --force-reinstall "
        "'torch>={least}'`로 다시 설치해 주세요.",
    },
}

register_check(Check("torch", "env", 20, examine, SENTENCES))
