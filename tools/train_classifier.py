"""Train the classifier that ships for a data set, and write its weights where the package looks for them.

python tools/train_classifier.py cifar10 WORK_DIR [--epochs 16] [--seed 0] [--threads 1]

Convolutions by Muon on weights of fixed norm, everything else by Adam, rates falling linearly to zero; random
translation by 2 pixels, for cifar10 mirrored every other time an image is seen (Jordan 2024, arXiv 2404.00498;
Jordan et al. 2024, "Muon"). WORK_DIR keeps the state after every epoch: run the same command again to go on, or,
with more --epochs than are done, to let the rates rise once more to where that longer fall would have them. What ships
is the mean of the weights at the end of every fall (Izmailov et al. 2018, arXiv 1803.05407), its statistics measured
anew on RESTATED training images.
The test images are looked at after every epoch, to be printed, and decide nothing but the temperature.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ganvas import datasets, rng
from ganvas.config import DataConfig
from ganvas.files import write_file
from ganvas.metrics.extractors.classifier import SHIPPED, Classifier
from ganvas.models.ops.conv import SameConv2d, set_algorithm
from ganvas.process import keep_freed_memory
from ganvas.runs.storage import load_tensors, save_tensors
from ganvas.training.muon import orthogonalised

WEIGHTS = Path(__file__).resolve().parents[1] / "src" / "ganvas" / "weights"
SHIFT = 2  # pixels
SMOOTHING = 0.2
WHITENED = 5000  # images whose patches the first layer is made from
RESTATED = 20_000  # images on which the statistics of averaged weights are measured
RECIPES = {
    "cifar10": {"stem": 2, "widths": (64, 128, 256), "mirror": True, "epochs": 16},
    "fashion-mnist": {"stem": 3, "widths": (32, 64, 128), "mirror": False, "epochs": 12},
}


class Trained(nn.Module):
    """The Classifier while it learns: batch normalisation, with a bias and no scale, after every convolution."""

    def __init__(self, channels: int, stem: int, widths: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        patch = channels * stem**2
        pairs = [(i, o) for a, b in zip((2 * patch, *widths[:-1]), widths, strict=True) for i, o in ((a, b), (b, b))]
        self.stem = nn.Conv2d(channels, 2 * patch, stem)
        self.stem.weight.requires_grad_(False)
        self.convs = nn.ModuleList(SameConv2d(i, o, 3, 1, bias=False) for i, o in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(o, momentum=0.2) for _, o in pairs)
        self.head = nn.Linear(widths[-1], classes)
        for norm in self.norms:
            norm.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.gelu(self.stem(x))
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            x = conv(x)
            if index % 2 == 0:
                x = F.max_pool2d(x, 2)
            x = F.gelu(norm(x))
        return self.head(x.amax(dim=(2, 3)))

    def whiten(self, images: Tensor) -> None:
        """The first layer's kernels: the images' patches' eigenvectors over their standard deviations, and negated."""
        size = self.stem.kernel_size[0]
        patches = images.unfold(2, size, 1).unfold(3, size, 1).permute(0, 2, 3, 1, 4, 5)
        patches = patches.reshape(-1, images.shape[1] * size**2)
        values, vectors = torch.linalg.eigh(patches.T.cov().double())
        kernels = (vectors / (values + 5e-4).sqrt()).T.float().reshape(-1, *self.stem.weight.shape[1:])
        self.stem.weight.data = torch.cat([kernels, -kernels])
        nn.init.zeros_(self.stem.bias)

    def folded(self, temperature: float) -> dict[str, Tensor]:
        """The same function as weights of a Classifier. A positive scale and a maximum can change places."""
        tensors = {"stem.weight": self.stem.weight, "stem.bias": self.stem.bias}
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            name = f"{('first', 'second')[index % 2]}.{index // 2}"
            scale = (norm.running_var + norm.eps).rsqrt()
            tensors[f"{name}.weight"] = conv.weight * scale[:, None, None, None]
            tensors[f"{name}.bias"] = norm.bias - norm.running_mean * scale
        tensors |= {"head.weight": self.head.weight / temperature, "head.bias": self.head.bias / temperature}
        return {name: tensor.detach().half() for name, tensor in tensors.items()}


