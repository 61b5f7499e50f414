"""What the report knows of a run's loss, without torch: training records it in the `start` event.

Runs written before that use one of five built-in losses, whose facts stand here. Their formulas and explanations are
sentences, formula.*.NAME and chart.loss.NAME.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ganvas.i18n import Translator
from ganvas.stats.finite import is_number

THRESHOLDS: dict[str, float | None] = {
    "bce": 0.0, "hinge": 0.0, "least-squares": 0.5, "wasserstein": None, "relativistic": None,
}  # fmt: skip
"""As in training.losses."""


@dataclass(frozen=True)
class LossFacts:
    """A loss as the report shows it."""

    name: str
    threshold: float | None
    """A logit above it means that D classifies the image as real. None: the loss only compares logits."""
    formulas: dict[str, str]
    """"d" and "g" -> formula, as recorded in the run; may be empty."""
    texts: dict[str, str]
    """Language -> what to know when reading the loss curves, as recorded in the run; may be empty."""

    @property
    def rule(self) -> str:
        """How accuracies are computed from logits: at a `threshold`, or `balanced`, where real = fake accuracy."""
        return "balanced" if self.threshold is None else "threshold"

    @property
    def blanks(self) -> dict[str, str]:
        """The blanks of sentences that end in .threshold."""
        return {} if self.threshold is None else {"threshold": f"{self.threshold:g}"}

    def formula(self, player: str, say: Translator) -> str:
        """The loss of "d" or "g"."""
        key = f"formula.{player}.{self.name}"
        return say(key) if key in say else self.formulas.get(player, self.name)

    def title(self, say: Translator) -> str:
        """Heading of the chart of loss curves."""
        key = f"chart.loss.{self.name}"
        return say(key) if key in say else say("chart.loss.own", name=self.name)

    def text(self, say: Translator) -> str:
        """How to read the loss curves."""
        key = f"chart.loss.{self.name}.text"
        return say(key) if key in say else self.texts.get(say.lang) or say("chart.loss.own.text", name=self.name)


def of_run(name: str, events: list[dict[str, Any]], rows: list[dict[str, Any]]) -> LossFacts:
    """The loss `name` as the start event records it, else as built in, else as the metrics show it.

    The record is {"threshold": number or null, "formula": {"d": ..., "g": ...}, "text": {"en": ..., "ko": ...}}.
    """
    starts = (event.get("loss") for event in events if event.get("event") == "start")
    record: dict[str, Any] = next((loss for loss in starts if isinstance(loss, dict)), {})
    if "threshold" in record:
        threshold = float(record["threshold"]) if is_number(record["threshold"]) else None
    else:
        compares = any("acc/pair" in row for row in rows)  # logged only by losses without a threshold
        threshold = THRESHOLDS.get(name, None if compares else 0.0)
    return LossFacts(name, threshold, _strings(record.get("formula")), _strings(record.get("text")))


def _strings(value: Any) -> dict[str, str]:
    return {str(k): v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}
