"""How many images each photographer has. Names are counted, and not kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pass_dataset.reports.stats.numbers import Spread, spread_of

__all__ = ["MAX_IMAGES_EACH", "Photographers", "count_photographers"]

#: PASS took at most so many images of each photographer (the paper, section 3).
MAX_IMAGES_EACH = 80


@dataclass(frozen=True)
class Photographers:
    """Photographers, counted.

    Attributes:
      photographers: how many there are, told apart by the name in the CSV.
      unknown: images without a name.
      images_each: images of a photographer, in short; None where there is none.
      numbers: pairs in order: a number of images, and how many photographers have it.
      largest_tenth: images of the tenth of photographers, rounded up, that have most.
      bound: the paper's, 80 images each.
      over_bound: photographers with more.
      over_bound_images: their images.
    """

    photographers: int
    unknown: int
    images_each: Spread | None
    numbers: tuple[tuple[int, int], ...]
    largest_tenth: int
    bound: int
    over_bound: int
    over_bound_images: int


def count_photographers(creators: pa.Array) -> Photographers:
    """Counts photographers.

    Args:
      creators: name or null, one an image.
    """
    names = creators.drop_null()
    images = np.sort(names.value_counts().field("counts").to_numpy())
    numbers, photographers = np.unique(images, return_counts=True)
    over = images[images > MAX_IMAGES_EACH]
    return Photographers(
        photographers=len(images),
        unknown=creators.null_count,
        images_each=spread_of(images),
        numbers=tuple(zip(numbers.tolist(), photographers.tolist(), strict=True)),
        largest_tenth=int(images[len(images) * 9 // 10 :].sum()),
        bound=MAX_IMAGES_EACH,
        over_bound=len(over),
        over_bound_images=int(over.sum()),
    )
