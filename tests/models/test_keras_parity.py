"""Our networks and step against Keras: same weights in, same outputs, losses, gradients and updated weights out.

The golden arrays come from `tools/make_keras_golden.py` (TensorFlow 2.21, the Keras 2 code line).
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganvas import models
from ganvas.config.recipes import RECIPES
from ganvas.models.layers.dropout import Dropout
from ganvas.models.ops.conv import set_algorithm
from ganvas.training.augment import Augment
from ganvas.training.batch import Batch
from ganvas.training.losses import draw_targets
from ganvas.training.objective import Objective
from ganvas.training.optim import Optimiser
from ganvas.training.step import UPDATES, Networks, simultaneous

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
import weights as golden  # noqa: E402

LAYERS = json.loads((GOLDEN / "layers.json").read_text())
NETWORKS = {"G": models.build_generator, "D": models.build_discriminator}
SOURCES = sorted(LAYERS)
CPU = torch.autocast("cpu", torch.bfloat16, enabled=False)


def shape_of(recipe: str) -> tuple[int, int, int]:
    return (1, 28, 28) if recipe.startswith("fashion") else (3, 32, 32)


def to_torch(array: np.ndarray) -> Tensor:
    """Keras layout to ours; what has one axis stays."""
    axes = {4: (3, 2, 0, 1), 2: (1, 0)}.get(array.ndim, (0,))
    return torch.from_numpy(np.ascontiguousarray(array.transpose(axes)))


def to_keras(tensor: Tensor) -> np.ndarray:
    axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(tensor.ndim, (0,))
    return np.ascontiguousarray(tensor.detach().numpy().transpose(axes))


def keras_order(network: nn.Module) -> dict[str, Tensor]:
    """Our tensors in the order of Keras' get_weights()."""
    return {name: t for name, t in network.state_dict().items() if not name.endswith("num_batches_tracked")}


def build(recipe: str, name: str, algorithm: str = "direct") -> nn.Module:
    network = NETWORKS[name](RECIPES[recipe].config, shape_of(recipe))
    ours, theirs = keras_order(network), LAYERS[recipe][name]
    assert len(ours) == len(theirs)
    for i, (tensor, layer) in enumerate(zip(ours.values(), theirs, strict=True)):
        tensor.copy_(to_torch(golden.golden_weight(recipe, name, i, layer["kind"], tuple(layer["shape"]))))
    set_algorithm(network, algorithm)
    return network


def images(recipe: str, use: str, n: int) -> Tensor:
    c, h, w = shape_of(recipe)
    return torch.from_numpy(golden.golden_images(recipe, use, n, (h, w, c)).transpose(0, 3, 1, 2).copy())


def z(recipe: str, use: str, n: int) -> Tensor:
    return torch.from_numpy(golden.golden_z(recipe, use, n, RECIPES[recipe].config.generator.latent_dim))


def range_of(recipe: str, made: np.ndarray) -> np.ndarray:
    """Our images in the range of the source's: [0, 1] in Keras' example."""
    return (made + 1) / 2 if recipe == "keras-dcgan" else made


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
@pytest.mark.parametrize("recipe", SOURCES)
def test_outputs_are_keras(recipe: str, algorithm: str) -> None:
    stored = np.load(GOLDEN / f"{recipe}.npz")
    G, D = build(recipe, "G", algorithm), build(recipe, "D", algorithm)
    with torch.no_grad():
        made = G.eval()(z(recipe, "inference", 2), None).numpy().transpose(0, 2, 3, 1)
        given = images(recipe, "inference", 4)
        given = 2 * given - 1 if recipe == "keras-dcgan" else given  # D moves them back to what Keras got
        logits = D.eval()(given, None).logits.numpy()
        trained = G.train()(z(recipe, "training", 8), None)[:4].numpy().transpose(0, 2, 3, 1)
    made, trained = range_of(recipe, made), range_of(recipe, trained)
    np.testing.assert_allclose(made, stored["g_inference"], atol=2e-5)
    np.testing.assert_allclose(logits, stored["d_inference"], atol=2e-5)
    np.testing.assert_allclose(trained, stored["g_training"], atol=5e-5)


