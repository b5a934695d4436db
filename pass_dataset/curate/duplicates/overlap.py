"""Which images of PASS are in COCO, by identity: from the two lists, without a pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from pass_dataset.curate.duplicates.index_file import HashIndex

__all__ = ["Overlap", "find_overlap"]


@dataclass(frozen=True)
class Overlap:
    """Images that two lists share.

    Attributes:
      asked: images of PASS.
      known: images of the other set that have an address.
      images: `hash`, and `path`, `photo_id` in the other set, in order of `hash`.
    """

    asked: int
    known: int
    images: pa.Table


def find_overlap(hashes: Sequence[str], other: HashIndex) -> Overlap:
    """Finds the images that are the same photograph.

    Args:
      hashes: of the images of PASS, which are those of their addresses.
      other: identities of another set.
    """
    asked = set(hashes)
    addresses = other.images["address"].to_pylist()
    columns = zip(
        addresses,
        other.images["path"].to_pylist(),
        other.images["photo_id"].to_pylist(),
        strict=True,
    )
    rows = sorted(row for row in columns if row[0] is not None and row[0] in asked)
    images = pa.table(
        {
            name: pa.array([row[place] for row in rows], pa.string())
            for place, name in enumerate(("hash", "path", "photo_id"))
        }
    )
    return Overlap(len(asked), len(addresses) - addresses.count(None), images)
