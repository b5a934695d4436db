"""A sample that was drawn by strata, such as bands of a score, weighted back to the whole.

Bad images gather where scores are high: a sample that looks there more often meets more of them,
and says more about the whole for the same work. What it says is put together here: each stratum's
share counts as much as the stratum has images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pass_dataset.curate.audit.finite import bad_images

__all__ = ["Estimate", "Stratum", "estimate"]


@dataclass(frozen=True)
class Stratum:
    """A part of the whole.

    Attributes:
      name: such as ``face_score 0.01 to 0.02``.
      images: all that are in it.
      checked: those that were looked at, drawn at random.
      found: bad ones among these.
    """

    name: str
    images: int
    checked: int
    found: int

    def __post_init__(self) -> None:
        if not 0 <= self.found <= self.checked <= self.images:
            raise ValueError(
                f"{self.name}: expected found <= checked <= images, found {self.found}, "
                f"{self.checked} and {self.images}"
            )

    def bounds(self, confidence: float) -> tuple[int, int]:
        """Lowest and highest number of bad images in it, with this two-sided confidence.

        What was looked at is known, so that there is no doubt where all were.
        """
        return bad_images(self.found, self.checked, self.images, (1 + confidence) / 2)


@dataclass(frozen=True)
class Estimate:
    """What a sample says about the whole.

    Attributes:
      images, checked, found: of all strata together.
      share: of bad images in the whole, as estimated; None: a stratum was not looked at.
      low, high: bounds of that share.
      confidence: with which the whole lies within them, at least.
    """

    images: int
    checked: int
    found: int
    share: float | None
    low: float
    high: float
    confidence: float


def estimate(strata: Sequence[Stratum], confidence: float = 0.95) -> Estimate:
    """Weights the strata back.

    The bounds are exact: each stratum has its own part of the error (Bonferroni), so that all of
    them hold together with the stated confidence or more. They are wider than an approximation
    would be, and true where strata have no finding, for which approximations have no width at all.

    Args:
      strata: which together are the whole, none of them twice.
      confidence: between 0 and 1.

    Raises:
      ValueError: there is no image, or the confidence is none.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, found {confidence:g}")
    images = sum(stratum.images for stratum in strata)
    if not images:
        raise ValueError("strata: expected images, found none")
    # Only those that leave something open take a part of the error.
    uncertain = sum(stratum.checked < stratum.images for stratum in strata)
    each = 1 - (1 - confidence) / max(1, uncertain)
    bounds = [stratum.bounds(each) for stratum in strata]
    share = None
    if all(stratum.checked for stratum in strata if stratum.images):
        share = (
            sum(
                stratum.images * stratum.found / stratum.checked
                for stratum in strata
                if stratum.checked
            )
            / images
        )
    return Estimate(
        images,
        sum(stratum.checked for stratum in strata),
        sum(stratum.found for stratum in strata),
        share,
        sum(low for low, _ in bounds) / images,
        sum(high for _, high in bounds) / images,
        confidence,
    )
