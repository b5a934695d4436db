"""How many images became what, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from pass_dataset.passify.outputs.lists import judged_rows
from pass_dataset.passify.runs.exclusions import Exclusions
from pass_dataset.passify.runs.outcomes import OUTCOMES, Outcome, Thresholds, outcome_of
from pass_dataset.passify.runs.results import Results

__all__ = ["Summary", "summarize"]


@dataclass(frozen=True)
class Summary:
    """Counts of a run at some thresholds.

    Attributes:
      thresholds: at which.
      images: images of the source.
      missing: images in shards that are not done.
      kept: images that are kept.
      reasons: images that are not, by reason, most first.
    """

    thresholds: Thresholds
    images: int
    missing: int
    kept: int
    reasons: dict[str, int]

    def count(self, outcome: Outcome) -> int:
        """Images with an outcome."""
        if outcome == "kept":
            return self.kept
        return sum(
            number for reason, number in self.reasons.items() if outcome_of(reason) == outcome
        )

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Images by outcome."""
        return {outcome: self.count(outcome) for outcome in OUTCOMES}


def summarize(
    results: Results, thresholds: Thresholds, exclusions: Exclusions | None = None
) -> Summary:
    """Counts a run's images; of one that is not done, those that are.

    Raises:
      RunError: results cannot be read.
    """
    counts: Counter[str | None] = Counter()
    for _, reasons in judged_rows(results, thresholds, exclusions=exclusions):
        for entry in reasons.value_counts().to_pylist():
            counts[entry["values"]] += entry["counts"]
    kept = counts.pop(None, 0)
    reasons = {str(reason): number for reason, number in counts.most_common()}
    missing = results.plan.images - kept - sum(reasons.values())
    return Summary(thresholds, results.plan.images, missing, kept, reasons)
