"""What the doctor advises at one time fits together and stays within what anyone would type."""

from __future__ import annotations

import json
import shlex
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from histories import late, make_history
from test_rules import FAULTS

from ganvas.cli import main as cli
from ganvas.config import Config, override, recipes
from ganvas.diagnostics import RULES, Diagnosis, advice, diagnose

DEAD = {
    "logit/real": late(3.0, 4000.0), "logit/fake": late(-1.5, -4000.0), "grad/g": late(6.0, 0.0),
    "grad/d": late(5.0, 0.0), "update_ratio/g": late(0.005, 0.0), "update_ratio/d": late(0.02, 0.0),
    "distance": 4.0, "distance/raw": 4.0, "lr/g": 0.5, "lr/d": 0.5,
}  # fmt: skip
"""A run whose learning rates of 0.5 drove the logits so far apart that no gradient is left."""


def opposites(diagnosis: Diagnosis) -> list[tuple[str, str, str]]:
    """(finding, finding, setting) where one says up and the other down."""
    config, moves = diagnosis.history.config, {}
    for found in diagnosis.findings:
        each = [advice.directions(text, config).items() for text in found.suggestions]
        moves[found.rule] = {item for items in each for item in items}
    return [
        (one, other, name)
        for one, other in combinations(moves, 2) for name, way in moves[one] if (name, -way) in moves[other]
    ]  # fmt: skip


@pytest.mark.parametrize("recipe", ["quick", "cifar-dcgan-recap"])
def test_no_two_findings_advise_the_opposite(recipe: str) -> None:
    several = 0
    for first, second in combinations(FAULTS, 2):
        history = make_history({**FAULTS[second][0], **FAULTS[first][0]}, {**FAULTS[second][1], **FAULTS[first][1]})
        history.config = recipes.get(recipe).config if recipe != "quick" else history.config
        diagnosis = diagnose(history)
        several += len(diagnosis.findings) > 1
        assert opposites(diagnosis) == [], (first, second)
    assert several > 40


def test_without_the_check_some_would(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ganvas.diagnostics.diagnosis.consistent", lambda findings, config: tuple(findings))
    found = diagnose(make_history({**FAULTS["g-wins"][0], **FAULTS["exploding"][0]}))
    assert ("exploding", "g-wins", "d_optim.lr") in opposites(found)


def test_a_run_that_exploded_is_not_told_to_learn_faster() -> None:
    history = make_history(DEAD, {"g_optim.lr": 0.5, "d_optim.lr": 0.5})
    assert RULES["too-slow"].find(history) is not None
    found = diagnose(history).findings
    names = [each.rule for each in found]
    assert names[0] == "exploding" and "too-slow" not in names
    rates = [float(value) for each in found for text in each.suggestions for value in values(text, "optim.lr")]
    assert rates and max(rates) <= 0.01


def test_what_silences_comes_before_what_it_silences() -> None:
    for rule in RULES.values():
        for name in rule.silences:
            assert RULES[name].order > rule.order, (rule.id, name)


def values(suggestion: str, ending: str) -> list[str]:
    """Of the flags that end so."""
    words = [] if suggestion.startswith("ganvas ") else shlex.split(suggestion)
    return [text for flag, text in zip(words[::2], words[1::2], strict=True) if flag.endswith(ending)]


@pytest.mark.parametrize("lr", [5e-9, 1e-6, 2e-4, 0.01, 0.5, 900.0])
@pytest.mark.parametrize("name", FAULTS)
def test_no_advice_leaves_the_usual_range(name: str, lr: float) -> None:
    curves, settings, _ = FAULTS[name]
    history = make_history(curves, {**settings, "g_optim.lr": lr, "d_optim.lr": lr})
    low, high = advice.usual_range(history.config, "g_optim", "lr")
    assert low is not None and high is not None
    for found in diagnose(history).findings:
        for text in found.suggestions:
            for value in values(text, "optim.lr"):
                assert low <= float(value) <= high and float(value) != lr, (found.rule, text)


@pytest.mark.parametrize(
    ("lr", "suggestion", "expected"),
    [
        (0.5, "--g-optim.lr 15", ""),
        (0.5, "--g-optim.lr 0.05", "--g-optim.lr 0.01"),
        (0.004, "--g-optim.lr 0.12 --d-optim.lr 0.003", "--g-optim.lr 0.01 --d-optim.lr 0.003"),
        (0.5, "--g-optim.lr 15 --d-optim.lr 0.003", "--d-optim.lr 0.003"),
        (1e-8, "--g-optim.lr 3e-7", "--g-optim.lr 1e-06"),
        (1e-8, "--g-optim.lr 1e-9", ""),
        (0.5, "--with ema", "--with ema"),
        (0.5, "--step.ema-kimg 5", "--step.ema-kimg 5"),
        (0.5, "ganvas resume 'my run' --minutes 3", "ganvas resume 'my run' --minutes 3"),
    ],
)
def test_suggested_values_are_kept_in_range(lr: float, suggestion: str, expected: str) -> None:
    config: Config = override(recipes.get("quick").config, {"g_optim.lr": lr})
    assert advice.usual(suggestion, config) == expected


def test_the_recipes_own_rates_are_usual() -> None:
    for recipe in recipes.RECIPES.values():
        for section in ("g_optim", "d_optim"):
            low, high = advice.usual_range(recipe.config, section, "lr")
            assert low is not None and high is not None
            assert low <= getattr(recipe.config, section).lr <= high


def test_json_is_one_object_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], finished: Any
) -> None:
    history = make_history({**DEAD, "spread": np.linspace(0.5, 0.05, 12)})
    monkeypatch.setattr("ganvas.diagnostics.diagnose_run", lambda run: diagnose(history))
    assert cli.main(["doctor", str(finished.path), "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["finding"] for row in rows] == [found.rule for found in diagnose(history).findings] != []
    with pytest.raises(SystemExit):
        cli.main(["doctor", "--help"])
    assert "one object a line" in " ".join(capsys.readouterr().out.split())
