"""The hand-in: every file of the folder, the checklist both ways, in both languages, with hostile names and notes."""

from __future__ import annotations

import json
import linecache
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser

from browser import visit
from conftest import start
from ganvas import fonts, i18n, submission
from ganvas.cli.main import main
from ganvas.errors import UsageError
from ganvas.notebook import source
from ganvas.notebook.gan import GAN
from ganvas.reports import diagram_png, retrospective
from ganvas.reports.facts import gather
from ganvas.reports.sections import ran
from ganvas.reports.sections.rubric import RUBRIC
from ganvas.runs.run import Run
from ganvas.submission import checklist, code, files, folder
from ganvas.submission import page as pages
from learner import make_discriminator, make_generator
from notebook.test_gan import QUICK
from report_page import Page
from reports.test_hostile_text import ATTACK, change, hostile, is_inert
from synthetic import make_run

NOTES = "## Keep\n- fixed z\n\n**문제점**\n판별자가 이겼다\n\nTry:\n1. slower D\n\n# 느낀 점\n재미있다\n"
SHOWN_FILES = {
    "config.json", "curves.png", "notes.md", "progress.gif", "real.png", "report.html", "samples.png", "untrained.png",
}  # fmt: skip


def pair(folder: Path, seeds: int = 1, **options: Any) -> tuple[list[Path], list[Path]]:
    """Runs before and after a change of the learning rate, as training leaves them, scores included."""
    found: tuple[list[Path], list[Path]] = [], []
    for group, lr in enumerate((1e-4, 2e-4)):
        for seed in range(seeds):
            run = make_run(folder / f"{['전', '후'][group]} {seed}", rows=120, grids=3, tiles=16, **options)
            change(run.path / "config.json", lambda v, lr=lr, seed=seed: v["config"].update(
                seed=seed, g_optim={**v["config"]["g_optim"], "lr": lr}))  # fmt: skip
            shift = 0.1 * seed - 3 * group
            change(run.path / "evals.jsonl", lambda row, s=shift: row.update(value=row["value"] + s))
            run.write_bytes("snapshots/000300000.safetensors", b"")
            found[group].append(run.path)
    return found


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The hand-in of one seed before and after, by language; the run that is handed in has notes."""
    folder = tmp_path_factory.mktemp("제출 work")
    (before,), (after,) = pair(folder / "runs")
    (after / "notes.md").write_text(NOTES, "utf-8")
    return {
        lang: submission.submit(
            [before, after], folder / f"제출 {lang}", name="김민지", lang=lang, evaluate=False, progress=False
        )
        for lang in ("en", "ko")
    }


def checks(targets: Any) -> tuple[list[Any], list[Any]]:
    """The checklist's answers in English."""
    found, say = files.gather(targets, "", False, False), i18n.load("en")
    return checklist.items(found, say), checklist.questions(found, say)


def read_notebook(path: Path) -> Any:
    """A notebook, checked against its schema."""
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


# -- the folder ------------------------------------------------------------------------------------------------


def test_every_file_is_there_and_whole(handed: dict[str, Path]) -> None:
    base = handed["en"].parent
    found = {path.relative_to(base).as_posix() for path in base.rglob("*") if path.is_file()}
    top = {"submission.html", "submission.ipynb", "submission.json", "reviewer.md", "progress.gif", "curves.png",
           "diagram.png", "compare.html", "compare.md", "compare.csv"}  # fmt: skip
    assert found == top | {f"runs/{name} 0/{file}" for name in ("전", "후") for file in SHOWN_FILES}
    for path in base.rglob("*.[pg][ni][gf]"):
        with Image.open(path) as picture:
            assert picture.format == path.suffix[1:].upper() and min(picture.size) >= 64
    with Image.open(base / "diagram.png") as picture:
        assert picture.width > 1000
    with Image.open(base / "progress.gif") as picture:
        assert picture.n_frames == 3
    assert not list(base.parent.glob(".*.part"))


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_page_says_who_what_and_quotes_the_rubric(handed: dict[str, Path], lang: str) -> None:
    content, say = handed[lang].read_text("utf-8"), i18n.load(lang)
    page = Page(content)
    assert page.unclosed == [] and "김민지" in page.text
    assert all(quotation in page.text for item in RUBRIC for quotation in item)
    assert all(say(f"point.{i}") in page.text for i in range(1, 6))
    assert "g_optim.lr" in page.text and "0.0001" in page.text and "0.0002" in page.text
    for words in ("fixed z", "판별자가 이겼다", "slower D", "느낀 점"):
        assert words in page.text
    links = {a["href"] or "" for a in page.all("a") if not (a["href"] or "#").startswith("#")}
    assert links == {"compare.html", "runs/%EC%A0%84%200/report.html", "runs/%ED%9B%84%200/report.html"}
    assert not re.search(r"https?://|@import|fetch\(", content)
    compared = Page(handed[lang].with_name("compare.html").read_text("utf-8"))
    assert {a["href"] for a in compared.all("a")} == links - {"compare.html"}


