"""The trend of the accuracy that should fall to 0.5, in sentences."""

from __future__ import annotations

from ganvas.i18n import Translator
from ganvas.reports.facts import Facts
from ganvas.stats.trend import Trend


def trend_sentence(facts: Facts, trend: Trend, say: Translator) -> str:
    """The slope with its interval, n and seed."""
    return say(
        "trend.numbers", accuracy=say(f"accuracy.{facts.judged}"),
        slope=signed(trend.slope), low=signed(trend.low), high=signed(trend.high), n=trend.n, seed=facts.config.seed,
        start=f"{trend.start:.1f}", end=f"{trend.end:.1f}",
        level_start=f"{trend.at(trend.start):.2f}", level_end=f"{trend.at(trend.end):.2f}",
    )  # fmt: skip


def balanced_sentence(facts: Facts, say: Translator) -> str:
    """If the loss only compares: fake accuracy at the balanced threshold, and pair accuracy. Otherwise empty."""
    if facts.judged != "pair":
        return ""
    fake, pair = (facts.column(name)[1] for name in ("acc/fake", "acc/pair"))
    rows = -(-min(len(fake), len(pair)) // 10)
    if not rows:
        return ""
    return say("accuracy.balanced", rows=rows, fake=f"{fake[-rows:].mean():.3f}", pair=f"{pair[-rows:].mean():.3f}")


def signed(value: float) -> str:
    """Two or three significant digits with a sign; a true minus."""
    digits = f"{value:+.4f}" if abs(value) >= 0.01 else f"{value:+.2g}" if abs(value) < 1e-4 else f"{value:+.5f}"
    return digits.replace("-", "−")
