"""The toy trains by the step of every training, bit for bit; settings, points, picture and doctor."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch

from ganvas import i18n, rng
from ganvas.errors import UsageError
from ganvas.training.augment import Augment
from ganvas.training.backend import Engine
from ganvas.training.batch import Batch
from ganvas.training.checkpoint import fresh_state
from ganvas.training.latents import draw_z
from ganvas.training.losses import LOSSES
from ganvas.training.objective import Objective
from ganvas.training.step import UPDATES
from ganvas.ui.house import MissingError
from ganvas.ui.rooms.learn import points, words
from ganvas.ui.rooms.learn.breaks import BREAKS
from ganvas.ui.rooms.learn.diagnosis import cures, findings
from ganvas.ui.rooms.learn.picture import FIELD, SIDE, descent, picture, real
from ganvas.ui.rooms.learn.settings import BEGINS_AGAIN, FIELDS, Settings, choices, config_of, read
from ganvas.ui.rooms.learn.toy import MEASURED, Toy
from ganvas.ui.rooms.learn.toys import MOST, Toys


def weights(networks: Any) -> list[torch.Tensor]:
    return [*networks.generator.parameters(), *networks.discriminator.parameters()]


@pytest.mark.parametrize(
    "own",
    [{}, {"update": "alternating", "d_steps": 3, "gp": 1.0}, {"update": "one-stage", "loss": "relativistic", "r1": 1.0},
     {"loss": "hinge", "spectral": True, "batch_norm": True}],
)  # fmt: skip
def test_an_update_is_that_of_the_step(own: dict[str, Any]) -> None:
    toy = Toy(read({**own, "seed": 3, "batch": 32}))
    toy.step(3)

    config = toy.config
    engine = Engine(config.engine)
    networks = fresh_state(config, (2, 1, 1), engine).networks
    augment = Augment(config.augment, (2, 1, 1))
    objective = Objective(config, augment, engine.autocast)
    levels = np.round((points.draw("ring", 3) + 1) * 127.5)
    nimg = 0
    for _ in range(3):
        generator = torch.Generator()
        generator.manual_seed(rng.stream_seed(3, "update", nimg))
        batches = []
        for _ in range(config.step.d_steps):
            chosen = np.argsort(rng.bits(3, "order/0", np.arange(4096)), kind="stable")[nimg : nimg + 32]
            place = torch.from_numpy(levels[chosen]).float() / 127.5 - 1
            z = torch.from_numpy(draw_z(config.generator, 3, "z", np.arange(nimg, nimg + 32)))
            draws = augment.draw(32, 0.0, 0.0, generator)
            batches.append(Batch(place[:, :, None, None], z, None, None, (draws, draws), 1.0, 0.0, 0.0, generator))
            nimg += 32
        UPDATES[config.step.update](networks, batches, objective)

    for ours, theirs in zip(weights(toy.state.networks), weights(networks), strict=True):
        assert torch.equal(ours, theirs)


def test_looking_changes_nothing_and_a_seed_gives_the_same_points() -> None:
    watched, left = Toy(read({"spectral": True, "batch_norm": True})), Toy(read({"spectral": True, "batch_norm": True}))
    for _ in range(60):
        watched.step()
        picture(watched)
        watched.diagnose()
    left.step(60)
    assert torch.equal(watched.fakes(), left.fakes()) and watched.rows == left.rows
    other = Toy(read({"seed": 1}))
    assert not np.array_equal(other.real, left.real) and not torch.equal(other.z, left.z)


def test_points_lie_where_their_set_says() -> None:
    for name, known in points.POINT_SETS.items():
        drawn = points.draw(name, 0)
        assert np.abs(drawn).max() < 1
        images = points.as_images(drawn).images
        assert images.shape == (points.COUNT, 2, 1, 1)
        np.testing.assert_allclose(images[:, :, 0, 0] / 127.5 - 1, drawn, atol=1 / 255 + 1e-6)
        count, share = points.covered(name, drawn)
        assert count == len(known.places) and share > 0.95
        half = drawn[np.linalg.norm(drawn[:, None] - known.places, axis=2).argmin(1) == 0]
        assert points.covered(name, half)[0] == 1
    assert points.covered("ring", np.zeros((256, 2))) == (0, 0.0)


def test_every_loss_and_order_that_fit_train() -> None:
    assert {"bce", "hinge", "wasserstein", "relativistic", "least-squares"} <= set(choices()["loss"]) <= set(LOSSES)
    for loss in choices()["loss"]:
        toy = Toy(read({"loss": loss, "batch": 8}))
        toy.step(2)
        seen = picture(toy)
        assert seen is not None and json.dumps(seen, allow_nan=False)


def test_the_arrows_are_the_fall_of_gs_loss() -> None:
    toy = Toy(read({"loss": "least-squares"}))
    toy.step(20)
    fakes = toy.fakes().double()
    D = toy.state.networks.discriminator.eval().double()  # in float64, steps are small enough to cross no kink
    arrows = descent(toy, fakes, fakes)
    small = 1e-7
    for axis in (0, 1):
        step = torch.zeros(1, 2, 1, 1, dtype=torch.float64)
        step[0, axis] = small
        with torch.no_grad():
            up, down = ((D(fakes + way * step, None).logits - 1).square() / 2 for way in (1, -1))
        torch.testing.assert_close(arrows[:, axis, 0, 0], (down - up) / (2 * small), atol=1e-6, rtol=1e-5)


def test_the_field_is_ds_logit_at_its_place() -> None:
    toy = Toy()
    toy.step(30)
    seen = picture(toy)
    assert seen is not None and len(seen["field"]) == FIELD**2
    row, column = 3, 10  # from the top left
    x, y = ((column + 0.5) / FIELD * 2 - 1) * SIDE, (1 - (row + 0.5) / FIELD * 2) * SIDE
    logit = toy.logits(torch.tensor([[x, y]])[:, :, None, None]).item()
    assert seen["field"][row * FIELD + column] == pytest.approx(logit, abs=1e-3)
    assert seen["fakes"] == pytest.approx(toy.fakes().flatten(1).numpy(), abs=1e-4)
    assert np.abs(np.array(real(toy))).max() < 1


def test_controls_act_at_once_or_begin_again() -> None:
    toy = Toy(read({"batch": 16}))
    toy.step(MEASURED)
    before = [w.clone() for w in weights(toy.state.networks)]
    assert toy.change({"g_lr": 1e-8, "d_lr": 0.5}) and len(toy.monitor) == 0
    toy.step(1)
    G, D = ([*n.parameters()] for n in (toy.state.networks.generator, toy.state.networks.discriminator))
    moved = [(new - old).abs().max().item() for new, old in zip([*G, *D], before, strict=True)]
    assert max(moved[: len(G)]) < 1e-6 and max(moved[len(G) :]) > 0.05
    assert toy.change({"loss": "wasserstein", "r1": 0.0, "update": "alternating"})
    toy.step(MEASURED)
    assert "acc/pair" in toy.rows[-1] and "penalty" not in toy.rows[-1]
    assert toy.diagnose().history.nimg.tolist()[0] <= 16 * MEASURED
    for name, value in {
        "data": "grid",
        "spectral": True,
        "batch_norm": True,
        "batch": 4,
        "d_steps": 2,
        "seed": 9,
    }.items():
        assert name in BEGINS_AGAIN and not toy.change({name: value})
        fresh = toy.again({name: value})
        assert fresh.updates == 0 and asdict(fresh.settings) == {**asdict(toy.settings), name: value}


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"g_lr": math.nan}, r"g_lr = nan: give a number from 1e-08 to 1"),
        ({"d_lr": 1e9}, r"d_lr = 1000000000\.0"),
        ({"d_lr": "0.1"}, "d_lr = '0.1'"),
        ({"r1": -1}, "r1 = -1"),
        ({"batch": 10**7}, r"batch = 10000000: give a whole number from 2 to 512"),
        ({"batch": 3.5}, "batch = 3.5"),
        ({"batch": True}, "batch = True"),
        ({"seed": -1}, "seed = -1"),
        ({"spectral": 1}, "spectral = 1: give true or false"),
        ({"data": "../etc"}, "data = '../etc': choose ring, grid"),
        ({"loss": ["bce"]}, r"loss = \['bce'\]: choose"),
        ({"lr": 1.0}, "no control is called 'lr'"),
        ({"d_steps": 2}, r"step\.d_steps"),
    ],
)
def test_nonsense_is_refused_in_one_line(values: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=line) as caught:
        read(values)
    assert "\n" not in str(caught.value)


def test_every_control_is_a_field_of_the_config() -> None:
    assert {*FIELDS, "data"} == set(asdict(Settings()))
    changed = {"loss": "hinge", "update": "alternating", "g_lr": 0.5, "d_lr": 0.25, "d_steps": 2, "r1": 3.0, "gp": 4.0,
               "spectral": True, "batch_norm": True, "batch": 6, "seed": 7}  # fmt: skip
    config = config_of(read(changed))
    for control, field in FIELDS.items():
        value: Any = config
        for part in field.split("."):
            value = getattr(value, part)
        assert value == ("batch" if control == "batch_norm" else changed[control])


@pytest.mark.slow
def test_the_doctor_reads_the_toy() -> None:
    toy, say = Toy(read(BREAKS["g-ahead"])), i18n.load("en")
    assert findings(toy, say) == {"measurements": 0, "enough": False, "findings": []}
    toy.step(6 * MEASURED)
    found = {each["rule"]: each for each in findings(toy, say)["findings"]}
    weak = found["g-wins"]
    assert "0.6" in weak["condition"] and "at update 300" in weak["evidence"][0]
    assert weak["cures"][0] == {"d_lr": pytest.approx(1e-5)}
    assert all(i18n.load("ko")(f"ui.learn.condition.{rule}") for rule in found)
    assert toy.change(weak["cures"][0])
    small = Toy(read(BREAKS["tiny-batch"]))
    (finding,) = small.diagnose().findings
    assert finding.rule == "tiny-batch" and {"batch": 32} in cures(small, finding)


def test_a_network_that_is_no_longer_finite_ends_the_toy() -> None:
    toy = Toy()
    toy.step(1)
    with torch.no_grad():
        next(toy.state.networks.generator.parameters()).fill_(math.inf)
    toy.step(5)
    assert toy.ended == "nan" and toy.updates == 2 and picture(toy) is None
    assert [f.rule for f in toy.diagnose().findings] == ["nan"]
    assert json.dumps(findings(toy, i18n.load("en")), allow_nan=False)


def test_few_toys_are_kept() -> None:
    toys, toy = Toys(), Toy()
    names = [toys.keep(toy) for _ in range(MOST)]
    toys.get(names[0])
    names.append(toys.keep(toy))
    assert len(toys) == MOST and toys.get(names[0])[0] is toy
    with pytest.raises(MissingError, match="this toy has gone"):
        toys.get(names[1])
    assert toys.keep(toy, names[0]) == names[0] and toys.keep(toy, "mine") != "mine"


def test_every_break_has_its_words_in_both_languages() -> None:
    en, ko = words.SENTENCES["en"], words.SENTENCES["ko"]
    assert en.keys() == ko.keys()
    for name, values in BREAKS.items():
        assert f"ui.learn.break.{name}.look" in en and read(values) != Settings()
