"""Folders, archives, URLs (a server on this machine) and registry clients (stand-ins on the PATH)."""

import gzip
import http.server
import io
import os
import sys
import tarfile
import threading

import pytest

from ganvas.datasets import download as sources
from ganvas.datasets.cache import NotOfferedError, SourceError
from ganvas.datasets.progress import Progress

QUIET = Progress(show=False)
NAMES = ("a.bin", "b.bin")


def tar_of(path, members):
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def test_plain_and_gzip_files_from_the_first_complete_folder(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one" / "a.bin").write_bytes(b"lonely")
    (tmp_path / "two" / "a.bin").write_bytes(b"a")
    (tmp_path / "two" / "b.bin.gz").write_bytes(gzip.compress(b"b"))
    (tmp_path / "target").mkdir()
    sources.copy_plain_or_gzip(sources.folders_below(tmp_path), NAMES, tmp_path / "target")
    assert [(tmp_path / "target" / name).read_bytes() for name in NAMES] == [b"a", b"b"]
    with pytest.raises(SourceError, match=r"lacks b\.bin"):
        sources.copy_plain_or_gzip([tmp_path / "one"], NAMES, tmp_path / "target")
    with pytest.raises(NotOfferedError, match="no such folder"):
        sources.copy_plain_or_gzip(sources.folders_below(tmp_path / "none"), NAMES, tmp_path)


@pytest.mark.parametrize("content", [b"", b"no gzip", gzip.compress(b"b" * 1000, mtime=0)[:-10]])
def test_damaged_gzip_is_a_reason_not_a_crash(tmp_path, content):
    (tmp_path / "x.gz").write_bytes(content)
    if content:
        with pytest.raises(SourceError, match=r"x\.gz is damaged"):
            sources.gunzip(tmp_path / "x.gz", tmp_path / "x")
    else:
        sources.gunzip(tmp_path / "x.gz", tmp_path / "x")
        assert (tmp_path / "x").read_bytes() == b""


def test_untar_takes_wanted_names_only_and_never_leaves_the_folder(tmp_path):
    tar_of(tmp_path / "x.tar.gz", {"../../a.bin": b"a", "deep/b.bin": b"b", "other": b"c"})
    (tmp_path / "target").mkdir()
    sources.untar(tmp_path / "x.tar.gz", NAMES, tmp_path / "target")
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.bin", "b.bin", "target", "x.tar.gz"]


def test_a_cut_archive_is_a_reason(tmp_path):
    tar_of(tmp_path / "whole.tar.gz", {"a.bin": os.urandom(10_000)})
    (tmp_path / "x.tar.gz").write_bytes((tmp_path / "whole.tar.gz").read_bytes()[:5000])
    with pytest.raises(SourceError, match="is damaged"):
        sources.untar(tmp_path / "x.tar.gz", NAMES, tmp_path)


def test_the_folder_of_the_user(tmp_path, monkeypatch):
    monkeypatch.delenv("GANVAS_TINY", raising=False)
    with pytest.raises(NotOfferedError, match="is not set"):
        sources.named_by_user("GANVAS_TINY")
    monkeypatch.setenv("GANVAS_TINY", str(tmp_path / "none"))
    with pytest.raises(SourceError, match="does not exist"):
        sources.named_by_user("GANVAS_TINY")
    monkeypatch.setenv("GANVAS_TINY", str(tmp_path))
    assert sources.named_by_user("GANVAS_TINY") == tmp_path


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/none":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"x" * (100 if self.path == "/whole" else 40))

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_download(server, tmp_path, capsys):
    sources.download(f"{server}/whole", tmp_path / "x", Progress())
    assert (tmp_path / "x").read_bytes() == b"x" * 100
    assert "downloading x" in capsys.readouterr().err


@pytest.mark.parametrize(("path", "reason"), [("none", "answers 404"), ("cut", "closed after 40 of 100 bytes")])
def test_failed_downloads_say_why(server, tmp_path, path, reason):
    with pytest.raises(SourceError, match=reason):
        sources.download(f"{server}/{path}", tmp_path / "x", QUIET)


def test_nobody_there(server, tmp_path):
    with pytest.raises(SourceError, match="cannot be reached"):
        sources.download("http://127.0.0.1:9/x", tmp_path / "x", QUIET)


def program(folder, name, script):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    (tmp_path / "work").mkdir()
    return tmp_path / "programs"


def test_npm_pack_runs_the_client_by_package_name(programs, tmp_path):
    program(programs, "npm", 'echo "$@" > told; mkdir -p "$npm_config_cache"; echo data > tiny-1.0.tgz')
    archive = sources.npm_pack("tiny@1.0", tmp_path / "work", QUIET)
    assert archive.read_text() == "data\n"
    assert (tmp_path / "work" / "told").read_text() == "pack tiny@1.0 --ignore-scripts --loglevel=error\n"


def test_a_failing_client_gives_its_own_reason(programs, tmp_path):
    program(programs, "npm", 'echo noise; echo "npm error code ENOTFOUND" >&2; echo more; exit 1')
    with pytest.raises(SourceError, match="npm failed: npm error code ENOTFOUND"):
        sources.npm_pack("tiny@1.0", tmp_path / "work", QUIET)


def test_a_client_that_brings_nothing(programs, tmp_path):
    program(programs, "npm", "exit 0")
    with pytest.raises(SourceError, match=r"no file came with tiny@1\.0"):
        sources.npm_pack("tiny@1.0", tmp_path / "work", QUIET)


def test_a_client_that_is_not_installed(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match="npm is not installed"):
        sources.npm_pack("tiny@1.0", tmp_path, QUIET)
    with pytest.raises(SourceError, match="apt-get is not installed"):
        sources.apt_unpack("tiny", tmp_path, QUIET)


def test_apt_refreshes_private_lists_where_the_package_is_unknown(programs, tmp_path):
    script = """
    case "$*" in
      *update) touch updated ;;
      *Dir::State::Lists*download*) test -e updated && echo deb > tiny.deb ;;
      *) echo "E: Unable to locate package tiny"; exit 100 ;;
    esac"""
    program(programs, "apt-get", script)
    program(programs, "dpkg-deb", 'mkdir -p "$3/usr" && cp "$2" "$3/usr/file"')
    unpacked = sources.apt_unpack("tiny", tmp_path / "work", QUIET)
    assert (unpacked / "usr" / "file").read_text() == "deb\n"


def test_apt_names_the_first_reason(programs, tmp_path):
    program(programs, "apt-get", 'echo "E: Unable to locate package tiny"; exit 100')
    with pytest.raises(SourceError, match="apt-get failed: E: Unable to locate package tiny"):
        sources.apt_unpack("tiny", tmp_path / "work", QUIET)


def test_a_client_that_hangs_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "CLIENT_SECONDS", 0.3)
    with pytest.raises(SourceError, match="did not finish"):
        sources.client([sys.executable, "-c", "import time; time.sleep(60)"], tmp_path, "waiting", QUIET)