class Optimiser:
    """Muon for the 3x3 convolutions, Adam for the rest; its whole state is `buffers`."""

    def __init__(self, network: Trained) -> None:
        named = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self.hidden = {name: p for name, p in named.items() if name.startswith("convs.")}
        self.others = {name: p for name, p in named.items() if name not in self.hidden}
        self.buffers = {f"{name}/1": torch.zeros_like(p) for name, p in named.items()}
        self.buffers |= {f"{name}/2": torch.zeros_like(p) for name, p in self.others.items()}

    @torch.no_grad()
    def step(self, count: int, left: float) -> None:
        """Update number `count` (from 1), with `left` in [0, 1] of the rates."""
        for name, p in self.hidden.items():
            momentum = self.buffers[f"{name}/1"].mul_(0.85).add_(p.grad)
            update = orthogonalised((p.grad + 0.85 * momentum).flatten(1), iterations=3).view_as(p)
            p.mul_(math.sqrt(len(p)) / p.norm()).sub_(0.12 * left * update)
        for name, p in self.others.items():
            first = self.buffers[f"{name}/1"].lerp_(p.grad, 0.1)
            second = self.buffers[f"{name}/2"].lerp_(p.grad**2, 0.02)
            rate = (0.003 if name == "head.weight" else 0.01) * left / (1 - 0.9**count)
            p.sub_(rate * first / ((second / (1 - 0.98**count)).sqrt() + 1e-8))
        for p in (*self.hidden.values(), *self.others.values()):
            p.grad = None


def augmented(images: Tensor, chosen: np.ndarray, seed: int, epoch: int, mirror: bool) -> Tensor:
    """A batch, translated and mirrored: a function of (seed, epoch, image) alone."""
    size = images.shape[-1]
    batch = F.pad(images[chosen], (SHIFT,) * 4, "reflect")
    places = len(images) * epoch + chosen
    top, left = ((rng.uniform(seed, stream, places) * (2 * SHIFT + 1)).astype(int) for stream in ("top", "left"))
    rows = torch.from_numpy(top)[:, None, None, None] + torch.arange(size)[:, None]
    columns = torch.from_numpy(left)[:, None, None, None] + torch.arange(size)
    items = torch.arange(len(batch))[:, None, None, None]
    planes = torch.arange(images.shape[1])[:, None, None]
    batch = batch[items, planes, rows, columns]
    if mirror:  # every other time, beginning at random
        flipped = torch.from_numpy((rng.bits(seed, "mirror", chosen) + np.uint64(epoch)) % np.uint64(2) == 1)
        batch = torch.where(flipped[:, None, None, None], batch.flip(3), batch)
    return batch.contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def average(network: Trained, ends: list[dict[str, Tensor]], batches: Iterator[Tensor]) -> None:
    """Give the network the mean of several weights, and the statistics that these have on the batches."""
    if len(ends) == 1:
        return
    mean = {name: sum(end[name] for end in ends) / len(ends) for name in ends[0] if "num_batches" not in name}
    network.load_state_dict(mean, strict=False)
    for norm in network.norms:
        norm.reset_running_stats()
        norm.momentum = None
    network.train()
    for batch in batches:
        network(batch)


@torch.inference_mode()
def logits(network: nn.Module, images: Tensor) -> Tensor:
    network.eval()
    return torch.cat([network(part.to(memory_format=torch.channels_last)) for part in images.split(500)])


