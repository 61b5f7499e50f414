"""Evaluation while training: a hook that scores checkpoints with the classifier and keeps the best one."""

from __future__ import annotations

import dataclasses
import time

from ganvas.config import Config
from ganvas.datasets.progress import Progress
from ganvas.errors import UsageError, command
from ganvas.evaluation import Score, judge, sources
from ganvas.evaluation.references import Reference, of_run
from ganvas.metrics.extractors import classifier
from ganvas.runs.images import locate
from ganvas.runs.run import Run, stem
from ganvas.training.loop import Event

METRICS = ("fd", "recognition")
CHOSEN_BY = "fd_classifier"
FRESH = 1  # the seed of the images by which a selected checkpoint is scored again


def check(config: Config, shape: tuple[int, int, int]) -> None:
    """Raises UsageError where these images cannot be evaluated while training."""
    try:
        classifier.load(config.data.name, shape)
    except UsageError as error:
        why = str(error).split(":")[0]
        raise UsageError(
            f"evaluate.every: {why}: leave it at 0 and use {command('evaluate', 'RUN')} afterwards"
        ) from error


class EvaluationHook:
    """Scores a checkpoint every `evaluate.every` images, as long as that stays within `evaluate.share` of the time."""

    def __init__(self, run: Run) -> None:
        config = run.config
        self.run, self.config = run, config.evaluate
        where = locate(config.data, run.data, run.path) or config.data
        self.reference = Reference(of_run(where, "test"), Progress(False))
        self.extractor = classifier.load(config.data.name, tuple(run.data["shape"]))
        rows = [row for row in run.rows("evals") if row.get("during")]
        self.last = max((row["nimg"] for row in rows), default=0)
        self.costs = list({row["nimg"]: row.get("sec") or 0.0 for row in rows}.values())

    def __call__(self, event: Event) -> None:
        if event.kind == "checkpoint" and event.nimg // self.config.every > self.last // self.config.every:
            if self.fits(event.sec):
                self.evaluate(event.nimg)
        elif event.kind == "finish":
            self.finish(event)

    def fits(self, training: float) -> bool:
        """Whether one more evaluation, as long as the last, keeps to the share of the time. The first is free."""
        spent = sum(self.costs) + (self.costs[-1] if self.costs else 0.0)
        return not self.costs or spent <= self.config.share * (training + spent)

    def evaluate(self, nimg: int) -> None:
        """Score the checkpoint and keep it if it is the best."""
        start = time.perf_counter()
        scores = self.score(nimg, seed=0)
        self.costs.append(time.perf_counter() - start)
        self.last = nimg
        for score in scores:
            self.run.append("evals", {**dataclasses.asdict(score), "during": True, "sec": round(self.costs[-1], 2)})
        value = next(score.value for score in scores if score.metric == CHOSEN_BY)
        best = self.run.selected
        if best is None or value < best["value"]:
            self.run.select(nimg, CHOSEN_BY, value)

    def score(self, nimg: int, seed: int) -> list[Score]:
        """Scores of the generator in the checkpoint at `nimg`."""
        folder = self.run.path / "checkpoints" / stem(nimg)
        path = next(p for p in (folder / "ema.safetensors", folder / "generator.safetensors") if p.exists())
        source = sources.find(path, seed)
        return judge(source, self.reference, self.extractor, METRICS, self.config.n, 1, seed, Progress(False))

    def finish(self, event: Event) -> None:
        """Score the selected checkpoint again, by images that had no part in its selection; say what it all cost."""
        best = self.run.selected
        start = time.perf_counter()
        if best is not None and (self.run.path / "checkpoints" / stem(best["nimg"])).is_dir():
            for score in self.score(best["nimg"], FRESH):
                self.run.append("evals", {**dataclasses.asdict(score), "selected": True})
        seconds = sum(self.costs) + time.perf_counter() - start
        share = seconds / max(event.sec + seconds, 1e-9)
        self.run.event("evaluated", event.nimg, times=len(self.costs), sec=round(seconds, 1), share=round(share, 4))
