"""Which pairs a report shows: of each tier some, of near ones and crops those that differ most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from pass_dataset.curate.duplicates.tiers import TIERS, Found, Tier
from pass_dataset.curate.duplicates.unions import Numbers

__all__ = ["chosen_pairs", "largest_groups"]

#: Pairs of a tier that are shown. Of near ones and crops more: there it can be wrong.
_SHOWN: dict[Tier, int] = {
    "photograph": 6,
    "bytes": 4,
    "pixels": 6,
    "near": 18,
    "crop": 18,
    "grid": 18,
}
#: Near pairs of one group that are shown: twenty of one photograph tell no more.
_OF_A_GROUP = 2


def chosen_pairs(found: Found) -> Iterator[tuple[Tier, list[int]]]:
    """Numbers of the pairs of each tier that has any."""
    for number, tier in enumerate(TIERS):
        places = np.flatnonzero(found.tier == number)
        if not len(places):
            continue
        differs = found.distance if tier != "crop" else -found.cosine
        places = places[np.argsort(-differs[places], kind="stable")]
        if tier in ("near", "crop"):
            chosen = _of_many_groups(found.groups[found.left[places]], _SHOWN[tier])
        else:  # all alike: from everywhere
            chosen = np.unique(np.linspace(0, len(places) - 1, _SHOWN[tier]).astype(np.int64))
        yield tier, places[chosen].tolist()


def _of_many_groups(groups: Numbers, most: int) -> Numbers:
    """The first places, but of each group some only."""
    seen: Counter[int] = Counter()
    chosen = []
    for place, group in enumerate(groups.tolist()):
        seen[group] += 1
        if seen[group] <= _OF_A_GROUP:
            chosen.append(place)
            if len(chosen) == most:
                break
    return np.array(chosen, np.int64)


def largest_groups(found: Found, most: int) -> list[tuple[int, int]]:
    """The first image and the size of the largest groups."""
    members = np.unique(np.concatenate([found.left, found.right]))
    names, sizes = np.unique(found.groups[members], return_counts=True)
    order = np.argsort(-sizes, kind="stable")[:most]
    return [(int(names[place]), int(sizes[place])) for place in order]
