"""The exported page in a real browser, from a plain file server without network: its pictures are torch's.

The runtime is the one that docs/demo holds: npm is not asked, nor is the network.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import hashlib
import io
import json
import re
import shutil
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

import ganvas
from browser import PHONE, visit
from conftest import trained
from ganvas.cli import main as cli
from ganvas.errors import GanvasError, UsageError
from ganvas.exporting import formats
from ganvas.exporting import page as exported
from ganvas.exporting.model import Model
from ganvas.exporting.page import network, runtime
from ganvas.generator import Generator
from ganvas.runs.run import Run
from ganvas.training import latents

DEMO = Path(__file__).resolve().parents[2] / "docs" / "demo"
HOSTILE = "</script><script>window.bad = 1</script><img src=x onerror='window.bad = 1'>"
LARGEST_DIFFERENCE = 2


class Quiet(SimpleHTTPRequestHandler):
    """A plain file server that does not print."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def stored(given: Path | None, webgpu: bool, progress: object) -> dict[str, bytes]:
    return {name: (DEMO / "runtime" / name).read_bytes() for name in runtime.names(False)}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Generator, str]]:
    """A small conditional generator, one of whose classes has a hostile name, and the address of its page."""
    import jaxtyping

    folder = tmp_path_factory.mktemp("page")
    run = trained(folder / "run", {"data.labels": "auto", "g_optim.lr": 0.01})
    model = Model.load(run.path)
    names = (HOSTILE, *model.generator.class_names[1:])
    generator = dataclasses.replace(model.generator, class_names=names)
    jaxtyping.config.update("jaxtyping_disable", True)  # the exporter traces the network
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runtime, "contents", stored)
        contents, facts = exported.contents(dataclasses.replace(model, generator=generator), HOSTILE, None, False)
    jaxtyping.config.update("jaxtyping_disable", False)
    assert re.match("at most [01] of 255 grey levels from torch", facts)
    formats._write_folder(folder / "out", contents)
    with served(folder / "out") as address:
        yield generator, address


@pytest.fixture(scope="module")
def opened(browser: Browser | None, made: tuple[Generator, str]) -> Iterator[tuple[Page, Generator]]:
    if browser is None:
        pytest.fail("no Chromium here: tools/chromium.sh unpacks it")
    page, troubles = visit(browser, made[1], (made[1], "blob:"), viewport={"width": 1200, "height": 900})
    page.wait_for_selector("body[data-ready=wasm]", timeout=60_000)
    yield page, made[0]
    page.close()
    assert troubles == []


def pixels(page: Page, canvas: str) -> np.ndarray:
    """What a canvas shows, [h, w, 3]."""
    address = page.evaluate("(id) => document.getElementById(id).toDataURL()", canvas)
    with Image.open(io.BytesIO(base64.b64decode(address.split(",")[1]))) as picture:
        return np.asarray(picture.convert("RGB"))


def tiles(picture: np.ndarray, size: int, columns: int) -> np.ndarray:
    """The images of a canvas, [n, c, h, w]; a pixel lies between them."""
    step = size + 1
    rows = (len(picture) + 1) // step
    corners = [(r * step, c * step) for r in range(rows) for c in range(columns)]
    return np.stack([picture[y : y + size, x : x + size] for y, x in corners]).transpose(0, 3, 1, 2)


def redrawn(page: Page, script: str) -> None:
    """Do it, and wait until the grid shows the result."""
    before = page.get_attribute("body", "data-drawn")
    page.evaluate(script)
    page.wait_for_selector(f"body[data-drawn]:not([data-drawn='{before}'])")


def set_value(key: str, value: object) -> str:
    return (
        f"() => {{ const e = document.getElementById({json.dumps(key)}); e.value = {json.dumps(str(value))};"
        "e.dispatchEvent(new Event('input', { bubbles: true })); }"
    )


def far(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.abs(a.astype(int) - b.astype(int)).max())


