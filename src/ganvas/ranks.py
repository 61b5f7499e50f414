"""Several processes that train one network together: what each takes of a batch, and how they add up what they have.

Rank r of N takes the rows r, r + N, r + 2 N, ... of a batch. Wherever a batch is cut or joined in numbers that N
divides (parts, the first k, real before fake), that stays so, and the order of all rows is known everywhere.

One primitive carries the mathematics: `World.sum`, whose gradient is a sum over ranks again, to any order. What is
differentiated is the sum of the losses of all ranks; each rank computes its share of that.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from ganvas.errors import GanvasError, UsageError, first_line

NEEDED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
"""What torchrun, and other launchers, put into the environment."""
JOIN_SECONDS = 120.0
"""How long processes wait for each other at the start; $GANVAS_JOIN_SECONDS."""
ANSWER_SECONDS = 25.0
"""How long a rank may be late in the middle of an update; $GANVAS_ANSWER_SECONDS."""
FAREWELL_SECONDS = 5.0
"""How long rank 0, which may hold what the others ask, waits for them before it exits."""
WITHOUT_END = timedelta(days=365)


class LostRankError(GanvasError):
    """Another rank ended, or does not answer."""


class World:
    """All ranks of a training, seen from one of them. A world of one returns what it is given."""

    def __init__(self, rank: int = 0, size: int = 1, local: int = 1, store: Any = None) -> None:
        self.rank, self.size, self.local, self.store = rank, size, local, store
        """`local`: how many of them are on this machine."""
        self.patient: Any = None
        """The group for what may take long, such as an evaluation by rank 0."""
        self.on_gpu: Any = None
        self.calls = self.bytes = 0
        """Sums over ranks so far in updates, and the bytes in them."""

    @property
    def leads(self) -> bool:
        """Whether this is rank 0, which alone writes, prints, and listens to hooks."""
        return self.rank == 0

    # -- rows of a batch ---------------------------------------------------------------------------------------

    @property
    def own(self) -> slice:
        """This rank's rows of all."""
        return slice(self.rank, None, self.size)

    def rows(self, x: Tensor) -> Tensor:
        """The rows [n, ...] of all ranks in their order: [size n, ...], differentiable."""
        if self.size == 1:
            return x
        whole = x.new_zeros(len(x) * self.size, *x.shape[1:])
        whole[self.own] = x
        return self.sum(whole)

    # -- sums --------------------------------------------------------------------------------------------------

    def sum(self, x: Tensor) -> Tensor:
        """The sum over ranks, on every rank; differentiable to any order."""
        return x if self.size == 1 else _Sum.apply(x, self)  # type: ignore[no-untyped-call]

    def mean(self, x: Tensor) -> Tensor:
        """The mean over ranks, differentiable."""
        return x if self.size == 1 else self.sum(x) / self.size

    @torch.no_grad()
    def mean_flat(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The mean over ranks of each tensor, from one sum of all of them in a row."""
        if self.size == 1 or not tensors:
            return tensors
        flat = self._add(torch.cat([x.reshape(-1) for x in tensors])).div_(self.size)
        parts = torch.split(flat, [x.numel() for x in tensors])
        return tuple(part.view(x.shape) for part, x in zip(parts, tensors, strict=True))

    def _add(self, x: Tensor, patiently: bool = False, told: bool = False) -> Tensor:
        """Replace x, which is contiguous, by its sum over ranks; `told`: it is no part of the mathematics."""
        if not told:
            self.calls, self.bytes = self.calls + 1, self.bytes + x.nbytes
        with _lost():
            dist.all_reduce(x, group=self.patient if patiently else self.on_gpu if x.is_cuda else None)
        return x

    # -- what ranks tell each other ----------------------------------------------------------------------------

    def await_first(self) -> None:
        """Let the other ranks wait, however long, until rank 0 is here as well; it does not wait for them."""
        if self.size > 1:
            self._from_first(torch.zeros(1))

    def _from_first(self, x: Tensor) -> Tensor:
        """Replace x by that of rank 0."""
        with _lost():
            dist.broadcast(x, 0, group=self.patient)
        return x

    def share(self, values: Sequence[float], patiently: bool = False) -> list[list[float]]:
        """The numbers of every rank, as many from each; `patiently`: wait for them without end."""
        if self.size == 1:
            return [list(values)]
        table = torch.zeros(self.size, len(values), dtype=torch.float64)
        table[self.rank] = torch.tensor(values, dtype=torch.float64)
        return self._add(table, patiently, told=True).tolist()

    def texts(self, text: str, patiently: bool = False) -> list[str]:
        """The text of every rank."""
        if self.size == 1:
            return [text]
        content = torch.tensor(list(text.encode()), dtype=torch.uint8)
        lengths = [int(n) for (n,) in self.share([len(content)], patiently)]
        table = torch.zeros(self.size, max(lengths), dtype=torch.uint8)
        table[self.rank, : len(content)] = content
        self._add(table, patiently, told=True)
        return [bytes(row[:n].tolist()).decode() for row, n in zip(table, lengths, strict=True)]

    def first(self, make: Callable[[], Any]) -> Any:
        """What rank 0 makes, a JSON value, on every rank."""
        if self.size == 1:
            return make()
        return json.loads(self.broadcast(json.dumps(make()).encode() if self.leads else b""))

    def broadcast(self, content: bytes) -> bytes:
        """The bytes of rank 0, for which the others wait."""
        if self.size == 1:
            return content
        n = int(self._from_first(torch.tensor([len(content)])))
        buffer = torch.frombuffer(bytearray(content) if self.leads else bytearray(n), dtype=torch.uint8)
        self._from_first(buffer)
        return content if self.leads else buffer.numpy().tobytes()

    def agreed(self, received: list[str]) -> list[str]:
        """The signals that this rank received or, where it has none, that of another."""
        if self.size == 1:
            return received
        numbers = [int(row[0]) for row in self.share([signal.Signals[received[0]] if received else 0])]
        return [signal.Signals(number).name for number in numbers if number]

    def check_equal(
        self, facts: dict[str, str], say: Callable[[int, str, str, str], str], patiently: bool = False
    ) -> None:
        """GanvasError, the same on every rank, where a fact of another rank is not that of rank 0.

        `say` makes its line: of the rank, the name of the fact, its value there, its value on rank 0.
        """
        if self.size == 1:
            return
        first, *others = (json.loads(text) for text in self.texts(json.dumps(facts), patiently))
        for rank, other in enumerate(others, 1):
            for key in first | other:
                if first.get(key) != other.get(key):
                    raise GanvasError(say(rank, key, str(other.get(key)), str(first.get(key))))

    # -- device ------------------------------------------------------------------------------------------------

    def use(self, device: torch.device) -> None:
        """Prepare sums on a device: each rank its own GPU. GanvasError or UsageError where that is impossible."""
        if self.size == 1 or device.type == "cpu":
            return
        if str(device) != "cuda":
            raise UsageError(f"--device {device} trains in one process: use cpu or cuda for several")
        if not dist.is_nccl_available():
            raise GanvasError("this torch has no NCCL, which processes on GPUs need: use --device cpu, or one process")
        at, here = int(os.environ.get("LOCAL_RANK", self.rank)), torch.cuda.device_count()
        if at >= here:
            raise UsageError(f"{self.local} processes on a machine with {here} GPUs: start one for each GPU")
        torch.cuda.set_device(at)
        self.on_gpu = dist.new_group(backend="nccl", timeout=_seconds("GANVAS_ANSWER_SECONDS", ANSWER_SECONDS))


class _Sum(torch.autograd.Function):
    """y = the sum of x over ranks. Every rank's loss depends on every x: their gradients add up in the same way."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, world: World) -> Tensor:
        ctx.world = world
        return world._add(x.detach().clone(memory_format=torch.contiguous_format))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Sum.apply(gradient, ctx.world), None  # type: ignore[no-untyped-call]


ALONE = World()
_world = ALONE


def current() -> World:
    """The world that this process has joined; ALONE before."""
    return _world


def expected() -> bool:
    """Whether a launcher started this process as one of several."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def join() -> World:
    """Join the processes that a launcher, such as torchrun, started with this one; ALONE where none did.

    Raises UsageError for an environment that cannot be right, GanvasError where the others do not come.
    """
    global _world
    if not expected() or _world is not ALONE:
        return _world
    rank, size, address = _environment()
    patience = _seconds("GANVAS_JOIN_SECONDS", JOIN_SECONDS)
    try:
        store, rank, size = next(rendezvous("env://", timeout=patience))
        answer = _seconds("GANVAS_ANSWER_SECONDS", ANSWER_SECONDS)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=answer)
        _world = World(rank, size, int(os.environ.get("LOCAL_WORLD_SIZE", 1)), store)
        _world.patient = dist.new_group(backend="gloo", timeout=WITHOUT_END)
    except (RuntimeError, ValueError) as error:
        if "address already in use" in str(error).lower():
            raise GanvasError(f"{address} is in use by another program: choose another MASTER_PORT") from error
        missing = "the other processes did not come" if rank == 0 else f"process {rank} of {size} reaches nobody"
        raise GanvasError(
            f"{missing} at {address} (MASTER_ADDR, MASTER_PORT) within {patience.total_seconds():.0f} s: start all "
            "processes together, and check the address"
        ) from error
    store.set_timeout(timedelta(seconds=FAREWELL_SECONDS))
    return _world


def leave() -> None:
    """Say goodbye before this process exits: rank 0 may hold what others still ask for."""
    global _world
    world, _world = _world, ALONE
    if world.size == 1:
        return
    with suppress(RuntimeError):
        left, end = world.store.add("left", 1), time.monotonic() + FAREWELL_SECONDS
        while world.leads and left < world.size and time.monotonic() < end:
            time.sleep(0.02)
            left = world.store.add("left", 0)
    with suppress(RuntimeError, ValueError):
        dist.destroy_process_group()  # its threads would meet the end of the process


def first_to_tell() -> bool:
    """Whether this rank should print why the training failed: True for the first that asks, and where nobody knows."""
    if _world.size == 1:
        return True
    try:
        return bool(_world.store.add("told", 1) == 1)
    except RuntimeError:
        return True


def _environment() -> tuple[int, int, str]:
    """Rank, size and address."""
    if missing := [name for name in NEEDED if not os.environ.get(name)]:
        raise UsageError(f"RANK and WORLD_SIZE are set, {missing[0]} is not: start with torchrun, or set all four")
    try:
        rank, size, _ = (int(os.environ[name]) for name in ("RANK", "WORLD_SIZE", "MASTER_PORT"))
    except ValueError as error:
        raise UsageError(f"RANK, WORLD_SIZE and MASTER_PORT must be whole numbers ({first_line(error)})") from None
    if not 0 <= rank < size:
        raise UsageError(f"RANK = {rank} and WORLD_SIZE = {size}: ranks are 0 to WORLD_SIZE - 1")
    return rank, size, f"{os.environ['MASTER_ADDR']}:{os.environ['MASTER_PORT']}"


def _seconds(variable: str, usual: float) -> timedelta:
    try:
        return timedelta(seconds=float(os.environ.get(variable, usual)))
    except ValueError:
        raise UsageError(f"{variable} = {os.environ[variable]!r}: give a number of seconds") from None


@contextmanager
def _lost() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise LostRankError("another process of this training ended or does not answer") from error
