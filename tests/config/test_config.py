"""Config: round trip through JSON, did-you-mean, types, and the table of what cannot be meant."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganvas.config import Config, diff, from_dict, override, to_dict
from ganvas.errors import GanvasError, UsageError
from ganvas.training.setup import configure

POSITIVE = st.integers(1, 512)
FRACTION = st.floats(0, 1, exclude_max=True)
ODD = st.integers(0, 4).map(lambda n: 2 * n + 1)
BLOCKS = st.integers(1, 4)


FAMILIES = ["dcgan", "pytorch-example", "keras-example", "resnet", "r3", "stylegan2", "lean", "mlp"]


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Any valid config: every field drawn from its type, those with a rule of their own from that rule."""
    up, down, one = (
        draw(BLOCKS),
        draw(BLOCKS),
        draw(st.sampled_from(["epochs", "kimg", "minutes", "cpu_minutes", None])),
    )
    family, norm = draw(st.sampled_from(FAMILIES)), draw(st.sampled_from(["batch", "none"]))
    update, loss = draw(st.sampled_from(["simultaneous", "alternating"])), draw(st.sampled_from(["bce", "hinge"]))
    batch, held_out = draw(st.integers(2, 4096)), draw(st.sampled_from([0.0, 0.25, 0.5]))
    share, form = st.floats(0, 1), draw(st.sampled_from(["exact", "finite"]))
    spectral = draw(st.booleans())
    ruled = {
        "seed": st.integers(0, 2**63),
        "evaluate.final": st.one_of(st.just(0), st.integers(2, 4096)),
        "data.held_out": st.just(held_out),
        "generator.family": st.just(family),
        "discriminator.family": st.sampled_from(FAMILIES),
        "generator.norm": st.just(norm),
        "generator.condition": st.sampled_from(["concat", "norm"] if norm == "batch" else ["concat"]),
        "loss.name": st.just(loss),
        **{f"loss.{name}": st.floats(0, 0.5) if loss == "bce" else st.just(0.0) for name in ("smooth", "soft", "flip")},
        **{f"augment.{name}": share for name in ("p", "ramp", "translate", "cutout")},
        "augment.adapt": share if held_out else st.just(0.0),
        "penalty.gp": st.just(0.0),
        "penalty.adapt": st.floats(0, 1, exclude_max=True),
        "penalty.form": st.just(form),
        "penalty.share": st.floats(0, 1, exclude_min=True) if form == "exact" else st.just(1.0),
        "step.update": st.just(update),
        "step.joint": st.just(False),
        "step.fresh": st.booleans() if update == "alternating" else st.just(False),
        "step.d_steps": POSITIVE if update == "alternating" else st.just(1),
        "step.accumulate": st.sampled_from([k for k in (1, 2, 3, batch) if batch % k == 0]),
        **{f"{side}_optim.weight_decay": st.just(0.0) for side in "gd"},
        **{f"{side}_optim.{name}": FRACTION for side in "gd" for name in ("warmup", "decay_from")},
        "generator.strides": _tuples(st.integers(1, 4), up + 1),
        "generator.widths": _tuples(POSITIVE, up),
        "generator.extra": st.just(()) | _tuples(st.integers(0, 64), up),
        "generator.kernel": ODD,
        **{
            f"{side}.blocks": st.lists(st.integers(0, 64), max_size=3).map(tuple)
            for side in ("generator", "discriminator")
        },
        "discriminator.widths": _tuples(POSITIVE, down),
        "discriminator.norms": _tuples(st.booleans(), down),
        "discriminator.kernel": ODD,
        "discriminator.classify_variety": share,
        "discriminator.spectral": st.just(spectral),
        "discriminator.spectral_gain": st.floats(0, 99, exclude_min=True) if spectral else st.just(1.0),
        "discriminator.dropout": FRACTION if form == "exact" else st.just(0.0),
        "step.batch": st.just(batch),
        "log.samples": st.integers(1, 1024),
        "evaluate.n": st.integers(2, 4096),
        "evaluate.share": st.floats(0, 1, exclude_min=True),
        **{
            f"budget.{name}": st.just(2.5 if name == one else None)
            for name in ("epochs", "kimg", "minutes", "cpu_minutes")
        },
        **{f"{side}_optim.{beta}": FRACTION for side in "gd" for beta in ("beta1", "beta2")},
        **{f"{side}_optim.lr": st.floats(1e-9, 999) for side in "gd"},
    }

    def build(kind: type, prefix: str = "") -> Any:
        values = {}
        for name, hint in typing.get_type_hints(kind).items():
            nested = dataclasses.is_dataclass(hint)
            values[name] = build(hint, f"{name}.") if nested else draw(ruled.get(prefix + name, _any(hint)))
        return kind(**values)

    built: Config = build(Config)
    return built