@pytest.mark.slow
def test_its_pictures_are_those_of_torch(opened: tuple[Page, Generator]) -> None:
    page, generator = opened
    each = np.repeat(np.arange(10), 8)  # as it opens: seed 0, a row for each class
    assert far(tiles(pixels(page, "grid"), 16, 8), generator.sample(80, 0, labels=each.tolist())) <= LARGEST_DIFFERENCE
    redrawn(page, set_value("seed", 2**53 - 1))
    shown = tiles(pixels(page, "grid"), 16, 8)
    assert far(shown, generator.sample(80, 2**53 - 1, labels=each.tolist())) <= LARGEST_DIFFERENCE
    assert far(shown, generator.sample(80, 0, labels=each.tolist())) > 20
    redrawn(page, set_value("class", 3))
    expected = generator.sample(64, 2**53 - 1, labels=[3] * 64)
    assert far(tiles(pixels(page, "grid"), 16, 8), expected) <= LARGEST_DIFFERENCE
    slide = "const s = document.querySelectorAll('#sliders input')[1]; s.value = '2.5'; "
    redrawn(page, f"() => {{ {slide} s.dispatchEvent(new Event('input', {{ bubbles: true }})); }}")
    directions = ganvas.latent_directions.principal_directions(generator, 2)
    z = latents.draw_z(generator.config.generator, 2**53 - 1, "sample", np.arange(64))
    moved = generator.draw(directions.move(z, np.array([0, 2.5], np.float32)), np.full(64, 3))
    assert far(tiles(pixels(page, "grid"), 16, 8), moved) <= LARGEST_DIFFERENCE
    assert far(moved, expected) > 20
    redrawn(page, "() => document.getElementById('reset').click()")
    assert far(tiles(pixels(page, "grid"), 16, 8), expected) <= LARGEST_DIFFERENCE
    redrawn(page, "() => document.getElementById('new').click()")
    assert page.input_value("#seed") != str(2**53 - 1)


@pytest.mark.slow
def test_latents_are_those_of_ganvas(opened: tuple[Page, Generator]) -> None:
    page, generator = opened
    for seed, index, dim, kind in ((0, 0, 8, "normal"), (7, 123_456, 128, "normal"), (2**53 - 1, 5, 99, "sphere")):
        config = dataclasses.replace(generator.config.generator, latent_dim=dim, latent=kind)
        expected = latents.draw_z(config, seed, "sample", np.array([index]))[0]
        found = page.evaluate(
            "async (a) => [...(await import('./latents.js')).drawZ(...a)]", [seed, index, dim, kind == "sphere"]
        )
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_the_way_between_seeds_and_classes(opened: tuple[Page, Generator], unchecked: None) -> None:
    import torch

    page, generator = opened
    for key, value in (("from", 3), ("to", 4), ("from-class", 1), ("to-class", 6), ("place", 0.25)):
        page.evaluate(set_value(key, value))
    ends = [latents.draw_z(generator.config.generator, seed, "sample", np.arange(16)) for seed in (3, 4)]
    z = np.concatenate([latents.great_circle(a, b, np.array([0.25])) for a, b in zip(*ends, strict=True)])
    shares = torch.zeros(16, 10)
    shares[:, 1], shares[:, 6] = 0.75, 0.25
    mixed = dataclasses.replace(generator, network=network.with_shares(generator.network, 10))
    with torch.no_grad():
        images = mixed.network(torch.from_numpy(z), shares)
    expected = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).numpy()
    for _ in range(100):
        if (difference := far(tiles(pixels(page, "walk"), 16, 4), expected)) <= LARGEST_DIFFERENCE:
            break
        page.wait_for_timeout(50)
    assert difference <= LARGEST_DIFFERENCE
    page.click("#play")
    page.wait_for_timeout(300)
    page.click("#play")
    assert far(tiles(pixels(page, "walk"), 16, 4), expected) > LARGEST_DIFFERENCE
    assert page.inner_text("#play") == "Play"


