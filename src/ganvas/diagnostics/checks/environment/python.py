"""Whether this Python is one that ganvas is tested with."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator

from ganvas.diagnostics.checks.check import Check, Result, register_check
from ganvas.diagnostics.checks.environment.system import Installation, dotted

OLDEST, NEWEST = (3, 11), (3, 13)
"""The first and the last Python that the tests run with (constraints.txt)."""


def examine(installation: Installation) -> Iterator[Result]:
    """Compare the version."""
    version, here = platform.python_version(), sys.version_info[:2]
    if here < OLDEST:
        yield Result("python", "bad", {"version": version, "first": dotted(OLDEST)})
    elif here > NEWEST:
        yield Result("python", "advice", {"version": version, "first": dotted(OLDEST), "last": dotted(NEWEST)})
    else:
        yield Result("python", "good", {"version": version})


SENTENCES = {
    "en": {
        "python.good": "Python {version}.",
        "python.advice": "Python {version} is newer than those ganvas is tested with ({first} to {last}). If "
        "something fails, try one of these first.",
        "python.bad": "Python {version} is too old: ganvas needs {first} or newer. Make a new environment with a "
        "newer Python.",
    },
    "ko": {
        "python.good": "Python {version}.",
        "python.advice": "Python {version}은(는) ganvas를 검사한 버전({first} ~ {last})보다 새것입니다. 문제가 생기면 "
        "먼저 이 버전 가운데 하나로 시도해 보세요.",
        "python.bad": "Python {version}은(는) 너무 오래되었습니다. ganvas에는 {first} 이상이 필요하므로 그 버전으로 "
        "새 가상 환경을 만들어 주세요.",
    },
}

register_check(Check("python", "env", 10, examine, SENTENCES))
