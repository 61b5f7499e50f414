"""How files reach this machine: a folder the user names, a URL, an archive, a package-registry client."""

from __future__ import annotations

import gzip
import os
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
import zlib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ganvas.datasets.cache import NotOfferedError, SourceError
from ganvas.datasets.progress import Progress

CONNECT_SECONDS = 5.0
STALL_SECONDS = 30.0
CLIENT_SECONDS = 1800.0
CHUNK = 1 << 20


def named_by_user(variable: str) -> Path:
    """The existing folder or file that an environment variable names."""
    value = os.environ.get(variable)
    if not value:
        raise NotOfferedError(f"${variable} is not set")
    path = Path(value).expanduser()
    if not path.exists():
        raise SourceError(f"{path} does not exist")
    return path


def other_caches(*patterns: str) -> list[Path]:
    """Files and folders of these names where Keras keeps data sets, and where people let torchvision keep them.

    These are the places below $KERAS_HOME/datasets, ~/.keras/datasets, ./data, ./datasets, ~/data and ~/datasets.
    """
    home = Path("~").expanduser()
    keras = Path(os.environ.get("KERAS_HOME") or home / ".keras")
    roots = (keras / "datasets", *(place / name for place in (Path(), home) for name in ("data", "datasets")))
    return [path for root in roots for pattern in patterns for path in sorted(root.glob(pattern))]


def folders_below(path: Path) -> list[Path]:
    """The folder itself and those one and two levels down, as archives like to be unpacked."""
    if not path.is_dir():
        return []
    return [path, *sorted(p for pattern in ("*", "*/*") for p in path.glob(pattern) if p.is_dir())]


def copy_plain_or_gzip(folders: Iterable[Path], names: Collection[str], target: Path) -> None:
    """Copy files by name from the first folder that has all of them, plain or with .gz."""
    missing: list[str] = []
    for folder in folders:
        found = {n: next((p for p in (folder / n, folder / f"{n}.gz") if p.is_file()), None) for n in names}
        lacking = [name for name, path in found.items() if path is None]
        if not lacking:
            for name, path in found.items():
                assert path is not None
                gunzip(path, target / name) if path.suffix == ".gz" else shutil.copyfile(path, target / name)
            return
        missing = lacking if not missing or len(lacking) < len(missing) else missing
    if missing:
        raise SourceError(f"lacks {', '.join(missing)}")
    raise NotOfferedError("no such folder")


def gunzip(source: Path, target: Path) -> None:
    """Unpack one .gz file; GanvasError where it is cut short."""
    try:
        with gzip.open(source, "rb") as packed, target.open("wb") as plain:
            shutil.copyfileobj(packed, plain, CHUNK)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{source.name} is damaged ({error})") from error


def untar(archive: Path, names: Collection[str], target: Path) -> None:
    """Take files by their last name out of a tar archive; no path inside the archive is trusted."""
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = member.name.rsplit("/", 1)[-1]
                if name in names and (content := tar.extractfile(member)):
                    with content, (target / name).open("wb") as file:
                        shutil.copyfileobj(content, file, CHUNK)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise SourceError(f"{archive.name} is damaged ({error})") from error


