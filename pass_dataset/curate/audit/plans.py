"""How many images to look at: for a claim, for a chance to meet one, for accepting a lot.

A plan (n, c) accepts a lot if among n images that are drawn at random no more than c are bad: the
acceptance sampling by attributes of H. F. Dodge and H. G. Romig (Sampling Inspection Tables, 1944),
from the binomial distribution itself in place of its tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pass_dataset.pages.intervals import chance_of_at_most, upper_bound

__all__ = ["AcceptancePlan", "acceptance_plan", "images_to_claim", "images_to_meet_one"]

Sides = Literal[1, 2]

#: Nobody looks at more; a plan that needs it is refused.
_MOST_IMAGES = 10**9


def images_to_claim(
    share: float, *, found: int = 0, confidence: float = 0.95, sides: Sides = 2
) -> int:
    """How many images to look at, so that finding so few bad ones proves a share of less.

    Args:
      share: of bad images that is to be claimed as a bound, over 0 and under 1.
      found: bad images that the sample may have.
      confidence: of the claim, between 0 and 1.
      sides: 2: the upper end of the two-sided interval is under the share, as audits report it; 1:
        the one-sided bound is, which fewer images reach.

    Returns:
      The smallest such number: for 0.1 %, none found, 95 %: 3,688 (one-sided 2,995).

    Raises:
      ValueError: numbers that cannot be, or more than a thousand million images.
    """
    _check_share("share", share)
    _check_share("confidence", confidence)
    if found < 0:
        raise ValueError(f"found: expected 0 or more, found {found}")
    each = confidence if sides == 1 else (1 + confidence) / 2
    low, high = found, max(found + 1, 16)
    while upper_bound(found, high, each) >= share:
        low, high = high, high * 2
        if high > _MOST_IMAGES:
            raise ValueError(f"share: {share:g} would need more than {_MOST_IMAGES:,} images")
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(found, middle, each) < share:
            high = middle
        else:
            low = middle
    return high


def images_to_meet_one(share: float, *, chance: float = 0.95) -> int:
    """How many images to look at for this chance to meet a bad one at all: about 3 / share at 95 %.

    Args:
      share: of bad images, over 0 and under 1.
      chance: between 0 and 1.

    Raises:
      ValueError: numbers that cannot be.
    """
    _check_share("share", share)
    _check_share("chance", chance)
    return math.ceil(math.log1p(-chance) / math.log1p(-share))


@dataclass(frozen=True)
class AcceptancePlan:
    """Look at `images`, and accept if at most `allowed` of them are bad."""

    images: int
    allowed: int

    def chance(self, share: float) -> float:
        """How probable it is that a lot with this share of bad images is accepted."""
        return chance_of_at_most(self.allowed, self.images, share)


def acceptance_plan(
    good: float, bad: float, *, refused_if_good: float = 0.05, accepted_if_bad: float = 0.05
) -> AcceptancePlan:
    """The smallest plan that tells a good lot from a bad one.

    Args:
      good: share of bad images up to which a lot is to be accepted, 0 or more.
      bad: share from which on it is to be refused; more than `good`.
      refused_if_good: how often a lot of share `good` may be refused (the producer's risk).
      accepted_if_bad: how often a lot of share `bad` may be accepted (the consumer's risk).

    Raises:
      ValueError: numbers that cannot be, or shares so near that over a million bad images had to be
        counted.
    """
    _check_share("bad", bad)
    _check_share("refused_if_good", refused_if_good)
    _check_share("accepted_if_bad", accepted_if_bad)
    if not 0 <= good < bad:
        raise ValueError(f"good: expected a share of 0 or more and under {bad:g}, found {good:g}")
    # More images refuse more, and for each number of allowed ones there is a least that refuses the
    # bad lot often enough: the first that then still accepts the good one is the smallest plan.
    allowed, step = 0, 1
    while not _serves(allowed, good, bad, refused_if_good, accepted_if_bad):
        allowed, step = allowed + step, step * 2
        if allowed > 10**6:
            raise ValueError(f"good and bad: {good:g} and {bad:g} are too near to each other")
    low = max(-1, allowed - step // 2)
    while allowed - low > 1:
        middle = (low + allowed) // 2
        if _serves(middle, good, bad, refused_if_good, accepted_if_bad):
            allowed = middle
        else:
            low = middle
    return AcceptancePlan(images_to_claim_at(bad, allowed, accepted_if_bad), allowed)


def images_to_claim_at(share: float, found: int, risk: float) -> int:
    """Images of which so few are bad with at most this chance, if the share is this."""
    low, high = found, max(found + 1, 16)
    while chance_of_at_most(found, high, share) > risk:
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        if chance_of_at_most(found, middle, share) <= risk:
            high = middle
        else:
            low = middle
    return high


def _serves(allowed: int, good: float, bad: float, refused: float, accepted: float) -> bool:
    images = images_to_claim_at(bad, allowed, accepted)
    return chance_of_at_most(allowed, images, good) >= 1 - refused


def _check_share(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name}: expected a number between 0 and 1, found {value:g}")
