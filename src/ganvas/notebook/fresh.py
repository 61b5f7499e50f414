"""Fresh networks for every training: from a factory, a Keras model's config, or a copy of the module that was given."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import nn

from ganvas.errors import UsageError
from ganvas.notebook.identity import of_network
from ganvas.notebook.own_networks import KerasNetwork, is_keras

Network = Any
"""A torch module, a Keras model, or a function without arguments that makes one."""


class FreshNetwork:
    """Makes one of the two networks again and again, untrained.

    `source` is a factory (a function, or a class without arguments), or a network. Of a network, a copy is kept as it
    is now, so that training never touches the one that was given. Raises UsageError for anything else, and for a
    network that has been trained.
    """

    def __init__(self, source: Network, role: str) -> None:
        self.role = role
        if isinstance(source, nn.Module):
            _check_weights(source, role)
            _check_untrained(source, role)
            self.kept: nn.Module | None = as_torch(copy.deepcopy(source), role)
            self.factory: Callable[[], Any] | None = None
        elif callable(source):
            _check_call(source, role)
            self.kept, self.factory = None, source
        else:
            raise UsageError(
                f"{role} is a {type(source).__name__}: give a torch module, a Keras model, or a function that makes one"
            )

    @property
    def name(self) -> str:
        """What to call it: the function's name, or the type."""
        source: Any = self.factory or (self.kept.model if isinstance(self.kept, KerasNetwork) else self.kept)
        return str(getattr(source, "__name__", type(source).__name__))

    @cached_property
    def text(self) -> str:
        """What tells this network from another: its layers and their sizes, and how its own modules use them."""
        network = self.make(0)
        if isinstance(network, KerasNetwork):
            return repr(network.rows("")) + repr([tuple(p.shape) for p in network.parameters()])
        layers = repr(network) + repr([(name, tuple(t.shape)) for name, t in network.state_dict().items()])
        return layers + of_network(network)

    @property
    def many(self) -> bool:
        """Whether it can be drawn with other weights, for several seeds."""
        return self.factory is not None or isinstance(self.kept, KerasNetwork) or _can_reset(self.kept)

    def make(self, seed: int | None) -> nn.Module:
        """An untrained network; its weights are a function of the seed. None: the weights that were given."""
        if seed is None and self.kept is not None:
            return copy.deepcopy(self.kept)
        with seeded(0 if seed is None else seed):
            if self.factory is not None:
                return as_torch(self.factory(), self.role)
            if isinstance(self.kept, KerasNetwork):
                model: Any = self.kept.model
                return KerasNetwork(type(model).from_config(model.get_config()))
            network = copy.deepcopy(self.kept)
            assert network is not None
            for module in network.modules():
                reset: Any = getattr(module, "reset_parameters", None)
                if reset is not None:
                    reset()
            return network


def as_torch(network: Any, role: str) -> nn.Module:
    """The network as a torch module in training mode; UsageError where it is none."""
    if is_keras(network):
        if not isinstance(network, nn.Module):
            raise UsageError(
                f"{role} is a Keras model of another backend: set os.environ['KERAS_BACKEND'] = 'torch' before "
                "`import keras`, restart the kernel, and make it again"
            )
        if not network.built:
            raise UsageError(f"{role} has no weights yet: begin it with keras.Input(shape), or call it once")
        return KerasNetwork(network)
    if not isinstance(network, nn.Module):
        raise UsageError(f"{role} made a {type(network).__name__}, not a torch module or a Keras model")
    _check_weights(network, role)
    return network.train()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Python's, NumPy's and torch's global generators at `seed` within, and as they were afterwards.

    Keras draws the seeds of its initialisers from Python's.
    """
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            random.seed(seed)
            np.random.seed(seed % 2**32)
            torch.manual_seed(seed)
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _check_call(factory: Callable[..., Any], role: str) -> None:
    """UsageError where a function cannot be called without arguments."""
    try:
        signature(factory).bind()
    except TypeError as error:
        name = getattr(factory, "__name__", type(factory).__name__)
        raise UsageError(
            f"{role}: {name}() cannot be called without arguments ({error}): lambda: {name}(...)"
        ) from None
    except ValueError:
        return  # its arguments are not known


def _can_reset(network: nn.Module | None) -> bool:
    """Whether every layer with weights can draw them again."""
    if network is None:
        return False
    return all(hasattr(m, "reset_parameters") for m in network.modules() if list(m.parameters(recurse=False)))


def _check_weights(network: nn.Module, role: str) -> None:
    if any(tensor.is_meta for tensor in (*network.parameters(), *network.buffers())):
        raise UsageError(
            f"{role} is on the device meta, where tensors have no values: make it without torch.device('meta')"
        )


def _check_untrained(network: nn.Module, role: str) -> None:
    if getattr(network, "_ganvas_trained", False):
        raise UsageError(
            f"{role} is already trained: a training starts from fresh networks. Make it again, or give the function "
            f"that makes it: ganvas.GAN(make_generator, make_discriminator)"
        )
    seen = [b for name, b in network.named_buffers() if name.endswith("num_batches_tracked") and int(b) > 0]
    seen += [p for name, p in network.named_parameters() if name.endswith("moving_mean") and bool(p.any())]
    if seen:
        raise UsageError(
            f"{role} has been trained or called in training mode already (its batch normalisation has seen images): "
            "make it again, or give the function that makes it: ganvas.GAN(make_generator, make_discriminator)"
        )
