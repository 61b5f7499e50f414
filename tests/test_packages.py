"""The wheel and the sdist, built and installed into environments that hold no ganvas: they train and sample."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

import ganvas

ROOT = Path(__file__).parent.parent
BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"


def run(*argv: str | Path, cwd: Path) -> str:
    """What a program prints that succeeds, without ganvas on its path."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "GANVAS_PLUGINS")}
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git tracks, apart from the checkout, so that building leaves nothing behind in it."""
    copy = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    return copy


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The two packages."""
    out = tmp_path_factory.mktemp("dist")
    names = {
        kind: run(sys.executable, "-c", BUILD, f"build_{kind}", out, cwd=source).splitlines()[-1]
        for kind in ("wheel", "sdist")
    }
    return {kind: out / name for kind, name in names.items()}


def from_sdist(sdist: Path, folder: Path) -> Path:
    """The wheel that an sdist makes."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.iterdir()
    return folder / run(sys.executable, "-c", BUILD, "build_wheel", folder, cwd=unpacked).splitlines()[-1]


def installed(package: Path, folder: Path) -> Path:
    """The programs of an environment with this package; what ganvas needs is found where these tests find it."""
    run(sys.executable, "-m", "venv", folder, cwd=folder.parent)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    libraries = run(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder)
    (Path(libraries.strip()) / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [programs / "python", "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    run(*pip, package, cwd=folder)
    return programs


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_a_package_trains_and_samples(kind: str, built: dict[str, Path], tmp: Path) -> None:
    wheel = built["wheel"] if kind == "wheel" else from_sdist(built["sdist"], tmp / "unpacked")
    programs = installed(wheel, tmp / "env")
    where = run(programs / "python", "-c", "import ganvas; print(ganvas.__file__)", cwd=tmp).strip()
    assert where.startswith(str(tmp / "env"))
    assert run(programs / "ganvas", "--version", cwd=tmp) == f"ganvas {ganvas.__version__}\n"
    assert run(programs / "python", "-m", "ganvas", "--version", cwd=tmp) == f"ganvas {ganvas.__version__}\n"
    said = run(programs / "ganvas", "train", "quick", "--data", "shapes", "--kimg", "1", "--out", "first", cwd=tmp)
    assert "report: " in said and (tmp / "first" / "report.html").stat().st_size > 10_000
    run(programs / "ganvas", "sample", "cifar10", "--n", "8", "--out", "grid.png", cwd=tmp)
    assert (tmp / "grid.png").stat().st_size > 1000


@pytest.mark.slow
def test_packages_hold_all_that_is_needed_and_nothing_else(built: dict[str, Path]) -> None:
    package = ROOT / "src" / "ganvas"
    ours = {
        f"ganvas/{path.relative_to(package).as_posix()}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(built["wheel"]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert names == ours
    with tarfile.open(built["sdist"]) as sdist:
        inside = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert {f"src/{name}" for name in ours} <= inside and {"LICENSE", "THIRD_PARTY.md", "README.md"} <= inside
