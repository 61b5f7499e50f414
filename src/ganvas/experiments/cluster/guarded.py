"""`ganvas` in a process that saves and ends when the process that started it is gone.

A worker that is killed leaves its trainings behind; each would go on beside the one that is resumed elsewhere. The
other end of this process's standard input closes with the worker, on every system.
"""

from __future__ import annotations

import os
import signal
import sys
import threading


def _end_with_starter() -> None:
    with_data = True
    while with_data:
        try:
            with_data = bool(os.read(0, 1))
        except OSError:
            with_data = False
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """`python -m ganvas.experiments.cluster.guarded VERB ...` is `ganvas VERB ...`."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    from ganvas.cli.main import main

    return main()


if __name__ == "__main__":
    sys.exit(main())
