"""Keras' side of the throughput benchmark: trains `cifar-dcgan-recap` on random images, on command.

    keras-venv/bin/python benchmarks/keras_step.py --dtype mixed_bfloat16

in the environment that tools/keras_models.py describes. A driver speaks to it over pipes, so that ours and
Keras can alternate in one run. After the warm-up it prints one JSON line that says what it is. Each line
"run N" on stdin then performs N steps and is answered by one JSON line {"seconds": ..., "images": ...}; end
of input ends it. Everything else (TensorFlow's log) goes to stderr.
"""

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import tensorflow as tf
from keras_models import IMAGE_SHAPE, LATENT_DIM, adam, build, simultaneous_step

RECIPE = "cifar-dcgan-recap"


def make_train(keras: Any, batch: int, jit: bool) -> Callable[[int], None]:
    """A function that performs n steps, in graph mode, on batches of one fixed random set."""
    g, d = build(RECIPE, keras)
    g_optimizer, d_optimizer = adam(keras), adam(keras)
    if hasattr(g_optimizer, "build"):
        g_optimizer.build(g.trainable_variables)
        d_optimizer.build(d.trainable_variables)
    images = tf.random.uniform((8 * batch, *IMAGE_SHAPE[RECIPE]), -1.0, 1.0)

    @tf.function(jit_compile=jit)
    def step(real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        z = tf.random.normal((batch, LATENT_DIM))
        result = simultaneous_step(g, d, g_optimizer, d_optimizer, z, real)
        return result["d_loss"], result["g_loss"]

    def train(n: int) -> None:
        for i in range(n):
            start = i % 8 * batch
            losses = step(images[start : start + batch])
        for loss in losses:
            loss.numpy()  # waits for the last step

    return train


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dtype", choices=("float32", "mixed_bfloat16"), default="float32")
    parser.add_argument("--keras", choices=("keras", "tf_keras"), default="keras", help="Keras 3 or Keras 2")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--intra", type=int, default=2, help="threads within an operation")
    parser.add_argument("--inter", type=int, default=1, help="operations at a time")
    parser.add_argument("--warmup", type=int, default=3, help="steps before the first answer")
    parser.add_argument("--jit", action="store_true", help="compile the step with XLA")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.intra)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.inter)
    keras = importlib.import_module(arguments.keras)
    keras.mixed_precision.set_global_policy(arguments.dtype)
    train = make_train(keras, arguments.batch, arguments.jit)
    train(arguments.warmup)
    versions = {"tensorflow": tf.__version__, arguments.keras: keras.__version__}
    print(json.dumps({"recipe": RECIPE, **vars(arguments), "versions": versions}), flush=True)
    for line in sys.stdin:
        match line.split():
            case ["run", count] if count.isdecimal() and int(count) > 0:
                began = time.perf_counter()
                train(int(count))
                seconds = time.perf_counter() - began
                print(json.dumps({"seconds": seconds, "images": int(count) * arguments.batch}), flush=True)
            case _:
                sys.exit(f"keras_step: expected 'run N', got {line.strip()!r}")


if __name__ == "__main__":
    main()
