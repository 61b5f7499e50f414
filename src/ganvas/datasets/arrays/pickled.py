"""CIFAR's python batches are pickles, which can name any function to call. This reader calls nothing that they name.

It is no unpickler: it walks through the opcodes, knows those that dicts, lists, numbers, text and arrays of bytes are
written with, and puts objects of its own in the place of NumPy's. Everything else is refused.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

MARK = object()
SKIPPED = frozenset({"PROTO", "FRAME"})
VALUES = frozenset({
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES",
})  # fmt: skip
"""Opcodes that push what stands in them; strings of Python 2 come as latin-1."""
CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "MARK": lambda: MARK,
}


def load(content: bytes) -> dict[str, Any]:
    """The dict that a pickle holds: keys as text, values of plain Python, arrays uint8.

    Raises ValueError where it holds anything else, without having run any of it.
    """
    try:
        found = _walk(content)
    except Exception as error:  # a hostile file may raise anything
        raise ValueError(" ".join(str(error).split())[:200] or type(error).__name__) from error
    if not isinstance(found, dict):
        raise ValueError(f"it holds a {type(found).__name__}, not a dict")
    plain = {key: value.values if isinstance(value, _Array) else _plain(value) for key, value in found.items()}
    return {key.decode("latin-1") if isinstance(key, bytes) else str(key): value for key, value in plain.items()}


def _plain(value: Any) -> Any:
    """A value, or a list of values. Deeper ones that hold each other twice could be of any size."""
    items = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(item, list | tuple | dict | _Array) for item in items):
        raise ValueError("it holds lists within lists")
    return value


class _Array:
    """In the place of numpy.ndarray: made by `_reconstruct`, filled by BUILD."""

    values: NDArray[np.uint8] | None = None

    def fill(self, state: Any) -> None:
        _, shape, kind, fortran, content = state
        if not isinstance(kind, _Dtype) or not isinstance(content, str | bytes):
            raise ValueError("an array of other values than bytes")
        plain = content.encode("latin-1") if isinstance(content, str) else content
        self.values = np.frombuffer(plain, np.uint8).reshape(shape, order="F" if fortran else "C")


class _Dtype:
    """In the place of numpy.dtype: unsigned bytes are all that is known."""

    def fill(self, state: Any) -> None:
        """Byte order and the like mean nothing for bytes."""


def _reconstruct(*_: Any) -> _Array:
    return _Array()


def _ndarray(*_: Any) -> _Array:
    raise ValueError("an array that is made in another way than NumPy pickles it")


def _dtype(name: Any, *_: Any) -> _Dtype:
    if name != "u1":
        raise ValueError(f"an array of {name if isinstance(name, str) else 'another type'}, not of bytes")
    return _Dtype()


def _latin_bytes(text: str, encoding: str) -> bytes:
    """Python 3 writes bytes so in protocols 0 to 2."""
    if encoding != "latin1":
        raise ValueError("bytes in another encoding than Latin-1")
    return text.encode("latin-1")


STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _latin_bytes,
}


def _walk(content: bytes) -> Any:
    """What is on the stack at the end."""
    stack: list[Any] = []
    memo: dict[Any, Any] = {}
    for opcode, argument, _ in pickletools.genops(content):
        name = opcode.name
        if name in VALUES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name]())
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            memo[len(memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(memo[argument])
        elif name == "STOP":
            return stack.pop()
        elif name not in SKIPPED:
            _step(name, argument, stack)
    raise ValueError("it is cut short")


def _step(name: str, argument: Any, stack: list[Any]) -> None:
    """One opcode that takes things from the stack."""
    if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
        size = int(name[-1])
        stack[-size:] = [tuple(stack[-size:])]
    elif name in ("TUPLE", "LIST", "DICT"):
        items = _since_mark(stack)
        stack.append(tuple(items) if name == "TUPLE" else items if name == "LIST" else _pairs(items))
    elif name in ("APPEND", "APPENDS"):
        items = [stack.pop()] if name == "APPEND" else _since_mark(stack)
        _top(stack, list).extend(items)
    elif name in ("SETITEM", "SETITEMS"):
        items = [*reversed([stack.pop(), stack.pop()])] if name == "SETITEM" else _since_mark(stack)
        _top(stack, dict).update(_pairs(items))
    elif name in ("GLOBAL", "STACK_GLOBAL"):
        words = argument.split(" ") if name == "GLOBAL" else [*reversed([stack.pop(), stack.pop()])]
        if not all(isinstance(word, str) for word in words):
            raise ValueError("it calls what is no function")
        if tuple(words) not in STAND_INS:
            raise ValueError(f"it names {'.'.join(map(str, words))}, which has no place in it")
        stack.append(STAND_INS[words[0], words[1]])
    elif name == "REDUCE":
        arguments, function = stack.pop(), stack.pop()
        if function not in STAND_INS.values():
            raise ValueError("it calls what is no function")
        stack.append(function(*arguments))
    elif name == "BUILD":
        state = stack.pop()
        _top(stack, _Array | _Dtype).fill(state)
    else:
        raise ValueError("it holds more than arrays, lists and numbers")


def _top(stack: list[Any], kind: Any) -> Any:
    if not isinstance(stack[-1], kind):
        raise ValueError("it changes what is no list, dict or array")
    return stack[-1]


def _since_mark(stack: list[Any]) -> list[Any]:
    items = []
    while (item := stack.pop()) is not MARK:
        items.append(item)
    return items[::-1]


def _pairs(items: list[Any]) -> dict[Any, Any]:
    if not all(isinstance(key, str | bytes | int) for key in items[::2]):  # hashing tuples of tuples may never end
        raise ValueError("it has keys that are no text")
    return dict(zip(items[::2], items[1::2], strict=True))
