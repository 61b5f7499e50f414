"""From runs with scores to verdicts, tables and the page."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from comparison.test_groups import trained
from ganvas import comparison, i18n
from ganvas.cli import main as cli
from ganvas.comparison import formats, page, pictures, tables
from ganvas.comparison.scores import EvaluationProtocol
from ganvas.errors import UsageError
from ganvas.runs.run import Run
from report_page import Page
from synthetic import score

METRICS = ("fd_classifier", "coverage_classifier", "confidence_classifier")
BEFORE, AFTER, SAME = [50.0, 52.0, 51.0], [40.0, 41.0, 39.5], [50.2, 51.4, 50.6]


def scored(run: Run, fd: float, coverage: float = 0.4, confidence: float = 0.9, **changes: Any) -> Run:
    """Scores of its final generator, those that it was made with dropped."""
    (run.path / "evals.jsonl").unlink(missing_ok=True)
    for metric, value in zip(METRICS, (fd, coverage, confidence), strict=True):
        better = "real" if metric.startswith("conf") else "higher" if metric.startswith("cov") else "lower"
        run.append("evals", score(metric, 10_000, value=value, better=better, real_baseline=0.95, **changes))
    return run


def experiment(folder: Path, *groups: list[float]) -> list[str]:
    """Groups of runs that differ in G's rate, with these distances; returns one target each."""
    for i, values in enumerate(groups):
        for seed, value in enumerate(values):
            settings = {"g_optim.lr": 1e-4 * (i + 1)}
            scored(trained(folder / f"g{i}-{seed}", seed, **settings), value, 0.4 + 0.01 * seed)
    return [f"g{i}={folder}/g{i}-*" for i in range(len(groups))]


def compared(*args: Any, **kwargs: Any) -> comparison.Comparison:
    return comparison.compare(*args, progress=False, **kwargs)


def test_a_clear_change_is_called_and_none_is_not(tmp_path: Path) -> None:
    found = compared(experiment(tmp_path, BEFORE, AFTER, SAME), metrics=["fd"])
    assert [(v.group, v.outcome) for v in found.verdicts] == [(1, "better"), (2, "none")]
    better, none = found.verdicts
    assert better.difference is not None and better.difference.value == pytest.approx(np.mean(AFTER) - 51)
    assert better.seeds_needed is None and none.seeds_needed is not None and none.seeds_needed > 3
    assert none.p > 0.05 > better.p and 0 < none.detectable < 51
    turned = compared(["g1=" + f"{tmp_path}/g1-*", "g0=" + f"{tmp_path}/g0-*"], metrics=["fd_classifier"])
    assert [v.outcome for v in turned.verdicts] == ["worse"]


def test_every_further_test_makes_all_of_them_stricter(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, [47.5, 49.0, 48.4])
    alone = compared(targets, metrics=["fd"]).verdicts[0]
    both = compared(targets, metrics=["fd", "coverage"]).verdicts
    among = next(v for v in both if v.metric == "fd_classifier")
    assert among.p == pytest.approx(2 * alone.p) and among.detectable > alone.detectable


def test_without_a_test_there_is_no_interval(tmp_path: Path) -> None:
    """One of two seeds a side might leave out 0 beside `too few seeds`."""
    found = compared(experiment(tmp_path, BEFORE, AFTER[:2]), metrics=["fd"])
    (row,) = formats.verdict_rows(found)
    assert row["verdict"] == "few" and row["difference"] == pytest.approx(-10.5)
    assert (row["low"], row["high"], row["level"]) == (None, None, None)
    assert page.render(found, i18n.load("en"), tmp_path).count('class="forest') == 0


@pytest.mark.parametrize("lang", i18n.languages())
def test_every_form_shows_the_adjusted_interval(tmp_path: Path, lang: str) -> None:
    found, say = compared(experiment(tmp_path, BEFORE, AFTER, SAME), metrics=["fd", "coverage"]), i18n.load(lang)
    verdict = found.verdicts[0]
    alone = stats.ttest_ind(AFTER, BEFORE, equal_var=False).confidence_interval(0.95)
    assert verdict.difference is not None and verdict.difference.high > alone.high
    shown = f"{tables.signed(verdict.difference.low)} … {tables.signed(verdict.difference.high)}"
    assert shown in formats.text(found, say) and shown in formats.markdown(found, say)
    assert shown in Page(page.render(found, say, tmp_path)).text
    assert shown.translate(formats.LATEX) in formats.latex(found, say)
    assert "98.75%" in formats.text(found, say)  # 5 % / 4 tests


