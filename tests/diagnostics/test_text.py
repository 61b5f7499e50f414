"""What the doctor says: in both languages, with commands that may be typed as they stand."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from cases import made
from test_rules import FAULTS

from conftest import start, trained
from ganvas import api, i18n, report
from ganvas import diagnostics as doctor
from ganvas.cli import main as cli
from ganvas.diagnostics import diagnose
from ganvas.diagnostics import text as words
from ganvas.errors import GanvasError
from ganvas.runs.run import Run
from ganvas.training.loop import Event

LANGUAGES = ("en", "ko")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", FAULTS)
def test_every_finding_is_told(name: str, lang: str) -> None:
    curves, settings, _ = FAULTS[name]
    diagnosis = diagnose(made(curves, settings))
    told = {item.name: item for item in words.told(diagnosis, i18n.load(lang))}[name]
    assert told.title and told.cause and "{" not in told.title + told.cause
    assert told.page == f"docs/why-gans-fail.md#{name}"
    assert name == "tiny-batch" or told.evidence
    assert words.text(diagnosis, i18n.load(lang))


@pytest.mark.parametrize("recipe", ["quick", "cifar-dcgan", "cifar-dcgan-recap", "sngan", "wgan-gp", "r3-small"])
def test_every_command_may_be_typed(recipe: str, capsys: pytest.CaptureFixture[str]) -> None:
    from ganvas.config import recipes

    count = 0
    for curves, settings, _ in FAULTS.values():
        case = made(curves, settings)
        case.config = case.recipe = recipes.get(recipe).config
        for command in (c for item in words.told(diagnose(case), i18n.load("en")) for c in item.commands):
            if command.startswith("ganvas train"):
                count += 1
                assert cli.main([*shlex.split(command)[1:], "--dry-run"]) == 0, command
    assert count > 10 and capsys.readouterr().err == ""


def test_a_command_repeats_the_runs_own_settings_behind_what_is_new() -> None:
    case = made({"saturated/fake": 0.7}, {"data.name": "my photos", "step.batch": 48, "data.flip": True})
    first = words.told(diagnose(case), i18n.load("en"))[0].commands[0]
    assert first.startswith("ganvas train quick --g-optim.lr 0.0002 --data 'my photos'")
    assert "--step.batch 48" in first and "--data.flip" in first and "--data.labels" not in first


def test_what_the_run_has_already_is_not_advised() -> None:
    case = made({"saturated/fake": 0.7})
    assert words.put_on(case.config, "--with ema") is not None  # another half-life than quick's
    assert words.put_on(case.config, f"--g-optim.lr {case.config.g_optim.lr:g}") is None
    assert words.put_on(case.config, "--with no-such-trick") is None


@pytest.mark.parametrize(
    ("value", "key"), [(0.97, "high"), (0.7, "middle"), (0.1, "low")],
)  # fmt: skip
def test_the_question_about_fake_accuracy_is_answered(value: float, key: str) -> None:
    say = i18n.load("en")
    answered = words.accuracy(diagnose(made({"acc/fake": value})), say)
    assert answered is not None and f"{value:.2f}" in answered[0]
    assert answered[1] == say(f"doctor.accuracy.{key}", alive=say("doctor.accuracy.alive", grad="6"))


def test_where_the_accuracy_is_bad_the_finding_is_named() -> None:
    say = i18n.load("en")
    answered = words.accuracy(diagnose(made({**FAULTS["d-wins"][0]})), say)
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
def test_bad_words(flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", *flags]) == 2
    assert said in capsys.readouterr().err


def test_the_report_has_the_doctors_reading(tmp: Path) -> None:
    run = trained(tmp / "run", {"step.batch": 4, "budget.kimg": 0.048})
    page = report.write(run).read_text("utf-8")
    say = i18n.load("en")
    assert say("doctor.title") in page and 'id="finding-tiny-batch"' in page
    assert say("doctor.tiny-batch.title", images=4) in page


def test_what_sets_in_is_told_once_and_kept(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganvas.training import schedules

    monkeypatch.setattr(schedules, "sample_points", lambda: iter(range(0, 10**6, 16)))
    run, images = start(tmp / "run", {"step.batch": 4, "budget.kimg": 0.096})
    heard: list[Event] = []
    assert api.run_training(run, images, [heard.append])
    told = [event for event in heard if event.kind == "doctor" and event.details["finding"] == "tiny-batch"]
    assert len(told) == 1 and f"ganvas doctor {run.path}" in told[0].details["what"]
    assert [e["finding"] for e in run.rows("events") if e["event"] == "doctor"].count("tiny-batch") == 1


def test_a_rule_that_fails_does_not_stop_the_training(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: doctor.Case) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(doctor, "RULES", (broken,))
    run = trained(tmp / "run")
    (warning,) = [e for e in run.rows("events") if e["event"] == "warning"]
    assert "ZeroDivisionError" in warning["what"]
    with pytest.raises(ZeroDivisionError):
        doctor.examine(run)


def test_signs_that_a_run_did_not_write_yet_are_taken_from_its_grids(tmp: Path) -> None:
    run = trained(tmp / "run")
    written = run.rows("monitor")
    older = [{k: v for k, v in row.items() if k != "grid/depth"} for row in written]
    (run.path / "monitor.jsonl").write_text("".join(json.dumps(row) + "\n" for row in older))
    depths = doctor.examine(run).case.look("grid/depth")
    assert np.allclose(depths, [row["grid/depth"] for row in written[1:]], atol=1e-6)
    run.samples()[-1][1].unlink()
    case = doctor.examine(run).case
    assert len(case.nimg) == len(written) - 1 and np.isnan(case.look("grid/depth")[-1])


def test_a_folder_that_is_no_run_is_one_line(tmp: Path) -> None:
    with pytest.raises(GanvasError):
        doctor.examine(Run.open(tmp))


def test_every_finding_has_its_section_in_the_docs() -> None:
    page = (Path(__file__).parents[2] / words.PAGE).read_text("utf-8")
    sections = {line[3:] for line in page.splitlines() if line.startswith("## ")}
    assert sections == {*FAULTS, "nan"}
