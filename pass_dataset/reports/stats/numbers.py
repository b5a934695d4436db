"""How numbers are spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Histogram", "Spread", "histogram_of", "round_step", "spread_of"]

_BINS = 50
#: A histogram reaches so far, in per cent of the numbers; the few above it are counted together.
_SHOWN_PERCENT = 99.5
_PERCENTS = (0, 5, 25, 50, 75, 95, 99, 100)


@dataclass(frozen=True)
class Spread:
    """Numbers in short.

    Attributes:
      count: how many there are.
      total, mean: of all.
      minimum, percent_5, percent_25, median, percent_75, percent_95, percent_99, maximum: numbers
        among them that so many per cent do not exceed.
    """

    count: int
    total: int
    mean: float
    minimum: int
    percent_5: int
    percent_25: int
    median: int
    percent_75: int
    percent_95: int
    percent_99: int
    maximum: int


@dataclass(frozen=True)
class Histogram:
    """Numbers counted in bins of equal width.

    Attributes:
      start: of the first bin.
      width: of each; a bin has its start, and not its end.
      counts: by bin.
      above: numbers from the last bin's end on.
    """

    start: float
    width: float
    counts: tuple[int, ...]
    above: int

    @property
    def end(self) -> float:
        """Of the last bin."""
        return self.start + self.width * len(self.counts)

    def bins(self) -> Iterator[tuple[float, float, int]]:
        """Start, end and count of each bin."""
        for number, count in enumerate(self.counts):
            start = self.start + number * self.width
            yield start, start + self.width, count


def spread_of(values: np.ndarray[Any, Any]) -> Spread | None:
    """The spread of integers; None where there are none."""
    if not len(values):
        return None
    lowest, p5, p25, p50, p75, p95, p99, highest = np.percentile(
        values, _PERCENTS, method="inverted_cdf"
    ).tolist()
    return Spread(
        count=len(values),
        total=int(values.sum()),
        mean=float(values.mean()),
        minimum=lowest,
        percent_5=p5,
        percent_25=p25,
        median=p50,
        percent_75=p75,
        percent_95=p95,
        percent_99=p99,
        maximum=highest,
    )


def histogram_of(values: np.ndarray[Any, Any]) -> Histogram | None:
    """Integers of 0 or more, in some fifty bins of a round width; None where there are none."""
    if not len(values):
        return None
    shown = float(np.percentile(values, _SHOWN_PERCENT, method="inverted_cdf"))
    width = round_step(shown / _BINS)
    bins = int(shown // width) + 1
    counts = np.bincount(np.minimum(values // width, bins).astype(np.int64), minlength=bins + 1)
    return Histogram(0, width, tuple(map(int, counts[:bins])), int(counts[bins]))


def round_step(at_least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50 and so on that is not less."""
    power = 1
    while True:
        for digit in (1, 2, 5):
            if digit * power >= at_least:
                return digit * power
        power *= 10
