"""Descriptors as rows of a matrix, and as a column of a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

__all__ = [
    "DESCRIPTORS",
    "DESCRIPTOR_VERSION",
    "WIDTH",
    "Descriptors",
    "Rows",
    "column_of",
    "rows_of",
]

#: How images are described, whatever the weights.
DESCRIPTOR_VERSION = "sscd-1 (320×320 whatever the aspect, bilinear, float16)"
#: Numbers of a descriptor: of all models of the release but the large one.
WIDTH = 512
#: Null where an image has no pixels.
DESCRIPTORS = pa.schema([pa.field("descriptor", pa.binary(2 * WIDTH))])

Rows = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Descriptors:
    """Descriptors of images, and what made them.

    Attributes:
      sha256: of the weights.
      rows: float16 N×512 of length 1; zeros, which are near nothing, where an image has none.
    """

    sha256: str
    rows: Rows


def rows_of(column: pa.ChunkedArray) -> Rows:
    """A column of `DESCRIPTORS` as rows; zeros where it is null."""
    rows = np.zeros((len(column), WIDTH), np.float16)
    start = 0
    for chunk in column.chunks:
        end = start + len(chunk)
        values = np.frombuffer(chunk.buffers()[1], np.float16).reshape(-1, WIDTH)
        values = values[chunk.offset : chunk.offset + len(chunk)]
        there = np.asarray(chunk.is_valid())
        rows[start:end][there] = values[there]
        start = end
    return rows


def column_of(rows: Rows) -> pa.Array:
    """Rows as a column of `DESCRIPTORS`; null where they are zeros."""
    there = np.asarray(rows.any(axis=1)).tolist()
    values = [row.tobytes() if has else None for row, has in zip(rows, there, strict=True)]
    return pa.array(values, DESCRIPTORS.field(0).type)
