"""What cannot fit this machine is refused in one line before anything is allocated, and what fits is not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from conftest import start, tiny
from ganvas import models, process
from ganvas.config import from_dict, to_dict
from ganvas.config.recipes import RECIPES
from ganvas.errors import UsageError
from ganvas.training import backend, capacity
from ganvas.training.setup import configure

HUGE: dict[str, tuple[dict[str, Any], str]] = {
    "G's width": ({"generator.width": 1e6}, "generator: .* of memory, this machine has .*: lower --generator.width"),
    "an overflow": ({"generator.width": 1e200}, "generator needs more memory than can be counted"),
    "a width that no number can be": ({"generator.width": 1e308}, "generator needs more memory than can be counted"),
    "D's width": ({"discriminator.widths": (10**8, 10**8)}, "discriminator: .*: lower --discriminator.width"),
    "z": ({"generator.latent_dim": 10**12}, "--generator.latent-dim"),
    "a kernel": ({"generator.kernel": 10**7 + 1}, "--generator.kernel"),
    "the batch": ({"step.batch": 10**12}, r"step.batch = 1000000000000 needs .*: lower --step.batch, or raise"),
    "threads": ({"engine.threads": 100}, "engine.threads = 100: it must be at most 4 here"),
}


@pytest.mark.parametrize(("changes", "message"), HUGE.values(), ids=HUGE)
def test_what_cannot_fit_is_refused(changes: dict[str, Any], message: str, tmp: Path) -> None:
    with pytest.raises(UsageError, match=message):
        start(tmp / "run", changes)
    assert not (tmp / "run").exists()


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_recipe_is_refused_on_a_small_machine(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "memory_limit", lambda: 4 * 10**9)
    config, shape = configure(recipe, overrides={"engine.device": "cpu"}), (3, 32, 32)
    capacity.check_networks(config, shape, 10)
    capacity.check_batch(config, shape, models.summary(config, shape))


@pytest.mark.parametrize("recipe", ["cifar-dcgan", "lean"])
def test_weights_are_counted_as_they_are_built(recipe: str) -> None:
    config = configure(recipe)
    family = models.family_of(config.generator)
    counted = models.count_weights(lambda: family.generator(config.generator, (3, 32, 32), 0))
    assert counted == sum(w.numel() for w in models.build_generator(config, (3, 32, 32)).parameters())


def test_the_estimate_is_what_an_optimiser_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the bytes of weights, gradients and states it is let through, at one less refused."""
    config = tiny({"step.ema_kimg": 1.0, "g_optim.name": "adam"})
    generator = models.build_generator(config, (3, 16, 16))
    optimiser = torch.optim.Adam(generator.parameters())
    generator(torch.zeros(4, 8), None).sum().backward()
    optimiser.step()
    weights = list(generator.parameters())
    states = [t for state in optimiser.state.values() for t in state.values() if t.ndim]
    average = weights
    held = sum(4 * t.numel() for t in [*weights, *(w.grad for w in weights if w.grad is not None), *states, *average])
    monkeypatch.setattr(process, "memory_limit", lambda: held)
    capacity.check_networks(config, (3, 16, 16), 0)
    monkeypatch.setattr(process, "memory_limit", lambda: held - 1)
    with pytest.raises(UsageError, match=r"^generator: "):
        capacity.check_networks(config, (3, 16, 16), 0)


def test_a_run_from_a_larger_machine_goes_on_with_fewer_threads() -> None:
    config = from_dict({**to_dict(tiny()), "engine": {"device": "cpu", "threads": 256}})
    assert backend.resolve(config.engine).threads == backend.most_threads() == 4


def test_the_memory_limit_is_the_least_of_machine_groups_and_process(tmp: Path) -> None:
    proc, cgroup = tmp / "proc", tmp / "cgroup"
    (proc / "self").mkdir(parents=True)
    (cgroup / "a" / "b").mkdir(parents=True)
    (proc / "meminfo").write_text("MemTotal:  2000 kB\nMemFree: 1 kB\nSwapTotal:  500 kB\n")
    (proc / "self" / "cgroup").write_text("0::/a/b\n")
    assert process.memory_limit(proc, cgroup) == 2500 * 1024
    (cgroup / "a" / "memory.max").write_text("1000000\n")
    (cgroup / "a" / "b" / "memory.max").write_text("max\n")
    assert process.memory_limit(proc, cgroup) == 1000000
    (cgroup / "a" / "memory.swap.max").write_text("200000\n")
    assert process.memory_limit(proc, cgroup) == 1200000
    assert (process.memory_limit(tmp, tmp) or math.inf) > 10**8