def test_normalised_discriminator_is_keras_in_training() -> None:
    recipe = "cifar-dcgan-recap"
    stored = np.load(GOLDEN / f"{recipe}.npz")
    with torch.no_grad():
        logits = build(recipe, "D").train()(images(recipe, "training", 8), None).logits.numpy()
    np.testing.assert_allclose(logits, stored["d_training"], atol=2e-5)


@pytest.mark.parametrize("algorithm", ["direct", "winograd"])
def test_simultaneous_step_is_keras(algorithm: str) -> None:
    """Losses, logits, every gradient, every weight after Adam, and the running statistics; then three steps more."""
    recipe, n = "cifar-dcgan-recap", 16
    stored, config = np.load(GOLDEN / f"{recipe}-step.npz"), RECIPES[recipe].config
    G, D = build(recipe, "G", algorithm).train(), build(recipe, "D", algorithm).train()
    networks = Networks(G, D, Optimiser(G, config.g_optim), Optimiser(D, config.d_optim))
    objective = Objective(config, Augment(config.augment, (3, 32, 32)), CPU)
    before = {name: {k: t.clone() for k, t in keras_order(m).items()} for name, m in (("G", G), ("D", D))}

    for step in range(4):
        draws = objective.augment.draw(n, 0.0, 0.0, torch.Generator())
        given = images(recipe, f"step{step}", n), z(recipe, f"step{step}", n)
        out = simultaneous(
            networks, [Batch(*given, None, None, (draws, draws), 0.0, 0.0, 0.0, torch.Generator())], objective
        )
        losses = [out.batch.d_loss.mean().item(), out.batch.g_loss.mean().item()]
        # Later steps enlarge what rounding began: one thread or two already differ by 6e-4 in the second
        np.testing.assert_allclose(sorted(losses), sorted(stored["losses"][step]), atol=5e-3 if step else 1e-5)
        if step:
            continue
        np.testing.assert_allclose(out.batch.real, stored["real_logits"], atol=2e-5)
        np.testing.assert_allclose(out.batch.fake, stored["fake_logits"], atol=2e-5)
        for name, network, norm in (("G", G, out.g_norm), ("D", D, out.d_norm)):
            trained = {k for k, _ in network.named_parameters()}
            norms = stored[f"{name}_gradient_norms"]
            assert norm.item() == pytest.approx(float(np.sqrt(np.nansum(norms**2))), rel=1e-4)
            for i, (key, tensor) in enumerate(keras_order(network).items()):
                entries = golden.golden_entries(recipe, name, i, tensor.numel())
                after = to_keras(tensor).reshape(-1)[entries]
                if key not in trained:
                    np.testing.assert_allclose(after, stored[f"{name}_after"][i], atol=2e-6, err_msg=key)
                    continue
                gradient = stored[f"{name}_gradients"][i]
                sure = np.abs(gradient) > 1e-5  # below, Adam turns rounding noise into a whole step
                moved = after - to_keras(before[name][key]).reshape(-1)[entries]
                expected = stored[f"{name}_after"][i] - to_keras(before[name][key]).reshape(-1)[entries]
                np.testing.assert_allclose(moved[sure], expected[sure], atol=1e-5, err_msg=key)  # of steps of 2e-4
                assert sure.mean() > 0.5 or key == "blocks.1.conv.bias", key