def test_what_should_be_like_real_images_is_judged_by_its_distance_from_them(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    for group, values in enumerate(([0.70, 0.72, 0.71], [0.96, 0.94, 0.95])):
        for seed, value in enumerate(values):
            scored(Run.open(tmp_path / f"g{group}-{seed}"), 50, confidence=value)
    (verdict,) = compared(targets, metrics=["confidence"]).verdicts
    assert verdict.outcome == "better" and verdict.difference is not None and verdict.difference.value < 0


def test_two_seeds_are_shown_and_not_judged(tmp_path: Path) -> None:
    found = compared(experiment(tmp_path, BEFORE, AFTER[:2]), metrics=["fd"])
    assert [v.outcome for v in found.verdicts] == ["few"]
    said = formats.text(found, i18n.load("en"))
    assert "too few seeds for a verdict" in said and "40.50 ± 0.71 (2)" in said


def test_seeds_that_did_not_differ_are_no_ground_for_a_verdict(tmp_path: Path) -> None:
    (verdict,) = compared(experiment(tmp_path, [5.0] * 3, [4.0] * 3), metrics=["fd"]).verdicts
    assert verdict.outcome == "still" and math.isnan(verdict.p)


def test_only_scores_of_the_final_generator_under_one_evaluator_are_set_side_by_side(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    odd = Run.open(tmp_path / "g0-0")
    for changes in ({"during": True}, {"selected": True}, {"n": 500}, {"weights_hash": "0" * 64}, {"split": "train"}):
        odd.append("evals", score("fd_classifier", 10_000, value=1.0, **changes))
    odd.append("evals", score("fd_classifier", 9_000, value=1.0))
    (scores,) = (c for c in compared(targets, make=False).scores if c.metric == "fd_classifier")
    assert scores.values == (tuple(BEFORE), tuple(AFTER))
    odd.append("evals", score("fd_classifier", 10_000, value=53.0))
    (scores,) = (c for c in compared(targets, make=False).scores if c.metric == "fd_classifier")
    assert scores.values[0][0] == 53.0  # measured again: the later one


def test_a_missing_score_is_made_under_the_evaluator_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    bare = Run.open(tmp_path / "g1-2")
    (bare.path / "evals.jsonl").unlink()
    asked: list[dict[str, Any]] = []

    def evaluate(target: Path, **kwargs: Any) -> None:
        asked.append({"target": target, **kwargs})
        scored(Run.open(target), 39.5)

    monkeypatch.setattr("ganvas.evaluation.evaluate", evaluate)
    found = compared(targets)
    assert found.notes == [] and len(found.scores[0].of_group(1)) == 3
    (call,) = asked
    assert call["target"] == bare.path and (call["n"], call["sets"]) == (2000, 5)
    assert call["reference"] == "cifar10:test" and call["features"] == ["classifier"]


def test_a_score_that_cannot_be_had_is_named(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    (tmp_path / "g1-2" / "evals.jsonl").unlink()
    found = compared(targets)  # its snapshot is empty
    assert any("g1-2 could not be evaluated" in note for note in found.notes)
    assert any(f"{tmp_path}/g1-2 has no fd_classifier" in note for note in found.notes)
    assert next(v for v in found.verdicts if v.metric == "fd_classifier").outcome == "few"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unknown", "no metric is called 'unknown': choose fd, fd_infinity, kd, precision"),
        ("coverge", "did you mean coverage"),
        ("fd_clasifier", "did you mean fd_classifier"),
        ("prdc", "stands for several metrics: name those to test, of precision, recall, density, coverage"),
        ("copying_p", "is a p value, which cannot be compared"),
        ("recall", "no run has a score of recall, they have fd_classifier, coverage_classifier"),
        ("fd_efficientnet", "no run has a score of fd_efficientnet"),
    ],
)
def test_a_metric_that_cannot_be_tested_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, words: str
) -> None:
    targets = experiment(tmp_path, BEFORE[:1], AFTER[:1])
    with pytest.raises(UsageError, match=words):
        compared(targets, metrics=["fd", name], make=False)
    assert cli.main(["compare", *targets, "--metrics", name, "--no-evaluate"]) == 2
    error = capsys.readouterr().err
    assert words in error and len(error.splitlines()) == 1


