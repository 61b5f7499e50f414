"""Every trick does to the computation what it says. A trick without a check here fails the first test."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from conftest import tiny
from ganvas import api
from ganvas.config import Config, OptimConfig, diff, override, tricks
from ganvas.config.recipes import RECIPES
from ganvas.config.tricks import TRICKS, Trick, registry
from ganvas.datasets import ImageSet
from ganvas.errors import UsageError
from ganvas.models.layers.norm import ConditionalNorm
from ganvas.training.backend import Engine
from ganvas.training.checkpoint import TrainState, fresh_state
from ganvas.training.compatibility import check_compatibility
from ganvas.training.losses import LOSSES
from ganvas.training.optim import Optimiser
from ganvas.training.setup import settle_labels
from ganvas.training.step import UpdateResult
from ganvas.training.trainer import Trainer

SHAPE = (3, 16, 16)
PLAIN = {"discriminator.dropout": 0.0, "discriminator.norms": (False, False)}
NO_NORM = {**PLAIN, "generator.norm": "none"}


def with_trick(name: str, changes: Mapping[str, Any] | None = None) -> Config:
    """The small training with one trick on."""
    return tricks.apply(tiny({**PLAIN, **(changes or {})}), [name])


def images(config: Config) -> ImageSet:
    found: ImageSet = api.load_data(config.data)
    return found


class Bench:
    """A trainer on a fresh state; the inputs of D and the results of updates are kept."""

    def __init__(self, config: Config) -> None:
        self.given = images(config)
        self.config = settle_labels(config, self.given)
        classes = len(self.given.class_names) if self.config.data.labels == "use" else 0
        engine = Engine(self.config.engine)
        self.state: TrainState = fresh_state(self.config, SHAPE, engine, classes)
        self.step = Trainer(self.config, self.given, engine)
        self.shown: list[Tensor] = []
        self.outcomes: list[UpdateResult] = []
        self.state.networks.discriminator.register_forward_pre_hook(
            lambda _, given: self.shown.append(given[0].detach())
        )
        update = self.step.update

        def noted(*given: Any) -> UpdateResult:
            self.outcomes.append(update(*given))
            return self.outcomes[-1]

        self.step.update = noted

    def run(self, updates: int = 1, total: int | None = 160) -> Bench:
        for _ in range(updates):
            self.step(self.state, min(self.state.nimg / total, 1.0) if total else 0.0)
        return self

    @property
    def G(self) -> nn.Module:  # noqa: N802
        return self.state.networks.generator

    @property
    def D(self) -> nn.Module:  # noqa: N802
        return self.state.networks.discriminator


def z(n: int = 4) -> Tensor:
    return torch.randn((n, 8), generator=torch.Generator().manual_seed(0))


def pictures(n: int = 4) -> Tensor:
    return torch.rand((n, *SHAPE), generator=torch.Generator().manual_seed(0)) * 2 - 1


def depends_on_the_batch(D: nn.Module) -> bool:
    x = pictures(8)
    other = torch.cat([x[:1], -x[1:].flip(0) * 0.5])
    return not torch.allclose(D(x, None).logits[0], D(other, None).logits[0], atol=1e-6)


CHECKS: dict[str, Callable[[], None]] = {}


def check(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def keep(function: Callable[[], None]) -> Callable[[], None]:
        CHECKS[name] = function
        return function

    return keep


# -- ganhacks


@check("tanh-output")
def _() -> None:
    for tanh, bound in ((False, 2.0), (True, 1.0)):
        config = tiny({"generator.tanh": False})
        G = Bench(tricks.apply(config, ["tanh-output"]) if tanh else config).G
        with torch.no_grad():
            next(p for name, p in G.named_parameters() if name.startswith("image")).mul_(1000)
            assert (G(z(), None).abs().max() > bound) == (not tanh)


@check("spherical-z")
def _() -> None:
    lengths = Bench(with_trick("spherical-z")).step.batch(0, 0.0, 0.0).z.norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((16,), math.sqrt(8)))


@check("separate-batches")
def _() -> None:
    assert [len(x) for x in Bench(with_trick("separate-batches", {"step.joint": True})).run().shown] == [16, 16]


@check("avoid-sparse-gradients")
def _() -> None:
    bench = Bench(with_trick("avoid-sparse-gradients", {"generator.slope": 0.0}))
    for network in (bench.G, bench.D):
        slopes = {m.negative_slope for m in network.modules() if isinstance(m, nn.LeakyReLU)}
        assert slopes == {0.2} and not any(isinstance(m, nn.ReLU) for m in network.modules())


@check("soft-labels")
def _() -> None:
    targets = Bench(with_trick("soft-labels", {"step.batch": 64})).step.batch(0, 0.0, 0.0).targets
    assert targets is not None
    assert 0.7 <= targets.real.min() < 0.8 and 0.9 < targets.real.max() <= 1.0
    assert 0.0 <= targets.fake.min() < 0.1 and 0.2 < targets.fake.max() <= 0.3


@check("noisy-labels")
def _() -> None:
    targets = Bench(with_trick("noisy-labels", {"step.batch": 2048})).step.batch(0, 0.0, 0.0).targets
    assert targets is not None
    assert 0.02 < (targets.real == 0).float().mean() < 0.08 and 0.02 < (targets.fake == 1).float().mean() < 0.08


@check("sgd-for-d")
def _() -> None:
    bench = Bench(with_trick("sgd-for-d"))
    before = [p.detach().clone() for p in bench.D.parameters()]
    bench.run()
    moved = [(a - b.detach()) / 0.01 for a, b in zip(before, bench.D.parameters(), strict=True)]
    for found, gradient in zip(moved, bench.outcomes[0].batch.d_grads, strict=True):
        torch.testing.assert_close(found, gradient, atol=1e-4, rtol=1e-3)  # a step of SGD is the gradient itself
    assert isinstance(bench.state.networks.g_optim.torch, torch.optim.Adam)


@check("input-noise")
def _() -> None:
    for progress, least, most in ((0.0, 0.09, 0.11), (0.5, 0.045, 0.055), (1.0, 0.0, 0.0)):
        bench = Bench(with_trick("input-noise"))
        batch = bench.step.batch(0, progress, 0.0)
        bench.step.objective.for_d(bench.D, batch, batch.real)
        assert least <= (bench.shown[0] - batch.real).std().item() <= most


@check("d-dropout")
def _() -> None:
    D = Bench(with_trick("d-dropout")).D.train()
    assert not torch.equal(D(pictures(), None).logits, D(pictures(), None).logits)


# -- Improved Techniques


@check("feature-matching")
def _() -> None:
    found = Bench(with_trick("feature-matching")).run().outcomes[0].batch
    extra = found.g_loss - LOSSES["bce"].g(found.real, found.fake)
    assert extra.min() > 0 and torch.allclose(extra, extra[0].expand(16), atol=1e-6)


@check("minibatch-discrimination")
def _() -> None:
    assert depends_on_the_batch(Bench(with_trick("minibatch-discrimination")).D.eval())
    assert not depends_on_the_batch(Bench(tiny(PLAIN)).D.eval())


@check("minibatch-std")
def _() -> None:
    assert depends_on_the_batch(Bench(with_trick("minibatch-std")).D.eval())


@check("historical-averaging")
def _() -> None:
    bench = Bench(with_trick("historical-averaging", {"d_optim.name": "sgd", "d_optim.lr": 10.0}))
    optimiser, (weight, *rest) = bench.state.networks.d_optim, list(bench.D.parameters())
    nothing = [torch.zeros_like(p) for p in (weight, *rest)]
    optimiser.step(nothing, 0.0)
    start = weight.detach().clone()
    weight.data.add_(1.0)
    optimiser.step(nothing, 0.0)
    assert ((weight - start) < 1.0).all()  # back towards where it has been


@check("label-smoothing")
def _() -> None:
    targets = Bench(with_trick("label-smoothing")).step.batch(0, 0.0, 0.0).targets
    assert targets is not None and targets.real.tolist() == pytest.approx([0.9] * 16) and not targets.fake.any()


@check("virtual-batch-norm")
def _() -> None:
    for name, alone in (("virtual-batch-norm", True), ("batch-norm", False)):
        G = Bench(with_trick(name)).G.train()
        with torch.no_grad():
            together, mixed = G(z(4), None), G(torch.cat([z(4)[:1], 3 * z(4)[1:]]), None)
        assert torch.allclose(together[0], mixed[0], atol=1e-5) == alone


@check("inception-score")
def _() -> None:
    config = with_trick("inception-score")
    with pytest.raises(UsageError, match=r"evaluate\.every: no classifier ships for 'shapes'"):
        api.create_run(config, images(config))  # it wants to score; shapes has nothing to score with


# -- DCGAN's guidelines


@check("batch-norm")
def _() -> None:
    bench = Bench(with_trick("batch-norm", {"generator.norm": "none"}))
    assert sum(isinstance(m, nn.BatchNorm2d) for m in bench.D.modules()) == 1  # two layers, not the first
    assert sum(isinstance(m, nn.BatchNorm2d | nn.BatchNorm1d) for m in bench.G.modules()) == 3
    assert depends_on_the_batch(bench.D.train())


@check("relu-generator")
def _() -> None:
    G = Bench(with_trick("relu-generator")).G
    assert any(isinstance(m, nn.ReLU) for m in G.modules())
    assert not any(isinstance(m, nn.LeakyReLU) for m in G.modules())


@check("dcgan-adam")
def _() -> None:
    networks = Bench(with_trick("dcgan-adam")).run().state.networks
    for optimiser in (networks.g_optim, networks.d_optim):
        assert optimiser.torch.param_groups[0]["lr"] == 2e-4 and optimiser.torch.param_groups[0]["betas"][0] == 0.5


@check("normal-init")
def _() -> None:
    bench = Bench(with_trick("normal-init", {"generator.base": 64, "discriminator.widths": (32, 64)}))
    for network in (bench.G, bench.D):
        large = [p for p in network.parameters() if p.ndim > 1 and p.numel() > 2000]
        assert large and all(0.018 < p.std() < 0.022 for p in large)


# -- losses and penalties


def _formula(name: str) -> None:
    found = Bench(with_trick(name, NO_NORM)).run().outcomes[0].batch
    torch.testing.assert_close(found.d_loss, LOSSES[name].d(found.real, found.fake, None))
    torch.testing.assert_close(found.g_loss, LOSSES[name].g(found.real, found.fake))
    assert not torch.allclose(found.d_loss, LOSSES["bce"].d(found.real, found.fake, None))


for loss in ("least-squares", "hinge", "wasserstein", "relativistic"):
    CHECKS[loss] = lambda name=loss: _formula(name)  # type: ignore[misc]


def penalties(name: str, updates: int = 1) -> list[float]:
    return [outcome.batch.penalty.item() for outcome in Bench(with_trick(name)).run(updates).outcomes]


@check("r1")
def _() -> None:
    bench = Bench(with_trick("r1"))
    real = bench.step.batch(0, 0.0, 0.0).real.requires_grad_()
    (gradient,) = torch.autograd.grad(bench.D(real, None).logits.sum(), real)
    expected = gradient.square().sum((1, 2, 3)).mean().item() / 2
    assert bench.run().outcomes[0].batch.penalty.item() == pytest.approx(expected, rel=1e-4)


@check("lazy-r1")
def _() -> None:
    found = penalties("lazy-r1", 17)
    assert found[0] == pytest.approx(16 * penalties("r1")[0], rel=1e-4) and found[16] > 0 and set(found[1:16]) == {0.0}


@check("r1-r2")
def _() -> None:
    bench = Bench(with_trick("r1-r2")).run()
    assert [len(x) for x in bench.shown] == [16, 16, 4, 4]  # reals, fakes; of each a quarter moved
    assert ((bench.shown[2] - bench.shown[0][:4]).std() - 0.03).abs() < 0.003
    assert bench.outcomes[0].batch.penalty > 0


@check("adaptive-r1-r2")
def _() -> None:
    bench = Bench(with_trick("adaptive-r1-r2")).run()
    assert [len(x) for x in bench.shown] == [16, 16] and bench.outcomes[0].batch.penalty == 0  # it begins at nothing
    bench.state.penalty_strength = 0.5
    bench.run()
    assert [len(x) for x in bench.shown[2:]] == [16, 16, 4, 4] and bench.outcomes[1].batch.penalty > 0


@check("gradient-penalty")
def _() -> None:
    bench = Bench(with_trick("gradient-penalty")).run()
    assert bench.outcomes[0].batch.penalty > 0 and len(bench.shown) == 3
    at = ((bench.shown[2] - bench.shown[1]) / (bench.shown[0] - bench.shown[1])).flatten(1).median(1).values
    assert at.min() >= 0 and at.max() <= 1


@check("spectral-norm")
def _() -> None:
    D = Bench(with_trick("spectral-norm")).D.eval()
    before = D(pictures(), None).logits
    with torch.no_grad():
        for p in D.parameters():
            p.mul_(3 if p.ndim > 1 else 1)
    torch.testing.assert_close(D(pictures(), None).logits, before)  # its length is divided out


@check("centring")
def _() -> None:
    found = Bench(with_trick("centring")).run().outcomes[0].batch
    expected = LOSSES["bce"].d(found.real, found.fake, None) + 0.01 * (found.real + found.fake).square()
    torch.testing.assert_close(found.d_loss, expected)


# -- training


@check("ema")
def _() -> None:
    bench = Bench(with_trick("ema"))
    old = [p.detach().clone() for p in bench.G.parameters()]
    bench.run(3)
    assert bench.state.ema is not None and bench.state.sampling_network is bench.state.ema
    for a, kept, new in zip(old, bench.state.ema.parameters(), bench.G.parameters(), strict=True):
        assert ((kept - a).norm() < (new - a).norm() or torch.equal(new, a)) and (kept != a).any()


@check("ttur")
def _() -> None:
    networks = Bench(with_trick("ttur")).state.networks
    assert networks.d_optim.lr(0.0) == pytest.approx(4 * networks.g_optim.lr(0.0))


@check("more-d-steps")
def _() -> None:
    bench = Bench(with_trick("more-d-steps")).run()
    assert (bench.state.networks.d_optim.t, bench.state.networks.g_optim.t, bench.state.nimg) == (5, 1, 80)


def rates(name: str) -> list[float]:
    optimiser = Bench(with_trick(name)).state.networks.g_optim
    return [optimiser.lr(progress) / optimiser.lr(0.0) for progress in (0.25, 0.5, 0.75, 1.0)]


@check("linear-decay")
def _() -> None:
    assert rates("linear-decay") == pytest.approx([1, 1, 0.5, 0])


@check("cosine-decay")
def _() -> None:
    half = math.sqrt(0.5)
    assert rates("cosine-decay") == pytest.approx([(1 + half) / 2, 0.5, (1 - half) / 2, 0])


def one_step(name: str, value: float = 1.0, gradient: float = 2.0) -> float:
    """Where a weight goes that stands at `value`."""
    config: OptimConfig = with_trick(name, {"d_optim.lr": 0.1}).d_optim
    layer = nn.Linear(1, 1, bias=False)
    layer.weight.data.fill_(value)
    Optimiser(layer, config).step([torch.full((1, 1), gradient)], 0.0)
    return layer.weight.item()


@check("adamw")
def _() -> None:
    assert one_step("adamw", gradient=0.0) == pytest.approx(1 - 0.1 * 0.01)


@check("rmsprop")
def _() -> None:
    assert one_step("rmsprop") == pytest.approx(1 - 0.1 / math.sqrt(0.1), rel=1e-5)


@check("gradient-clipping")
def _() -> None:
    assert one_step("gradient-clipping", gradient=50.0) == one_step("gradient-clipping", gradient=5.0)
    config = with_trick("gradient-clipping", {"d_optim.name": "sgd", "d_optim.lr": 0.1}).d_optim
    layer = nn.Linear(1, 1, bias=False)
    before = layer.weight.item()
    Optimiser(layer, config).step([torch.full((1, 1), 50.0)], 0.0)
    assert before - layer.weight.item() == pytest.approx(0.1, rel=1e-4)


@check("muon")
def _() -> None:
    bench = Bench(with_trick("muon", {"discriminator.widths": (16, 32)}))
    weight = next(p for p in bench.D.parameters() if p.ndim == 4 and min(p.shape[:2]) >= 16)
    before = weight.detach().clone()
    bench.run()
    values = torch.linalg.svdvals((weight.detach() - before).flatten(1)) / (0.02 * math.sqrt(max(1, 32 / 400)))
    assert 0.5 < values.median() < 1.3 and values.max() < 1.3


@check("gradient-accumulation")
def _() -> None:
    assert [len(x) for x in Bench(with_trick("gradient-accumulation")).run().shown] == [4] * 8


@check("simultaneous")
def _() -> None:
    assert len(Bench(with_trick("simultaneous", {"step.update": "alternating"})).run().shown) == 2


@check("one-stage")
def _() -> None:
    bench = Bench(with_trick("one-stage")).run()
    assert [len(x) for x in bench.shown] == [32]
    other = Bench(override(bench.config, {"step.update": "simultaneous"})).run()
    for a, b in zip(bench.outcomes[0].batch.g_grads, other.outcomes[0].batch.g_grads, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-6)


@check("joint-batch")
def _() -> None:
    assert [len(x) for x in Bench(with_trick("joint-batch")).run().shown] == [32]


# -- classes


@check("auxiliary-classifier")
def _() -> None:
    both = {"data.labels": "use"}
    plain, named = Bench(tiny({**PLAIN, **both})), Bench(with_trick("auxiliary-classifier"))
    assert plain.D(pictures(), torch.zeros(4, dtype=torch.int64)).classes is None
    found = named.run().outcomes[0].batch
    for loss, logits_alone in ((found.d_loss, LOSSES["bce"].d), (found.g_loss, LOSSES["bce"].g)):
        alone = (
            logits_alone(found.real, found.fake, None) if loss is found.d_loss else logits_alone(found.real, found.fake)
        )
        assert (loss - alone).min() > 0


@check("projection-classifier")
def _() -> None:
    bench, labels = Bench(with_trick("projection-classifier")), torch.zeros(4, dtype=torch.int64)
    plain, bare = Bench(tiny({**PLAIN, "data.labels": "use"})), bench.D(pictures(), labels)
    assert bench.D.state_dict().keys() == plain.D.state_dict().keys()  # no layer more
    for other in range(2):  # what another class would have added to the logit
        moved = bench.D(pictures(), torch.full((4,), other)).logits - bare.logits
        torch.testing.assert_close(moved, bare.classes[:, other] - bare.classes[:, 0])
    always = Bench(override(with_trick("projection-classifier"), {"discriminator.classify_variety": 0.0}))
    named, left = (b.run().outcomes[0].batch for b in (always, bench))
    assert (named.d_loss - LOSSES["bce"].d(named.real, named.fake, None)).min() > 0
    torch.testing.assert_close(left.d_loss, LOSSES["bce"].d(left.real, left.fake, None))  # its fakes are still alike
    torch.testing.assert_close(named.g_loss, LOSSES["bce"].g(named.real, named.fake))


@check("class-conditional")
def _() -> None:
    bench = Bench(with_trick("class-conditional"))
    zero, one = torch.zeros(4, dtype=torch.int64), torch.ones(4, dtype=torch.int64)
    with torch.no_grad():
        assert not torch.allclose(bench.G(z(), zero), bench.G(z(), one))
        assert not torch.allclose(bench.D(pictures(), zero).logits, bench.D(pictures(), one).logits)
    batch = bench.step.batch(0, 0.0, 0.0)
    real = bench.given.images, bench.given.labels
    shown = ((batch.real + 1) * 127.5).round().to(torch.uint8).numpy()
    assert batch.labels is not None and real[1] is not None
    for picture, label in zip(shown, batch.labels, strict=True):
        at = np.flatnonzero((real[0] == picture).all((1, 2, 3)))
        assert label in real[1][at]


@check("conditional-norm")
def _() -> None:
    G = Bench(with_trick("conditional-norm")).run(2).G
    found = [m for m in G.modules() if isinstance(m, ConditionalNorm)]
    assert len(found) == 3 and all(m.scale.weight.abs().max() > 0 for m in found)  # all of them learn


# -- augmentation


@check("flip")
def _() -> None:
    plain, flipped = (Bench(config).step.batch(0, 0.0, 0.0).real for config in (tiny(PLAIN), with_trick("flip")))
    mirrored = [torch.equal(a.flip(2), b) and not torch.equal(a, b) for a, b in zip(plain, flipped, strict=True)]
    same = [torch.equal(a, b) for a, b in zip(plain, flipped, strict=True)]
    assert any(mirrored) and any(same) and all(a or b for a, b in zip(mirrored, same, strict=True))


def shown_and_given(name: str) -> tuple[Tensor, Tensor]:
    bench = Bench(with_trick(name)).run()
    return bench.shown[0], bench.step.batch(0, 0.0, 0.0).real


@check("translation")
def _() -> None:
    shown, given = shown_and_given("translation")
    moved = [next((dy, dx) for dy in range(-2, 3) for dx in range(-2, 3)
                  if torch.equal(a[:, 2:-2, 2:-2], b.roll((dy, dx), (1, 2))[:, 2:-2, 2:-2]))
             for a, b in zip(shown, given, strict=True)]  # fmt: skip
    assert len(set(moved)) > 4


@check("cutout")
def _() -> None:
    shown, given = shown_and_given("cutout")
    hidden = (shown == 0).all(1) & (given != 0).any(1)
    assert (torch.where(hidden[:, None], 0.0, given) == shown).all()
    assert all(4 * 4 <= count <= 8 * 8 for count in hidden.flatten(1).sum(1))


@check("colour")
def _() -> None:
    shown, given = shown_and_given("colour")
    assert all(not torch.allclose(a, b, atol=1e-2) for a, b in zip(shown, given, strict=True))
    for a, b in zip(shown, given, strict=True):  # an affine map of every pixel keeps the order of grey values
        grey = torch.stack([b.mean(0).flatten(), a.mean(0).flatten()])
        assert torch.corrcoef(grey)[0, 1] > 0.99


@check("ada")
def _() -> None:
    bench = Bench(with_trick("ada"))
    assert len(bench.step.held_out) == 10 and len(bench.step.train_indices) == 86
    bench.run()
    assert torch.equal(bench.shown[0], bench.step.batch(0, 0.0, 0.0).real)  # p begins at 0
    bench.state.augment_p = 1.0
    at = bench.state.nimg
    bench.run()
    assert not torch.equal(bench.shown[-2], bench.step.batch(at, 0.1, 0.0).real)


# -- the table as a whole


def test_every_trick_has_its_check() -> None:
    assert set(CHECKS) == set(TRICKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_trick_does_what_it_says(name: str) -> None:
    CHECKS[name]()


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_changes_only_its_settings_and_is_noted(name: str) -> None:
    before = tiny(PLAIN)
    after = tricks.apply(before, [name])
    assert set(diff(before, after)) - {"tricks"} <= set(TRICKS[name].settings(before))
    assert after.tricks == (name,) and name in tricks.active(after)


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_says_where_it_comes_from_and_what_it_costs(name: str) -> None:
    trick = TRICKS[name]
    assert all(len(text) > 3 for text in (trick.title, trick.source, trick.helps, trick.hurts))
    assert all(other in TRICKS and other != name for other in trick.conflicts)


def test_conflicts_are_mutual_and_no_declared_one_is_plain_from_the_settings() -> None:
    config = tiny(PLAIN)
    for name, trick in TRICKS.items():
        for other in tricks.conflicts(name, config):
            assert name in tricks.conflicts(other, config) and name != other
        for other in trick.conflicts:
            one, two = trick.settings(config), TRICKS[other].settings(config)
            assert all(one[key] == two[key] for key in one.keys() & two.keys()), f"{name} and {other}: no need to say"


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_goes_with_all_that_it_does_not_bar(name: str) -> None:
    base = tiny({**PLAIN, "data.held_out": 0.1})
    barred = tricks.conflicts(name, base)
    for other in (other for other in TRICKS if other not in barred and other != name):
        tricks.apply(base, [name, other])


def test_conflicting_tricks_are_refused_in_either_order() -> None:
    for pair in (["hinge", "label-smoothing"], ["label-smoothing", "hinge"]):
        with pytest.raises(UsageError, match=r"the tricks .* are incompatible"):
            tricks.apply(tiny(PLAIN), pair)
    with pytest.raises(UsageError, match="unknown trick 'label-smooth'; did you mean label-smoothing"):
        tricks.apply(tiny(PLAIN), ["label-smooth"])


def test_a_trick_that_does_not_fit_says_why() -> None:
    with pytest.raises(UsageError, match=r"the trick label-smoothing does not fit this training: loss\.smooth"):
        tricks.apply(tiny({**PLAIN, "loss.name": "hinge"}), ["label-smoothing"], check_compatibility)


def test_the_tricks_of_a_recipe_are_recognised() -> None:
    active = tricks.active(RECIPES["quick"].config)
    assert {"hinge", "spectral-norm", "joint-batch"} <= set(active) and "r1-r2" not in active
    active = tricks.active(RECIPES["lean"].config)
    assert {"hinge", "r1-r2", "ttur", "joint-batch", "linear-decay"} <= set(active) and "relativistic" not in active


def test_what_a_loss_trick_removes_is_what_its_loss_lacks() -> None:
    for trick in TRICKS.values():
        name = trick.settings(tiny()).get("loss.name")
        if name is not None:
            loss = LOSSES[name]
            assert ("loss with targets" in trick.removes) == (not loss.has_targets)


def test_a_trick_of_ones_own_is_listed_last_and_its_properties_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "TRICKS", dict(TRICKS))
    mine = Trick("mine", "title", "source", {"g_optim.lr": 1e-3}, "helps", "hurts", removes=("loss with targets",))
    tricks.register_trick(mine)
    assert list(registry.TRICKS) == [*TRICKS, "mine"]
    assert tricks.conflicts("mine", tiny()) == ["soft-labels", "noisy-labels", "label-smoothing", "dcgan-adam"]
    assert "mine" in tricks.conflicts("label-smoothing", tiny())
    for name in ("flip", "a/b"):
        with pytest.raises(ValueError, match="taken or contains a slash"):
            tricks.register_trick(dataclasses.replace(mine, name=name))


def test_tricks_are_listed_by_topic() -> None:
    orders = [trick.order for trick in TRICKS.values()]
    assert orders == sorted(orders) and all(trick.name == name for name, trick in TRICKS.items())
    topics = [next(name for name in TRICKS if TRICKS[name].order == order) for order in dict.fromkeys(orders)]
    assert topics == [
        "tanh-output", "feature-matching", "batch-norm", "least-squares", "r1", "ema", "class-conditional", "flip"
    ]  # fmt: skip
