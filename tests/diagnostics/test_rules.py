"""Every rule: finds its fault, from where it began; finds nothing in a healthy run or without the curves it needs."""

from __future__ import annotations

import ast
import dataclasses
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from histories import HEALTHY, MEASUREMENTS, NIMG, ROWS, late, make_history

from ganvas.diagnostics import RULES, Diagnosis, RunHistory, diagnose, rules
from ganvas.diagnostics.rule import rules_in_order
from ganvas.diagnostics.rules.swings import swings

STUCK = {"distance": 1.0, "distance/raw": 1.0}
SWINGING = np.where(np.arange(MEASUREMENTS) % 2, 0.05, 0.95)
FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], int]] = {
    "d-wins": ({**STUCK, "acc/real": late(0.9, 0.99), "acc/fake": 0.99}, {}, 16000),
    "g-wins": ({**STUCK, "auc/fake": late(0.95, 0.3), "acc/fake": 0.5}, {}, 14000),
    "swings": ({**STUCK, "acc/fake": SWINGING, "sample_change": 0.6}, {}, 4000),
    "collapse": ({**STUCK, "spread": late(0.9, 0.1), "nearest": late(0.9, 0.1), "within": late(0.9, 0.1)}, {}, 14000),
    "class-collapse": ({"within": late(0.9, 0.2)}, {}, 14000),
    "labels": ({"label/accuracy": 0.1, "label/auc": 0.5}, {}, 20000),
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
    "too-little": ({"distance": 2 * 0.9 ** np.arange(MEASUREMENTS)}, {}, 6000),
}  # fmt: skip
"""Rule -> curves, settings, and where it begins: a median of three measurements follows one measurement later."""


def names(diagnosis: Diagnosis) -> list[str]:
    return [finding.rule for finding in diagnosis.findings]


def rules_found(*arguments: Any, **more: Any) -> list[str]:
    """Ids of the rules that find something in `make_history(...)`."""
    return names(diagnose(make_history(*arguments, **more)))


def test_a_healthy_run_has_no_findings() -> None:
    found = diagnose(make_history())
    assert found.findings == () and found.enough_data


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_from_where_it_began(name: str) -> None:
    curves, settings, since = FAULTS[name]
    history = make_history(curves, settings)
    found = {finding.rule: finding for finding in diagnose(history).findings}
    assert name in found and found[name].since == since
    for e in found[name].evidence:
        assert e.start_nimg <= max(since, 2000) and e.end_nimg == NIMG[-1]
        assert e.start_value == pytest.approx(history.curve(e.curve)[history.nimg == e.start_nimg][0])


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in ("range", "tiny-batch")])
def test_one_measurement_at_the_end_is_no_finding(name: str) -> None:
    curves, settings, _ = FAULTS[name]
    healthy = {**HEALTHY, **ROWS}
    last = {
        k: np.where(np.arange(MEASUREMENTS) < MEASUREMENTS - 1, np.broadcast_to(healthy[k], MEASUREMENTS), v)
        for k, v in curves.items()
    }
    assert name not in rules_found(last, settings)


def test_a_small_preference_counts_if_it_was_measured_on_enough_images() -> None:
    small = {"label/auc": 0.55, "label/n": 128.0}
    assert rules_found(small, without=["label/accuracy"]) == []
    assert rules_found({**small, "label/auc": 0.51}, without=["label/accuracy"]) == ["labels"]
    assert rules_found(small, without=["label/accuracy", "label/n"]) == ["labels"]  # of 32, as in old runs


def test_a_preference_that_fades_counts() -> None:
    fading = {"label/auc": np.linspace(0.7, 0.48, MEASUREMENTS), "label/n": 128.0}  # as G learns the classes
    assert rules_found(fading, without=["label/accuracy"]) == []


def test_a_d_whose_g_starts_from_eigenimages_is_given_time_to_learn_the_classes() -> None:
    chance = {"label/accuracy": 0.1, "label/n": 128.0}
    for eigenimages, since in ((0, 8000), (96, 20000)):
        history = make_history(chance, {"generator.eigenimages": eigenimages})
        assert [(finding.rule, finding.since) for finding in diagnose(history).findings] == [("labels", since)]
        until = NIMG[NIMG <= 18000]  # while it trains
        early = dataclasses.replace(history, monitor=[row for row in history.monitor if row["nimg"] <= until[-1]])
        assert ("labels" in names(diagnose(early))) == (eigenimages == 0)


