"""The flow of one update as a drawing: z through G, real and fake through D, to the losses and back as gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

from ganvas.locale import Locale
from ganvas.report.facts import Facts
from ganvas.run import Layer

WIDTH = 340
SPLIT = 126  # width of the box of G's loss
ROW = 19
CHIP = 44
GAP = 20
FOLLOWERS = ("BatchNorm", "LeakyReLU", "ReLU", "Tanh", "Dropout", "Sigmoid", "Flatten", "Reshape", "Identity")

Shape = tuple[int, ...]


class Text(NamedTuple):
    """A word or two at (x, y)."""

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

    def chip(self, x: float, y: float, width: float, title: str, detail: str, style: str) -> None:
        """A small box with a title and one line below it."""
        self.boxes.append(Box(x, y, width, CHIP, f"chip {style}"))
        middle = x + width / 2
        self.texts += [Text(middle, y + 18, title, "middle strong"), Text(middle, y + 34, detail, "middle small")]

    def arrow(self, *points: tuple[float, float], style: str = "flow") -> None:
        """A line through the points with a head at its end."""
        self.lines.append(Line("M" + "L".join(f"{x:g} {y:g}" for x, y in points), style))

    def column(self, layers: list[Layer], x: float, y: float, tallest: int, style: str) -> float:
        """A network from (x, y) downwards, one block per weighted layer; returns the y of its lower end."""
        for block in blocks(layers):
            height = max(len(block) * ROW + 14, CHIP + 4)
            self.boxes.append(Box(x, y, WIDTH, height, f"block {style}"))
            self.faces += slab(block[0].output, x + 12, y + height / 2, tallest)
            top = y + (height - len(block) * ROW) / 2 + 14
            for i, layer in enumerate(block):
                line, params = top + i * ROW, f"{layer.params:,}" if layer.params else ""
                self.texts.append(Text(x + 60, line, layer.kind, "strong" if i == 0 else "small"))
                self.texts.append(Text(x + 248, line, times(layer.output), "end small"))
                self.texts.append(Text(x + WIDTH - 12, line, params, "end small"))
            y += height
            self.arrow((x + WIDTH / 2, y), (x + WIDTH / 2, y + GAP))
            y += GAP
        return y


def blocks(layers: list[Layer]) -> list[list[Layer]]:
    """Layers cut before each one that is no normalisation, activation or reshaping."""
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


def times(shape: Shape) -> str:
    """(128, 16, 16) -> 128 x 16 x 16, with the multiplication sign."""
    return "×".join(map(str, shape))


def draw(facts: Facts, say: Locale, wide: bool) -> Drawing:
    """One update. Wide: G left, D right. Narrow: G above D."""
    config, c_h_w = facts.config, times(facts.shape)
    formulas = ("formula.d", "formula.g") if config.loss.name == "bce" else ("formula.none", "formula.none")
    g, d = facts.networks["generator"], facts.networks["discriminator"]
    tallest, half = max(facts.shape[1:]), WIDTH / 2 - 5

    # G, from z down to the fake images
    art = Drawing(2 * WIDTH + 110 if wide else WIDTH + 44)
    gx = 22.0
    art.texts.append(Text(gx, 18, say("flow.g", params=f"{total(g):,}"), "strong"))
    art.chip(gx, 32, WIDTH, "z", say("flow.z", dim=config.generator.latent_dim), "g")
    art.arrow((gx + WIDTH / 2, 32 + CHIP), (gx + WIDTH / 2, 32 + CHIP + GAP))
    g_top = 32 + CHIP + GAP
    fake_y = art.column(g, gx, g_top, tallest, "g")

    # Fake and real images, side by side into D
    dx, pair_y = (WIDTH + 88.0, 32.0) if wide else (gx, fake_y)
    if wide:
        art.chip(gx, fake_y, WIDTH, say("flow.fake"), c_h_w, "g")
        bend = gx + WIDTH + 22
        art.arrow((gx + WIDTH, fake_y + 14), (bend, fake_y + 14), (bend, pair_y + 22), (dx, pair_y + 22))
    art.chip(dx, pair_y, half, say("flow.fake"), c_h_w, "g")
    art.chip(dx + half + 10, pair_y, half, say("flow.real"), c_h_w, "d")
    for x in (dx + half / 2, dx + half * 1.5 + 10):
        art.arrow((x, pair_y + CHIP), (x, pair_y + CHIP + GAP + (0 if wide else ROW + 6)))
    d_top = pair_y + CHIP + GAP + (0 if wide else ROW + 6)
    title, above = say("flow.d", params=f"{total(d):,}"), Text(dx + WIDTH / 2, d_top - 16, "", "strong middle halo")
    art.texts.append(Text(dx, 18, title, "strong") if wide else above._replace(text=title))

    # D, down to one logit and the two losses
    y = art.column(d, dx, d_top, tallest, "d")
    art.chip(dx, y, WIDTH, say("flow.logit"), say("flow.logit_detail"), "d")
    for x in (dx + SPLIT / 2, dx + (WIDTH + SPLIT + 10) / 2):
        art.arrow((x, y + CHIP), (x, y + CHIP + GAP))
    y += CHIP + GAP
    art.chip(dx, y, SPLIT, say("flow.g_loss"), say(formulas[1]), "g")
    art.chip(dx + SPLIT + 10, y, WIDTH - SPLIT - 10, say("flow.d_loss"), say(formulas[0]), "d")

    # Gradients: D's loss to D's weights; G's loss through D to G's weights
    edge = dx + WIDTH
    art.arrow((edge, y + 22), (edge + 14, y + 22), (edge + 14, d_top + 18), (edge, d_top + 18), style="grad d")
    if wide:
        art.arrow((dx, y + 22), (dx - 22, y + 22), (dx - 22, fake_y + 30), (gx + WIDTH, fake_y + 30), style="grad g")
        art.arrow((gx, fake_y + 22), (gx - 14, fake_y + 22), (gx - 14, g_top + 18), (gx, g_top + 18), style="grad g")
    else:
        art.arrow((gx, y + 22), (gx - 14, y + 22), (gx - 14, g_top + 18), (gx, g_top + 18), style="grad g")
    art.height = max(y, fake_y) + CHIP + 8
    return art


def total(layers: list[Layer]) -> int:
    """Parameters of a network, Keras's count."""
    return sum(layer.params for layer in layers)
