"""Whole updates captured once and replayed: a CUDA graph, or on a CPU a stand-in that checks what one would need.

A graph repeats kernels at the addresses and with the values that they had. So each kind of update (penalties due or
not, parts of the augmentation on or off) gets buffers of its own, into which every batch is copied; and what changes
from update to update (learning rates, the average's weight, strengths) is a number of the device.

The stand-in computes every update as usual. It raises where an update reads a value, or where a kernel, its shapes, its
addresses or a value of Python are not those of the first update of its kind: a graph would not have seen the change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import is_dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from ganvas.errors import GanvasError
from ganvas.training.batch import Batch
from ganvas.training.engine.reads import Kernels, no_reads
from ganvas.training.schedules import Number

if TYPE_CHECKING:
    from ganvas.training.checkpoint import TrainState
    from ganvas.training.step import UpdateResult

Kernel = tuple[Any, ...]
"""The name of a kernel, then its arguments: a tensor as (shape, dtype, address; None where the update made it)."""
Compute = Callable[["TrainState", Sequence[Batch], Number], "UpdateResult"]


class Graphs:
    """`compute`, captured for each kind of update that it meets."""

    def __init__(self, compute: Compute, generators: Sequence[torch.Generator], device: torch.device) -> None:
        self.compute, self.generators, self.device = compute, generators, device
        self.kinds: dict[Any, _Graph | _Checked] = {}

    def __call__(self, state: TrainState, batches: Sequence[Batch], weight: float) -> UpdateResult:
        """One update from these batches; `weight` as in optim.update_ema. The result is overwritten by the next one."""
        numbers = torch.tensor([weight, *(x for batch in batches for x in _numbers(batch))], dtype=torch.float64)
        given = {name: x for i, batch in enumerate(batches) for name, x in _tensors(batch, str(i)).items()}
        due = [(batch.penalised, batch.classified) for batch in batches]
        kind = (id(state), tuple(due), tuple((name, x.shape, x.stride(), x.dtype) for name, x in given.items()))
        if kind not in self.kinds:
            buffers = {name: torch.empty_like(x) for name, x in given.items()}
            at = torch.empty_like(numbers, device=self.device)

            def update() -> UpdateResult:
                parts = [_filled(batch, str(i), buffers) for i, batch in enumerate(batches)]
                numbered = map(_numbered, parts, torch.split(at[1:], 3), due)
                return self.compute(state, list(numbered), at[0])

            make = _Graph if self.device.type == "cuda" else _Checked
            self.kinds[kind] = make(update, [*buffers.values(), at], self.generators)
        return self.kinds[kind](list(given.values()), numbers)


def _numbers(batch: Batch) -> tuple[Number, Number, Number]:
    return batch.penalty_scale, batch.classify_scale, batch.progress


def _parts(x: Any) -> dict[str, Any]:
    """What a dataclass or a tuple is made of, by name."""
    if is_dataclass(x):
        return vars(x)
    return {str(i): part for i, part in enumerate(x)} if isinstance(x, tuple) else {}


def _tensors(x: Any, name: str) -> dict[str, Tensor]:
    """Every tensor in a batch, by the way to it."""
    if isinstance(x, Tensor):
        return {name: x}
    return {k: v for key, part in _parts(x).items() for k, v in _tensors(part, f"{name}.{key}").items()}


def _filled(x: Any, name: str, tensors: dict[str, Tensor]) -> Any:
    """The same batch with these tensors in their places."""
    if isinstance(x, Tensor):
        return tensors[name]
    parts = {key: _filled(part, f"{name}.{key}", tensors) for key, part in _parts(x).items()}
    if isinstance(x, tuple):
        return type(x)(*parts.values()) if hasattr(x, "_fields") else tuple(parts.values())
    return replace(x, **parts) if parts else x


def _numbered(batch: Batch, numbers: Tensor, due: tuple[bool, bool]) -> Batch:
    """The batch with its numbers on the device; what is not due stays 0."""
    return replace(
        batch,
        penalty_scale=numbers[0].float() if due[0] else 0.0,
        classify_scale=numbers[1].float() if due[1] else 0.0,
        progress=numbers[2],
    )


class _Graph:
    """The CUDA graph of an update. The first update runs as usual and warms up, the second one is captured."""

    def __init__(
        self, update: Callable[[], UpdateResult], buffers: Sequence[Tensor], generators: Sequence[torch.Generator]
    ) -> None:
        self.update, self.buffers = update, buffers
        self.graph, self.warm = torch.cuda.CUDAGraph(), False
        self.result: UpdateResult | None = None
        for generator in generators:
            self.graph.register_generator_state(generator)

    def __call__(self, tensors: Sequence[Tensor], numbers: Tensor) -> UpdateResult:
        for buffer, given in zip(self.buffers, (*tensors, numbers.pin_memory()), strict=True):
            buffer.copy_(given, non_blocking=True)
        if not self.warm:
            self.warm, stream = True, torch.cuda.Stream()  # type: ignore[no-untyped-call]
            stream.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(stream):
                result = self.update()
            torch.cuda.current_stream().wait_stream(stream)
            return result
        if self.result is None:
            with torch.cuda.graph(self.graph):
                self.result = self.update()
        self.graph.replay()
        return self.result


class _Checked:
    """The stand-in on a CPU: the first update is written down, kernel by kernel; every other one must repeat it."""

    def __init__(
        self, update: Callable[[], UpdateResult], buffers: Sequence[Tensor], generators: Sequence[torch.Generator]
    ) -> None:
        self.update, self.buffers, self.first = update, buffers, Tape()

    def __call__(self, tensors: Sequence[Tensor], numbers: Tensor) -> UpdateResult:
        for buffer, given in zip(self.buffers, (*tensors, numbers), strict=True):
            buffer.copy_(given)
        tape = Tape(self.first.kernels)
        with no_reads(tape):
            result = self.update()
        tape.finish()
        self.first = self.first if self.first.kernels else tape
        return result


class Tape(Kernels):  # type: ignore[no-untyped-call]
    """The kernels of an update in their order: shapes, values of Python, and addresses of what was there before.

    With the kernels of an earlier update, GanvasError at the first one that differs.
    """

    def __init__(self, expected: Sequence[Kernel] = ()) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kernels: list[Kernel] = []
        self.expected = expected
        self.made: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kernel = (str(func), *(self._described(x) for x in tree_leaves((args, kwargs or {}))))
        at = len(self.kernels)
        if self.expected and (at >= len(self.expected) or self.expected[at] != kernel):
            raise _differs(at, kernel, self.expected[at] if at < len(self.expected) else ("the end",))
        self.kernels.append(kernel)
        result = super().__torch_dispatch__(func, types, args, kwargs)
        before = {_address(x) for x in tree_leaves((args, kwargs or {})) if isinstance(x, Tensor)}
        self.made |= {_address(x) for x in tree_leaves(result) if isinstance(x, Tensor)} - before
        return result

    def finish(self) -> None:
        """GanvasError where the update had fewer kernels than the earlier one."""
        if self.expected and len(self.kernels) < len(self.expected):
            raise _differs(len(self.kernels), ("the end",), self.expected[len(self.kernels)])

    def _described(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            return "a generator" if isinstance(x, torch.Generator) else x if isinstance(x, int | float) else str(x)
        return (tuple(x.shape), str(x.dtype), None if _address(x) in self.made else _address(x))


def _address(x: Tensor) -> int:
    return x.untyped_storage().data_ptr()


def _differs(at: int, found: Kernel, expected: Kernel) -> GanvasError:
    what = f"{found[0]} instead of {expected[0]}"
    if found[0] == expected[0]:
        pairs = [f"{a} instead of {b}" for a, b in zip(found[1:], expected[1:], strict=False) if a != b]
        what = f"{found[0]} gets {pairs[0] if pairs else 'other arguments'}"
    return GanvasError(f"engine.graph: kernel {at + 1} of an update changed, unseen by a captured one: {what}")
