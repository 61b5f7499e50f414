"""The generator as the page runs it: classes as shares, so that they can be mixed; weights as float16."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.exporting import onnx_file
from ganvas.exporting.model import Model
from ganvas.models.layers.norm import ReferenceBatch
from ganvas.training import latents

SMALL = 1000
"""Weights of a tensor that stays float32."""


class _Shares(nn.Module):
    """An embedding for shares of classes [n, classes]: the weighted mean of its rows."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        self.weight = table.weight

    def forward(self, shares: Tensor) -> Tensor:
        return shares @ self.weight


class _SharesReference(ReferenceBatch):
    """The reference batch of virtual batch norm, its own classes as shares too."""

    def __init__(self, reference: ReferenceBatch) -> None:
        nn.Module.__init__(self)
        self.register_buffer("z", reference.z)
        self.classes = reference.classes

    def prepend(self, z: Tensor, labels: Tensor | None) -> tuple[Tensor, Tensor | None]:
        own = F.one_hot(torch.arange(self.ROWS) % max(self.classes, 1), max(self.classes, 1))
        return torch.cat([self.z, z]), None if labels is None else torch.cat([own.to(labels.dtype), labels])


def with_shares(network: nn.Module, classes: int) -> nn.Module:
    """A copy of G(z, labels) whose labels are shares of classes, float32 [n, classes]."""
    mixed = copy.deepcopy(network).eval()
    for layer in list(mixed.modules()):
        for name, part in list(layer.named_children()):
            if isinstance(part, nn.Embedding) and part.num_embeddings == classes:
                setattr(layer, name, _Shares(part))
            elif isinstance(part, ReferenceBatch):
                setattr(layer, name, _SharesReference(part))
    return mixed


def takes_shares(model: Model) -> bool:
    """Whether shares of one class draw what its number draws: a network of the user's may do anything with a number."""
    classes = len(model.generator.class_names)
    z = torch.from_numpy(latents.draw_z(model.generator.config.generator, 0, "sample", np.arange(classes)))
    network = copy.deepcopy(model.generator.network).eval()  # in training it would move its running statistics
    try:
        with torch.no_grad():
            mixed = with_shares(network, classes)(z, torch.eye(classes))
            return bool((mixed - network(z, torch.arange(classes))).abs().max() < 1e-3)
    except Exception:  # of a network that cannot take them
        return False


def contents(model: Model) -> tuple[bytes, bool, int]:
    """The ONNX file, whether its classes are shares, and its largest difference from torch in grey levels.

    Inputs: z float32 [n, latent_dim] and, with classes, classes float32 [n, classes], whose rows add up to 1 (label
    int64 [n] where the network cannot take shares); output: image uint8 [n, h, w, c]. Weights are float16 where the
    pictures allow it. Raises GanvasError as ganvas.exporting.onnx_file.
    """
    onnx_file.check_packages()
    generator, classes = model.generator, len(model.generator.class_names)
    shares = bool(classes) and takes_shares(model)
    network = with_shares(generator.network, classes) if shares else generator.network
    feed = partial(_one_hot, classes) if shares else onnx_file.by_number
    label = {name: torch.as_tensor(array) for name, array in feed(np.array([0, 0])).items()} if classes else {}
    proto = onnx_file.to_onnx(model, network, label)
    whole = proto.SerializeToString(deterministic=True)
    _halve(proto)
    half = proto.SerializeToString(deterministic=True)
    worst = onnx_file.largest_difference(half, generator, feed)
    if worst <= onnx_file.LARGEST_DIFFERENCE:
        return half, shares, worst
    return whole, shares, onnx_file.check(onnx_file.largest_difference(whole, generator, feed))


def _one_hot(classes: int, labels: Any) -> dict[str, Any]:
    """The input of numbers of classes."""
    return {"classes": np.eye(classes, dtype=np.float32)[labels]}


def _halve(proto: Any) -> None:
    """Store large float32 weights as float16, each followed by a cast back, which runs once, when the file is read."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in proto.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < SMALL or np.abs(values).max() > 60_000:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
