"""Rows of Arrow, parted into those that stay and those that go."""

from __future__ import annotations

from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["parted"]

_Rows = TypeVar("_Rows", "pa.Table", "pa.RecordBatch")


def parted(rows: _Rows, listed: pa.Array) -> tuple[_Rows, _Rows]:
    """The rows that stay, and those whose ``hash`` is listed.

    Args:
      rows: with a column ``hash``. Where none goes, they themselves stay, and are not copied.
      listed: hashes, as strings.
    """
    is_listed = pc.is_in(rows["hash"], value_set=listed)
    gone = rows.filter(is_listed)
    return (rows.filter(pc.invert(is_listed)) if gone.num_rows else rows), gone
