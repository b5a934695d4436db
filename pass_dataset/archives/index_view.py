"""Images of an index as readers see them: those of some parts, without those that are removed.

A view is all that there is of an index outside this package's rooms for it: whatever is asked of
it counts in its own positions, so that no reader can come upon an image that is not among them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pass_dataset.archives.metadata import position_of
from pass_dataset.archives.saved_index import ArchiveIndex, IndexSummary
from pass_dataset.files.arrow import numbers_of

__all__ = ["IndexView", "Positions"]

#: Some of the images of a view: by positions (integers), or by a slice of these.
Positions: TypeAlias = "slice | Sequence[int] | npt.NDArray[Any]"


class IndexView:
    """Some rows of an index, in some order. A selection costs eight bytes an image, all cost none.

    It pickles without the index, which is a map of this process; see `bound_to`.
    """

    def __init__(self, index: ArchiveIndex, rows: range | npt.NDArray[np.int64] | None = None):
        """All images of an index.

        Args:
          index: whose.
          rows: only these rows, in this order; for the views that a view makes of itself.
        """
        self._index = index
        self._rows = range(len(index)) if rows is None else rows
        #: Columns without nulls as NumPy sees them, where they are.
        self._numbers: dict[str, npt.NDArray[Any]] = {}
        self._arrays: dict[str, pa.Array] = {}

    def bound_to(self, index: ArchiveIndex) -> IndexView:
        """The same rows of an index that was opened anew, of the same files."""
        return IndexView(index, self._rows)

    def __getstate__(self) -> dict[str, Any]:
        return {"_rows": self._rows}

    @property
    def summary(self) -> IndexSummary:
        """What was counted while the index of the whole folder was made."""
        return self._index.summary

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def is_whole(self) -> bool:
        """True if these are all images of the index, in its order."""
        return isinstance(self._rows, range) and self._rows == range(len(self._index))

    def selection_digest(self) -> str:
        """Tells one selection of images from another: SHA-256 of their rows, as hexadecimal."""
        return hashlib.sha256(np.asarray(self._rows, np.int64).tobytes()).hexdigest()

    # --- what is known of the images --------------------------------------------------------------

    def columns(self, names: Sequence[str]) -> pa.RecordBatch:
        """Columns of the index, a row for each of these images, in their order.

        Nothing is copied where all images are asked for, or a stretch of all.

        Args:
          names: of ``hash`` (string), ``tar`` (uint8, or wider for more than
            256; counting in ``summary.tars``), ``offset``,
            ``size_bytes`` (int64), ``creator``, ``license``, ``date_taken_text`` (string or null),
            ``date_taken`` (timestamp[us] or null), ``latitude``, ``longitude`` (float64 or null).
        """
        table = self._index._table.select(list(names))
        rows = self._rows
        if isinstance(rows, range) and rows.step == 1:
            return table.slice(rows.start, len(rows))
        return table.take(pa.array(np.asarray(rows, np.int64)))

    def numbers(self, name: str, positions: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
        """Values of ``tar``, ``offset`` or ``size_bytes`` at some positions.

        The same as of `columns`, several times as fast for the few that a loop asks for.

        Raises:
          IndexError: no such position.
        """
        column = self._numbers.get(name)
        if column is None:
            column = self._numbers[name] = numbers_of(self._index._table[name])
        # Where the view is whole, a position beyond the end is a row beyond the end.
        rows = positions if self.is_whole else self._rows_at(positions)
        values: npt.NDArray[Any] = column[rows]
        return values

    def values(self, names: Iterable[str], position: int) -> list[Any]:
        """Values of some columns at one position, as Python has them.

        Raises:
          IndexError: no such position.
        """
        row = int(self._rows[position])
        return [self._array(name)[row].as_py() for name in names]

    def _array(self, name: str) -> pa.Array:
        # Finding a column takes Arrow longer than finding a value in it.
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays[name] = self._index._table[name]
        return array

    def position_of(self, image_hash: str) -> int | None:
        """Position of the image with that hash; None if there is none among these."""
        table = self._index._table
        row = position_of(image_hash, table["hash"], table["by_hash"])
        if row is None:
            return None
        if isinstance(self._rows, range):
            return self._rows.index(row) if row in self._rows else None
        found = np.flatnonzero(self._rows == row)
        return int(found[0]) if len(found) else None

    # --- fewer of them ----------------------------------------------------------------------------

    def at(self, positions: Positions) -> IndexView:
        """Those at some positions, in that order.

        Raises:
          IndexError: no such position.
        """
        if isinstance(positions, slice):
            return self._with_rows(self._rows[positions])
        return self._with_rows(self._rows_at(np.asarray(positions, dtype=np.int64)))

    def of_parts(self, parts: Collection[int]) -> IndexView:
        """Those that lie in the tars with these part numbers."""
        present = self.summary.parts
        wanted = [number for number, part in enumerate(present) if part in parts]
        is_wanted = np.isin(numbers_of(self._index._table["tar"]), wanted)
        return self._with_rows(self._chosen(is_wanted, True))

    def listed(self, hashes: Sequence[str] | pa.Array, *, are: bool = True) -> IndexView:
        """Those that have one of some hashes, or (`are` false) have none of them."""
        values = hashes if isinstance(hashes, pa.Array) else pa.array(list(hashes), pa.string())
        is_listed = pc.is_in(self._index._table["hash"], value_set=values)
        return self._with_rows(self._chosen(is_listed.to_numpy(zero_copy_only=False), are))

    def joined_with(self, other: IndexView) -> IndexView:
        """Those of both, in the order of the index."""
        return self._with_rows(
            np.union1d(np.asarray(self._rows, np.int64), np.asarray(other._rows, np.int64))
        )

    def without(self, other: IndexView) -> IndexView:
        """Those that are not of another view, in the order of the index."""
        return self._with_rows(
            np.setdiff1d(np.asarray(self._rows, np.int64), np.asarray(other._rows, np.int64))
        )

    def _with_rows(self, rows: range | npt.NDArray[np.int64]) -> IndexView:
        view = IndexView(self._index, rows)
        view._numbers, view._arrays = self._numbers, self._arrays
        return view

    def _chosen(self, of_index: npt.NDArray[np.bool_], wanted: bool) -> npt.NDArray[np.int64]:
        rows = np.asarray(self._rows, dtype=np.int64)
        chosen: npt.NDArray[np.int64] = rows[of_index[rows] == wanted]
        return chosen

    def _rows_at(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        rows = self._rows
        if not isinstance(rows, range):
            return rows[positions]
        # Not to be written out for a few of them.
        if len(positions) and not -len(rows) <= positions.min() <= positions.max() < len(rows):
            raise IndexError(f"expected positions from 0 to {len(rows) - 1:,}")
        return np.where(positions < 0, positions + len(rows), positions) * rows.step + rows.start
