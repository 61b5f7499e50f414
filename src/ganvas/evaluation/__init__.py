"""Evaluation: from a generator or images to scores with intervals and baselines; also while training."""

from ganvas.evaluation.evaluator import Score, default_features, evaluate, judge

__all__ = ["Score", "default_features", "evaluate", "judge"]