def without(run: Run, metric: str) -> None:
    rows = [row for row in run.rows("evals") if row["metric"] != metric]
    (run.path / "evals.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_a_metric_that_only_some_runs_have_is_no_silent_test_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets, bare = experiment(tmp_path, BEFORE, AFTER), Run.open(tmp_path / "g1-2")
    without(bare, "coverage_classifier")
    with pytest.raises(
        UsageError, match=r"only some runs have a score of coverage_classifier; .*g1-2 has no coverage_classifier$"
    ):
        compared(targets, metrics=["fd", "coverage"], make=False)
    assert len(compared(targets, make=False).verdicts) == 1  # not named: the note is enough
    asked = []

    def evaluate(target: Path, **kwargs: Any) -> None:
        asked.append((target, kwargs["metrics"]))
        Run.open(target).append("evals", score("coverage_classifier", 10_000, value=0.4))

    monkeypatch.setattr("ganvas.evaluation.evaluate", evaluate)
    assert len(compared(targets, metrics=["coverage"]).verdicts) == 1
    assert asked == [(bare.path, ["prdc"])]


def test_like_real_without_a_real_baseline_is_neither_better_nor_worse(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    for run in tmp_path.glob("g*"):
        Run.open(run).append(
            "evals", score("nearer_than_heldout_classifier", 10_000, better="real", real_baseline=None)
        )
    with pytest.raises(UsageError, match="nearer_than_heldout_classifier has no real baseline"):
        compared(targets, metrics=["nearer_than_heldout"], make=False)


def aged(run: Path, computation: str) -> None:
    """Its scores as an older or newer ganvas would have written them."""
    rows = [row | {"computation": computation} for row in Run.open(run).rows("evals")]
    (run / "evals.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_scores_of_an_older_computation_are_not_mixed_with_newer_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    assert compared(targets).notes == []  # all from before versions were recorded: comparable, nothing is computed
    for seed, computation in enumerate(("1.1", "1.1", "1.9")):
        aged(tmp_path / f"g0-{seed}", computation)
    for seed in range(3):
        aged(tmp_path / f"g1-{seed}", "1.10")  # 10 is newer than 9
    found = compared(targets, make=False)
    (fd,) = (each for each in found.scores if each.metric == "fd_classifier")
    assert fd.values == ((None,) * 3, tuple(AFTER)) and fd.computation == "1.10"
    (note,) = found.notes
    assert note.startswith(
        "left out, computed by an older version than the others': fd_classifier, coverage_classifier"
    )
    assert all(f"g0-{seed}" in note for seed in range(3)) and "\n" not in note
    asked = []

    def evaluate(target: Path, **kwargs: Any) -> None:
        asked.append(target.name)
        for metric in METRICS:
            Run.open(target).append("evals", score(metric, 10_000, value=50.0 + len(asked), computation="1.10"))

    monkeypatch.setattr("ganvas.evaluation.evaluate", evaluate)
    found = compared(targets)
    assert asked == ["g0-0", "g0-1", "g0-2"] and found.notes == []
    assert found.scores[0].values[0] == (51.0, 52.0, 53.0)
    assert {row["computation"] for row in csv.DictReader(io.StringIO(formats.comma_separated(found)))} == {"1.10"}
    aged_late = score("fd_classifier", 10_000, value=1.0, computation="1.9")
    Run.open(tmp_path / "g0-0").append("evals", aged_late)  # later, but by an older version
    assert compared(targets).scores[0].values[0] == (51.0, 52.0, 53.0)


def test_p_values_are_shown_as_a_range_and_never_averaged(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    for run, p in zip(sorted(tmp_path.glob("g0*")), (0.001, 0.5, 0.9), strict=True):
        Run.open(run).append("evals", score("copying_p_classifier", 10_000, value=p))
    (others,) = [t for t in tables.tables(compared(targets, make=False), i18n.load("en")) if t.key == "others"]
    assert ["copying_p_classifier", "0.001 … 0.9 (3)", "–"] in others.rows


def test_one_group_or_no_scores_are_nothing_to_compare(tmp_path: Path) -> None:
    experiment(tmp_path, BEFORE)
    with pytest.raises(UsageError, match=r"two groups of finished runs, found one group, cifar-dcgan"):
        compared([tmp_path])
    trained(tmp_path / "other", 0, **{"g_optim.lr": 1e-3})
    with pytest.raises(UsageError, match="no score to compare"):
        compared([tmp_path], features=["inception"], make=False)


def test_unequal_budgets_head_the_comparison(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    assert not compared(targets).unequal_budgets
    short = Run.open(tmp_path / "g1-0")
    (short.path / "snapshots" / "000010000.safetensors").rename(short.path / "snapshots" / "000006000.safetensors")
    (short.path / "evals.jsonl").unlink()
    short.append("evals", score("fd_classifier", 6_000, value=40.0))
    found = compared(targets, make=False)
    assert found.unequal_budgets and any("Unequal budgets" in line for line in tables.preface(found, i18n.load("en")))


def test_what_was_changed_is_read_from_the_runs(tmp_path: Path) -> None:
    found = compared(experiment(tmp_path, BEFORE, AFTER))
    assert found.changes == {"g_optim.lr": [1e-4, 2e-4]}


@pytest.mark.parametrize("lang", i18n.languages())
def test_every_form_tells_the_same_numbers(tmp_path: Path, lang: str) -> None:
    found, say = compared(experiment(tmp_path, BEFORE, AFTER, SAME)), i18n.load(lang)
    read = Page(page.render(found, say, tmp_path))
    forms = [formats.text(found, say), formats.markdown(found, say), read.text]
    for form in forms:
        for figure in ("51.0 ± 1.0 (3)", "40.17 ± 0.76 (3)", "−10.83", say("compare.word.better"), "g_optim.lr"):
            assert figure in form, figure
    assert r"51.0 $\pm$ 1.0 (3)" in formats.latex(found, say) and r"fd\_classifier" in formats.latex(found, say)
    assert lang != "en" or formats.latex(found, say).isascii()  # whatever the encoding of the paper it is put into
    assert read.unclosed == [] and not any("://" in str(a) for _, a in read.tags)
    rows = list(csv.DictReader(io.StringIO(formats.comma_separated(found))))
    fds = [float(row["value"]) for row in rows if row["metric"] == "fd_classifier"]
    assert fds == [*BEFORE, *AFTER, *SAME] and rows[0]["weights_hash"].startswith("9f3a51")
    assert set(EvaluationProtocol._fields) <= set(rows[0])


def test_markdown_tables_are_whole(tmp_path: Path) -> None:
    lines = formats.markdown(compared(experiment(tmp_path, BEFORE, AFTER)), i18n.load("en")).splitlines()
    blocks = [line for line in lines if line.startswith("|")]
    assert blocks and all(line.endswith("|") for line in blocks)
    heads = [i for i, line in enumerate(lines) if line.startswith("| ---")]
    for at in heads:
        width = lines[at].count("|")
        assert lines[at - 1].count("|") == lines[at + 1].count("|") == width


def test_pictures_of_the_same_seed_stand_side_by_side(tmp_path: Path) -> None:
    found = compared(experiment(tmp_path, BEFORE, AFTER))
    members, same = pictures.members_to_show(found.groups)
    assert [m.seed for m in members] == [0, 0] and same
    grids = pictures.grids_over_training(members, frames=5)
    assert [len(each) for each in grids] == [5, 5] and grids[0][0].size == grids[1][-1].size
    content = pictures.side_by_side(found.groups)
    assert content is not None and content[8:12] == b"WEBP"


def test_the_verb_prints_writes_and_refuses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    assert cli.main(["compare", *targets, "--out", str(tmp_path / "out"), "--metrics", "fd", "--lang", "ko"]) == 0
    assert "더 좋음" in capsys.readouterr().out
    there = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert there == ["compare.csv", "compare.html", "compare.md", "compare.tex", "compare.webp"]
    assert cli.main(["compare", targets[0]]) == 2
    assert "two groups" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert cli.main(["compare", *targets, "--out", str(tmp_path / "file")]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_verdicts_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["compare", *experiment(tmp_path, BEFORE, AFTER, AFTER[:2]), "--json"]) == 0
    better, few = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (better["verdict"], better["values"], better["first_values"]) == ("better", AFTER, BEFORE)
    assert better["low"] < better["difference"] < better["high"] < 0 and better["n"] == 2000
    assert few["verdict"] == "few" and few["p"] is None and few["detectable"] is None


def test_cpu_minutes_come_from_the_runs(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    for run in tmp_path.glob("g*"):
        rows = [json.loads(line) | {"cpu_sec": 90.0} for line in (run / "metrics.jsonl").read_text().splitlines()]
        (run / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (table, *_) = tables.tables(compared(targets), i18n.load("en"))
    assert table.rows[0][table.head.index("CPU minutes")] == "1.5"


def test_one_distance_is_judged_unless_one_says_more(tmp_path: Path) -> None:
    targets = experiment(tmp_path, BEFORE, AFTER)
    assert [v.metric for v in compared(targets).verdicts] == ["fd_classifier"]
    for run in tmp_path.glob("g*"):
        rows = [json.loads(line) for line in (run / "evals.jsonl").read_text().splitlines()]
        renamed = [r | {"metric": r["metric"].replace("fd_", "kd_")} for r in rows]
        (run / "evals.jsonl").write_text("".join(json.dumps(row) + "\n" for row in renamed))
    assert [v.metric for v in compared(targets).verdicts] == ["kd_classifier"]
