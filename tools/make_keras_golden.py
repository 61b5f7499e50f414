"""Writes the golden arrays of the parity tests: Keras' outputs for the formulas of tests/golden/weights.py.

    keras-venv/bin/python tools/make_keras_golden.py [RECIPE ...]

in the environment that keras_models.py describes. All is computed by Keras 2 (`tf_keras`), the code line of
the notebooks' TensorFlow 2.6, and again by Keras 3; the two must agree. They differ by design in one thing:
on 4-D inputs Keras 2's fused BatchNorm feeds its moving variance with the unbiased batch variance (Bessel's
correction, as torch does), whereas on 2-D inputs (after Dense), and always in Keras 3, it is the biased one.
The golden values are Keras 2's.

`layers.json` lists, per recipe and network, each weight's kind and shape in the order of `golden_weight`'s
index.
`<recipe>.npz` holds float32 arrays, images as [n, h, w, c], those of `keras-dcgan` in [0, 1]:
    g_inference [2, ...]    G(z "inference", n=2)
    g_training  [4, ...]    the first 4 images of G(z "training", n=8) with batch statistics
    d_inference [4]         D(images "inference", n=4)
    d_training  [8]         D(images "training", n=8) with batch statistics; recap only, as it has no dropout
`mafda-dcgan.npz` and `keras-dcgan.npz` also hold their loops' first update, without dropout, batch 16:
    loop_losses [3]           of D on real images, of D on fakes (both terms in one number for keras-dcgan: [2]), of G
    {G,D}_loop [weights, 64]  weights and moving statistics after it, at `golden_entries`
and `cifar-dcgan-recap-step.npz` four simultaneous steps, batch 16, step k on z and images "step<k>":
    losses [4, 2]                   d_loss, g_loss of each step
    real_logits, fake_logits [16]   of the first step, as is all that follows
    {G,D}_gradient_norms [weights]  NaN for moving statistics, which have no gradient
    {G,D}_gradients [weights, 64]   at `golden_entries`; NaN likewise
    {G,D}_after [weights, 64]       weights and moving statistics after the step, at `golden_entries`
The gradient of a bias that feeds a BatchNorm (D, index 3) is rounding noise, and so is Adam's step along it.
"""

import json
import math
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

GOLDEN = Path(__file__).resolve().parents[1] / "tests" / "golden"
sys.path.insert(0, str(GOLDEN))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf_keras  # noqa: E402
from keras_models import (  # noqa: E402
    IMAGE_SHAPE,
    LATENT_DIM,
    LATENT_DIMS,
    LOOPS,
    PARAMETERS,
    adam,
    build,
    simultaneous_step,
)
from weights import golden_entries, golden_images, golden_weight, golden_z  # noqa: E402

Arrays = dict[str, np.ndarray]
RECAP = "cifar-dcgan-recap"
BATCH = 16
STEPS = 4
KERNEL_KINDS = {"Dense": "dense_kernel", "Conv2D": "conv_kernel", "Conv2DTranspose": "conv_transpose_kernel"}


def weight_variables(network: Any) -> list[tuple[str, Any]]:
    """(kind, variable) in layer order, within a layer as Keras orders them."""
    pairs = []
    for layer in network.layers:
        for variable in layer.weights:
            name = variable.name.split("/")[-1].split(":")[0]
            pairs.append((KERNEL_KINDS[type(layer).__name__] if name == "kernel" else name, variable))
    return pairs


def describe(network: Any) -> list[dict[str, Any]]:
    return [{"kind": kind, "shape": list(variable.shape)} for kind, variable in weight_variables(network)]


def golden_networks(recipe: str, module: ModuleType) -> tuple[Any, Any]:
    g, d = build(recipe, module)
    for name, network in (("G", g), ("D", d)):
        for index, (kind, variable) in enumerate(weight_variables(network)):
            variable.assign(golden_weight(recipe, name, index, kind, tuple(variable.shape)))
    return g, d


def outputs(recipe: str, module: ModuleType) -> Arrays:
    """Outputs of fresh golden networks; calls in training mode come last, since they move the statistics."""
    g, d = golden_networks(recipe, module)
    shape, latent_dim = IMAGE_SHAPE[recipe], LATENT_DIMS.get(recipe, LATENT_DIM)
    arrays = {
        "g_inference": g(golden_z(recipe, "inference", 2, latent_dim), training=False),
        "d_inference": d(golden_images(recipe, "inference", 4, shape), training=False)[:, 0],
        "g_training": g(golden_z(recipe, "training", 8, latent_dim), training=True)[:4],
    }
    if recipe == RECAP:
        arrays["d_training"] = d(golden_images(recipe, "training", 8, shape), training=True)[:, 0]
    return {name: array.numpy() for name, array in arrays.items()}


def fingerprint(name: str, network: Any, gradients: list[Any]) -> Arrays:
    """Gradients and updated weights at 64 entries each, and the norm of every gradient."""
    remaining = iter(gradients)
    trainable = {id(variable) for variable in network.trainable_variables}
    rows: dict[str, list[Any]] = {f"{name}_gradients": [], f"{name}_after": [], f"{name}_gradient_norms": []}
    for index, (_, variable) in enumerate(weight_variables(network)):
        after = np.asarray(variable.numpy())
        gradient = next(remaining).numpy() if id(variable) in trainable else np.full(after.shape, np.nan, np.float32)
        entries = golden_entries(RECAP, name, index, after.size)
        rows[f"{name}_gradients"].append(gradient.ravel()[entries])
        rows[f"{name}_after"].append(after.ravel()[entries])
        rows[f"{name}_gradient_norms"].append(np.linalg.norm(gradient.astype(np.float64)))
    return {key: np.array(value, np.float32) for key, value in rows.items()}


