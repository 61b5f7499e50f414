"""The Playground over HTTP: what each address answers, and what hostile ones get."""

from __future__ import annotations

import base64
import io
import os
import shutil
import urllib.parse

import numpy as np
import pytest
from PIL import Image

from conftest import trained
from ganvas.generator import load
from ganvas.media import tiles
from ganvas.ui.house import House
from served import serve
from synthetic import make_run

NAME = "0001-tiny"


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> House:
    """A trained run, one without a generator, a broken one and a folder that is none."""
    root = tmp_path_factory.mktemp("play") / "runs"
    trained(root / NAME, {"data.labels": "use", "step.ema_kimg": 0.1})
    make_run(root / "0002-empty")
    shutil.copytree(root / NAME, root / "0003-broken")
    for path in (root / "0003-broken" / "snapshots").iterdir():
        path.write_bytes(path.read_bytes()[:5000])
    for path in (root / "0003-broken" / "checkpoints").glob("*/ema.safetensors"):
        path.write_bytes(b"no")
    shutil.copytree(root / NAME, root / "0004-evil <b>")
    (root / "notes").mkdir()
    outside = root.parent / "outside"
    shutil.copytree(root / NAME, outside)
    os.symlink(outside, root / "0005-link")
    return House(root)


@pytest.fixture(scope="module")
def served(house):
    yield from serve(house)


def address(what: str, model: str = NAME, **query: object) -> str:
    return f"/api/play/{what}?{urllib.parse.urlencode({'model': model, **query})}"


def pictures(sheet: dict, shape=(3, 16, 16)) -> np.ndarray:
    png = base64.b64decode(sheet["png"].removeprefix("data:image/png;base64,"))
    with Image.open(io.BytesIO(png)) as picture:
        return tiles(picture, shape)[: sheet["n"]]


def png(side: int = 40) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, 30), (200, 10, 10)).save(file, "PNG")
    return file.getvalue()


