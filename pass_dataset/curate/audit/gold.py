"""Known images mixed in: how many of the bad ones a reviewer misses, and what she flags for naught.

It holds for images such as the known ones. If these are easier than what is left in the set, the
true miss rate is higher: take gold from what was found late, not from what everybody sees.
"""

from __future__ import annotations

from dataclasses import dataclass

from pass_dataset.pages.intervals import two_sided

__all__ = ["GoldResult", "left_over"]


@dataclass(frozen=True)
class GoldResult:
    """What a reviewer said of known images.

    Attributes:
      bad, missed: known bad images that she saw, and those of them that she let pass.
      good, flagged: known good images that she saw, and those of them that she flagged.
    """

    bad: int
    missed: int
    good: int
    flagged: int

    def miss_rate(self, confidence: float = 0.95) -> tuple[float | None, float, float]:
        """Share of bad images that pass: as seen (None: no gold was), and its bounds."""
        return _rate(self.missed, self.bad, confidence)

    def false_alarm_rate(self, confidence: float = 0.95) -> tuple[float | None, float, float]:
        """Share of good images that are flagged: as seen (None: no gold was), and its bounds."""
        return _rate(self.flagged, self.good, confidence)


def _rate(part: int, whole: int, confidence: float) -> tuple[float | None, float, float]:
    low, high = two_sided(part, whole, confidence)
    return (part / whole if whole else None), low, high


def left_over(flagged: int, miss_rate: float) -> float:
    """Bad images that one look leaves behind, as many as follow from what it found.

    Args:
      flagged: bad images that were found.
      miss_rate: share of bad ones that are missed, 0 or more and under 1.

    Raises:
      ValueError: another rate; if all are missed, nothing follows.
    """
    if not 0 <= miss_rate < 1:
        raise ValueError(f"miss_rate: expected 0 or more and under 1, found {miss_rate:g}")
    return flagged * miss_rate / (1 - miss_rate)
