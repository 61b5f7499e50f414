"""How a command fails: one line on stderr and an exit code; the traceback of what nobody expected goes to a file."""

from __future__ import annotations

import errno
import os
import platform
import re
import sys
import tempfile
import traceback

from ganvas import __version__
from ganvas.cli import streams
from ganvas.errors import GanvasError, UsageError
from ganvas.terminal import show

LONGEST = 300
"""Characters of another library's message that are shown."""

MOST = 4000
"""Characters of any message that are shown."""

MEMORY = re.compile(
    r"allocate memory|bad_alloc|not enough memory|out of memory|failed to map segment|unable to allocate"
    r"|size calculation overflowed|multiplication overflow|unable to mmap",
    re.IGNORECASE,
)
THREADS = re.compile(r"can't start new thread|thread creation failed|pthread_create", re.IGNORECASE)
FILES = re.compile(r"too many open files", re.IGNORECASE)

OUT_OF_MEMORY = (
    "out of memory: lower --step.batch, the networks' widths, --size or --limit (--n when sampling or evaluating), or "
    "free memory"
)
NO_THREADS = "the system lets this process start no more threads or processes: close others, or raise ulimit -u"
TOO_MANY_FILES = "too many open files: raise ulimit -n"


def tell(error: BaseException) -> int:
    """Print one line about the exception that ended a command; returns the exit code.

    Of several processes that train together, the first that fails prints it.
    """
    if isinstance(error, KeyboardInterrupt):
        line, code = "interrupted", 130
    elif isinstance(error, GanvasError):
        line, code = str(error), 2 if isinstance(error, UsageError) else 1
    elif isinstance(error, BrokenPipeError):
        streams.discard()
        return 1
    else:
        line, code = _exhausted(error) or _system(error) or _unexpected(error), 1
    ranks = sys.modules.get("ganvas.ranks")
    if ranks is not None and not ranks.first_to_tell():
        return code
    show(f"ganvas: {line if len(line) <= MOST else f'{line[:MOST]} ...'}", file=sys.stderr)
    return code


def _exhausted(error: BaseException) -> str | None:
    """The line where a limit of the machine or of this process was reached, whichever library met it."""
    number, text = getattr(error, "errno", None), str(error)
    if isinstance(error, MemoryError) or number == errno.ENOMEM or MEMORY.search(text):
        return OUT_OF_MEMORY
    if number == errno.EAGAIN or THREADS.search(text):
        return NO_THREADS
    if number in (errno.EMFILE, errno.ENFILE) or FILES.search(text):
        return TOO_MANY_FILES
    return None


def _system(error: BaseException) -> str | None:
    """The line for an error of the operating system, such as a full disk."""
    if not isinstance(error, OSError):
        return None
    hint = "; free some space" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
    return f"{os.fsdecode(error.filename or 'input/output')}: {error.strerror or error}{hint}"


def _unexpected(error: BaseException) -> str:
    """The line for a fault of ours, with the file that holds its traceback."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    what = f"{type(error).__name__}: {first}" if first else type(error).__name__
    if len(what) > LONGEST:
        what = f"{what[:LONGEST]} ..."
    saved = _save_traceback(error)
    where = f"details in {saved}; please report it with that file" if saved else "--debug shows details"
    return f"unexpected error: {what}; {where}"


def _save_traceback(error: BaseException) -> str | None:
    """The traceback, with command and versions, in a new file of the temporary folder; None where none can be made."""
    about = f"ganvas {__version__}, Python {platform.python_version()}, {platform.platform()}\n{sys.argv!r}\n\n"
    text = about + "".join(traceback.format_exception(error))
    try:
        handle, path = tempfile.mkstemp(prefix="ganvas-error-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return None
    return path
