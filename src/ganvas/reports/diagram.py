"""The diagram of one update: z through G, real and fake images through D, the losses, and the gradients back."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, field
from typing import NamedTuple

from ganvas.i18n import Translator
from ganvas.reports.facts import Facts
from ganvas.runs.run import Layer

WIDTH = 340
SPLIT = 126  # width of the box of G's loss
LINE = 16
NAME, SHAPE = 60, 258  # where the names of layers begin, and where their shapes end
CHARACTER = {"strong": 7.5, "small": 6.8}  # widths, a little more than the mean
ROW = 19
CHIP = 44
GAP = 20
FOLLOWERS = (
    "BatchNorm", "Embedding", "LeakyReLU", "ReLU", "Tanh", "Dropout", "Sigmoid", "Flatten", "Reshape", "Identity",
)  # fmt: skip
PARTS = ("mirror", "translate", "cutout", "colour", "noise")

Shape = tuple[int, ...]


class Text(NamedTuple):
    """Text at (x, y)."""

    x: float
    y: float
    text: str
    style: str = ""


class Box(NamedTuple):
    """A rectangle from its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    style: str = ""


class Line(NamedTuple):
    """An SVG path."""

    d: str
    style: str


@dataclass
class Drawing:
    """Shapes of one drawing, in its own units; the page turns them into SVG."""

    width: float
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    faces: list[Line] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def chip(self, x: float, y: float, width: float, style: str, title: str, *details: str) -> float:
        """A small box with a title and lines below it; returns the y of its lower end."""
        height, middle = CHIP + LINE * (len(details) - 1), x + width / 2
        self.boxes.append(Box(x, y, width, height, f"chip {style}"))
        self.texts.append(Text(middle, y + 18, title, "middle strong"))
        self.texts += [Text(middle, y + 34 + LINE * i, line, "middle small") for i, line in enumerate(details)]
        return y + height

    def chips(self, x: float, y: float, width: float, *chips: tuple[str, str, str]) -> list[float]:
        """Boxes (style, title, detail) side by side within `width`; returns the middle of each."""
        each = (width - GAP / 2 * (len(chips) - 1)) / len(chips)
        left = [x + i * (each + GAP / 2) for i in range(len(chips))]
        for at, (style, title, detail) in zip(left, chips, strict=True):
            self.chip(at, y, each, style, title, detail)
        return [at + each / 2 for at in left]

    def arrow(self, *points: tuple[float, float], style: str = "flow") -> None:
        """A line through the points with a head at its end."""
        self.lines.append(Line("M" + "L".join(f"{x:g} {y:g}" for x, y in points), style))

    def column(self, layers: list[Layer], x: float, y: float, tallest: int, style: str) -> float:
        """A network from (x, y) downwards, one block per layer with weights; returns the y of its lower end."""
        for block in blocks(layers):
            fonts = ["strong", *(len(block) - 1) * ["small"]]
            names = [wrapped(layer, font) for layer, font in zip(block, fonts, strict=True)]
            rows = sum(map(len, names))
            height = max(rows * ROW + 14, CHIP + 4)
            self.boxes.append(Box(x, y, WIDTH, height, f"block {style}"))
            self.faces += slab(block[0].output, x + 12, y + height / 2, tallest)
            line = y + (height - rows * ROW) / 2 + 14
            for layer, name, font in zip(block, names, fonts, strict=True):
                self.texts += [Text(x + NAME, line + i * ROW, part, font) for i, part in enumerate(name)]
                self.texts.append(Text(x + SHAPE, line, output_text(layer.output), "end small"))
                self.texts.append(Text(x + WIDTH - 12, line, f"{layer.params:,}" if layer.params else "", "end small"))
                line += len(name) * ROW
            y += height
            self.arrow((x + WIDTH / 2, y), (x + WIDTH / 2, y + GAP))
            y += GAP
        return y


def wrapped(layer: Layer, font: str) -> list[str]:
    """The layer's name in lines that end before its shape begins."""
    room = SHAPE - NAME - 8 - len(output_text(layer.output)) * 7.8
    return textwrap.wrap(layer.kind, max(int(room / CHARACTER[font]), 8))


def blocks(layers: list[Layer]) -> list[list[Layer]]:
    """Layers in groups: each layer with weights and the normalisations, activations and reshapes after it."""
    cut: list[list[Layer]] = []
    for layer in layers:
        if cut and layer.kind.startswith(FOLLOWERS):
            cut[-1].append(layer)
        else:
            cut.append([layer])
    return cut


def slab(shape: Shape, x: float, y: float, tallest: int) -> list[Line]:
    """A feature map as a slab centred at height y: its face grows with the side, its depth with log2(channels)."""
    if len(shape) == 3:
        side, depth = 4 + 22 * shape[1] / tallest, 1 + 1.4 * math.log2(shape[0] + 1)
    else:
        side, depth = 3.0, 2 + 1.4 * math.log2(math.prod(shape) + 1)
    dx, dy = depth * 0.8, depth * 0.5
    x, y = x + (40 - side - dx) / 2, y - (side - dy) / 2
    front = f"M{x:.1f} {y:.1f}h{side:.1f}v{side:.1f}h-{side:.1f}z"
    top = f"M{x:.1f} {y:.1f}l{dx:.1f} -{dy:.1f}h{side:.1f}l-{dx:.1f} {dy:.1f}z"
    flank = f"M{x + side:.1f} {y:.1f}l{dx:.1f} -{dy:.1f}v{side:.1f}l-{dx:.1f} {dy:.1f}z"
    return [Line(front, "front"), Line(top, "top"), Line(flank, "flank")]


