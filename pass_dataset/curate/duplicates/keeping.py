"""Which image of a group stays, and why the others do not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.curate.duplicates.unions import Numbers

__all__ = ["KEEP_RULES", "WITHIN", "KeepRule", "Verdicts", "decide", "of_set"]

#: ``largest``: the one with most pixels, then most bytes; ``oldest``: with the lowest number at
#: Flickr, where any is known; ``first``: in order of the sources. What is equal goes by the order.
KeepRule = Literal["largest", "oldest", "first"]
KEEP_RULES: tuple[KeepRule, ...] = get_args(KeepRule)

#: Later than any number at Flickr.
_NEVER = 10**18
#: The cause of an image that has another in its collection, which stays.
WITHIN = "duplicate-within"


def of_set(name: str) -> str:
    """The cause of an image that another set has."""
    return f"duplicate-of:{name}"


@dataclass(frozen=True)
class Verdicts:
    """What becomes of our own images.

    Attributes:
      other: for each the image that it is a duplicate of; its own number where it stays.
      sets: for each the number of the other set that has it; -1: none has.
    """

    other: Numbers
    sets: npt.NDArray[np.int32]

    @property
    def kept(self) -> npt.NDArray[np.bool_]:
        """Which stay."""
        kept: npt.NDArray[np.bool_] = self.other == np.arange(len(self.other))
        return kept


def decide(
    images: pa.Table, own: int, sets: npt.NDArray[np.int32], groups: Numbers, rule: KeepRule
) -> Verdicts:
    """Decides by groups: one that has an image of another set goes whole, of others one stays.

    Args:
      images: `photo_id`, `width`, `height`, `size_bytes`.
      own: the first so many are ours.
      sets: the set of each image after those, by number; the first set that has one is named.
      groups: names of groups, as `tiers.Found` has them.
      rule: which one stays.
    """
    numbers = np.arange(own)
    order = np.lexsort((numbers, *reversed(_preferences(images.slice(0, own), rule)), groups[:own]))
    named = groups[order]
    is_best = np.append(True, named[1:] != named[:-1]) if own else np.zeros(0, bool)
    best = np.full(images.num_rows, -1, np.int64)
    best[named[is_best]] = order[is_best]
    other = best[groups[:own]]
    of_group = np.full(images.num_rows, -1, np.int64)
    # The first of a group that is not ours: numbers stand in the order of the sets, and of several
    # that are set in one place, NumPy leaves the last.
    beyond = np.arange(images.num_rows - 1, own - 1, -1)
    of_group[groups[beyond]] = beyond
    theirs = of_group[groups[:own]]
    has = theirs >= 0
    other = np.where(has, theirs, other)
    found = np.full(own, -1, np.int32)
    found[has] = sets[theirs[has] - own]
    return Verdicts(other, found)


def _preferences(images: pa.Table, rule: KeepRule) -> list[npt.NDArray[np.int64]]:
    """What images are ordered by, least first."""

    def numbers(name: str) -> npt.NDArray[np.int64]:
        filled = pc.fill_null(images[name].cast(pa.int64()), 0)
        return np.asarray(filled.to_numpy(), np.int64)

    if rule == "largest":
        return [-numbers("width") * numbers("height"), -numbers("size_bytes")]
    if rule == "oldest":
        ids = images["photo_id"].to_pylist()
        known = [int(one) if one and one.isdecimal() and len(one) < 19 else _NEVER for one in ids]
        return [np.array(known, np.int64)]
    return []