def test_curves_that_were_not_recorded_give_no_finding() -> None:
    for curve in (*HEALTHY, *ROWS):
        assert rules_found(without=[curve]) == []
    for name, (curves, settings, _) in FAULTS.items():
        if name not in ("tiny-batch", "swings"):
            assert name not in rules_found(settings=settings, without=list(curves))


def test_a_run_without_measurements_is_not_judged() -> None:
    history = make_history()
    found = diagnose(RunHistory(history.config, history.data))
    assert found.findings == () and not found.enough_data and found.fake_accuracy is None


def test_values_that_became_nan_are_named() -> None:
    events = [{"event": "start", "nimg": 0}, {"event": "nan", "nimg": 9000, "what": ["loss/d", "grad/g"]}]
    (found,) = diagnose(make_history(events=events)).findings
    assert (found.rule, found.since, found.blanks) == ("nan", 9000, {"what": "loss/d, grad/g"})


def test_a_fault_that_is_over_is_not_reported() -> None:
    assert rules_found({"saturated/fake": late(0.6, 0.1)}) == []


def test_samples_that_settle_do_not_oscillate() -> None:
    curves, _, _ = FAULTS["swings"]
    calming = 5.0 / np.arange(1, MEASUREMENTS + 1)  # as in healthy runs of `quick`, and above LARGE_CHANGE to the end
    assert "swings" not in rules_found({**curves, "sample_change": calming})


def test_growing_variety_is_no_collapse() -> None:
    rising = np.linspace(0.02, 0.3, MEASUREMENTS)
    assert "collapse" not in names(
        diagnose(make_history({"spread": rising, "nearest": rising, "within": rising, **STUCK}))
    )


def test_a_strong_discriminator_is_no_fault_while_samples_improve() -> None:
    perfect = {"acc/real": 0.995, "acc/fake": 0.995}
    assert rules_found({**perfect, "distance": 2 * 0.8 ** np.arange(MEASUREMENTS)}) == ["too-little"]
    assert rules_found(perfect) == []


def test_lowered_learning_rates_are_not_too_low() -> None:
    falling = {"lr/g": 5e-4 * np.linspace(1, 0, MEASUREMENTS), "lr/d": 2e-3 * np.linspace(1, 0, MEASUREMENTS)}
    ratios = {
        "update_ratio/g": 0.005 * np.linspace(1, 0, MEASUREMENTS),
        "update_ratio/d": 0.02 * np.linspace(1, 0, MEASUREMENTS),
    }
    undecided = {"acc/real": 0.7, "acc/fake": 0.7}
    assert rules_found({**STUCK, **falling, **ratios, **undecided}) == []


def test_the_contest_is_not_judged_before_enough_updates_of_g() -> None:
    blind = {**STUCK, "auc/fake": 0.3, "acc/fake": 0.5}
    assert "g-wins" in rules_found(blind, {"step.batch": 64})
    assert rules_found(blind, {"step.batch": 256}) == []  # 93 updates in all


def test_a_discriminator_with_far_apart_logits_is_too_strong_though_samples_improve_slowly() -> None:
    creeping = 8 * 0.8 ** np.arange(MEASUREMENTS)
    certain = {"acc/real": 0.99, "acc/fake": 0.99, "logit/real": 9.0, "logit/fake": -9.0, "distance": creeping}
    assert "d-wins" in rules_found(certain)
    assert "d-wins" not in rules_found({**certain, "logit/real": 3.0, "logit/fake": -3.0})
    assert "d-wins" not in names(
        diagnose(make_history(certain, {"loss.name": "wasserstein"}))
    )  # its logits have no scale


def test_saturation_where_the_real_images_are_mostly_black() -> None:
    assert "saturation" in rules_found({"saturated/real": 0.75, "saturated/fake": 0.9})
    assert rules_found({"saturated/real": 0.75, "saturated/fake": 0.85}) == []


def test_a_jump_to_another_image_is_no_growing_variety() -> None:
    jumping = np.where(np.arange(MEASUREMENTS) % 3, 0.15, 0.25)
    assert "collapse" in names(
        diagnose(make_history({**STUCK, "spread": jumping, "nearest": jumping, "within": jumping}))
    )


def test_old_runs_are_judged_by_accuracies_and_samples() -> None:
    read = [
        key
        for key in HEALTHY
        if key.startswith(("eval_logit/", "auc/", "label/", "update_ratio/", "distance/", "nearest_train", "overfit"))
    ]
    blind = {**STUCK, "acc/real": 0.5, "acc/fake": 0.5}
    assert rules_found(without=read) == []
    assert rules_found(blind, without=read) == ["g-wins"]


