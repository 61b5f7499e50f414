"""Hostile settings: every flag of a training with values that nobody means, and the flags of the other verbs."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from conftest import flags
from ganvas.config import Config, flat, to_dict
from ganvas.config.recipes import RECIPES
from ganvas.config.tricks import TRICKS

WHOLE = (0, 1, 2, 3, 5, 17, 1000, 65536, 10**9, 10**12, 2**31, 2**63 - 1, 2**63, 10**30, -1, -5, -(10**30))
REAL = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    2.0,
    1e-3,
    1e-9,
    5e-324,
    1e9,
    1e308,
    -1e308,
    float("inf"),
    float("nan"),
    0.999,
    1000.0,
)
TEXT = (
    "", " ", "x", "$x_{", "../../x", "/", ".", "..", "~", "a" * 10_000, "caf\udce9", "한글", "a\nb", "\x1b[31m", "--",
    "-1", "{}", "%s", "cpu", "cuda:99", "auto", "1e5", "None", "true", "\x7f", "a/b", "NaN",
)  # fmt: skip
HARMLESS = (
    "augment.", "loss.", "penalty.", "g_optim.", "d_optim.", "step.ema", "step.joint", "step.update", "log.every",
    "generator.slope", "generator.tanh", "generator.latent", "discriminator.classify", "discriminator.dropout",
    "data.flip", "data.held_out", "seed",
)  # fmt: skip
"""Settings that change neither size nor length, so that the training is tiny whatever they are."""

DEFAULTS = flat(to_dict(Config()))


def value_for(chance: random.Random, default: Any) -> list[str]:
    """The words of a value of about the kind that a setting has, or of another one."""
    kind = type(default) if chance.random() < 0.85 else chance.choice((int, float, str, list))
    if kind is list:
        return [
            word for _ in range(chance.choice((0, 1, 2, 3, 60))) for word in value_for(chance, chance.choice((1, 1.0)))
        ]
    pool: Any = {bool: ("True", "False", "2"), int: WHOLE, float: REAL, str: TEXT}.get(kind, (*WHOLE, *TEXT))
    return [str(chance.choice(pool))]


def changed(chance: random.Random, names: list[str]) -> list[str]:
    """Flags that set a few of these settings."""
    words: list[str] = []
    for name in chance.sample(names, chance.choice((1, 1, 1, 2, 3))):
        flag = f"--{name.replace('_', '-')}"
        if isinstance(DEFAULTS[name], bool) and chance.random() < 0.8:
            words.append(flag if chance.random() < 0.5 else flag.replace(".", ".no-"))
        else:
            words += [flag, *value_for(chance, DEFAULTS[name])]
    return words


def case(chance: random.Random, folder: Path) -> list[str]:
    """A command with settings that nobody means. Its training is not run but for those that are tiny for certain."""
    draw = chance.random()
    if draw < 0.12:  # trained
        names = [name for name in DEFAULTS if name.startswith(HARMLESS)]
        return ["train", "cifar-dcgan", *flags({"budget.kimg": 0.032, "data.limit": 32}), *changed(chance, names)]
    if draw < 0.75:
        recipe = chance.choice(list(RECIPES))
        small = ["--data", "shapes", "--limit", "32", "--out", "run", "--device", "cpu", "--engine.dtype", "float32"]
        tricks = ["--with", chance.choice([*TRICKS, "nix", ""])] if chance.random() < 0.3 else []
        dry = ["--dry-run"] if chance.random() < 0.3 else []
        return ["train", recipe, *small, *tricks, *changed(chance, list(DEFAULTS)), *dry]
    return chance.choice((_plan, _other))(chance, folder)


def _plan(chance: random.Random, folder: Path) -> list[str]:
    """An experiment that is only described."""
    if chance.random() < 0.5:
        name = chance.choice(list(DEFAULTS))
        listed = ",".join(word for _ in range(2) for word in value_for(chance, DEFAULTS[name]))
        return ["experiment", chance.choice(["quick", "cifar-dcgan", "nix"]), "--vary", f"{name}={listed}", "--dry-run",
                "--seeds", str(chance.choice(WHOLE)), "--jobs", str(chance.choice(WHOLE)),
                chance.choice(("--minutes", "--kimg")), str(chance.choice(REAL))]  # fmt: skip
    pieces = (
        "title = 3", "title = 'x'", "seeds = 'x'", "seeds = 2", "n = -1", "minutes = nan", "kimg = 1e400", "cells = 3",
        "cells = []", "[[cells]]\nname = 'a'\n[[cells]]\nname = 'b'\nsettings = {seed = 3}", "settings = 3",
        "tricks = 'x'",
        "recipe = ['x']", "vary = {seed = [1, 2]}", "vary = {'g_optim.lr' = [[1], [2]]}", "features = 'x'", "\0", "[",
        "[[cells]]\nname = 'a'\nsettings = {g_optim = {lr = 1}}", "[[cells]]\nname = 3\nrecipe = 3", "data = 3",
    )  # fmt: skip
    (folder / "plan.toml").write_text("\n".join(chance.sample(pieces, chance.choice((1, 2, 3)))))
    return ["experiment", "plan.toml", "--dry-run"]


def _other(chance: random.Random, folder: Path) -> list[str]:
    """The other verbs with wrong words; nothing in the folder is there for them."""
    word, whole = (lambda: chance.choice(TEXT)), (lambda: str(chance.choice(WHOLE)))
    commands = (
        ["sample", word(), "--n", whole(), "--seed", whole(), "--columns", whole(), "--out", "x.png"],
        ["sample", "fashion", "--n", chance.choice(("0", "-1", "3", str(10**15))), "--seed", whole(), "--out", "x.png"],
        ["sample", "cifar10", "--class", word(), "--n", "2", "--out", "x.png"],
        ["evaluate", word(), "--n", whole(), "--sets", whole()],
        ["compare", word(), word(), "--n", whole()],
        ["runs", word()], ["report", word()], ["resume", word(), "--minutes", str(chance.choice(REAL))],
        ["doctor", word()], ["doctor", "--data", word()], ["doctor", "--recipe", word(), "--data", "shapes"],
        ["data", "check", word()], ["data", "show", word(), "--out", "x.png", "--size", whole()],
        ["data", "show", "shapes", "--out", word(), "--size", whole(), "--channels", "3"],
        ["recipes", word()], ["tricks", word()], [word()], ["train", word()], ["train", "quick", "--plugin", word()],
        ["train", "quick", "--from", word(), "--dry-run"], ["experiment", word(), "--dry-run"],
        ["experiment", "ablate", word(), "--dry-run"],
    )  # fmt: skip
    return list(chance.choice(commands))
