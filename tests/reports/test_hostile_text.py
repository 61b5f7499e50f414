"""Text from files that reaches a page stays text: no script runs, no link leaves, nothing is asked for."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from browser import visit
from ganvas import comparison, reports
from ganvas.reports.html import relative_link
from ganvas.runs.run import Run
from report_page import Page
from synthetic import make_run

ATTACK = (
    """<script>window.hit=1</script>"><img src=x onerror="window.hit=1"><a href="javascript:window.hit=1">x</a>"""
    """'onmouseover='window.hit=1' style="top: 1%" --></style></script><svg onload=window.hit=1>{{ 7 * 7 }}"""
    "\x1b]0;title\x07\u202e"
)


def change(path: Path, edit: Any) -> None:
    """Edit a JSON file of a run, or each row of a log."""
    lines = path.read_text("utf-8").splitlines() if path.suffix == ".jsonl" else [path.read_text("utf-8")]
    values = [json.loads(line) for line in lines]
    for value in values:
        edit(value)
    path.write_text("\n".join(json.dumps(value) for value in values) + "\n", "utf-8")


def hostile(path: Path, seed: int = 0, **options: Any) -> Run:
    """A finished run with an attack in every text that its files hold."""
    run = make_run(path, rows=60, grids=3, classes=("a" + ATTACK, "b" + ATTACK), **options)
    change(path / "data.json", lambda v: v.update(name=ATTACK, source=ATTACK))

    def config(values: dict[str, Any]) -> None:
        for part in ("config", "recipe"):
            values[part]["recipe"] = values[part]["data"]["name"] = values[part]["init_from"] = ATTACK
            values[part]["seed"] = seed
        values["config"]["tricks"] = [ATTACK]

    change(path / "config.json", config)
    change(path / "env.jsonl", lambda v: v.update(dict.fromkeys(("torch", "device", "cpu", "dtype", ATTACK), ATTACK),
                                                  argv=[ATTACK, ATTACK]))  # fmt: skip
    change(
        path / "networks.json", lambda v: [layer.update(name=ATTACK, kind=ATTACK) for n in v.values() for layer in n]
    )
    change(path / "evals.jsonl", lambda v: v.update(reference=ATTACK, source=ATTACK, extractor=ATTACK, resize=ATTACK,
                                                    real_baseline_from=ATTACK))  # fmt: skip
    run.event("warning", 1, what=ATTACK)
    run.event(ATTACK, 2, **{ATTACK: ATTACK})
    run.event("finish", 300_000, sec=1.0)
    run.write_bytes("snapshots/000300000.safetensors", b"")
    (path / "notes.md").write_text(f"# {ATTACK}\n{ATTACK}\n- {ATTACK}\n`{ATTACK}` **{ATTACK}**\n", "utf-8")
    verdict = {"metric": ATTACK, "verdict": "better", "difference": 1.0, "low": 0.5, "high": 1.5, "p": 0.01}
    place = {"experiment": ATTACK, "cell": ATTACK, "page": "javascript:window.hit=1", "first": ATTACK}
    run.write_json("part_of.json", {**place, "seeds": [3, 3], "verdicts": [verdict]})
    return run


def is_inert(path: Path, browser: Browser | None) -> None:
    """The page holds no script, handler or link but our own, and a browser runs and asks for nothing else."""
    content = path.read_text("utf-8")
    page = Page(content)
    assert page.unclosed == []
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert {tag for tag, _ in page.tags} & {"iframe", "object", "embed", "base", "form"} == set()
    links = [a["href"] or "" for a in page.all("a")]
    assert not [link for link in links if not re.fullmatch(r"#[\w-]+|(\.\./)*[\w.%/-]+", link)]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202e]", content)
    if browser is not None:
        opened, troubles = visit(browser, path)
        assert troubles == []
        assert opened.evaluate("window.hit") is None
        opened.close()


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_attacks_in_the_files_of_a_run_stay_text_in_its_report(tmp: Path, browser: Browser | None, lang: str) -> None:
    run = hostile(tmp / "run")
    page = reports.write(run, lang)
    assert ATTACK[:29] in Page(page.read_text("utf-8")).text
    is_inert(page, browser)


def test_attacks_stay_text_in_a_comparison(tmp: Path, browser: Browser | None) -> None:
    folder = tmp / "<img src=x onerror=hit>"
    groups = {f"g{name}{ATTACK}": [hostile(folder / f"{name}{seed}", seed).path for seed in range(3)] for name in "ab"}
    for path in groups[f"gb{ATTACK}"]:
        change(path / "config.json", lambda v: v["config"]["loss"].update(name="hinge"))
        reports.write(Run(path))
    page = comparison.write(comparison.compare(groups, make=False), tmp / "out")
    assert "../%3Cimg%20src%3Dx%20onerror%3Dhit%3E/b0/report.html" in page.read_text("utf-8")
    is_inert(page, browser)


def test_the_policy_names_the_hashes_of_our_script_and_style_and_nothing_inline(tmp: Path) -> None:
    content = reports.write(make_run(tmp / "run", rows=60, grids=3)).read_text("utf-8")
    (policy,) = (tag["content"] or "" for tag in Page(content).all("meta") if tag.get("http-equiv"))
    assert "unsafe" not in policy and "default-src 'none'" in policy and "img-src data:" in policy
    for tag in ("script", "style"):
        (inside,) = re.findall(f"<{tag}>(.*?)</{tag}>", content, re.DOTALL)
        digest = b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize(("path", "link"), [
    ("../compare.html", "../compare.html"),
    ("a b/100%/compare.html", "a%20b/100%25/compare.html"),
    ("javascript:alert(1)", "javascript%3Aalert%281%29"),
    ("JaVaScRiPt\n:alert(1)", "JaVaScRiPt%0A%3Aalert%281%29"),
    ("https://example.org", "https%3A//example.org"),
    ("//example.org", ""), ("/etc/passwd", ""), (r"\\host\x", ""), (r"C:\x", ""), ("", ""), (None, ""), (["x"], ""),
])  # fmt: skip
def test_links_are_relative_and_encoded(path: object, link: str) -> None:
    assert relative_link(path) == link