@pytest.mark.slow
def test_what_is_saved(opened: tuple[Page, Generator], tmp: Path) -> None:
    page, _ = opened
    for kind in ("gif", "webp"):
        with page.expect_download(timeout=60_000) as waiting:
            page.click(f"#{kind}")
        waiting.value.save_as(tmp / f"walk.{kind}")
        page.wait_for_selector(f"#{kind}:not([disabled])")
        with Image.open(tmp / f"walk.{kind}") as picture:
            assert picture.n_frames == 48 and picture.size == (67 * 6, 67 * 6) and picture.info.get("loop") == 0
            times, frames = [], []
            for i in (0, 24):
                picture.seek(i)
                picture.load()
                times.append(picture.info["duration"])
                frames.append(np.asarray(picture.convert("RGB"))[3::6, 3::6])
        assert times == [60, 60] and far(*frames) > 20
        page.evaluate(set_value("place", 0))
        page.wait_for_timeout(300)
        error = np.abs(tiles(frames[0], 16, 4).astype(int) - tiles(pixels(page, "walk"), 16, 4))
        assert error.mean() < 6 if kind == "gif" else error.max() <= 2  # a GIF has 256 colours
    with page.expect_download() as waiting:
        page.click("#png")
    waiting.value.save_as(tmp / "grid.png")
    with Image.open(tmp / "grid.png") as picture:
        small = np.asarray(picture.convert("RGB"))[3::6, 3::6]
        assert far(tiles(small, 16, 8), tiles(pixels(page, "grid"), 16, 8)) == 0


def test_words_keyboard_and_a_phone(browser: Browser, made: tuple[Generator, str]) -> None:
    page, troubles = visit(browser, f"{made[1]}?lang=ko", (made[1],), viewport=PHONE)
    page.wait_for_selector("body[data-ready]", timeout=60_000)
    assert page.get_attribute("html", "lang") == "ko" and page.inner_text("#samples") == "샘플"
    assert "브라우저" in page.title() and "undefined" not in page.inner_text("body")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "lang"
    page.keyboard.press("Enter")
    assert page.inner_text("#samples") == "Samples" and "undefined" not in page.inner_text("body")
    reached = set()
    for _ in range(30):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {"seed", "class", "new", "png", "reset", "from", "to-class", "place", "play", "gif", "webp"} <= reached
    # names of classes are text, whatever they hold
    assert page.evaluate("document.querySelectorAll('#class option')[1].textContent") == HOSTILE
    assert page.evaluate("window.bad") is None and page.locator("main img").count() == 0
    page.close()
    assert troubles == []


def test_nothing_but_itself_may_be_loaded(made: tuple[Generator, str], browser: Browser) -> None:
    page = browser.new_page()
    page.goto(made[1])
    policy = page.get_attribute("meta[http-equiv=Content-Security-Policy]", "content")
    assert policy.startswith("default-src 'none'; script-src 'self' 'wasm-unsafe-eval';")
    assert "unsafe-inline" not in policy
    script = "() => fetch('http://127.0.0.1:9/x').then(() => 'sent', (error) => error.message)"
    assert page.evaluate(script) == "Failed to fetch"
    inline = "const s = document.createElement('script'); s.text = 'window.bad = 1'; document.body.append(s);"
    page.evaluate(f"() => {{ {inline} }}")
    assert page.evaluate("window.bad") is None
    page.close()


# -- the demo --------------------------------------------------------------------------------------------------


def facts_of(index: str) -> tuple[dict[str, object], str]:
    """The model's facts of an index.html, and the rest of it."""
    found = re.search(r'id="model">(.*?)</script>', index)
    assert found
    return json.loads(found[1]), index.replace(found[1], "")


def test_the_demo_is_the_page_of_today() -> None:
    """If this fails: python -m ganvas export cifar10-cpu-v1 --to page --no-webgpu --out docs/demo"""
    model = Model.load("cifar10-cpu-v1")
    kept, rest = facts_of((DEMO / "index.html").read_text("utf-8"))
    today, expected = facts_of(exported._index(model, "cifar10-cpu-v1", True, False))
    assert rest == expected.replace(f"made by ganvas {ganvas.__version__}", "made by ganvas 0.1.0")
    np.testing.assert_allclose(kept.pop("directions"), today.pop("directions"), atol=2e-3)
    a, b = (base64.b64decode(facts.pop("check")["images"]) for facts in (kept, today))
    assert far(np.frombuffer(a, np.uint8), np.frombuffer(b, np.uint8)) <= 1
    assert kept == today
    for name in exported.SCRIPTS:
        assert (DEMO / name).read_bytes() == (exported.STATIC / name).read_bytes(), name
    assert {p.relative_to(DEMO).as_posix() for p in DEMO.rglob("*") if p.is_file()} == set(exported.names(False))
    assert sum(p.stat().st_size for p in DEMO.rglob("*") if p.is_file()) < 10_000_000


