"""Two reviewers of the same images: how far they agree, and what that says.

Where nearly all images are OK, two reviewers agree nearly always, even if neither looks: the share
of agreement says nothing. Two measures say more, and each has its limits:

- **Positive agreement**: of all flags, how many have the other's flag (2a / (2a + b + c): J. L.
  Fleiss, Measuring agreement between two judges, Biometrics 31, 1975). It does not count images
  that both let pass, and so says nothing of what both miss.
- **Kappa** (J. Cohen, A coefficient of agreement for nominal scales, 1960), agreement beyond
  chance. Where 1 % is bad it is low though both work well (A. R. Feinstein, D. V. Cicchetti, High
  agreement but low kappa, J. Clin. Epidemiol. 43, 1990), and differs between sets of different
  shares: compare it within one set only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from pass_dataset.pages.intervals import two_sided

__all__ = ["Agreement"]


@dataclass(frozen=True)
class Agreement:
    """Of images that both looked at: what both flagged, only one, or neither."""

    both: int
    only_first: int
    only_second: int
    neither: int

    def __post_init__(self) -> None:
        if min(self.both, self.only_first, self.only_second, self.neither) < 0:
            raise ValueError("numbers of images: expected 0 or more")

    @property
    def images(self) -> int:
        """All that both looked at."""
        return self.both + self.only_first + self.only_second + self.neither

    def positive(self, confidence: float = 0.95) -> tuple[float | None, float, float]:
        """Positive agreement (None: neither flagged any), and its exact bounds.

        Of the images that anyone flagged, those that both did are a share J with Clopper and
        Pearson's bounds; positive agreement is 2J / (1 + J), which rises with it.
        """
        anyone = self.both + self.only_first + self.only_second
        low, high = two_sided(self.both, anyone, confidence)
        value = _dice(self.both / anyone) if anyone else None
        return value, _dice(low), _dice(high)

    @property
    def negative(self) -> float | None:
        """Of all "OK", how many have the other's (None: none was said)."""
        whole = 2 * self.neither + self.only_first + self.only_second
        return 2 * self.neither / whole if whole else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa; None where chance alone leaves no room: both flagged none, or all."""
        if not self.images:
            return None
        expected = self._expected()
        return None if expected == 1 else (self._observed() - expected) / (1 - expected)

    def kappa_bounds(self, confidence: float = 0.95) -> tuple[float, float] | None:
        """Approximate bounds of kappa (J. L. Fleiss, J. Cohen, B. S. Everitt, 1969).

        They need some dozens of flags to be good. None where there is no kappa.
        """
        kappa = self.kappa
        if kappa is None:
            return None
        n, expected = self.images, self._expected()
        first = (self.both + self.only_first) / n
        second = (self.both + self.only_second) / n
        cells = (
            (self.both / n, first + second),
            (self.neither / n, 2 - first - second),
        )
        on = sum(p * (1 - sides * (1 - kappa)) ** 2 for p, sides in cells)
        # Of a cell off the diagonal: its row's total of the second, its column's of the first.
        off = self.only_first / n * (second + (1 - first)) ** 2
        off += self.only_second / n * ((1 - second) + first) ** 2
        off *= (1 - kappa) ** 2
        variance = (on + off - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
        half = NormalDist().inv_cdf((1 + confidence) / 2) * math.sqrt(max(0.0, variance))
        return max(-1.0, kappa - half), min(1.0, kappa + half)

    def _observed(self) -> float:
        return (self.both + self.neither) / self.images

    def _expected(self) -> float:
        n = self.images
        first, second = self.both + self.only_first, self.both + self.only_second
        return (first * second + (n - first) * (n - second)) / n**2


def _dice(jaccard: float) -> float:
    return 2 * jaccard / (1 + jaccard)
