"""`ganvas.from_keras(model)`: a Keras model, of any backend, as a torch module with the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from ganvas.errors import UsageError, kind
from ganvas.notebook import keras_layers as own
from ganvas.notebook.keras_layers import ACTIVATIONS, Function, first, last

Config = Mapping[str, Any]
Weights = Sequence[np.ndarray]
SEQUENTIAL = ("Sequential", "Functional")
"""Kinds of models whose layers are known without running them."""


class FromKeras(nn.Sequential):
    """The layers of a Keras model, one after the other; images are [n, h, w, c], as in Keras."""


def from_keras(model: Any) -> FromKeras:
    """A Keras model as a torch module with its weights copied: what `ganvas.GAN` and torch can train.

    `model` is a Sequential, or a Functional whose layers follow one another, of Keras 2 or 3 and any backend
    (TensorFlow included), with its weights made. Keras is not imported: the model's own `get_config` and `get_weights`
    are read. Images are [n, h, w, c] in and out, and training mode is torch's: `.train()`, `.eval()`.

    Raises UsageError for what is no such model, and for a layer or setting that is not known here, by its name.
    """
    if not any(base.__name__ in SEQUENTIAL for base in type(model).__mro__) or not hasattr(model, "layers"):
        raise UsageError(
            f"from_keras() takes a Keras Sequential or a Functional of one chain, not {kind(model)}: a model of a "
            "class of your own has to be written as one, or made with KERAS_BACKEND=torch and given to ganvas.GAN"
        )
    if len(getattr(model, "inputs", None) or [0]) != 1 or len(getattr(model, "outputs", None) or [0]) != 1:
        raise UsageError("from_keras() takes a model with one input and one output")
    converted = FromKeras(*_modules(model))
    means = [m.running_mean for m in converted.modules() if isinstance(m, own.BatchNormalization)]
    if any(bool(mean.any()) for mean in means if mean is not None):
        converted._ganvas_trained = True  # type: ignore[assignment]  # a training refuses it, or it would not be fresh
    return converted


def _modules(model: Any) -> Iterator[nn.Module]:
    for layer in model.layers:
        kind, name = type(layer).__name__, str(getattr(layer, "name", ""))
        if kind == "InputLayer":
            continue
        if any(base.__name__ in SEQUENTIAL for base in type(layer).__mro__):
            yield from _modules(layer)
            continue
        if kind not in LAYERS:
            raise UsageError(
                f"from_keras() does not know the layer {kind} ({name}): it knows {', '.join(sorted(LAYERS))}"
            )
        config: Config = layer.get_config()
        if config.get("data_format") == "channels_first":
            raise UsageError(f"from_keras(): the layer {kind} ({name}) has its channels first: Keras' default is last")
        try:
            weights = [np.asarray(weight) for weight in layer.get_weights()]
            module = LAYERS[kind](config, weights)
        except UsageError as error:
            raise UsageError(f"from_keras(): the layer {kind} ({name}): {error}") from None
        yield module
        if kind != "Activation" and (after := config.get("activation")) is not None:
            yield from _activation(after, f"{kind} ({name})")


# -- with weights ----------------------------------------------------------------------------------------------


def _filled(module: nn.Module, weights: Weights, names: Sequence[str]) -> nn.Module:
    """The module with these arrays in its tensors of these names."""
    with torch.no_grad():
        for name, array in zip(names, weights, strict=True):
            getattr(module, name).copy_(torch.from_numpy(np.array(array, np.float32)))
    return module


def _made(weights: Weights) -> np.ndarray:
    if not weights:
        raise UsageError("it has no weights yet: begin the model with keras.Input(shape), or call it once")
    return weights[0]


def _dense(config: Config, weights: Weights) -> nn.Module:
    kernel = _made(weights)
    inside, outside = kernel.shape
    module = own.Dense(inside, outside, bias=len(weights) > 1)
    module.initializer = own.Initializer(config.get("kernel_initializer"), kernel.shape)
    return _filled(module, [kernel.T, *weights[1:]], ["weight", "bias"][: len(weights)])


def _conv(config: Config, weights: Weights) -> nn.Module:
    kernel, groups = _made(weights), int(config.get("groups", 1))
    height, width, inside, outside = kernel.shape
    module = own.Conv2D(
        inside * groups, outside, (height, width), tuple(config["strides"]), dilation=tuple(config["dilation_rate"]),
        groups=groups, bias=len(weights) > 1,
    )  # fmt: skip
    module.same = _same(config)
    module.initializer = own.Initializer(config.get("kernel_initializer"), kernel.shape)
    return _filled(module, [kernel.transpose(3, 2, 0, 1), *weights[1:]], ["weight", "bias"][: len(weights)])


def _conv_transpose(config: Config, weights: Weights) -> nn.Module:
    kernel = _made(weights)
    if config.get("output_padding") is not None or set(config.get("dilation_rate", (1,))) != {1}:
        raise UsageError("output_padding and dilation are not known here")
    height, width, outside, inside = kernel.shape
    module = own.Conv2DTranspose(
        inside, outside, (height, width), tuple(config["strides"]), bias=len(weights) > 1
    )  # fmt: skip
    module.same = _same(config)
    module.initializer = own.Initializer(config.get("kernel_initializer"), kernel.shape)
    return _filled(module, [kernel.transpose(3, 2, 0, 1), *weights[1:]], ["weight", "bias"][: len(weights)])


def _same(config: Config) -> bool:
    if config["padding"] not in ("same", "valid"):
        raise UsageError(f"padding={config['padding']!r} is not known here")
    return bool(config["padding"] == "same")


def _batch_norm(config: Config, weights: Weights) -> nn.Module:
    features = len(_made(weights))
    axis = config["axis"][0] if isinstance(config["axis"], list | tuple) else config["axis"]
    if axis not in (-1, 1, 3):
        raise UsageError(f"axis={axis} is not known here: the last one is")
    scale, center = bool(config["scale"]), bool(config["center"])
    module = own.BatchNormalization(features, float(config["epsilon"]), float(config["momentum"]), scale, center)
    names = [*(["weight"] if scale else []), *(["bias"] if center else []), "running_mean", "running_var"]
    return _filled(module, weights, names)


def _layer_norm(config: Config, weights: Weights) -> nn.Module:
    if config["axis"] not in (-1, [-1]) or len(weights) != 2:
        raise UsageError("it is known over the last axis, with scale and center")
    return _filled(nn.LayerNorm(len(weights[0]), float(config["epsilon"])), weights, ("weight", "bias"))


def _prelu(config: Config, weights: Weights) -> nn.Module:
    return _filled(own.Slopes(_made(weights).shape), weights, ("weight",))


# -- without ---------------------------------------------------------------------------------------------------


def _activation(value: Any, of: str) -> Iterator[nn.Module]:
    """The activation that a config names: a word, or a serialised function or layer."""
    if isinstance(value, Mapping):
        if value.get("class_name") in PLAIN:
            yield LAYERS[str(value["class_name"])](value.get("config") or {}, ())
            return
        value = value["config"] if isinstance(value.get("config"), str) else value.get("class_name")
    if value == "linear":
        return
    if value not in ACTIVATIONS:
        raise UsageError(f"from_keras() does not know the activation {value!r} of the layer {of}")
    yield Function(str(value), ACTIVATIONS[value])


def _one_activation(config: Config, weights: Weights) -> nn.Module:
    return next(_activation(config["activation"], str(config.get("name"))), nn.Identity())


def _leaky(config: Config, weights: Weights) -> nn.Module:
    slope = config.get("negative_slope", config.get("alpha", 0.3))  # Keras 2 says alpha
    return nn.LeakyReLU(float(slope))


def _relu(config: Config, weights: Weights) -> nn.Module:
    slope, most = float(config.get("negative_slope") or 0), config.get("max_value")
    if float(config.get("threshold") or 0):
        raise UsageError("a threshold is not known here")
    if most is None:
        return nn.LeakyReLU(slope) if slope else nn.ReLU()
    return Function(f"ReLU {slope:g} to {most:g}", lambda x: F.leaky_relu(x, slope).clamp(max=float(most)))


def _reshape(config: Config, weights: Weights) -> nn.Module:
    shape = tuple(int(n) for n in config["target_shape"])
    return Function(f"Reshape {' x '.join(map(str, shape))}", lambda x: x.reshape(len(x), *shape))


def _pool(kind: Callable[..., Any]) -> Callable[[Config, Weights], nn.Module]:
    def make(config: Config, weights: Weights) -> nn.Module:
        if config["padding"] != "valid":
            raise UsageError("padding='same' is not known here")
        size, strides = tuple(config["pool_size"]), tuple(config["strides"] or config["pool_size"])
        text = f"{kind.__name__} {size[0]}x{size[1]} s{strides[0]}"
        return Function(text, lambda x: last(kind(first(x), size, strides)))

    return make


def _up(config: Config, weights: Weights) -> nn.Module:
    size, mode = tuple(float(n) for n in config["size"]), str(config.get("interpolation", "nearest"))
    if mode not in ("nearest", "bilinear"):
        raise UsageError(f"interpolation={mode!r} is not known here")
    more: dict[str, Any] = {} if mode == "nearest" else {"align_corners": False}
    return Function(
        f"UpSampling {size[0]:g}x{size[1]:g} {mode}",
        lambda x: last(F.interpolate(first(x), scale_factor=size, mode=mode, **more)),
    )


def _sides(config: Config, key: str) -> tuple[int, int, int, int]:
    (top, bottom), (left, right) = config[key]
    return int(left), int(right), int(top), int(bottom)


def _zero_padding(config: Config, weights: Weights) -> nn.Module:
    sides = _sides(config, "padding")
    return Function(f"ZeroPadding {sides}", lambda x: last(F.pad(first(x), sides)))


def _cropping(config: Config, weights: Weights) -> nn.Module:
    sides = _sides(config, "cropping")
    return Function(f"Cropping {sides}", lambda x: last(F.pad(first(x), [-n for n in sides])))


def _noise(config: Config, weights: Weights) -> nn.Module:
    std = float(config["stddev"])
    return Function(f"GaussianNoise {std:g}", lambda x: x + std * torch.randn_like(x), training_only=True)


def _spatial_dropout(config: Config, weights: Weights) -> nn.Module:
    p = float(config["rate"])
    return Function(f"SpatialDropout {p:g}", lambda x: last(F.dropout2d(first(x), p)), training_only=True)


def _rescaling(config: Config, weights: Weights) -> nn.Module:
    scale, offset = float(config["scale"]), float(config["offset"])
    return Function(f"Rescaling {scale:g} {offset:g}", lambda x: x * scale + offset)


LAYERS: dict[str, Callable[[Config, Weights], nn.Module]] = {
    "Activation": _one_activation,
    "AveragePooling2D": _pool(F.avg_pool2d),
    "BatchNormalization": _batch_norm,
    "Conv2D": _conv,
    "Conv2DTranspose": _conv_transpose,
    "Cropping2D": _cropping,
    "Dense": _dense,
    "Dropout": lambda config, weights: nn.Dropout(float(config["rate"])),
    "ELU": lambda config, weights: nn.ELU(float(config.get("alpha", 1.0))),
    "Flatten": lambda config, weights: Function("Flatten", lambda x: x.reshape(len(x), -1)),
    "GaussianNoise": _noise,
    "GlobalAveragePooling2D": lambda config, weights: Function("GlobalAveragePooling", lambda x: x.mean((1, 2))),
    "GlobalMaxPooling2D": lambda config, weights: Function("GlobalMaxPooling", lambda x: x.amax((1, 2))),
    "LayerNormalization": _layer_norm,
    "LeakyReLU": _leaky,
    "MaxPooling2D": _pool(F.max_pool2d),
    "PReLU": _prelu,
    "ReLU": _relu,
    "Rescaling": _rescaling,
    "Reshape": _reshape,
    "SpatialDropout2D": _spatial_dropout,
    "UpSampling2D": _up,
    "ZeroPadding2D": _zero_padding,
}
"""Keras' name -> (its config, its weights) -> the module, without the activation that may follow."""
PLAIN = ("LeakyReLU", "ReLU", "ELU")
"""Layers that Keras also takes as activation=."""
