"""The score that a training ends with: a few thousand samples through the classifier that ships for its data."""

from __future__ import annotations

from ganvas.evaluation import Score, evaluate
from ganvas.metrics.extractors import classifier
from ganvas.runs.run import Run

METRICS = ("fd", "recognition")


def score_final(run: Run) -> list[Score]:
    """Score the run's newest generator, `evaluate.final` samples, and add the scores to its evals.jsonl.

    Empty where it is off, or where no classifier ships for these images.
    """
    config, n = run.config, run.config.evaluate.final
    if not n or config.data.classes:  # the classifier knows all classes, the run some of them
        return []
    if not classifier.fits(config.data.name, tuple(run.data["shape"])):
        return []
    return evaluate(run.path, features=("classifier",), metrics=METRICS, n=n, sets=1, progress=False)


def headline(scores: list[Score]) -> str:
    """The main score in one line, with what real images score; empty without scores."""
    found = {score.metric: score for score in scores}
    if score := found.get("gan_test_accuracy"):
        return (
            f"our classifier sees the class that was asked for in {score.value:.0%} of {score.n:,} samples"
            f"{_baseline(score, '.0%')}"
        )
    if score := found.get("fd_classifier"):
        return (
            f"Fréchet distance to real images in our classifier's features: {score.value:.0f}, from {score.n:,} samples"
            f"{_baseline(score, '.0f')}; lower is better"
        )
    return ""


def _baseline(score: Score, form: str) -> str:
    return "" if score.real_baseline is None else f" (real images: {score.real_baseline:{form}})"