def _tuples(items: st.SearchStrategy[Any], length: int) -> st.SearchStrategy[Any]:
    return st.lists(items, min_size=length, max_size=length).map(tuple)


def _any(hint: Any) -> st.SearchStrategy[Any]:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return st.sampled_from(args)
    if origin is types.UnionType:
        return st.none() | _any(args[0])
    if origin is tuple:
        return st.lists(_any(args[0]), max_size=3).map(tuple)
    plain = {int: POSITIVE, float: st.floats(1e-9, 1e6), str: st.text(), bool: st.booleans()}
    return plain[hint]


@given(configs())
@settings(max_examples=40, deadline=None)
def test_a_config_comes_back_from_json_as_it_was(config: Config) -> None:
    back = from_dict(json.loads(json.dumps(to_dict(config), allow_nan=False)))
    assert back == config
    assert hash(back) == hash(config)
    assert diff(config, back) == {}


@given(configs(), configs())
@settings(max_examples=20, deadline=None)
def test_a_diff_turns_one_config_into_the_other(old: Config, new: Config) -> None:
    changes = {name: after for name, (_, after) in diff(old, new).items()}
    assert override(old, {**changes, "recipe": new.recipe}) == new


def test_a_diff_names_what_differs_and_leaves_out_the_recipe() -> None:
    old = Config()
    new = dataclasses.replace(old, recipe="other", seed=3, data=dataclasses.replace(old.data, flip=True))
    assert diff(old, new) == {"seed": (0, 3), "data.flip": (False, True)}


def test_numbers_of_curves_are_taken() -> None:
    """History gives NumPy's numbers; what is stored is Python's."""
    changed = override(
        Config(), {"budget.kimg": np.float64(1.5), "seed": np.int64(3), "generator.widths": (np.int64(8),)}
    )
    assert (changed.budget.kimg, changed.seed, changed.generator.widths) == (1.5, 3, (8,))
    assert {type(changed.budget.kimg), type(changed.seed)} == {float, int}


def test_whole_numbers_do_for_fractions_and_missing_settings_keep_their_defaults() -> None:
    assert from_dict({"budget": {"minutes": 5}}).budget.minutes == 5.0
    assert isinstance(from_dict({"budget": {"minutes": 5}}).budget.minutes, float)
    assert from_dict({}) == Config()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sed": 1}, "config.sed: no such setting; did you mean seed?"),
        ({"g_optim": {"learning_rate": 1}}, "config.g_optim.learning_rate: no such setting"),
        ({"step": {"bach": 8}}, "config.step.bach: no such setting; did you mean batch?"),
        ({"seed": "1"}, "config.seed = '1': expected int"),
        ({"seed": 1.5}, "config.seed = 1.5: expected int"),
        ({"seed": True}, "config.seed = True: expected int"),
        ({"seed": None}, "config.seed = None: expected int"),
        ({"data": {"flip": 1}}, "config.data.flip = 1: expected bool"),
        ({"data": {"classes": "cat"}}, "config.data.classes = 'cat': expected tuple"),
        ({"data": {"classes": [1]}}, "config.data.classes = 1: expected str"),
        ({"data": {"limit": "9"}}, "config.data.limit = '9': expected int"),
        ({"g_optim": {"lr": True}}, "config.g_optim.lr = True: expected float"),
        ({"g_optim": {"decay": "steps"}}, "config.g_optim.decay = 'steps': it must be one of constant, linear, cosine"),
        ({"step": 3}, "config.step: expected an object, found 3"),
        ([], "config: expected an object, found []"),
    ],
)
def test_what_is_not_a_config_is_named(values: Any, message: str) -> None:
    with pytest.raises(GanvasError) as caught:
        from_dict(values)
    assert str(caught.value) == message


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seed", -1), ("generator.latent_dim", 0), ("generator.base", 0), ("generator.widths", (64, 0)),
        ("generator.widths", (64,)), ("generator.strides", (2, 2)), ("generator.strides", (2, 0, 2)),
        ("generator.extra", (8,)), ("generator.extra", (8, -8)), ("generator.kernel", 4), ("generator.kernel", -3),
        ("generator.slope", NAN), ("discriminator.kernel", 0), ("discriminator.kernel", -5),
        ("discriminator.widths", ()), ("discriminator.widths", (64, -1)), ("discriminator.norms", (True,)),
        ("discriminator.dropout", 1.0), ("discriminator.dropout", -0.1), ("discriminator.dropout", NAN),
        ("loss.g_weight", INF), ("g_optim.lr", 0.0), ("d_optim.lr", -1e-4), ("d_optim.lr", 1e3), ("g_optim.lr", NAN),
        ("g_optim.beta1", 1.0), ("d_optim.beta2", -0.1), ("g_optim.epsilon", 0.0), ("g_optim.epsilon", INF),
        ("d_optim.clip", -1.0), ("d_optim.clip", INF), ("step.batch", 1), ("step.ema_kimg", -1.0),
        ("budget.epochs", 0.0), ("budget.kimg", -1.0), ("budget.minutes", INF), ("budget.minutes", NAN),
        ("log.every", 0), ("log.samples", 0), ("log.samples", 1025), ("log.checkpoint_kimg", 0.0),
        ("log.checkpoint_kimg", INF), ("log.snapshot_kimg", -1.0), ("engine.threads", -1),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_one_line(name: str, value: Any) -> None:
    with pytest.raises(UsageError) as caught:
        configure("cifar-dcgan", overrides={name: value})
    message = str(caught.value)
    section, _, key = name.rpartition(".")
    assert message.startswith(section or name) and (key in message or "beta" in key or section == "budget")
    assert " = " in message and "it must be" in message and "\n" not in message


