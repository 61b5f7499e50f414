"""torch.compile of the networks, or of the whole update (Ansel et al. 2024, "PyTorch 2")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from ganvas.errors import UsageError

if TYPE_CHECKING:
    from ganvas.training.objective import Objective
    from ganvas.training.step import Networks, UpdateResult

Compute = Callable[..., "UpdateResult"]


def compiled(
    what: Literal["off", "networks", "step"], compute: Compute, objective: Objective
) -> tuple[Callable[[Networks], Networks], Compute]:
    """How an update gets its networks, and the update itself, with compiled what is to be.

    Where the update draws random numbers, or takes a gradient of what was computed before, one graph ends and the next
    begins: the update is compiled in pieces.
    """
    if what == "off":
        return lambda networks: networks, compute
    import torch._dynamo
    import torch._functorch.config

    # one backward graph serves two gradients: what the first one leaves must stay
    torch._functorch.config.donated_buffer = False
    if what == "networks":
        return _Compiled(), compute
    if not hasattr(torch._dynamo.config, "trace_autograd_ops"):
        raise UsageError(f"engine.compile = step: torch {torch.__version__} compiles no gradients; use networks")
    torch._dynamo.config.trace_autograd_ops = True
    # nothing compiled can be differentiated twice
    objective.exact = torch._dynamo.disable(objective.exact)  # type: ignore[method-assign, no-untyped-call]
    return lambda networks: networks, torch.compile(compute)


class _Compiled:
    """Networks whose forward and backward passes are compiled: their weights are the same tensors."""

    def __init__(self) -> None:
        self.of: dict[int, Any] = {}

    def __call__(self, networks: Networks) -> Networks:
        G, D = (self.of.setdefault(id(x), torch.compile(x)) for x in (networks.generator, networks.discriminator))
        return replace(networks, generator=G, discriminator=D)


def eager(network: nn.Module) -> nn.Module:
    """The network as it was before it was compiled: compiled ones cannot be differentiated twice."""
    return getattr(network, "_orig_mod", network)


def check_compiler(device: str) -> None:
    """UsageError where torch.compile has nothing here to compile with."""
    off = "or use --engine.compile off"
    if device == "cuda":
        from torch.utils._triton import has_triton

        if not has_triton():
            raise UsageError(f"engine.compile on a GPU needs Triton: pip install triton, {off}")
        return
    from torch._inductor.cpp_builder import get_cpp_compiler

    try:
        get_cpp_compiler()
    except Exception as error:  # each system has an error of its own
        raise UsageError(f"engine.compile on a CPU needs a C++ compiler: install g++ or set CXX, {off}") from error
