"""Trainings that were started from the browser: each is a process of the command line, as if typed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from ganvas.errors import UsageError
from ganvas.terminal import printable

PATIENCE = 60.0
"""Seconds that a training may take to save itself when all are stopped."""
TAIL = 20_000
"""Bytes of what it printed that are read."""
ENDED = (0, 130, 143)
"""Exit codes of a training that finished, or that was stopped and saved."""

State = Literal["running", "ended", "failed"]


@dataclass
class Training:
    """A process that trains, or did."""

    name: str
    """Of its run, or what it does for others."""
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    """All that it prints."""
    started: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    trains: bool = True
    """Whether it is the training of the run of that name."""
    stopping: bool = False
    dismissed: bool = False

    @property
    def state(self) -> State:
        """What the process does; a training that was stopped and saved has ended."""
        code = self.process.poll()
        return "running" if code is None else "ended" if code in ENDED else "failed"

    @property
    def line(self) -> str:
        """The last line that it printed, as one readable line: the reason where it failed or was killed."""
        size = os.fstat(self.output.fileno()).st_size
        text = os.pread(self.output.fileno(), TAIL, max(0, size - TAIL)).decode("utf-8", "replace")
        lines = [part.strip() for line in text.splitlines() for part in line.split("\r") if part.strip()]
        if (killed := -(self.process.poll() or 0)) > 0:
            lines.append(": ".join([signal.strsignal(killed) or str(killed), *lines[-1:]]))
        return printable(lines[-1])[:500] if lines else ""

    def close(self) -> None:
        """Forget what it printed, once it has ended."""
        if self.process.poll() is not None:
            self.output.close()

    def stop(self) -> None:
        """What Ctrl+C does: it saves itself and ends. A second time does nothing."""
        if self.process.poll() is None and not self.stopping:
            self.stopping = True
            self.process.send_signal(signal.SIGINT)


class Trainings:
    """Those that were started here, newest last."""

    def __init__(self, most: int | None = None) -> None:
        self.most = most or max(1, os.cpu_count() or 1)
        """That may run at a time."""
        self.all: list[Training] = []
        self._starting = threading.Lock()

    def running(self) -> list[Training]:
        """Those whose process is alive."""
        return [training for training in self.all if training.state == "running"]

    def of(self, name: str) -> Training | None:
        """The last one of that run."""
        return next((training for training in reversed(self.all) if training.name == name), None)

    def start(self, name: str, words: Sequence[str], folder: Path, trains: bool = True) -> Training:
        """Run `ganvas WORDS` for the run of that name, in `folder`. UsageError where too many run already."""
        with self._starting:
            if len(self.running()) >= self.most:
                raise UsageError(f"{len(self.running())} trainings run already: stop one first, or wait")
            if (last := self.of(name)) is not None and last.state == "running":
                raise UsageError(f"{name} is in training already")
            output = tempfile.TemporaryFile()  # noqa: SIM115 (it lives as long as the training is shown)
            process = subprocess.Popen(
                [sys.executable, "-m", "ganvas", *words], stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, cwd=folder, env=_environment(), start_new_session=True,
            )  # fmt: skip
            self.all.append(Training(name, process, output, trains=trains))
            return self.all[-1]

    def stop_all(self, patience: float = PATIENCE) -> list[Training]:
        """Stop and save every one that runs; returns them. Who has not ended by then is left to end by itself."""
        stopped = self.running()
        for training in stopped:
            training.stop()
        end = time.monotonic() + patience
        for training in stopped:
            try:
                training.process.wait(max(0.0, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                continue
        for training in self.all:
            training.close()
        return stopped


def _environment() -> dict[str, str]:
    """This process's own, with a path on which the same ganvas is found from any folder."""
    found = dict(os.environ)
    package = str(Path(__file__).parents[2])
    paths = [package, *filter(None, found.get("PYTHONPATH", "").split(os.pathsep))]
    return {**found, "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(os.path.abspath, paths)))}