def test_accuracy_on_pairs_stands_for_that_on_real_images_if_d_only_compares() -> None:
    history = make_history(
        {**STUCK, "acc/real": 0.5, "acc/fake": 0.99, "acc/pair": 0.99}, {"loss.name": "relativistic"}
    )
    assert "d-wins" in names(diagnose(RunHistory(history.config, history.data, history.total, [
        {**row, "acc/pair": 0.99} for row in history.rows], history.monitor, history.events)))  # fmt: skip


def test_swings_are_counted_from_end_to_end() -> None:
    assert list(swings(np.array([0.9, 0.5, 0.1, 0.2, 0.6, 0.8, 0.75, 0.5, 0.9, 0.05]))) == [2, 5, 9]
    assert len(swings(np.array([0.5, 0.6]))) == 0


def test_rules_are_listed_in_their_order() -> None:
    """What causes other findings comes first."""
    assert [rule.id for rule in rules_in_order()] == [
        "nan", "range", "tiny-batch", "exploding", "too-fast", "swings", "d-wins", "g-wins", "too-slow", "collapse",
        "class-collapse", "labels", "saturation", "checkerboard", "overfitting", "copying", "ema-lag", "too-little",
    ]  # fmt: skip
    assert len({rule.order for rule in RULES.values()}) == len(RULES)
    assert [rule.id for rule in RULES.values() if rule.severity == "advice"] == ["too-little"]


def test_every_rule_has_its_test() -> None:
    assert RULES.keys() == {*FAULTS, "nan"}


def test_every_threshold_says_where_it_comes_from() -> None:
    files = sorted(Path(rules.__file__).parent.glob("*.py"))
    assert len(files) > len(RULES)
    for file in files:
        for here, then in pairwise(ast.parse(file.read_text("utf-8")).body):
            name = here.targets[0] if isinstance(here, ast.Assign) else None
            names = [n.id for n in ast.walk(name) if isinstance(n, ast.Name)] if name else []
            if any(n.isupper() and n not in ("SENTENCES", "RULE") for n in names):
                assert isinstance(then, ast.Expr) and isinstance(then.value, ast.Constant), ast.unparse(here)


@pytest.mark.parametrize(
    ("settings", "tricks"),
    [
        ({"penalty.r1": 0.0, "penalty.r2": 0.0, "penalty.adapt": 0.0}, ("adaptive-r1-r2",)),  # spectral norm is there
        ({}, ()),  # what the run has already is not suggested
        ({"step.ema_kimg": 0.0}, ("ema",)),
    ],
)
def test_a_strong_discriminator_meets_the_penalty_that_the_run_lacks(
    settings: dict[str, Any], tricks: tuple[str, ...]
) -> None:
    curves, _, _ = FAULTS["d-wins"]
    (found,) = diagnose(make_history(curves, {"step.update": "alternating", **settings})).findings
    assert tuple(s.removeprefix("--with ") for s in found.suggestions if s.startswith("--with")) == tricks


@pytest.mark.parametrize(
    ("settings", "suggestions"),
    [
        ({"loss.g_classify": 1.0}, ("--loss.g-classify 0.1", "--with minibatch-std")),
        ({}, ("--discriminator.classify 0", "--with minibatch-std")),
        ({"discriminator.classify": 0.0, "step.ema_kimg": 0.0}, ("--with minibatch-std", "--with ema")),
    ],
)  # fmt: skip
def test_the_weight_that_caused_a_class_collapse_is_lowered(
    settings: dict[str, Any], suggestions: tuple[str, ...]
) -> None:
    curves, _, _ = FAULTS["class-collapse"]
    (found,) = diagnose(make_history(curves, {"step.update": "alternating", **settings})).findings
    assert found.suggestions == suggestions


def test_images_seen_once_are_not_memorised() -> None:
    curves, _, _ = FAULTS["overfitting"]
    history = make_history(curves)
    assert names(diagnose(history)) == ["overfitting"]
    assert names(diagnose(dataclasses.replace(history, data={**history.data, "n": 50_000}))) == []


@pytest.mark.parametrize(("gap", "since"), [(3, 100), (4, 600)])
def test_a_condition_holds_since_it_held_at_85_of_100_measurements(gap: int, since: int) -> None:
    """Once, then not for a while, then 16 times: 17 of 20 are enough for the first one to count, 17 of 21 are not."""
    holds = np.array([True] + [False] * gap + [True] * 16)
    rows = [{"nimg": 100 * (i + 1)} for i in range(len(holds))]
    found = RunHistory(make_history().config, {}, monitor=rows).onset(holds, 3, np.ones(len(holds), bool))
    assert found == since
