"""Which tests are made, what they are corrected for, and what follows: exact, from scores alone."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ganvas.comparison import verdicts
from ganvas.comparison.scores import EvaluationProtocol, MetricScores
from ganvas.comparison.verdicts import ALPHA, Verdict, judge
from ganvas.stats.power import detectable, seeds_needed

PROTOCOL = EvaluationProtocol("classifier", "", "", "", "", 0, 0, 1)
BEFORE, FAR, NEAR = (50.0, 52.0, 51.5), (40.0, 41.0, 39.5, 44.0), (49.0, 51.4, 52.6, 50.0, 47.0)


def scores(*groups: tuple[float | None, ...], metric: str = "fd_classifier", better: str = "lower") -> MetricScores:
    return MetricScores(metric, better, None, PROTOCOL, groups)


def welch_p(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    return float(stats.ttest_ind(a, b, equal_var=False).pvalue)


def spread(values: tuple[float, ...]) -> float:
    return float(stats.tstd(values))


def named(found: list[Verdict]) -> list[tuple[int, str]]:
    return [(v.group, v.metric) for v in found]


def test_one_test_alone_is_not_corrected() -> None:
    (verdict,) = judge([scores(BEFORE, NEAR)], 2, ["fd"])
    assert verdict.outcome == "none" and verdict.p == pytest.approx(welch_p(BEFORE, NEAR))
    sides = spread(BEFORE), spread(NEAR)
    assert verdict.detectable == pytest.approx(detectable(sides, (3, 5), ALPHA))
    assert verdict.difference is not None
    assert verdict.seeds_needed == seeds_needed(verdict.difference.value, sides, ALPHA)
    assert verdict.level == pytest.approx(0.95)


def test_every_test_made_counts_and_those_not_made_do_not() -> None:
    """Of five pairs two are tests: the others have too few seeds or no spread between them."""
    few, still, one = (40.0, 41.0), (50.0, 52.0, 51.5), (40.0,)
    found = judge([scores(BEFORE, FAR, NEAR, few, one)], 5, ["fd"])
    assert [v.outcome for v in found] == ["better", "none", "few", "few"]
    far, near, *others = found
    assert far.p == pytest.approx(2 * welch_p(BEFORE, FAR)) and near.p == pytest.approx(welch_p(BEFORE, NEAR))
    assert far.level == near.level == pytest.approx(0.975)
    assert near.detectable == pytest.approx(detectable((spread(BEFORE), spread(NEAR)), (3, 5), ALPHA / 2))
    assert far.detectable == pytest.approx(detectable((spread(BEFORE), spread(FAR)), (3, 4), ALPHA / 2))
    assert far.seeds_needed is None and near.difference is not None
    assert near.seeds_needed == seeds_needed(near.difference.value, (spread(BEFORE), spread(NEAR)), ALPHA / 2)
    for verdict in others:
        assert all(map(math.isnan, (verdict.p, verdict.level, verdict.detectable))) and verdict.seeds_needed is None
    two, single = (verdict.difference for verdict in others)
    assert single is None and two is not None and two.value == pytest.approx(40.5 - sum(BEFORE) / 3)
    assert math.isnan(two.low) and math.isnan(two.high)
    assert judge([scores(BEFORE, still)], 2, ["fd"])[0].outcome == "none"  # equal means are no missing spread


def test_without_spread_there_is_no_test() -> None:
    flat, far = judge([scores((5.0,) * 3, (4.0,) * 3, FAR)], 3, ["fd"])
    assert flat.outcome == "still" and flat.difference is not None and flat.difference.value == -1
    assert all(map(math.isnan, (flat.p, flat.level, flat.detectable, flat.difference.low))) and not flat.seeds_needed
    assert far.p == pytest.approx(stats.ttest_1samp(FAR, 5).pvalue) and far.level == pytest.approx(0.95)


@pytest.mark.parametrize("groups", [(BEFORE[:2], FAR), (FAR, BEFORE[:2])])
def test_three_seeds_are_needed_on_both_sides(groups: tuple[tuple[float, ...], ...]) -> None:
    assert [v.outcome for v in judge([scores(*groups)], 2, ["fd"])] == ["few"]
    whole = tuple(side if len(side) > 2 else BEFORE for side in groups)
    assert [v.outcome for v in judge([scores(*whole)], 2, ["fd"])] in (["better"], ["worse"])


def test_a_p_value_of_alpha_itself_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "holm", lambda ps: [ALPHA] * len(ps))
    assert judge([scores(BEFORE, FAR)], 2, ["fd"])[0].outcome == "none"
    monkeypatch.setattr(verdicts, "holm", lambda ps: [math.nextafter(ALPHA, 0)] * len(ps))
    assert judge([scores(BEFORE, FAR)], 2, ["fd"])[0].outcome == "better"


def test_metrics_are_tested_by_kind_or_by_full_name() -> None:
    every = [scores(BEFORE, FAR, NEAR, metric=name) for name in ("fd_classifier", "fd_inception", "kd_classifier")]
    assert named(judge(every, 3, ["fd"])) == [
        (1, "fd_classifier"), (1, "fd_inception"), (2, "fd_classifier"), (2, "fd_inception")]  # fmt: skip
    assert named(judge(every, 3, ["fd_inception"])) == [(1, "fd_inception"), (2, "fd_inception")]
    assert named(judge(every, 3, ["kd", "fd_inception"])) == [
        (1, "fd_inception"), (1, "kd_classifier"), (2, "fd_inception"), (2, "kd_classifier")]  # fmt: skip


def test_the_default_is_the_first_distance_that_every_group_has() -> None:
    nothing = (None, None, None)
    fd, kd = scores(BEFORE, FAR, NEAR), scores(BEFORE, FAR, NEAR, metric="kd_classifier")
    assert named(judge([kd, fd], 3)) == [(1, "fd_classifier"), (2, "fd_classifier")]
    for part in ((nothing, FAR, NEAR), (BEFORE, nothing, NEAR), (BEFORE, FAR, nothing)):
        assert named(judge([scores(*part), kd], 3)) == [(1, "kd_classifier"), (2, "kd_classifier")]
    neither = [scores(BEFORE, FAR, nothing), scores(BEFORE, nothing, NEAR, metric="kd_classifier")]
    assert named(judge(neither, 3)) == [(1, "fd_classifier")]  # a group without a score has no verdict
    assert judge([scores(nothing, FAR, NEAR)], 3) == []


@pytest.mark.parametrize("after", [[0.50, 0.52, 0.51], [0.30, 0.32, 0.31]])
@pytest.mark.parametrize("better", ["lower", "higher", "real"])
def test_a_verdict_knows_which_way_is_better(better: str, after: list[float]) -> None:
    rows = (0.40, 0.42, 0.41), tuple(after)
    baseline = 0.55 if better == "real" else None  # 0.5 is nearer to it than 0.4
    found = MetricScores("coverage_classifier", better, baseline, PROTOCOL, rows)
    (verdict,) = judge([found], 2, ["coverage"])
    rises = after[0] > 0.4
    assert verdict.outcome == ("better" if rises != (better == "lower") else "worse")


@pytest.mark.parametrize("seed", range(12))
def test_an_interval_leaves_out_0_exactly_where_there_is_a_verdict(seed: int) -> None:
    """Seven tests of mixed size, so that later steps of Holm call what Bonferroni would not."""
    rng = np.random.default_rng(seed)
    groups = [rng.normal(size=4) + shift for shift in (0, 0, 1, 3, 4, 5, 6, 9)]
    scores = MetricScores("fd_classifier", "lower", None, PROTOCOL, tuple(tuple(map(float, g)) for g in groups))
    verdicts = judge([scores], len(groups), ["fd"])
    for verdict in verdicts:
        d = verdict.difference
        assert d is not None and 0.95 <= verdict.level <= 1 - 0.05 / 7 + 1e-12
        assert (d.low > 0 or d.high < 0) == (verdict.outcome in ("better", "worse")) == (verdict.p < 0.05)
        interval = stats.ttest_ind(groups[verdict.group], groups[0], equal_var=False).confidence_interval(verdict.level)
        assert (d.low, d.high) == pytest.approx((interval.low, interval.high))
    assert max(v.level for v in verdicts) == pytest.approx(1 - 0.05 / 7)
