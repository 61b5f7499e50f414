"""Every rule: found where its fault is, from the place where it set in; silent on what is healthy or was not read."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from cases import HEALTHY, LOOKS, NIMG, ROWS, late, made

from ganvas import diagnostics as doctor
from ganvas.diagnostics import Diagnosis, diagnose
from ganvas.diagnostics.case import Case
from ganvas.diagnostics.finding import Finding
from ganvas.diagnostics.rules import balance

STUCK = {"distance": 1.0, "distance/raw": 1.0}
SWINGING = np.where(np.arange(LOOKS) % 2, 0.05, 0.95)
FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "d-wins": ({**STUCK, "acc/real": late(0.9, 0.99), "acc/fake": 0.99}, {}, 16000),
    "g-wins": ({**STUCK, "auc/fake": late(0.95, 0.3), "acc/fake": 0.5}, {}, 14000),
    "swings": ({**STUCK, "acc/fake": SWINGING, "sample_change": 0.6}, {}, 4000),
    "collapse": ({**STUCK, "spread": late(0.9, 0.1), "nearest": late(0.9, 0.1), "within": late(0.9, 0.1)}, {}, 14000),
    "class-collapse": ({"within": late(0.9, 0.2)}, {}, 14000),
    "labels": ({"label/accuracy": 0.1, "label/auc": 0.5}, {}, 8000),
    "saturation": ({"saturated/fake": late(0.1, 0.6)}, {}, 14000),
    "range": ({"contrast/real": 0.3, "brightness/real": 0.5}, {}, 2000),
    "checkerboard": ({"grid/fake": late(2, 30), "grid/depth": late(0.02, 0.2)}, {}, 16000),
    "exploding": ({"grad/d": late(5, 5000)}, {}, 14000),
    "too-slow": ({**STUCK, "update_ratio/g": 1e-6}, {}, 2000),
    "too-fast": ({**STUCK, "update_ratio/g": 0.2}, {}, 4000),
    "overfitting": ({"overfit": late(0.05, 0.8), "auc/held_out": late(0.5, 0.8)}, {}, 16000),
    "copying": ({"nearest_train": late(0.5, 0.95)}, {}, 16000),
    "tiny-batch": ({}, {"step.batch": 2}, 0),
    "ema-lag": ({"distance": 2.0}, {}, 2000),
    "too-little": ({"distance": 2 * 0.9 ** np.arange(LOOKS)}, {}, 6000),
}  # fmt: skip
"""Name -> curves, settings, and where it sets in: a median over three looks comes one look after the first."""


def names(diagnosis: Diagnosis) -> list[str]:
    return [finding.name for finding in diagnosis.findings]


def test_a_healthy_run_is_told_that_it_is() -> None:
    found = diagnose(made())
    assert found.findings == () and found.judged


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_from_where_it_set_in(name: str) -> None:
    curves, settings, since = FAULTS[name]
    case = made(curves, settings)
    found = {finding.name: finding for finding in diagnose(case).findings}
    assert name in found and found[name].since == since
    for e in found[name].evidence:
        assert e.begin <= max(since, 2000) and e.end == NIMG[-1]
        assert e.first == pytest.approx(case.look(e.series)[case.nimg == e.begin][0])


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in ("range", "tiny-batch")])
def test_two_looks_at_the_end_may_be_an_accident(name: str) -> None:
    curves, settings, _ = FAULTS[name]
    healthy = {**HEALTHY, **ROWS}
    last = {k: np.where(np.arange(LOOKS) < LOOKS - 1, np.broadcast_to(healthy[k], LOOKS), v) for k, v in curves.items()}
    assert name not in names(diagnose(made(last, settings)))


def test_a_small_preference_is_one_if_enough_images_were_asked_about() -> None:
    small = {"label/auc": 0.55, "label/n": 128.0}
    assert names(diagnose(made(small, without=["label/accuracy"]))) == []
    assert names(diagnose(made({**small, "label/auc": 0.51}, without=["label/accuracy"]))) == ["labels"]
    assert names(diagnose(made(small, without=["label/accuracy", "label/n"]))) == ["labels"]  # of 32, as of old


def test_a_preference_that_fades_was_one() -> None:
    fading = {"label/auc": np.linspace(0.7, 0.48, LOOKS), "label/n": 128.0}  # as G learns the classes
    assert names(diagnose(made(fading, without=["label/accuracy"]))) == []


def test_what_was_not_read_is_not_found() -> None:
    for curve in (*HEALTHY, *ROWS):
        assert names(diagnose(made(without=[curve]))) == []
    for name, (curves, settings, _) in FAULTS.items():
        if name not in ("tiny-batch", "swings"):
            assert name not in names(diagnose(made(settings=settings, without=list(curves))))


def test_a_run_without_any_look_is_not_judged() -> None:
    case = made()
    found = diagnose(Case(case.config, case.data))
    assert found.findings == () and not found.judged and found.accuracy is None


def test_numbers_that_broke_are_named() -> None:
    events = [{"event": "start", "nimg": 0}, {"event": "nan", "nimg": 9000, "what": ["loss/d", "grad/g"]}]
    (found,) = diagnose(made(events=events)).findings
    assert (found.name, found.since, found.blanks) == ("nan", 9000, {"what": "loss/d, grad/g"})


def test_a_fault_that_is_over_is_not_told() -> None:
    assert names(diagnose(made({"saturated/fake": late(0.6, 0.1)}))) == []


def test_pictures_that_come_to_rest_do_not_go_round() -> None:
    curves, _, _ = FAULTS["swings"]
    calming = 5.0 / np.arange(1, LOOKS + 1)  # as in healthy runs of `quick`, and above RESTLESS to the end
    assert "swings" not in names(diagnose(made({**curves, "sample_change": calming})))


def test_young_variety_is_no_collapse() -> None:
    rising = np.linspace(0.02, 0.3, LOOKS)
    assert "collapse" not in names(diagnose(made({"spread": rising, "nearest": rising, "within": rising, **STUCK})))


def test_a_strong_discriminator_is_no_fault_while_pictures_get_better() -> None:
    perfect = {"acc/real": 0.995, "acc/fake": 0.995}
    assert names(diagnose(made({**perfect, "distance": 2 * 0.8 ** np.arange(LOOKS)}))) == ["too-little"]
    assert names(diagnose(made(perfect))) == []


def test_rates_brought_down_are_no_standstill() -> None:
    falling = {"lr/g": 5e-4 * np.linspace(1, 0, LOOKS), "lr/d": 2e-3 * np.linspace(1, 0, LOOKS)}
    pace = {"update_ratio/g": 0.005 * np.linspace(1, 0, LOOKS), "update_ratio/d": 0.02 * np.linspace(1, 0, LOOKS)}
    undecided = {"acc/real": 0.7, "acc/fake": 0.7}
    assert names(diagnose(made({**STUCK, **falling, **pace, **undecided}))) == []


def test_nobody_has_won_before_g_was_updated_often_enough() -> None:
    blind = {**STUCK, "auc/fake": 0.3, "acc/fake": 0.5}
    assert "g-wins" in names(diagnose(made(blind, {"step.batch": 64})))
    assert names(diagnose(made(blind, {"step.batch": 256}))) == []  # 93 updates in all


def test_a_discriminator_that_is_certain_has_won_though_pictures_creep_nearer() -> None:
    creeping = 8 * 0.8 ** np.arange(LOOKS)
    certain = {"acc/real": 0.99, "acc/fake": 0.99, "logit/real": 9.0, "logit/fake": -9.0, "distance": creeping}
    assert "d-wins" in names(diagnose(made(certain)))
    assert "d-wins" not in names(diagnose(made({**certain, "logit/real": 3.0, "logit/fake": -3.0})))
    assert "d-wins" not in names(diagnose(made(certain, {"loss.name": "wasserstein"})))  # its logits have no scale


def test_where_real_images_are_mostly_black_saturation_is_what_is_left_between() -> None:
    assert "saturation" in names(diagnose(made({"saturated/real": 0.75, "saturated/fake": 0.9})))
    assert names(diagnose(made({"saturated/real": 0.75, "saturated/fake": 0.85}))) == []


def test_a_jump_to_another_picture_is_no_growing_variety() -> None:
    jumping = np.where(np.arange(LOOKS) % 3, 0.15, 0.25)
    assert "collapse" in names(diagnose(made({**STUCK, "spread": jumping, "nearest": jumping, "within": jumping})))


def test_old_runs_are_judged_by_accuracies_and_pictures() -> None:
    read = [
        key
        for key in HEALTHY
        if key.startswith(("eval_logit/", "auc/", "label/", "update_ratio/", "distance/", "nearest_train", "overfit"))
    ]
    blind = {**STUCK, "acc/real": 0.5, "acc/fake": 0.5}
    assert names(diagnose(made(without=read))) == []
    assert names(diagnose(made(blind, without=read))) == ["g-wins"]


def test_pairs_stand_for_real_images_where_d_only_compares() -> None:
    case = made({**STUCK, "acc/real": 0.5, "acc/fake": 0.99, "acc/pair": 0.99}, {"loss.name": "relativistic"})
    assert "d-wins" in [f.name for f in diagnose(Case(case.config, case.data, case.total, [
        {**row, "acc/pair": 0.99} for row in case.rows], case.vitals, case.events)).findings]  # fmt: skip


def test_turns_are_counted_from_end_to_end() -> None:
    assert list(balance.turns(np.array([0.9, 0.5, 0.1, 0.2, 0.6, 0.8, 0.75, 0.5, 0.9, 0.05]))) == [2, 5, 9]
    assert len(balance.turns(np.array([0.5, 0.6]))) == 0


def test_adding_a_rule_takes_a_function(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole of it: read curves, say where they hold, what shows it and what to try; then list it in RULES."""

    def pale(case: Case) -> Finding | None:
        good = case.look("contrast/fake") < 0.5 * case.look("contrast/real")
        return case.finding("pale", good, ("contrast/fake", "contrast/real"), ["--with r1-r2"])

    monkeypatch.setattr(doctor, "RULES", (*doctor.RULES, pale))
    (found,) = diagnose(made({"contrast/fake": late(60, 12)})).findings
    assert (found.name, found.since, found.sure) == ("pale", 14000, "high")
    assert [(e.series, e.first, e.last) for e in found.evidence] == [
        ("contrast/fake", 12, 12),
        ("contrast/real", 64, 64),
    ]