def steps(module: ModuleType) -> Arrays:
    g, d = golden_networks(RECAP, module)
    optimizers = adam(module), adam(module)
    arrays: Arrays = {}
    losses = []
    for k in range(STEPS):
        z = golden_z(RECAP, f"step{k}", BATCH)
        images = golden_images(RECAP, f"step{k}", BATCH, IMAGE_SHAPE[RECAP])
        result = simultaneous_step(g, d, *optimizers, z, images)
        losses.append([result["d_loss"], result["g_loss"]])
        if k == 0:
            arrays = {key: result[key].numpy()[:, 0] for key in ("real_logits", "fake_logits")}
            arrays |= fingerprint("G", g, result["G_gradients"]) | fingerprint("D", d, result["D_gradients"])
    return arrays | {"losses": np.array(losses, np.float32)}


def loop(recipe: str, module: ModuleType) -> Arrays:
    """The losses of the first update of a recipe's own loop, and 64 entries of each weight after it."""
    g, d = golden_networks(recipe, module)
    latent_dim = LATENT_DIMS.get(recipe, LATENT_DIM)
    z, own_z = (golden_z(recipe, use, BATCH, latent_dim) for use in ("step0", "step1"))
    losses = LOOPS[recipe](module, g, d, golden_images(recipe, "step0", BATCH, IMAGE_SHAPE[recipe]), z, own_z)
    arrays: Arrays = {"loop_losses": np.array([float(loss) for loss in losses], np.float32)}
    for name, network in (("G", g), ("D", d)):
        rows = [np.asarray(variable.numpy()).ravel() for _, variable in weight_variables(network)]
        picked = [row[golden_entries(recipe, name, i, row.size)] for i, row in enumerate(rows)]
        arrays[f"{name}_loop"] = np.array(picked, np.float32)
    return arrays


def bessel_factors(network: Any) -> list[float]:
    """Per weight, Keras 2's batch variance over Keras 3's: m / (m - 1) for 4-D inputs of m values, else 1."""
    factors = []
    for layer in network.layers:
        positions = BATCH * math.prod(layer.output.shape[1:-1])
        for variable in layer.weights:
            corrected = "moving_variance" in variable.name and len(layer.output.shape) == 4
            factors.append(positions / (positions - 1) if corrected else 1.0)
    return factors


def with_bessel(arrays: Arrays) -> Arrays:
    """Keras 3's arrays of `steps`, with Keras 2's correction of the variance of 4-D inputs put in."""
    arrays = dict(arrays)
    for name, network, calls in (("G", build(RECAP, keras)[0], 1), ("D", build(RECAP, keras)[1], 2)):
        after = arrays[f"{name}_after"].copy()
        for index, factor in enumerate(bessel_factors(network)):
            if factor != 1.0:
                kind, variable = weight_variables(network)[index]
                entries = golden_entries(RECAP, name, index, variable.shape[0])
                kept = 0.99**calls * golden_weight(RECAP, name, index, kind, tuple(variable.shape))[entries]
                after[index] = kept + factor * (after[index] - kept)
        arrays[f"{name}_after"] = after
    return arrays


def compare(keras2: Arrays, keras3: Arrays, tolerance: float) -> None:
    """Asserts that both agree; weights only where the gradient is not mere noise, whose sign Adam follows."""
    for key, array in keras2.items():
        difference = np.abs(array - keras3[key])
        if key.endswith("_after"):
            difference = difference[~(np.abs(keras2[key.replace("after", "gradients")]) < 1e-5)]
        largest, worst = np.nanmax(np.abs(array)), np.nanmax(difference)
        print(f"    {key:18} |value| <= {largest:9.3g}   difference <= {worst:.1e}")
        assert worst <= tolerance, f"{key}: Keras 2 and Keras 3 differ by {worst}"


def save(name: str, arrays: Arrays) -> None:
    path = GOLDEN / f"{name}.npz"
    np.savez_compressed(path, **arrays)
    print(f"    {path.name}: {path.stat().st_size / 1000:.1f} kB")


def main(recipes: list[str]) -> None:
    print(f"TensorFlow {tf.__version__}, Keras {keras.__version__}, tf_keras {tf_keras.__version__}")
    layouts = json.loads((GOLDEN / "layers.json").read_text())
    for recipe in recipes:
        print(recipe)
        layouts[recipe] = dict(zip("GD", map(describe, build(recipe, keras)), strict=True))
        arrays = outputs(recipe, tf_keras)
        compare(arrays, outputs(recipe, keras), 1e-5)
        save(recipe, arrays | (loop(recipe, tf_keras) if recipe in LOOPS else {}))
    if RECAP in recipes:
        print(f"{RECAP}, {STEPS} steps")
        arrays = steps(tf_keras)
        compare(arrays, with_bessel(steps(keras)), 1e-3)
        save(f"{RECAP}-step", arrays)
    (GOLDEN / "layers.json").write_text(json.dumps(layouts, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:] or list(PARAMETERS))