@pytest.mark.parametrize("recipe", ["mafda-dcgan", "keras-dcgan"])
def test_the_first_update_of_a_loop_is_keras(recipe: str) -> None:
    """Losses, every weight after Adam, and the running statistics; without dropout and the labels' noise."""
    n, config = 16, RECIPES[recipe].config
    stored = np.load(GOLDEN / f"{recipe}.npz")
    config = dataclasses.replace(
        config,
        discriminator=dataclasses.replace(config.discriminator, dropout=0.0),
        loss=dataclasses.replace(config.loss, soft=0.0),
    )
    G, D = build(recipe, "G").train(), build(recipe, "D").train()
    for module in D.modules():
        if isinstance(module, Dropout):
            module.cut = 0
    networks = Networks(G, D, Optimiser(G, config.g_optim), Optimiser(D, config.d_optim))
    objective = Objective(config, Augment(config.augment, (3, 32, 32)), CPU)
    draws = objective.augment.draw(n, 0.0, 0.0, torch.Generator())
    targets = draw_targets(config.loss, n, torch.Generator(), torch.device("cpu"))
    fixed = (draws, draws), 0.0, 0.0, 0.0, torch.Generator()
    batch = Batch(images(recipe, "step0", n), z(recipe, "step0", n), None, targets, *fixed, g_z=z(recipe, "step1", n))
    before = {name: {k: t.clone() for k, t in keras_order(m).items()} for name, m in (("G", G), ("D", D))}
    out = UPDATES[config.step.update](networks, [batch], objective)
    *of_d, of_g = stored["loop_losses"]
    factor = 2 if recipe == "keras-dcgan" else 1  # it takes the mean over real and fake images
    assert out.batch.d_loss.mean().item() == pytest.approx(factor * sum(of_d), rel=1e-5)
    assert out.batch.g_loss.mean().item() == pytest.approx(of_g, rel=1e-5)
    for name, network, optim in (("G", G, config.g_optim), ("D", D, config.d_optim)):
        for i, (key, tensor) in enumerate(keras_order(network).items()):
            entries = golden.golden_entries(recipe, name, i, tensor.numel())
            moved = (to_keras(tensor) - to_keras(before[name][key])).reshape(-1)[entries]
            expected = stored[f"{name}_loop"][i] - to_keras(before[name][key]).reshape(-1)[entries]
            near = np.isclose(moved, expected, atol=0.02 * optim.lr)
            assert near.mean() > 0.95, key  # Adam turns the rounding noise of tiny gradients into whole steps


def test_plain_epsilon_would_be_told_apart() -> None:
    """Keras' epsilon-hat is part of the parity: with torch's own epsilon the first step differs visibly."""
    config = dataclasses.replace(RECIPES["cifar-dcgan-recap"].config.g_optim)
    gradient = torch.tensor([1e-6])
    ours, plain = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    Optimiser(nn.ParameterList([ours]), config).step([gradient.clone()], 0.0)
    other = torch.optim.Adam([plain], config.lr, (config.beta1, config.beta2), config.epsilon)
    plain.grad = gradient.clone()
    other.step()
    first_moment, second_moment = (1 - config.beta1) * 1e-6, (1 - config.beta2) * 1e-12
    rate = config.lr * np.sqrt(1 - config.beta2) / (1 - config.beta1)
    assert ours.item() == pytest.approx(-rate * first_moment / (np.sqrt(second_moment) + config.epsilon), rel=1e-5)
    assert abs(plain.item() / ours.item()) > 2


@pytest.mark.parametrize(
    ("recipe", "g", "d"),
    [
        ("fashion-dcgan", 2_330_944, 212_865),
        ("cifar-dcgan", 1_455_552, 217_985),
        ("cifar-dcgan-8x8", 2_733_504, 217_985),
        ("cifar-dcgan-slow-d", 2_733_504, 217_985),
        ("cifar-dcgan-deep", 2_897_632, 217_985),
        ("cifar-dcgan-recap", 2_894_720, 218_497),
        ("mafda-dcgan", 4_520_384, 4_308_609),  # its printed summaries
    ],
)
def test_parameter_counts_are_keras(recipe: str, g: int, d: int) -> None:
    config, shape = RECIPES[recipe].config, shape_of(recipe)
    assert models.count_parameters(models.build_generator(config, shape)) == g
    assert models.count_parameters(models.build_discriminator(config, shape)) == d
    layers = models.summary(config, shape)
    assert [sum(layer.params for layer in layers[k]) for k in ("generator", "discriminator")] == [g, d]
