"""Which pairs a report shows: of each tier some, of near ones those that differ most."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pass_dataset.curate.duplicates.tiers import TIERS, Found, Tier

__all__ = ["chosen_pairs", "largest_groups"]

#: Pairs of a tier that are shown. Of near ones more: there it can be wrong.
_SHOWN: dict[Tier, int] = {"photograph": 6, "bytes": 4, "pixels": 6, "near": 18, "grid": 18}


def chosen_pairs(found: Found) -> Iterator[tuple[Tier, list[int]]]:
    """Numbers of the pairs of each tier that has any."""
    for number, tier in enumerate(TIERS):
        places = np.flatnonzero(found.tier == number)
        if not len(places):
            continue
        places = places[np.argsort(-found.distance[places], kind="stable")]
        if tier != "near":  # all alike: from everywhere
            places = places[np.linspace(0, len(places) - 1, _SHOWN[tier]).astype(np.int64)]
            places = np.unique(places)
        yield tier, places[: _SHOWN[tier]].tolist()


def largest_groups(found: Found, most: int) -> list[tuple[int, int]]:
    """The first image and the size of the largest groups."""
    members = np.unique(np.concatenate([found.left, found.right]))
    names, sizes = np.unique(found.groups[members], return_counts=True)
    order = np.argsort(-sizes, kind="stable")[:most]
    return [(int(names[place]), int(sizes[place])) for place in order]
