"""Counts the arithmetic and the memory of what runs inside it; nothing has to be computed for that.

Under torch's FakeTensorMode tensors have shapes and no values, so an update of any size is counted in seconds.
"""

from __future__ import annotations

import math
import weakref
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

aten = torch.ops.aten


class Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Sums the FLOP of products, and follows the bytes of all tensors that are alive.

    One multiplication with its addition is two FLOP. Counted are convolutions, products of matrices, and of matrices
    with vectors; not what is done to each value alone. A multiplication with padding counts.

    torch's own FlopCounterMode is not used: its hooks on modules break where a gradient is differentiated again, and it
    counts the weight gradient of a convolution in groups as if it had one group.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flop = 0
        self.bytes = 0
        """Of the tensors made inside that are alive now."""
        self.most_bytes = 0
        """The largest `bytes` has been."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.flop += flop_of(func, args, kwargs or {}, out)
        if all(returned.alias_info is None for returned in func._schema.returns):  # no view, nothing in place
            for tensor in tree_leaves(out):
                if isinstance(tensor, Tensor):
                    self._made(tensor)
        return out

    def _made(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        self.bytes += storage.nbytes()
        self.most_bytes = max(self.most_bytes, self.bytes)
        weakref.finalize(storage, self._freed, storage.nbytes())

    def _freed(self, n: int) -> None:
        self.bytes -= n


def flop_of(func: Any, args: Any, kwargs: Any, out: Any) -> int:
    """FLOP of one call of an operator of torch; 0 for one that is no product."""
    match func._overloadpacket:
        case aten.convolution | aten._convolution:
            x, weight, transposed = args[0], args[1], args[6]
            return _convolution(weight, x if transposed else out)
        case aten.convolution_backward:
            gradient, x, weight, transposed, wanted = args[0], args[1], args[2], args[7], args[10]
            # The gradient of the inputs, like that of the weights, has the products of the way forward
            return int(wanted[0] + wanted[1]) * _convolution(weight, x if transposed else gradient)
        case aten.mv:
            return 2 * int(math.prod(args[0].shape))
        case packet:
            formula = flop_registry.get(packet)
            return int(formula(*args, **kwargs, out_val=out)) if formula else 0


def _convolution(weight: Tensor, at: Tensor) -> int:
    """Every weight is used once at each pixel of the smaller side `at` [n, c, h, w], of each image."""
    return 2 * len(at) * math.prod(at.shape[2:]) * weight.numel()
