"""A generator as one ONNX file, checked against torch before it is written."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganvas.errors import GanvasError, first_line
from ganvas.exporting.model import Model
from ganvas.files import MARK
from ganvas.generator import Generator
from ganvas.training import latents
from ganvas.training.backend import to_uint8

NEEDS = ("onnx", "onnxscript", "onnxruntime")
OPSET = 18
CHECKED = (1, 2, 37)
"""Batches that are compared with torch: the traced size is 2, so others show whether n is free."""
LARGEST_DIFFERENCE = 1
"""Grey levels: two libraries may round a pixel to either side."""


class _Bytes(nn.Module):
    """(z, label) -> uint8 [n, h, w, c]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, z: Tensor, label: Tensor | None = None) -> Tensor:
        return to_uint8(self.network(z, label)).permute(0, 2, 3, 1)


def by_number(labels: Any) -> dict[str, Any]:
    """The inputs beside z of a file whose classes are numbers."""
    return {"label": labels}


def contents(model: Model, name: str) -> tuple[Mapping[str, bytes], str]:
    """{name: the ONNX file} and the line that says how near it is to torch.

    Inputs: z float32 [n, latent_dim] and, of a generator with classes, label int64 [n]; output: image uint8
    [n, h, w, c]. Raises GanvasError where a package is missing, the network cannot be translated or the results differ.
    """
    check_packages()
    content = _translate(model)
    worst = check(largest_difference(content, model.generator))
    c, h, w = model.generator.shape
    inputs = f"z float32 [n, {model.generator.config.generator.latent_dim}]"
    inputs += ", label int64 [n]" if model.generator.class_names else ""
    compared = f"largest difference from torch over {sum(CHECKED)} images: {worst} of 255 grey levels"
    return {name: content}, f"{inputs} -> image uint8 [n, {h}, {w}, {c}]; {compared}"


def check_packages() -> None:
    """GanvasError where a package that this needs is missing."""
    missing = [each for each in NEEDS if find_spec(each) is None]
    if missing:
        raise GanvasError(f"ONNX needs the packages {', '.join(missing)}: pip install 'ganvas[export]'")


def check(difference: int) -> int:
    """The difference in grey levels; GanvasError where it is too large."""
    if difference > LARGEST_DIFFERENCE:
        raise GanvasError(
            f"onnxruntime differs from torch by up to {difference} of 255 grey levels, more than {LARGEST_DIFFERENCE}: "
            "nothing was written; export the generator as safetensors"
        )
    return difference


def largest_difference(content: bytes, generator: Generator, feed: Callable[[Any], dict[str, Any]] = by_number) -> int:
    """In grey levels, between onnxruntime and torch, over batches of several sizes; 255 where shapes differ.

    `feed`: from class numbers int64 [n] to the inputs of the file beside z; not used without classes.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    worst = 0
    for n in CHECKED:
        z = latents.draw_z(generator.config.generator, 0, "sample", np.arange(n))
        label = np.arange(n) % len(generator.class_names) if generator.class_names else None
        expected = generator.draw(z, label).transpose(0, 2, 3, 1)
        (image,) = session.run(["image"], {"z": z, **({} if label is None else feed(label))})
        if image.shape != expected.shape or image.dtype != np.uint8:
            return 255
        worst = max(worst, int(np.abs(image.astype(int) - expected).max()))
    return worst


def _translate(model: Model) -> bytes:
    """The bytes of the ONNX file."""
    label = by_number(torch.tensor([0, 0])) if model.generator.class_names else {}
    return to_onnx(model, model.generator.network, label).SerializeToString(deterministic=True)  # type: ignore[no-any-return]


def to_onnx(model: Model, network: nn.Module, label: Mapping[str, Tensor]) -> Any:
    """A network (z, label) -> [n, c, h, w] in the range of images as the ModelProto of (z, label) -> uint8 images.

    `label`: name and an example of two of the second input, or nothing. GanvasError where it has no form in ONNX.
    """
    generator = model.generator
    inputs = {"z": torch.zeros(2, generator.config.generator.latent_dim), **label}
    try:
        with _quiet(), torch.no_grad():
            program = torch.onnx.export(
                _Bytes(network).eval(), tuple(inputs.values()), dynamo=True, verbose=False, opset_version=OPSET,
                input_names=list(inputs), output_names=["image"], dynamic_shapes=tuple({0: "n"} for _ in inputs),
            )  # fmt: skip
            assert program is not None
            proto = program.model_proto
    except Exception as error:  # of the exporter, which raises whatever it meets, or of a network of one's own
        why = first_line(error.__cause__ or error)
        raise GanvasError(f"{generator.path}: this network has no form in ONNX ({why})") from error
    _clean(proto)
    for key, value in _about(model).items():
        proto.metadata_props.add(key=key, value=value)
    return proto


def _clean(proto: Any) -> None:
    """Remove what the exporter notes of each node: files and lines of the source, names of this machine's folders."""
    proto.producer_name, proto.doc_string = "ganvas", ""
    graph = proto.graph
    for item in (graph, *graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        item.doc_string = ""
        del item.metadata_props[:]
    del proto.metadata_props[:]


def _about(model: Model) -> dict[str, str]:
    """What the file says of itself, as onnxruntime's `get_modelmeta().custom_metadata_map` gives it."""
    generator = model.generator
    return {
        "nimg": str(generator.nimg),
        "latent": generator.config.generator.latent,
        "layout": "image: uint8 [n, height, width, channels], 0 to 255",
        "class_names": json.dumps(generator.class_names),
        "made": MARK,  # last, where files.is_ours looks
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's warnings: its result is compared with torch's below."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
