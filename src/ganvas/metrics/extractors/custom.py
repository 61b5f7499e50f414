"""The user's own features: a TorchScript file, or a Python function named as package.module:function.

Either takes images, uint8 [n, c, h, w], and gives vectors [n, d], or a pair of them and of class probabilities [n, k].
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import io
import re
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from ganvas.errors import GanvasError
from ganvas.metrics.extractors.base import Extractor

RESIZE = "the user's own"
FUNCTION = re.compile(r"[^\W\d][\w.]*:[^\W\d]\w*")
"""package.module:function. One letter before a colon is no drive: `C:\\net.pt` has no identifier after it."""


def load(name: str) -> Extractor:
    """The extractor of a path or of package.module:function; its hash is that of the file, or of the source file.

    Raises GanvasError in one line: no such file, no TorchScript in it, no such module, nothing callable of that name.
    What the network gives is checked with every batch.
    """
    return from_function(name) if FUNCTION.fullmatch(name) and not Path(name).exists() else from_file(Path(name))


def from_file(path: Path) -> Extractor:
    """The extractor that a TorchScript file holds."""
    content, digest = read(path, str(path))
    return _extractor(str(path), digest, torchscript(content, str(path)))


def from_function(name: str) -> Extractor:
    """The extractor that package.module:function names; the current folder counts among Python's paths."""
    module_name, _, function_name = name.partition(":")
    module = _imported(module_name, name)
    function = getattr(module, function_name, None)
    if not callable(function):
        what = "has no" if function is None else "has no callable"
        raise GanvasError(f"features {name}: {module_name} {what} {function_name}")
    return _extractor(name, _source_hash(module, function, name), function)


def read(path: Path, name: str, expected: str | None = None) -> tuple[bytes, str]:
    """The content of a file and its SHA-256, which must be the expected one; GanvasError otherwise."""
    try:
        content = path.expanduser().read_bytes()
    except OSError as error:
        raise GanvasError(f"features {name}: {path} cannot be read ({error.strerror})") from error
    digest = hashlib.sha256(content).hexdigest()
    if expected not in (None, digest):
        raise GanvasError(
            f"features {name}: {path} is another file (its SHA-256 is {digest[:12]}..., not {str(expected)[:12]}...)"
        )
    return content, digest


def torchscript(content: bytes, name: str) -> torch.jit.ScriptModule:
    """A TorchScript module in evaluation mode, on the CPU; its file may name any device. GanvasError: it is none."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"`torch\.jit\.load` is deprecated")  # its category differs by version
            module = torch.jit.load(io.BytesIO(content), map_location="cpu")  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise GanvasError(f"features {name}: this is no TorchScript file (torch.jit.save writes one)") from error
    scripted: torch.jit.ScriptModule = module.eval()
    return scripted


def _extractor(name: str, digest: str, function: Callable[[Tensor], Any]) -> Extractor:
    def describe(images: Tensor) -> tuple[Tensor, Tensor | None]:
        try:
            found = function(images)
        except Exception as error:  # the user's own code may raise anything
            why = (str(error).strip().splitlines() or [""])[-1]
            shape = tuple(images.shape[1:])
            raise GanvasError(f"features {name}: {type(error).__name__} on images of {shape} ({why})") from error
        vectors, probabilities = found if isinstance(found, (tuple, list)) and len(found) == 2 else (found, None)
        if not isinstance(vectors, Tensor) or not isinstance(probabilities, (Tensor, type(None))):
            kinds = ", ".join(type(item).__name__ for item in (found if isinstance(found, (tuple, list)) else [found]))
            raise GanvasError(f"features {name}: gave {kinds}, not a tensor [n, d] or a pair (vectors, probabilities)")
        if probabilities is not None:
            _check_probabilities(probabilities, len(images), name)
        return vectors, probabilities

    return Extractor(name, digest, RESIZE, describe)


def _check_probabilities(given: Tensor, n: int, name: str) -> None:
    if given.ndim != 2 or len(given) != n:
        raise GanvasError(f"features {name}: {n} images gave probabilities {tuple(given.shape)}, not [{n}, k]")
    sums = given.double().sum(1)
    if not bool((given >= 0).all() and (sums - 1).abs().max() < 1e-2):
        raise GanvasError(f"features {name}: probabilities must be 0 or more and add up to 1 (logits need a softmax)")


def _imported(module_name: str, name: str) -> ModuleType:
    importlib.invalidate_caches()
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # as `python -m` has it; last, so that it hides nothing
    try:
        return importlib.import_module(module_name)
    except Exception as error:  # an import runs the user's own code, which may raise anything
        why = (str(error).strip().splitlines() or [""])[-1]
        raise GanvasError(
            f"features {name}: {module_name} cannot be imported ({type(error).__name__}: {why})"
        ) from error


def _source_hash(module: ModuleType, function: Callable[..., Any], name: str) -> str:
    """Of the file where the function is written, which need not be the module that offers it."""
    home = sys.modules.get(function.__module__, module) if inspect.isroutine(function) else module
    file = getattr(home, "__file__", None)
    if file is None:
        raise GanvasError(f"features {name}: {home.__name__} has no file, and features need a hash of what made them")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()