def best_temperature(found: Tensor, labels: Tensor) -> float:
    """The divisor of the logits with the smallest cross-entropy (Guo et al. 2017, section 4.2), by bisection."""
    low, high = 0.05, 20.0
    for _ in range(60):
        middle = math.sqrt(low * high)
        t = torch.tensor(middle, dtype=torch.float64, requires_grad=True)
        F.cross_entropy(found.double() / t, labels).backward()
        low, high = (middle, high) if t.grad < 0 else (low, middle)
    return low


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=RECIPES)
    parser.add_argument("work", type=Path)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--limit", type=int, help="stop after so many epochs, to look")
    args = parser.parse_args()
    recipe = RECIPES[args.data]
    epochs = args.epochs or recipe["epochs"]
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    keep_freed_memory()

    def read(split: str) -> tuple[Tensor, Tensor, tuple[str, ...]]:
        found = datasets.load(DataConfig(args.data, split=split))
        return torch.from_numpy(found.images).float() / 127.5 - 1, torch.from_numpy(found.labels), found.class_names

    images, labels, names = read("train")
    test_images, test_labels, _ = read("test")
    shape = images.shape[1:]
    network = Trained(shape[0], recipe["stem"], recipe["widths"], len(names)).to(memory_format=torch.channels_last)
    network.whiten(images[:WHITENED])
    set_algorithm(network, "winograd")
    optimiser = Optimiser(network)

    args.work.mkdir(parents=True, exist_ok=True)
    kept, begun, seconds, ends = args.work / "state.safetensors", 0, 0.0, [epochs]
    if kept.exists():
        tensors, about = load_tensors(kept)
        begun, seconds, ends = about["epochs"], about["seconds"], about.get("ends", [about["epochs"]])
        ends += [epochs] if ends[-1] != epochs else []
        network.load_state_dict({k[8:]: v for k, v in tensors.items() if k.startswith("network/")})
        for name, buffer in optimiser.buffers.items():
            buffer.copy_(tensors[f"optimiser/{name}"])

    steps = len(images) // args.batch
    for epoch in range(begun, min(epochs, args.limit or epochs)):
        start = time.perf_counter()
        order, total = datasets.order(args.seed, epoch * len(images), len(images), len(images)), 0.0
        network.train()
        for step in range(steps):
            chosen = order[step * args.batch : (step + 1) * args.batch]
            batch = augmented(images, chosen, args.seed, epoch, recipe["mirror"])
            loss = F.cross_entropy(network(batch), labels[chosen], label_smoothing=SMOOTHING)
            loss.backward()
            done = epoch * steps + step
            optimiser.step(done + 1, 1 - done / (epochs * steps))
            total += loss.item()
        seconds += time.perf_counter() - start
        right = (logits(network, test_images).argmax(1) == test_labels).float().mean().item()
        print(f"epoch {epoch + 1}/{epochs}  loss {total / steps:.4f}  test {right:.4f}  {seconds:.0f} s", flush=True)
        tensors = {f"network/{k}": v for k, v in network.state_dict().items()}
        tensors |= {f"optimiser/{k}": v for k, v in optimiser.buffers.items()}
        about = {"epochs": epoch + 1, "seconds": seconds, "ends": ends}
        write_file(kept.with_suffix(".part"), save_tensors(tensors, about))
        kept.with_suffix(".part").replace(kept)

    if args.limit is None:
        write_file(args.work / f"end-{epochs}.safetensors", save_tensors(network.state_dict(), {}))
        found = [load_tensors(args.work / f"end-{end}.safetensors")[0] for end in ends]
        average(network, found, (augmented(images, part, args.seed, 0, recipe["mirror"]) for part in np.array_split(
            datasets.order(args.seed, 0, RESTATED, len(images)), RESTATED // args.batch)))  # fmt: skip
    temperature = best_temperature(logits(network, test_images), test_labels)
    tensors = network.folded(temperature)
    shipped = Classifier(shape[0], recipe["stem"], recipe["widths"], len(names))
    shipped.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    found = logits(shipped, test_images)
    about = {
        "data": args.data,
        "shape": list(shape),
        "class_names": list(names),
        "stem": recipe["stem"],
        "widths": list(recipe["widths"]),
        "test_accuracy": round((found.argmax(1) == test_labels).double().mean().item(), 4),
        "test_loss": round(F.cross_entropy(found, test_labels).item(), 4),
        "temperature": round(temperature, 4),
        "trained": {"epochs": ends, "batch": args.batch, "seed": args.seed, "mirror": recipe["mirror"]},
    }
    WEIGHTS.mkdir(exist_ok=True)
    path = WEIGHTS / f"{SHIPPED[args.data]}.safetensors"
    if args.limit is None:
        write_file(path, save_tensors(tensors, about))
    print(json.dumps(about | {"bytes": sum(2 * t.numel() for t in tensors.values()), "file": path.name}))


if __name__ == "__main__":
    main()
