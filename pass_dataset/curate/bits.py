"""Bits of whole numbers, many at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

__all__ = ["popcount"]


def _counted_by_table(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint8]:
    """NumPy before 2 does not count bits."""
    table = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)
    words = np.ascontiguousarray(numbers).view(np.uint16).reshape(*numbers.shape, 4)
    counted: npt.NDArray[np.uint8] = table[words].sum(axis=-1, dtype=np.uint8)
    return counted


#: Bits that are set in each of some uint64, as uint8.
popcount: Callable[[npt.NDArray[np.uint64]], npt.NDArray[np.uint8]] = getattr(
    np, "bitwise_count", _counted_by_table
)
