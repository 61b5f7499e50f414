"""CIFAR's python batches are pickles, which can name any function to call. This reader calls nothing that they name.

It knows the few opcodes that dicts, lists, numbers, text and arrays of bytes are written with, and puts objects of its
own in the place of NumPy's; everything else is refused before anything is made of it.
"""

from __future__ import annotations

import io
import pickle
import pickletools
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

OPCODES = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "POP", "NONE", "NEWTRUE", "NEWFALSE", "INT", "BININT", "BININT1", "BININT2",
    "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES", "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
    "EMPTY_LIST", "LIST", "APPEND", "APPENDS", "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "PUT", "BINPUT",
    "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET", "MEMOIZE", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD",
})  # fmt: skip


def load(content: bytes) -> dict[str, Any]:
    """The dict that a pickle holds: keys as text, values of plain Python, arrays uint8.

    Raises ValueError where it holds anything else, without having run any of it.
    """
    try:
        found = _Reader(io.BytesIO(content), encoding="bytes").load()
    except Exception as error:  # a hostile file may raise anything
        raise ValueError(str(error) or type(error).__name__) from error
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, not a dict")
    plain = {key: value.values if isinstance(value, _Array) else value for key, value in found.items()}
    return {key.decode("latin-1") if isinstance(key, bytes) else str(key): value for key, value in plain.items()}


class _Array:
    """In the place of numpy.ndarray: made by `_reconstruct`, filled by BUILD."""

    values: NDArray[np.uint8] | None = None

    def fill(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        if not isinstance(kind, _Dtype) or not isinstance(content, bytes):
            raise ValueError("an array of other values than bytes")
        self.values = np.frombuffer(content, np.uint8).reshape(shape, order="F" if fortran else "C")


class _Dtype:
    """In the place of numpy.dtype: unsigned bytes are all that is known."""

    def fill(self, state: Any) -> None:
        """Byte order and the like mean nothing for bytes."""


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _ndarray(*_: Any) -> _Array:
    raise ValueError("an array that is made in another way than NumPy pickles it")


def _dtype(name: Any, *_: Any) -> _Dtype:
    if name not in ("u1", b"u1"):
        raise ValueError(f"an array of {name!r}, not of bytes")
    return _Dtype()


def _latin_bytes(text: str, encoding: str) -> bytes:
    """Python 3 writes bytes so in protocols 0 to 2."""
    if encoding not in ("latin1", b"latin1"):
        raise ValueError(f"bytes encoded as {encoding!r}")
    return text.encode("latin-1")


STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _latin_bytes,
}


class _Reader(pickle._Unpickler):
    """Python's own unpickler written in Python, with only OPCODES and STAND_INS."""

    stack: list[Any]

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        if (module, name) not in STAND_INS:
            raise ValueError(f"it names {module}.{name}, which has no place in it")
        return STAND_INS[module, name]

    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if function not in STAND_INS.values():
            raise ValueError("it calls what is no function")
        self.stack[-1] = function(*arguments)

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, _Array | _Dtype):
            raise ValueError("it changes what is no array")
        target.fill(state)

    def refuse(self) -> None:
        raise ValueError("it holds more than arrays, lists and numbers")

    dispatch: ClassVar[Any] = dict.fromkeys((ord(opcode.code) for opcode in pickletools.opcodes), refuse)
    for _opcode in pickletools.opcodes:
        if _opcode.name in OPCODES:
            dispatch[ord(_opcode.code)] = pickle._Unpickler.dispatch[ord(_opcode.code)]
    dispatch |= {pickle.REDUCE[0]: reduce, pickle.BUILD[0]: build}
