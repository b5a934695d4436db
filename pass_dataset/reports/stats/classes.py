"""Which classes a classifier saw in a collection, the most frequent first: the paper's Figure 4."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pass_dataset.errors import MetadataError

__all__ = ["ClassFrequencies", "read_classes"]


@dataclass(frozen=True)
class ClassFrequencies:
    """How often each class was seen in a collection.

    Attributes:
      name: of the file.
      images: that were given a class.
      unreadable: that were given none.
      frequencies: images of each class that was seen, the most frequent first.
      effective_number: how many classes of equal frequency would be as diverse: the exponential of
        the entropy.
    """

    name: str
    images: int
    unreadable: int
    frequencies: tuple[int, ...]
    effective_number: float


def read_classes(path: Path) -> ClassFrequencies:
    """What `pass-evaluate classes` wrote: Parquet with a column `class`, negative where none is.

    Raises:
      MetadataError: it cannot be read, or has no such column.
    """
    try:
        told = pq.read_table(path, columns=["class"])["class"].cast(pa.int64())
    except (OSError, pa.ArrowException, KeyError) as error:
        raise MetadataError(
            f"{path}: expected Parquet with a column class of numbers, as pass-evaluate classes "
            f"writes it, found that {error}"
        ) from error
    seen = told.filter(pc.greater_equal(told, 0))
    counts = sorted((int(each) for each in seen.value_counts().field(1).to_pylist()), reverse=True)
    total = sum(counts)
    entropy = -sum(number / total * math.log(number / total) for number in counts)
    return ClassFrequencies(
        path.name, total, len(told) - total, tuple(counts), math.exp(entropy) if counts else 0.0
    )
