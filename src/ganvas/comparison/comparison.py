"""From runs to a comparison: find the groups, collect their scores, judge them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.comparison.groups import Group, Targets, differences, find_groups
from ganvas.comparison.machines import kinds_note
from ganvas.comparison.metric_names import check_measured
from ganvas.comparison.scores import MetricScores, collect_scores
from ganvas.comparison.verdicts import Verdict, judge
from ganvas.errors import UsageError, command

EQUAL_BUDGET = 0.1  # budgets may differ by this share before the comparison carries a warning


@dataclass(frozen=True)
class Comparison:
    """The result of a comparison. The first group is the reference: every other group is compared with it."""

    groups: list[Group]
    scores: list[MetricScores]
    verdicts: list[Verdict]
    changes: dict[str, list[Any]]
    """Setting -> its value in each group, for settings that differ between groups."""
    notes: list[str]
    """What was left out, and why."""

    @property
    def unequal_budgets(self) -> bool:
        """Whether CPU time (or images, if not every run recorded CPU time) differs by more than EQUAL_BUDGET."""
        members = [member for group in self.groups for member in group.members]
        cost = [member.cpu_minutes for member in members]
        if any(c != c for c in cost):  # NaN
            cost = [n for group in self.groups for n in group.nimg_range]
        return max(cost) > (1 + EQUAL_BUDGET) * min(cost)


def compare(
    targets: Targets,
    *,
    features: Sequence[str] = (),
    metrics: Sequence[str] = (),
    n: int | None = None,
    sets: int | None = None,
    make: bool = True,
    progress: bool = True,
) -> Comparison:
    """Compare groups of runs with the first group, using one score per seed.

    `targets`: see groups.find_groups. `features` (extractors), `n` and `sets` select the scores if runs hold several
    kinds; `metrics` names those that get a verdict (default: fd, or kd if no run has fd). Scores that a run lacks, or
    that an older version of ganvas computed in another way, are computed, unless `make` is False; those that cannot be
    computed are listed in the notes.

    Raises UsageError for fewer than two groups, for runs on different data, and for a named metric that is unknown or
    that not all runs have; GanvasError for other failures.
    """
    groups, notes = find_groups(targets)
    if len(groups) < 2:
        what = f"one group, {groups[0].name} (seeds {groups[0].seeds})" if groups else "none"
        raise UsageError("; ".join([f"a comparison needs two groups of finished runs, found {what}", *notes]))
    scores, missing = collect_scores(groups, features, metrics, n, sets, make, progress)
    if not scores:
        raise UsageError("; ".join([f"there is no score to compare ({command('evaluate', 'RUN')})", *notes, *missing]))
    check_measured(metrics, scores, missing)
    verdicts = judge(scores, len(groups), metrics)
    notes += [*missing, *kinds_note(groups)]
    return Comparison(groups, scores, verdicts, changed_settings(groups), notes)


def changed_settings(groups: Sequence[Group]) -> dict[str, list[Any]]:
    """Setting -> its value in each group, for settings in which a group differs from the first."""
    changed = dict.fromkeys(key for group in groups[1:] for key in differences(groups[0].config, group.config))
    return {key: [_setting(group, key) for group in groups] for key in changed}


def _setting(group: Group, name: str) -> Any:
    value: Any = group.config
    for key in name.split("."):
        value = getattr(value, key)
    return value