@pytest.mark.parametrize(
    ("changes", "setting", "rule"),
    [
        ({"loss.name": "hinge", "loss.smooth": 0.1}, "loss.smooth", "0: the loss hinge has no targets"),
        ({"loss.flip": 0.6}, "loss.flip", "in [0, 0.5]"),
        ({"generator.norm": "none", "generator.condition": "norm"}, "generator.condition", "concat without batch norm"),
        ({"penalty.form": "finite", "penalty.gp": 10.0}, "penalty.gp", "0 with penalty.form finite"),
        ({"penalty.form": "finite", "penalty.r1": 0.1}, "penalty.form", "exact with discriminator.dropout"),
        (
            {
                "penalty.form": "finite",
                "penalty.r2": 0.1,
                "penalty.share": 0.5,
                "discriminator.dropout": 0.0,
                "discriminator.norms": (False, True),
            },
            "penalty.share",
            "1 with penalty.form finite",
        ),
        ({"penalty.share": 0.0}, "penalty.share", "more than 0, at most 1"),
        ({"augment.adapt": 0.5}, "augment.adapt", "0 while data.held_out is 0"),
        ({"penalty.adapt": 1.0}, "penalty.adapt", "less than 1"),
        ({"step.d_steps": 2}, "step.d_steps", "1 with step.update simultaneous"),
        ({"step.accumulate": 3}, "step.accumulate", "a divisor of step.batch (256)"),
        ({"step.fresh": True}, "step.fresh", "False unless step.update is alternating or separate"),
        ({"step.update": "separate", "penalty.r1": 1.0}, "penalty.r1", "never sees real and fake images in one step"),
        ({"step.update": "separate", "loss.name": "relativistic"}, "loss.name", "this one compares"),
        ({"step.update": "separate", "discriminator.classify": 1.0}, "discriminator.classify", "0 with step.update"),
        ({"loss.g_classify": 1.0}, "loss.g_classify", "D has no classification loss"),
        ({"g_optim.weight_decay": 0.1}, "g_optim.weight_decay", "0 except with adamw"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(changes: dict[str, Any], setting: str, rule: str) -> None:
    with pytest.raises(UsageError) as caught:
        configure("cifar-dcgan", overrides=changes)
    assert str(caught.value).startswith(f"{setting} = ") and rule in str(caught.value)


def test_only_one_budget() -> None:
    with pytest.raises(
        UsageError, match=r"budget = \(1.0, 2.0\): it must be one of epochs, kimg, minutes and cpu_minutes"
    ):
        configure("cifar-dcgan", overrides={"budget.epochs": 1, "budget.kimg": 2})


@pytest.mark.parametrize("name", ["g_optim.learning", "step", "generator", "seed.x", "batch.step", ""])
def test_override_takes_settings_only(name: str) -> None:
    with pytest.raises(UsageError, match="no setting is called"):
        configure("cifar-dcgan", overrides={name: {}})


def test_override_says_what_is_near() -> None:
    with pytest.raises(UsageError, match=r"did you mean g_optim\.lr"):
        configure("cifar-dcgan", overrides={"g_optim.rl": 1})
