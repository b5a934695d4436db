"""Blocks announced to the system before their first image is due."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pass_dataset.torch.positions import PositionReader

__all__ = ["BlockReadahead"]

#: How many records ahead their blocks are announced, and how many at a time: at 124 kB an image,
#: 32 MB of its own and what lies with them.
_AHEAD = 256


class BlockReadahead:
    """Positions some at a time; meanwhile the system reads the blocks of those that come after."""

    def __init__(
        self,
        positions: npt.NDArray[np.int64],
        length: int,
        block_records: int,
        reader: PositionReader,
        *,
        step: int,
    ) -> None:
        """Plans the reading.

        Args:
          positions: what will be read, in this order.
          length: number of positions there are.
          block_records: a block is so many positions from a multiple of it on.
          reader: of these positions.
          step: positions handed out at a time.
        """
        self._positions = positions
        self._length = length
        self._block_records = block_records
        self._reader = reader
        self._step = step
        self._announced = np.zeros(-(-length // block_records), np.bool_)

    def __iter__(self) -> Iterator[npt.NDArray[np.int64]]:
        announced = 0
        for start in range(0, len(self._positions), self._step):
            while announced < min(start + self._step + _AHEAD, len(self._positions)):
                self._announce(self._positions[announced : announced + _AHEAD])
                announced += _AHEAD
            yield self._positions[start : start + self._step]

    def _announce(self, positions: npt.NDArray[np.int64]) -> None:
        blocks = np.unique(positions // self._block_records)
        blocks = blocks[~self._announced[blocks]]
        self._announced[blocks] = True
        members = (blocks[:, None] * self._block_records + np.arange(self._block_records)).ravel()
        self._reader.expect(members[members < self._length])