def download(url: str, target: Path, progress: Progress) -> None:
    """Fetch a URL into a file; gives up after 5 s without a connection and 30 s without a byte."""
    import urllib.error
    import urllib.request
    from http.client import HTTPException
    from urllib.parse import urlsplit

    host = urlsplit(url)
    try:
        if host.hostname and not urllib.request.getproxies():
            port = host.port or (443 if host.scheme == "https" else 80)
            socket.create_connection((host.hostname, port), timeout=CONNECT_SECONDS).close()
        with urllib.request.urlopen(url, timeout=STALL_SECONDS) as response, target.open("wb") as file:
            total = int(response.headers.get("Content-Length") or 0)
            done = 0
            with progress.bar(f"downloading {target.name}", total or None) as advance:
                while chunk := response.read(CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    advance(len(chunk))
    except urllib.error.HTTPError as error:
        raise SourceError(f"{host.hostname} answers {error.code} {error.reason}") from error
    except (urllib.error.URLError, TimeoutError, socket.gaierror, ConnectionError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise SourceError(f"{host.hostname} cannot be reached ({reason})") from error
    if total and done != total:
        raise SourceError(f"{host.hostname} closed after {done} of {total} bytes")


def npm_pack(package: str, folder: Path, progress: Progress) -> Path:
    """Download an npm package, "name@version", with the npm client; no script of it runs. The .tgz file."""
    caches = folder / "npm"
    settings = {
        "npm_config_cache": str(caches),
        "npm_config_update_notifier": "false",
        "npm_config_logs_max": "0",
        "npm_config_fetch_retries": "1",
        "npm_config_fetch_retry_mintimeout": "1000",
    }
    command = ["npm", "pack", package, "--ignore-scripts", "--loglevel=error"]
    client(command, folder, f"npm pack {package}", progress, settings)
    shutil.rmtree(caches, ignore_errors=True)
    return _only(folder.glob("*.tgz"), package)


def apt_unpack(package: str, folder: Path, progress: Progress) -> Path:
    """Download a Debian package with apt-get and unpack it, without root; the folder with its files.

    Where the machine knows no such package, its package lists are refreshed in a private place first.
    """
    settings = ("APT::Sandbox::User=root", "Acquire::Retries=1", "Acquire::http::Timeout=10")
    quick = [word for setting in settings for word in ("-o", setting)]
    label = f"apt-get download {package}"
    try:
        client(["apt-get", *quick, "download", package], folder, label, progress)
    except SourceError as first:
        if shutil.which("apt-get") is None:
            raise
        state = folder / "apt"
        (state / "lists" / "partial").mkdir(parents=True)
        (state / "archives" / "partial").mkdir(parents=True)
        private = [*quick, "-o", f"Dir::State::Lists={state / 'lists'}", "-o", f"Dir::Cache={state}"]
        try:
            client(["apt-get", *private, "update"], folder, "apt-get update (private copy)", progress)
            client(["apt-get", *private, "download", package], folder, label, progress)
        except SourceError:
            raise first from None
    archive = _only(folder.glob("*.deb"), package)
    client(["dpkg-deb", "-x", archive.name, "unpacked"], folder, f"unpacking {package}", progress)
    return folder / "unpacked"


def client(
    command: Sequence[str],
    folder: Path,
    label: str,
    progress: Progress,
    settings: dict[str, str] | None = None,
) -> None:
    """Run a program in a folder; its output gives the reason of a failure, the bytes written the progress."""
    program = shutil.which(command[0])
    if program is None:
        raise SourceError(f"{command[0]} is not installed")
    environment = {**os.environ, "LC_ALL": "C", **(settings or {})}
    deadline = time.monotonic() + CLIENT_SECONDS
    with tempfile.TemporaryFile() as output, progress.bar(label) as advance:
        process = subprocess.Popen(
            [program, *command[1:]],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            before = seen = _bytes_in(folder)
            while process.poll() is None:
                if time.monotonic() > deadline:
                    raise SourceError(f"{command[0]} did not finish in {CLIENT_SECONDS / 60:.0f} minutes")
                time.sleep(0.1)
                now = max(seen, _bytes_in(folder))
                advance(now - seen)
                seen = now
            advance(max(0, _bytes_in(folder) - max(seen, before)))
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if process.returncode:
            output.seek(0)
            raise SourceError(f"{command[0]} failed: {_reason(output.read().decode(errors='replace'))}")


def _reason(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "npm error", "npm ERR!", "dpkg-deb: error"))]
    return "; ".join(errors[:2] or lines[-1:])[:240] or "no message"


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except OSError:  # a temporary file that has just gone
            continue
    return total


def _only(paths: Iterable[Path], package: str) -> Path:
    found = sorted(paths)
    if not found:
        raise SourceError(f"no file came with {package}")
    return found[0]
