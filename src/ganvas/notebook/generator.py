"""A trained generator as people use it in Python: pictures that show themselves, walks between images."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any

import numpy as np

from ganvas import generator as generators
from ganvas import media
from ganvas.generator import Generator as Sampler
from ganvas.media import enlarge
from ganvas.notebook.arguments import named, only_known
from ganvas.notebook.pictures import Images, Picture
from ganvas.runs.run import Run
from ganvas.sampling import Guidance
from ganvas.training.latents import ROW

WANTED = "a run, a snapshot, or the name of a model"


class Generator(Sampler):
    """A trained generator that shows what it makes."""

    @only_known()
    def show(
        self,
        n: int = 16,
        label: str | None = None,
        seed: int = 0,
        columns: int = ROW,
        best_of: int = 1,
        refine: int = 0,
        rejection: bool = False,
    ) -> Images:
        """n images, of one class if `label` names it; image i is a function of (seed, i, class) alone.

        `best_of`, `refine`, `rejection`: D guides the sampling, as in `sample`.
        """
        guidance = Guidance(best_of, refine, rejection)
        return shown(self, guidance, n, seed, label, columns)

    @only_known()
    def interpolate(
        self, steps: int = 8, first: int = 0, last: int = 1, seed: int = 0, label: str | None = None
    ) -> Images:
        """The way from image number `first` of `seed` to image number `last`, as a row of images of one class."""
        array = self.between(steps, first, last, seed, label)
        return Images(array, f"from image {first} to image {last} of seed {seed}", columns=steps)

    @only_known()
    def walk(self, stops: int = 6, steps: int = 12, seed: int = 0, label: str | None = None) -> Picture:
        """An animation through `stops` images and back to the first, `steps` frames from one to the next."""
        z = self.loop(stops, stops * steps, seed)
        own = [self.labels(1, seed, i, label) for i in range(stops)]
        kinds = None if own[0] is None else np.concatenate([np.repeat(each, steps) for each in own if each is not None])
        frames = [enlarge(media.grid(image[None]), self.shape[1], 128) for image in self.draw(z, kinds)]
        palette = media.shared_palette(frames[:: max(1, len(frames) // 12)])
        return Picture(media.gif(frames, palette), f"a walk through {stops} images of seed {seed}", "gif")

    def _repr_html_(self) -> str:
        return f"<p>{self!r}</p>{Picture(self.show()._repr_png_(), repr(self)).html()}"


def shown(generator: Sampler, guidance: Guidance, n: int, seed: int, labels: Any, columns: int) -> Images:
    """n samples with the names of their classes; their caption says how D guided them."""
    array = generator.sample(n, seed, labels=labels, **vars(guidance))
    own = generator.labels(n, seed, labels=labels)
    names = () if own is None else tuple(generator.class_names[k] for k in own)
    caption = ", ".join(filter(None, (generator.path.stem, f"seed {seed}", guidance.text)))
    return Images(array, caption, names, columns, guidance.text)


@only_known()
def load(target: Run | str | os.PathLike[str], device: str = "auto") -> Generator:
    """The generator of a run, a snapshot, or a shipped model by name: see `ganvas.generator.load`."""
    loaded = generators.load(target.path if isinstance(target, Run) else named(target, "load", WANTED), device)
    values: dict[str, Any] = {field.name: getattr(loaded, field.name) for field in fields(loaded)}
    return Generator(**values)
