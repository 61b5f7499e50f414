"""The doctor's output: in both languages, with commands that can be typed as printed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from histories import make_history
from test_rules import FAULTS

from conftest import start, trained
from ganvas import api, i18n, reports
from ganvas.cli import main as cli
from ganvas.diagnostics import RULES, Rule, RunHistory, diagnose, diagnose_run, text
from ganvas.diagnostics.commands import apply_flags, commands
from ganvas.diagnostics.finding import Finding
from ganvas.errors import GanvasError
from ganvas.runs.run import Run
from ganvas.training.loop import Event

LANGUAGES = ("en", "ko")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", FAULTS)
def test_every_finding_has_its_text(name: str, lang: str) -> None:
    curves, settings, _ = FAULTS[name]
    diagnosis = diagnose(make_history(curves, settings))
    found = {item.rule: item for item in text.finding_texts(diagnosis, i18n.load(lang))}[name]
    assert found.title and found.cause and "{" not in found.title + found.cause
    assert found.page == f"docs/why-gans-fail.md#{name}"
    assert name == "tiny-batch" or found.evidence
    assert text.diagnosis_text(diagnosis, i18n.load(lang))


@pytest.mark.parametrize("recipe", ["quick", "cifar-dcgan", "cifar-dcgan-recap", "sngan", "wgan-gp", "r3-small"])
def test_every_command_can_be_typed(recipe: str, capsys: pytest.CaptureFixture[str]) -> None:
    from ganvas.config import recipes

    count = 0
    for curves, settings, _ in FAULTS.values():
        history = make_history(curves, settings)
        history.config = history.recipe = recipes.get(recipe).config
        for command in (c for item in text.finding_texts(diagnose(history), i18n.load("en")) for c in item.commands):
            if command.startswith("ganvas train"):
                count += 1
                assert cli.main([*shlex.split(command)[1:], "--dry-run"]) == 0, command
    assert count > 10 and capsys.readouterr().err == ""


def test_a_command_repeats_the_runs_own_settings_after_what_is_new() -> None:
    history = make_history({"saturated/fake": 0.7}, {"data.name": "my photos", "step.batch": 48, "data.flip": True})
    first = text.finding_texts(diagnose(history), i18n.load("en"))[0].commands[0]
    assert first.startswith("ganvas train quick --g-optim.lr 0.0002 --data 'my photos'")
    assert "--step.batch 48" in first and "--data.flip" in first and "--data.labels" not in first


def test_networks_of_ones_own_are_trained_by_fit_and_no_command() -> None:
    own = {"recipe": "own-1a2b", "tricks": ("flip",), "step.ema_kimg": 0.0}
    history = make_history({"saturated/fake": 0.7}, own)
    tries = text.finding_texts(diagnose(history), i18n.load("en"))[0].commands
    assert tries[0] == 'gan.fit(..., tricks=["flip"], settings={"g_optim.lr": 0.0002})'
    assert tries[-1] == 'gan.fit(..., tricks=["flip", "ema"])'


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"recipe": "own-1a2b", "data.name": "cifar10"}, 'ganvas.resume(".", minutes=1)'),
        ({"data.name": "in-memory"}, 'ganvas.resume(".", data=..., minutes=1)'),
        ({"data.name": "cifar10"}, "ganvas resume . --minutes 1"),
    ],
)
def test_what_only_python_knows_is_advised_in_python(changed: dict[str, object], expected: str) -> None:
    history = make_history({}, changed)
    found = [Finding(rule, 0, "high", (), (line,)) for rule, line in (
        ("too-little", "ganvas resume . --minutes 1"), ("checkerboard", "ganvas train quick --data cifar10"),
    )]  # fmt: skip
    resumed, trained = (next(commands(finding, history)) for finding in found)
    assert resumed == expected
    assert trained == ('ganvas.GAN("quick").fit(...)' if "(" in expected else "ganvas train quick --data cifar10")


def test_what_the_run_has_already_is_not_suggested() -> None:
    history = make_history({"saturated/fake": 0.7})
    assert apply_flags(history.config, "--with ema") is not None  # another half-life than quick's
    assert apply_flags(history.config, f"--g-optim.lr {history.config.g_optim.lr:g}") is None
    assert apply_flags(history.config, "--with no-such-trick") is None


@pytest.mark.parametrize(
    ("value", "key"), [(0.97, "high"), (0.7, "middle"), (0.1, "low")],
)  # fmt: skip
def test_the_question_about_fake_accuracy_is_answered(value: float, key: str) -> None:
    say = i18n.load("en")
    answered = text.fake_accuracy_answer(diagnose(make_history({"acc/fake": value})), say)
    assert answered is not None and f"{value:.2f}" in answered[0]
    assert answered[1] == say(f"doctor.accuracy.{key}", alive=say("doctor.accuracy.alive", grad="6"))


def test_a_bad_accuracy_names_the_finding() -> None:
    say = i18n.load("en")
    answered = text.fake_accuracy_answer(diagnose(make_history({**FAULTS["d-wins"][0]})), say)
    assert answered is not None and say("doctor.d-wins.title") in answered[1]


# -- the verb, the report, the hook ----------------------------------------------------------------------------


def test_the_verb_reads_a_run(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", str(finished.path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{finished.path}: ")
    assert cli.main(["doctor", str(finished.path), "--lang", "ko"]) == 0
    assert cli.main(["doctor", str(finished.path), "--json"]) == 0


@pytest.mark.parametrize(
    ("flags", "said"),
    [((), "name a run"), (("x", "--env"), "name a"), (("x",), "no run directory"), (("--data", "no/such"), "exist")],
)  # fmt: skip
def test_bad_arguments(flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", *flags]) == 2
    assert said in capsys.readouterr().err


def test_the_report_shows_the_findings(tmp: Path) -> None:
    run = trained(tmp / "run", {"step.batch": 4, "budget.kimg": 0.048})
    page = reports.write(run).read_text("utf-8")
    say = i18n.load("en")
    assert say("doctor.title") in page and 'id="finding-tiny-batch"' in page
    assert say("doctor.tiny-batch.title", images=4) in page


def test_a_new_finding_is_reported_once_and_saved(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganvas.training import schedules

    monkeypatch.setattr(schedules, "sample_points", lambda: iter(range(0, 10**6, 16)))
    run, images = start(tmp / "run", {"step.batch": 4, "budget.kimg": 0.096})
    heard: list[Event] = []
    assert api.run_training(run, images, [heard.append])
    reported = [event for event in heard if event.kind == "doctor" and event.details["finding"] == "tiny-batch"]
    assert len(reported) == 1 and f"ganvas doctor {run.path}" in reported[0].details["what"]
    assert [e["finding"] for e in run.rows("events") if e["event"] == "doctor"].count("tiny-batch") == 1


def test_a_rule_that_fails_does_not_stop_the_training(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(history: RunHistory) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setitem(RULES, "broken", Rule("broken", 0, broken, {}))
    run = trained(tmp / "run")
    (warning,) = [e for e in run.rows("events") if e["event"] == "warning"]
    assert "ZeroDivisionError" in warning["what"]
    with pytest.raises(ZeroDivisionError):
        diagnose_run(run)


def test_columns_that_an_old_run_lacks_are_measured_on_its_grids(tmp: Path) -> None:
    run = trained(tmp / "run")
    written = run.rows("monitor")
    older = [{k: v for k, v in row.items() if k != "grid/depth"} for row in written]
    (run.path / "monitor.jsonl").write_text("".join(json.dumps(row) + "\n" for row in older))
    depths = diagnose_run(run).history.curve("grid/depth")
    assert np.allclose(depths, [row["grid/depth"] for row in written[1:]], atol=1e-6)
    run.sample_grids()[-1][1].unlink()
    history = diagnose_run(run).history
    assert len(history.nimg) == len(written) - 1 and np.isnan(history.curve("grid/depth")[-1])


def test_a_folder_that_is_no_run_is_an_error(tmp: Path) -> None:
    with pytest.raises(GanvasError):
        diagnose_run(Run.open(tmp))


def test_every_finding_has_its_section_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs/why-gans-fail.md").read_text("utf-8")
    sections = {line[3:] for line in page.splitlines() if line.startswith("## ")}
    assert sections == set(RULES)