def test_the_page_opens_in_both_languages(served):
    for lang, word in (("en", "Playground"), ("ko", "놀이터")):
        page = served.get(f"/play?model={NAME}&lang={lang}")
        assert page.status == 200 and word in page.text and "play.js" in page.text
    hostile = served.get("/play?model=%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert" not in hostile


def test_models_are_listed_and_described(served):
    found = served.get("/api/play/models").json
    assert NAME in found["runs"] and "notes" not in found["runs"]
    assert "cifar10-cpu-v1" in found["shipped"] and "cifar10-classifier-v1" not in found["shipped"]
    about = served.get(address("about")).json
    assert about["shape"] == [3, 16, 16] and len(about["classes"]) == 10 and about["nimg"] == 192
    assert about["raw"] == about["d"]["nimg"] == 192 and about["why"] == ""
    assert about["context"]["threshold"] == 0 and about["context"]["n"] == 16
    shipped = served.get(address("about", "fashion-mnist-cpu-v1")).json
    assert shipped["d"] is None and "without its discriminator" in shipped["why"]
    second = served.get(address("about", "fashion-mnist-cpu-v2")).json
    assert second["d"]["nimg"] == second["nimg"] and second["why"] == "" and second["context"]["n"] is None
    assert "판별자가 없습니다" in served.get(address("about", "fashion-mnist-cpu-v1", lang="ko")).json["why"]


def test_a_grid_is_what_the_generator_samples(served, house):
    about = served.get(address("about")).json
    sheet = served.get(address("grid", at=about["token"], seed=3, n=20, columns=2)).json
    labels = [i // 2 for i in range(20)]
    assert sheet["labels"] == labels
    assert np.array_equal(pictures(sheet), load(house.root / NAME, "cpu").sample(20, 3, labels=labels))
    other = served.get(address("grid", at=about["token"], seed=3, n=20, columns=2, weights="raw")).json
    assert other["png"] != sheet["png"]


def test_directions_walks_and_logits_answer(served):
    for by in ("sefa", "ganspace"):
        found = served.get(address("directions", by=by)).json
        assert len(found["shares"]) == 8 and found["shares"] == sorted(found["shares"], reverse=True)
    film = served.get(address("walk", seed=1, to_seed=2, to_class=3, **{"class": 1}, steps=6)).json
    assert film["n"] == 6 and pictures(film).shape == (6, 3, 16, 16)
    for kind, start in (("webp", b"RIFF"), ("gif", b"GIF8")):
        saved = served.get(address(f"walk.{kind}", seed=1, to_seed=2, **{"class": 1}, steps=4))
        assert saved.content.startswith(start) and saved.headers["content-type"] == f"image/{kind}"
        assert saved.headers["content-disposition"] == f'attachment; filename="{NAME}-walk.{kind}"'
    assert isinstance(served.get(address("logit", seed=1, start=2, **{"class": 1})).json["logit"], float)
    near = served.get(address("near", seed=1, **{"class": 1})).json
    assert near["n"] == 96 and near["pixels"]["distance"] == sorted(near["pixels"]["distance"])
    assert near["features"] is None and near["pixels"]["classes"]


def test_a_picture_is_rated_and_what_was_done_is_told(served):
    found = served.post(address("picture"), png(), {"content-type": "image/png"}).json
    assert len(found["logits"]) == 10 and pictures(found).shape == (1, 3, 16, 16)
    assert found["done"] == ["40 × 30 cropped to its middle 30 × 30", "30 × 30 resized to 16 × 16"]
    again = served.post(address("picture", lang="ko"), png(), {"content-type": "image/png"}).json
    assert again["logits"] == found["logits"] and "가운데" in again["done"][0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (address("about", "0002-empty"), 400), (address("about", "0003-broken"), 400),
        (address("about", "nothing"), 404),
        (address("about", "../outside"), 404), (address("about", "/etc/passwd"), 404), (address("about", ""), 404),
        (address("about", "notes"), 404), (address("about", "0005-link"), 400), (address("about", "a\0b"), 404),
        (address("about", "hf://a/b"), 404), (address("about", "cifar10-classifier-v1"), 404),
        (address("about", "x" * 5000), 404), (address("grid", seed="1e9"), 400), (address("grid", n=10**9), 400),
        (address("grid", **{"class": "-1"}), 400), (address("grid", moves="sefa.99.1"), 400),
        (address("grid", at="old"), 409), (address("directions", by="__import__"), 400),
        (address("walk", to_seed="x"), 400), (address("walk", steps=10_000), 400), (address("walk", to_class=99), 400),
        (address("walk.exe"), 400), (address("logit", "fashion-mnist-cpu-v1"), 400),
        (address("grid", "fashion-mnist-cpu-v1", weights="raw"), 400),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_in_one_line(served, path, status):
    found = served.get(path)
    assert found.status == status, found.text
    assert set(found.json) == {"error"} and "\n" not in found.json["error"] and "Traceback" not in found.json["error"]


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"\x80\x04cos\nsystem\n", png()[:50], b"GIF89a"])
def test_hostile_uploads_are_refused_in_one_line(served, content):
    found = served.post(address("picture"), content, {"content-type": "image/png"})
    assert found.status == 400 and "\n" not in found.json["error"]


def test_uploads_are_bounded_and_need_the_header_of_the_page(served):
    assert served.post(address("picture"), b"\0" * (9 << 20), {"content-type": "image/png"}).status == 413
    assert served.post(address("picture"), png(), {"x-ganvas": ""}).status == 403
    assert served.post(address("picture"), png(), {"origin": "http://evil.example"}).status == 403
    assert served.get(address("picture")).status == 405


def test_names_reach_the_page_as_text(served):
    assert served.get(address("about", "0004-evil <b>")).json["name"] == "0004-evil <b>"
    header = served.get(address("walk.gif", "0004-evil <b>", steps=2)).headers["content-disposition"]
    assert header == 'attachment; filename="0004-evil--b--walk.gif"'