@pytest.mark.slow
def test_the_demo_draws_in_a_browser(browser: Browser) -> None:
    generator, rows = ganvas.load("cifar10-cpu-v1", "cpu"), np.repeat(np.arange(10), 8)
    with served(DEMO) as address:
        page, troubles = visit(browser, address, (address,))
        page.wait_for_selector("body[data-ready=wasm]", timeout=60_000)
        shown = tiles(pixels(page, "grid"), 32, 8)
        assert far(shown, generator.sample(80, 0, labels=rows.tolist())) <= LARGEST_DIFFERENCE
        page.close()
    assert troubles == []


# -- the runtime -----------------------------------------------------------------------------------------------


@pytest.fixture
def package(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in place of onnxruntime-web, whose content is the known one, and an empty cache."""
    path, hashes = tmp / "small.tgz", {}
    with tarfile.open(path, "w:gz") as tar:
        for name in runtime.SHA256:
            content = f"content of {name}".encode()
            hashes[name] = hashlib.sha256(content).hexdigest()
            member = tarfile.TarInfo(f"package/dist/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    digest = base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    monkeypatch.setattr(runtime, "SHA256", hashes)
    monkeypatch.setattr(runtime, "INTEGRITY", f"sha512-{digest}")
    monkeypatch.setenv("GANVAS_DATA", str(tmp / "cache"))
    return path


def test_npm_is_asked_once(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def npm(name: str, folder: Path, progress: object) -> Path:
        asked.append(name)
        return Path(shutil.copy(package, folder))

    monkeypatch.setattr(runtime, "npm_pack", npm)
    first = runtime.contents(None, True, runtime.Progress(False))
    assert asked == [f"onnxruntime-web@{runtime.VERSION}"] and tuple(first) == runtime.names(True)
    assert first["ort.wasm.bundle.min.mjs"] == b"content of ort.wasm.bundle.min.mjs" and b"MIT" in first["LICENSE.txt"]
    again = runtime.contents(None, False, runtime.Progress(False))
    assert len(asked) == 1 and tuple(again) == runtime.names(False)
    for name in again:
        assert again[name] == first[name]


def test_a_package_of_other_content_is_refused(package: Path, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "npm_pack", lambda name, folder, progress: Path(shutil.copy(package, folder)))
    given = runtime.contents(package, False, runtime.Progress(False))
    assert given["ort-wasm-simd-threaded.wasm.gz"][:2] == b"\x1f\x8b"
    shutil.rmtree(tmp / "cache")
    other = tmp / "other.tgz"
    other.write_bytes(package.read_bytes() + b"\0")
    with pytest.raises(UsageError, match=r"other.tgz: this is not onnxruntime-web-.*make it with: npm pack"):
        runtime.contents(other, False, runtime.Progress(False))
    monkeypatch.setattr(runtime, "INTEGRITY", "sha512-x")
    with pytest.raises(GanvasError, match="is not the one whose sha512 is known here"):
        runtime.contents(None, False, runtime.Progress(False))


def test_without_npm_one_line_says_what_to_do(
    finished: Run, in_tmp: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(in_tmp))
    monkeypatch.setenv("GANVAS_DATA", str(in_tmp / "cache"))
    assert cli.main(["export", str(finished.path), "--to", "page", "--out", "p"]) == 1
    line = capfd.readouterr().err.splitlines()[-1]
    assert "npm is not installed" in line and f"--runtime onnxruntime-web-{runtime.VERSION}.tgz" in line
    assert not (in_tmp / "p").exists()


def test_options_belong_to_their_format(finished: Run, in_tmp: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", str(finished.path), "--to", "onnx", "--no-webgpu"]) == 2
    assert "webgpu is an option of --to page, not of --to onnx" in capfd.readouterr().err
    (in_tmp / "p").mkdir()
    (in_tmp / "p" / "index.html").write_text("mine")
    assert cli.main(["export", str(finished.path), "--to", "page", "--out", "p"]) == 2
    assert "was not made by ganvas" in capfd.readouterr().err
    assert (in_tmp / "p" / "index.html").read_text() == "mine"