def test_every_threshold_says_where_it_comes_from() -> None:
    import ast
    import inspect
    from itertools import pairwise

    from ganvas.diagnostics.rules import learning, pictures, variety

    for module in (balance, variety, pictures, learning):
        body = ast.parse(inspect.getsource(module)).body
        for here, then in pairwise(body):
            if isinstance(here, ast.Assign) and here.targets[0].id.isupper():  # type: ignore[attr-defined]
                assert isinstance(then, ast.Expr) and isinstance(then.value, ast.Constant), ast.unparse(here)


@pytest.mark.parametrize(
    ("settings", "tries"),
    [
        ({"loss.g_classify": 1.0}, ("--loss.g-classify 0.1", "--with minibatch-std")),
        ({}, ("--discriminator.classify 0", "--with minibatch-std")),
        ({"discriminator.classify": 0.0, "step.ema_kimg": 0.0}, ("--with minibatch-std", "--with ema")),
    ],
)  # fmt: skip
def test_what_frees_a_collapsed_class_is_what_it_was_paid_for(settings: dict[str, Any], tries: tuple[str, ...]) -> None:
    curves, _, _ = FAULTS["class-collapse"]
    (found,) = diagnose(made(curves, {"step.update": "alternating", **settings})).findings
    assert found.tries == tries


def test_what_was_seen_once_is_not_known_by_heart() -> None:
    curves, _, _ = FAULTS["overfitting"]
    case = made(curves)
    assert names(diagnose(case)) == ["overfitting"]
    assert names(diagnose(dataclasses.replace(case, data={**case.data, "n": 50_000}))) == []
