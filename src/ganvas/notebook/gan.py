"""`ganvas.GAN`: two networks, a learner's own or a recipe's, and the trainings that start from them."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from inspect import signature
from typing import Any

from ganvas import process, trackers
from ganvas.config import Config
from ganvas.config.recipes import get
from ganvas.datasets import IN_MEMORY, ImageSet, available
from ganvas.errors import UsageError, did_you_mean, shape_text, shown
from ganvas.files import utf8
from ganvas.notebook.arguments import only_known
from ganvas.notebook.data import Data, as_data
from ganvas.notebook.run import Run, Runs
from ganvas.runs.run import OWN_CODE, Layer
from ganvas.terminal import show, show_text

BASE = "cifar-dcgan"
"""The recipe whose losses, optimisers and batch train a learner's own networks: those of the course."""


class GAN:
    """G and D, and how to train them.

    `GAN("quick")` takes a recipe's networks. `GAN(make_generator, make_discriminator)` takes your own: torch modules,
    Keras 3 models of the torch backend, or functions that make them. `recipe` names the recipe whose losses,
    optimisers and batch size train your own networks (default: the course's: cross-entropy, Adam 1e-4, batch 256);
    `latent_dim` is the length of z where G's first layer does not tell.

    Training never touches the networks that were given: every `fit` starts from fresh ones.
    """

    @only_known(name="GAN")
    def __init__(
        self,
        generator: Any = "quick",
        discriminator: Any = None,
        *,
        recipe: str = BASE,
        latent_dim: int | None = None,
    ) -> None:
        process.prepare()
        self.recipe = generator if isinstance(generator, str) else recipe
        self.latent_dim = latent_dim
        get(self.recipe)
        if latent_dim is not None and (not isinstance(latent_dim, int) or latent_dim < 1):
            raise UsageError(f"latent_dim = {shown(latent_dim)}: give the length of z, 1 or more")
        if isinstance(generator, str):
            if discriminator is not None:
                raise UsageError(f"GAN({generator!r}) is a recipe with both networks: leave the second argument out")
            self.sources = None
            return
        if discriminator is None:
            raise UsageError("GAN(G, D) needs both networks, the generator first")
        from ganvas.notebook.fresh import FreshNetwork

        self.sources = FreshNetwork(generator, "G"), FreshNetwork(discriminator, "D")
        self.interface()  # what is wrong with them is said here, not after the data were read

    # -- looking ---------------------------------------------------------------------------------------------------

    def interface(self, images: ImageSet | None = None) -> Any:
        """How your own networks are called (check.Interface). Raises UsageError where they do not fit the images."""
        from ganvas.notebook.check import inspect
        from ganvas.notebook.fresh import seeded

        assert self.sources is not None
        G, D = (source.make(0) for source in self.sources)
        shape = None if images is None else images.images.shape[1:]
        classes = 2 if images is None else len(images.class_names)
        with seeded(0):  # dropout draws
            return inspect(G, D, self.latent_dim, shape, classes)

    def layers(self, data: Any = None) -> dict[str, list[Layer]]:
        """The layers of "generator" and "discriminator": name, kind, output shape, number of parameters."""
        from ganvas import models
        from ganvas.datasets import find_source

        given = None if data is None else as_data(data)
        images = None if given is None else given.images
        config = self._config(given, False)
        classes = models.num_classes(config, images.class_names) if images is not None else 0
        if images is not None:
            shape: tuple[int, int, int] = images.images.shape[1:]
        elif self.sources is not None:
            shape = self.interface().shape
        else:
            source = find_source(config.data.name)
            assert source is not None  # recipes name known sets
            shape = source.shape
        return models.summary(config, shape, classes)

    def summary(self, data: Any = None) -> None:
        """Print both networks layer by layer, as Keras does."""
        for name, rows in self.layers(data).items():
            width = max(len(row.kind) for row in rows) + 2
            show_text(f"{name}\n{'─' * (width + 32)}")
            for row in rows:
                show(f"{row.kind:<{width}}{shape_text(row.output):>16}{row.params:>16,}")
            show_text(f"{'─' * (width + 32)}\n{'parameters':<{width}}{sum(row.params for row in rows):>32,}\n")

    def __repr__(self) -> str:
        if self.sources is None:
            return f"GAN({self.recipe!r}): {get(self.recipe).title}"
        G, D = self.sources
        counts = {name: sum(row.params for row in rows) for name, rows in self.layers().items()}
        sizes = f"{counts['generator']:,} and {counts['discriminator']:,} parameters"
        return f"GAN of your own networks, {G.name} and {D.name}: {sizes}"

    # -- training --------------------------------------------------------------------------------------------------

    def fit(
        self,
        data: Any,
        *,
        epochs: float | None = None,
        minutes: float | None = None,
        kimg: float | None = None,
        cpu_minutes: float | None = None,
        batch: int | None = None,
        seed: int = 0,
        seeds: int | Sequence[int] | None = None,
        tricks: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
        d_loss: Callable[..., Any] | None = None,
        g_loss: Callable[..., Any] | None = None,
        out: str | os.PathLike[str] | None = None,
        device: str = "auto",
        display: bool = True,
        log_to: str | Sequence[str] = (),
        **unknown: Any,
    ) -> Any:
        """Train fresh networks on `data` and return the Run; with `seeds`, the Runs, one for each seed.

        data: what `ganvas.data` takes. The budget is one of epochs (default 50), minutes, kimg, cpu_minutes. tricks:
        see `ganvas tricks`. settings: any field of the config, {"g_optim.lr": 2e-4}. d_loss(real_logits, fake_logits)
        and g_loss(fake_logits) replace the recipe's losses; each returns its mean, or one value for each image.
        seeds: how many, from `seed` on, or which. display=False shows nothing. log_to: trackers that log it as well,
        "tensorboard", "trackio" or "wandb".

        Stopping (the stop button, Ctrl-C) saves the run and returns it; the same call goes on where it stopped.
        Raises UsageError for what cannot be right, GanvasError for what goes wrong.
        """
        if unknown:
            name = next(iter(unknown))
            known = [name for name in signature(self.fit).parameters if name not in ("data", "unknown")]
            raise UsageError(
                f"fit() takes no {name}={did_you_mean(name, known)}; fields of the config, such as learning rates, go "
                "in settings={'g_optim.lr': 2e-4}"
            )
        for name, loss in (("d_loss", d_loss), ("g_loss", g_loss)):
            if loss is not None and not callable(loss):
                raise UsageError(f"{name} = {shown(loss)}: give a function of logits that returns the loss")
        if not isinstance(settings or {}, Mapping):
            raise UsageError(f"settings = {shown(settings)}: give them by dotted name, such as {{'g_optim.lr': 2e-4}}")
        if not isinstance(out, str | os.PathLike | None):
            raise UsageError(f"out = {shown(out)}: give the path of a folder")
        log_to = trackers.checked(log_to)
        given = as_data(data, settings)
        asked: dict[str, Any] = {
            "budget.epochs": epochs, "budget.minutes": minutes, "budget.kimg": kimg, "budget.cpu_minutes": cpu_minutes,
            "engine.device": device,
        }  # fmt: skip
        if batch is not None:
            asked["step.batch"] = batch
        if d_loss is not None or g_loss is not None:
            from ganvas.notebook.register import own_loss

            asked["loss.name"] = own_loss(get(self.recipe).config.loss.name, d_loss, g_loss)
        asked, losses = asked | dict(settings or {}), [loss for loss in (d_loss, g_loss) if loss is not None]
        if seeds is None:
            config = self._config(given, False, tricks, {**asked, "seed": seed})
            return self._train(given.images, config, out, display, losses, log_to)
        if not isinstance(seeds, int) and not (
            isinstance(seeds, list | tuple | range) and all(isinstance(s, int) for s in seeds)
        ):
            raise UsageError(f"seeds = {shown(seeds)}: give how many, or a list of whole numbers")
        numbers = [seed + i for i in range(seeds)] if isinstance(seeds, int) else list(seeds)
        self._check_seeds(numbers, out)
        runs: list[Run] = []
        for number in numbers:
            config = self._config(given, True, tricks, {**asked, "seed": number})
            runs.append(self._train(given.images, config, out, display, losses, log_to))
            if not runs[-1].finished:
                break  # stopped: the same call goes on with this seed
        return Runs(runs)

    def steps(self, data: Any, *, epochs: float = 1, seed: int = 0, **asked: Any) -> Iterator[Any]:
        """Train update by update: yields a Step after each, with G, D, losses, logits, images and gradients to look at.

        The same code as `fit`, without a run directory. `asked`: tricks= and settings= as in `fit`.
        """
        from ganvas.notebook.steps import walk

        settings = {**asked.pop("settings", {}), "seed": seed, "budget.epochs": epochs}
        given = as_data(data, settings)
        config = self._config(given, False, asked.pop("tricks", ()), settings)
        if asked:
            raise UsageError(f"steps() takes no {next(iter(asked))}=: give it in settings=")
        return walk(config, given.images)

    def _config(
        self,
        data: Data | None,
        several: bool,
        tricks: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> Config:
        """The config of a training on these images; `several` seeds need weights that differ by seed."""
        from ganvas.training.setup import configure

        recipe, own = self.recipe, dict(settings or {})
        if self.sources is not None:
            from ganvas.notebook.register import own_recipe

            interface = self.interface(None if data is None else data.images)
            given = not several and any(source.factory is None for source in self.sources)
            recipe = own_recipe(*self.sources, interface, self.recipe, given).recipe
            for note in interface.notes if data is not None else ():
                show(note, file=sys.stderr)
        if data is not None:
            own = {**data.settings(), **own}
        return configure(recipe, tricks, own)

    def _keep_code(self, run: Run, losses: Sequence[Any]) -> None:
        """Write the text of your own networks and losses into the run."""
        from ganvas.notebook import source

        own = [s.factory or s.kept for s in self.sources or ()]
        if code := source.text_of([*own, *losses]):
            run.write_bytes(OWN_CODE, utf8(code))

    def _check_seeds(self, numbers: Sequence[int], out: Any) -> None:
        if not numbers or len(set(numbers)) < len(numbers):
            raise UsageError(f"seeds = {numbers}: give how many, 1 or more, or different ones")
        if len(numbers) > 1 and out is not None:
            raise UsageError("out= names one run: leave it out with several seeds")
        for source in self.sources or ():
            if len(numbers) > 1 and not source.many:
                raise UsageError(
                    f"several seeds need several fresh {source.role}s: give the functions that make your networks, "
                    "ganvas.GAN(make_generator, make_discriminator)"
                )

    def _train(
        self,
        images: ImageSet,
        config: Config,
        out: Any,
        display: bool,
        losses: Sequence[Any],
        log_to: Sequence[str],
    ) -> Run:
        from ganvas import api
        from ganvas.notebook.live import Silent, show_training

        run = Run.unfinished(config, images) if out is None else Run.at(out, config, images)
        goes_on = run is not None
        if run is None:
            run = Run(api.create_run(config, images, out).path)
            self._keep_code(run, losses)
        view = show_training(run, images, goes_on) if display else Silent()
        there = available(images) if config.data.name == IN_MEMORY else nullcontext()
        with view, there, trackers.logging(run, log_to, [view]) as hooks:
            finished = api.run_training(run, images, hooks)
            if finished:
                api.finish(run)
        if not finished and (name := run.rows("events")[-1]["signal"]) != "SIGINT":
            signal.raise_signal(signal.Signals[name])
        return run