def output_text(shape: Shape) -> str:
    """(128, 16, 16) -> 128 x 16 x 16, with the multiplication sign."""
    return "×".join(map(str, shape))


def draw(facts: Facts, say: Translator, wide: bool) -> Drawing:
    """One update. Wide: G left, D right. Narrow: G above D."""
    config, loss, c_h_w = facts.config, facts.loss, output_text(facts.shape)
    g, d = facts.networks["generator"], facts.networks["discriminator"]
    tallest = max(facts.shape[1:])
    text = say("flow.class"), say("flow.class_detail", count=len(facts.data.get("class_names") or []))
    classes = [("", *text)] if facts.conditional else []

    # G, from z and the class down to the fake images
    art = Drawing(2 * WIDTH + 110 if wide else WIDTH + 44)
    gx, g_top = 22.0, 32.0 + CHIP + GAP
    art.texts.append(Text(gx, 18, say("flow.g", params=f"{total(g):,}"), "strong"))
    z = "g", "z", say(f"flow.z.{config.generator.latent}", dim=config.generator.latent_dim)
    for x in art.chips(gx, 32, WIDTH, z, *classes):
        art.arrow((x, 32 + CHIP), (x, g_top))
    fake_y = art.column(g, gx, g_top, tallest, "g")

    # Fake and real images and their class, side by side towards D
    dx, pair_y = (WIDTH + 88.0, 32.0) if wide else (gx, fake_y)
    fakes, reals = ("g", say("flow.fake"), c_h_w), ("d", say("flow.real"), c_h_w)
    if wide:
        art.chip(gx, fake_y, WIDTH, *fakes)
        bend = gx + WIDTH + 22
        art.arrow((gx + WIDTH, fake_y + 14), (bend, fake_y + 14), (bend, pair_y + 22), (dx, pair_y + 22))
    middles = art.chips(dx, pair_y, WIDTH, fakes, reals, *classes)

    # The images through the augmentation, if there is one; everything into D
    y, parts = pair_y + CHIP, augmentation(facts, say)
    if parts:
        for x in middles[:2]:
            art.arrow((x, y), (x, y + GAP))
        across = WIDTH if not classes else 2 * WIDTH / 3 - GAP / 6
        art.chip(dx, y + GAP, across, "", say("flow.augment"), " · ".join(parts))
    entry = y + GAP + CHIP if parts else y
    d_top = entry + GAP + (0 if wide else ROW + 6)
    for i, x in enumerate(middles):
        art.arrow((x, entry if i < 2 else y), (x, d_top))
    title, above = say("flow.d", params=f"{total(d):,}"), Text(dx + WIDTH / 2, d_top - 16, "", "strong middle halo")
    art.texts.append(Text(dx, 18, title, "strong") if wide else above._replace(text=title))

    # D, down to one logit and the two losses
    y = art.column(d, dx, d_top, tallest, "d")
    art.chip(dx, y, WIDTH, "d", say("flow.logit"), say(f"flow.logit.{loss.rule}", **loss.blanks))
    for x in (dx + SPLIT / 2, dx + (WIDTH + SPLIT + 10) / 2):
        art.arrow((x, y + CHIP), (x, y + CHIP + GAP))
    y += CHIP + GAP
    classification = [f"+ {say('flow.classification')}"] if classes and config.discriminator.classify else []
    matching = [f"+ {say('flow.matching')}"] if config.loss.feature_matching else []
    matching += [f"+ {say('flow.rebuild')}"] if config.loss.rebuild and config.generator.eigenimages else []
    ends = [
        art.chip(dx, y, SPLIT, "g", say("flow.g_loss"), loss.formula("g", say), *matching,
                 *(classification if config.loss.g_classify else ())),
        art.chip(dx + SPLIT + 10, y, WIDTH - SPLIT - 10, "d", say("flow.d_loss"), loss.formula("d", say),
                 *classification, *(f"+ {penalty}" for penalty in penalties(facts, say))),
    ]  # fmt: skip

    # Gradients: D's loss to D's weights; G's loss through D to G's weights
    edge = dx + WIDTH
    art.arrow((edge, y + 22), (edge + 14, y + 22), (edge + 14, d_top + 18), (edge, d_top + 18), style="grad d")
    if wide:
        art.arrow((dx, y + 22), (dx - 22, y + 22), (dx - 22, fake_y + 30), (gx + WIDTH, fake_y + 30), style="grad g")
        art.arrow((gx, fake_y + 22), (gx - 14, fake_y + 22), (gx - 14, g_top + 18), (gx, g_top + 18), style="grad g")
    else:
        art.arrow((gx, y + 22), (gx - 14, y + 22), (gx - 14, g_top + 18), (gx, g_top + 18), style="grad g")
    art.height = max(*ends, fake_y + CHIP) + 8
    return art


def augmentation(facts: Facts, say: Translator) -> list[str]:
    """Names of the augmentations applied to the images that D gets."""
    config = facts.config.augment
    on = {part: getattr(config, part) and (part == "noise" or config.p or config.adapt) for part in PARTS}
    return [say(f"augment.{part}") for part in PARTS if on[part]]


def penalties(facts: Facts, say: Translator) -> list[str]:
    """Names and weights of the terms that are added to D's loss."""
    weights = {name: getattr(facts.config.penalty, name) for name in ("r1", "r2", "gp", "centring")}
    return [say(f"penalty.{name}", weight=f"{weight:g}") for name, weight in weights.items() if weight]


def total(layers: list[Layer]) -> int:
    """Parameters of a network, Keras's count."""
    return sum(layer.params for layer in layers)
