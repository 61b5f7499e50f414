"""Sample grids of all groups side by side, from the first to the last of the training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from ganvas import media
from ganvas.comparison.groups import Group, Member

FRAMES = 24
GAP = 8  # pixels between the grids of the animation
HALVE_FROM = 4  # groups: with so many, only the upper half of each grid is shown


def members_to_show(groups: Sequence[Group]) -> tuple[list[Member], bool]:
    """One run of each group, with a seed that all groups have if possible; and whether their latents are the same."""
    common = set.intersection(*(set(group.seeds) for group in groups))
    members = [next((m for m in group.members if m.seed in common), group.members[0]) for group in groups]
    latents = {(m.seed, m.config.generator.latent_dim, m.config.generator.latent) for m in members}
    return members, len(latents) == 1


def grids_over_training(members: Sequence[Member], frames: int = FRAMES) -> list[list[Image.Image]]:
    """For each run `frames` sample grids, evenly spaced over its training, cropped to the same size; or none."""
    found = []
    for member in members:
        samples = [
            (at, grid) for at, path in member.run.sample_grids() if (grid := member.run.picture(path)) is not None
        ]
        end = samples[-1][0] if samples else 0
        times = np.linspace(0, 1, frames) if samples else ()
        chosen = [min(samples, key=lambda sample: abs(sample[0] - share * end))[1] for share in times]
        found.append([grid.convert("RGB") for grid in chosen])
    sizes = [grids[-1].size for grids in found if grids]
    if not sizes:
        return found
    side = min(member.data["shape"][2] for member in members)
    width, height = min(w for w, _ in sizes), min(h for _, h in sizes)
    if len(members) >= HALVE_FROM:
        height = max(height // 2 // side, 1) * side
    return [[grid.crop((0, 0, width, height)) for grid in grids] for grids in found]


def side_by_side(groups: Sequence[Group]) -> bytes | None:
    """The grids of all groups in one animation (WebP), in the order of the groups; None without samples."""
    members, _ = members_to_show(groups)
    columns = [grids for grids in grids_over_training(members) if grids]
    if not columns:
        return None
    width, height = columns[0][0].size
    canvases = []
    for grids in zip(*columns, strict=True):
        canvas = Image.new("RGB", ((width + GAP) * len(columns) - GAP, height), "white")
        for i, grid in enumerate(grids):
            canvas.paste(grid, (i * (width + GAP), 0))
        canvases.append(canvas)
    return media.webp(canvases)
