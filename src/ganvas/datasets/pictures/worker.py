"""Processes that decode pictures: `python -m ganvas.datasets.pictures.worker`, fed through pipes.

Threads do not help with small pictures, for which Pillow holds Python's lock most of the time; multiprocessing would
run the user's script again. A file that ends its process is skipped like any that cannot be read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any, NamedTuple

import numpy as np

from ganvas.datasets.pictures.decode import File, Form, Part, Span, bombs_are_errors, content_of, decode_files
from ganvas.datasets.scale import Scale

PIPE = 1 << 20
"""Bytes that a pipe holds."""


class OnDisk(NamedTuple):
    """A file for the process to read itself."""

    path: str


class Worker:
    """A process that decodes files one part after another. OSError where none can be started."""

    def __init__(self, form: Form) -> None:
        self.form = form
        self.process = self._start()

    def decode(self, contents: Sequence[bytes | str | OnDisk]) -> Part:
        """As decode_files; a file on disk may be given by its path. A file that ends the process has a problem."""
        try:
            return self._ask(contents)
        except (OSError, EOFError, ValueError):
            self.close()
            self.process = self._start()
        if len(contents) == 1:
            return decode_files(["its decoder crashed"], self.form)
        half = len(contents) // 2
        first, second = self.decode(contents[:half]), self.decode(contents[half:])
        return Part(np.concatenate([first.images, second.images]), first.files + second.files)

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self.process.stdin.close()  # type: ignore[union-attr]
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()  # type: ignore[union-attr]

    def _start(self) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path or os.getcwd() for path in sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        assert process.stdin is not None
        with suppress(ImportError, AttributeError, OSError):  # Linux: fewer turns for each part
            import fcntl

            for pipe in (process.stdin, process.stdout):
                fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE)  # type: ignore[arg-type,unused-ignore]
        with suppress(OSError):  # it shows when the first part is sent
            _send(process.stdin, asdict(self.form))
            process.stdin.flush()
        return process

    def _ask(self, contents: Sequence[bytes | str | OnDisk]) -> Part:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None and stdout is not None
        _send(stdin, [_item(content) for content in contents])
        for content in contents:
            if isinstance(content, bytes):
                stdin.write(content)
        stdin.flush()
        files = [
            File([(w, h) for w, h in shapes], [Span(*span) for span in spans], left_out, pages, problem)
            for shapes, spans, left_out, pages, problem in _receive(stdout)
        ]
        images = np.empty((sum(file.n for file in files), 3, self.form.size, self.form.size), np.uint8)
        if images.size and stdout.readinto(images.reshape(-1).data) < images.nbytes:  # type: ignore[attr-defined]
            raise EOFError
        return Part(images, files)


def _item(content: bytes | str | OnDisk) -> int | str | OnDisk:
    """How a content is announced: its length, why there is none, or where it is."""
    return len(content) if isinstance(content, bytes) else content


def _taken(item: int | str | list[str], pipe: IO[bytes]) -> bytes | str:
    """The content that `_item` announced."""
    if isinstance(item, list):
        return content_of(lambda: open(item[0], "rb"))
    return pipe.read(item) if isinstance(item, int) else item


def _send(pipe: IO[bytes], values: Any) -> None:
    pipe.write(json.dumps(values).encode() + b"\n")


def _receive(pipe: IO[bytes]) -> Any:
    line = pipe.readline()
    if not line.endswith(b"\n"):
        raise EOFError
    return json.loads(line)


def main() -> None:
    """Decode what comes on stdin until it ends."""
    stdin, stdout = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", 1 << 20)
    os.dup2(2, 1)  # whatever a library prints must not stand between the answers
    values = _receive(stdin)
    form = Form(**{**values, "scales": {kind: Scale(**scale) for kind, scale in values["scales"].items()}})
    with bombs_are_errors(), suppress(EOFError, KeyboardInterrupt):
        while True:
            contents = [_taken(item, stdin) for item in _receive(stdin)]
            images, files = decode_files(contents, form)
            _send(stdout, files)
            stdout.write(images.data if images.size else b"")
            stdout.flush()


if __name__ == "__main__":
    main()