def test_the_notebook_is_valid_and_its_outputs_are_static(handed: dict[str, Path]) -> None:
    for lang, page in handed.items():
        notebook = read_notebook(page.with_suffix(".ipynb"))
        cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
        shown = {cell.source: cell.outputs[0].data for cell in cells if cell.outputs}
        assert {f"run.doctor(lang={lang!r})", "run.gif()", "run.curves()", f"run.diagram(lang={lang!r})"} <= set(shown)
        assert all({"image/png", "text/html", "text/markdown"} & set(data) for data in shown.values())
        assert "g_optim.lr" in shown[f"ganvas.compare(runs, make=False, lang={lang!r})"]["text/markdown"]
        text = "\n".join(cell.source for cell in notebook.cells)
        assert all(quotation in text for item in RUBRIC for quotation in item)


def test_the_notebook_s_first_cell_opens_the_runs_from_its_folder(
    handed: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(handed["ko"].parent)
    cells = json.loads(Path("submission.ipynb").read_text("utf-8"))["cells"]
    (setup,) = (cell["source"] for cell in cells if "import ganvas" in cell["source"])
    known: dict[str, Any] = {}
    exec(setup, known)
    assert known["run"].config.g_optim.lr == 2e-4 and len(known["runs"]) == 2


@pytest.mark.parametrize("lang", ["en", "ko"])
def test_the_reviewer_s_checklist_is_empty(handed: dict[str, Path], lang: str) -> None:
    text, say = handed[lang].with_name("reviewer.md").read_text("utf-8"), i18n.load(lang)
    assert text.count("- [ ] **") == 8 and "[x]" not in text
    assert all(quotation in text for item in RUBRIC for quotation in item)
    assert all(say(f"point.{i}") in text for i in range(1, 6)) and "김민지" in text


@pytest.mark.parametrize("lang", ["en", "ko"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_clean_and_fits_a_phone(
    handed: dict[str, Path], browser: Browser | None, lang: str, scheme: str
) -> None:
    if browser is None:
        return
    opened, troubles = visit(
        browser, handed[lang], color_scheme=scheme, offline=True, viewport={"width": 360, "height": 740}
    )
    assert troubles == [] and opened.evaluate("document.documentElement.scrollWidth") <= 360
    assert opened.evaluate("[...document.images].filter((i) => !i.naturalWidth).length") == 0
    opened.close()


@pytest.mark.slow
def test_attacks_stay_text(tmp: Path, browser: Browser | None) -> None:
    runs = [hostile(tmp / name).path for name in ("a", "<img src=x onerror=hit>")]
    change(runs[1] / "config.json", lambda v: v["config"]["loss"].update(name="hinge"))
    (runs[1] / "networks.py").write_text(ATTACK, "utf-8")
    made = submission.submit(runs, tmp / "out", name=ATTACK, evaluate=False, progress=False)
    assert ATTACK[:29] in Page(made.read_text("utf-8")).text
    for name in ("submission.html", "compare.html"):
        is_inert(made.with_name(name), browser)
    notebook = read_notebook(made.with_suffix(".ipynb"))
    for cell in notebook.cells:
        source = re.sub(r"^(`{3,})python\n.*?^\1$", "", cell.source, flags=re.DOTALL | re.MULTILINE)
        if cell.cell_type == "markdown":
            assert not re.search(r"<(?:script|img|svg|a|style)\b", re.sub(r"`[^`\n]*`", "", source)), source
    assert "<script" not in made.with_name("reviewer.md").read_text("utf-8")


# -- the checklist ---------------------------------------------------------------------------------------------


def test_one_run_without_notes_shows_little(tmp: Path) -> None:
    run = make_run(tmp / "run", rows=60, grids=3, epochs=3)
    rubric, questions = checks([run.path])
    assert [item.status for item in rubric] == ["not", "not", "not"]
    assert "one group of runs only" in rubric[2].reasons[0]
    assert "ganvas quiz" in rubric[0].evidence[-1]
    assert [question.status for question in questions] == ["not", "eye", "not", "not", "eye"]
    assert questions[3].reasons == ["nothing is written under Keep, Problem, Try (notes.md of the run run)"]


def test_a_comparison_notes_and_a_passed_blind_test_show_it(tmp: Path) -> None:
    (before,), (after,) = pair(tmp, classes=("cat", "dog"))
    (after / "notes.md").write_text(NOTES, "utf-8")
    truth = [[True, i % 2] for i in range(20)]
    Run(after).append("quiz", {
        "run": "r", "generator": "0", "nimg": 300_000, "seed": 0, "name": "Kim", "date": "2026-01-02", "intended": True,
        "classes": ["cat", "dog"], "reals": "x:test", "truth": truth, "given": truth})  # fmt: skip
    rubric, questions = checks([before, after])
    assert [item.status for item in rubric] == ["shown", "shown", "shown"]
    assert "changed: g_optim.lr" in rubric[2].evidence[0]
    assert any("There is no verdict: n = 1 a group" in line for line in rubric[2].evidence)
    assert [question.status for question in questions] == ["shown", "eye", "shown", "shown", "eye"]


def test_three_seeds_have_a_verdict(tmp: Path) -> None:
    before, after = pair(tmp, seeds=3, evals="all")
    rubric, _ = checks([*before, *after])
    assert rubric[2].status == "shown" and "fd_classifier better" in " ".join(rubric[2].evidence)
    assert not any("no verdict" in line for line in rubric[2].evidence)


def test_runs_that_do_not_differ_show_no_improvement(tmp: Path) -> None:
    (before,), (after,) = pair(tmp)
    change(after / "config.json", lambda v: v["config"].update(g_optim={**v["config"]["g_optim"], "lr": 1e-4}))
    rubric, _ = checks({"a": [before], "b": [after]})
    assert rubric[2].status == "not" and "do not differ" in rubric[2].reasons[0]


# -- notes and code --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("title", "section"), [
    ("Keep", "keep"), ("KEEP (계속할 점)", "keep"), ("잘한 점", "keep"), ("👍 Keep", "keep"), ("K", "keep"),
    ("Problem · 어려웠던 점", "problem"), ("아쉬운 점", "problem"), ("Try", "try"), ("시도해 볼 점:", "try"),
    ("Keeping time", None), ("회고", None), ("느낀 점", None), ("", None),
])  # fmt: skip
def test_headings_of_a_retrospective(title: str, section: str | None) -> None:
    assert retrospective.kind(title) == section


def test_what_is_written_under_them() -> None:
    found = retrospective.written(NOTES)
    assert {name: len(parts) for name, parts in found.items()} == {"keep": 1, "problem": 1, "try": 1}
    assert "판별자가 이겼다" in found["problem"][0].body
    assert not any(retrospective.written("## Keep\n\n## Problem\n\n## Try\n").values())


def test_code_is_looked_at_simply() -> None:
    facts = code.look(
        'def make_G():\n    """Why."""\n    a = 1\n    return a\n\ndef other():\n    a = 1\n    return a\n\n'
        f"class net:\n    x = {'1' * 100}  # because\n"
    )
    assert facts is not None
    assert facts.names == ("make_G", "other", "net") and facts.silent == ("other",)
    assert facts.misnamed == ("make_G", "net") and facts.repeated == ("make_G", "other") and facts.long_lines == 1
    assert code.look("def (") is None and code.look("x = 1") is None


def test_own_networks_bring_their_code(shapes: Any, tmp: Path) -> None:
    run = GAN(make_generator, make_discriminator).fit(shapes, out=tmp / "run", **{**QUICK, "kimg": 0.1})
    kept = (run.path / "networks.py").read_text("utf-8")
    assert "def make_generator()" in kept and "def make_discriminator()" in kept
    view = run.submit(tmp / "out", name="Kim", evaluate=False)
    assert "def make_discriminator()" in Page(Path(view).read_text("utf-8")).text
    assert "submission.ipynb" in view._repr_html_()
    _, questions = checks([run.path])
    assert questions[1].status == "not" and "make_generator" in questions[1].reasons[0]


def test_classes_of_a_notebook_are_kept_as_well() -> None:
    """Before Python 3.13 inspect cannot find a class whose module has no file, as in a notebook."""
    cell = (
        "from torch import nn\n\n\nclass Up(nn.Module):\n    def forward(self, x):\n        return x\n\n\n"
        "@tagged\nclass Net(nn.Module):\n    def __init__(self):\n        self.up = Up()\n"
    )
    linecache.cache["<cell 1>"] = (len(cell), None, cell.splitlines(keepends=True), "<cell 1>")
    names: dict[str, Any] = {"__name__": "no_such_module", "tagged": lambda kind: kind}
    exec(compile(cell, "<cell 1>", "exec"), names)
    kept = source.text_of([names["Net"]])
    assert kept.count("class ") == 2 and kept.index("class Up(nn.Module)") < kept.index("@tagged\nclass Net(nn.Module)")
    assert kept.endswith("self.up = Up()\n")


def test_the_page_shows_how_own_networks_were_trained(shapes: Any, tmp: Path) -> None:
    wishes = {**QUICK, "kimg": 0.1, "tricks": ["dcgan-adam"], "d_loss": lambda real, fake: (fake - real).mean()}
    run = GAN(make_generator, make_discriminator).fit(shapes, out=tmp / "run", **wishes)
    call = ran.code(gather(run)).splitlines()[-1]
    assert call.startswith('run = gan.fit("shapes", kimg=0.1, seed=0, d_loss=..., g_loss=..., tricks=["dcgan-adam"]')
    assert call.endswith("settings={'step.batch': 16})") and "own-" not in call


def test_a_diagram_has_letters_that_a_font_here_has(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = gather(make_run(tmp / "run", rows=60, grids=3))
    monkeypatch.setattr(fonts, "find", lambda texts: None)
    english = diagram_png.draw(facts, i18n.load("en"))
    assert diagram_png.draw(facts, i18n.load("ko")) == english
    facts.networks["generator"][0] = facts.networks["generator"][0]._replace(kind="내 층")
    assert diagram_png.draw(facts, i18n.load("en")) != english


# -- bad use ---------------------------------------------------------------------------------------------------


def test_folders_and_changed_files_of_a_user_stay(tmp: Path) -> None:
    out, made = tmp / "out", {"reviewer.md": b"empty", "runs/a/x": b"1"}
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds no hand-in of ganvas"):
        folder.write(out, made)
    folder.write(out, made, force=True)
    folder.write(out, made)
    (out / "reviewer.md").write_text("filled in")
    with pytest.raises(UsageError, match=r"reviewer\.md was changed since"):
        folder.write(out, made)
    assert (out / "reviewer.md").read_text() == "filled in"
    (out / "reviewer.md").unlink()
    with pytest.raises(UsageError, match=r"mine\.txt was not made by ganvas"):
        folder.write(out, {"mine.txt": b"ours"})
    folder.write(out, made, force=True)
    assert (out / "mine.txt").read_text() == "mine" and (out / "reviewer.md").read_text() == "empty"


def test_again_removes_what_is_no_longer_part_of_it(tmp: Path) -> None:
    folder.write(tmp / "out", {"page": b"1", "runs/one/x": b"1", "runs/two/x": b"1"})
    (tmp / "out" / "runs" / "two" / "mine").write_text("mine")
    folder.write(tmp / "out", {"page": b"2", "runs/new/x": b"1"})
    found = {path.relative_to(tmp / "out").as_posix() for path in (tmp / "out").rglob("*") if path.is_file()}
    assert found == {"page", "runs/new/x", "runs/two/mine", "submission.json"}
    assert not (tmp / "out" / "runs" / "one").exists() and not list(tmp.glob(".*.part"))


@pytest.mark.parametrize("name", ["../out2/x", "/etc/x"])
def test_a_list_of_files_that_leads_out_of_the_folder_deletes_nothing(tmp: Path, name: str) -> None:
    folder.write(tmp / "out", {"page": b"1"})
    folder.write(tmp / "out2", {"x": b"1"})
    digest = json.loads((tmp / "out2" / "submission.json").read_text())["files"]["x"]
    change(tmp / "out" / "submission.json", lambda v: v["files"].update({name: digest}))
    folder.write(tmp / "out", {"page": b"2"})
    assert (tmp / "out2" / "x").read_bytes() == b"1"


def test_a_link_in_the_folder_leads_nowhere(tmp: Path) -> None:
    (tmp / "elsewhere").mkdir()
    (tmp / "out").mkdir()
    (tmp / "out" / "runs").symlink_to(tmp / "elsewhere")
    with pytest.raises(UsageError, match="is a link or a file"):
        folder.write(tmp / "out", {"runs/a/x": b"1"}, force=True)
    assert not any((tmp / "elsewhere").iterdir())


def test_missing_broken_and_unfinished_runs_get_a_line(tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", str(tmp / "none"), "--out", str(tmp / "out")]) == 2
    assert "is not a run" in capsys.readouterr().err
    broken, _ = start(tmp / "broken")
    (broken.path / "data.json").write_text("{")
    assert main(["submit", str(broken.path), "--out", str(tmp / "out")]) == 2
    assert "there is no run to hand in" in capsys.readouterr().err and not (tmp / "out").exists()
    unfinished, _ = start(tmp / "unfinished")
    found = files.gather([unfinished.path], "", False, False)
    assert i18n.load("en")("state.empty") in Page(pages.render(found, i18n.load("en"))).text
    assert main(["submit", str(unfinished.path), "--out", str(unfinished.path)]) == 2
    assert "is a run: choose another" in capsys.readouterr().err
