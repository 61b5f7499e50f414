"""Experiments: recipes x tricks x settings x seeds at an equal budget, then a comparison.

plan.py       what is trained: cells, seeds, budget     ablate.py     a plan: a recipe without each of its parts
trials.py     one training each, and its state          workers.py    runs the trials, each on its own cores
runner.py     runs a plan, then compares its cells      progress.py   what the terminal shows meanwhile
saved.py      an experiment as its folder tells it      cluster/      runs the trials on other machines
builtin/      the plans that ship, as TOML files
"""

from ganvas.experiments.runner import Result, run

__all__ = ["Result", "run"]
