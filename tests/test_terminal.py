"""Control characters of names never reach the terminal, LaTeX or Markdown."""

from __future__ import annotations

import ast
import json
import re
import shutil
from pathlib import Path

import pytest

from ganvas import comparison, i18n
from ganvas.cli.main import main
from ganvas.comparison import formats
from ganvas.runs.run import Run
from ganvas.terminal import printable, show_text
from synthetic import make_run

SOURCES = sorted((Path(__file__).parents[1] / "src" / "ganvas").rglob("*.py"))
NASTY = "a\x1b]0;owned\x07\nganvas: all is well\r\x9b2J\u202egnp.exe\u2066\x7f"
RAW = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def rename(run: Run) -> Run:
    """Nasty names in what a run's files say."""
    for name in ("config.json", "data.json"):
        values = json.loads((run.path / name).read_text("utf-8"))
        if name == "config.json":
            for part in ("config", "recipe"):
                values[part]["recipe"] = values[part]["data"]["name"] = NASTY
        else:
            values |= {"name": NASTY}
        (run.path / name).write_text(json.dumps(values), "utf-8")
    return run


def test_what_is_printable_stays_and_the_rest_becomes_an_escape_that_json_reads() -> None:
    plain = "héllo 한국어 日本 – “x” \\ 100 % 👩\u200d🎨"
    assert printable(plain) == plain
    assert printable("a\x1b[31m\n\t\u202eb\udc80") == "a\\u001b[31m\\n\\t\\u202eb\\udc80"
    assert json.loads(printable(json.dumps({"x": NASTY}, ensure_ascii=False))) == {"x": NASTY}


def test_a_text_keeps_its_own_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show_text("one\ntwo\x07")
    assert capsys.readouterr().out == "one\ntwo\\u0007\n"


def test_only_one_file_prints() -> None:
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id == "print" and path.name != "terminal.py":
                found.append(f"{path}:{node.lineno}")
    assert not found, "print with ganvas.terminal.show: names may hold control characters"


def test_listings_errors_and_the_doctor_print_no_control_characters(
    tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = rename(make_run(tmp / "runs" / "x\x1b[2J\x07y", rows=60, grids=3))
    run.event("warning", 1, what=NASTY)
    for words in (["runs", str(tmp / "runs")], ["runs", str(tmp / "runs"), "--json"], ["doctor", str(run.path)],
                  ["doctor", str(run.path), "--json"], ["report", str(tmp / NASTY)], [NASTY], ["train", NASTY],
                  ["sample", str(run.path)], ["sample", NASTY], ["data", "check", NASTY], ["compare", str(run.path)],
                  ["evaluate", NASTY], ["recipes", NASTY], ["tricks", NASTY], ["experiment", NASTY]):  # fmt: skip
        code = main(words)
        captured = capsys.readouterr()
        assert not RAW.search(captured.out + captured.err), words
        if code:
            assert len(captured.err.splitlines()) == 1, words
        assert not any(line.startswith("ganvas: all") for line in (captured.out + captured.err).splitlines()), words


def test_names_are_no_commands_of_latex_no_html_of_markdown_and_no_formula(tmp: Path) -> None:
    attack = "[3cm]*\n\\input{/etc/passwd}% $x$ <script>|=1\x1b"
    first = make_run(tmp / "a0", rows=20, grids=2)
    first.write_bytes("snapshots/000300000.safetensors", b"")
    shutil.copytree(first.path, tmp / "b0")
    groups = {attack: [first.path], f"={attack}": [tmp / "b0"]}
    found, say = comparison.compare(groups, make=False), i18n.load("en")
    tex = formats.latex(found, say)
    assert not RAW.search(tex)
    ours = ("\\begin{tabular}", "\\end{tabular}", "\\hline")
    for line in (line for line in tex.splitlines() if line and not line.startswith("%")):
        assert line.startswith(ours) or line.endswith(r" \\")
        assert not line.startswith(("[", "*")) and "\\input" not in line.replace("\\textbackslash{}input", "")
    assert "{[}3cm]{*}\\textbackslash{}n\\textbackslash{}input\\{/etc/passwd\\}\\% \\$x\\$ $<$script$>$" in tex
    page = formats.markdown(found, say)
    assert "<script" not in page and "&lt;script" in page and "\x1b" not in page
    assert not RAW.search(formats.text(found, say))
    assert "\n'=[3cm]" in formats.comma_separated(found).replace('"', "")
