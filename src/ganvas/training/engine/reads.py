"""What makes the host wait for the device: reading a tensor's value, and making a tensor from the host's values.

A CPU never waits, so that nothing shows there. `no_reads` raises instead: what passes on a CPU can run ahead of a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from ganvas.errors import GanvasError

# fmt: off
CALLS = frozenset({
    "__array__", "__bool__", "__complex__", "__contains__", "__float__", "__index__", "__int__", "as_tensor",
    "asarray", "cpu", "item", "numpy", "tensor", "tolist",
})
"""Functions that read, or send values of the host, and that leave no trace among the kernels of a CPU."""
KERNELS = frozenset({
    "_local_scalar_dense", "_unique2", "equal", "is_nonzero", "masked_select", "nonzero", "unique_consecutive",
    "unique_dim",
})
# fmt: on
"""Kernels whose result, or its shape, is only known once the device has computed it."""


class HostReadError(GanvasError):
    """Something reads a value where nothing may."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} makes the host wait for the device in the middle of an update")


class _Calls(TorchFunctionMode):
    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in CALLS and not (name == "as_tensor" and isinstance(args[0], Tensor)):
            raise HostReadError(name)
        return func(*args, **(kwargs or {}))


class Kernels(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Raises HostReadError for kernels that read; on a GPU for copies to the host as well."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if (why := reading(func, args, kwargs)) is not None:
            raise HostReadError(why)
        return func(*args, **kwargs)


def reading(func: Any, args: Any, kwargs: Any) -> str | None:
    """The name of a kernel that reads, None for any other."""
    name = func.overloadpacket.__name__
    if name in KERNELS or (name == "repeat_interleave" and not kwargs.get("output_size")):
        return str(name)
    if name in ("index", "index_put", "index_put_", "_index_put_impl_"):
        by_mask = any(isinstance(x, Tensor) and x.dtype in (torch.bool, torch.uint8) for x in args[1])
        return f"{name} by a mask" if by_mask else None
    source = args[1] if name == "copy_" else args[0] if name == "_to_copy" else None
    target = args[0].device if name == "copy_" else kwargs.get("device") if name == "_to_copy" else None
    if isinstance(source, Tensor) and source.device.type != "cpu" and target is not None and target.type == "cpu":
        return f"{name} to the host"
    return None


@contextmanager
def no_reads(kernels: TorchDispatchMode | None = None) -> Iterator[None]:
    """Raise HostReadError where code within makes the host wait; `kernels`: who watches the kernels."""
    with _Calls(), kernels or Kernels():  # type: ignore[no-untyped-call]
        yield
