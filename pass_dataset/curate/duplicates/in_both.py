"""Images of one set that are in another one too, or nearly: of images that are at hand as bytes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pass_dataset.curate.duplicates.fingerprints import Fingerprint, fingerprint
from pass_dataset.curate.duplicates.small_pictures import Pictures
from pass_dataset.curate.duplicates.tiers import find_pairs
from pass_dataset.curate.duplicates.unions import Numbers
from pass_dataset.progress import Progress, Silent
from pass_dataset.workers.threads import in_threads

__all__ = ["copies_in"]

#: What pairs are found by; of names of photographs nothing is known.
_COLUMNS = ("file", "pixels", "code", "broken")
_TYPES = {"file": pa.binary(16), "pixels": pa.binary(16), "code": pa.binary(32)}


def copies_in(
    read: Callable[[int], bytes], others: int, own: int, progress: Progress | None = None
) -> int:
    """How many of our images have a copy among others: the same, or nearly (see `tiers`).

    Args:
      read: bytes of an image by its number, the others first; asked from several threads.
      others, own: how many there are of each.
      progress: where it is shown.

    Raises:
      MissingExtraError: Pillow is not installed.
    """
    total = others + own
    task = (progress or Silent()).task("looking for copies", total, "images")

    def made(number: int) -> Fingerprint:
        task.advance(1)
        return fingerprint(read(number))

    try:
        found = list(in_threads(made, range(total)))
    finally:
        task.finish()
    nothing = pa.nulls(total, pa.string())
    images = pa.table(
        {
            "photo_id": nothing,
            "address": nothing,
            **{
                name: pa.array([getattr(one, name) for one in found], _TYPES.get(name, pa.string()))
                for name in _COLUMNS
            },
        }
    )

    def confirm(numbers: Numbers) -> Callable[[Numbers, Numbers], np.ndarray]:
        return Pictures(numbers, lambda place: read(int(numbers[place])), total).agree

    groups = find_pairs(images, total, confirm=confirm).groups
    return int(np.isin(groups[others:], groups[:others]).sum())
